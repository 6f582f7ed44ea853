/**
 * Which keys do range tombstones cover? Two answers for two askers:
 *
 *   RangeCover      one layer's own tombstones, cut at every end so that the pieces do not overlap; each piece knows the
 *                   seqs of all tombstones over it, newest first. Asked by `get` and cursors of that layer.
 *   KeyIntervals    the union of the tombstones of all layers above some layer: whatever lies inside is hidden, whatever
 *                   its seq. Asked by the merging cursor, which also jumps over whole intervals, and by the tree merge.
 *
 *      tombstones   [=====5=====)          [==2==)
 *                        [====9====)
 *      cover        [ 5 )[ 9,5 )[ 9 )      [  2  )
 *      intervals    [=================)    [=====)
 */
import { compareBytes, compareKeys } from '@phantom/base';
import type { KeyRange, Seq } from '@phantom/kv';
import type { RangeTombstone } from './layer.js';

/** Ordered, disjoint intervals of keys with a binary search. */
export class KeyIntervals {
  readonly lowers: readonly Uint8Array[];
  /** Exclusive. */
  readonly uppers: readonly Uint8Array[];

  constructor(lowers: readonly Uint8Array[], uppers: readonly Uint8Array[]) {
    this.lowers = lowers;
    this.uppers = uppers;
  }

  get count(): number {
    return this.lowers.length;
  }

  /** Index of the first interval whose upper end is above the key: the one that holds it, or the next one behind it. */
  firstEndingAfter(key: Uint8Array, start: number, end: number): number {
    let low = 0;
    let high = this.uppers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const upper = this.uppers[middle] as Uint8Array;
      if (compareBytes(upper, 0, upper.length, key, start, end) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Index of the interval that holds the key, -1 when none does. */
  find(key: Uint8Array, start: number, end: number): number {
    const index = this.firstEndingAfter(key, start, end);
    const lower = this.lowers[index];
    if (lower === undefined) return -1;
    return compareBytes(lower, 0, lower.length, key, start, end) <= 0 ? index : -1;
  }
}

/** The union of tombstones, overlapping and touching ones joined. */
export function unionOf(tombstones: readonly Pick<RangeTombstone, 'lower' | 'upper'>[]): KeyIntervals {
  const sorted = [...tombstones].sort((a, b) => compareKeys(a.lower, b.lower));
  const lowers: Uint8Array[] = [];
  const uppers: Uint8Array[] = [];
  for (const { lower, upper } of sorted) {
    if (compareKeys(lower, upper) >= 0) continue;
    const last = uppers.length - 1;
    if (last >= 0 && compareKeys(uppers[last] as Uint8Array, lower) >= 0) {
      if (compareKeys(upper, uppers[last] as Uint8Array) > 0) uppers[last] = upper;
    } else {
      lowers.push(lower);
      uppers.push(upper);
    }
  }
  return new KeyIntervals(lowers, uppers);
}

/** The tombstones of one layer as pieces that do not overlap. */
export class RangeCover {
  private readonly pieces: KeyIntervals;
  /** For each piece the seqs of the tombstones over it, falling. */
  private readonly seqs: readonly (readonly Seq[])[];

  constructor(tombstones: readonly RangeTombstone[]) {
    const cuts = tombstones.flatMap((tombstone) => [tombstone.lower, tombstone.upper]).sort(compareKeys);
    const sorted = [...tombstones].sort((a, b) => compareKeys(a.lower, b.lower));
    const lowers: Uint8Array[] = [];
    const uppers: Uint8Array[] = [];
    const seqs: Seq[][] = [];
    let open: RangeTombstone[] = [];
    let next = 0;
    for (let i = 0; i + 1 < cuts.length; i++) {
      const lower = cuts[i] as Uint8Array;
      const upper = cuts[i + 1] as Uint8Array;
      if (compareKeys(lower, upper) === 0) continue;
      open = open.filter((tombstone) => compareKeys(tombstone.upper, lower) > 0);
      for (; next < sorted.length && compareKeys((sorted[next] as RangeTombstone).lower, lower) <= 0; next++) {
        const tombstone = sorted[next] as RangeTombstone;
        if (compareKeys(tombstone.upper, lower) > 0) open.push(tombstone);
      }
      if (open.length === 0) continue;
      lowers.push(lower);
      uppers.push(upper);
      seqs.push(open.map((tombstone) => tombstone.seq).sort((a, b) => b - a));
    }
    this.pieces = new KeyIntervals(lowers, uppers);
    this.seqs = seqs;
  }

  /** Seq of the newest tombstone at or below `seq` that covers the key; -1 when none does. */
  newest(key: Uint8Array, start: number, end: number, seq: Seq): Seq {
    const index = this.pieces.find(key, start, end);
    if (index < 0) return -1;
    const seqs = this.seqs[index] as readonly Seq[];
    for (let i = 0; i < seqs.length; i++) if ((seqs[i] as Seq) <= seq) return seqs[i] as Seq;
    return -1;
  }
}

/** True when something that covers [lower, upper), a tombstone or a run, reaches into the range. */
export function overlaps(span: { readonly lower: Uint8Array; readonly upper: Uint8Array }, range: KeyRange): boolean {
  if (compareKeys(span.upper, range.lower) <= 0) return false;
  return range.upper === undefined || compareKeys(span.lower, range.upper) < 0;
}

/** Cuts a range at keys, ascending, of which those outside it and repeated ones are left out. */
export function cutRange(range: KeyRange, cuts: readonly Uint8Array[]): KeyRange[] {
  const ranges: KeyRange[] = [];
  let { lower } = range;
  for (const cut of cuts) {
    if (compareKeys(cut, lower) <= 0) continue;
    if (range.upper !== undefined && compareKeys(cut, range.upper) >= 0) break;
    ranges.push({ lower, upper: cut });
    lower = cut;
  }
  ranges.push({ lower, upper: range.upper });
  return ranges;
}
