/**
 * OR of conditions that each have an index of their own: `a = 1 OR b = 2` reads the entries of both, and each row once. The rows
 * come in no order, and all of the scan's conditions are tested on them.
 */
import { conjuncts, type Expression } from '../../expr/expression.js';
import type { Scan } from '../logical/logical.js';
import { cheapFirst } from './condition-order.js';
import { Costs, estimate } from './costs.js';
import type { TableScan, UnionBranch } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** Branches of one union: with more, reading all of the table is nearly always cheaper. */
const BRANCHES_MAX = 16;

/** Plans a read of a branch's rows by a key or an index; undefined when there is none for its conditions. */
export type PlanBranch = (scan: Scan) => TableScan | undefined;

/** The cheapest union among the scan's conditions; undefined when none of them is an OR of conditions with indexes. */
export function planIndexUnion(planner: PhysicalPlanner, scan: Scan, planBranch: PlanBranch): TableScan | undefined {
  let best: TableScan | undefined;
  for (const condition of scan.filter) {
    if (condition.kind !== 'logical' || condition.operator !== 'or') continue;
    const union = unionOver(planner, scan, condition, planBranch);
    if (union !== undefined && (best === undefined || union.estimate.total < best.estimate.total)) best = union;
  }
  return best;
}

function unionOver(
  planner: PhysicalPlanner,
  scan: Scan,
  condition: Expression & { kind: 'logical' },
  planBranch: PlanBranch,
): TableScan | undefined {
  if (condition.operands.length > BRANCHES_MAX) return undefined;
  const branches: UnionBranch[] = [];
  let entries = 0;
  let total = planner.penalty('index union');
  for (const operand of condition.operands) {
    const branch = planBranch({ ...scan, filter: conjuncts(operand) });
    if (branch?.range === undefined) return undefined;
    branches.push({ index: branch.index, range: branch.range });
    entries += branch.estimate.rows;
    total += branch.estimate.total;
  }
  const { cardinality } = planner;
  const tableRows = cardinality.tableRows(scan.table);
  const rows = Math.min(
    entries,
    Math.max(1, tableRows * cardinality.selectivityOfAll(scan.filter, tableRows, scan.scanColumns)),
  );
  total += entries * (Costs.hashBuild + planner.testCost(scan.filter, entries));
  return {
    kind: 'table-scan',
    table: scan.table,
    alias: scan.alias,
    scanColumns: scan.scanColumns,
    rowReference: scan.rowReference,
    index: undefined,
    indexOnly: false,
    range: { equal: [], any: undefined, lower: undefined, upper: undefined, union: branches, conditions: [condition] },
    unique: false,
    backward: false,
    filter: cheapFirst(scan.filter),
    columns: scan.columns,
    estimate: estimate(rows, Costs.open * branches.length, total),
  };
}
