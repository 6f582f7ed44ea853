/**
 * The large objects of one database, as a transaction reads and changes them.
 *
 *   reading   by the state of the moment at read committed, else by the transaction's snapshot with its own writes over it
 *   writing   over the newest state, behind a lock on the object: two that write to one object do so one after the other
 *
 * Nothing here asks for rights (session/large-objects.ts and ddl/large-objects.ts do), and nothing waits by itself: whoever writes takes
 * `lock` first, and waits as it can.
 *
 * Left out: writers of different pages of one object side by side, which PostgreSQL has, and which ends with an error there when
 * the pages turn out to be the same.
 */
import { PhantomError, assert } from '@phantom/base';
import type { LargeObjectDescriptor, Oid } from '@phantom/catalog';
import { ByteSlot, type KeyRange, type KvCursor, type SpaceId } from '@phantom/kv';
import type { LockStrength, MvccTransaction } from '@phantom/mvcc';
import {
  LARGE_OBJECT_BYTES_MAX,
  PAGE_BYTES,
  databaseOfKey,
  decodeObject,
  encodeObject,
  objectKey,
  objectOfKey,
  objectsRange,
  pageAt,
  pageKey,
  pageOfKey,
  pagesRange,
} from './format.js';

/** So many pages are removed one by one; more by one removal of a range, which costs every read around it until it is merged away. */
const PAGES_REMOVED_SINGLY_MAX = 64;
/** Longest value of type bytea. */
export const READ_BYTES_MAX = 1_073_741_823;

/** What lists of large objects are read from. */
export interface LargeObjectReads {
  cursor(range: KeyRange): KvCursor;
}

/** What is known of the objects of a database, or of all databases, in the order of their numbers. */
export function* listLargeObjects(
  reads: LargeObjectReads,
  space: SpaceId,
  databaseOid?: Oid,
): Iterable<LargeObjectDescriptor> {
  const cursor = reads.cursor(objectsRange(space, databaseOid));
  try {
    while (cursor.next()) {
      const { key, value } = cursor;
      yield decodeObject(value.copy(), databaseOfKey(key.buffer, key.start), objectOfKey(key.buffer, key.start));
    }
  } finally {
    cursor.close();
  }
}

/** A page, its bytes owned by the caller. */
export interface LargeObjectPage {
  readonly oid: Oid;
  readonly page: number;
  readonly bytes: Uint8Array;
}

/** The pages of all objects of a database, in order. */
export function* listPages(reads: LargeObjectReads, space: SpaceId, databaseOid: Oid): Iterable<LargeObjectPage> {
  const cursor = reads.cursor(pagesRange(space, databaseOid));
  try {
    while (cursor.next()) {
      const { key, value } = cursor;
      const { buffer, start } = key;
      yield { oid: objectOfKey(buffer, start), page: pageOfKey(buffer, start), bytes: value.copy() };
    }
  } finally {
    cursor.close();
  }
}

/** Removes every large object of a database that is being dropped: nobody is connected to it. */
export function removeAllLargeObjects(transaction: MvccTransaction, space: SpaceId, databaseOid: Oid): void {
  transaction.removeRange(objectsRange(space, databaseOid));
  transaction.removeRange(pagesRange(space, databaseOid));
}

/** Bytes of an object from its pages. */
export function sizeOf(pages: KvCursor, range: KeyRange): number {
  const { upper } = range;
  assert(upper !== undefined, 'something lies behind the pages of an object');
  if (!pages.seekBefore(upper, 0, upper.length)) return 0;
  const { key, value } = pages;
  return pageOfKey(key.buffer, key.start) * PAGE_BYTES + value.end - value.start;
}

/** 42704 for an object that is not there. */
export function noLargeObject(oid: Oid): PhantomError {
  return new PhantomError('42704', `large object ${oid} does not exist`);
}

export class LargeObjects {
  private readonly transaction: MvccTransaction;
  private readonly space: SpaceId;
  private readonly databaseOid: Oid;
  private readonly slot = new ByteSlot();

  constructor(transaction: MvccTransaction, space: SpaceId, databaseOid: Oid) {
    this.transaction = transaction;
    this.space = space;
    this.databaseOid = databaseOid;
  }

  /** What is known of an object; undefined where there is none of the number. */
  find(oid: Oid): LargeObjectDescriptor | undefined {
    const key = objectKey(this.space, this.databaseOid, oid);
    const { transaction, slot } = this;
    const found =
      transaction.isolation === 'read committed'
        ? transaction.getNewest(key, 0, key.length, slot)
        : transaction.getOwn(key, 0, key.length, slot);
    return found ? decodeObject(slot.copy(), this.databaseOid, oid) : undefined;
  }

  /** As find, of what is there now: after `lock`, nobody else changes it. */
  findNewest(oid: Oid): LargeObjectDescriptor | undefined {
    const key = objectKey(this.space, this.databaseOid, oid);
    if (!this.transaction.getNewest(key, 0, key.length, this.slot)) return undefined;
    return decodeObject(this.slot.copy(), this.databaseOid, oid);
  }

  /**
   * Takes an object for this transaction: NoKeyUpdate to write to it, Update to make, change or remove it. A promise: somebody else
   * has it; ask again once it resolves.
   */
  lock(oid: Oid, strength: LockStrength): Promise<void> | undefined {
    const key = objectKey(this.space, this.databaseOid, oid);
    const outcome = this.transaction.lock(key, 0, key.length, strength, 'wait');
    assert(outcome !== false, 'a waiting lock request is granted or waits');
    return outcome;
  }

