/** `x op ANY (array)` and ALL, three-valued. */
import type { Oid } from '@phantom/catalog';
import type { SqlArray } from '@phantom/codec';
import type { ArrayQuantified } from '../../expr/expression.js';
import type { CallTypes, EvaluationContext } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import { typeRef } from '../../types/type-refs.js';

/** A function that asks for neither context nor types has no parameters for them. */
type Comparison = (left: Value, right: Value, context: EvaluationContext, types: CallTypes) => Value;

/** The test of one comparison, given the type of the array's items; the array is not null, its items and `left` may be. */
export function quantifyArray(
  expression: ArrayQuantified,
  elementOid: Oid,
): (left: Value, array: SqlArray, context: EvaluationContext) => boolean | null {
  const { comparison, quantifier, type } = expression;
  const compare = comparison.call as unknown as Comparison;
  const types = { arguments: [expression.left.type, typeRef(elementOid)], result: type };
  const { strict } = comparison;
  const deciding = quantifier === 'any';
  return (left, array, context) => {
    const { items } = array;
    if (items.length === 0) return !deciding;
    if (strict && left === null) return null;
    let unknown = false;
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      const result = strict && item === null ? null : compare(left, item, context, types);
      if (result === deciding) return deciding;
      if (result === null) unknown = true;
    }
    return unknown ? null : !deciding;
  };
}
