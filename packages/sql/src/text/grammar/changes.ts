/** INSERT with ON CONFLICT and MySQL's ON DUPLICATE KEY UPDATE, UPDATE, DELETE, MERGE, and RETURNING. */
import type { Name, TableAlias, TargetTable } from '../ast-leaves.js';
import type {
  Assignment,
  CommonTable,
  ConflictTarget,
  Delete,
  Expression,
  IndexElement,
  Insert,
  Merge,
  MergeAction,
  MergeBranch,
  OnConflict,
  OnDuplicateKey,
  PortionOf,
  Query,
  Returning,
  Subscript,
  TableExpression,
  TargetColumn,
  Update,
  WithClause,
} from '../ast.js';
import { QueryGrammar } from './queries.js';

export abstract class ChangeGrammar extends QueryGrammar {
  protected withStatement(): CommonTable['statement'] {
    this.enter();
    const common = this.withClause();
    const change = this.optionalChange(common);
    const statement = change ?? this.queryWith(common);
    this.leave();
    return statement;
  }

  protected dataChange(): Insert | Update | Delete | Merge {
    const statement = this.at('with') ? this.withStatement() : this.optionalChange(undefined);
    if (statement === undefined || statement.kind === 'query') this.fail();
    return statement;
  }

  private optionalChange(common: WithClause | undefined): Insert | Update | Delete | Merge | undefined {
    switch (this.next().tokenType.name) {
      case 'insert':
        return this.insert(common);
      case 'update':
        return this.update(common);
      case 'delete':
        return this.delete(common);
      case 'merge':
        return this.merging(common);
      default:
        return undefined;
    }
  }

  // ------------------------------------------------------------------------------------------------------ INSERT

  private insert(common: WithClause | undefined): Insert {
    const position = this.advance().startOffset;
    this.expect('into');
    const at = this.position();
    const name = this.qualifiedName();
    const alias = this.accept('as') ? this.columnName() : undefined;
    const table: TargetTable = { name, only: false, alias, position: at };
    const columns = this.at('(') && !this.atParenthesisedQuery() ? this.parenthesisedList(this.targetColumn) : [];
    const overriding = this.overriding();
    const source = this.accept2('default', 'values') ? undefined : this.query();
    const rowAlias = source?.body.kind === 'values' && this.accept('as') ? this.rowAlias() : undefined;
    const onConflict = this.at2('on', 'conflict') ? this.onConflict() : undefined;
    const onDuplicateKey = onConflict === undefined ? this.onDuplicateKey(rowAlias) : undefined;
    if (rowAlias !== undefined && onDuplicateKey === undefined) this.fail();
    const returning = this.optionalReturning();
    return {
      kind: 'insert',
      with: common,
      table,
      columns,
      overriding,
      source,
      onConflict,
      onDuplicateKey,
      returning,
      position,
    };
  }

  /** At `(`: true when it opens a query and not a list of columns. */
  private atParenthesisedQuery(): boolean {
    const word = this.ahead(2).tokenType.name;
    if (word === 'values') return this.aheadIs(3, '(');
    return word === '(' || word === 'select' || word === 'with' || word === 'table';
  }

  protected targetColumn(): TargetColumn {
    const position = this.position();
    const name = this.columnName();
    const path: (Name | Subscript)[] = [];
    for (;;) {
      if (this.at('[')) path.push(...this.subscripts());
      else if (this.accept('.')) path.push(this.label());
      else return { name, path, position };
    }
  }

  private overriding(): 'system' | 'user' | undefined {
    if (!this.accept('overriding')) return undefined;
    const which = this.accept('system') ? 'system' : (this.expect('user'), 'user');
    this.expect('value');
    return which as 'system' | 'user';
  }

  private rowAlias(): TableAlias {
    return { name: this.columnName(), columns: this.optionalNames() };
  }

  private onConflict(): OnConflict {
    const position = this.advance().startOffset;
    this.advance();
    const target = this.conflictTarget();
    this.expect('do');
    if (this.accept('nothing')) return { target, action: 'nothing', assignments: [], where: undefined, position };
    this.expect('update');
    this.expect('set');
    const assignments = this.commaList(this.assignment);
    return { target, action: 'update', assignments, where: this.optionalWhere(), position };
  }

