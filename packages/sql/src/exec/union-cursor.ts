/** The rows of several ranges of a table and its indexes, each once: for OR of conditions that each have an index. */
import { assert, ByteWriter } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KeyRange, type KvCursor } from '@phantom/kv';
import type { PhysicalIndex, PhysicalTable } from '../storage/physical-table.js';
import { COPIED_BYTES_MAX, copyEntry } from './copied-entries.js';
import { SeenRows } from './distinct-entries.js';
import type { Run } from './run.js';
import { RowFetch } from './row-lookup.js';

/** Where a cursor's rows are: ranges of an index, or of the table itself. */
export interface UnionSource {
  readonly index: PhysicalIndex | undefined;
  readonly ranges: readonly KeyRange[];
}

/** Gives the keys and bytes of rows, range by range. Which it has given is of the query's memory: 53200 past its limit. */
export class UnionCursor implements KvCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  private readonly run: Run;
  private readonly table: PhysicalTable;
  private readonly sources: readonly UnionSource[];
  private readonly seen: SeenRows;
  private readonly copies = new ByteWriter();
  private source = 0;
  private range = 0;
  private cursor: KvCursor | undefined;
  private fetch: RowFetch | undefined;

  constructor(run: Run, table: PhysicalTable, sources: readonly UnionSource[]) {
    this.run = run;
    this.table = table;
    this.sources = sources;
    this.seen = new SeenRows(run.context.memory, 1);
  }

  next(): boolean {
    for (;;) {
      const { cursor } = this;
      if (cursor === undefined) {
        if (!this.open()) return false;
      } else if (!cursor.next()) {
        cursor.close();
        this.cursor = undefined;
      } else {
        this.show(cursor);
        if (this.seen.isNew(this.key)) return true;
      }
    }
  }

  fill(batch: CursorBatch): number {
    const { copies } = this;
    copies.reset();
    batch.count = 0;
    while (batch.count < batch.capacity && copies.length < COPIED_BYTES_MAX && this.next())
      copyEntry(batch, this, copies);
    return batch.count;
  }

  close(): void {
    this.cursor?.close();
    this.cursor = undefined;
    this.source = this.sources.length;
    this.seen.leave();
  }

  seek(): boolean {
    assert(false, 'the rows of a union have no order');
  }

  seekBefore(): boolean {
    return this.seek();
  }

  prev(): boolean {
    return this.seek();
  }

  /** Opens the next range; false when there is none. */
  private open(): boolean {
    for (; this.source < this.sources.length; this.source++, this.range = 0) {
      const { index, ranges } = this.sources[this.source] as UnionSource;
      const range = ranges[this.range];
      if (range === undefined) continue;
      if (this.range++ === 0)
        this.fetch = index === undefined ? undefined : new RowFetch(this.run, this.table, index, this);
      this.cursor = this.run.read.cursor(range);
      return true;
    }
    return false;
  }

  /** Aims key and value at the row that the entry is, or points to. */
  private show({ key, value }: KvCursor): void {
    if (this.fetch === undefined) {
      this.key.set(key.buffer, key.start, key.end);
      this.value.set(value.buffer, value.start, value.end);
      return;
    }
    const found = this.fetch.read(this.run, key.buffer, key.start, key.end, value.buffer, value.start, value.end);
    this.key.set(found.key.buffer, found.key.start, found.key.end);
    this.value.set(found.row.buffer, found.row.start, found.row.end);
  }
}
