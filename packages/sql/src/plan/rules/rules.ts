/** All rewrite rules in the order in which they run, and the run itself. */
import type { BindContext } from '../../expr/context.js';
import type { Expression } from '../../expr/expression.js';
import { mapChildren } from '../../expr/walk.js';
import type { LogicalNode } from '../logical/logical.js';
import { mapInputs, mapNodeExpressions, subplanOf } from '../logical/walk.js';
import { comparisonNarrowing } from './comparison-narrowing.js';
import { constantFolding } from './constant-folding.js';
import { eagerAggregation } from './eager-aggregation.js';
import { extremesByOrder } from './extremes-by-order.js';
import { inlineCommonTables } from './inline-common-tables.js';
import { joinElimination } from './join-elimination.js';
import { orFactoring } from './or-factoring.js';
import { orToAny } from './or-to-any.js';
import { outerToInnerJoin } from './outer-to-inner-join.js';
import { predicatePushdown } from './predicate-pushdown.js';
import { projectionPruning } from './projection-pruning.js';
import type { Rule } from './rule.js';
import { scalarAggregateUnnesting } from './scalar-aggregate-unnesting.js';
import { semiToInnerJoin } from './semi-to-inner-join.js';
import { subqueryUnnesting } from './subquery-unnesting.js';

export const RULES: readonly Rule[] = [
  // What is unnested below comes with its expressions computed, and its rows are estimated by them.
  inSubplansToo(constantFolding),
  inSubplansToo(comparisonNarrowing),
  inlineCommonTables,
  subqueryUnnesting,
  scalarAggregateUnnesting,
  outerToInnerJoin,
  orFactoring,
  orToAny,
  predicatePushdown,
  // Conditions that were moved may free a subquery that could not be unnested where it stood.
  subqueryUnnesting,
  scalarAggregateUnnesting,
  predicatePushdown,
  semiToInnerJoin,
  eagerAggregation,
  extremesByOrder,
  projectionPruning,
  joinElimination,
];

/** The rule for a plan and at once for the subplans in its expressions, which come to all others later. */
function inSubplansToo(rule: Rule): Rule {
  const apply = (plan: LogicalNode, context: BindContext): LogicalNode =>
    mapSubplans(rule.apply(plan, context), (subplan) => apply(subplan, context));
  return { ...rule, apply };
}

/** Rewrites a plan and the subplans in its expressions. `without` names rules to leave out (tests compare the answers). */
export function rewrite(
  plan: LogicalNode,
  context: BindContext,
  without: ReadonlySet<string> = new Set(),
): LogicalNode {
  let rewritten = plan;
  for (const rule of RULES) if (!without.has(rule.name)) rewritten = rule.apply(rewritten, context);
  return mapSubplans(rewritten, (subplan) => rewrite(subplan, context, without));
}

/** The plan with another plan for each subquery in its expressions. */
function mapSubplans(node: LogicalNode, f: (subplan: LogicalNode) => LogicalNode): LogicalNode {
  const inner = mapInputs(node, (input) => mapSubplans(input, f));
  const mapExpression = (expression: Expression): Expression => {
    const mapped = mapChildren(expression, mapExpression);
    return mapped.kind === 'subquery' ? { ...mapped, plan: f(subplanOf(mapped)) } : mapped;
  };
  return mapNodeExpressions(inner, mapExpression);
}