  private conflictTarget(): ConflictTarget | undefined {
    const position = this.position();
    if (this.accept2('on', 'constraint')) return { kind: 'constraint', name: this.columnName(), position };
    if (!this.at('(')) return undefined;
    const elements = this.parenthesisedList(this.indexElement);
    return { kind: 'columns', elements, where: this.optionalWhere(), position };
  }

  private onDuplicateKey(rowAlias: TableAlias | undefined): OnDuplicateKey | undefined {
    if (!this.at('on') || !this.atWord('duplicate', 2)) return undefined;
    const position = this.advance().startOffset;
    this.advance();
    this.expect('key');
    this.expect('update');
    this.insertedValues = true;
    const assignments = this.commaList(this.assignment);
    this.insertedValues = false;
    return { rowAlias, assignments, position };
  }

  /** An index key: a column, a call or an expression in parentheses, with its collation, class and order. */
  protected indexElement(): IndexElement {
    const position = this.position();
    const value = this.at('(') ? this.parenthesised(this.expression) : this.indexColumn();
    const collation = this.optionalCollation();
    let operatorClass: IndexElement['operatorClass'];
    if (this.atColumnName() && !this.at('nulls')) operatorClass = this.qualifiedName();
    const operatorClassOptions = operatorClass !== undefined && this.at('(') ? this.storageOptions() : [];
    const direction = this.direction();
    return { value, collation, operatorClass, operatorClassOptions, direction, nulls: this.nullsOrder(), position };
  }

  /** A column, or a call without OVER. */
  private indexColumn(): Expression {
    if (this.atFunction()) return this.tableCall();
    const name = this.columnName();
    return { kind: 'column', names: [name], position: name.position };
  }

  // ---------------------------------------------------------------------------------------- parts of all of them

  protected optionalWhere(): Expression | undefined {
    return this.accept('where') ? this.expression() : undefined;
  }

  private optionalReturning(): Returning | undefined {
    if (!this.at('returning')) return undefined;
    const position = this.advance().startOffset;
    let oldAlias: Name | undefined;
    let newAlias: Name | undefined;
    if (this.accept2('with', '(')) {
      do {
        const old = this.accept('old');
        if (!old) this.expect('new');
        this.expect('as');
        if (old) oldAlias = this.columnName();
        else newAlias = this.columnName();
      } while (this.accept(','));
      this.expect(')');
    }
    return { oldAlias, newAlias, items: this.commaList(this.selectItem), position };
  }

  protected assignment(): Assignment {
    const position = this.position();
    if (!this.at('(')) {
      const target = this.targetColumn();
      this.expect('=');
      return { targets: [target], multiple: false, value: this.expression(), position };
    }
    const targets = this.parenthesisedList(this.targetColumn);
    this.expect('=');
    return { targets, multiple: true, value: this.expression(), position };
  }

  /** relation_expr_opt_alias: SET is an alias only behind AS. */
  private targetTable(): TargetTable {
    const { startOffset: position } = this.next();
    const only = this.accept('only');
    const name = only && this.at('(') ? this.parenthesised(this.qualifiedName) : this.qualifiedName();
    if (!only) this.accept('*');
    const named = this.accept('as') || (!this.at('set') && this.atColumnName());
    return { name, only, alias: named ? this.columnName() : undefined, position };
  }

  /** WHERE condition, or WHERE CURRENT OF cursor. */
  private whereOrCurrent(): Expression | undefined {
    if (!this.accept('where')) return undefined;
    const position = this.position();
    if (!this.accept2('current', 'of')) return this.expression();
    return { kind: 'current-of', cursor: this.columnName(), position };
  }

  private portionOf(): PortionOf | undefined {
    if (!this.at('for') || !this.atWord('portion', 2)) return undefined;
    const position = this.advance().startOffset;
    this.advance();
    this.expect('of');
    const period = this.columnName();
    this.expect('from');
    const from = this.simpleExpression();
    this.expect('to');
    return { period, from, to: this.simpleExpression(), position };
  }

