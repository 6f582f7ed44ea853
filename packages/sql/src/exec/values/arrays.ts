/** ARRAY[...] at run time. */
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import type { Expression } from '../../expr/expression.js';
import type { Value } from '../../types/type.js';

/** The array that an expression is in every execution; undefined when it has an element that is not constant. */
export function constantArray(expression: Expression): SqlArray | undefined {
  if (expression.kind !== 'array' || expression.nested) return undefined;
  const items: Value[] = [];
  for (const element of expression.elements) {
    if (element.kind !== 'constant') return undefined;
    items.push(element.value);
  }
  return makeArray(items, expression.elementOid);
}

/** A one-dimensional array of the items. */
export function makeArray(items: readonly Value[], elementOid: number): SqlArray {
  return SqlArray.of(elementOid, items);
}

function differentShapes(): PhantomError {
  return new PhantomError('2202E', 'multidimensional arrays must have array expressions with matching dimensions');
}

/** An array of arrays: one dimension more than they have. Nulls and empty arrays count as empty. */
export function nestArrays(arrays: readonly Value[], elementOid: number): SqlArray {
  const inner = arrays.filter((array): array is SqlArray => array !== null);
  const [first] = inner;
  if (first === undefined || first.dimensions.length === 0) {
    if (inner.some((array) => array.dimensions.length > 0)) throw differentShapes();
    return SqlArray.of(elementOid, []);
  }
  const items: Value[] = [];
  if (inner.length !== arrays.length) throw differentShapes();
  for (const array of inner) {
    const same =
      array.dimensions.length === first.dimensions.length &&
      array.dimensions.every((length, i) => length === first.dimensions[i]) &&
      array.lowerBounds.every((bound, i) => bound === first.lowerBounds[i]);
    if (!same) throw differentShapes();
    for (const item of array.items) items.push(item);
  }
  return new SqlArray(elementOid, [inner.length, ...first.dimensions], [1, ...first.lowerBounds], items);
}
