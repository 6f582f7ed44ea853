/**
 * Entries of a collection's index of which a row may have several, with an array in a part that nobody asks for: each row is given by the
 * first of its entries alone. Most collections have no arrays there, and then the entries are read as they are.
 */
import type { IndexRanges } from '@phantom/catalog';
import { ByteSlot, type CursorBatch, type KvCursor } from '@phantom/kv';
import type { ScanSource } from './pipelines.js';
import type { ReadSource } from './runtime.js';

/** Where to read the entries of each row once. */
export function distinctEntries(read: ReadSource, { ranges, repeatMark }: IndexRanges): readonly ScanSource[] {
  const repeats = repeatMark !== undefined && read.get(repeatMark, 0, repeatMark.length, new ByteSlot());
  if (!repeats) return ranges;
  const seen = new Set<string>();
  return ranges.map((range) => new DistinctEntries(read.cursor(range), seen));
}

class DistinctEntries implements KvCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly entries: KvCursor;
  /** Rows that were given, by their keys. */
  private readonly seen: Set<string>;

  constructor(entries: KvCursor, seen: Set<string>) {
    this.entries = entries;
    this.seen = seen;
    this.key = entries.key;
    this.value = entries.value;
  }

  next(): boolean {
    while (this.entries.next()) if (this.isNew()) return true;
    return false;
  }

  prev(): boolean {
    while (this.entries.prev()) if (this.isNew()) return true;
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
  }

  private isNew(): boolean {
    const { buffer, start, end } = this.value;
    const row = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1');
    if (this.seen.has(row)) return false;
    this.seen.add(row);
    return true;
  }
}
