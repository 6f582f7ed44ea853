/** ARRAY[...] at run time. */
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import type { Value } from '../../types/type.js';

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
      array.dimensions.every((length, i) => length === first.dimensions[i]);
    if (!same) throw differentShapes();
    for (const item of array.items) items.push(item);
  }
  return new SqlArray(elementOid, [inner.length, ...first.dimensions], [1, ...first.lowerBounds], items);
}
