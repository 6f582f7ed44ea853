/**
 * The FROM clause: tables, subqueries, functions and joins.
 *
 * As with expressions, a parenthesis may hold a query or a join, and only its inside tells. A join that wants ON or USING
 * first takes the joins behind its right side: in `a JOIN b JOIN c ON x ON y` the condition y belongs to the first.
 */
import type { FieldDefinition, JoinUsing, Name, QualifiedName, TableAlias } from '../ast-leaves.js';
import type {
  ChangedTable,
  DerivedTable,
  Expression,
  FunctionTable,
  Join,
  Query,
  SystemTime,
  TableExpression,
  TableFunction,
  TableRef,
  TableSample,
} from '../ast.js';
import { COLUMN_NAME, FUNCTION_NAME, ROUTINE_WORD } from '../tokens.js';
import { ExpressionGrammar } from './expressions.js';
import { CHAIN_MAX } from './token-reader.js';

export abstract class TableGrammar extends ExpressionGrammar {
  /** INSERT, UPDATE, DELETE or MERGE. */
  protected abstract dataChange(): ChangedTable['statement'];

  protected tableExpression(): TableExpression {
    this.enter();
    let table = this.tablePrimary();
    for (let chain = 0; ; chain++) {
      const joined = this.join(table);
      if (joined === undefined) break;
      if (chain > CHAIN_MAX) this.tooComplex(`A chain of joins may have ${CHAIN_MAX} links.`);
      table = joined;
    }
    this.leave();
    return table;
  }

  // ------------------------------------------------------------------------------------------------------- joins

  /** One join behind `left`, with its condition; undefined when no join follows. */
  private join(left: TableExpression): TableExpression | undefined {
    const { startOffset: position } = this.next();
    if (this.accept('cross')) {
      this.expect('join');
      return this.makeJoin('cross', false, left, this.tablePrimary(), undefined, undefined, position);
    }
    const natural = this.accept('natural');
    const type = this.joinType();
    if (type === undefined) {
      if (natural) this.fail();
      return undefined;
    }
    if (natural) return this.makeJoin(type, true, left, this.tablePrimary(), undefined, undefined, position);
    this.enter();
    let right = this.tablePrimary();
    while (!this.at('on') && !this.at('using')) {
      const further = this.join(right);
      if (further === undefined) this.fail();
      right = further;
    }
    this.leave();
    if (this.accept('on')) return this.makeJoin(type, false, left, right, this.expression(), undefined, position);
    return this.makeJoin(type, false, left, right, undefined, this.joinUsing(), position);
  }

  private joinType(): Join['type'] | undefined {
    let type: Join['type'] = 'inner';
    if (this.accept('join')) return type;
    if (this.accept('left')) type = 'left';
    else if (this.accept('right')) type = 'right';
    else if (this.accept('full')) type = 'full';
    else if (!this.accept('inner')) return undefined;
    if (type !== 'inner') this.accept('outer');
    this.expect('join');
    return type;
  }

  private joinUsing(): JoinUsing {
    const position = this.expect('using').startOffset;
    const columns = this.parenthesisedList(this.columnName);
    return { columns, alias: this.accept('as') ? this.columnName() : undefined, position };
  }

  private makeJoin(
    type: Join['type'],
    natural: boolean,
    left: TableExpression,
    right: TableExpression,
    on: Expression | undefined,
    using: JoinUsing | undefined,
    position: number,
  ): Join {
    return { kind: 'join', type, natural, left, right, on, using, alias: undefined, position };
  }

  // ---------------------------------------------------------------------------------------------------- primaries

  private tablePrimary(): TableExpression {
    const token = this.next();
    const position = token.startOffset;
    switch (token.tokenType.name) {
      case 'Identifier':
        if (token.quoted) break;
        if (token.value === 'json_table' && this.aheadIs(2, '(')) return this.jsonTablePrimary(false);
        if (token.value === 'final' && this.aheadIs(2, 'table')) return this.changedTable('final');
        break;
      case '(':
        return this.parenTable();
      case 'xmltable':
        if (this.aheadIs(2, '(')) return this.xmlTablePrimary(false);
        break;
      case 'only':
        return this.tableRef(position);
      case 'lateral':
        return this.lateralTable(position);
      case 'new':
      case 'old':
        if (this.aheadIs(2, 'table')) return this.changedTable(token.tokenType.name);
        break;
      case 'rows':
        if (this.aheadIs(2, 'from')) return this.functionTable(false, position);
        break;
      default:
        break;
    }
    return this.atFunction() ? this.functionTable(false, position) : this.tableRef(position);
  }

