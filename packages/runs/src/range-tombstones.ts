/**
 * The range removals of a delta, as they come in. Keys are cut into fragments at every lower and upper end; a fragment
 * lists the removals that cover it, oldest first, so "what covers this key" is one binary search.
 *
 *     removals     1 [==========)
 *                  2      [===========)
 *     bounds         |    |     |     |
 *     covered by       1   1,2    2     nobody
 *
 * Within a delta the order of time is the order of places in its arena: a removal hides the versions whose operation lies
 * before its own, which also decides between operations of one batch.
 *
 * Nested removals make long lists: n of them take up to n * n / 2 numbers, which `bytes` counts, so that a delta with too
 * many of them is full and freezes like any other.
 */
import { compareBytes, compareKeys } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { RangeTombstone } from './layer.js';

const NO_TOMBSTONES: readonly RangeTombstone[] = [];
/** What a removal takes besides its keys: an object, two fragments. */
const TOMBSTONE_BYTES = 200;
const COVER_BYTES = 8;

/** A range removal and the place of its operation. */
export interface PlacedTombstone extends RangeTombstone {
  readonly operation: number;
}

export class RangeTombstones {
  /** In order of time. */
  private readonly tombstones: PlacedTombstone[] = [];
  /** Where fragments begin; the last one is the end of the last fragment. */
  private readonly bounds: Uint8Array[] = [];
  /** Per fragment the indexes of the removals that cover it, rising. */
  private readonly covers: number[][] = [];
  private sorted: readonly RangeTombstone[] | undefined;
  /** Bytes in use, about. */
  bytes = 0;

  get count(): number {
    return this.tombstones.length;
  }

  /** Everything that was added, in order of time: what `attach` in another thread is given. */
  placed(): readonly PlacedTombstone[] {
    return this.tombstones;
  }

  /** Adds a removal younger than all others. An empty range is none. Keeps the arrays. */
  add(lower: Uint8Array, upper: Uint8Array, seq: Seq, operation: number): void {
    if (compareKeys(lower, upper) >= 0) return;
    const index = this.tombstones.length;
    this.tombstones.push({ lower, upper, seq, operation });
    this.sorted = undefined;
    const from = this.cut(lower);
    const to = this.cut(upper);
    for (let i = from; i < to; i++) (this.covers[i] as number[]).push(index);
    this.bytes += TOMBSTONE_BYTES + lower.length + upper.length + (to - from) * COVER_BYTES;
  }

  /** Place of the youngest removal at or below `seq` that covers the key; -1 when none does. */
  newestOperation(key: Uint8Array, start: number, end: number, seq: Seq): number {
    const { bounds } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const bound = bounds[middle] as Uint8Array;
      if (compareBytes(bound, 0, bound.length, key, start, end) <= 0) low = middle + 1;
      else high = middle;
    }
    const cover = this.covers[low - 1];
    if (cover === undefined) return -1;
    for (let i = cover.length - 1; i >= 0; i--) {
      const tombstone = this.tombstones[cover[i] as number] as PlacedTombstone;
      if (tombstone.seq <= seq) return tombstone.operation;
    }
    return -1;
  }

  /** Those at or below `seq`, sorted by lower end, then by falling seq. */
  list(seq: Seq): readonly RangeTombstone[] {
    const newest = this.tombstones.at(-1);
    if (newest === undefined) return NO_TOMBSTONES;
    this.sorted ??= [...this.tombstones].sort((a, b) => compareKeys(a.lower, b.lower) || b.seq - a.seq);
    if (newest.seq <= seq) return this.sorted;
    const visible = this.sorted.filter((tombstone) => tombstone.seq <= seq);
    return visible.length === 0 ? NO_TOMBSTONES : visible;
  }

  /** Index of the fragment that begins at a key, made by cutting the one that holds it. */
  private cut(key: Uint8Array): number {
    const { bounds, covers } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(bounds[middle] as Uint8Array, key) < 0) low = middle + 1;
      else high = middle;
    }
    const there = bounds[low];
    if (there !== undefined && compareKeys(there, key) === 0) return low;
    const around = low === 0 ? [] : (covers[low - 1] as number[]).slice();
    bounds.splice(low, 0, key);
    covers.splice(low, 0, around);
    this.bytes += around.length * COVER_BYTES;
    return low;
  }
}
