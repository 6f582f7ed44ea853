/**
 * The order of inner joins. Up to PARTS_MAX parts that hang together are ordered by dynamic programming over all connected
 * subsets, bushy trees among them (P. G. Selinger et al., "Access Path Selection in a Relational Database Management
 * System", 1979; subsets as bit masks). Beyond that, and where a part needs columns of another (LATERAL) or a product cannot
 * be avoided, greedily.
 */
import { conjuncts, type ColumnId, type Expression } from '../../expr/expression.js';
import type { Join, LogicalNode } from '../logical/logical.js';
import { columnsOf } from '../logical/walk.js';
import { cheapest, part, type Part } from './join-methods.js';
import type { PhysicalNode } from './physical.js';
import type { PhysicalPlanner } from './planner.js';

/** Subsets are 2^n, pairs of them 3^n: a millisecond's work at ten parts, unless all are connected with all. */
const PARTS_MAX = 10;

export function planInner(planner: PhysicalPlanner, node: Join): PhysicalNode {
  const nodes: LogicalNode[] = [];
  const conditions: Expression[] = [];
  flatten(node, nodes, conditions);
  const own = new Set(nodes.flatMap((n) => [...n.columns]));
  const parts = nodes.map((n) => part(planner, n));
  const isLateral = parts.some(({ needs }) => [...needs].some((column) => own.has(column)));
  const ordered =
    !isLateral && parts.length > 2 && parts.length <= PARTS_MAX ? orderAll(planner, parts, conditions) : undefined;
  const plan = ordered ?? orderGreedily(planner, parts, conditions, own);
  return { ...plan, columns: node.columns };
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

/** The best plan of every connected subset, the whole last; undefined when the parts do not hang together. */
function orderAll(
  planner: PhysicalPlanner,
  parts: readonly Part[],
  conditions: readonly Expression[],
): PhysicalNode | undefined {
  const masks = partsOfConditions(conditions, parts).map((used) => used.reduce((mask, i) => mask | (1 << i), 0));
  const all = 2 ** parts.length - 1;
  const best: (Part | undefined)[] = [];
  parts.forEach((single, i) => (best[1 << i] = single));
  for (let subset = 3; subset <= all; subset++) {
    if ((subset & (subset - 1)) === 0) continue;
    let found: Part | undefined;
    let rows: number | undefined;
    // Each pair once: the half with the highest part comes second.
    for (let left = (subset - 1) & subset; left > 0; left = (left - 1) & subset) {
      const right = subset ^ left;
      if (left > right) continue;
      const a = best[left];
      const b = best[right];
      if (a === undefined || b === undefined) continue;
      const used = conditions.filter((_, i) => {
        const mask = masks[i] as number;
        return (mask & ~subset) === 0 && (mask & left) !== 0 && (mask & right) !== 0;
      });
      if (used.length === 0) continue;
      const logical = innerJoin(a, b, used, false);
      // A subset has so many rows, however it is put together.
      rows ??= planner.rows(logical);
      const plan = cheapest(planner, 'inner', a, b, used, logical.columns, false, rows);
      if (found === undefined || plan.estimate.total < found.plan.estimate.total) {
        found = { plan, logical, columns: new Set(logical.columns), scan: undefined, needs: new Set() };
      }
    }
    best[subset] = found;
  }
  const whole = best[all]?.plan;
  if (whole === undefined) return undefined;
  // What belongs to no pair (a constant, columns of an outer query) is tested at the end.
  const left = conditions.filter((_, i) => {
    const mask = masks[i] as number;
    return (mask & (mask - 1)) === 0;
  });
  if (left.length === 0) return whole;
  return { kind: 'filter', input: whole, conditions: left, columns: whole.columns, estimate: whole.estimate };
}

function innerJoin(left: Part, right: Part, conditions: readonly Expression[], lateral: boolean): LogicalNode {
  return {
    kind: 'join',
    join: 'inner',
    left: left.logical,
    right: right.logical,
    conditions,
    lateral,
    nullAware: false,
    columns: [...left.plan.columns, ...right.plan.columns],
  };
}

/** For each condition the parts whose columns it uses, by their places. */
function partsOfConditions(conditions: readonly Expression[], parts: readonly Part[]): readonly (readonly number[])[] {
  const owners = new Map<ColumnId, number>();
  parts.forEach(({ columns }, i) => {
    for (const column of columns) owners.set(column, i);
  });
  return conditions.map((condition) => {
    const used = new Set<number>();
    for (const column of columnsOf(condition)) {
      const owner = owners.get(column);
      if (owner !== undefined) used.add(owner);
    }
    return [...used];
  });
}

/** Starts with the smallest part, then always takes the join that costs least; products only where nothing else is left. */
function orderGreedily(
  planner: PhysicalPlanner,
  parts: readonly Part[],
  conditions: readonly Expression[],
  own: ReadonlySet<ColumnId>,
): PhysicalNode {
  const used = partsOfConditions(conditions, parts);
  // Of each condition not applied yet, how many of its parts are not joined.
  const missing = new Map(used.map((places, i) => [i, places.length]));
  const rest = new Set(parts.keys());
  const join = (place: number): void => {
    rest.delete(place);
    for (const [i, count] of missing) if ((used[i] as readonly number[]).includes(place)) missing.set(i, count - 1);
  };
  // Columns from outside of the whole join are always at hand.
  const isReady = (candidate: Part, joined: ReadonlySet<ColumnId>): boolean => {
    for (const column of candidate.needs) if (own.has(column) && !joined.has(column)) return false;
    return true;
  };
  const first = [...rest]
    .filter((place) => isReady(parts[place] as Part, new Set()))
    .reduce((best, place) => (startCost(parts[place] as Part) < startCost(parts[best] as Part) ? place : best));
  join(first);
  let current = parts[first] as Part;
  while (rest.size > 0) {
    const ready = [...rest].filter((place) => isReady(parts[place] as Part, current.columns));
    const connected = ready.filter((place) => isConnected(place, used, missing));
    let best: (GreedyStep & { readonly place: number; readonly applied: readonly number[] }) | undefined;
    for (const place of connected.length > 0 ? connected : ready) {
      const applied = [...missing.keys()].filter(
        (i) => missing.get(i) === ((used[i] as readonly number[]).includes(place) ? 1 : 0),
      );
      const step = greedyStep(
        planner,
        current,
        parts[place] as Part,
        applied.map((i) => conditions[i] as Expression),
      );
      if (best === undefined || step.plan.estimate.total < best.plan.estimate.total) best = { ...step, place, applied };
    }
    if (best === undefined) throw new Error('no part of a join can come next');
    const { place, applied, plan, logical } = best;
    for (const i of applied) missing.delete(i);
    join(place);
    current = { plan, logical, columns: new Set(plan.columns), scan: undefined, needs: new Set() };
  }
  return current.plan;
}

/** A condition that waits for this part alone ties it to one that is joined. */
function isConnected(
  place: number,
  used: readonly (readonly number[])[],
  missing: ReadonlyMap<number, number>,
): boolean {
  for (const [i, count] of missing) {
    const places = used[i] as readonly number[];
    if (count === 1 && places.length > 1 && places.includes(place)) return true;
  }
  return false;
}

interface GreedyStep {
  readonly plan: PhysicalNode;
  readonly logical: LogicalNode;
}

function greedyStep(
  planner: PhysicalPlanner,
  current: Part,
  next: Part,
  conditions: readonly Expression[],
): GreedyStep {
  const logical = innerJoin(current, next, conditions, next.needs.size > 0);
  const rows = planner.rows(logical);
  return { plan: cheapest(planner, 'inner', current, next, conditions, logical.columns, false, rows), logical };
}

function startCost(candidate: Part): number {
  return candidate.plan.estimate.rows * 4 + candidate.plan.estimate.total;
}
