/**
 * Queries: WITH, SELECT, VALUES, TABLE, set operations, ORDER BY, LIMIT and row locks.
 *
 * Clauses behind a parenthesised query belong to that query (PostgreSQL has them so: in
 * `(select ... limit 2) order by x` the rows are sorted first), unless it is a part of a set operation.
 */
import type { Corresponding, Name, QualifiedName, SearchClause } from '../ast-leaves.js';
import type { IntoClause, LockingClause } from '../ast-leaves.js';
import type {
  CommonTable,
  CycleClause,
  Expression,
  GroupBy,
  GroupingElement,
  LimitClause,
  Query,
  QueryBody,
  Select,
  SelectItem,
  SetBranch,
  SortItem,
  TableExpression,
  Values,
  ValuesRow,
  WindowDefinition,
  WithClause,
} from '../ast.js';
import { BARE_LABEL } from '../tokens.js';
import { TableGrammar } from './tables.js';

/** The clauses behind a query's body. */
interface Tail {
  readonly orderBy: readonly SortItem[];
  readonly limit: LimitClause | undefined;
  readonly limited: boolean;
  readonly offset: Expression | undefined;
  readonly locking: readonly LockingClause[];
}

export abstract class QueryGrammar extends TableGrammar {
  query(): Query {
    this.enter();
    const position = this.position();
    const common = this.at('with') ? this.withClause() : undefined;
    const query = this.queryRest(common, this.setOperations(this.intersections(this.queryPrimary())), position);
    this.leave();
    return query;
  }

  /** A query whose WITH clause has been read. */
  protected queryWith(common: WithClause): Query {
    const body = this.setOperations(this.intersections(this.queryPrimary()));
    return this.queryRest(common, body, common.position);
  }

  protected queryAfter(first: Query): Query {
    return this.queryRest(undefined, this.setOperations(this.intersections(first)), first.position);
  }

  // --------------------------------------------------------------------------------------------- bodies and tails

  private queryPrimary(): QueryBody {
    switch (this.next().tokenType.name) {
      case 'select':
        return this.select();
      case 'values':
        return this.values();
      case 'table':
        return this.tableQuery();
      case '(':
        return this.parenQuery();
      default:
        this.wanted('a query');
        return this.fail();
    }
  }

  private intersections(first: QueryBody): QueryBody {
    if (!this.at('intersect')) return first;
    const rest: SetBranch[] = [];
    while (this.at('intersect')) {
      const position = this.advance().startOffset;
      const all = this.setQuantifier();
      const corresponding = this.corresponding();
      rest.push({ operator: 'intersect', all, corresponding, body: this.queryPrimary(), position });
    }
    return { kind: 'set-operation', first, rest, position: first.position };
  }

  private setOperations(first: QueryBody): QueryBody {
    const rest: SetBranch[] = [];
    while (this.at('union') || this.at('except')) {
      const { startOffset: position, tokenType } = this.advance();
      const all = this.setQuantifier();
      const corresponding = this.corresponding();
      const body = this.intersections(this.queryPrimary());
      rest.push({ operator: tokenType.name as SetBranch['operator'], all, corresponding, body, position });
    }
    return rest.length === 0 ? first : { kind: 'set-operation', first, rest, position: first.position };
  }

  private corresponding(): Corresponding | undefined {
    const position = this.position();
    if (!this.acceptWord('corresponding')) return undefined;
    return { by: this.accept('by') ? this.parenthesisedList(this.columnName) : [], position };
  }

  private setQuantifier(): boolean {
    if (this.accept('all')) return true;
    this.accept('distinct');
    return false;
  }

  private queryRest(common: WithClause | undefined, body: QueryBody, position: number): Query {
    const tail = this.tail();
    if (body.kind === 'query') return this.merge(common, body, tail);
    const { orderBy, limit, offset, locking } = tail;
    return { kind: 'query', with: common, body, orderBy, limit, offset, locking, position };
  }

  /** Clauses behind a query in parentheses become its own; none may come twice. */
  private merge(common: WithClause | undefined, query: Query, tail: Tail): Query {
    const twice = (clause: string, position: number): never =>
      this.complain('42601', `multiple ${clause} clauses not allowed`, position);
    const { orderBy, limit, offset, locking } = tail;
    if (common === undefined && orderBy.length === 0 && !tail.limited && offset === undefined && locking.length === 0) {
      return query;
    }
    const sort = orderBy[0];
    if (sort !== undefined && query.orderBy.length > 0) twice('ORDER BY', sort.position);
    if (offset !== undefined && query.offset !== undefined) twice('OFFSET', offset.position);
    if (limit !== undefined && query.limit !== undefined) twice('LIMIT', limit.count.position);
    if (common !== undefined && query.with !== undefined) twice('WITH', common.position);
    return {
      kind: 'query',
      with: common ?? query.with,
      body: query.body,
      orderBy: sort === undefined ? query.orderBy : orderBy,
      limit: limit ?? query.limit,
      offset: offset ?? query.offset,
      locking: [...query.locking, ...locking],
      position: query.position,
    };
  }

