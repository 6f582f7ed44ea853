/**
 * Walks the keys that a transaction has itself written, as they stood at an offset of its write set. It serves the merge
 * cursor, so it has no place of its own before or behind the entries: it stands on a key, or it does not.
 *
 * Insensitive to later writes: operations at or behind the limit are passed over, and a small write set, whose
 * operations are in no order, is put in order once, when the cursor is made.
 */
import { compareBytes } from '@phantom/base';
import { ArenaTreeCursor, type KeyRange, NONE } from '@phantom/kv';
import type { WriteSet } from './write-set.js';
import { isInRange } from './write-set.js';

export class OwnCursor {
  /** Offset of the operation it stands on. */
  offset: number = NONE;
  private readonly writes: WriteSet;
  private readonly range: KeyRange;
  private readonly limit: number;
  /** A small write set: offsets in key order, and the place among them. */
  private readonly offsets: readonly number[];
  private place = 0;
  /** A large one. */
  private readonly walk: ArenaTreeCursor | undefined;

  constructor(writes: WriteSet, range: KeyRange, limit: number) {
    this.writes = writes;
    this.range = range;
    this.limit = limit;
    const tree = writes.entries;
    this.walk = tree === undefined ? undefined : new ArenaTreeCursor(tree);
    this.offsets = tree === undefined ? writes.scannedInOrder(limit) : [];
  }

  /** To the first own key at or after the given one, inside the range. */
  seek(key: Uint8Array, start: number, end: number): boolean {
    const { lower } = this.range;
    if (compareBytes(key, start, end, lower, 0, lower.length) < 0) return this.seekInside(lower, 0, lower.length);
    return this.seekInside(key, start, end);
  }

  /** To the last own key before the given one, inside the range. */
  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    const { upper } = this.range;
    if (upper !== undefined && compareBytes(key, start, end, upper, 0, upper.length) > 0) {
      return this.seekBeforeInside(upper, 0, upper.length);
    }
    return this.seekBeforeInside(key, start, end);
  }

  next(): boolean {
    if (this.walk !== undefined) return this.settleForward(this.walk.next());
    return this.standAt(this.place + 1);
  }

  prev(): boolean {
    if (this.walk !== undefined) return this.settleBackward(this.walk.prev());
    return this.standAt(this.place - 1);
  }

  private seekInside(key: Uint8Array, start: number, end: number): boolean {
    if (this.walk !== undefined) return this.settleForward(this.walk.seek(key, start, end));
    return this.standAt(this.lowerBound(key, start, end));
  }

  private seekBeforeInside(key: Uint8Array, start: number, end: number): boolean {
    if (this.walk !== undefined) return this.settleBackward(this.walk.seekBefore(key, start, end));
    return this.standAt(this.lowerBound(key, start, end) - 1);
  }

  private settleForward(found: boolean): boolean {
    const walk = this.walk as ArenaTreeCursor;
    for (let more = found; more; more = walk.next()) {
      this.offset = this.writes.offsetOfEntry(walk.entry, this.limit);
      if (this.offset !== NONE) return this.isInside();
    }
    this.offset = NONE;
    return false;
  }

  private settleBackward(found: boolean): boolean {
    const walk = this.walk as ArenaTreeCursor;
    for (let more = found; more; more = walk.prev()) {
      this.offset = this.writes.offsetOfEntry(walk.entry, this.limit);
      if (this.offset !== NONE) return this.isInside();
    }
    this.offset = NONE;
    return false;
  }

  private standAt(place: number): boolean {
    this.place = place;
    this.offset = this.offsets[place] ?? NONE;
    return this.offset !== NONE && this.isInside();
  }

  /** True when the operation's key lies in the range; leaves the write set's reader on it. */
  private isInside(): boolean {
    const { writes } = this;
    writes.aim(this.offset);
    if (isInRange(writes.batch.buffer, writes.found.keyStart, writes.found.keyEnd, this.range)) return true;
    this.offset = NONE;
    return false;
  }

  /** Place of the first key at or after the given one. */
  private lowerBound(key: Uint8Array, start: number, end: number): number {
    const { offsets, writes } = this;
    let place = 0;
    for (; place < offsets.length; place++) {
      writes.aim(offsets[place] as number);
      const { keyStart, keyEnd } = writes.found;
      if (compareBytes(writes.batch.buffer, keyStart, keyEnd, key, start, end) >= 0) break;
    }
    return place;
  }
}
