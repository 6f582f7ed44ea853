/**
 * References to objects by kind and name, as DROP, COMMENT, ALTER and GRANT have them, signatures of routines, and roles.
 */
import type { ObjectKind, ObjectRef, RoleSpecification, RoutineParameter, RoutineSignature } from '../ast-access.js';
import type { Name, QualifiedName, TypeName } from '../ast-leaves.js';
import type { Keyword } from '../keywords.js';
import { FUNCTION_NAME } from '../tokens.js';
import { TableDefinitionGrammar } from './table-definitions.js';

/** Kinds spelled by one word or several; the longer ones first. */
const KINDS: readonly (readonly [ObjectKind, readonly Keyword[]])[] = [
  ['text search configuration', ['text', 'search', 'configuration']],
  ['text search dictionary', ['text', 'search', 'dictionary']],
  ['text search parser', ['text', 'search', 'parser']],
  ['text search template', ['text', 'search', 'template']],
  ['foreign data wrapper', ['foreign', 'data', 'wrapper']],
  ['foreign table', ['foreign', 'table']],
  ['materialized view', ['materialized', 'view']],
  ['access method', ['access', 'method']],
  ['event trigger', ['event', 'trigger']],
  ['operator class', ['operator', 'class']],
  ['operator family', ['operator', 'family']],
  ['large object', ['large', 'object']],
  ['user mapping', ['user', 'mapping']],
  ['language', ['procedural', 'language']],
  ['aggregate', ['aggregate']],
  ['cast', ['cast']],
  ['collation', ['collation']],
  ['column', ['column']],
  ['constraint', ['constraint']],
  ['conversion', ['conversion']],
  ['database', ['database']],
  ['domain', ['domain']],
  ['extension', ['extension']],
  ['function', ['function']],
  ['index', ['index']],
  ['language', ['language']],
  ['operator', ['operator']],
  ['policy', ['policy']],
  ['procedure', ['procedure']],
  ['publication', ['publication']],
  ['role', ['role']],
  ['role', ['user']],
  ['role', ['group']],
  ['routine', ['routine']],
  ['rule', ['rule']],
  ['schema', ['schema']],
  ['sequence', ['sequence']],
  ['server', ['server']],
  ['statistics', ['statistics']],
  ['subscription', ['subscription']],
  ['table', ['table']],
  ['tablespace', ['tablespace']],
  ['transform', ['transform']],
  ['trigger', ['trigger']],
  ['type', ['type']],
  ['view', ['view']],
];

export abstract class ObjectGrammar extends TableDefinitionGrammar {
  /** The kind of object that the next words name, which are consumed. */
  protected objectKind(): ObjectKind {
    for (const [kind, words] of KINDS) {
      const [first, second] = words as [Keyword, Keyword?];
      if (second === undefined ? !this.at(first) : !this.at2(first, second)) continue;
      if (words.some((word, index) => index > 0 && !this.aheadIs(index + 1, word))) continue;
      for (let i = 0; i < words.length; i++) this.advance();
      return kind;
    }
    if (this.acceptWord('collection')) return 'collection';
    return this.fail();
  }

  protected makeRef(object: ObjectKind, name: QualifiedName, position: number): ObjectRef {
    return { object, name, signature: undefined, types: [], on: undefined, position };
  }

  /** A reference to an object of a kind that has been read: its name and what tells it apart. */
  protected objectRef(object: ObjectKind): ObjectRef {
    const position = this.position();
    switch (object) {
      case 'aggregate':
        return { ...this.makeRef(object, this.functionName(), position), signature: this.aggregateSignature() };
      case 'function':
      case 'procedure':
      case 'routine': {
        // Without an argument list any name will do.
        const bare = this.atColumnName() && !this.aheadIs(2, '(') && !this.aheadIs(2, '.');
        const name = bare ? [this.columnName()] : this.functionName();
        return {
          ...this.makeRef(object, name, position),
          signature: this.at('(') ? this.routineSignature() : undefined,
        };
      }
      case 'operator':
        return this.operatorRef(position);
      case 'operator class':
      case 'operator family': {
        const name = this.qualifiedName();
        this.expect('using');
        return { ...this.makeRef(object, name, position), on: [this.columnName()] };
      }
      case 'cast':
        return { ...this.makeRef(object, [], position), types: this.castTypes() };
      case 'type':
      case 'domain':
        return this.typeRef(object, position);
      case 'transform': {
        this.expect('for');
        const type = this.typeName();
        this.expect('language');
        return { ...this.makeRef(object, [this.columnName()], position), types: [type] };
      }
      case 'trigger':
      case 'rule':
      case 'policy':
      case 'constraint':
        return this.refOn(object, position);
      case 'role':
        return this.makeRef(object, [this.nonReservedWord()], position);
      case 'large object':
        return this.makeRef(object, [{ text: this.signedInteger(), position, quoted: false }], position);
      default:
        return this.makeRef(object, this.qualifiedName(), position);
    }
  }

