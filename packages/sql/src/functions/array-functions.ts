/** Array operators and functions. Elements are compared by their type's order, which the context finds. */
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { ARRAY_DIMENSIONS_MAX, checkArraySize, gathered, parseArray } from '../types/array-type.js';
import { TypeOid } from '../types/type-oids.js';
import type { SqlType, Value } from '../types/type.js';
import { type Implementation, type Implementations, scalar, setOf } from './implementation.js';
import type { CallTypes, EvaluationContext } from './registry.js';

function elementType(oid: number, context: EvaluationContext): SqlType {
  const type = context.types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with OID ${oid} does not exist`);
  return type;
}

/** Equality of elements; 42883 where the type has none. */
function equality(oid: number, context: EvaluationContext): (a: Value, b: Value) => boolean {
  const { compare, displayName } = elementType(oid, context);
  if (compare === undefined) {
    throw new PhantomError('42883', `could not identify an equality operator for type ${displayName}`);
  }
  return (a, b) => (a === null || b === null ? a === b : compare(a, b) === 0);
}

function empty(elementOid: number): SqlArray {
  return new SqlArray(elementOid, [], [], []);
}

function elementOidOf(types: CallTypes, context: EvaluationContext): number {
  return context.types.byOid(types.result.oid)?.elementOid ?? TypeOid.text;
}

function tooManyDimensions(count: number): PhantomError {
  return new PhantomError(
    '54000',
    `number of array dimensions (${count}) exceeds the maximum allowed (${ARRAY_DIMENSIONS_MAX})`,
  );
}

function append(array: SqlArray | null, item: Value, context: EvaluationContext, types: CallTypes): SqlArray {
  if (array === null || array.dimensions.length === 0) {
    const oid = array?.elementOid ?? elementOidOf(types, context);
    return new SqlArray(oid, [1], [array?.lowerBounds[0] ?? 1], [item]);
  }
  if (array.dimensions.length !== 1) {
    throw new PhantomError('22000', 'argument must be empty or one-dimensional array');
  }
  return new SqlArray(array.elementOid, [array.items.length + 1], array.lowerBounds, [...array.items, item]);
}

function prepend(item: Value, array: SqlArray | null, context: EvaluationContext, types: CallTypes): SqlArray {
  if (array === null || array.dimensions.length === 0) {
    return new SqlArray(array?.elementOid ?? elementOidOf(types, context), [1], [1], [item]);
  }
  if (array.dimensions.length !== 1) {
    throw new PhantomError('22000', 'argument must be empty or one-dimensional array');
  }
  return new SqlArray(array.elementOid, [array.items.length + 1], array.lowerBounds, [item, ...array.items]);
}

function incompatible(detail: string): PhantomError {
  return new PhantomError('2202E', 'cannot concatenate incompatible arrays', { detail });
}

/** Lengths and lower bounds from a dimension on: what arrays have to share to lie beside each other. */
function shapeText(array: SqlArray, from: number): string {
  return `${array.dimensions.slice(from).join()} from ${array.lowerBounds.slice(from).join()}`;
}

/**
 * Arrays as one of one dimension more, for array_agg and ARRAY (SELECT ...): null without any; 22004 and 2202E for those that
 * do not fit together.
 */
export function stackArrays(arrays: readonly (SqlArray | null)[]): SqlArray | null {
  const layers: SqlArray[] = [];
  for (const array of arrays) {
    if (array === null) throw new PhantomError('22004', 'cannot accumulate null arrays');
    if (array.dimensions.length === 0) throw new PhantomError('2202E', 'cannot accumulate empty arrays');
    const [first] = layers;
    if (first !== undefined && shapeText(array, 0) !== shapeText(first, 0)) {
      throw new PhantomError('2202E', 'cannot accumulate arrays of different dimensionality');
    }
    layers.push(array);
  }
  const [first] = layers;
  if (first === undefined) return null;
  checkArraySize(layers.length * first.items.length);
  const items = layers.flatMap((array) => array.items);
  return new SqlArray(first.elementOid, [layers.length, ...first.dimensions], [1, ...first.lowerBounds], items);
}

/** Arrays of one shape, or an array and one of its slices. */
function concatenate(a: SqlArray | null, b: SqlArray | null): SqlArray | null {
  if (a === null) return b;
  if (b === null) return a;
  if (a.dimensions.length === 0) return b;
  if (b.dimensions.length === 0) return a;
  const difference = a.dimensions.length - b.dimensions.length;
  checkArraySize(a.items.length + b.items.length);
  const items = [...a.items, ...b.items];
  if (difference === 0) {
    if (shapeText(a, 1) !== shapeText(b, 1)) {
      throw incompatible('Arrays with differing element dimensions are not compatible for concatenation.');
    }
    const length = (a.dimensions[0] as number) + (b.dimensions[0] as number);
    return new SqlArray(a.elementOid, [length, ...a.dimensions.slice(1)], a.lowerBounds, items);
  }
  const [large, small] = difference > 0 ? [a, b] : [b, a];
  if (Math.abs(difference) !== 1) {
    throw incompatible(
      `Arrays of ${a.dimensions.length} and ${b.dimensions.length} dimensions are not compatible for concatenation.`,
    );
  }
  if (shapeText(large, 1) !== shapeText(small, 0)) {
    throw incompatible('Arrays with differing dimensions are not compatible for concatenation.');
  }
  const length = (large.dimensions[0] as number) + 1;
  return new SqlArray(a.elementOid, [length, ...large.dimensions.slice(1)], large.lowerBounds, items);
}

function dims(array: SqlArray): string | null {
  if (array.dimensions.length === 0) return null;
  return array.dimensions
    .map((length, i) => `[${array.lowerBounds[i] as number}:${(array.lowerBounds[i] as number) + length - 1}]`)
    .join('');
}

function positionsOf(array: SqlArray, item: Value, context: EvaluationContext): number[] {
  if (array.dimensions.length > 1) {
    throw new PhantomError('0A000', 'searching for elements in multidimensional arrays is not supported');
  }
  const equal = equality(array.elementOid, context);
  const first = array.lowerBounds[0] ?? 1;
  const found: number[] = [];
  array.items.forEach((other, i) => {
    if (equal(other, item)) found.push(first + i);
  });
  return found;
}

function position(
  array: SqlArray | null,
  item: Value,
  start: number | null,
  context: EvaluationContext,
): number | null {
  if (array === null) return null;
  if (start === null) throw new PhantomError('22004', 'initial position must not be null');
  return positionsOf(array, item, context).find((at) => at >= start) ?? null;
}

function remove(array: SqlArray | null, item: Value, context: EvaluationContext): SqlArray | null {
  if (array === null) return null;
  if (array.dimensions.length > 1) {
    throw new PhantomError('0A000', 'removing elements from multidimensional arrays is not supported');
  }
  const equal = equality(array.elementOid, context);
  const items = array.items.filter((other) => !equal(other, item));
  if (items.length === array.items.length) return array;
  return items.length === 0
    ? empty(array.elementOid)
    : new SqlArray(array.elementOid, [items.length], array.lowerBounds, items);
}

function replace(array: SqlArray | null, from: Value, to: Value, context: EvaluationContext): SqlArray | null {
  if (array === null) return null;
  const equal = equality(array.elementOid, context);
  const items = array.items.map((other) => (equal(other, from) ? to : other));
  return new SqlArray(array.elementOid, array.dimensions, array.lowerBounds, items);
}

function containsAll(large: SqlArray, small: SqlArray, context: EvaluationContext): boolean {
  const equal = equality(large.elementOid, context);
  return small.items.every(
    (item) => item !== null && large.items.some((other) => other !== null && equal(item, other)),
  );
}

function overlap(a: SqlArray, b: SqlArray, context: EvaluationContext): boolean {
  const equal = equality(a.elementOid, context);
  return a.items.some((item) => item !== null && b.items.some((other) => other !== null && equal(item, other)));
}

function bounds(array: SqlArray, dimension: number): { lower: number; length: number } | undefined {
  if (dimension < 1 || dimension > array.dimensions.length) return undefined;
  return { lower: array.lowerBounds[dimension - 1] as number, length: array.dimensions[dimension - 1] as number };
}

function fill(
  item: Value,
  lengths: SqlArray | null,
  lowers: SqlArray | null,
  context: EvaluationContext,
  types: CallTypes,
): SqlArray {
  if (lengths === null) throw new PhantomError('22004', 'dimension array or low bound array cannot be null');
  const elementOid = elementOidOf(types, context);
  if (lengths.dimensions.length > 1) {
    throw new PhantomError('2202E', 'wrong number of array subscripts', {
      detail: 'Dimension array must be one dimensional.',
    });
  }
  if (lengths.items.includes(null)) throw new PhantomError('22004', 'dimension values cannot be null');
  const sizes = lengths.items as number[];
  if (sizes.length > ARRAY_DIMENSIONS_MAX) throw tooManyDimensions(sizes.length);
  if (lowers !== null) {
    if (lowers.dimensions.length > 1) {
      throw new PhantomError('2202E', 'wrong number of array subscripts', {
        detail: 'Dimension array must be one dimensional.',
      });
    }
    if (lowers.items.length !== sizes.length) {
      throw new PhantomError('2202E', 'wrong number of array subscripts', {
        detail: 'Low bound array has different size than dimensions array.',
      });
    }
    if (lowers.items.includes(null)) throw new PhantomError('22004', 'dimension values cannot be null');
  }
  if (sizes.length === 0) return empty(elementOid);
  const count = sizes.reduce((product, size) => product * size, 1);
  checkArraySize(sizes.some((size) => size < 0) ? Number.POSITIVE_INFINITY : count);
  if (count === 0) return empty(elementOid);
  const starts = lowers === null ? sizes.map(() => 1) : (lowers.items as number[]);
  return new SqlArray(elementOid, sizes, starts, new Array<Value>(count).fill(item));
}

function trimArray(array: SqlArray, count: number): SqlArray {
  const length = array.dimensions[0] ?? 0;
  if (count < 0 || count > length) {
    throw new PhantomError('2202E', `number of elements to trim must be between 0 and ${length}`);
  }
  if (count === length) return empty(array.elementOid);
  const kept = (array.items.length / length) * (length - count);
  // A slice counts from 1 again.
  return new SqlArray(
    array.elementOid,
    [length - count, ...array.dimensions.slice(1)],
    array.dimensions.map(() => 1),
    array.items.slice(0, kept),
  );
}

function subscripts(array: SqlArray, dimension: number, reverse: boolean): number[] {
  const found = bounds(array, dimension);
  if (found === undefined) return [];
  const list = Array.from({ length: found.length }, (_, i) => found.lower + i);
  return reverse ? list.reverse() : list;
}

/** array_to_string: nulls are left out unless a text for them is given. */
function joinItems(array: SqlArray, separator: string, nullText: string | null, context: EvaluationContext): string {
  const type = elementType(array.elementOid, context);
  const parts: string[] = [];
  for (const item of array.items) {
    if (item !== null) parts.push(type.output(item, context));
    else if (nullText !== null) parts.push(nullText);
  }
  return parts.join(separator);
}

/** string_to_array: without a separator every character is an item; `nullText` becomes null. */
function* splitText(text: string, separator: string | null, nullText: string | null): Iterable<string | null> {
  if (text === '') return;
  for (const part of partsOf(text, separator)) yield part === nullText ? null : part;
}

function* partsOf(text: string, separator: string | null): Iterable<string> {
  if (separator === null) {
    yield* text;
    return;
  }
  let at = 0;
  if (separator !== '') {
    for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, at)) {
      yield text.slice(at, end);
      at = end + separator.length;
    }
  }
  yield text.slice(at);
}

function textArray(text: string | null, separator: string | null, nullText: string | null): SqlArray | null {
  return text === null ? null : SqlArray.of(TypeOid.text, gathered(splitText(text, separator, nullText)));
}

/** Index of the greatest bound that is not above the operand; the array must be sorted. */
function bucketIn(operand: Value, thresholds: SqlArray, context: EvaluationContext): number {
  if (thresholds.dimensions.length > 1) throw new PhantomError('2202E', 'thresholds must be one-dimensional array');
  if (thresholds.items.includes(null)) throw new PhantomError('22004', 'thresholds array must not contain NULLs');
  const { compare } = elementType(thresholds.elementOid, context);
  let low = 0;
  let high = thresholds.items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((compare as (a: Value, b: Value) => number)(operand, thresholds.items[middle]) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function typed(call: (...args: never[]) => Value): Implementation {
  return scalar(call, { context: true, types: true });
}

function contextual(call: (...args: never[]) => Value): Implementation {
  return scalar(call, { context: true });
}

/** Array literals by function: array_in(text, element, typmod). */
function arrayIn(text: string, elementOid: number, typmod: number, context: EvaluationContext): SqlArray {
  const type = elementType(elementOid, context);
  return parseArray(text, elementOid, (item) => type.input(item, typmod, context));
}

/** Elements of an array with their places from 1; of an array of arrays only the places. */
function numbered({ items, dimensions }: SqlArray): Value[][] {
  if (dimensions.length < 2) return items.map((item, i) => [item, i + 1]);
  return Array.from({ length: dimensions[0] as number }, (_, i) => [null, i + 1]);
}

export const arrayFunctions: Implementations = {
  array_append: typed(append),
  array_prepend: typed(prepend),
  array_cat: concatenate,
  array_ndims: (array: SqlArray) => (array.dimensions.length === 0 ? null : array.dimensions.length),
  array_dims: dims,
  array_lower: (array: SqlArray, dimension: number) => bounds(array, dimension)?.lower ?? null,
  array_upper: (array: SqlArray, dimension: number) => {
    const found = bounds(array, dimension);
    return found === undefined ? null : found.lower + found.length - 1;
  },
  array_length: (array: SqlArray, dimension: number) => bounds(array, dimension)?.length ?? null,
  array_cardinality: (array: SqlArray) => array.items.length,
  array_position: contextual((array: SqlArray | null, item: Value, context: EvaluationContext) =>
    position(array, item, Number.NEGATIVE_INFINITY, context),
  ),
  array_position_start: contextual(position),
  array_positions: contextual((array: SqlArray | null, item: Value, context: EvaluationContext) =>
    array === null ? null : SqlArray.of(TypeOid.int4, positionsOf(array, item, context)),
  ),
  array_remove: contextual(remove),
  array_replace: contextual(replace),
  arraycontains: contextual(containsAll),
  arraycontained: contextual((small: SqlArray, large: SqlArray, context: EvaluationContext) =>
    containsAll(large, small, context),
  ),
  arrayoverlap: contextual(overlap),
  array_fill: typed((item: Value, lengths: SqlArray | null, context: EvaluationContext, types: CallTypes) =>
    fill(item, lengths, null, context, types),
  ),
  array_fill_with_lower_bounds: typed(
    (item: Value, lengths: SqlArray | null, lowers: SqlArray | null, context: EvaluationContext, types: CallTypes) => {
      if (lowers === null) throw new PhantomError('22004', 'dimension array or low bound array cannot be null');
      return fill(item, lengths, lowers, context, types);
    },
  ),
  trim_array: trimArray,
  array_to_text: contextual((array: SqlArray, separator: string, context: EvaluationContext) =>
    joinItems(array, separator, null, context),
  ),
  array_to_text_null: contextual(
    (array: SqlArray | null, separator: string | null, nullText: string | null, context: EvaluationContext) =>
      array === null || separator === null ? null : joinItems(array, separator, nullText, context),
  ),
  text_to_array: (text: string | null, separator: string | null) => textArray(text, separator, null),
  text_to_array_null: textArray,
  text_to_table: setOf((text: string | null, separator: string | null) =>
    text === null ? [] : splitText(text, separator, null),
  ),
  text_to_table_null: setOf((text: string | null, separator: string | null, nullText: string | null) =>
    text === null ? [] : splitText(text, separator, nullText),
  ),
  array_expand: setOf(numbered),
  array_unnest: setOf((array: SqlArray) => array.items),
  generate_subscripts: setOf(subscripts),
  generate_subscripts_nodir: setOf((array: SqlArray, dimension: number) => subscripts(array, dimension, false)),
  width_bucket_array: contextual(bucketIn),
  array_in: contextual(arrayIn),
};
