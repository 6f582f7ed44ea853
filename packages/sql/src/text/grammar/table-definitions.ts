/** CREATE TABLE in its forms, CREATE TABLE AS, CREATE MATERIALIZED VIEW, CREATE INDEX, CREATE VIEW. */
import type { Name, Option, QualifiedName } from '../ast-leaves.js';
import type {
  ColumnConstraint,
  ColumnDefinition,
  CreateIndex,
  CreateTable,
  CreateTableAs,
  CreateView,
  ExecutePrepared,
  LikeClause,
  LikeOption,
  PartitionBound,
  PartitionBy,
  PartitionOf,
  PeriodDefinition,
  Persistence,
  TableElement,
} from '../ast-schema.js';
import type { Expression, IndexElement } from '../ast.js';
import { COLUMN_NAME } from '../tokens.js';
import { ConstraintGrammar } from './constraints.js';

type OnCommit = 'preserve' | 'delete' | 'drop' | undefined;
/** The clauses between a table's elements and its end. */
interface TableTail {
  readonly accessMethod: Name | undefined;
  readonly options: readonly Option[];
  readonly onCommit: OnCommit;
  readonly tablespace: Name | undefined;
}

export abstract class TableDefinitionGrammar extends ConstraintGrammar {
  /** TEMPORARY, TEMP (also LOCAL, GLOBAL) or UNLOGGED, or nothing. */
  protected persistence(): Persistence {
    if (this.accept('unlogged')) return 'unlogged';
    if (this.at('local') || this.at('global')) {
      this.advance();
      if (!this.accept('temporary')) this.expect('temp');
      return 'temporary';
    }
    return this.accept('temporary') || this.accept('temp') ? 'temporary' : 'permanent';
  }

  // ------------------------------------------------------------------------------------------------------- tables

  /** CREATE [persistence] TABLE; both have been read. */
  protected createTable(persistence: Persistence, position: number): CreateTable | CreateTableAs {
    const ifNotExists = this.ifNotExists();
    const name = this.qualifiedName();
    let elements: TableElement[] = [];
    let ofType: QualifiedName | undefined;
    let partitionOf: PartitionOf | undefined;
    let inherits: readonly QualifiedName[] = [];
    if (this.accept('of')) {
      ofType = this.qualifiedName();
      elements = this.typedElements();
    } else if (this.at2('partition', 'of')) {
      const at = this.advance().startOffset;
      this.advance();
      const parent = this.qualifiedName();
      elements = this.typedElements();
      partitionOf = { parent, bound: this.partitionBound(), position: at };
    } else {
      if (!this.at('(') || this.atColumnList()) return this.createTableAs(name, persistence, ifNotExists, position);
      elements = this.tableElements();
      if (this.accept('inherits')) inherits = this.parenthesisedList(this.qualifiedName);
    }
    const partitionBy = this.at('partition') ? this.partitionBy() : undefined;
    const tail = this.tableTail();
    const systemVersioning = this.systemVersioning();
    return {
      kind: 'create-table',
      name,
      persistence,
      ifNotExists,
      elements,
      ofType,
      inherits,
      partitionOf,
      partitionBy,
      ...tail,
      systemVersioning,
      position,
    };
  }

  /** At `(`: true when only names stand inside, as in CREATE TABLE t (a, b) AS. */
  private atColumnList(): boolean {
    const follower = this.ahead(3).tokenType.name;
    return this.atPlace(COLUMN_NAME, 2) && (follower === ',' || follower === ')');
  }

  private tableElements(): TableElement[] {
    this.expect('(');
    const elements = this.at(')') ? [] : this.commaList(this.tableElement);
    this.expect(')');
    return elements;
  }

  private tableElement(): TableElement {
    if (this.at('like')) return this.likeClause();
    if (this.atTableConstraint()) return this.tableConstraint();
    if (this.atWord('period') && this.aheadIs(2, 'for')) return this.periodDefinition();
    return this.columnDefinition();
  }

  protected periodDefinition(): PeriodDefinition {
    const position = this.advance().startOffset;
    this.expect('for');
    const name = this.columnName();
    this.expect('(');
    const start = this.columnName();
    this.expect(',');
    const end = this.columnName();
    this.expect(')');
    return { kind: 'period', name, start, end, position };
  }

  protected columnDefinition(): ColumnDefinition {
    const position = this.position();
    const name = this.columnName();
    const type = this.typeName();
    let storage: Name | undefined;
    if (this.accept('storage')) storage = this.accept('default') ? this.wordBefore('default') : this.columnName();
    const compression = this.accept('compression') ? this.compressionName() : undefined;
    return { kind: 'column-definition', name, type, storage, compression, ...this.columnQualities(), position };
  }

