/** Whether rows come with equal values of some keys one after another, because they are read along a key or an index. */
import type { ColumnId, Expression } from '../../expr/expression.js';
import { hasIdentity } from '../../exec/compile/intrinsics.js';
import type { AggregateCall } from '../logical/logical.js';
import { isOneStretch } from './access-path.js';
import type { PhysicalNode, TableScan } from './physical.js';

/** True when an aggregation by the keys needs no table of groups: each group ends where the next begins. */
export function comesInGroups(
  input: PhysicalNode,
  keys: readonly Expression[],
  calls: readonly AggregateCall[],
): boolean {
  // Calls with an order of their own keep the rows of all groups.
  if (keys.length === 0 || calls.some(keepsRows)) return false;
  const scan = scanUnder(input);
  if (scan === undefined || scan.unique) return false;
  const wanted = new Set<ColumnId>();
  for (const key of keys) {
    if (key.kind !== 'column' || !hasIdentity(key.type.oid) || key.type.collation !== undefined) return false;
    wanted.add(key.column);
  }
  return beginsWith(orderOf(scan), scan.range?.equal.length ?? 0, wanted);
}

/** The call keeps rows until the end. */
export function keepsRows(call: AggregateCall): boolean {
  return call.orderBy.length > 0 || call.function.ordering !== undefined;
}

/** The scan whose order the rows have. */
function scanUnder(node: PhysicalNode): TableScan | undefined {
  if (node.kind === 'filter' || node.kind === 'project') return scanUnder(node.input);
  return node.kind === 'table-scan' ? node : undefined;
}

/** The columns by which a scan's rows are ordered; a part that is no column of the scan's is undefined. */
function orderOf({ table, index, range, scanColumns }: TableScan): (ColumnId | undefined)[] {
  if (range !== undefined && !isOneStretch(range)) return [];
  const numbers = index === undefined ? table.keyColumns : index.parts.map((part) => part.column);
  return numbers.map((number) => scanColumns.find((column) => column.number === number)?.id);
}

/** The first parts of an order, apart from `fixed` ones whose values are all alike, are the wanted columns in some sequence. */
function beginsWith(order: readonly (ColumnId | undefined)[], fixed: number, wanted: ReadonlySet<ColumnId>): boolean {
  const missing = new Set(wanted);
  for (const [at, column] of order.entries()) {
    const isWanted = column !== undefined && missing.delete(column);
    if (missing.size === 0) return true;
    if (!isWanted && at >= fixed) return false;
  }
  return false;
}
