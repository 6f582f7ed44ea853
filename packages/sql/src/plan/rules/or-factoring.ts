/**
 * Conditions that every branch of an OR has in common come out of it: `(a AND x) OR (a AND y)` is `a AND (x OR y)`, which
 * three-valued logic allows. And when every branch says something about one and the same side of a join, the OR of just that
 * is a condition on that side, implied and worth testing early:
 *
 *   (n1 = 'F' AND n2 = 'G') OR (n1 = 'G' AND n2 = 'F')   implies   n1 = 'F' OR n1 = 'G'   and   n2 = 'G' OR n2 = 'F'
 *
 * Implied conditions are added once, above the join that has both sides; pushdown carries them down.
 */
import { conjuncts, type ColumnId, type Expression } from '../../expr/expression.js';
import { equalExpressions } from '../../expr/walk.js';
import type { LogicalNode } from '../logical/logical.js';
import { columnsOf, mapInputs } from '../logical/walk.js';
import { hasSubquery, isVolatile } from './facts.js';
import type { Rule } from './rule.js';

/** An OR of more branches is left as it is. */
const BRANCHES_MAX = 32;

export const orFactoring: Rule = {
  name: 'or factoring',
  apply: (plan) => factorPlan(plan),
};

function factorPlan(node: LogicalNode): LogicalNode {
  const inner = mapInputs(node, factorPlan);
  if (inner.kind === 'filter') return { ...inner, conditions: factorAll(inner.conditions, sidesOf(inner.input)) };
  if (inner.kind === 'join' && inner.join === 'inner')
    return { ...inner, conditions: factorAll(inner.conditions, sidesOf(inner)) };
  return inner;
}

/** Column sets of the operands of the joins right below. */
function sidesOf(node: LogicalNode): ReadonlySet<ColumnId>[] {
  if (node.kind === 'join' && node.join === 'inner') return [...sidesOf(node.left), ...sidesOf(node.right)];
  return [new Set(node.columns)];
}

function factorAll(conditions: readonly Expression[], sides: readonly ReadonlySet<ColumnId>[]): Expression[] {
  const factored: Expression[] = [];
  for (const condition of conditions.flatMap(conjuncts)) factored.push(...factor(condition, sides));
  return factored;
}

function factor(condition: Expression, sides: readonly ReadonlySet<ColumnId>[]): Expression[] {
  if (condition.kind !== 'logical' || condition.operator !== 'or') return [condition];
  if (condition.operands.length > BRANCHES_MAX || isVolatile(condition) || hasSubquery(condition)) return [condition];
  const branches = condition.operands.map((operand) => conjuncts(operand));
  const [first, ...others] = branches as [Expression[], ...Expression[][]];
  const common = first.filter((part) =>
    others.every((branch) => branch.some((candidate) => equalExpressions(candidate, part))),
  );
  const isCommon = (part: Expression): boolean => common.some((other) => equalExpressions(other, part));
  const rests = branches.map((branch) => branch.filter((part) => !isCommon(part)));
  // A branch with nothing left is what is common: the others add nothing.
  if (rests.some((rest) => rest.length === 0)) return common;
  const remaining = common.length === 0 ? condition : either(condition, rests);
  return [...common, remaining, ...impliedBy(remaining, sides)];
}

/** What an OR over several operands of a join says of each of them alone. */
export function impliedBy(
  condition: Expression & { kind: 'logical' },
  sides: readonly ReadonlySet<ColumnId>[],
): Expression[] {
  const implied: Expression[] = [];
  if (sides.length < 2) return implied;
  const rests = condition.operands.map((operand) => conjuncts(operand));
  for (const side of sides) {
    const parts = rests.map((rest) => rest.filter((part) => isAbout(part, side)));
    if (parts.some((part) => part.length === 0)) continue;
    // The whole condition speaks of this side alone: pushdown takes it as it is.
    if (parts.every((part, i) => part.length === (rests[i] as Expression[]).length)) continue;
    implied.push(either(condition, parts));
  }
  return implied;
}

function isAbout(part: Expression, side: ReadonlySet<ColumnId>): boolean {
  const used = columnsOf(part);
  if (used.size === 0) return false;
  for (const column of used) if (!side.has(column)) return false;
  return true;
}

function either(
  condition: Expression & { kind: 'logical' },
  branches: readonly (readonly Expression[])[],
): Expression & { kind: 'logical' } {
  const operands = branches.map((parts): Expression => {
    const [only] = parts;
    return parts.length === 1 && only !== undefined
      ? only
      : { kind: 'logical', operator: 'and', operands: parts, type: condition.type };
  });
  return { ...condition, operands };
}
