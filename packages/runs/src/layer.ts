/**
 * Layers: what a delta and a sorted run look like to the trees above them. A view is a stack of layers, newest first; a
 * tree's pages are the bottom. Each layer answers for the writes it holds and for nothing else.
 *
 *      newest   active delta        \
 *               frozen deltas        |  `get` goes down until a layer says Found or Removed;
 *               runs                 |  a merging cursor shows, per key, the entry of the highest layer that has one,
 *      oldest   pages of the tree   /   unless a range tombstone of a layer above covers it
 *
 * A key may have several versions in a layer, one per commit. For a view at seq s a layer shows the newest version with
 * version seq <= s, as if the younger ones were not there.
 *
 * Range tombstones, the one rule that everything here keeps:
 *   1. One of seq t, seen by a view at s >= t, hides every key of LOWER layers in [lower, upper).
 *   2. Within its own layer it hides versions with a seq below t. A version with the same seq t STANDS: where one batch
 *      writes a key and then removes a range around it, the delta has resolved that already (the version is not handed
 *      out), so equal seqs can only mean "written after the range was removed".
 *   3. `get` and cursors of a layer apply their own range tombstones themselves. Their reader applies those of the
 *      layers above, and only those.
 */
import type { ByteSlot, CursorBatch, KeyRange, RangeEstimate, Seq } from '@phantom/kv';
import type { KeyHash } from './filter.js';

/** What a layer knows about a key. Absent is zero so that `if (lookup)` means "stop here". */
export const Lookup = {
  /** Nothing: look in the layer below. */
  Absent: 0,
  /** The value slot is filled. */
  Found: 1,
  /** It is gone, by a tombstone or a range tombstone of this layer: stop. */
  Removed: 2,
} as const;
export type Lookup = (typeof Lookup)[keyof typeof Lookup];

/** Every key in [lower, upper) was removed at `seq`. The bytes belong to the layer and live as long as it does. */
export interface RangeTombstone {
  readonly lower: Uint8Array;
  /** Exclusive. A write batch always has an upper end, so there is no "end of all keys" here. */
  readonly upper: Uint8Array;
  readonly seq: Seq;
}

/** One storey of a view. Immutable once frozen; an active delta grows, but shows a view at s the same for ever. */
export interface Layer {
  /**
   * Looks a key up as of `seq`. Found fills `value` with bytes that stay valid as long as the caller does not reuse the
   * slot. Removed also when only a range tombstone of this layer covers the key.
   */
  get(key: Uint8Array, start: number, end: number, seq: Seq, value: ByteSlot): Lookup;
  /** As get, by a caller that asks several layers and has hashed the key already. */
  getHashed(key: Uint8Array, start: number, end: number, hash: KeyHash, seq: Seq, value: ByteSlot): Lookup;
  /** Walks the keys of this layer that have a version at `seq`, tombstones included. Close it. */
  cursor(range: KeyRange, seq: Seq): LayerCursor;
  /**
   * The range tombstones with tombstone seq <= `seq`, sorted by `lower`, then by falling seq. They may overlap. An empty
   * array in the usual case, always the same one, so asking per statement costs nothing.
   */
  rangeTombstones(seq: Seq): readonly RangeTombstone[];
  /** About how many keys, and bytes, a range holds. */
  estimate(range: KeyRange): RangeEstimate;
}

/**
 * Moves over the keys of one layer inside its range, in key order, and shows tombstones instead of hiding them. Before
 * its first move it stands nowhere: `next` goes to the first entry, `prev` to the last. After a move that returned false
 * it stands behind that end: the opposite move returns to the entry there.
 *
 * The bytes in `key` and `value` are borrowed until the next move, whatever is applied in between.
 */
export interface LayerCursor {
  readonly key: ByteSlot;
  /** Empty when `removed`. */
  readonly value: ByteSlot;
  /** The entry is a tombstone, or hidden by a range tombstone of its own layer. */
  readonly removed: boolean;
  /** To the first entry with key >= the given one (clamped into the range); false when there is none. */
  seek(key: Uint8Array, start: number, end: number): boolean;
  /** To the last entry with key < the given one (clamped into the range); false when there is none. */
  seekBefore(key: Uint8Array, start: number, end: number): boolean;
  next(): boolean;
  prev(): boolean;
  /**
   * Appends to the batch the present entry, which is alive, and living ones behind it as long as their keys lie below the
   * limit (undefined: no limit) and there is room, and stands on the last one appended. May stop early, but not before
   * the first. References stay valid until the next move that is not a fillBefore of the same batch.
   */
  fillBefore(batch: CursorBatch, limit: ByteSlot | undefined): void;
  /** Frees what the cursor holds; safe to call twice. */
  close(): void;
}

/** What a version is. Range tombstones are not versions: see Layer.rangeTombstones. */
export const VersionKind = { Put: 1, Remove: 2 } as const;
export type VersionKind = (typeof VersionKind)[keyof typeof VersionKind];

/**
 * Walks what a flush or a merge writes: keys ascending, and per key the versions to keep, newest first. Kept are the
 * newest version of all and, for each live view, the newest at or below its seq; never one that a range tombstone of the
 * same layer hides from everybody. Two versions of a key never have the same seq.
 */
export interface VersionCursor {
  /** Borrowed until the next call of `next`, like `value`. */
  readonly key: ByteSlot;
  /** Empty for a removal. */
  readonly value: ByteSlot;
  readonly seq: Seq;
  readonly kind: VersionKind;
  /** True when the current version is the first one of its key. */
  readonly firstOfKey: boolean;
  /** To the next version to keep; false at the end. */
  next(): boolean;
  /** Frees what the cursor holds; safe to call twice. */
  close(): void;
}
