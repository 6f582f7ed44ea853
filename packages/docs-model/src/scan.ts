/**
 * Scans: documents of a collection one after the other, by the statement's snapshot: through the whole space, through some of its
 * keys, or through an index. What a scan hands out is borrowed until its next move.
 */
import { ByteWriter, compareBytes } from '@phantom/base';
import { ByteSlot, type KeyRange, type KvCursor, type KvView, prefixRange } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import type { CachedDocument, CachedLookup, CachedReads } from './document-cache.js';
import type { IndexLayout } from './index-layout.js';
import { SeenRows } from './seen-rows.js';

/** What is read by: a transaction's statement, or a view. */
type Reading = Pick<KvView, 'get' | 'cursor'>;
const NOTHING: KeyRange = { lower: new Uint8Array(0), upper: new Uint8Array(0) };

export interface ScanCounters {
  keysExamined: number;
  documentsExamined: number;
}

export interface Scan {
  /** Key and row of the present document. */
  readonly key: ByteSlot;
  readonly row: ByteSlot;
  /** The present document, where it is kept decoded: then there is no row. */
  readonly cached: CachedDocument | undefined;
  /** Whoever asks for its documents may ask for just these again: they are worth being kept decoded. */
  readonly mayComeAgain: boolean;
  /** They were asked for before, too. */
  readonly cameAgain: boolean;
  next(): boolean;
  /** As much as was wanted has been read. */
  satisfied?(): void;
  /**
   * What it reads from now on is what the transaction's present statement would read, also once the next has begun: to be told before
   * anybody else comes to use the transaction.
   */
  hold?(): void;
  close(): void;
}

/**
 * Rows of the collection in key order, forwards or backwards, through ranges in that order that do not overlap. One cursor serves them all:
 * to seek costs less than to open another.
 */
export class SpaceScan implements Scan {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  readonly cached = undefined;
  readonly mayComeAgain = false;
  readonly cameAgain = false;
  private readonly reading: Reading;
  private readonly ranges: readonly KeyRange[];
  private readonly backwards: boolean;
  private readonly counters: ScanCounters;
  /** The one that it is in. */
  private range = -1;
  private cursor: KvCursor | undefined;

  constructor(reading: Reading, ranges: readonly KeyRange[], backwards: boolean, counters: ScanCounters) {
    this.reading = reading;
    this.ranges = backwards ? [...ranges].reverse() : ranges;
    this.backwards = backwards;
    this.counters = counters;
  }

  next(): boolean {
    if (this.range === this.ranges.length) return false;
    const cursor = (this.cursor ??= this.open());
    let isInside = this.range >= 0 && this.step(cursor) && this.isInRange(cursor);
    while (!isInside) {
      if (++this.range === this.ranges.length) return false;
      isInside = this.enter(cursor, this.ranges[this.range] as KeyRange);
    }
    const { key, value } = cursor;
    this.key.set(key.buffer, key.start, key.end);
    this.row.set(value.buffer, value.start, value.end);
    this.counters.keysExamined++;
    this.counters.documentsExamined++;
    return true;
  }

  hold(): void {
    if (this.range < this.ranges.length) this.cursor ??= this.open();
  }

  /** From the least to the greatest of the ranges. */
  private open(): KvCursor {
    const { ranges, backwards } = this;
    const first = ranges[0];
    const last = ranges.at(-1);
    if (first === undefined || last === undefined) return this.reading.cursor(NOTHING);
    return this.reading.cursor(
      backwards ? { lower: last.lower, upper: first.upper } : { lower: first.lower, upper: last.upper },
    );
  }

  private step(cursor: KvCursor): boolean {
    return this.backwards ? cursor.prev() : cursor.next();
  }

  /** To the first row of a range; the first range begins where the cursor does. */
  private enter(cursor: KvCursor, { lower, upper }: KeyRange): boolean {
    if (this.range === 0) return this.step(cursor) && this.isInRange(cursor);
    if (!this.backwards) return cursor.seek(lower, 0, lower.length) && this.isInRange(cursor);
    // Nothing lies behind a range without an end, so none comes after it on the way down.
    return upper !== undefined && cursor.seekBefore(upper, 0, upper.length) && this.isInRange(cursor);
  }

  /** Whether the cursor has not left the range on its way; it cannot leave the last. */
  private isInRange({ key }: KvCursor): boolean {
    if (this.range === this.ranges.length - 1) return true;
    const { lower, upper } = this.ranges[this.range] as KeyRange;
    if (this.backwards) return compareBytes(key.buffer, key.start, key.end, lower, 0, lower.length) >= 0;
    return upper === undefined || compareBytes(key.buffer, key.start, key.end, upper, 0, upper.length) < 0;
  }

  close(): void {
    this.cursor?.close();
    this.cursor = undefined;
    this.range = this.ranges.length;
  }
}

/** Rows by their keys. */
class Rows {
  private readonly reading: Reading;
  private readonly space: Uint8Array;
  private cursor: KvCursor | undefined = undefined;

  constructor(reading: Reading, space: Uint8Array) {
    this.reading = reading;
    this.space = space;
  }

  get(key: Uint8Array, start: number, end: number, row: ByteSlot): boolean {
    const { cursor } = this;
    if (cursor === undefined) return this.reading.get(key, start, end, row);
    if (!cursor.seek(key, start, end)) return false;
    const { key: found, value } = cursor;
    if (compareBytes(found.buffer, found.start, found.end, key, start, end) !== 0) return false;
    row.set(value.buffer, value.start, value.end);
    return true;
  }

