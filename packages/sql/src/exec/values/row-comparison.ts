/** `(a, b) < (c, d)`: the first pair that differs decides; a null before it makes the answer unknown. */
import type { RowComparison } from '../../expr/expression.js';
import type { CallTypes, EvaluationContext, ScalarFunction } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';

/** A function that asks for neither context nor types has no parameters for them. */
type Comparison = (left: Value, right: Value, context: EvaluationContext, types: CallTypes) => Value;

/** The comparison for a role: the strict operators (< or >) of the pairs, and their equality. */
export function compareRowValues(
  expression: RowComparison,
): (left: readonly Value[], right: readonly Value[], context: EvaluationContext) => boolean | null {
  const { role, type } = expression;
  const calls = (functions: readonly ScalarFunction[]): Comparison[] =>
    functions.map((f) => f.call as unknown as Comparison);
  const before = calls(expression.lessThan);
  const equal = calls(expression.equality);
  const types = expression.left.map((left, i): CallTypes => {
    return { arguments: [left.type, expression.right[i]!.type], result: type };
  });
  const orEqual = role === '<=' || role === '>=';
  return (left, right, context) => {
    for (let i = 0; i < before.length; i++) {
      const l = left[i]!;
      const r = right[i]!;
      if (l === null || r === null) return null;
      if (equal[i]!(l, r, context, types[i]!) === true) continue;
      return before[i]!(l, r, context, types[i]!) === true;
    }
    return orEqual;
  };
}