  /** Makes an object, or stores what is known of it anew. The caller holds its lock (Update). */
  put(object: LargeObjectDescriptor): void {
    const key = objectKey(this.space, this.databaseOid, object.oid);
    const value = encodeObject(object);
    this.transaction.put(key, 0, key.length, value, 0, value.length);
  }

  /** Removes an object with its pages. The caller holds its lock (Update). */
  remove(oid: Oid): void {
    const key = objectKey(this.space, this.databaseOid, oid);
    this.transaction.remove(key, 0, key.length);
    this.removePages(oid, 0);
  }

  /** Pages of an object as they are at this moment, whatever is written later; the transaction's end closes the cursor. */
  openPages(oid: Oid): KvCursor {
    const range = pagesRange(this.space, this.databaseOid, oid);
    const { transaction } = this;
    return transaction.isolation === 'read committed' ? transaction.cursorNewest(range) : transaction.cursor(range);
  }

  /** The newest pages, with all that the transaction has written. Close the cursor. */
  openNewestPages(oid: Oid): KvCursor {
    const range = pagesRange(this.space, this.databaseOid, oid);
    this.transaction.relyOnNewest(range);
    return this.transaction.cursorNewest(range);
  }

  size(oid: Oid, pages: KvCursor): number {
    return sizeOf(pages, pagesRange(this.space, this.databaseOid, oid));
  }

  /** Bytes from a place on, fewer where the object ends before; owned by the caller. 54000 for more than a value holds. */
  read(oid: Oid, pages: KvCursor, offset: number, bytesMax: number): Uint8Array {
    const bytes = Math.min(bytesMax, this.size(oid, pages) - offset);
    if (bytes <= 0) return new Uint8Array(0);
    if (bytes > READ_BYTES_MAX)
      throw new PhantomError('54000', 'large object read request is too large', {
        hint: `A read gives at most ${READ_BYTES_MAX} bytes: read the object in pieces.`,
      });
    const result = new Uint8Array(bytes);
    const from = pageKey(this.space, this.databaseOid, oid, pageAt(offset));
    for (let more = pages.seek(from, 0, from.length); more; more = pages.next()) {
      const { key, value } = pages;
      const at = pageOfKey(key.buffer, key.start) * PAGE_BYTES - offset;
      if (at >= bytes) break;
      const start = Math.min(value.end, value.start - Math.min(at, 0));
      const end = Math.min(value.end, value.start + bytes - at);
      if (end > start) result.set(value.buffer.subarray(start, end), Math.max(at, 0));
    }
    return result;
  }

  /** Writes over what is there and behind it. The caller holds the lock (NoKeyUpdate). 22023 past the longest object. */
  write(oid: Oid, offset: number, data: Uint8Array): void {
    if (offset + data.length > LARGE_OBJECT_BYTES_MAX)
      throw new PhantomError('22023', `invalid large object write request size: ${data.length}`);
    for (let at = 0; at < data.length;) {
      const page = pageAt(offset + at);
      const within = (offset + at) % PAGE_BYTES;
      const bytes = Math.min(PAGE_BYTES - within, data.length - at);
      const key = pageKey(this.space, this.databaseOid, oid, page);
      if (bytes === PAGE_BYTES) {
        this.transaction.put(key, 0, key.length, data, at, at + bytes);
      } else {
        const whole = this.pageWith(key, within, data.subarray(at, at + bytes));
        this.transaction.put(key, 0, key.length, whole, 0, whole.length);
      }
      at += bytes;
    }
  }

  /** Makes an object so long: what is behind goes, what is missing is zeros. The caller holds the lock (NoKeyUpdate). */
  truncate(oid: Oid, bytes: number): void {
    const page = pageAt(bytes);
    const key = pageKey(this.space, this.databaseOid, oid, page);
    const last = new Uint8Array(bytes % PAGE_BYTES);
    const { transaction, slot } = this;
    if (transaction.getNewest(key, 0, key.length, slot))
      last.set(slot.buffer.subarray(slot.start, Math.min(slot.end, slot.start + last.length)));
    this.removePages(oid, page + 1);
    transaction.put(key, 0, key.length, last, 0, last.length);
  }

  /** A page as it is once some bytes have been written into it. */
  private pageWith(key: Uint8Array, within: number, data: Uint8Array): Uint8Array {
    const { slot } = this;
    const found = this.transaction.getNewest(key, 0, key.length, slot);
    const bytesBefore = found ? slot.end - slot.start : 0;
    const page = new Uint8Array(Math.max(bytesBefore, within + data.length));
    if (found) page.set(slot.buffer.subarray(slot.start, slot.end));
    page.set(data, within);
    return page;
  }

  private removePages(oid: Oid, from: number): void {
    const range = {
      lower: pageKey(this.space, this.databaseOid, oid, from),
      upper: pagesRange(this.space, this.databaseOid, oid).upper,
    };
    const keys: Uint8Array[] = [];
    const pages = this.transaction.cursorNewest(range);
    try {
      while (keys.length <= PAGES_REMOVED_SINGLY_MAX && pages.next()) keys.push(pages.key.copy());
    } finally {
      pages.close();
    }
    if (keys.length > PAGES_REMOVED_SINGLY_MAX) this.transaction.removeRange(range);
    else for (const key of keys) this.transaction.remove(key, 0, key.length);
  }
}
