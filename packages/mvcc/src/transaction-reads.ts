/**
 * What a transaction reads: its snapshot with its own writes over it. Which of those, and which snapshot, is what the kinds of
 * reading differ in:
 *
 *              own writes               below them
 *   get        of earlier statements    the statement's snapshot
 *   getOwn     all                      the statement's snapshot
 *   getNewest  all                      the newest committed state
 *
 * and the cursors likewise. Where others' writes may make a read impossible (serializable), it is remembered in the read set; so is
 * a key of which the newest state has said something else than the snapshot does.
 */
import { ByteSlot, type KeyRange, type KvCursor, Written } from '@phantom/kv';
import type { StoreView } from '@phantom/store';
import { AscendingGaps } from './ascending-gaps.js';
import { OpenCursors } from './open-cursors.js';
import type { ReadSet } from './read-set.js';
import type { Snapshots } from './snapshots.js';
import { firstDifference } from './view-difference.js';
import { EVERYTHING, NOTHING, type WriteSet } from './write-set.js';

/** The transaction, as its reads see it. */
export interface Reader {
  readonly writes: WriteSet | undefined;
  readonly reads: ReadSet | undefined;
  readonly snapshots: Snapshots;
}

/** For what is only asked whether it is there. */
const SLOT = new ByteSlot();

export class TransactionReads {
  /** Own writes before this place are visible to the present statement. */
  ownLimit: number = NOTHING;
  private readonly reader: Reader;
  private cursors: OpenCursors | undefined = undefined;
  /** What constraint reads have found to be empty; a transaction of a single one takes no note of it. */
  private gaps: AscendingGaps | undefined = undefined;
  private hasMissed = false;

  constructor(reader: Reader) {
    this.reader = reader;
  }

  get cursorCount(): number {
    return this.cursors?.count ?? 0;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const { writes } = this.reader;
    if (writes !== undefined && this.ownLimit > NOTHING) {
      const own = writes.lookup(key, start, end, this.ownLimit, value);
      if (own !== Written.Unknown) return own === Written.Put;
    }
    return this.getFromSnapshot(key, start, end, value);
  }

  getOwn(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const own = this.lookUpOwn(key, start, end, value);
    return own === Written.Unknown ? this.getFromSnapshot(key, start, end, value) : own === Written.Put;
  }

  getNewest(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const own = this.lookUpOwn(key, start, end, value);
    if (own !== Written.Unknown) return own === Written.Put;
    const { snapshots, reads } = this.reader;
    const view = snapshots.takeNewest();
    if (this.gaps?.covers(view, key, start, end) === true) return false;
    const found = view.get(key, start, end, value);
    if (!found) this.missed(view, key, start, end);
    // What is not there is about to be written, or guarded: remembering it would make a reader of every writer.
    if (found && reads !== undefined) {
      reads.addRow(key, start, end);
      if (reads.newerKey === undefined && !this.isShown(view, key, start, end)) reads.newerKey = key.slice(start, end);
    }
    return found;
  }

  relyOnNewest(range: KeyRange): void {
    const { snapshots, reads } = this.reader;
    if (reads === undefined || reads.newerKey !== undefined) return;
    const newest = snapshots.takeNewest();
    const { current } = snapshots;
    if (current !== undefined && current.seq !== newest.seq) reads.newerKey = firstDifference(current, newest, range);
  }

  cursor(range: KeyRange): KvCursor {
    const { snapshots } = this.reader;
    // Taking the first snapshot decides whether reads are remembered.
    const view = snapshots.current ?? snapshots.take();
    return this.openCursor(view, range, this.ownLimit, this.reader.reads);
  }

  cursorNewest(range: KeyRange): KvCursor {
    const { writes, snapshots } = this.reader;
    return this.openCursor(snapshots.takeNewest(), range, writes === undefined ? NOTHING : writes.place, undefined);
  }

  /** Tells the read set what open cursors have passed over so far. */
  tell(): void {
    this.cursors?.tellReads();
  }

  /** What was written behind a place is undone: nobody sees it any more. */
  endBehind(place: number): void {
    this.cursors?.endBehind(place);
    this.ownLimit = Math.min(this.ownLimit, place);
  }

  closeCursors(): void {
    this.cursors?.closeAll();
  }

  /** Nothing is read any more. */
  close(): void {
    this.closeCursors();
    this.gaps = undefined;
  }

  /** Whether the snapshot shows a key that a newer view has. */
  private isShown(newest: StoreView, key: Uint8Array, start: number, end: number): boolean {
    const { current } = this.reader.snapshots;
    return current === undefined || current.seq === newest.seq || current.get(key, start, end, SLOT);
  }

  private missed(view: StoreView, key: Uint8Array, start: number, end: number): void {
    if (this.hasMissed) (this.gaps ??= new AscendingGaps()).missed(view, key, start, end);
    this.hasMissed = true;
  }

  private lookUpOwn(key: Uint8Array, start: number, end: number, value: ByteSlot): Written {
    const { writes } = this.reader;
    return writes === undefined ? Written.Unknown : writes.lookup(key, start, end, EVERYTHING, value);
  }

  private getFromSnapshot(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const { snapshots } = this.reader;
    const view = snapshots.current ?? snapshots.take();
    // Taking the first snapshot decides whether reads are remembered.
    const { reads } = this.reader;
    if (reads !== undefined) reads.addRow(key, start, end);
    return view.get(key, start, end, value);
  }

  private openCursor(view: StoreView, range: KeyRange, limit: number, reads: ReadSet | undefined): KvCursor {
    const writes = limit > NOTHING ? this.reader.writes : undefined;
    return (this.cursors ??= new OpenCursors()).open(view, range, writes, limit, reads);
  }
}
