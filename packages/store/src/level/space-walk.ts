/**
 * Walking a range of a single space by hand, in one direction, with jumps: what Level's iterators do. Keys and values that
 * it hands out are copies.
 */
import { compareBytes } from '@phantom/base';
import { CursorBatch, type EngineCode, type KeyRange, type KvCursor, SPACE_BYTES } from '@phantom/kv';
import { CopyPool } from '../copy-pool.js';
import { type RangeOptions, SpaceKeys } from '../space-keys.js';
import type { StoreView } from '../types.js';

/** Entries fetched at once. */
const BATCH_ENTRIES_MAX = 128;

const NO_BYTES = new Uint8Array(0);

export class SpaceWalk {
  /** Key and value of the present entry, while the last `next` returned true. */
  key: Uint8Array = NO_BYTES;
  value: Uint8Array = NO_BYTES;
  private readonly view: StoreView;
  private readonly keys: SpaceKeys;
  private readonly range: KeyRange;
  private readonly reverse: boolean;
  private readonly copies = new CopyPool();
  private cursor: KvCursor | undefined = undefined;
  private batch: CursorBatch | undefined = undefined;
  /** The cursor stands on an entry that was not handed out. */
  private isAhead = false;
  private isOutside = false;
  private isClosed = false;

  /** Takes the view over: `close` releases it. */
  constructor(view: StoreView, code: EngineCode, bounds: RangeOptions, reverse: boolean) {
    this.view = view;
    this.keys = new SpaceKeys(code);
    this.reverse = reverse;
    try {
      this.range = this.keys.rangeOf(bounds);
    } catch (error) {
      view.release();
      throw error;
    }
  }

  /** To the next entry of the walk; false at its end. Copies the key, the value, or both. */
  next(wantsKey: boolean, wantsValue: boolean): boolean {
    if (!this.move()) return false;
    const { key, value } = this.open();
    this.key = wantsKey ? this.copies.copy(key.buffer, key.start + SPACE_BYTES, key.end) : NO_BYTES;
    this.value = wantsValue ? this.copies.copy(value.buffer, value.start, value.end) : NO_BYTES;
    return true;
  }

  /** The keys of so many of the following entries at most; none at the end. */
  keysOf(entriesMax: number): Uint8Array[] {
    return this.take(entriesMax, true, false, (key) => key);
  }

  /** What `make` makes of so many of the following entries at most; empty only at the end. */
  take<T>(
    entriesMax: number,
    wantsKey: boolean,
    wantsValue: boolean,
    make: (key: Uint8Array, value: Uint8Array) => T,
  ): T[] {
    const made: T[] = [];
    while (made.length < entriesMax) {
      if (this.reverse || this.isAhead || this.isOutside || entriesMax - made.length < 2) {
        if (!this.next(wantsKey, wantsValue)) break;
        made.push(make(this.key, this.value));
      } else if (!this.fill(made, entriesMax, wantsKey, wantsValue, make)) {
        break;
      }
    }
    return made;
  }

  /**
   * The next entry is the first one at or behind a key of the user; in a reverse walk the last one at or before it. A key
   * outside the range ends the walk.
   */
  seek(target: Uint8Array): void {
    const { keys, range, reverse } = this;
    keys.set(target);
    const { lower, upper = NO_BYTES } = range;
    const { buffer, length } = keys;
    this.isAhead = false;
    this.isOutside =
      compareBytes(buffer, 0, length, lower, 0, lower.length) < 0 ||
      compareBytes(buffer, 0, length, upper, 0, upper.length) >= 0;
    if (this.isOutside) return;
    const cursor = this.open();
    if (reverse) {
      const behind = keys.rangeOf({ lte: target }).upper as Uint8Array;
      this.isAhead = cursor.seekBefore(behind, 0, behind.length);
    } else {
      this.isAhead = cursor.seek(buffer, 0, length);
    }
    this.isOutside = !this.isAhead;
  }

  /** Lets go of the view; safe to call twice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cursor?.close();
    this.view.release();
  }

  private move(): boolean {
    if (this.isOutside) return false;
    if (this.isAhead) {
      this.isAhead = false;
      return true;
    }
    const cursor = this.open();
    return this.reverse ? cursor.prev() : cursor.next();
  }

  /** Adds what follows, up to a batch; false at the end. */
  private fill<T>(
    made: T[],
    entriesMax: number,
    wantsKey: boolean,
    wantsValue: boolean,
    make: (key: Uint8Array, value: Uint8Array) => T,
  ): boolean {
    const wanted = Math.min(entriesMax - made.length, BATCH_ENTRIES_MAX);
    if (this.batch?.capacity !== wanted) this.batch = new CursorBatch(wanted);
    const { batch, copies } = this;
    const count = this.open().fill(batch);
    for (let i = 0; i < count; i++) {
      const key = wantsKey
        ? copies.copy(batch.keyBuffers[i] as Uint8Array, batch.keyStarts[i]! + SPACE_BYTES, batch.keyEnds[i]!)
        : NO_BYTES;
      const value = wantsValue
        ? copies.copy(batch.valueBuffers[i] as Uint8Array, batch.valueStarts[i]!, batch.valueEnds[i]!)
        : NO_BYTES;
      made.push(make(key, value));
    }
    return count > 0;
  }

  private open(): KvCursor {
    this.cursor ??= this.view.cursor(this.range);
    return this.cursor;
  }
}