  /** ColId or DEFAULT. */
  protected compressionName(): Name {
    return this.accept('default') ? this.wordBefore('default') : this.columnName();
  }

  /** A keyword that was just consumed, as a name. */
  private wordBefore(text: string): Name {
    return { text, position: this.LA(0).startOffset, quoted: false };
  }

  /** Constraints and COLLATE, in any order. */
  protected columnQualities(): { collation: QualifiedName | undefined; constraints: ColumnConstraint[] } {
    let collation: QualifiedName | undefined;
    const constraints: ColumnConstraint[] = [];
    for (;;) {
      const position = this.position();
      if (this.at('collate')) {
        if (collation !== undefined) this.complain('42601', 'multiple COLLATE clauses not allowed', position);
        collation = this.optionalCollation();
        continue;
      }
      const constraint = this.columnConstraint();
      if (constraint === undefined) return { collation, constraints };
      constraints.push(constraint);
    }
  }

  /** Columns of a typed table or partition: `name [WITH OPTIONS] constraints`. */
  private typedElements(): TableElement[] {
    if (!this.at('(')) return [];
    return this.parenthesisedList((): TableElement => {
      if (this.atTableConstraint()) return this.tableConstraint();
      const position = this.position();
      const name = this.columnName();
      if (this.accept('with')) this.expect('options');
      const qualities = this.columnQualities();
      const none = { type: undefined, storage: undefined, compression: undefined };
      return { kind: 'column-definition', name, ...none, ...qualities, position };
    });
  }

  private likeClause(): LikeClause {
    const position = this.advance().startOffset;
    const table = this.qualifiedName();
    const options: { include: boolean; what: LikeOption }[] = [];
    while (this.at('including') || this.at('excluding')) {
      const include = this.advance().tokenType.name === 'including';
      options.push({ include, what: this.likeOption() });
    }
    return { kind: 'like', table, options, position };
  }

  private likeOption(): LikeOption {
    const word = this.advance();
    switch (word.tokenType.name) {
      case 'all':
      case 'comments':
      case 'compression':
      case 'constraints':
      case 'defaults':
      case 'generated':
      case 'identity':
      case 'indexes':
      case 'statistics':
      case 'storage':
        return word.tokenType.name;
      default:
        return this.fail(word);
    }
  }

  private tableTail(): TableTail {
    const accessMethod = this.accept('using') ? this.columnName() : undefined;
    let options: readonly Option[] = [];
    if (this.accept2('without', 'oids')) options = [];
    else if (this.at('with') && !this.aheadIs(2, 'system')) {
      this.advance();
      options = this.storageOptions();
    }
    return { accessMethod, options, onCommit: this.onCommit(), tablespace: this.optionalTablespace() };
  }

  protected optionalTablespace(): Name | undefined {
    return this.accept('tablespace') ? this.columnName() : undefined;
  }

  private onCommit(): OnCommit {
    if (!this.accept2('on', 'commit')) return undefined;
    if (this.accept('drop')) return 'drop';
    const which = this.accept('delete') ? 'delete' : (this.expect('preserve'), 'preserve');
    this.expect('rows');
    return which as OnCommit;
  }

  private systemVersioning(): boolean {
    if (!this.at2('with', 'system') || !this.atWord('versioning', 3)) return false;
    this.advance();
    this.advance();
    this.advance();
    return true;
  }

  // --------------------------------------------------------------------------------------------------- partitions

  private partitionBy(): PartitionBy {
    const position = this.advance().startOffset;
    this.expect('by');
    const strategy = this.columnName();
    return { strategy, elements: this.parenthesisedList(this.partitionElement), position };
  }

  private partitionElement(): IndexElement {
    const element = this.indexElement();
    if (element.direction !== undefined || element.nulls !== undefined) this.fail();
    return element;
  }

  protected partitionBound(): PartitionBound {
    if (this.at('default')) return { kind: 'default', position: this.advance().startOffset };
    this.expect('for');
    this.expect('values');
    const position = this.position();
    if (this.accept('in')) return { kind: 'in', values: this.parenthesisedList(this.expression), position };
    if (this.accept('with')) return { kind: 'hash', options: this.hashBound(), position };
    this.expect('from');
    const from: Expression[] = this.parenthesisedList(this.expression);
    this.expect('to');
    return { kind: 'range', from, to: this.parenthesisedList(this.expression), position };
  }

