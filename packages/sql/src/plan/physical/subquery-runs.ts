/**
 * How often the subquery of an expression runs:
 *
 *   once for the statement              it uses no column from outside; that of `x IN (...)` becomes a set of hash keys.
 *                                       A volatile one runs where its value is first asked for, others beforehand
 *   once for each set of outer values   it gives the same for the same values, and these are told apart by identity
 *                                       (exec/subquery-memo.ts)
 *   once for each row                   all others
 */
import type { ColumnId, Expression, Subquery } from '../../expr/expression.js';
import { hasIdentity } from '../../exec/compile/intrinsics.js';
import { TypeOid } from '../../types/type-oids.js';
import type { TypeLookup, Value } from '../../types/type.js';
import type { LogicalNode } from '../logical/logical.js';
import { forEachSubplan } from '../logical/subplans.js';
import { collectColumns, forEachNodeExpression, freeColumns, inputsOf, subplanOf } from '../logical/walk.js';
import { isFreeOf, isVolatile, isWithin } from '../rules/facts.js';
import { isOneStretch } from './access-path.js';
import { Costs } from './costs.js';
import type { PhysicalNode, TableScan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';
import { inputsOfPhysical } from './walk.js';

/** Columns from outside that the subquery's plan or its test uses. */
export function outerColumnsOf(subquery: Subquery): ColumnId[] {
  const outer = new Set(freeColumns(subplanOf(subquery)));
  if (subquery.test !== undefined) {
    const used = new Set<ColumnId>();
    collectColumns(subquery.test, used);
    for (const column of used) if (!subquery.columns.includes(column)) outer.add(column);
  }
  return [...outer];
}

/** The same outer values give the same rows throughout a statement: nothing is volatile or reads a WITH query from outside. */
export function isRepeatable(plan: LogicalNode): boolean {
  return standsAlone(plan, isVolatile);
}

/** Nothing in the plan reads a WITH query from outside, or is what `refused` says. */
export function standsAlone(
  plan: LogicalNode,
  refused: (expression: Expression) => boolean = () => false,
  known: ReadonlySet<number> = new Set(),
): boolean {
  if (plan.kind === 'cte-scan' && !known.has(plan.cte)) return false;
  const inside = plan.kind === 'with' ? new Set([...known, ...plan.tables.map((table) => table.id)]) : known;
  let alone = true;
  forEachNodeExpression(plan, (expression: Expression) => {
    if (refused(expression)) alone = false;
    forEachSubplan(expression, (inner) => {
      alone &&= standsAlone(inner, refused, inside);
    });
  });
  return alone && inputsOf(plan).every((input) => standsAlone(input, refused, inside));
}

/** `left IN (select right ...)`, or NOT IN, with what makes hash keys of values of its sides. */
export interface Membership {
  readonly left: Expression;
  readonly right: Expression;
  readonly negated: boolean;
  readonly leftKey: (value: Value) => unknown;
  readonly rightKey: (value: Value) => unknown;
}

/** The subquery as a set of hash keys, when it stands alone and its values can be hashed. */
export function membershipOf(subquery: Subquery, types: TypeLookup): Membership | undefined {
  const { test, mode } = subquery;
  if ((mode !== 'any' && mode !== 'all') || test?.kind !== 'call') return undefined;
  const role = test.operator?.role;
  if (role !== (mode === 'any' ? '=' : '<>')) return undefined;
  const [left, right] = test.arguments;
  const plan = subplanOf(subquery);
  if (left === undefined || right === undefined || freeColumns(plan).size > 0 || !isRepeatable(plan)) return undefined;
  const leftKey = types.byOid(left.type.oid)?.hashKey;
  const rightKey = types.byOid(right.type.oid)?.hashKey;
  if (leftKey === undefined || rightKey === undefined) return undefined;
  const alike = left.type.oid === right.type.oid || (INTEGERS.has(left.type.oid) && INTEGERS.has(right.type.oid));
  if (!alike || left.type.collation !== undefined || right.type.collation !== undefined) return undefined;
  const own = new Set(subquery.columns);
  if (!isWithin(right, own) || !isFreeOf(left, own)) return undefined;
  return { left, right, leftKey, rightKey, negated: mode === 'all' };
}

const INTEGERS: ReadonlySet<number> = new Set([TypeOid.int2, TypeOid.int4, TypeOid.int8]);

/** True when what a correlated subquery gives is kept for the values of its outer columns. */
export function isMemoized(planner: PhysicalPlanner, subquery: Subquery, outer: readonly ColumnId[]): boolean {
  if (outer.length === 0 || planner.penalty('memoize') > 0) return false;
  const { pool, catalog } = planner.context;
  if (membershipOf(subquery, catalog.types) !== undefined) return false;
  if (!outer.every((column) => hasIdentity(pool.get(column).type.oid))) return false;
  return isRepeatable(subplanOf(subquery)) && !(subquery.test !== undefined && isVolatile(subquery.test));
}

/** The cost of what is read without a look at the clock, once for each row around the scan. */
const AIMED_COST_MAX = 2000;

/** True when a scan in a program that runs many times may be done by a cursor that stays open. */
export function isAimed({ range, unique, indexOnly, backward, partitioned, estimate }: TableScan): boolean {
  // What reads the partition of its run is aimed at that, and no more at its range.
  if (partitioned === true || range === undefined || backward || (unique && !indexOnly)) return false;
  if (estimate.total > AIMED_COST_MAX) return false;
  return range.among === undefined && isOneStretch(range);
}

/** What one run of a subplan costs: its scans of few rows keep their cursors open from one run to the next. */
export function runCost(plan: PhysicalNode): number {
  return plan.estimate.total - keptOpen(plan) + Costs.restart;
}

function keptOpen(node: PhysicalNode): number {
  if (node.kind === 'table-scan') return isAimed(node) ? Costs.open : 0;
  return inputsOfPhysical(node).reduce((sum, input) => sum + keptOpen(input), 0);
}