  // ---------------------------------------------------------------------------------------------- UPDATE, DELETE

  private update(common: WithClause | undefined): Update {
    const position = this.advance().startOffset;
    const { table, portion } = this.changedTarget();
    this.expect('set');
    const assignments = this.commaList(this.assignment);
    const from: TableExpression[] = this.accept('from') ? this.commaList(this.tableExpression) : [];
    const where = this.whereOrCurrent();
    const returning = this.optionalReturning();
    return { kind: 'update', with: common, table, portion, assignments, from, where, returning, position };
  }

  private delete(common: WithClause | undefined): Delete {
    const position = this.advance().startOffset;
    this.expect('from');
    const { table, portion } = this.changedTarget();
    const using: TableExpression[] = this.accept('using') ? this.commaList(this.tableExpression) : [];
    const where = this.whereOrCurrent();
    return {
      kind: 'delete',
      with: common,
      table,
      portion,
      using,
      where,
      returning: this.optionalReturning(),
      position,
    };
  }

  /** A target with FOR PORTION OF, which stands before the alias. */
  private changedTarget(): { table: TargetTable; portion: PortionOf | undefined } {
    const table = this.targetTable();
    const portion = this.portionOf();
    if (portion === undefined || table.alias !== undefined) return { table, portion };
    const named = this.accept('as') || (!this.at('set') && this.atColumnName());
    return { table: { ...table, alias: named ? this.columnName() : undefined }, portion };
  }

  // ------------------------------------------------------------------------------------------------------- MERGE

  private merging(common: WithClause | undefined): Merge {
    const position = this.advance().startOffset;
    this.expect('into');
    const target = this.targetTable();
    this.expect('using');
    const source = this.tableExpression();
    this.expect('on');
    const on = this.expression();
    const branches: MergeBranch[] = [];
    do branches.push(this.mergeBranch());
    while (this.at('when'));
    return { kind: 'merge', with: common, target, source, on, branches, returning: this.optionalReturning(), position };
  }

  private mergeBranch(): MergeBranch {
    const position = this.expect('when').startOffset;
    let match: MergeBranch['match'] = this.accept('not') ? 'not-matched' : 'matched';
    this.expect('matched');
    if (match === 'not-matched' && this.accept('by')) {
      if (this.acceptWord('source')) match = 'not-matched-by-source';
      else this.expectWord('target');
    }
    const condition = this.accept('and') ? this.expression() : undefined;
    this.expect('then');
    return { match, condition, action: this.mergeAction(match), position };
  }

  private mergeAction(match: MergeBranch['match']): MergeAction {
    const position = this.position();
    if (this.accept('do')) {
      this.expect('nothing');
      return { kind: 'nothing', position };
    }
    if (match === 'not-matched') return this.mergeInsert(position);
    if (this.accept('delete')) return { kind: 'delete', position };
    this.expect('update');
    this.expect('set');
    return { kind: 'update', assignments: this.commaList(this.assignment), position };
  }

  private mergeInsert(position: number): MergeAction {
    this.expect('insert');
    const columns = this.at('(') ? this.parenthesisedList(this.targetColumn) : [];
    const overriding = this.overriding();
    if (columns.length === 0 && overriding === undefined && this.accept2('default', 'values')) {
      return { kind: 'insert', columns, overriding, values: undefined, position };
    }
    this.expect('values');
    return { kind: 'insert', columns, overriding, values: this.parenthesisedList(this.expression), position };
  }

  /** A query or a data change as COPY, EXPLAIN and PREPARE have it. */
  protected atQueryOrChange(): boolean {
    switch (this.next().tokenType.name) {
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
      case '(':
      case 'values':
        return true;
      default:
        return this.atQuery();
    }
  }

  protected span<T>(read: (this: this) => T): { value: T; span: { start: number; end: number } } {
    const start = this.position();
    const value = read.call(this);
    return { value, span: { start, end: this.lastEnd() } };
  }

  /** The query of a view or of CREATE TABLE AS, with the place of its text. */
  protected spannedQuery(): { value: Query; span: { start: number; end: number } } {
    return this.span(this.query);
  }
}
