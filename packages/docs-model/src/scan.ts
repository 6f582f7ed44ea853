/**
 * Scans: documents of a collection one after the other, by the statement's snapshot: through the whole space, through some of its
 * keys, or through an index. What a scan hands out is borrowed until its next move.
 */
import { ByteWriter } from '@phantom/base';
import { ByteSlot, type KeyRange, type KvCursor, type KvView } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import type { CachedDocument, CachedLookup, CachedReads } from './document-cache.js';
import type { IndexLayout } from './index-layout.js';
import { SeenRows } from './seen-rows.js';

/** What is read by: a transaction's statement, or a view. */
type Reading = Pick<KvView, 'get' | 'cursor'>;

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
  close(): void;
}

/** Rows of the collection in key order, forwards or backwards, through ranges that do not overlap. */
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
  private range = 0;
  private cursor: KvCursor | undefined;

  constructor(reading: Reading, ranges: readonly KeyRange[], backwards: boolean, counters: ScanCounters) {
    this.reading = reading;
    this.ranges = backwards ? [...ranges].reverse() : ranges;
    this.backwards = backwards;
    this.counters = counters;
  }

  next(): boolean {
    for (;;) {
      if (this.cursor === undefined) {
        const range = this.ranges[this.range++];
        if (range === undefined) return false;
        this.cursor = this.reading.cursor(range);
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
  readonly mayComeAgain = true;
  readonly cameAgain = false;
  cached: CachedDocument | undefined = undefined;
  private readonly reads: CachedReads | undefined;
  private readonly reading: Reading;
  private readonly keys: readonly Uint8Array[];
  private readonly counters: ScanCounters;
  private index = 0;

  constructor(reading: Reading, keys: readonly Uint8Array[], counters: ScanCounters, reads: CachedReads | undefined) {
    this.reading = reading;
    this.keys = keys;
    this.counters = counters;
    this.reads = reads;
  }

  next(): boolean {
    while (this.index < this.keys.length) {
      const key = this.keys[this.index++] as Uint8Array;
      this.counters.keysExamined++;
      this.cached = this.reads?.find(key, 0, key.length);
      if (this.cached !== undefined || this.reading.get(key, 0, key.length, this.row)) {
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
  readonly mayComeAgain = true;
  readonly cameAgain: boolean;
  cached: CachedDocument | undefined = undefined;
  private readonly reads: CachedReads | undefined;
  private readonly view: CollectionView;
  private readonly reading: Reading;
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
    this.reading = reading;
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
      if (this.cached === undefined && !this.reading.get(writer.buffer, 0, writer.length, this.row)) continue;
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

  close(): void {
    this.entries.close();
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
