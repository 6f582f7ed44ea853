/**
 * What a transaction's cursor shows: the store's entries by a snapshot, with its own writes laid over them.
 *
 *   store    a1      c1  d1      f1
 *   own          b2  c2  -d           f removed by a range removal
 *   shown    a1  b2  c2
 *
 * Both sides stand on their nearest entry in the direction of travel; the lesser key (the greater one, backwards) is
 * shown, an own operation wins over the store's entry of the same key, and removals show nothing. A transaction that has
 * written nothing visible to the cursor has no own side: then every call goes straight to the store's cursor.
 *
 * What is written after the cursor was opened is not shown, by its own transaction or by others. Rolling back to before
 * the cursor was opened ends it (24000), since what it shows may have gone.
 */
import { ByteWriter, PhantomError, compareBytes } from '@phantom/base';
import {
  ByteSlot,
  type CursorBatch,
  KEY_BYTES_MAX,
  type KeyRange,
  type KvCursor,
  NONE,
  OperationKind,
} from '@phantom/kv';
import { OwnCursor } from './own-cursor.js';
import type { WriteSet } from './write-set.js';

/** Sorts behind every key. */
const BEHIND_ALL = new Uint8Array(KEY_BYTES_MAX + 1).fill(0xff);
/** Bytes that one fill copies at the most when own writes are merged in. */
const FILL_BYTES_MAX = 64 * 1024;

