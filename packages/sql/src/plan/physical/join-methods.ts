/**
 * The ways of one join, each with its cost, and the cheapest of them: hash join, index lookups, which become a merge where the left
 * rows come in the order of the index, a loop over rows in memory, or the right side run anew for each left row.
 */
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { JoinKind, LogicalNode, Scan } from '../logical/logical.js';
import { freeColumns } from '../logical/walk.js';
import { hasSubquery, isFreeOf, isVolatile } from '../rules/facts.js';
import { Costs, estimate } from './costs.js';
import type { Estimate, HashJoin, NestedLoopJoin, PhysicalJoinKind, PhysicalNode, TableScan } from './physical.js';
import { onlyScan } from './partition-scan.js';
import type { PhysicalPlanner } from './planner.js';
import { mergeCost, mergedColumns, withAndWithoutBounds } from './merge-join.js';
import { scanAlong, scanPaths } from './scan-planner.js';
import { runCost } from './subquery-runs.js';

/** A part of a join being put together. */
export interface Part {
  readonly plan: PhysicalNode;
  readonly logical: LogicalNode;
  readonly columns: ReadonlySet<ColumnId>;
  /** Set when the part is a single scan, which may be looked up by key. */
  readonly scan: Scan | undefined;
  /** Columns of other parts that must be at hand (lateral). */
  readonly needs: ReadonlySet<ColumnId>;
}

export function part(planner: PhysicalPlanner, node: LogicalNode): Part {
  return {
    plan: planner.plan(node),
    logical: node,
    columns: new Set(node.columns),
    scan: node.kind === 'scan' ? onlyScan(planner, node) : undefined,
    needs: freeColumns(node),
  };
}

type HashKey = HashJoin['keys'][number];

/** Conditions of the form left = right, each side from one side of the join, by hashable types. */
function hashKeys(
  planner: PhysicalPlanner,
  conditions: readonly Expression[],
  left: ReadonlySet<ColumnId>,
  right: ReadonlySet<ColumnId>,
): { readonly keys: HashKey[]; readonly residual: Expression[] } {
  const keys: HashKey[] = [];
  const residual: Expression[] = [];
  for (const condition of conditions) {
    const key = hashKey(planner, condition, left, right);
    if (key === undefined) residual.push(condition);
    else keys.push(key);
  }
  return { keys, residual };
}

function hashKey(
  planner: PhysicalPlanner,
  condition: Expression,
  left: ReadonlySet<ColumnId>,
  right: ReadonlySet<ColumnId>,
): HashKey | undefined {
  if (condition.kind !== 'call' || condition.operator?.role !== '=' || isVolatile(condition)) return undefined;
  if (hasSubquery(condition)) return undefined;
  const [a, b] = condition.arguments;
  if (a === undefined || b === undefined || !canHashTogether(planner, a, b)) return undefined;
  const side = (expression: Expression): 'left' | 'right' | undefined => {
    const usesLeft = !isFreeOf(expression, left);
    const usesRight = !isFreeOf(expression, right);
    return usesLeft === usesRight ? undefined : usesLeft ? 'left' : 'right';
  };
  const sideA = side(a);
  const sideB = side(b);
  if (sideA === 'left' && sideB === 'right') return { left: a, right: b, condition };
  if (sideA === 'right' && sideB === 'left') return { left: b, right: a, condition };
  return undefined;
}

const HASH_FAMILIES: readonly (readonly number[])[] = [
  [20, 21, 23],
  [25, 1043, 19],
  [700, 701],
];

/** Equal values of the two types have equal hash keys. */
function canHashTogether(planner: PhysicalPlanner, a: Expression, b: Expression): boolean {
  const type = planner.context.catalog.types.byOid(a.type.oid);
  if (type?.hashKey === undefined) return false;
  if (a.type.collation !== undefined || b.type.collation !== undefined) return false;
  if (a.type.oid === b.type.oid) return true;
  return HASH_FAMILIES.some((family) => family.includes(a.type.oid) && family.includes(b.type.oid));
}

const KINDS: Readonly<Record<Exclude<JoinKind, 'right'>, PhysicalJoinKind>> = {
  inner: 'inner',
  left: 'left',
  full: 'full',
  semi: 'semi',
  anti: 'anti',
};

/** The cheapest way to join two parts under conditions. */
export function cheapest(
  planner: PhysicalPlanner,
  join: JoinKind,
  left: Part,
  right: Part,
  conditions: readonly Expression[],
  columns: readonly ColumnId[],
  nullAware: boolean,
  rows: number,
): PhysicalNode {
  const kind = KINDS[join as Exclude<JoinKind, 'right'>];
  const candidates: PhysicalNode[] = [];
  const lateral = [...right.needs].some((column) => left.columns.has(column));
  const reverseLateral = [...left.needs].some((column) => right.columns.has(column));
  if (lateral) {
    candidates.push(lateralJoin(kind, left, right, conditions, columns, nullAware, rows));
    return candidates[0] as PhysicalNode;
  }
  const { keys, residual } = hashKeys(planner, conditions, left.columns, right.columns);
  if (keys.length > 0) {
    candidates.push(hashJoin(planner, kind, left, right, keys, residual, columns, nullAware, rows));
    if (kind === 'inner' && !reverseLateral) {
      const swapped = keys.map((key) => ({ ...key, left: key.right, right: key.left }));
      candidates.push(hashJoin(planner, kind, right, left, swapped, residual, columns, nullAware, rows));
    }
  }
  if (!nullAware && kind !== 'full') {
    const lookup = lookupJoin(planner, kind, left, right, conditions, columns, rows);
    if (lookup !== undefined) candidates.push(lookup);
    if (kind === 'inner') {
      const reverse = lookupJoin(planner, kind, right, left, conditions, columns, rows);
      if (reverse !== undefined) candidates.push(reverse);
    }
  }
  if (candidates.length === 0 || planner.penalty('hash join') > 0) {
    candidates.push(loopJoin(planner, kind, left, right, conditions, columns, nullAware, rows));
    if (kind === 'inner') candidates.push(loopJoin(planner, kind, right, left, conditions, columns, nullAware, rows));
  }
  return candidates.reduce((best, candidate) => (candidate.estimate.total < best.estimate.total ? candidate : best));
}

