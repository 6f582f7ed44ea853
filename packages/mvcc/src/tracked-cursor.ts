/**
 * A cursor of a serializable transaction: it remembers what it has passed over, and tells the read set.
 *
 *   lower                  seek            stands here          upper
 *     │                      ├───────────────────┤                │
 *                            └── read: every key from the place of the seek to the entry shown, and the gaps between
 *
 * What was asked for and not reached was not read: a scan that stops after three rows conflicts with nobody behind the
 * third. A stretch is told when the direction changes, at the next seek, when the cursor is closed, and before the commit.
 * `fill` has read what it hands out.
 */
import { type ByteSlot, type CursorBatch, type KeyRange, type KvCursor, keyAfter } from '@phantom/kv';
import type { MergeCursor } from './merge-cursor.js';
import type { ReadSet } from './read-set.js';

/** What is being passed over. */
const Way = { None: 0, Forward: 1, Backward: 2 } as const;
type Way = (typeof Way)[keyof typeof Way];

export class TrackedCursor implements KvCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly cursor: MergeCursor;
  private readonly reads: ReadSet;
  private readonly range: KeyRange;
  private readonly onClose: (cursor: TrackedCursor) => void;
  private way: Way = Way.None;
  /** Where the present stretch began; undefined is the range's own end. */
  private from: Uint8Array | undefined = undefined;
  private isOnEntry = false;
  private isClosed = false;

  constructor(cursor: MergeCursor, reads: ReadSet, range: KeyRange, onClose: (cursor: TrackedCursor) => void) {
    this.cursor = cursor;
    this.key = cursor.key;
    this.value = cursor.value;
    this.reads = reads;
    this.range = range;
    this.onClose = onClose;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    this.tell();
    this.from = key.slice(start, end);
    this.way = Way.Forward;
    return (this.isOnEntry = this.cursor.seek(key, start, end));
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    this.tell();
    this.from = key.slice(start, end);
    this.way = Way.Backward;
    return (this.isOnEntry = this.cursor.seekBefore(key, start, end));
  }

  next(): boolean {
    if (this.way !== Way.Forward) this.turn(Way.Forward);
    return (this.isOnEntry = this.cursor.next());
  }

  prev(): boolean {
    if (this.way !== Way.Backward) this.turn(Way.Backward);
    return (this.isOnEntry = this.cursor.prev());
  }

  fill(batch: CursorBatch): number {
    if (this.way !== Way.Forward) this.turn(Way.Forward);
    const count = this.cursor.fill(batch);
    this.isOnEntry = count > 0;
    return count;
  }

  close(): void {
    if (this.isClosed) return;
    this.tell();
    this.isClosed = true;
    this.onClose(this);
    this.cursor.close();
  }

  /** Tells the read set what was passed over so far; the cursor goes on from where it stands. */
  tell(): void {
    const { way, range } = this;
    if (way === Way.None || this.isClosed) return;
    if (way === Way.Forward) {
      this.reads.addRange(
        this.from ?? range.lower.slice(),
        this.isOnEntry ? keyAfter(this.key.copy()) : range.upper?.slice(),
      );
    } else {
      this.reads.addRange(this.isOnEntry ? this.key.copy() : range.lower.slice(), this.from ?? range.upper?.slice());
    }
    this.way = Way.None;
  }

  private turn(way: Way): void {
    this.tell();
    // From an entry it goes on there, otherwise from the end of the range that lies before its first move.
    this.from = this.isOnEntry ? this.key.copy() : undefined;
    this.way = way;
  }
}
