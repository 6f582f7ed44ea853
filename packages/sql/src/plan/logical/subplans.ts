/** Subqueries inside expressions. */
import type { Expression, Subquery } from '../../expr/expression.js';
import { forEachChild } from '../../expr/walk.js';
import type { LogicalNode } from './logical.js';
import { subplanOf } from './walk.js';

/** Calls `f` with each subquery of an expression, those inside its tests included; not with those inside subplans. */
export function forEachSubquery(expression: Expression, f: (subquery: Subquery) => void): void {
  if (expression.kind === 'subquery') f(expression);
  forEachChild(expression, (child) => forEachSubquery(child, f));
}

export function forEachSubplan(expression: Expression, f: (plan: LogicalNode) => void): void {
  forEachSubquery(expression, (subquery) => f(subplanOf(subquery)));
}
