/** Array subscripts and slices: out of bounds is null, or an empty slice. */
import { SqlArray } from '@phantom/codec';
import { noFigureSlices, partOf } from '../../types/geometric-values.js';
import type { Value } from '../../types/type.js';

/** `array[i][j]`: null when a subscript is null, out of bounds, or there are too many or too few. */
export function elementAt(array: SqlArray | Uint8Array | string, subscripts: readonly Value[]): Value {
  if (typeof array === 'string') return characterAt(array, subscripts);
  if (array instanceof Uint8Array)
    return subscripts.length === 1 ? partOf(array, subscripts[0] as number | null) : null;
  if (subscripts.length !== array.dimensions.length) return null;
  let at = 0;
  for (let i = 0; i < subscripts.length; i++) {
    const subscript = subscripts[i];
    if (subscript === null) return null;
    const offset = (subscript as number) - (array.lowerBounds[i] as number);
    const length = array.dimensions[i] as number;
    if (offset < 0 || offset >= length) return null;
    at = at * length + offset;
  }
  return array.items[at] ?? null;
}

/** `name[i]`: PostgreSQL's type name is an array of characters to a subscript, counted from 0. */
function characterAt(name: string, subscripts: readonly Value[]): Value {
  const [at] = subscripts;
  return subscripts.length !== 1 || typeof at !== 'number' || at < 0 || at >= name.length ? null : name.charAt(at);
}

/** `array[a:b][c:d]`: pairs of bounds, undefined for a missing one; renumbered from 1. */
export function sliceOf(array: SqlArray | Uint8Array, bounds: readonly (Value | undefined)[]): Value {
  if (bounds.some((bound) => bound === null)) return null;
  if (array instanceof Uint8Array) throw noFigureSlices();
  const dimensions = bounds.length / 2;
  const empty = SqlArray.of(array.elementOid, []);
  if (array.dimensions.length === 0 || dimensions > array.dimensions.length) return empty;
  const lows: number[] = [];
  const lengths: number[] = [];
  for (let i = 0; i < array.dimensions.length; i++) {
    const base = array.lowerBounds[i] as number;
    const last = base + (array.dimensions[i] as number) - 1;
    const wantedLow = i < dimensions ? (bounds[2 * i] as number | undefined) : undefined;
    const wantedHigh = i < dimensions ? (bounds[2 * i + 1] as number | undefined) : undefined;
    const low = Math.max(wantedLow ?? base, base);
    const high = Math.min(wantedHigh ?? last, last);
    if (high < low) return empty;
    lows.push(low - base);
    lengths.push(high - low + 1);
  }
  const items: Value[] = [];
  const walk = (dimension: number, at: number): void => {
    if (dimension === lengths.length) {
      items.push(array.items[at]);
      return;
    }
    const length = array.dimensions[dimension] as number;
    for (let i = 0; i < (lengths[dimension] as number); i++) {
      walk(dimension + 1, at * length + (lows[dimension] as number) + i);
    }
  };
  walk(0, 0);
  return new SqlArray(
    array.elementOid,
    lengths,
    lengths.map(() => 1),
    items,
  );
}
