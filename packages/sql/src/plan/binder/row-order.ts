/** What follows a select list: the order of the rows, DISTINCT ON, and how many of them are wanted. */
import type { Binder } from '../../expr/binder.js';
import { bindCount } from '../../expr/bind-special.js';
import type { ColumnId, Expression, SortKey } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import { equalExpressions } from '../../expr/walk.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode } from '../logical/logical.js';
import { partOfRows } from './fetch-percent.js';

/** ORDER BY, and DISTINCT ON with it. */
export function sortedRows(
  binder: Binder,
  select: Ast.Select,
  input: LogicalNode,
  order: readonly SortKey[],
  on: readonly Expression[],
): LogicalNode {
  const { columns } = input;
  if (on.length > 0) {
    const keys = distinctOnOrder(binder, on, order, select);
    return { kind: 'distinct', input: { kind: 'sort', input, keys, columns }, on, columns };
  }
  return order.length > 0 ? { kind: 'sort', input, keys: order, columns } : input;
}

/** DISTINCT ON's keys first, in the directions ORDER BY gives them; 42P10 when ORDER BY begins otherwise. */
function distinctOnOrder(
  binder: Binder,
  on: readonly Expression[],
  order: readonly SortKey[],
  select: Ast.Select,
): SortKey[] {
  const keys: SortKey[] = [...order];
  const isOn = (expression: Expression): boolean => on.some((other) => equalExpressions(other, expression));
  const leading = new Set<Expression>();
  let outside = false;
  for (const key of order) {
    if (isOn(key.expression)) {
      if (outside && !on.every((e) => order.slice(0, leading.size).some((k) => equalExpressions(k.expression, e)))) {
        throw mismatch(binder, select);
      }
      leading.add(key.expression);
    } else {
      outside = true;
      if (!on.every((e) => [...leading].some((l) => equalExpressions(l, e)))) throw mismatch(binder, select);
    }
  }
  for (const expression of on) {
    if (!order.some((key) => equalExpressions(key.expression, expression))) {
      keys.push({ expression, descending: false, nullsFirst: false });
    }
  }
  return keys;
}

function mismatch(binder: Binder, select: Ast.Select): Error {
  return binder.context.error(
    '42P10',
    'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
    select.distinct?.on[0]?.position,
  );
}

/** LIMIT and OFFSET of a query. Their expressions see no columns of it. */
export function limit(
  binder: Binder,
  input: LogicalNode,
  query: Ast.Query,
  order: readonly SortKey[],
  parent: Scope | undefined,
): LogicalNode {
  const { context } = binder;
  if (query.limit === undefined && query.offset === undefined) return input;
  const scope = new Scope(context, parent);
  scope.clause = 'LIMIT';
  if (query.limit?.percent === true) {
    checkTies(binder, query, order);
    return partOfRows(binder, input, query.limit, query.offset, order, scope);
  }
  const count = query.limit === undefined ? undefined : bindCount(binder, query.limit.count, scope, 'LIMIT');
  scope.clause = 'OFFSET';
  const offset = query.offset === undefined ? undefined : bindCount(binder, query.offset, scope, 'OFFSET');
  checkTies(binder, query, order);
  const ties = query.limit?.withTies === true ? order : undefined;
  return { kind: 'limit', input, count, offset, ties, columns: input.columns };
}

function checkTies(binder: Binder, { limit: clause }: Ast.Query, order: readonly SortKey[]): void {
  if (clause?.withTies !== true || order.length > 0) return;
  throw binder.context.error('42601', 'WITH TIES cannot be specified without ORDER BY clause', clause.position);
}

/** Drops the columns that only sorting or locking needed. */
export function narrow(plan: LogicalNode, shown: readonly ColumnId[]): LogicalNode {
  const columns = [...new Set(shown)];
  if (columns.length === plan.columns.length && columns.every((column, i) => column === plan.columns[i])) return plan;
  return { kind: 'project', input: plan, items: [], columns };
}
