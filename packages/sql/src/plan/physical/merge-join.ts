/**
 * Merge joins: the left rows come in the order of the key by which the right side is read, so that one cursor goes forward with
 * them (exec/merge-cursor.ts). It is a lookup join otherwise: inner, left, semi and anti, and nothing is kept in memory. Left rows
 * are in order where they are read along a key or an index, sorted, or grouped in order, and what stands above keeps it; a table
 * whose own way is another is not read in order, or sorted, for the sake of a merge: hash joins are too cheap for that.
 *
 * Only the right side's cost is judged here. An order that is not there costs time and no answer, so hash joins, whose left rows
 * come in order unless they have waited in a file, keep it.
 */
import type { ColumnId } from '../../expr/expression.js';
import type { Scan } from '../logical/logical.js';
import { isFreeOf } from '../rules/facts.js';
import { type AccessPath, isOneStretch } from './access-path.js';
import { Costs, estimate } from './costs.js';
import { entriesOf } from './path-entries.js';
import type { Estimate, PhysicalNode, TableScan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** Right entries that are passed one by one before the match is sought. */
const STEPS_MAX = 16;

interface OrderPart {
  readonly column: ColumnId;
  readonly descending: boolean;
}

/** The left columns that fill the path's key, when the left rows come in its order; undefined when they do not. */
export function mergedColumns({ range, parts }: AccessPath, left: PhysicalNode): readonly ColumnId[] | undefined {
  if (range === undefined || !isOneStretch(range) || range.lower !== undefined || range.upper !== undefined) {
    return undefined;
  }
  const own = new Set(left.columns);
  const order = rowOrder(left);
  const merged: ColumnId[] = [];
  for (const [i, value] of range.equal.entries()) {
    if (isFreeOf(value, own)) continue;
    const next = order[merged.length];
    if (value.kind !== 'column' || value.column !== next?.column) return undefined;
    if (next.descending !== parts[i]?.descending) return undefined;
    merged.push(value.column);
  }
  return merged.length === 0 ? undefined : merged;
}

/** The path, and where it has bounds behind its equal columns the one without them, which a merge may go along. */
export function withAndWithoutBounds(path: AccessPath): readonly AccessPath[] {
  const { range, filter } = path;
  if (range === undefined || range.equal.length === 0 || !isOneStretch(range)) return [path];
  if (range.lower === undefined && range.upper === undefined) return [path];
  const equalities = range.conditions.slice(0, range.equal.length);
  const bounds = range.conditions.filter((condition) => !equalities.includes(condition) && !filter.includes(condition));
  const unbounded = { equal: range.equal, any: undefined, lower: undefined, upper: undefined, conditions: equalities };
  return [path, { ...path, range: unbounded, filter: [...filter, ...bounds] }];
}

/** Each left row passes the right entries since the row before, or searches where those are many. */
export function mergeCost(
  planner: PhysicalPlanner,
  scan: Scan,
  path: AccessPath,
  merged: readonly ColumnId[],
  left: PhysicalNode,
  right: TableScan,
  rows: number,
): Estimate {
  const { cardinality } = planner;
  const outer = left.estimate;
  const entries = entriesOf(planner, scan, path);
  const passed = cardinality.tableRows(scan.table) / Math.max(1, outer.rows);
  const gap =
    passed <= STEPS_MAX
      ? passed * Costs.mergeStep
      : STEPS_MAX * Costs.mergeStep + Costs.seek + entries * Costs.indexEntry;
  // Where several left rows share several entries, each goes back to the first.
  const shared = 1 - cardinality.distinctOfColumns(merged, outer.rows) / Math.max(1, outer.rows);
  const back = right.unique ? 0 : Costs.seek * Math.max(0, shared);
  const each = right.index === undefined || right.indexOnly ? 0 : Costs.fetch;
  const found = entries * (each + Costs.row + planner.testCost(right.filter, outer.rows));
  const startup = outer.startup + Costs.open + Costs.seek + planner.penalty('merge join');
  const work = outer.total - outer.startup + outer.rows * (Costs.mergeCompare + gap + back + found);
  return estimate(rows, startup, startup + work + rows * Costs.row);
}

/** The columns by which the rows of a node come in order. */
function rowOrder(node: PhysicalNode): readonly OrderPart[] {
  switch (node.kind) {
    case 'filter':
    case 'project':
    case 'lock-rows':
      return rowOrder(node.input);
    case 'hash-join':
      return node.join === 'full' ? [] : rowOrder(node.left);
    case 'nested-loop':
      return node.join === 'full' ? [] : rowOrder(node.left);
    case 'table-scan':
      return scanOrder(node);
    case 'sort':
      return columnsOnly(
        node.keys.map(({ expression, descending }) =>
          expression.kind === 'column' && expression.type.collation === undefined
            ? { column: expression.column, descending }
            : undefined,
        ),
      );
    case 'aggregate': {
      if (!node.sorted) return [];
      const made = new Map(
        node.keys.map(({ column, expression }) => [
          expression.kind === 'column' ? expression.column : undefined,
          column,
        ]),
      );
      return columnsOnly(
        rowOrder(node.input).map(({ column, descending }) => {
          const key = made.get(column);
          return key === undefined ? undefined : { column: key, descending };
        }),
      );
    }
    default:
      return [];
  }
}

function scanOrder({ table, index, range, scanColumns, backward, unique }: TableScan): readonly OrderPart[] {
  if (unique || (range !== undefined && !isOneStretch(range))) return [];
  const parts =
    index === undefined
      ? table.keyColumns.map((column) => ({ column, descending: false }))
      : index.parts.map(({ column, descending }) => ({ column, descending }));
  return columnsOnly(
    parts.slice(range?.equal.length ?? 0).map(({ column, descending }) => {
      const id = column === undefined ? undefined : scanColumns.find(({ number }) => number === column)?.id;
      return id === undefined ? undefined : { column: id, descending: descending !== backward };
    }),
  );
}

/** What comes before the first part that is no column. */
function columnsOnly(parts: readonly (OrderPart | undefined)[]): readonly OrderPart[] {
  const order: OrderPart[] = [];
  for (const part of parts) {
    if (part === undefined) break;
    order.push(part);
  }
  return order;
}
