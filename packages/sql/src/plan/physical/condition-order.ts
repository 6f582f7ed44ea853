/**
 * The order in which a scan tests its conditions: comparisons of columns with a few machine instructions come first, then
 * comparisons of texts, then everything else as it stands in the query. What comes forward cannot fail and tells nobody
 * anything, so it may stand before the conditions of policies too.
 */
import { comparisonOperator, isOwnOrder, isPlainText } from '../../exec/compile/intrinsics.js';
import type { Expression } from '../../expr/expression.js';
import { withoutRelabel } from '../../expr/walk.js';

const NUMBERS = 0;
const TEXTS = 1;
const OTHERS = 2;

/** The conditions, cheap ones first. */
export function cheapFirst(conditions: readonly Expression[]): readonly Expression[] {
  if (conditions.length < 2) return conditions;
  const classes = [NUMBERS, TEXTS, OTHERS].map((wanted) => conditions.filter((one) => classOf(one) === wanted));
  return classes.flat();
}

/** Whether the condition compares numbers or texts of columns, and does nothing else. */
export function isComparison(condition: Expression): boolean {
  return classOf(condition) !== OTHERS;
}

function classOf(condition: Expression): number {
  switch (condition.kind) {
    case 'call':
      if (comparisonOperator(condition) === undefined) return OTHERS;
      return Math.max(...condition.arguments.map(operandClass));
    case 'array-quantified': {
      const { left, array, role } = condition;
      const isList = array.kind === 'array' && array.elements.every((element) => element.kind === 'constant');
      return isList && role === '=' ? operandClass(left) : OTHERS;
    }
    case 'null-test':
      return condition.operand.kind === 'column' ? NUMBERS : OTHERS;
    default:
      return OTHERS;
  }
}

/** Of a column or what does not change from row to row. */
function operandClass(operand: Expression): number {
  const inner = withoutRelabel(operand);
  if (inner.kind !== 'column' && inner.kind !== 'constant' && inner.kind !== 'parameter') return OTHERS;
  if (isOwnOrder(operand.type.oid)) return NUMBERS;
  return isPlainText(operand.type) ? TEXTS : OTHERS;
}