  /** `(modulus 4, remainder 0)`. */
  private hashBound(): Option[] {
    return this.parenthesisedList((): Option => {
      const position = this.position();
      const name = this.columnName();
      const token = this.expect('Integer');
      const value = { kind: 'number' as const, text: token.value, integer: true, position: token.startOffset };
      return { namespace: undefined, name, value, position };
    });
  }

  // ------------------------------------------------------------------------------------------------ from a query

  private createTableAs(
    name: QualifiedName,
    persistence: Persistence,
    ifNotExists: boolean,
    position: number,
  ): CreateTableAs {
    const columns = this.optionalNames();
    const tail = this.tableTail();
    this.expect('as');
    return this.finishTableAs(false, name, columns, persistence, ifNotExists, tail, position);
  }

  /** CREATE MATERIALIZED VIEW; the words have been read. */
  protected createMaterializedView(persistence: Persistence, position: number): CreateTableAs {
    const ifNotExists = this.ifNotExists();
    const name = this.qualifiedName();
    const columns = this.optionalNames();
    const tail = this.tableTail();
    this.expect('as');
    return this.finishTableAs(true, name, columns, persistence, ifNotExists, tail, position);
  }

  private finishTableAs(
    materializedView: boolean,
    name: QualifiedName,
    columns: Name[],
    persistence: Persistence,
    ifNotExists: boolean,
    tail: TableTail,
    position: number,
  ): CreateTableAs {
    const execute = !materializedView && this.at('execute');
    const { value: source, span: sourceSpan } = execute ? this.span(this.executePrepared) : this.spannedQuery();
    const withData = this.withData();
    return {
      kind: 'create-table-as',
      materializedView,
      name,
      columns,
      persistence,
      ifNotExists,
      ...tail,
      source,
      sourceSpan,
      withData,
      position,
    };
  }

  /** WITH [NO] DATA; true unless NO. */
  protected withData(): boolean {
    if (this.accept2('with', 'data')) return true;
    if (!this.accept2('with', 'no')) return true;
    this.expect('data');
    return false;
  }

  protected executePrepared(): ExecutePrepared {
    const position = this.expect('execute').startOffset;
    const name = this.columnName();
    return { kind: 'execute', name, arguments: this.at('(') ? this.parenthesisedList(this.expression) : [], position };
  }

  // ------------------------------------------------------------------------------------------------ indexes, views

  /** CREATE [UNIQUE] INDEX; the words have been read. */
  protected createIndex(unique: boolean, position: number): CreateIndex {
    const concurrently = this.accept('concurrently');
    const ifNotExists = this.ifNotExists();
    const name = this.at('on') ? undefined : this.columnName();
    if (ifNotExists && name === undefined) this.fail();
    this.expect('on');
    const only = this.accept('only');
    const table = this.qualifiedName();
    if (!only) this.accept('*');
    const method = this.accept('using') ? this.indexMethod() : undefined;
    const elements = this.parenthesisedList(this.indexElement);
    const include = this.accept('include') ? this.parenthesisedList(this.columnName) : [];
    const nullsDistinct = this.nullsDistinct();
    const options = this.accept('with') ? this.storageOptions() : [];
    const tablespace = this.optionalTablespace();
    const where = this.optionalWhere();
    return {
      kind: 'create-index',
      unique,
      concurrently,
      ifNotExists,
      name,
      table,
      only,
      method,
      elements,
      include,
      nullsDistinct,
      options,
      tablespace,
      where,
      position,
    };
  }

  /** A method of indexes: `column` is one here, and a reserved word. */
  private indexMethod(): Name {
    return this.at('column') ? this.makeName(this.advance()) : this.columnName();
  }

  /** CREATE [OR REPLACE] [persistence] [RECURSIVE] VIEW; the words have been read. */
  protected createView(orReplace: boolean, persistence: Persistence, recursive: boolean, position: number): CreateView {
    const name = this.qualifiedName();
    const columns = recursive ? this.parenthesisedList(this.columnName) : this.optionalNames();
    const options = this.accept('with') ? this.storageOptions() : [];
    this.expect('as');
    const { value: query, span: querySpan } = this.spannedQuery();
    let checkOption: CreateView['checkOption'];
    if (this.accept('with')) {
      checkOption = this.accept('local') ? 'local' : 'cascaded';
      if (checkOption === 'cascaded') this.accept('cascaded');
      this.expect('check');
      this.expect('option');
    }
    return {
      kind: 'create-view',
      orReplace,
      persistence,
      recursive,
      name,
      columns,
      options,
      query,
      querySpan,
      checkOption,
      position,
    };
  }
}
