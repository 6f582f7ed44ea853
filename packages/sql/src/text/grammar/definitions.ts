/** CREATE of everything but tables, routines and roles: types, domains, sequences, databases, operators, casts, rules. */
import type { ObjectKind } from '../ast-access.js';
import type { Name, Option, OptionValue, QualifiedName, StringLiteral } from '../ast-leaves.js';
import type {
  AlterCollection,
  CreateCast,
  CreateCollection,
  CreateDatabase,
  CreateDefinition,
  CreateDomain,
  CreateExtension,
  CreateSequence,
  CreateStatistics,
  CreateType,
  Persistence,
} from '../ast-schema.js';
import type { CreateRule, CreateSchema, Statement } from '../ast-statements.js';
import type { Expression } from '../ast.js';
import { AlterTableGrammar } from './alter-table.js';

export abstract class DefinitionGrammar extends AlterTableGrammar {
  protected stringLiteralValue(): StringLiteral {
    const token = this.expect('String');
    return { kind: 'string', value: token.value, position: token.startOffset };
  }

  // ----------------------------------------------------------------------------------------- sequences and schemas

  protected createSequence(persistence: Persistence, position: number): CreateSequence {
    const ifNotExists = this.ifNotExists();
    const name = this.qualifiedName();
    return { kind: 'create-sequence', name, persistence, ifNotExists, options: this.sequenceOptions(), position };
  }

  protected createSchema(position: number): CreateSchema {
    const ifNotExists = this.ifNotExists();
    const name = this.at('authorization') ? undefined : this.columnName();
    const owner = this.accept('authorization') ? this.roleSpecification() : undefined;
    const elements: Statement[] = [];
    while (this.at('create') || this.at('grant')) elements.push(this.statement());
    if (ifNotExists && elements.length > 0) {
      const message = 'CREATE SCHEMA IF NOT EXISTS cannot include schema elements';
      this.complain('0A000', message, (elements[0] as Statement).position);
    }
    return { kind: 'create-schema', name, owner, ifNotExists, elements, position };
  }

  // ----------------------------------------------------------------------------------------------- types, domains

  protected createType(position: number): CreateType {
    const name = this.qualifiedName();
    const empty = { labels: [], attributes: [], definition: [], source: undefined };
    if (this.at('(')) {
      return { kind: 'create-type', name, form: 'base', ...empty, definition: this.definitionList(), position };
    }
    if (!this.accept('as')) return { kind: 'create-type', name, form: 'shell', ...empty, position };
    if (this.accept('enum')) {
      this.expect('(');
      const labels = this.at(')') ? [] : this.commaList(this.stringLiteralValue);
      this.expect(')');
      return { kind: 'create-type', name, form: 'enum', ...empty, labels, position };
    }
    if (this.accept('range')) {
      return { kind: 'create-type', name, form: 'range', ...empty, definition: this.definitionList(), position };
    }
    if (!this.at('(')) {
      const source = this.typeName();
      if (!this.acceptWord('final') && this.at('not') && this.atWord('final', 2)) {
        this.complain('0A000', 'CREATE TYPE ... NOT FINAL is not supported', this.position());
      }
      return { kind: 'create-type', name, form: 'distinct', ...empty, source, position };
    }
    this.expect('(');
    const attributes = this.at(')') ? [] : this.commaList(this.fieldDefinition);
    this.expect(')');
    return { kind: 'create-type', name, form: 'composite', ...empty, attributes, position };
  }

  protected createDomain(position: number): CreateDomain {
    const name = this.qualifiedName();
    this.accept('as');
    const type = this.typeName();
    return { kind: 'create-domain', name, type, ...this.columnQualities(), position };
  }

  // ------------------------------------------------------------------------------------ databases and extensions

  protected createDatabase(kind: CreateDatabase['kind'], position: number): CreateDatabase {
    const name = this.columnName();
    return { kind, name, options: this.databaseOptions(), position };
  }

  /** `[WITH] option [=] value ...`. */
  protected databaseOptions(): Option[] {
    this.accept('with');
    const options: Option[] = [];
    while (!this.atEnd() && !this.at(';')) {
      const position = this.position();
      let name: Name;
      if (this.at2('connection', 'limit')) {
        this.advance();
        this.advance();
        name = { text: 'connection_limit', position, quoted: false };
      } else name = this.columnName();
      this.accept('=');
      options.push({ namespace: undefined, name, value: this.databaseValue(), position });
    }
    return options;
  }

  private databaseValue(): OptionValue {
    const position = this.position();
    if (this.accept('default')) return { kind: 'default', position };
    if (this.at('String')) return this.stringLiteralValue();
    const number = this.signedNumber();
    if (number !== undefined) return number;
    if (this.accept('true')) return { kind: 'boolean', value: true, position };
    if (this.accept('false')) return { kind: 'boolean', value: false, position };
    if (this.accept('on')) return { kind: 'boolean', value: true, position };
    return { kind: 'word', name: [this.columnName()], position };
  }

  protected createExtension(position: number): CreateExtension {
    const ifNotExists = this.ifNotExists();
    const name = this.columnName();
    this.accept('with');
    const options: Option[] = [];
    for (;;) {
      const at = this.position();
      const word = this.next();
      const known = this.at('schema') || this.at('version') || this.at('cascade');
      if (!known) return { kind: 'create-extension', name, ifNotExists, options, position };
      const optionName = this.makeName(this.advance());
      let value: OptionValue | undefined;
      if (word.tokenType.name === 'schema') value = { kind: 'word', name: [this.columnName()], position: at };
      else if (word.tokenType.name === 'version') {
        value = this.at('String') ? this.stringLiteralValue() : { kind: 'word', name: [this.label()], position: at };
      }
      options.push({ namespace: undefined, name: optionName, value, position: at });
    }
  }