  /** `name ON table`, and `name ON DOMAIN domain` of constraints. */
  private refOn(object: ObjectKind, position: number): ObjectRef {
    const name = [this.columnName()];
    this.expect('on');
    const domain = object === 'constraint' && this.accept('domain');
    const on = this.qualifiedName();
    return { ...this.makeRef(domain ? 'domain constraint' : object, name, position), on };
  }

  /** Types and domains may be spelled as types (`COMMENT ON TYPE int4`); the name is what is looked up. */
  private typeRef(object: ObjectKind, position: number): ObjectRef {
    const type = this.typeName();
    return { ...this.makeRef(object, type.name, position), types: [type] };
  }

  private castTypes(): TypeName[] {
    this.expect('(');
    const source = this.typeName();
    this.expect('as');
    const target = this.typeName();
    this.expect(')');
    return [source, target];
  }

  private operatorRef(position: number): ObjectRef {
    const { schema, symbol, position: at } = this.schemaOperator();
    const name: Name[] = [...schema, { text: symbol, position: at, quoted: false }];
    return { ...this.makeRef('operator', name, position), signature: this.operatorSignature() };
  }

  /** `(left, right)`, with NONE for the side that is not there. */
  private operatorSignature(): RoutineSignature {
    const { startOffset: position } = this.next();
    const parameters = this.parenthesisedList((): RoutineParameter => {
      const { startOffset: at } = this.next();
      const type = this.accept('none') ? undefined : this.typeName();
      return { mode: undefined, name: undefined, type, default: undefined, position: at };
    });
    if (parameters.length === 1) {
      const hint = 'Use NONE to denote the missing argument of a unary operator.';
      this.complain('42601', 'missing argument', this.LA(0).startOffset, hint);
    }
    if (parameters.length > 2) this.fail();
    return { parameters, star: false, directCount: -1, position };
  }

  // ------------------------------------------------------------------------------------------------- signatures

  protected routineSignature(): RoutineSignature {
    const { startOffset: position } = this.next();
    return { parameters: this.routineParameters(false), star: false, directCount: -1, position };
  }

  /** `( [mode] [name] type [DEFAULT x], ... )`. */
  protected routineParameters(defaults: boolean): RoutineParameter[] {
    this.expect('(');
    const list = this.at(')') ? [] : this.commaList(() => this.routineParameter(defaults));
    this.expect(')');
    return list;
  }

  /** `(*)`, `(types)`, `(types ORDER BY types)`. */
  protected aggregateSignature(): RoutineSignature {
    const position = this.expect('(').startOffset;
    let parameters: RoutineParameter[] = [];
    let directCount = -1;
    const star = this.accept('*');
    if (!star) {
      if (!this.at('order')) parameters = this.commaList(() => this.routineParameter(false));
      if (this.accept('order')) {
        this.expect('by');
        directCount = parameters.length;
        parameters = [...parameters, ...this.commaList(() => this.routineParameter(false))];
      }
    }
    this.expect(')');
    return { parameters, star, directCount, position };
  }

  private parameterMode(): RoutineParameter['mode'] {
    if (this.accept('in')) return this.accept('out') ? 'inout' : 'in';
    if (this.accept('out')) return 'out';
    if (this.accept('inout')) return 'inout';
    return this.accept('variadic') ? 'variadic' : undefined;
  }

  protected routineParameter(defaults: boolean): RoutineParameter {
    const position = this.position();
    let mode = this.parameterMode();
    let name: Name | undefined;
    if (this.atParameterName()) {
      name = this.makeName(this.advance());
      mode ??= this.parameterMode();
    }
    const type = this.typeName(true);
    const told = defaults && (this.accept('default') || this.accept('='));
    return { mode, name, type, default: told ? this.expression() : undefined, position };
  }

  /** True when the next word is a parameter's name, that is, when a type follows it. */
  private atParameterName(): boolean {
    if (!this.atPlace(FUNCTION_NAME)) return false;
    switch (this.ahead(2).tokenType.name) {
      case 'EOF':
      case ',':
      case ')':
      case '(':
      case '.':
      case '%':
      case '[':
      case '=':
      case ';':
      case 'array':
      case 'default':
      case 'order':
      case 'as':
      case 'cascade':
      case 'restrict':
        return false;
      case 'precision':
        return !this.at('double');
      case 'varying':
      case 'large':
        return !this.at('binary');
      default:
        return true;
    }
  }

  // ------------------------------------------------------------------------------------------------------- roles

  protected roleSpecification(): RoleSpecification {
    const token = this.next();
    const position = token.startOffset;
    const word = token.tokenType.name;
    if (word === 'current_user' || word === 'current_role' || word === 'session_user') {
      this.advance();
      const kind = word === 'session_user' ? 'session-user' : word === 'current_user' ? 'current-user' : 'current-role';
      return { kind, name: undefined, position };
    }
    if (!token.quoted && token.value === 'public') {
      this.advance();
      return { kind: 'public', name: undefined, position };
    }
    if (word === 'none' || (word === 'Identifier' && !token.quoted && token.value === 'none')) {
      return this.complain('42939', 'role name "none" is reserved', position);
    }
    return { kind: 'role', name: this.nonReservedWord(), position };
  }
  protected roleList(): RoleSpecification[] {
    return this.commaList(this.roleSpecification);
  }
}
