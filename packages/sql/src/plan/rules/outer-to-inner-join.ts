/**
 * Outer to inner join: a LEFT JOIN whose null-extended rows a condition above throws away anyway is an inner join, which may
 * be reordered and lets conditions pass. FULL becomes LEFT or RIGHT in the same way.
 */
import { conjuncts, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import { replaceColumns } from '../../expr/walk.js';
import type { Join, JoinKind, LogicalNode } from '../logical/logical.js';
import { mapInputs } from '../logical/walk.js';
import { foldExpression } from './constant-folding.js';
import { hasSubquery, rejectsNulls } from './facts.js';
import type { Rule } from './rule.js';

export const outerToInnerJoin: Rule = {
  name: 'outer to inner join',
  apply: (plan, context) => simplify(plan, [], context),
};

/** `conditions` hold for every row that anybody above will see. */
function simplify(node: LogicalNode, conditions: readonly Expression[], context: BindContext): LogicalNode {
  switch (node.kind) {
    case 'filter':
      return { ...node, input: simplify(node.input, [...conditions, ...node.conditions.flatMap(conjuncts)], context) };
    case 'join':
      return simplifyJoin(node, conditions, context);
    case 'sort':
    case 'project': {
      // Conditions on computed columns say nothing about the columns below.
      return { ...node, input: simplify(node.input, conditions, context) };
    }
    default:
      return mapInputs(node, (input) => simplify(input, [], context));
  }
}

/** True when the condition is not TRUE once the columns are null: by its shape, or by computing it with nulls put in. */
function rejects(condition: Expression, columns: ReadonlySet<ColumnId>, context: BindContext): boolean {
  if (rejectsNulls(condition, columns)) return true;
  if (hasSubquery(condition)) return false;
  const withNulls = replaceColumns(condition, (column) =>
    columns.has(column) ? constant(null, context.pool.get(column).type) : undefined,
  );
  const folded = foldExpression(withNulls, context);
  return folded.kind === 'constant' && folded.value !== true;
}

function simplifyJoin(node: Join, conditions: readonly Expression[], context: BindContext): LogicalNode {
  const left = new Set(node.left.columns);
  const right = new Set(node.right.columns);
  const rejectsLeft = conditions.some((condition) => rejects(condition, left, context));
  const rejectsRight = conditions.some((condition) => rejects(condition, right, context));
  let kind: JoinKind = node.join;
  if (kind === 'full' && rejectsLeft) kind = 'left';
  if (kind === 'full' && rejectsRight) kind = 'right';
  if (kind === 'left' && rejectsRight) kind = 'inner';
  if (kind === 'right' && rejectsLeft) kind = 'inner';
  const own = node.conditions.flatMap(conjuncts);
  const forLeft = kind === 'inner' || kind === 'semi' ? [...conditions, ...own] : kind === 'right' ? own : conditions;
  const forRight =
    kind === 'inner'
      ? [...conditions, ...own]
      : kind === 'left' || kind === 'semi'
        ? own
        : kind === 'right'
          ? conditions
          : [];
  return {
    ...node,
    join: kind,
    left: simplify(node.left, kind === 'full' ? [] : forLeft, context),
    right: simplify(node.right, kind === 'full' || kind === 'anti' ? [] : forRight, context),
  };
}
