/**
 * The order of inner joins. Up to PARTS_MAX parts that hang together are ordered by dynamic programming over all connected
 * subsets, bushy trees among them (P. G. Selinger et al., "Access Path Selection in a Relational Database Management
 * System", 1979; subsets as bit masks). Beyond that, and where a part needs columns of another (LATERAL) or a product cannot
 * be avoided, greedily.
 */
import { conjuncts, type ColumnId, type Expression } from '../../expr/expression.js';
import type { Join, LogicalNode } from '../logical/logical.js';
import { columnsOf } from '../logical/walk.js';
import { isFreeOf } from '../rules/facts.js';
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
    !isLateral && parts.length > 2 && parts.length <= PARTS_MAX ? orderAll(planner, parts, conditions, own) : undefined;
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
  own: ReadonlySet<ColumnId>,
): PhysicalNode | undefined {
  const masks = conditions.map((condition) => maskOf(condition, parts, own));
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
      const columns = [...a.plan.columns, ...b.plan.columns];
      const logical: LogicalNode = {
        kind: 'join',
        join: 'inner',
        left: a.logical,
        right: b.logical,
        conditions: used,
        lateral: false,
        nullAware: false,
        columns,
      };
      // A subset has so many rows, however it is put together.
      rows ??= planner.rows(logical);
      const plan = cheapest(planner, 'inner', a, b, used, columns, false, rows);
      if (found === undefined || plan.estimate.total < found.plan.estimate.total) {
        found = { plan, logical, columns: new Set(columns), scan: undefined, needs: new Set() };
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

/** The parts whose columns a condition uses, as bits. */
function maskOf(condition: Expression, parts: readonly Part[], own: ReadonlySet<ColumnId>): number {
  let mask = 0;
  for (const column of columnsOf(condition)) {
    if (!own.has(column)) continue;
    parts.forEach(({ columns }, i) => {
      if (columns.has(column)) mask |= 1 << i;
    });
  }
  return mask;
}

/** Starts with the smallest part, then always takes the join that costs least. */
function orderGreedily(
  planner: PhysicalPlanner,
  parts: readonly Part[],
  conditions: readonly Expression[],
  own: ReadonlySet<ColumnId>,
): PhysicalNode {
  let rest = [...parts];
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
  return current.plan;
}

function startCost(candidate: Part): number {
  return candidate.plan.estimate.rows * 4 + candidate.plan.estimate.total;
}

/** All of the condition's columns that belong to the join are at hand. */
function isApplicable(condition: Expression, at: ReadonlySet<ColumnId>, own: ReadonlySet<ColumnId>): boolean {
  for (const column of columnsOf(condition)) if (own.has(column) && !at.has(column)) return false;
  return true;
}