  /** True when the next tokens are a call and not the name of a table. */
  protected atFunction(): boolean {
    if (!this.atPlace(COLUMN_NAME)) return true;
    for (let count = 2; ; count += 2) {
      // Names of more than two parts are found by LA, which knows the end of the text.
      const follower = this.LA(count).tokenType.name;
      if (follower === '(') return true;
      if (follower !== '.') return false;
    }
  }

  private tableRef(position: number): TableRef {
    const only = this.accept('only');
    let name: QualifiedName;
    if (only && this.at('(')) name = this.parenthesised(this.qualifiedName);
    else {
      name = this.qualifiedName();
      if (!only) this.accept('*');
    }
    const systemTime = this.systemTime();
    const alias = this.optionalAlias();
    return { kind: 'table', name, only, alias, sample: this.tableSample(), systemTime, position };
  }

  private systemTime(): SystemTime | undefined {
    if (!this.at('for') || !this.atWord('system_time', 2)) return undefined;
    const position = this.advance().startOffset;
    this.advance();
    if (this.accept2('as', 'of')) return { kind: 'as-of', from: this.simpleExpression(), to: undefined, position };
    if (this.accept('from')) {
      const from = this.simpleExpression();
      this.expect('to');
      return { kind: 'from-to', from, to: this.simpleExpression(), position };
    }
    this.expect('between');
    const from = this.simpleExpression();
    this.expect('and');
    return { kind: 'between', from, to: this.simpleExpression(), position };
  }

  private tableSample(): TableSample | undefined {
    if (!this.at('tablesample')) return undefined;
    const position = this.advance().startOffset;
    const method = this.functionName();
    const list = this.parenthesisedList(this.expression);
    const repeatable = this.accept('repeatable') ? this.parenthesised(this.expression) : undefined;
    return { method, arguments: list, repeatable, position };
  }

  /** func_name. */
  protected functionName(): QualifiedName {
    if (!this.atPlace(ROUTINE_WORD)) this.fail();
    const first = this.next();
    const names = [this.makeName(this.advance())];
    while (this.accept('.')) names.push(this.label());
    const category = names.length === 1 ? FUNCTION_NAME : COLUMN_NAME;
    if (!this.mayStand(first, category)) this.fail(names.length === 1 ? this.next() : first);
    return names;
  }

  protected optionalAlias(): TableAlias | undefined {
    if (!this.accept('as') && !this.atColumnName()) return undefined;
    return { name: this.columnName(), columns: this.optionalNames() };
  }

  private changedTable(which: ChangedTable['which']): ChangedTable {
    const position = this.advance().startOffset;
    this.advance();
    const statement = this.parenthesised(this.dataChange);
    return { kind: 'changed-table', which, statement, alias: this.optionalAlias(), position };
  }

  private jsonTablePrimary(lateral: boolean): TableExpression {
    const position = this.advance().startOffset;
    const table = this.jsonTable(lateral, position);
    return { ...table, alias: this.optionalAlias() };
  }

  private xmlTablePrimary(lateral: boolean): TableExpression {
    const table = this.xmlTable(lateral);
    return { ...table, alias: this.optionalAlias() };
  }

  private lateralTable(position: number): TableExpression {
    this.advance();
    if (this.at('(')) return this.derived(this.parenQuery(), true, position);
    if (this.atWord('json_table') && this.aheadIs(2, '(')) return this.jsonTablePrimary(true);
    if (this.at2('xmltable', '(')) return this.xmlTablePrimary(true);
    return this.functionTable(true, position);
  }

  // ------------------------------------------------------------------------------------------------- parentheses

  private parenTable(): TableExpression {
    const position = this.position();
    const content = this.parenTableContent();
    if (content.kind === 'query') return this.derived(content, false, position);
    const alias = this.optionalAlias();
    return alias === undefined ? content : { ...content, alias };
  }

