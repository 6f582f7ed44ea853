/**
 * Assignment to elements and slices of arrays: `set a[3] = x`, `set a[1:2] = array[x, y]`. A one-dimensional array grows in
 * both directions, nulls filling what lies between; one of more dimensions keeps its bounds. After array_set_element and
 * array_set_slice of PostgreSQL.
 */
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { checkArraySize } from '../types/array-type.js';
import type { Value } from '../types/type.js';

/** Bounds of one subscript; both are the same for a plain one. Undefined: the array's own bound. */
export interface AssignmentBounds {
  readonly low: number | undefined;
  readonly high: number | undefined;
}

function outOfRange(): PhantomError {
  return new PhantomError('2202E', 'array subscript out of range');
}

/** A new array that has exactly the elements assigned. */
function fresh(elementOid: number, lows: readonly number[], lengths: readonly number[], items: readonly Value[]) {
  const size = lengths.reduce((product, length) => product * length, 1);
  checkArraySize(size);
  return new SqlArray(elementOid, [...lengths], [...lows], [...items].slice(0, size));
}

/** So many items, those given from position `at` on and nulls around them. */
function widened(items: readonly Value[], at: number, length: number): Value[] {
  const all = new Array<Value>(length).fill(null);
  for (let i = 0; i < items.length; i++) all[at + i] = items[i];
  return all;
}

/** A one-dimensional array with items put at [low, low + items.length). */
function grow(array: SqlArray, low: number, items: readonly Value[]): SqlArray {
  const base = array.lowerBounds[0] as number;
  const end = base + (array.dimensions[0] as number);
  const newBase = Math.min(base, low);
  const newEnd = Math.max(end, low + items.length);
  checkArraySize(newEnd - newBase);
  const isInside = newBase === base && newEnd === end;
  const all = isInside ? array.items.slice() : widened(array.items, base - newBase, newEnd - newBase);
  for (let i = 0; i < items.length; i++) all[low - newBase + i] = items[i];
  return new SqlArray(array.elementOid, [all.length], [newBase], all);
}

/** The array (null: none yet) with one element set. */
export function assignElement(
  array: SqlArray | null,
  elementOid: number,
  subscripts: readonly number[],
  value: Value,
): SqlArray {
  if (array === null || array.dimensions.length === 0) {
    return fresh(
      elementOid,
      subscripts,
      subscripts.map(() => 1),
      [value],
    );
  }
  if (array.dimensions.length !== subscripts.length) {
    throw new PhantomError('2202E', 'wrong number of array subscripts');
  }
  if (subscripts.length === 1) return grow(array, subscripts[0] as number, [value]);
  let at = 0;
  subscripts.forEach((subscript, i) => {
    const offset = subscript - (array.lowerBounds[i] as number);
    const length = array.dimensions[i] as number;
    if (offset < 0 || offset >= length) throw outOfRange();
    at = at * length + offset;
  });
  return new SqlArray(
    array.elementOid,
    array.dimensions,
    array.lowerBounds,
    array.items.map((item, i) => (i === at ? value : item)),
  );
}

function checkOrder(low: number, high: number): void {
  if (low > high) throw new PhantomError('2202E', 'upper bound cannot be less than lower bound');
}

/** The array (null: none yet) with a slice set from another array's elements; a null source changes nothing. */
export function assignSlice(
  array: SqlArray | null,
  elementOid: number,
  bounds: readonly AssignmentBounds[],
  source: SqlArray | null,
): SqlArray | null {
  if (source === null) return array;
  if (array === null || array.dimensions.length === 0) return freshSlice(elementOid, bounds, source);
  if (array.dimensions.length < bounds.length) throw new PhantomError('2202E', 'wrong number of array subscripts');
  const lows: number[] = [];
  const highs: number[] = [];
  array.dimensions.forEach((length, i) => {
    const base = array.lowerBounds[i] as number;
    const low = bounds[i]?.low ?? base;
    const high = bounds[i]?.high ?? base + length - 1;
    checkOrder(low, high);
    if (array.dimensions.length > 1 && (low < base || high >= base + length)) throw outOfRange();
    lows.push(low);
    highs.push(high);
  });
  const size = lows.reduce((product, low, i) => product * ((highs[i] as number) - low + 1), 1);
  if (source.items.length < size) throw new PhantomError('2202E', 'source array too small');
  if (array.dimensions.length === 1) return grow(array, lows[0] as number, source.items.slice(0, size));
  const items = [...array.items];
  let next = 0;
  const walk = (dimension: number, at: number): void => {
    if (dimension === lows.length) {
      items[at] = source.items[next++] as Value;
      return;
    }
    const base = array.lowerBounds[dimension] as number;
    const length = array.dimensions[dimension] as number;
    for (let i = lows[dimension] as number; i <= (highs[dimension] as number); i++) {
      walk(dimension + 1, at * length + i - base);
    }
  };
  walk(0, 0);
  return new SqlArray(array.elementOid, array.dimensions, array.lowerBounds, items);
}

function freshSlice(elementOid: number, bounds: readonly AssignmentBounds[], source: SqlArray): SqlArray {
  const lows: number[] = [];
  const lengths: number[] = [];
  for (const { low, high } of bounds) {
    if (low === undefined || high === undefined) {
      throw new PhantomError('2202E', 'array slice subscript must provide both boundaries', {
        detail: 'When assigning to a slice of an empty array value, slice boundaries must be fully specified.',
      });
    }
    checkOrder(low, high);
    lows.push(low);
    lengths.push(high - low + 1);
  }
  const size = lengths.reduce((product, length) => product * length, 1);
  if (source.items.length < size) throw new PhantomError('2202E', 'source array too small');
  return fresh(elementOid, lows, lengths, source.items);
}
