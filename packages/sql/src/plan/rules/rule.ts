/** What a rewrite rule is. The list of all, in order, is in rules.ts. */
import type { BindContext } from '../../expr/context.js';
import type { LogicalNode } from '../logical/logical.js';

export interface Rule {
  /** As EXPLAIN (VERBOSE) and the golden scripts name it. */
  readonly name: string;
  /** A plan with the same result. Rules see one query level: subplans in expressions are sent through on their own. */
  apply(plan: LogicalNode, context: BindContext): LogicalNode;
}
