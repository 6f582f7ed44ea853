/**
 * The entries of many small ranges of one space, as `g in (1, 5, 9, ...)` has them: one cursor is opened and sought for one range
 * after another, since opening a cursor costs ten times a seek, and what few entries a range has are copied into a batch with those
 * of its neighbours, since a turn of the step costs more than a copy.
 *
 *      ranges   [1]  [5]  [7]  [9]                [20 ............................. 99]
 *      batches   1    5    -    9    20 21 .. 35 | 36 ........... | ........... 99 |
 *                copied, up to COPIED_OF_RANGE of each   the rest of a long range by reference, as a scan of it alone
 *
 * Where each range is one whole key, keys are read by themselves, which costs half of a seek. Ranges ascend and do not overlap.
 * Cursors are handed out for groups of them, so that whoever reads them may rest where none has an entry.
 */
import { assert, ByteWriter, compareBytes } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KeyRange, type KvCursor } from '@phantom/kv';
import { COPIED_BYTES_MAX, copyEntry } from './copied-entries.js';
import type { KeySource } from './key-reads.js';
import type { ScanSource } from './pipelines.js';
import type { ReadSource } from './runtime.js';
import { wholeRange } from './table-access.js';

/** Searches between two looks at whether to rest, of those who look once a source. */
const GROUP_RANGES = 32;
/** Entries of one range that are copied before the others are handed out by reference. */
const COPIED_OF_RANGE = 16;

/** What there is in the ranges, in their order. */
export function* seekRanges(
  read: ReadSource,
  prefix: Uint8Array,
  ranges: readonly KeyRange[],
): Generator<ScanSource, void, void> {
  // Where what is read is remembered, a cursor of its own passes over the keys of each range and no others.
  if (ranges.length < 2 || read.tracksReads === true) {
    yield* ranges;
    return;
  }
  const cursor = read.cursor(wholeRange(prefix));
  const copies = new ByteWriter();
  try {
    for (const group of groupsOf(ranges)) yield new RangesCursor(cursor, copies, group);
  } finally {
    cursor.close();
  }
}

/** What there is of the whole keys that the ranges begin with. */
export function* readKeys(source: KeySource, ranges: readonly KeyRange[]): Generator<ScanSource, void, void> {
  const copies = new ByteWriter();
  for (const group of groupsOf(ranges)) yield new KeysCursor(source, copies, group);
}

function* groupsOf(ranges: readonly KeyRange[]): Generator<readonly KeyRange[], void, void> {
  for (let from = 0; from < ranges.length; from += GROUP_RANGES) yield ranges.slice(from, from + GROUP_RANGES);
}

/** Goes through ranges from the first to the last, and gathers copies of what it finds. */
abstract class GroupCursor implements KvCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly ranges: readonly KeyRange[];
  private readonly copies: ByteWriter;
  private upcoming = 0;

  constructor(copies: ByteWriter, ranges: readonly KeyRange[], key: ByteSlot, value: ByteSlot) {
    this.copies = copies;
    this.ranges = ranges;
    this.key = key;
    this.value = value;
  }

  /** To the next entry; false when there is none. */
  next(): boolean {
    const { ranges } = this;
    while (this.upcoming < ranges.length) if (this.enter(ranges[this.upcoming++] as KeyRange)) return true;
    return false;
  }

  fill(batch: CursorBatch): number {
    const { copies } = this;
    copies.reset();
    batch.count = 0;
    while (batch.count < batch.capacity && copies.length < COPIED_BYTES_MAX && !this.isInLongRange()) {
      if (!this.next()) break;
      copyEntry(batch, this, copies);
    }
    return batch.count;
  }

  /** What it reads from is that of all groups. */
  close(): void {
    this.upcoming = this.ranges.length;
  }

  seek(): boolean {
    assert(false, 'several ranges are read from the first to the last');
  }

  seekBefore(): boolean {
    return this.seek();
  }

  prev(): boolean {
    return this.seek();
  }

  /** To the first entry of a range; false when it has none. */
  protected abstract enter(range: KeyRange): boolean;

  /** It stands in a range of which more is to be handed out than copies are worth. */
  protected abstract isInLongRange(): boolean;
}

class KeysCursor extends GroupCursor {
  private readonly source: KeySource;

  constructor(source: KeySource, copies: ByteWriter, ranges: readonly KeyRange[]) {
    super(copies, ranges, new ByteSlot(), new ByteSlot());
    this.source = source;
  }

  protected override enter({ lower }: KeyRange): boolean {
    this.key.set(lower, 0, lower.length);
    return this.source.get(lower, 0, lower.length, this.value);
  }

  protected override isInLongRange(): boolean {
    return false;
  }
}

class RangesCursor extends GroupCursor {
  private readonly cursor: KvCursor;
  /** Where the range ends that the cursor stands in; undefined: with the space. */
  private upper: Uint8Array | undefined;
  /** The cursor stands on an entry of the range. */
  private isInside = false;
  /** Entries of the range that it has stood on. */
  private given = 0;

  constructor(cursor: KvCursor, copies: ByteWriter, ranges: readonly KeyRange[]) {
    super(copies, ranges, cursor.key, cursor.value);
    this.cursor = cursor;
  }

  override next(): boolean {
    const { cursor } = this;
    if (this.isInside && cursor.next() && this.isBelowUpper(cursor.key.buffer, cursor.key.start, cursor.key.end)) {
      this.given++;
      return true;
    }
    this.isInside = false;
    return super.next();
  }

  override fill(batch: CursorBatch): number {
    return this.isInLongRange() && this.fillRest(batch) > 0 ? batch.count : super.fill(batch);
  }

  protected override isInLongRange(): boolean {
    return this.isInside && this.given >= COPIED_OF_RANGE;
  }

  protected override enter({ lower, upper }: KeyRange): boolean {
    const { cursor } = this;
    this.upper = upper;
    this.given = 1;
    this.isInside =
      cursor.seek(lower, 0, lower.length) && this.isBelowUpper(cursor.key.buffer, cursor.key.start, cursor.key.end);
    return this.isInside;
  }

  /** What follows in the range, by reference; 0 at its end. The cursor may step over that: it is sought next. */
  private fillRest(batch: CursorBatch): number {
    const { keyless, valueless, keyBuffers, keyStarts, keyEnds } = batch;
    batch.keyless = batch.valueless = false;
    let count = this.cursor.fill(batch);
    batch.keyless = keyless;
    batch.valueless = valueless;
    this.isInside = count > 0;
    while (count > 0 && !this.isBelowUpper(keyBuffers[count - 1]!, keyStarts[count - 1]!, keyEnds[count - 1]!)) {
      count--;
      this.isInside = false;
    }
    return (batch.count = count);
  }

  private isBelowUpper(buffer: Uint8Array, start: number, end: number): boolean {
    const { upper } = this;
    return upper === undefined || compareBytes(buffer, start, end, upper, 0, upper.length) < 0;
  }
}