function hashJoin(
  planner: PhysicalPlanner,
  join: PhysicalJoinKind,
  left: Part,
  right: Part,
  keys: readonly HashKey[],
  residual: readonly Expression[],
  columns: readonly ColumnId[],
  nullAware: boolean,
  rows: number,
): PhysicalNode {
  const build = right.plan.estimate;
  const probe = left.plan.estimate;
  const kept = right.plan.columns.length * Costs.keptColumn;
  const built = build.total + Costs.hashTable + kept + build.rows * Costs.hashBuild;
  const startup = built + probe.startup + planner.penalty('hash join');
  const work =
    probe.total - probe.startup + probe.rows * Costs.hashProbe + rows * (Costs.row + residual.length * Costs.operator);
  return {
    kind: 'hash-join',
    join,
    left: left.plan,
    right: right.plan,
    keys,
    residual,
    nullAware,
    columns,
    estimate: estimate(rows, startup, startup + work),
  };
}

function loopJoin(
  planner: PhysicalPlanner,
  join: PhysicalJoinKind,
  left: Part,
  right: Part,
  conditions: readonly Expression[],
  columns: readonly ColumnId[],
  nullAware: boolean,
  rows: number,
): PhysicalNode {
  const outer = left.plan.estimate;
  const inner = right.plan.estimate;
  const kept = right.plan.columns.length * Costs.keptColumn;
  const startup = inner.total + kept + inner.rows * Costs.buffer + outer.startup + planner.penalty('nested loop');
  const pairs = outer.rows * inner.rows * Costs.operator * Math.max(1, conditions.length);
  return {
    kind: 'nested-loop',
    join,
    left: left.plan,
    right: right.plan,
    conditions,
    inner: 'buffer',
    nullAware,
    columns,
    estimate: estimate(rows, startup, startup + outer.total + pairs),
  };
}

function lateralJoin(
  join: PhysicalJoinKind,
  left: Part,
  right: Part,
  conditions: readonly Expression[],
  columns: readonly ColumnId[],
  nullAware: boolean,
  rows: number,
): PhysicalNode {
  const outer = left.plan.estimate;
  const each = runCost(right.plan);
  return {
    kind: 'nested-loop',
    join,
    left: left.plan,
    right: right.plan,
    conditions,
    inner: 'lateral',
    nullAware,
    columns,
    estimate: estimate(rows, outer.startup, outer.total + outer.rows * each),
  };
}

/** The right side read by key for each left row, when it is a scan with a key that the conditions fill. */
function lookupJoin(
  planner: PhysicalPlanner,
  join: PhysicalJoinKind,
  left: Part,
  right: Part,
  conditions: readonly Expression[],
  columns: readonly ColumnId[],
  rows: number,
): PhysicalNode | undefined {
  const { scan } = right;
  if (scan === undefined) return undefined;
  const usable = conditions.filter((condition) => !hasSubquery(condition) && !isVolatile(condition));
  const extended: Scan = { ...scan, filter: [...scan.filter, ...usable] };
  let best: NestedLoopJoin | undefined;
  for (const path of scanPaths(planner, extended).flatMap(withAndWithoutBounds)) {
    if (path.range === undefined || path.range.any !== undefined || path.range.terms !== undefined) continue;
    if (path.range.documents?.single === false) continue;
    const reaches = path.range.conditions.some((condition) => usable.includes(condition));
    if (!reaches) continue;
    const found = scanAlong(planner, extended, path, undefined);
    if (found === undefined) continue;
    const inside = new Set([...path.range.conditions, ...path.filter]);
    const rest = conditions.filter((condition) => !inside.has(condition));
    const loop = { kind: 'nested-loop', join, left: left.plan, right: found, nullAware: false, columns } as const;
    const keep = (inner: 'lookup' | 'merge', cost: Estimate): void => {
      if (best === undefined || cost.total < best.estimate.total)
        best = { ...loop, conditions: rest, inner, estimate: cost };
    };
    keep('lookup', lookupCost(planner, left.plan, found, rows));
    const merged = mergedColumns(path, left.plan);
    if (merged !== undefined) keep('merge', mergeCost(planner, extended, path, merged, left.plan, found, rows));
  }
  return best;
}

function lookupCost(planner: PhysicalPlanner, left: PhysicalNode, right: TableScan, rows: number): Estimate {
  const outer = left.estimate;
  // One cursor serves all lookups.
  const once = right.unique ? 0 : Costs.open;
  const each = right.estimate.total - once + Costs.row;
  const startup = outer.startup + once + planner.penalty('nested loop');
  return estimate(rows, startup, startup + outer.total - outer.startup + outer.rows * each + rows * Costs.row);
}
