/**
 * Rows that have all, or any, of some terms: one cursor over several ranges of an inverted index. The entries of a term are
 * in the order of their rows, so the ranges are merged: all of them leapfrogging to the next row that each has, or the least
 * row of any. Every row comes once, as an entry of one of its terms.
 */
import { ByteWriter, assert, compareBytes } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KvCursor, prefixRange } from '@phantom/kv';
import { type TermSearch, termPrefix } from '../storage/inverted-terms.js';
import type { PhysicalIndex } from '../storage/physical-table.js';
import type { Run } from './run.js';

/** The entries of one term, and where the row's key begins in them. */
interface Postings {
  readonly cursor: KvCursor;
  /** The entries' key up to the row's. */
  readonly prefix: Uint8Array;
  live: boolean;
}

export class PostingCursor implements KvCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  private readonly all: boolean;
  private readonly postings: readonly Postings[];
  /** All: the key that is sought. Any: the row that was given last. */
  private readonly target = new ByteWriter();
  private started = false;

  constructor(run: Run, index: PhysicalIndex, search: TermSearch) {
    this.all = search.match === 'all';
    this.postings = search.terms.map((term) => {
      const prefix = termPrefix(index, term);
      return { cursor: run.read.cursor(prefixRange(prefix)), prefix, live: true };
    });
  }

  next(): boolean {
    const found = this.all ? this.nextOfAll() : this.nextOfAny();
    if (found === undefined) return false;
    const { key, value } = found.cursor;
    this.key.set(key.buffer, key.start, key.end);
    this.value.set(value.buffer, value.start, value.end);
    return true;
  }

  fill(batch: CursorBatch): number {
    if (!this.next()) return 0;
    return batch.setOne(this.key, this.value);
  }

  close(): void {
    for (const { cursor } of this.postings) cursor.close();
  }

  seek(): boolean {
    assert(false, 'terms are read from the first row to the last');
  }

  seekBefore(): boolean {
    return this.seek();
  }

  prev(): boolean {
    return this.seek();
  }

  /** The first postings, standing on the next row that all others have too. */
  private nextOfAll(): Postings | undefined {
    const [first] = this.postings;
    if (first === undefined || !first.cursor.next()) return undefined;
    for (let agreed = 1, i = 0; agreed < this.postings.length;) {
      const leader = this.postings[i] as Postings;
      i = (i + 1) % this.postings.length;
      const other = this.postings[i] as Postings;
      this.aim(other, leader);
      if (!other.cursor.seek(this.target.buffer, 0, this.target.length)) return undefined;
      agreed = compareRows(leader, other) === 0 ? agreed + 1 : 1;
    }
    return first;
  }

  /** Postings on the least row behind the last one, whatever term it is of. */
  private nextOfAny(): Postings | undefined {
    let least: Postings | undefined;
    for (const one of this.postings) {
      if (one.live && (!this.started || this.isOnTarget(one))) one.live = one.cursor.next();
      if (one.live && (least === undefined || compareRows(one, least) < 0)) least = one;
    }
    this.started = true;
    this.target.reset();
    if (least !== undefined) {
      const { buffer, start, end } = least.cursor.key;
      this.target.bytes(buffer, start + least.prefix.length, end);
    }
    return least;
  }

  /** True where the row stands that was given last. */
  private isOnTarget({ cursor, prefix }: Postings): boolean {
    const { target } = this;
    const { buffer, start, end } = cursor.key;
    return compareBytes(buffer, start + prefix.length, end, target.buffer, 0, target.length) === 0;
  }

  /** The key that the leader's row has under another term, into `target`. */
  private aim(other: Postings, leader: Postings): void {
    const { buffer, start, end } = leader.cursor.key;
    this.target.reset();
    this.target.bytes(other.prefix);
    this.target.bytes(buffer, start + leader.prefix.length, end);
  }
}

function compareRows(a: Postings, b: Postings): number {
  const one = a.cursor.key;
  const other = b.cursor.key;
  return compareBytes(
    one.buffer,
    one.start + a.prefix.length,
    one.end,
    other.buffer,
    other.start + b.prefix.length,
    other.end,
  );
}
