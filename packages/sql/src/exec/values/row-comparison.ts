/** `(a, b) < (c, d)`: the first pair that differs decides; a null before it makes the answer unknown. */
import type { EvaluationContext, ScalarFunction } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';

type Comparison = (left: Value, right: Value, context: EvaluationContext) => Value;

/** The comparison for a role; `strict` are the strict operators (< or >) of the pairs, `equality` their equality. */
export function compareRowValues(
  role: '<' | '<=' | '>' | '>=',
  strict: readonly ScalarFunction[],
  equality: readonly ScalarFunction[],
): (left: readonly Value[], right: readonly Value[], context: EvaluationContext) => boolean | null {
  const before = strict.map((f) => f.call as unknown as Comparison);
  const equal = equality.map((f) => f.call as unknown as Comparison);
  const orEqual = role === '<=' || role === '>=';
  return (left, right, context) => {
    for (let i = 0; i < before.length; i++) {
      const l = left[i];
      const r = right[i];
      if (l === null || r === null) return null;
      if ((equal[i] as Comparison)(l, r, context) === true) continue;
      return (before[i] as Comparison)(l, r, context) === true;
    }
    return orEqual;
  };
}
