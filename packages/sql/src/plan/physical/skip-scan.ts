/**
 * Conditions on the second part of a key, none on the first: where the first has few values, `b = 1` reads the entries of
 * (a1, 1), (a2, 1), ... and skips what lies between, which is found by a search for each value of the first part. How many
 * there are says ANALYZE alone: without statistics nothing is skipped.
 */
import type { Scan } from '../logical/logical.js';
import { type AccessPath, ownColumns } from './access-path.js';
import { elementsIn, rangeOver } from './access-paths.js';
import { Costs } from './costs.js';
import type { TableScan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** Plans a scan along a path. */
export type PlanPath = (path: AccessPath) => TableScan | undefined;

/** The cheapest scan that skips; undefined when the conditions give none. `paths` are all of the scan's. */
export function planSkipScan(
  planner: PhysicalPlanner,
  scan: Scan,
  paths: readonly AccessPath[],
  planPath: PlanPath,
): TableScan | undefined {
  const { catalog } = planner.context;
  let best: TableScan | undefined;
  for (const path of paths) {
    const [first, ...others] = path.parts;
    if (path.range !== undefined || first?.number === undefined || others.length === 0) continue;
    const { range, filter } = rangeOver(scan, others, ownColumns(scan), elementsIn(catalog));
    if (range === undefined) continue;
    const values = catalog.statistics.column(scan.table, first.number)?.distinctCount;
    if (values === undefined) continue;
    const planned = planPath({ ...path, range: { ...range, skipsFirst: true }, unique: false, filter });
    if (planned === undefined) continue;
    // For each value a scan of its own, and a search for the next one; a null among the values is one more.
    const searches = (values + 1) * (Costs.open + 2 * Costs.seek);
    const { rows, startup, total } = planned.estimate;
    const estimate = { rows, startup, total: total + searches + planner.penalty('skip scan') };
    if (best === undefined || estimate.total < best.estimate.total) best = { ...planned, estimate };
  }
  return best;
}
