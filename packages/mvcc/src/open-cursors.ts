/** The cursors that a transaction has open: they end with it, and with going back to before they were opened. */
import type { KeyRange, KvCursor } from '@phantom/kv';
import type { StoreView } from '@phantom/store';
import { type CursorOwner, MergeCursor } from './merge-cursor.js';
import type { ReadSet } from './read-set.js';
import { TrackedCursor } from './tracked-cursor.js';
import type { WriteSet } from './write-set.js';

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
      cursor = new MergeCursor(this, view, range, writes, limit);
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

  /** Ends those that may show what was written behind an offset, which is undone. */
  endBehind(length: number): void {
    this.tellReads();
    for (const cursor of this.cursors.filter(({ limit }) => limit > length)) cursor.endByRollback();
  }

  closeAll(): void {
    while (this.cursors.length > 0) (this.cursors.at(-1) as MergeCursor).close();
  }
}
