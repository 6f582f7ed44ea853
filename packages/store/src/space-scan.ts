/**
 * Walking a range of a single space with for ... of. Entries come from the cursor in batches; key and value of each are
 * copies and the caller's own, whatever happens afterwards.
 */
import { CursorBatch, type KeyRange, type KvCursor, SPACE_BYTES } from '@phantom/kv';
import { CopyPool } from './copy-pool.js';
import type { StoreView } from './types.js';

/** An entry that a scan hands out. */
export interface SpaceEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What a scan needs to know when it begins. */
export interface ScanPlan {
  /** The view to walk; released when the scan ends. Asked for at the first step. */
  readonly view: () => StoreView;
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly limit: number;
}

/** Entries fetched at once: few at first, for scans that stop soon. */
const BATCH_ENTRIES_MIN = 8;
const BATCH_ENTRIES_MAX = 128;

const END: IteratorResult<SpaceEntry> = { done: true, value: undefined };

export class SpaceScan implements IterableIterator<SpaceEntry> {
  private readonly plan: ScanPlan;
  private left: number;
  private view: StoreView | undefined = undefined;
  private cursor: KvCursor | undefined = undefined;
  private batch: CursorBatch | undefined = undefined;
  private at = 0;
  private isEnded = false;
  private readonly copies = new CopyPool();

  constructor(plan: ScanPlan) {
    this.plan = plan;
    this.left = plan.limit;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<SpaceEntry> {
    if (this.isEnded || this.left <= 0) return this.end();
    this.left--;
    try {
      return this.plan.reverse ? this.previousEntry() : this.nextEntry();
    } catch (error) {
      // for ... of does not end an iterator that throws.
      this.end();
      throw error;
    }
  }

  /** Ends the scan early; `for ... of` calls it. */
  return(): IteratorResult<SpaceEntry> {
    return this.end();
  }

  private nextEntry(): IteratorResult<SpaceEntry> {
    let { batch } = this;
    if (batch === undefined || this.at === batch.count) {
      batch = this.batch = this.roomier(batch);
      this.at = 0;
      if (this.open().fill(batch) === 0) return this.end();
    }
    const i = this.at++;
    const { copies } = this;
    const key = copies.copy(batch.keyBuffers[i] as Uint8Array, batch.keyStarts[i]! + SPACE_BYTES, batch.keyEnds[i]!);
    const value = copies.copy(batch.valueBuffers[i] as Uint8Array, batch.valueStarts[i]!, batch.valueEnds[i]!);
    return { done: false, value: { key, value } };
  }

  private previousEntry(): IteratorResult<SpaceEntry> {
    const cursor = this.open();
    if (!cursor.prev()) return this.end();
    const { key, value } = cursor;
    const { copies } = this;
    const entry = {
      key: copies.copy(key.buffer, key.start + SPACE_BYTES, key.end),
      value: copies.copy(value.buffer, value.start, value.end),
    };
    return { done: false, value: entry };
  }

  private roomier(batch: CursorBatch | undefined): CursorBatch {
    if (batch?.capacity === BATCH_ENTRIES_MAX) return batch;
    const wanted = batch === undefined ? BATCH_ENTRIES_MIN : batch.capacity * 4;
    return new CursorBatch(Math.min(wanted, BATCH_ENTRIES_MAX));
  }

  private open(): KvCursor {
    if (this.cursor === undefined) {
      this.view = this.plan.view();
      this.cursor = this.view.cursor(this.plan.range);
    }
    return this.cursor;
  }

  private end(): IteratorResult<SpaceEntry> {
    this.isEnded = true;
    this.cursor?.close();
    this.cursor = undefined;
    this.view?.release();
    this.view = undefined;
    return END;
  }
}