  /** `( query )` or `( joined tables )`. */
  private parenTableContent(): Query | Join {
    this.enter();
    this.expect('(');
    let content: Query | TableExpression;
    if (this.atQuery()) content = this.query();
    else if (this.at('(')) content = this.nestedTableContent();
    else content = this.tableExpression();
    // Parentheses around a single table are no table of PostgreSQL's.
    if (content.kind !== 'query' && content.kind !== 'join') this.fail();
    this.expect(')');
    this.leave();
    return content;
  }

  private nestedTableContent(): Query | TableExpression {
    const position = this.position();
    const inner = this.parenTableContent();
    if (inner.kind === 'query') {
      if (this.at(')')) return inner;
      if (this.atQueryTail()) return this.queryAfter(inner);
    }
    let table: TableExpression;
    if (inner.kind === 'query') table = this.derived(inner, false, position);
    else {
      const alias = this.optionalAlias();
      table = alias === undefined ? inner : { ...inner, alias };
    }
    for (;;) {
      const joined = this.join(table);
      if (joined === undefined) return table;
      table = joined;
    }
  }

  private derived(query: Query, lateral: boolean, position: number): DerivedTable {
    const alias = this.optionalAlias();
    if (alias === undefined) {
      const what = query.body.kind === 'values' ? 'VALUES' : 'subquery';
      const example = query.body.kind === 'values' ? 'VALUES ...' : 'SELECT ...';
      this.complain(
        '42601',
        `${what} in FROM must have an alias`,
        position,
        `For example, FROM (${example}) [AS] foo.`,
      );
    }
    return { kind: 'derived', query, lateral, alias, position };
  }

  // --------------------------------------------------------------------------------------------------- functions

  private functionTable(lateral: boolean, position: number): FunctionTable {
    const rowsFrom = this.at2('rows', 'from');
    const functions = rowsFrom ? this.rowsFrom() : [{ call: this.tableCall(), definitions: [], position }];
    const ordinality = this.accept2('with', 'ordinality');
    let alias: TableAlias | undefined;
    let definitions: FieldDefinition[] = [];
    const as = this.accept('as');
    if (as && this.at('(')) definitions = this.fieldDefinitions();
    else if (as || this.atColumnName()) {
      const name = this.columnName();
      if (this.at('(') && this.atDefinitions()) {
        alias = { name, columns: [] };
        definitions = this.fieldDefinitions();
      } else alias = { name, columns: this.optionalNames() };
    }
    return { kind: 'function-table', rowsFrom, functions, ordinality, lateral, alias, definitions, position };
  }

  /** At `(`: true when a type follows the first name. */
  private atDefinitions(): boolean {
    return !this.aheadIs(3, ',') && !this.aheadIs(3, ')');
  }

  private rowsFrom(): TableFunction[] {
    this.advance();
    this.advance();
    return this.parenthesisedList(() => {
      const position = this.position();
      const call = this.tableCall();
      return { call, definitions: this.accept('as') ? this.fieldDefinitions() : [], position };
    });
  }

  /** func_expr_windowless. */
  protected tableCall(): Expression {
    const position = this.position();
    const special = this.currentValue() ?? (this.aheadIs(2, '(') ? this.specialCall() : undefined);
    if (special !== undefined) return special;
    if (this.at('cast')) return this.castCall();
    if (this.at('collation') && this.aheadIs(2, 'for')) return this.collationFor(position);
    const name: Name[] = [...this.functionName()];
    if (!this.at('(')) this.fail();
    return this.call(name, position, true);
  }

  /** `( name type [COLLATE c], ... )`. */
  protected fieldDefinitions(): FieldDefinition[] {
    return this.parenthesisedList(this.fieldDefinition);
  }
  protected fieldDefinition(): FieldDefinition {
    const { startOffset: position } = this.next();
    const name = this.columnName();
    return { name, type: this.typeName(), collation: this.optionalCollation(), position };
  }
  protected optionalCollation(): QualifiedName | undefined {
    return this.accept('collate') ? this.qualifiedName() : undefined;
  }
}
