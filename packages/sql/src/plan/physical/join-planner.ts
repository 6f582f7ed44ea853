/**
 * Joins: the order of inner joins by a greedy search (start with the smallest result, then always the join that costs
 * least), and for each join the cheapest method: hash join, index lookups, or a loop over rows in memory.
 */
import type { ColumnId, Expression } from '../../expr/expression.js';
import { conjuncts } from '../../expr/expression.js';
import type { Join, JoinKind, LogicalNode, Scan } from '../logical/logical.js';
import { columnsOf, freeColumns } from '../logical/walk.js';
import { hasSubquery, isFreeOf, isVolatile } from '../rules/facts.js';
import { Costs, estimate } from './costs.js';
import type { HashJoin, PhysicalJoinKind, PhysicalNode, TableScan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** A part of a join being put together. */
interface Part {
  readonly plan: PhysicalNode;
  readonly logical: LogicalNode;
  readonly columns: ReadonlySet<ColumnId>;
  /** Set when the part is a single scan, which may be looked up by key. */
  readonly scan: Scan | undefined;
  /** Columns of other parts that must be at hand (lateral). */
  readonly needs: ReadonlySet<ColumnId>;
}

export function planJoin(planner: PhysicalPlanner, node: Join): PhysicalNode {
  if (node.join === 'inner') return planInner(planner, node);
  if (node.join === 'right') {
    const flipped: Join = { ...node, join: 'left', left: node.right, right: node.left };
    return joinPair(planner, flipped);
  }
  return joinPair(planner, node);
}

/** A join whose sides may not be exchanged. */
function joinPair(planner: PhysicalPlanner, node: Join): PhysicalNode {
  const left = part(planner, node.left);
  const right = part(planner, node.right);
  return cheapest(
    planner,
    node.join,
    left,
    right,
    node.conditions.flatMap(conjuncts),
    node.columns,
    node.nullAware,
    planner.rows(node),
  );
}

function part(planner: PhysicalPlanner, node: LogicalNode): Part {
  return {
    plan: planner.plan(node),
    logical: node,
    columns: new Set(node.columns),
    scan: node.kind === 'scan' ? node : undefined,
    needs: freeColumns(node),
  };
}

/** The operands of a tree of inner joins, and all its conditions. */
function flatten(node: LogicalNode, parts: LogicalNode[], conditions: Expression[]): void {
  if (node.kind === 'join' && node.join === 'inner') {
    flatten(node.left, parts, conditions);
    flatten(node.right, parts, conditions);
    conditions.push(...node.conditions.flatMap(conjuncts));
  } else {
    parts.push(node);
  }
}

function planInner(planner: PhysicalPlanner, node: Join): PhysicalNode {
  const nodes: LogicalNode[] = [];
  const conditions: Expression[] = [];
  flatten(node, nodes, conditions);
  const own = new Set(nodes.flatMap((n) => [...n.columns]));
  let rest = nodes.map((n) => part(planner, n));
  const pending = new Set(conditions);
  // Columns from outside of the whole join are always at hand.
  const isReady = (candidate: Part, joined: ReadonlySet<ColumnId>): boolean => {
    for (const column of candidate.needs) if (own.has(column) && !joined.has(column)) return false;
    return true;
  };
  let current = rest
    .filter((candidate) => isReady(candidate, new Set()))
    .reduce((best, candidate) => (startCost(candidate) < startCost(best) ? candidate : best));
  rest = rest.filter((candidate) => candidate !== current);
  let logical = current.logical;
  while (rest.length > 0) {
    let best:
      | {
          readonly plan: PhysicalNode;
          readonly next: Part;
          readonly used: readonly Expression[];
          readonly logical: LogicalNode;
        }
      | undefined;
    let bestConnected = false;
    for (const next of rest) {
      if (!isReady(next, current.columns)) continue;
      const both = new Set([...current.columns, ...next.columns]);
      const used = [...pending].filter((condition) => isApplicable(condition, both, own));
      const connected = used.some(
        (condition) => !isFreeOf(condition, next.columns) && !isFreeOf(condition, current.columns),
      );
      if (bestConnected && !connected) continue;
      const columns = [...current.plan.columns, ...next.plan.columns];
      const joined: LogicalNode = {
        kind: 'join',
        join: 'inner',
        left: logical,
        right: next.logical,
        conditions: used,
        lateral: next.needs.size > 0,
        nullAware: false,
        columns,
      };
      const rows = planner.rows(joined);
      const plan = cheapest(planner, 'inner', current, next, used, columns, false, rows);
      const better =
        best === undefined || (connected && !bestConnected) || plan.estimate.total < best.plan.estimate.total;
      if (better) {
        best = { plan, next, used, logical: joined };
        bestConnected = connected;
      }
    }
    if (best === undefined) throw new Error('no part of a join can come next');
    for (const condition of best.used) pending.delete(condition);
    const { next } = best;
    logical = best.logical;
    rest = rest.filter((candidate) => candidate !== next);
    current = { plan: best.plan, logical, columns: new Set(best.plan.columns), scan: undefined, needs: new Set() };
  }
  return { ...current.plan, columns: node.columns };
}

function startCost(candidate: Part): number {
  return candidate.plan.estimate.rows * 4 + candidate.plan.estimate.total;
}

/** All of the condition's columns that belong to the join are at hand. */
function isApplicable(condition: Expression, at: ReadonlySet<ColumnId>, own: ReadonlySet<ColumnId>): boolean {
  for (const column of columnsOf(condition)) if (own.has(column) && !at.has(column)) return false;
  return true;
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

function cheapest(
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
    candidates.push(hashJoin(kind, left, right, keys, residual, columns, nullAware, rows));
    if (kind === 'inner' && !reverseLateral) {
      const swapped = keys.map((key) => ({ ...key, left: key.right, right: key.left }));
      candidates.push(hashJoin(kind, right, left, swapped, residual, columns, nullAware, rows));
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
  if (candidates.length === 0) {
    candidates.push(loopJoin(kind, left, right, conditions, columns, nullAware, rows));
    if (kind === 'inner') candidates.push(loopJoin(kind, right, left, conditions, columns, nullAware, rows));
  }
  return candidates.reduce((best, candidate) => (candidate.estimate.total < best.estimate.total ? candidate : best));
}

function hashJoin(
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
  const startup = build.total + build.rows * Costs.hashBuild + probe.startup;
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
  const startup = inner.total + inner.rows * Costs.buffer + outer.startup;
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
  const each = right.plan.estimate.total + Costs.restart;
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
  let best: TableScan | undefined;
  for (const path of planner.paths(extended)) {
    if (path.range === undefined || path.range.any !== undefined) continue;
    const reaches = path.range.conditions.some((condition) => usable.includes(condition));
    if (!reaches) continue;
    const candidate = planner.scanOf(extended, path, undefined);
    if (candidate !== undefined && (best === undefined || candidate.estimate.total < best.estimate.total))
      best = candidate;
  }
  if (best === undefined) return undefined;
  const inside = new Set([...(best.range?.conditions ?? []), ...best.filter]);
  const outer = left.plan.estimate;
  const total = outer.total + outer.rows * (best.estimate.total + Costs.row) + rows * Costs.row;
  return {
    kind: 'nested-loop',
    join,
    left: left.plan,
    right: best,
    conditions: conditions.filter((condition) => !inside.has(condition)),
    inner: 'lookup',
    nullAware: false,
    columns,
    estimate: estimate(rows, outer.startup, total),
  };
}
