/**
 * Scans: documents of a collection one after the other, by the statement's snapshot: through the whole space, through some of its
 * keys, or through an index. What a scan hands out is borrowed until its next move.
 */
import { ByteWriter } from '@phantom/base';
import { ByteSlot, type KeyRange, type KvCursor } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { CollectionView } from './collection-view.js';
import type { IndexLayout } from './index-layout.js';
import { SeenRows } from './seen-rows.js';

export interface ScanCounters {
  keysExamined: number;
  documentsExamined: number;
}

export interface Scan {
  /** Key and row of the present document. */
  readonly key: ByteSlot;
  readonly row: ByteSlot;
  next(): boolean;
  close(): void;
}

/** Rows of the collection in key order, forwards or backwards, through ranges that do not overlap. */
export class SpaceScan implements Scan {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  private readonly transaction: MvccTransaction;
  private readonly ranges: readonly KeyRange[];
  private readonly backwards: boolean;
  private readonly counters: ScanCounters;
  private range = 0;
  private cursor: KvCursor | undefined;

  constructor(transaction: MvccTransaction, ranges: readonly KeyRange[], backwards: boolean, counters: ScanCounters) {
    this.transaction = transaction;
    this.ranges = backwards ? [...ranges].reverse() : ranges;
    this.backwards = backwards;
    this.counters = counters;
  }

  next(): boolean {
    for (;;) {
      if (this.cursor === undefined) {
        const range = this.ranges[this.range++];
        if (range === undefined) return false;
        this.cursor = this.transaction.cursor(range);
      }
      const { cursor } = this;
      if (this.backwards ? cursor.prev() : cursor.next()) {
        const { key, value } = cursor;
        this.key.set(key.buffer, key.start, key.end);
        this.row.set(value.buffer, value.start, value.end);
        this.counters.keysExamined++;
        this.counters.documentsExamined++;
        return true;
      }
      cursor.close();
      this.cursor = undefined;
    }
  }

  close(): void {
    this.cursor?.close();
    this.cursor = undefined;
    this.range = this.ranges.length;
  }
}

/** Single rows by their keys. */
export class KeyScan implements Scan {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  private readonly transaction: MvccTransaction;
  private readonly keys: readonly Uint8Array[];
  private readonly counters: ScanCounters;
  private index = 0;

  constructor(transaction: MvccTransaction, keys: readonly Uint8Array[], counters: ScanCounters) {
    this.transaction = transaction;
    this.keys = keys;
    this.counters = counters;
  }

  next(): boolean {
    while (this.index < this.keys.length) {
      const key = this.keys[this.index++] as Uint8Array;
      this.counters.keysExamined++;
      if (this.transaction.get(key, 0, key.length, this.row)) {
        this.key.set(key, 0, key.length);
        this.counters.documentsExamined++;
        return true;
      }
    }
    return false;
  }

  close(): void {
    this.index = this.keys.length;
  }
}

/** Rows that entries of an index lead to, in the order of the entries; each once, however many entries it has. */
export class IndexScan implements Scan {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  private readonly view: CollectionView;
  private readonly transaction: MvccTransaction;
  private readonly entries: SpaceScan;
  private readonly counters: ScanCounters;
  private readonly writer = new ByteWriter();
  /** Row keys handed out, where a document may have several entries in the ranges. */
  private readonly seen: SeenRows | undefined;
  private readonly skip: number;

  constructor(
    view: CollectionView,
    transaction: MvccTransaction,
    index: IndexLayout,
    ranges: readonly KeyRange[],
    backwards: boolean,
    repeats: boolean,
    counters: ScanCounters,
  ) {
    this.view = view;
    this.transaction = transaction;
    this.counters = counters;
    this.entries = new SpaceScan(transaction, ranges, backwards, { keysExamined: 0, documentsExamined: 0 });
    this.seen = repeats ? new SeenRows() : undefined;
    this.skip = index.definition.kind === 'text' ? 1 : 0;
  }

  next(): boolean {
    const { entries, writer, key } = this;
    while (entries.next()) {
      const { row: value } = entries;
      this.counters.keysExamined++;
      // The mark of a multikey index leads nowhere.
      if (value.start === value.end) continue;
      writer.reset();
      writer.bytes(this.view.layout.prefix);
      writer.bytes(value.buffer, value.start + this.skip, value.end);
      key.set(writer.buffer, 0, writer.length);
      if (this.seen?.isNew(key) === false) continue;
      if (!this.transaction.get(writer.buffer, 0, writer.length, this.row)) continue;
      this.counters.documentsExamined++;
      return true;
    }
    return false;
  }

  close(): void {
    this.entries.close();
  }
}
