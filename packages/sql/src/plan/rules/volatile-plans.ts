/** Whether plans and expressions call something volatile, the plans of subqueries in them included. */
import type { Expression } from '../../expr/expression.js';
import type { LogicalNode } from '../logical/logical.js';
import { forEachSubplan } from '../logical/subplans.js';
import { forEachNodeExpression, inputsOf } from '../logical/walk.js';
import { isVolatile } from './facts.js';

/** The expression or a subquery in it calls something volatile: it has to be computed as often as it is written. */
export function isVolatileThroughout(expression: Expression): boolean {
  let volatile = isVolatile(expression);
  forEachSubplan(expression, (plan) => {
    volatile ||= planIsVolatile(plan);
  });
  return volatile;
}

export function planIsVolatile(node: LogicalNode): boolean {
  let volatile = node.kind === 'lock-rows';
  forEachNodeExpression(node, (expression) => {
    volatile ||= isVolatileThroughout(expression);
  });
  return volatile || inputsOf(node).some(planIsVolatile);
}
