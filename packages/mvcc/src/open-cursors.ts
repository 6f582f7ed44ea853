/** The cursors that a transaction has open: they end with it, and with going back to before they were opened. */
import type { KeyRange, KvCursor } from '@phantom/kv';
import type { StoreView } from '@phantom/store';
import { type CursorOwner, MergeCursor } from './merge-cursor.js';
import type { ReadSet } from './read-set.js';
import { TrackedCursor } from './tracked-cursor.js';
import { NOTHING, type WriteSet } from './write-set.js';

export class OpenCursors implements CursorOwner {
  private readonly cursors: MergeCursor[] = [];
  private tracked: Set<TrackedCursor> | undefined = undefined;

  get count(): number {
    return this.cursors.length;
  }

  /** Opens a cursor over a view, with the own operations before `limit` laid over; what it passes over is told to `reads`. */
  open(
    view: StoreView,
    range: KeyRange,
    writes: WriteSet | undefined,
    limit: number,
    reads: ReadSet | undefined,
  ): KvCursor {
    view.retain();
    let cursor: MergeCursor;
    try {
      cursor = openMerge(this, view, range, writes, limit);
    } catch (error) {
      view.release();
      throw error;
    }
    cursor.index = this.cursors.length;
    this.cursors.push(cursor);
    if (reads === undefined) return cursor;
    const tracked = new TrackedCursor(cursor, reads, range, (closed) => this.tracked?.delete(closed));
    (this.tracked ??= new Set()).add(tracked);
    return tracked;
  }

  cursorClosed(cursor: MergeCursor): void {
    const { cursors } = this;
    const last = cursors.pop() as MergeCursor;
    if (last !== cursor) {
      cursors[cursor.index] = last;
      last.index = cursor.index;
    }
  }

  /** Tells the read set what has been passed over so far. */
  tellReads(): void {
    if (this.tracked !== undefined) for (const cursor of this.tracked) cursor.tell();
  }

  /** Ends those that may show what was written behind a place, which is undone. */
  endBehind(place: number): void {
    this.tellReads();
    for (const cursor of this.cursors.filter(({ limit }) => limit > place)) cursor.endByRollback();
  }

  closeAll(): void {
    while (this.cursors.length > 0) (this.cursors.at(-1) as MergeCursor).close();
  }
}

/** Lays what a write set holds, on disk and in memory, over a view of which it takes a reference over. */
export function openMerge(
  owner: CursorOwner,
  view: StoreView,
  range: KeyRange,
  writes: WriteSet | undefined,
  limit: number,
): MergeCursor {
  const cursor = view.cursor(range);
  const store = writes?.spilled?.cursorOver(cursor, range, limit) ?? cursor;
  const isInBatch = writes !== undefined && limit > writes.base + NOTHING;
  return new MergeCursor(owner, view, store, range, isInBatch ? writes : undefined, limit);
}
