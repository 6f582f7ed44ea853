/** `x op ANY (array)` and ALL, three-valued. */
import type { SqlArray } from '@phantom/codec';
import type { EvaluationContext, ScalarFunction } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';

type Comparison = (left: Value, right: Value, context: EvaluationContext) => Value;

/** The test for one comparison function; the array is not null, its items and `left` may be. */
export function quantifyArray(
  comparison: ScalarFunction,
  quantifier: 'any' | 'all',
): (left: Value, array: SqlArray, context: EvaluationContext) => boolean | null {
  const compare = comparison.call as unknown as Comparison;
  const { strict } = comparison;
  const deciding = quantifier === 'any';
  return (left, array, context) => {
    const { items } = array;
    if (items.length === 0) return !deciding;
    if (strict && left === null) return null;
    let unknown = false;
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      const result = strict && item === null ? null : compare(left, item, context);
      if (result === deciding) return deciding;
      if (result === null) unknown = true;
    }
    return unknown ? null : !deciding;
  };
}
