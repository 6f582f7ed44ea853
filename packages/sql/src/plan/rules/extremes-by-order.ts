/**
 * Extremes by order: `select min(x), max(y) from t` reads the first row of t in the order of x, and the first in the descending order of
 * y, where an index or the key gives these orders, in place of all rows (PostgreSQL does so for each aggregate by itself, too):
 *
 *   Aggregate min(x), max(y)                 Join
 *     Scan t                       ->          Aggregate min(x)   over   LIMIT 1, ORDER BY x          over   Scan t, x not null
 *                                              Aggregate max(y)   over   LIMIT 1, ORDER BY y DESC     over   Scan t, y not null
 *
 * The aggregations stay, so that no rows are null. It is done where it costs less. Other conditions are looked at along the way until a
 * row passes; that comes later than expected where they go with the order, for which a margin is left.
 */
import { columnReference, constant, type ColumnId, type Expression, type SortKey } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import { replaceColumns, withoutRelabel } from '../../expr/walk.js';
import { BOOL, typeRef } from '../../types/type-refs.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Aggregate, AggregateCall, Join, LogicalNode, Scan, ScanColumn } from '../logical/logical.js';
import { columnsOf, inputsOf, mapInputs } from '../logical/walk.js';
import { Costs } from '../physical/costs.js';
import { PhysicalPlanner } from '../physical/planner.js';
import { isDivided } from '../../storage/inheritance/table-tree.js';
import { hasSubquery, isVolatile } from './facts.js';
import { projectionPruning } from './projection-pruning.js';
import type { Rule } from './rule.js';

/** Each call is a scan of its own: more of them are not looked at. */
const CALLS_MAX = 8;
/** The walk to the first row that passes conditions may cost so many times what is expected. */
const CONDITIONS_MARGIN = 4;

export const extremesByOrder: Rule = {
  name: 'extremes by order',
  apply: (plan, context) => rewriteNode(plan, context),
};

function rewriteNode(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => rewriteNode(input, context));
  return inner.kind === 'aggregate' ? (byOrder(inner, context) ?? inner) : inner;
}

function byOrder(node: Aggregate, context: BindContext): LogicalNode | undefined {
  const { input, calls, keys, sets } = node;
  if (keys.length > 0 || sets !== undefined || calls.length === 0 || calls.length > CALLS_MAX) return undefined;
  if (input.kind !== 'scan' || isDivided(input.table)) return undefined;
  if (input.filter.some((condition) => hasSubquery(condition) || isVolatile(condition))) return undefined;
  const planner = new PhysicalPlanner(context, { estimating: true });
  let limit = planner.plan(projectionPruning.apply(node, context)).estimate.total;
  let all: LogicalNode | undefined;
  for (const call of calls) {
    const column = extremeOf(call, input);
    if (column === undefined) return undefined;
    const one = firstOf(call, copyOf(input, column, context));
    limit -= costOf(one, input, planner);
    if (limit <= 0) return undefined;
    all = all === undefined ? one : crossJoin(all, one);
  }
  return all;
}

/** The column of the scan whose least or greatest value the call gives. */
function extremeOf(call: AggregateCall, scan: Scan): ColumnId | undefined {
  const { name, routine } = call.function;
  if (routine !== undefined || (name !== 'min' && name !== 'max') || call.filter !== undefined) return undefined;
  const [argument] = call.arguments;
  const column = argument === undefined ? undefined : withoutRelabel(argument);
  return column?.kind === 'column' && scan.scanColumns.some(({ id }) => id === column.column)
    ? column.column
    : undefined;
}

/** The call over the first row of a scan, in the order of its first column. */
function firstOf(call: AggregateCall, scan: Scan): Aggregate {
  const { columns, table, scanColumns } = scan;
  const [{ id, number }] = scanColumns as [ScanColumn];
  const descriptor = table.columns.find((column) => column.number === number);
  const [argument] = call.arguments as [Expression];
  const operand = columnReference(id, withoutRelabel(argument).type);
  const notNull: Expression = { kind: 'null-test', operand, negated: true, row: false, type: BOOL };
  const descending = call.function.name === 'max';
  const key: SortKey = { expression: operand, descending, nullsFirst: descending };
  return {
    kind: 'aggregate',
    input: {
      kind: 'limit',
      input: {
        kind: 'sort',
        input: { ...scan, filter: descriptor?.notNull === true ? scan.filter : [...scan.filter, notNull] },
        keys: [key],
        columns,
      },
      count: constant(1, typeRef(TypeOid.int8)),
      offset: undefined,
      ties: undefined,
      columns,
    },
    keys: [],
    sets: undefined,
    calls: [{ ...call, arguments: [replaceColumns(argument, () => operand)] }],
    groupings: [],
    columns: [call.column],
  };
}

/** What it may cost to find the first row of a scan: nulls at that end of an index are passed one by one. */
function costOf(plan: Aggregate, scan: Scan, planner: PhysicalPlanner): number {
  const { total } = planner.plan(plan).estimate;
  const [sorted] = inputsOf(plan).flatMap(inputsOf).flatMap(inputsOf) as [LogicalNode];
  const nulls = Math.max(0, planner.rows(scan) - planner.rows(sorted));
  return total * (scan.filter.length === 0 ? 1 : CONDITIONS_MARGIN) + nulls * Costs.indexEntry;
}

/** The same rows with a column, the first, and those that conditions ask for, under names of their own. */
function copyOf({ filter, scanColumns, ...scan }: Scan, column: ColumnId, context: BindContext): Scan {
  const asked = new Set([column, ...filter.flatMap((condition) => [...columnsOf(condition)])]);
  const copies = new Map<ColumnId, ColumnId>();
  const copied: ScanColumn[] = [];
  for (const asking of asked) {
    // Others come from outside of a subquery, and stay.
    const number = scanColumns.find(({ id }) => id === asking)?.number;
    if (number === undefined) continue;
    const { name, type } = context.pool.get(asking);
    const id = context.newColumn(name, type);
    copies.set(asking, id);
    copied.push({ id, number });
  }
  const reference = (id: ColumnId): Expression | undefined => {
    const copy = copies.get(id);
    return copy === undefined ? undefined : columnReference(copy, context.pool.get(id).type);
  };
  return {
    ...scan,
    scanColumns: copied,
    rowReference: undefined,
    filter: filter.map((condition) => replaceColumns(condition, reference)),
    columns: copied.map(({ id }) => id),
  };
}

function crossJoin(left: LogicalNode, right: LogicalNode): Join {
  const columns = [...left.columns, ...right.columns];
  return { kind: 'join', join: 'inner', left, right, conditions: [], lateral: false, nullAware: false, columns };
}
