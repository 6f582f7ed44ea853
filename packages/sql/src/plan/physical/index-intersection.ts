/**
 * AND of conditions that each have an index of their own, none of which finds few rows alone: `a = 1 AND b = 2` reads the entries of
 * both, which costs little, and fetches only rows that both have. The smaller ranges are read first and leave a sieve
 * (exec/row-sieve.ts); the last one is scanned in its order, entry by entry through the sieve. Conditions of the first ones stay
 * filters: the sieve may let a row pass in vain.
 *
 * Ranges of the table's own key are no part of it: their entries are the rows, and cost as much as fetching costs elsewhere.
 */
import type { Scan } from '../logical/logical.js';
import type { AccessPath } from './access-path.js';
import { Costs, estimate } from './costs.js';
import { entriesOf } from './path-entries.js';
import type { IndexRange, TableScan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** Ranges of one intersection: each further one has to take away more rows than it costs to read. */
const RANGES_MAX = 4;

interface Branch extends IndexRange {
  readonly path: AccessPath;
  readonly entries: number;
}

/** Plans a scan along a path. */
export type PlanPath = (path: AccessPath) => TableScan | undefined;

/** The cheapest intersection; undefined when no two ranges are better than one. `paths` are all of the scan's. */
export function planIndexIntersection(
  planner: PhysicalPlanner,
  scan: Scan,
  paths: readonly AccessPath[],
  planPath: PlanPath,
): TableScan | undefined {
  const branches = branchesOf(planner, scan, paths);
  const [first] = branches;
  if (first === undefined) return undefined;
  const tableRows = Math.max(1, planner.cardinality.tableRows(scan.table));
  const test = planner.testCost(scan.filter, first.entries);
  const rowsOf = (chosen: readonly Branch[]): number =>
    chosen.reduce((rows, { entries }) => rows * Math.min(1, entries / tableRows), tableRows);
  const costOf = (chosen: readonly Branch[]): number => {
    const read = chosen.reduce(
      (sum, { entries }) => sum + Costs.open + Costs.seek + entries * (Costs.indexEntry + Costs.hashBuild),
      0,
    );
    return read + rowsOf(chosen) * (Costs.fetch + test);
  };
  let chosen: Branch[] = [first];
  let cost = first.entries * (Costs.indexEntry + Costs.fetch + test);
  for (const branch of branches.slice(1)) {
    if (chosen.length === RANGES_MAX || chosen.some((one) => sharesConditions(one, branch))) continue;
    const longer = [...chosen, branch];
    const total = costOf(longer);
    if (total >= cost) continue;
    chosen = longer;
    cost = total;
  }
  const last = chosen.pop() as Branch;
  if (chosen.length === 0) return undefined;
  const planned = planPath(last.path);
  if (planned === undefined || planned.indexOnly) return undefined;
  const rows = Math.max(1, Math.min(planned.estimate.rows, rowsOf([...chosen, last])));
  const startup = costOf(chosen) - rowsOf(chosen) * (Costs.fetch + test);
  const penalty = planner.penalty('index intersection') + planner.penalty('index scan');
  return {
    ...planned,
    range: { ...last.range, among: chosen.map(({ index, range }) => ({ index, range })) },
    estimate: estimate(rows, startup + penalty, cost + penalty),
  };
}

/** The ranges of indexes, those with the fewest entries first; none where all of them are for the same condition. */
function branchesOf(planner: PhysicalPlanner, scan: Scan, paths: readonly AccessPath[]): Branch[] {
  const ranges: (IndexRange & { readonly path: AccessPath })[] = [];
  for (const path of paths) {
    const { index, range } = path;
    if (index !== undefined && range !== undefined && range.documents === undefined)
      ranges.push({ index, range, path });
  }
  const [first] = ranges;
  if (first === undefined || ranges.every((one) => sharesConditions(one, first))) return [];
  const branches = ranges.map((one) => ({ ...one, entries: entriesOf(planner, scan, one.path) }));
  return branches.toSorted((a, b) => a.entries - b.entries);
}

function sharesConditions(a: IndexRange, b: IndexRange): boolean {
  return a.range.conditions.some((condition) => b.range.conditions.includes(condition));
}
