/**
 * Writes that one writer has put aside on disk because its memory does not hold them: they are nobody else's yet, survive no
 * restart and are never synced. An engine keeps them in files of its own kind (KvEngine.spill), so that they are found by
 * filters and indexes and read through its cache; keys may be of any engine.
 *
 * Every operation has a place, a number that rises from each to the next. A reader sees the operations before a limit, and
 * what lies behind a place can be forgotten:
 *
 *   run 1  [ 8 ... 900 )    run 2  [ 900 ... 1700 )    run 3  [ 1700 ... 2500 )     places
 *                                         ▲                          ▲
 *                             truncate(1300): run 3 goes      limit 2000: of run 3
 *                             and run 2 ends there            only what lies before
 *
 * A run whose puts came in the order of their keys may be what a bulk load would have made: an engine can take its file over as it
 * is (`takeReady`), and nothing is written twice.
 */
import type { ByteSlot, KvCursor, ReadyRun } from './engine.js';
import type { KeyRange } from './key-range.js';
import type { EngineCode } from './space.js';

/** What is known of a key by writes that are not everybody's. */
export const Written = { Unknown: 0, Put: 1, Removed: 2 } as const;
export type Written = (typeof Written)[keyof typeof Written];

/**
 * Takes the operations of one run: keys ascend, and the operations on one key come youngest first. The bytes are copied. The disk
 * may refuse any of them, with 53100 or 58030; until `end` has returned nothing of the run counts.
 */
export interface SpillWriter {
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    place: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void;
  remove(key: Uint8Array, keyStart: number, keyEnd: number, place: number): void;
  /** Removes the keys in [lower, upper) as of the place; in any order. The bytes must not change. */
  removeRange(lower: Uint8Array, upper: Uint8Array, place: number): void;
  /** The operations count from now on. */
  end(): void;
  /** Removes what was written. No effect on a run that has ended. Never throws. */
  discard(): void;
}

/** Walks what is left of each key, in their order. Key and value are valid until the next call. */
export interface SpilledEntries {
  readonly key: ByteSlot;
  /** Empty for a removal. */
  readonly value: ByteSlot;
  readonly isRemoved: boolean;
  next(): boolean;
  close(): void;
}

export interface SpilledWrites {
  /** Of the engine in whose directory the files are. */
  readonly engine: EngineCode;
  /** On disk. */
  readonly bytes: number;
  readonly runs: number;
  /**
   * Begins a run of operations whose places lie in [from, to), behind all others. Another may be begun behind it before it has ended;
   * they end in the same order. `isInOrder` promises that all are puts without notes, back to back from `from` on, each of a
   * greater key than the one before.
   */
  begin(from: number, to: number, isInOrder?: boolean): SpillWriter;
  /** True when the key sorts behind every one that was put aside, and behind every range that was removed. */
  isBehind(key: Uint8Array, start: number, end: number): boolean;
  /** What the operations before the limit say of a key; `value` is filled when it is there. */
  lookup(key: Uint8Array, start: number, end: number, limit: number, value: ByteSlot): Written;
  /** Lays the operations before the limit over a cursor of the range, which belongs to the one returned. That one shows them until it is closed, whatever becomes of them. */
  cursorOver(below: KvCursor, range: KeyRange, limit: number): KvCursor;
  /** Whether an operation is on a key of the range, or removes a range that reaches into it. */
  touches(range: KeyRange): boolean;
  /**
   * Splits off the runs that the engine can take over as they are: `entries` leaves them out afterwards. They go with the others when
   * all is closed, unless they were kept.
   */
  takeReady(): readonly ReadyRun[];
  entries(): SpilledEntries;
  /** The removed ranges: what lay below them is gone, what `entries` shows stands. */
  removedRanges(): readonly { readonly lower: Uint8Array; readonly upper: Uint8Array }[];
  /** Forgets the operations from a place on. */
  truncate(place: number): void;
  /** Removes everything, what cursors show once they are closed. Never throws; safe to call twice. */
  close(): void;
}
