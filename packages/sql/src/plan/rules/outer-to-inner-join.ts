/**
 * Outer to inner join: a LEFT JOIN whose null-extended rows a condition above throws away anyway is an inner join, which may
 * be reordered and lets conditions pass. FULL becomes LEFT or RIGHT in the same way.
 */
import type { Expression } from '../../expr/expression.js';
import { conjuncts } from '../../expr/expression.js';
import type { Join, JoinKind, LogicalNode } from '../logical/logical.js';
import { mapInputs } from '../logical/walk.js';
import { rejectsNulls } from './facts.js';
import type { Rule } from './rule.js';

export const outerToInnerJoin: Rule = {
  name: 'outer to inner join',
  apply: (plan) => simplify(plan, []),
};

/** `conditions` hold for every row that anybody above will see. */
function simplify(node: LogicalNode, conditions: readonly Expression[]): LogicalNode {
  switch (node.kind) {
    case 'filter':
      return { ...node, input: simplify(node.input, [...conditions, ...node.conditions.flatMap(conjuncts)]) };
    case 'join':
      return simplifyJoin(node, conditions);
    case 'sort':
    case 'project': {
      // Conditions on computed columns say nothing about the columns below.
      return { ...node, input: simplify(node.input, conditions) };
    }
    default:
      return mapInputs(node, (input) => simplify(input, []));
  }
}

function simplifyJoin(node: Join, conditions: readonly Expression[]): LogicalNode {
  const left = new Set(node.left.columns);
  const right = new Set(node.right.columns);
  const rejectsLeft = conditions.some((condition) => rejectsNulls(condition, left));
  const rejectsRight = conditions.some((condition) => rejectsNulls(condition, right));
  let kind: JoinKind = node.join;
  if (kind === 'full' && rejectsLeft) kind = 'left';
  if (kind === 'full' && rejectsRight) kind = 'right';
  if (kind === 'left' && rejectsRight) kind = 'inner';
  if (kind === 'right' && rejectsLeft) kind = 'inner';
  const own = node.conditions.flatMap(conjuncts);
  const forLeft = kind === 'inner' || kind === 'semi' ? [...conditions, ...own] : kind === 'right' ? own : conditions;
  const forRight = kind === 'inner' ? [...conditions, ...own] : kind === 'left' || kind === 'semi' ? own : kind === 'right' ? conditions : [];
  return {
    ...node,
    join: kind,
    left: simplify(node.left, kind === 'full' ? [] : forLeft),
    right: simplify(node.right, kind === 'full' || kind === 'anti' ? [] : forRight),
  };
}
