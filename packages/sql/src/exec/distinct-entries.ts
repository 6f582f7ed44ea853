/**
 * Entries of a collection's index of which a row may have several, with an array in a part that nobody asks for: each row is given by the
 * first of its entries alone. Most collections have no arrays there, and then the entries are read as they are.
 */
import type { MemoryBudget } from '@phantom/base';
import type { IndexRanges } from '@phantom/catalog';
import { ByteSlot, type CursorBatch, type KvCursor } from '@phantom/kv';
import type { ScanSource } from './pipelines.js';
import type { ReadSource } from './runtime.js';

/** What a row that is remembered takes beside its key, about. */
const SEEN_ROW_BYTES = 48;

/** Where to read the entries of each row once. What is remembered of them is of the query's memory: 53200 past its limit. */
export function distinctEntries(
  read: ReadSource,
  memory: MemoryBudget,
  { ranges, repeatMark }: IndexRanges,
): readonly ScanSource[] {
  const repeats = repeatMark !== undefined && read.get(repeatMark, 0, repeatMark.length, new ByteSlot());
  if (!repeats) return ranges;
  const seen = new SeenRows(memory, ranges.length);
  return ranges.map((range) => new DistinctEntries(read.cursor(range), seen));
}

/** Rows that were given, by their keys. */
export class SeenRows {
  private readonly keys = new Set<string>();
  private readonly memory: MemoryBudget;
  private bytes = 0;
  private readers: number;

  constructor(memory: MemoryBudget, readers: number) {
    this.memory = memory;
    this.readers = readers;
  }

  isNew({ buffer, start, end }: ByteSlot): boolean {
    const key = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1');
    if (this.keys.has(key)) return false;
    this.memory.take(key.length + SEEN_ROW_BYTES);
    this.bytes += key.length + SEEN_ROW_BYTES;
    this.keys.add(key);
    return true;
  }

  /** One of those who read has ended; the last one gives back what was taken. */
  leave(): void {
    if (--this.readers > 0) return;
    this.memory.give(this.bytes);
    this.bytes = 0;
  }
}

class DistinctEntries implements KvCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly entries: KvCursor;
  private readonly seen: SeenRows;
  private isOpen = true;

  constructor(entries: KvCursor, seen: SeenRows) {
    this.entries = entries;
    this.seen = seen;
    this.key = entries.key;
    this.value = entries.value;
  }

  next(): boolean {
    while (this.entries.next()) if (this.seen.isNew(this.value)) return true;
    return false;
  }

  prev(): boolean {
    while (this.entries.prev()) if (this.seen.isNew(this.value)) return true;
    return false;
  }

  fill(batch: CursorBatch): number {
    return this.next() ? batch.setOne(this.key, this.value) : 0;
  }

  seek(buffer: Uint8Array, start: number, end: number): boolean {
    return this.entries.seek(buffer, start, end);
  }

  seekBefore(buffer: Uint8Array, start: number, end: number): boolean {
    return this.entries.seekBefore(buffer, start, end);
  }

  close(): void {
    this.entries.close();
    if (this.isOpen) this.seen.leave();
    this.isOpen = false;
  }
}