  private tail(): Tail {
    const orderBy = this.optionalOrderBy();
    let limit: LimitClause | undefined;
    let limited = false;
    let offset: Expression | undefined;
    const locking: LockingClause[] = [];
    for (;;) {
      if (!limited && (this.at('limit') || this.at('fetch'))) {
        limited = true;
        limit = this.limit();
      } else if (offset === undefined && this.at('offset')) offset = this.offset();
      else if (locking.length === 0 && this.at('for')) this.locking(locking);
      else return this.checkTies({ orderBy, limit, limited, offset, locking });
    }
  }

  private checkTies(tail: Tail): Tail {
    if (tail.limit?.withTies !== true) return tail;
    if (tail.orderBy.length === 0) {
      this.complain('42601', 'WITH TIES cannot be specified without ORDER BY clause', tail.limit.position);
    }
    const skip = tail.locking.find((clause) => clause.wait === 'skip-locked');
    if (skip !== undefined) {
      this.complain('42601', 'SKIP LOCKED and WITH TIES options cannot be used together', skip.position);
    }
    return tail;
  }

  private limit(): LimitClause | undefined {
    const token = this.advance();
    const position = token.startOffset;
    if (token.tokenType.name === 'limit') {
      if (this.accept('all')) return undefined;
      const count = this.expression();
      if (this.at(',')) {
        const hint = 'Use separate LIMIT and OFFSET clauses.';
        this.complain('42601', 'LIMIT #,# syntax is not supported', position, hint);
      }
      return { count, withTies: false, percent: false, position };
    }
    if (!this.accept('first')) this.expect('next');
    const one: Expression = { kind: 'number', text: '1', integer: true, position };
    const count = this.at('row') || this.at('rows') ? one : this.fetchCount();
    const percent = this.acceptWord('percent');
    if (!this.accept('row')) this.expect('rows');
    if (this.accept('only')) return { count, withTies: false, percent, position };
    this.expect('with');
    this.expect('ties');
    return { count, withTies: true, percent, position };
  }

  /** select_fetch_first_value: a primary or a signed number. */
  private fetchCount(): Expression {
    const position = this.position();
    if (!this.at('+') && !this.at('-')) return this.primary();
    const symbol = this.advance().tokenType.name;
    if (!this.at('Integer') && !this.at('Decimal')) this.fail();
    return { kind: 'unary', operator: { schema: [], symbol, position }, operand: this.primary(), position };
  }

  private offset(): Expression {
    this.advance();
    const value = this.expression();
    if (!this.accept('row')) this.accept('rows');
    return value;
  }

  private locking(list: LockingClause[]): void {
    if (this.aheadIs(2, 'read')) {
      this.advance();
      this.advance();
      this.expect('only');
      return;
    }
    while (this.at('for')) {
      const position = this.advance().startOffset;
      const strength = this.lockStrength();
      const of: readonly QualifiedName[] = this.accept('of') ? this.qualifiedNames() : [];
      let wait: LockingClause['wait'] = 'block';
      if (this.accept('nowait')) wait = 'nowait';
      else if (this.accept('skip')) {
        this.expect('locked');
        wait = 'skip-locked';
      }
      list.push({ strength, of, wait, position });
    }
  }

  private lockStrength(): LockingClause['strength'] {
    if (this.accept('update')) return 'update';
    if (this.accept('share')) return 'share';
    if (this.accept('no')) {
      this.expect('key');
      this.expect('update');
      return 'no-key-update';
    }
    this.expect('key');
    this.expect('share');
    return 'key-share';
  }

  // -------------------------------------------------------------------------------------------------------- WITH

  protected withClause(): WithClause {
    const position = this.expect('with').startOffset;
    const recursive = this.accept('recursive');
    return { recursive, tables: this.commaList(this.commonTable), position };
  }

  private commonTable(): CommonTable {
    const position = this.position();
    const name = this.columnName();
    const columns = this.optionalNames();
    this.expect('as');
    let materialized: boolean | undefined;
    if (this.at2('not', 'materialized')) {
      this.accept2('not', 'materialized');
      materialized = false;
    } else if (this.accept('materialized')) materialized = true;
    const statement = this.parenthesised(this.queryOrChange);
    return { name, columns, materialized, statement, search: this.search(), cycle: this.cycle(), position };
  }

  /** A query or a data change, each perhaps with its own WITH. */
  protected queryOrChange(): CommonTable['statement'] {
    switch (this.next().tokenType.name) {
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return this.dataChange();
      case 'with':
        return this.withStatement();
      default:
        return this.query();
    }
  }

  /** WITH and what follows it. */
  protected abstract withStatement(): CommonTable['statement'];

  private search(): SearchClause | undefined {
    if (!this.at('search')) return undefined;
    const position = this.advance().startOffset;
    const order = this.accept('depth') ? 'depth' : (this.expect('breadth'), 'breadth');
    this.expect('first');
    this.expect('by');
    const by = this.commaList(this.columnName);
    this.expect('set');
    return { order: order as SearchClause['order'], by, set: this.columnName(), position };
  }