  hold(): void {
    this.cursor ??= this.reading.cursor(prefixRange(this.space));
  }

  close(): void {
    this.cursor?.close();
    this.cursor = undefined;
  }
}

/** Single rows by their keys. */
export class KeyScan implements Scan {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  readonly mayComeAgain = true;
  readonly cameAgain = false;
  cached: CachedDocument | undefined = undefined;
  private readonly reads: CachedReads | undefined;
  private readonly rows: Rows;
  private readonly keys: readonly Uint8Array[];
  private readonly counters: ScanCounters;
  private index = 0;

  constructor(
    { layout }: CollectionView,
    reading: Reading,
    keys: readonly Uint8Array[],
    counters: ScanCounters,
    reads: CachedReads | undefined,
  ) {
    this.rows = new Rows(reading, layout.prefix);
    this.keys = keys;
    this.counters = counters;
    this.reads = reads;
  }

  next(): boolean {
    while (this.index < this.keys.length) {
      const key = this.keys[this.index++] as Uint8Array;
      this.counters.keysExamined++;
      this.cached = this.reads?.find(key, 0, key.length);
      if (this.cached !== undefined || this.rows.get(key, 0, key.length, this.row)) {
        this.key.set(key, 0, key.length);
        this.counters.documentsExamined++;
        return true;
      }
    }
    return false;
  }

  hold(): void {
    if (this.index < this.keys.length) this.rows.hold();
  }

  close(): void {
    this.index = this.keys.length;
    this.rows.close();
  }
}

/** Rows that entries of an index lead to, in the order of the entries; each once, however many entries it has. */
export class IndexScan implements Scan {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  readonly mayComeAgain = true;
  readonly cameAgain: boolean;
  cached: CachedDocument | undefined = undefined;
  private readonly reads: CachedReads | undefined;
  private readonly view: CollectionView;
  private readonly rows: Rows;
  private readonly entries: SpaceScan;
  private readonly counters: ScanCounters;
  private readonly writer = new ByteWriter();
  /** Row keys handed out, where a document may have several entries in the ranges. */
  private readonly seen: SeenRows | undefined;
  private readonly skip: number;
  /** What was met so far, while all of it is kept and all values of the index are asked for. */
  private met: CachedDocument[] | undefined;
  /** The scan stands at a document that is not among them yet. */
  private isMet = false;
  private readonly ranges: readonly KeyRange[];

  constructor(
    view: CollectionView,
    reading: Reading,
    index: IndexLayout,
    ranges: readonly KeyRange[],
    backwards: boolean,
    repeats: boolean,
    counters: ScanCounters,
    reads: CachedReads | undefined,
    isLookup: boolean,
  ) {
    this.view = view;
    this.reads = reads;
    this.ranges = ranges;
    this.cameAgain = reads !== undefined && isLookup && reads.wasLookedUp((ranges[0] as KeyRange).lower);
    this.met = this.cameAgain ? [] : undefined;
    this.rows = new Rows(reading, view.layout.prefix);
    this.counters = counters;
    this.entries = new SpaceScan(reading, ranges, backwards, { keysExamined: 0, documentsExamined: 0 });
    this.seen = repeats ? new SeenRows() : undefined;
    this.skip = index.definition.kind === 'text' ? 1 : 0;
  }

  next(): boolean {
    const { entries, writer, key } = this;
    if (this.isMet && this.met !== undefined) this.meet(this.met);
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
      this.cached = this.reads?.find(writer.buffer, 0, writer.length);
      if (this.cached === undefined && !this.rows.get(writer.buffer, 0, writer.length, this.row)) continue;
      this.counters.documentsExamined++;
      this.isMet = true;
      return true;
    }
    this.keepMet();
    return false;
  }

  /** The document that stands last in an index is known to be only by a look behind it, which is worth its while where it is kept. */
  satisfied(): void {
    if (this.isMet && this.met !== undefined) this.meet(this.met);
    if (this.met !== undefined && !this.entries.next()) this.keepMet();
    this.met = undefined;
  }

  /** There is nothing but what was met. */
  private keepMet(): void {
    const { met, reads, ranges } = this;
    if (met !== undefined) reads?.noteLookup((ranges[0] as KeyRange).lower, met);
    this.met = undefined;
  }

  /** The present document becomes one of those met; they are of no use once one is not kept. */
  private meet(met: CachedDocument[]): void {
    const entry = this.cached ?? this.reads?.takeKept();
    if (entry === undefined) this.met = undefined;
    else met.push(entry);
    this.isMet = false;
  }

  hold(): void {
    this.entries.hold();
    this.rows.hold();
  }

  close(): void {
    this.entries.close();
    this.rows.close();
  }
}

/** Documents of a look-up that is kept. */
export class LookupScan implements Scan {
  readonly key = new ByteSlot();
  readonly row = new ByteSlot();
  readonly mayComeAgain = false;
  readonly cameAgain = false;
  cached: CachedDocument | undefined = undefined;
  private readonly entries: readonly CachedDocument[];
  private readonly counters: ScanCounters;
  private index = 0;

  constructor(lookup: CachedLookup, counters: ScanCounters) {
    this.entries = lookup.entries;
    this.counters = counters;
  }

  next(): boolean {
    const { entries, counters } = this;
    if (this.index === entries.length) return false;
    this.cached = entries[this.index++];
    counters.keysExamined++;
    counters.documentsExamined++;
    return true;
  }

  close(): void {
    this.index = this.entries.length;
  }
}
