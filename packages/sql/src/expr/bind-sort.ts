/** ORDER BY items inside expressions: of aggregates and windows. Those of queries also know output names; see bind-order.ts. */
import type * as Ast from '../text/ast.js';
import type { Binder } from './binder.js';
import { callOperator } from './calls.js';
import { requireOneCollation } from './collations.js';
import { coerce, isUnknown } from './coercion.js';
import type { Expression, SortKey } from './expression.js';
import type { Scope } from './scope.js';
import { TEXT } from '../types/type-refs.js';

/** The key for a bound value with the directions of an item; 42883 when its type has no order. */
export function sortKey(binder: Binder, item: Ast.SortItem, value: Expression): SortKey {
  const { context } = binder;
  const expression = isUnknown(value) ? coerce(context, value, TEXT, 'implicit', item.value.position) : value;
  let descending = item.direction === 'desc';
  if (item.using !== undefined) {
    const { symbol } = item.using;
    const call = callOperator(context, symbol, expression, expression, item.using.position);
    const role = call.operator?.role;
    if (role !== '<' && role !== '>') {
      throw context.error('42809', `operator ${symbol} is not a valid ordering operator`, item.using.position, {
        hint: 'Ordering operators must be "<" or ">" members of btree operator families.',
      });
    }
    descending = role === '>';
  }
  requireOrder(binder, expression, item.value.position);
  return {
    expression,
    descending,
    nullsFirst: item.nulls === undefined ? descending : item.nulls === 'first',
  };
}

/** 42883 unless values of the expression's type can be put in order. */
export function requireOrder(binder: Binder, expression: Expression, position: number): void {
  const { context } = binder;
  requireOneCollation(context, expression.type, position, expression.kind === 'column');
  const type = context.catalog.types.byOid(expression.type.oid);
  if (type === undefined || type.compare !== undefined) return;
  throw context.error(
    '42883',
    `could not identify an ordering operator for type ${context.typeName(expression.type.oid)}`,
    position,
    { hint: 'Use an explicit ordering operator or modify the query.' },
  );
}

export function bindSortItems(binder: Binder, items: readonly Ast.SortItem[], scope: Scope): SortKey[] {
  return items.map((item) => sortKey(binder, item, binder.bind(item.value, scope)));
}