  private cycle(): CycleClause | undefined {
    if (!this.at('cycle')) return undefined;
    const position = this.advance().startOffset;
    const columns = this.commaList(this.columnName);
    this.expect('set');
    const set = this.columnName();
    let to: Expression | undefined;
    let otherwise: Expression | undefined;
    if (this.accept('to')) {
      to = this.primary();
      this.expect('default');
      otherwise = this.primary();
    }
    this.expect('using');
    return { columns, set, to, default: otherwise, using: this.columnName(), position };
  }

  // ------------------------------------------------------------------------------------------------------ SELECT

  private values(): Values {
    const position = this.advance().startOffset;
    return { kind: 'values', rows: this.commaList(this.valuesRow), position };
  }
  private valuesRow(): ValuesRow {
    const position = this.position();
    return { values: this.parenthesisedList(this.expression), position };
  }

  /** TABLE t is SELECT * FROM t. */
  private tableQuery(): Select {
    const position = this.advance().startOffset;
    const at = this.position();
    const only = this.accept('only');
    const name = only && this.at('(') ? this.parenthesised(this.qualifiedName) : this.qualifiedName();
    if (!only) this.accept('*');
    const table = { kind: 'table' as const, name, only, alias: undefined, sample: undefined, systemTime: undefined };
    return {
      kind: 'select',
      distinct: undefined,
      items: [{ value: { kind: 'star', qualifier: [], position }, alias: undefined, columnAliases: [], position }],
      into: undefined,
      from: [{ ...table, position: at }],
      where: undefined,
      groupBy: undefined,
      having: undefined,
      windows: [],
      position,
    };
  }

  private select(): Select {
    const position = this.advance().startOffset;
    let distinct: Select['distinct'];
    if (this.accept('distinct')) {
      distinct = { on: this.accept('on') ? this.parenthesisedList(this.expression) : [] };
    } else this.accept('all');
    const items = distinct === undefined && this.atSelectClause() ? [] : this.commaList(this.selectItem);
    const into = this.accept('into') ? this.intoClause() : undefined;
    const from: TableExpression[] = this.accept('from') ? this.commaList(this.tableExpression) : [];
    const where = this.accept('where') ? this.expression() : undefined;
    const groupBy = this.at('group') ? this.groupBy() : undefined;
    const having = this.accept('having') ? this.expression() : undefined;
    const windows = this.accept('window') ? this.commaList(this.windowDefinition) : [];
    return { kind: 'select', distinct, items, into, from, where, groupBy, having, windows, position };
  }

  /** True where the select list has ended before it began. */
  private atSelectClause(): boolean {
    switch (this.next().tokenType.name) {
      case 'EOF':
      case ';':
      case ')':
      case 'into':
      case 'from':
      case 'where':
      case 'group':
      case 'having':
      case 'window':
        return true;
      default:
        return this.atQueryTail();
    }
  }

  /** An item of a select list or of RETURNING. */
  protected selectItem(): SelectItem {
    const position = this.position();
    if (this.at('*')) {
      this.advance();
      return { value: { kind: 'star', qualifier: [], position }, alias: undefined, columnAliases: [], position };
    }
    const value = this.expression();
    let alias: Name | undefined;
    if (value.kind === 'star' && this.at2('as', '(')) {
      this.advance();
      return { value, alias, columnAliases: this.optionalNames(), position };
    }
    if (this.accept('as')) alias = this.label();
    else if (this.atPlace(BARE_LABEL)) alias = this.makeName(this.advance());
    return { value, alias, columnAliases: [], position };
  }

  private intoClause(): IntoClause {
    const { startOffset: position } = this.next();
    let persistence: IntoClause['persistence'] = 'permanent';
    if (!this.accept('local')) this.accept('global');
    if (this.accept('temporary') || this.accept('temp')) persistence = 'temporary';
    else if (this.accept('unlogged')) persistence = 'unlogged';
    this.accept('table');
    return { persistence, table: this.qualifiedName(), position };
  }

  private windowDefinition(): WindowDefinition {
    const name = this.columnName();
    this.expect('as');
    return { name, window: this.windowSpecification() };
  }

  // ---------------------------------------------------------------------------------------------------- GROUP BY

  private groupBy(): GroupBy {
    const position = this.advance().startOffset;
    this.expect('by');
    const distinct = this.accept('distinct');
    if (!distinct) this.accept('all');
    return { distinct, elements: this.commaList(this.groupingElement), position };
  }

  private groupingElement(): GroupingElement {
    const position = this.position();
    if (this.accept2('(', ')')) return { kind: 'empty', position };
    if (this.at2('grouping', 'sets')) {
      this.accept2('grouping', 'sets');
      return { kind: 'sets', elements: this.groupingElements(), position };
    }
    if (this.at2('rollup', '(') || this.at2('cube', '(')) {
      const kind = this.advance().tokenType.name as 'rollup' | 'cube';
      return { kind, elements: this.groupingElements(), position };
    }
    return { kind: 'expression', value: this.expression() };
  }

  private groupingElements(): GroupingElement[] {
    this.enter();
    const elements = this.parenthesisedList(this.groupingElement);
    this.leave();
    return elements;
  }
}