  /** CREATE COLLECTION name (SCHEMA '...', option = value, ...). */
  protected createCollection(position: number): CreateCollection {
    const ifNotExists = this.ifNotExists();
    const name = this.qualifiedName();
    const { schema, options } = this.collectionOptions();
    if (schema === 'none') this.fail();
    return { kind: 'create-collection', name, ifNotExists, schema, options, position };
  }

  /** ALTER COLLECTION name (SCHEMA '...' | SCHEMA NULL, option = value, ...), behind the name. */
  protected alterCollection(name: QualifiedName, position: number): AlterCollection {
    if (!this.at('(')) this.fail();
    return { kind: 'alter-collection', name, ...this.collectionOptions(), position };
  }

  private collectionOptions(): Pick<AlterCollection, 'schema' | 'options'> {
    let schema: AlterCollection['schema'];
    const options: Option[] = [];
    if (!this.at('(')) return { schema, options };
    this.parenthesisedList(() => {
      if (this.at('schema') && (this.aheadIs(2, 'String') || this.aheadIs(2, 'null'))) {
        this.advance();
        schema = this.accept('null') ? 'none' : this.stringLiteralValue();
        return;
      }
      const at = this.position();
      const option = this.label();
      this.accept('=');
      options.push({ namespace: undefined, name: option, value: this.definitionValue(), position: at });
    });
    return { schema, options };
  }

  // --------------------------------------------------------------------------------- aggregates, operators, others

  protected createAggregate(orReplace: boolean, position: number): CreateDefinition {
    const name = this.functionName();
    // The old style has no argument list: one list of `name = value`.
    const old = this.at('(') && this.aheadIs(3, '=');
    const signature = old ? undefined : this.aggregateSignature();
    return this.makeDefinition('aggregate', orReplace, name, signature, this.definitionList(), position);
  }

  private makeDefinition(
    object: ObjectKind,
    orReplace: boolean,
    name: QualifiedName,
    signature: CreateDefinition['signature'],
    definition: readonly Option[],
    position: number,
  ): CreateDefinition {
    const rest = { ifNotExists: false, from: undefined };
    return { kind: 'create-definition', object, orReplace, name, signature, definition, ...rest, position };
  }

  protected createOperator(position: number): CreateDefinition {
    const { schema, symbol, position: at } = this.schemaOperator();
    const name: Name[] = [...schema, { text: symbol, position: at, quoted: false }];
    return this.makeDefinition('operator', false, name, undefined, this.definitionList(), position);
  }

  protected createTextSearch(object: ObjectKind, position: number): CreateDefinition {
    return this.makeDefinition(object, false, this.qualifiedName(), undefined, this.definitionList(), position);
  }

  protected createCollation(position: number): CreateDefinition {
    const ifNotExists = this.ifNotExists();
    const name = this.qualifiedName();
    const from = this.accept('from') ? this.qualifiedName() : undefined;
    const definition = from === undefined ? this.definitionList() : [];
    return { ...this.makeDefinition('collation', false, name, undefined, definition, position), ifNotExists, from };
  }

  protected createCast(position: number): CreateCast {
    this.expect('(');
    const source = this.typeName();
    this.expect('as');
    const target = this.typeName();
    this.expect(')');
    let inOut = false;
    let fn: CreateCast['function'];
    if (this.accept('without')) this.expect('function');
    else {
      this.expect('with');
      if (this.accept('inout')) inOut = true;
      else {
        this.expect('function');
        fn = this.objectRef('function');
      }
    }
    let context: CreateCast['context'] = 'explicit';
    if (this.accept('as')) context = this.accept('implicit') ? 'implicit' : (this.expect('assignment'), 'assignment');
    return { kind: 'create-cast', source, target, function: fn, inOut, context, position };
  }

  protected createStatistics(position: number): CreateStatistics {
    const ifNotExists = this.ifNotExists();
    const name = this.at('on') || this.at('(') ? undefined : this.qualifiedName();
    const kinds = this.optionalNames();
    this.expect('on');
    const expressions: Expression[] = this.commaList(() =>
      this.at('(') ? this.parenthesised(this.expression) : this.primary(),
    );
    this.expect('from');
    const from = this.qualifiedNames();
    return { kind: 'create-statistics', ifNotExists, name, kinds, expressions, from, position };
  }

  // -------------------------------------------------------------------------------------------------------- rules

  protected createRule(orReplace: boolean, position: number): CreateRule {
    const name = this.columnName();
    this.expect('as');
    this.expect('on');
    const event = this.ruleEvent();
    this.expect('to');
    const table = this.qualifiedName();
    const where = this.optionalWhere();
    this.expect('do');
    const instead = this.accept('instead');
    if (!instead) this.accept('also');
    return {
      kind: 'create-rule',
      orReplace,
      name,
      event,
      table,
      where,
      instead,
      actions: this.ruleActions(),
      position,
    };
  }

  private ruleEvent(): CreateRule['event'] {
    for (const event of ['select', 'insert', 'update', 'delete'] as const) if (this.accept(event)) return event;
    return this.fail();
  }

  private ruleActions(): Statement[] {
    if (this.accept('nothing')) return [];
    if (!this.at('(') || this.atQueryInParens()) return [this.ruleAction()];
    this.expect('(');
    const actions: Statement[] = [];
    while (!this.at(')')) {
      if (!this.at(';')) actions.push(this.ruleAction());
      if (!this.at(')')) this.expect(';');
    }
    this.expect(')');
    return actions;
  }

  private ruleAction(): Statement {
    return this.at('notify') ? this.statement() : this.queryOrChange();
  }

  /** A single parenthesised query is a list of one action, which comes to the same. */
  private atQueryInParens(): boolean {
    return this.at2('(', '(');
  }
}
