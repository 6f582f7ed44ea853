/**
 * Scans of column indexes: for a query that reads many rows and few columns, all of which the index has. Conditions on a column
 * that has zones let whole segments be passed over.
 */
import type { IndexDescriptor } from '@phantom/catalog';
import { columnIndex } from '../../storage/columnar/column-index.js';
import { hasZone } from '../../storage/columnar/zones.js';
import type { Scan } from '../logical/logical.js';
import { ownColumns } from './access-path.js';
import { matchColumn } from './access-paths.js';
import { cheapFirst, isComparison } from './condition-order.js';
import { Costs, estimate } from './costs.js';
import type { ColumnScan, ZoneCondition } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** The cheapest scan of a column index; undefined when none has what the scan asks for. */
export function planColumnScan(planner: PhysicalPlanner, scan: Scan): ColumnScan | undefined {
  // Whoever writes or locks rows wants their keys and bytes.
  if (scan.rowReference !== undefined) return undefined;
  let best: ColumnScan | undefined;
  for (const index of planner.context.catalog.indexesOf(scan.table)) {
    if (index.method !== 'column' || !coversColumns(index, scan)) continue;
    const candidate = columnScan(planner, scan, index);
    if (best === undefined || candidate.estimate.total < best.estimate.total) best = candidate;
  }
  return best;
}

function coversColumns({ parts }: IndexDescriptor, { scanColumns }: Scan): boolean {
  return scanColumns.every(({ number }) => parts.some((part) => part.column === number));
}

function columnScan(planner: PhysicalPlanner, scan: Scan, index: IndexDescriptor): ColumnScan {
  const { table, alias, scanColumns, columns, filter } = scan;
  const { cardinality } = planner;
  const { types, statistics } = planner.context.catalog;
  const tableRows = cardinality.tableRows(table);
  const marked = statistics.markedRows(columnIndex(index, table, types));
  const rows = Math.max(1, tableRows * cardinality.selectivityOfAll(filter, tableRows, scan.scanColumns));
  const startup = Costs.open + planner.penalty('column scan');
  const others = filter.filter((condition) => !isComparison(condition));
  const tests = (filter.length - others.length) * Costs.vectorTest + planner.testCost(others, tableRows);
  const each = Costs.vectorRow + scanColumns.length * Costs.vectorColumn + tests;
  return {
    kind: 'column-scan',
    table,
    alias,
    scanColumns,
    index,
    filter: cheapFirst(filter),
    zones: zonesOf(scan, index, planner),
    columns,
    estimate: estimate(rows, startup, startup + tableRows * each + marked * Costs.markedRow),
  };
}

/** The conditions that compare a column that has zones. */
function zonesOf(scan: Scan, index: IndexDescriptor, planner: PhysicalPlanner): ZoneCondition[] {
  const own = ownColumns(scan);
  const { types } = planner.context.catalog;
  const zones: ZoneCondition[] = [];
  for (const { number, storage, typeOid } of columnIndex(index, scan.table, types).columns) {
    const id = scan.scanColumns.find((column) => column.number === number)?.id;
    if (id === undefined || !hasZone(storage)) continue;
    const part = { column: id, number, descending: false, nullsFirst: false, typeOid };
    for (const condition of scan.filter) {
      const match = matchColumn(condition, part, own);
      if (match !== undefined) zones.push({ column: number, ...match });
    }
  }
  return zones;
}