/** Where the cursor stands. */
const Place = { Fresh: 0, Entry: 1, Before: 2, Behind: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

/** Which sides the shown entry came from; bits. */
const FROM_STORE = 1;
const FROM_OWN = 2;

/** What a cursor holds while it is open. */
interface Releasable {
  release(): void;
}

/** Who must know when a cursor is closed. */
export interface CursorOwner {
  cursorClosed(cursor: MergeCursor): void;
}

/** Closing a cursor of nobody concerns only the one that stands over it. */
export const NOBODY: CursorOwner = { cursorClosed: () => undefined };

export class MergeCursor implements KvCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  /** Own operations before this place are shown. */
  readonly limit: number;
  /** Place in the owner's list of open cursors. */
  index = 0;
  private readonly owner: CursorOwner;
  private readonly view: Releasable;
  /** The limit as an offset of the write set's batch. */
  private readonly offsetLimit: number;
  private readonly store: KvCursor;
  private readonly own: OwnCursor | undefined;
  private readonly writes: WriteSet | undefined;
  private readonly range: KeyRange;
  private place: Place = Place.Fresh;
  private isForward = true;
  private hasStore = false;
  private hasOwn = false;
  private from = 0;
  private isClosed = false;
  private isRolledBack = false;
  /** Bytes of the current key while directions change, and of entries that fill has copied. */
  private scratch: ByteWriter | undefined;

  /**
   * Takes over one reference of the view, and a cursor over it with what was put aside laid over that. `writes` is undefined
   * when there is nothing more to lay over.
   */
  constructor(
    owner: CursorOwner,
    view: Releasable,
    store: KvCursor,
    range: KeyRange,
    writes: WriteSet | undefined,
    limit: number,
  ) {
    this.owner = owner;
    this.view = view;
    this.range = range;
    this.limit = limit;
    this.offsetLimit = limit - (writes?.base ?? 0);
    this.store = store;
    this.writes = writes;
    if (writes === undefined) {
      this.own = undefined;
      this.key = this.store.key;
      this.value = this.store.value;
    } else {
      this.own = new OwnCursor(writes, range, this.offsetLimit);
      this.key = new ByteSlot();
      this.value = new ByteSlot();
    }
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    this.checkOpen();
    const { own, store } = this;
    if (own === undefined) return store.seek(key, start, end);
    this.hasStore = store.seek(key, start, end);
    this.hasOwn = own.seek(key, start, end);
    return this.settleForward(own);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    this.checkOpen();
    const { own, store } = this;
    if (own === undefined) return store.seekBefore(key, start, end);
    this.hasStore = store.seekBefore(key, start, end);
    this.hasOwn = own.seekBefore(key, start, end);
    return this.settleBackward(own);
  }

  next(): boolean {
    const { own, store } = this;
    if (this.isClosed) this.checkOpen();
    if (own === undefined) return store.next();
    if (this.place === Place.Behind) return false;
    if (this.place !== Place.Entry) return this.seek(this.range.lower, 0, this.range.lower.length);
    if (!this.isForward) this.turnForward(own);
    if ((this.from & FROM_STORE) !== 0) this.hasStore = store.next();
    if ((this.from & FROM_OWN) !== 0) this.hasOwn = own.next();
    return this.settleForward(own);
  }

  prev(): boolean {
    const { own, store } = this;
    if (this.isClosed) this.checkOpen();
    if (own === undefined) return store.prev();
    if (this.place === Place.Before) return false;
    if (this.place !== Place.Entry) {
      const upper = this.range.upper ?? BEHIND_ALL;
      return this.seekBefore(upper, 0, upper.length);
    }
    if (this.isForward) this.turnBackward(own);
    if ((this.from & FROM_STORE) !== 0) this.hasStore = store.prev();
    if ((this.from & FROM_OWN) !== 0) this.hasOwn = own.prev();
    return this.settleBackward(own);
  }

  fill(batch: CursorBatch): number {
    if (this.isClosed) this.checkOpen();
    if (this.own === undefined) return this.store.fill(batch);
    const scratch = (this.scratch ??= new ByteWriter());
    scratch.reset();
    let count = 0;
    while (count < batch.capacity && scratch.length < FILL_BYTES_MAX && this.next()) {
      const { key, value } = this;
      if ((this.from & FROM_OWN) !== 0) {
        batch.keyBuffers[count] = key.buffer;
        batch.keyStarts[count] = key.start;
        batch.keyEnds[count] = key.end;
        batch.valueBuffers[count] = value.buffer;
        batch.valueStarts[count] = value.start;
        batch.valueEnds[count] = value.end;
      } else {
        // The store's cursor moves on within this very fill, and its references with it.
        const keyStart = scratch.reserve(key.end - key.start + value.end - value.start);
        scratch.bytes(key.buffer, key.start, key.end);
        const valueStart = scratch.length;
        scratch.bytes(value.buffer, value.start, value.end);
        batch.keyBuffers[count] = scratch.buffer;
        batch.keyStarts[count] = keyStart;
        batch.keyEnds[count] = valueStart;
        batch.valueBuffers[count] = scratch.buffer;
        batch.valueStarts[count] = valueStart;
        batch.valueEnds[count] = scratch.length;
      }
      count++;
    }
    if (count > 0 && this.place === Place.Behind) this.standOnLast(batch, count - 1);
    batch.count = count;
    return count;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.store.close();
    this.view.release();
    this.owner.cursorClosed(this);
  }

  /** Ends the cursor because what it may show has been rolled back. */
  endByRollback(): void {
    this.isRolledBack = true;
    this.close();
  }

  private checkOpen(): void {
    if (!this.isClosed) return;
    throw new PhantomError('24000', 'the cursor is closed', {
      family: 'state',
      ...(this.isRolledBack ? { detail: 'What it was opened on has been rolled back.' } : {}),
    });
  }

  /** A fill that met the end leaves the cursor on the last entry that it handed out; both sides are behind it. */
  private standOnLast(batch: CursorBatch, last: number): void {
    this.key.set(batch.keyBuffers[last] as Uint8Array, batch.keyStarts[last] as number, batch.keyEnds[last] as number);
    this.value.set(
      batch.valueBuffers[last] as Uint8Array,
      batch.valueStarts[last] as number,
      batch.valueEnds[last] as number,
    );
    this.place = Place.Entry;
    this.from = 0;
  }

  /** Standing on an entry after a backward move: both sides go to the place that a forward move would have left. */
  private turnForward(own: OwnCursor): void {
    const { buffer, length } = this.copyKey();
    this.hasStore = this.store.seek(buffer, 0, length);
    this.hasOwn = own.seek(buffer, 0, length);
    this.isForward = true;
    this.from = this.sidesAt(buffer, length, own);
  }

  private turnBackward(own: OwnCursor): void {
    const { buffer, length } = this.copyKey();
    // The last entry before the least key behind this one is this one.
    buffer[length] = 0;
    this.hasStore = this.store.seekBefore(buffer, 0, length + 1);
    this.hasOwn = own.seekBefore(buffer, 0, length + 1);
    this.isForward = false;
    this.from = this.sidesAt(buffer, length, own);
  }

  /** The sides that stand on the key from which the cursor is about to move. */
  private sidesAt(key: Uint8Array, length: number, own: OwnCursor): number {
    const { store } = this;
    let sides = 0;
    if (this.hasStore && compareBytes(store.key.buffer, store.key.start, store.key.end, key, 0, length) === 0)
      sides |= FROM_STORE;
    if (this.hasOwn && this.compareOwn(own, key, 0, length) === 0) sides |= FROM_OWN;
    return sides;
  }

  private copyKey(): { buffer: Uint8Array; length: number } {
    const { key } = this;
    const buffer = new Uint8Array(key.end - key.start + 1);
    buffer.set(key.buffer.subarray(key.start, key.end));
    return { buffer, length: key.end - key.start };
  }

  private compareOwn(own: OwnCursor, key: Uint8Array, start: number, end: number): number {
    const writes = this.writes as WriteSet;
    writes.aim(own.offset);
    return compareBytes(writes.batch.buffer, writes.found.keyStart, writes.found.keyEnd, key, start, end);
  }

  private settleForward(own: OwnCursor): boolean {
    const { store } = this;
    this.isForward = true;
    while (this.hasStore || this.hasOwn) {
      let order = -1;
      if (!this.hasStore) order = 1;
      else if (this.hasOwn) order = -this.compareOwn(own, store.key.buffer, store.key.start, store.key.end);
      if (this.show(own, order)) return true;
      if (order <= 0) this.hasStore = store.next();
      if (order >= 0) this.hasOwn = own.next();
    }
    this.place = Place.Behind;
    return false;
  }

  private settleBackward(own: OwnCursor): boolean {
    const { store } = this;
    this.isForward = false;
    while (this.hasStore || this.hasOwn) {
      let order = -1;
      if (!this.hasStore) order = 1;
      else if (this.hasOwn) order = this.compareOwn(own, store.key.buffer, store.key.start, store.key.end);
      if (this.show(own, order)) return true;
      if (order <= 0) this.hasStore = store.prev();
      if (order >= 0) this.hasOwn = own.prev();
    }
    this.place = Place.Before;
    return false;
  }

  /** Shows the side that comes first (order < 0: the store's, 0: both stand on one key); false when nothing is there to show. */
  private show(own: OwnCursor, order: number): boolean {
    const { store, offsetLimit: limit } = this;
    const writes = this.writes as WriteSet;
    if (order < 0) {
      const { buffer, start, end } = store.key;
      if (writes.ranges.length > 0 && writes.isInRemovedRange(buffer, start, end, NONE, limit)) return false;
      this.key.set(buffer, start, end);
      this.value.set(store.value.buffer, store.value.start, store.value.end);
      this.from = FROM_STORE;
    } else {
      const { buffer } = writes.batch;
      if (writes.aim(own.offset) !== OperationKind.Put) return false;
      const { keyStart, keyEnd, valueStart, valueEnd } = writes.found;
      if (writes.ranges.length > 0 && writes.isInRemovedRange(buffer, keyStart, keyEnd, own.offset, limit))
        return false;
      this.key.set(buffer, keyStart, keyEnd);
      this.value.set(buffer, valueStart, valueEnd);
      this.from = order === 0 ? FROM_OWN | FROM_STORE : FROM_OWN;
    }
    this.place = Place.Entry;
    return true;
  }
}
