/**
 * The window between a commit's append and its publish, and what transactions that live must know of commits.
 *
 *     snapshot of T      visibleSeq            assignedSeq
 *   ───────┬──────────────────┬─────────────────────┬────► seq
 *          │   published,     │   queued: has a     │
 *          │   T cannot see   │   seq, nobody sees  │
 *          └──── T conflicts with whoever wrote its keys in here ────
 *
 * Published commits are recorded in the conflict index while a read-write transaction with an older snapshot lives, and
 * not otherwise. Queued ones count for everybody, but writing down each key of each commit would be for nothing when
 * nobody else is there; so a queued commit is recorded when it is submitted and others live, or when somebody takes a
 * snapshot or asks while it is still queued. A commit that is alone from append to publish costs nothing here.
 *
 * Range guards work the other way round: each commit is held against the live guards when it is submitted, since an index
 * of hashes cannot be asked for a range.
 */
import { ByteSlot, type KeyRange, type KvCursor, type Seq, Written } from '@phantom/kv';
import type { Store, StoreView } from '@phantom/store';
import { ConflictIndex } from './conflict-index.js';
import { keyHash } from './key-hash.js';
import { MergeCursor, NOBODY } from './merge-cursor.js';
import { AheadView, type QueuedCommits } from './read-ahead.js';
import { EVERYTHING, WriteSet } from './write-set.js';

/** A transaction whose commit is queued. */
export interface QueuedTransaction {
  readonly writes: WriteSet | undefined;
  /** Set when its commit is submitted. */
  commitSeq: Seq;
  /** True once its keys are in the conflict index. */
  isIndexed: boolean;
}

/** A range that a live transaction relies on. */
export interface RangeGuard {
  readonly owner: QueuedTransaction;
  readonly range: KeyRange;
  /** Seq of the first commit that wrote into it since, 0 while none has. */
  brokenBy: Seq;
}

const NOTHING_HELD = { release: (): void => undefined };

interface SeqWaiter {
  readonly seq: Seq;
  resolve(): void;
}

export class CommitWindow implements QueuedCommits {
  readonly index: ConflictIndex;
  private readonly store: Store;
  /** In seq order; the first `head` are published. */
  private queued: QueuedTransaction[] = [];
  private head = 0;
  private unindexed = 0;
  private rangeGuards: RangeGuard[] = [];
  private waiters: SeqWaiter[] = [];
  /** Ranges that prepared transactions rely on: whoever writes into them loses, since they cannot. */
  readonly preparedRanges = new Set<KeyRange>();
  /** Snapshots that show queued commits. */
  readonly aheadViews = new Set<AheadView>();
  private readonly slot = new ByteSlot();

  constructor(store: Store, conflictIndexBytesMax: number) {
    this.store = store;
    this.index = new ConflictIndex(conflictIndexBytesMax);
  }

  get hasQueued(): boolean {
    return this.head < this.queued.length;
  }

  /** Seq of the newest commit: of the last that is queued, or else published. */
  get newestSeq(): Seq {
    return this.queued.at(-1)?.commitSeq ?? this.store.visibleSeq;
  }

  /** What there is now, queued commits included. Release it once. */
  viewAhead(): StoreView {
    if (!this.hasQueued) return this.store.view();
    this.recordQueued();
    return new AheadView(this.store, this, this.newestSeq);
  }

  /** A commit has its seq. `others`: a read-write transaction besides it holds a snapshot. In the turn of its append. */
  submitted(transaction: QueuedTransaction, others: boolean): void {
    this.queued.push(transaction);
    if (others) this.record(transaction);
    else this.unindexed++;
    for (const guard of this.rangeGuards) {
      if (
        guard.owner !== transaction &&
        guard.brokenBy === 0 &&
        (transaction.writes as WriteSet).touches(guard.range)
      ) {
        guard.brokenBy = transaction.commitSeq;
      }
    }
  }

  /** The oldest queued commit is published, or will never be. */
  ended(transaction: QueuedTransaction): void {
    if (this.queued[this.head] !== transaction) {
      // Only a store that failed ends commits out of order.
      this.queued = this.queued.filter((other, i) => i >= this.head && other !== transaction);
      this.head = 0;
    } else if (++this.head === this.queued.length) {
      this.queued.length = 0;
      this.head = 0;
    } else if (this.head === 1024) {
      this.queued = this.queued.slice(this.head);
      this.head = 0;
    }
    if (!transaction.isIndexed) this.unindexed--;
    if (this.aheadViews.size > 0) this.tellAheadViews(transaction.commitSeq);
    if (this.waiters.length > 0) this.resolveWaiters(transaction.commitSeq);
  }

  /** Records what is queued and was not yet: before a snapshot is taken, and before a question about queued commits. */
  recordQueued(): void {
    if (this.unindexed === 0) return;
    for (let i = this.head; i < this.queued.length; i++) {
      const transaction = this.queued[i] as QueuedTransaction;
      if (!transaction.isIndexed) {
        this.record(transaction);
        this.unindexed--;
      }
    }
  }

  /** Seq of a queued commit that wrote the key; 0 when there is none. */
  queuedSeqOf(hash: number, key: Uint8Array, start: number, end: number): Seq {
    if (!this.hasQueued) return 0;
    this.recordQueued();
    const seq = this.index.seqOf(hash, key, start, end);
    return seq > this.store.visibleSeq ? seq : 0;
  }

  /** What the newest queued commit up to `seqMax` that wrote the key has written; undefined when none of them has. */
  queuedWriterOf(key: Uint8Array, start: number, end: number, seqMax: Seq): WriteSet | undefined {
    const seq = this.index.seqOf(keyHash(key, start, end), key, start, end);
    // What has left the index may still be queued, when the index is full.
    if (seq <= this.store.visibleSeq && this.index.floor <= this.store.visibleSeq) return undefined;
    for (let i = this.queued.length - 1; i >= this.head; i--) {
      const { commitSeq, writes } = this.queued[i] as QueuedTransaction;
      if (commitSeq > seqMax || writes === undefined) continue;
      if (writes.lookup(key, start, end, EVERYTHING, this.slot) !== Written.Unknown) return writes;
    }
    return undefined;
  }

  /** Lays what queued commits up to `seqMax` have written in a range over a cursor of it. In memory that is a copy. */
  cursorOver(below: KvCursor, range: KeyRange, seqMax: Seq): KvCursor {
    let cursor = below;
    let copy: WriteSet | undefined;
    for (let i = this.head; i < this.queued.length; i++) {
      const { commitSeq, writes } = this.queued[i] as QueuedTransaction;
      if (commitSeq > seqMax || writes?.touches(range) !== true) continue;
      if (writes.spilled === undefined) {
        writes.copyInto((copy ??= new WriteSet()), range);
      } else {
        cursor = writes.spilled.cursorOver(laidOver(cursor, copy, range), range, EVERYTHING);
        copy = undefined;
      }
    }
    return laidOver(cursor, copy, range);
  }

  /**
   * Resolves when the commit of this seq is published, or will never be: then the store has failed, and the next write says so. At once
   * where no commit is queued whose end could tell: a store that failed has ended them all before.
   */
  whenEnded(seq: Seq): Promise<void> {
    if (!this.hasQueued || this.newestSeq < seq) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ seq, resolve }));
  }

  /** True when the newest commit on the key, queued or published, left it there. */
  isPresent(key: Uint8Array, start: number, end: number): boolean {
    for (let i = this.queued.length - 1; i >= this.head; i--) {
      const writes = (this.queued[i] as QueuedTransaction).writes as WriteSet;
      const own = writes.lookup(key, start, end, EVERYTHING, this.slot);
      if (own !== Written.Unknown) return own === Written.Put;
    }
    const view = this.store.view();
    const found = view.get(key, start, end, this.slot);
    view.release();
    return found;
  }

  /** Watches a range from now on; a queued commit that writes into it counts, unless its owner has seen it (`readsAhead`). */
  guardRange(owner: QueuedTransaction, range: KeyRange, readsAhead: boolean): RangeGuard {
    const guard: RangeGuard = { owner, range, brokenBy: 0 };
    for (let i = readsAhead ? this.queued.length : this.head; i < this.queued.length && guard.brokenBy === 0; i++) {
      const other = this.queued[i] as QueuedTransaction;
      if ((other.writes as WriteSet).touches(range)) guard.brokenBy = other.commitSeq;
    }
    this.rangeGuards.push(guard);
    return guard;
  }

  /** Stops watching. */
  dropGuards(guards: readonly RangeGuard[]): void {
    this.rangeGuards = this.rangeGuards.filter((guard) => !guards.includes(guard));
  }

  private record(transaction: QueuedTransaction): void {
    const { batch, touched } = transaction.writes as WriteSet;
    this.index.record(batch.finish(), transaction.commitSeq);
    if (touched.length > 0) this.index.recordRanges(touched, transaction.commitSeq);
    transaction.isIndexed = true;
  }

  private tellAheadViews(seq: Seq): void {
    if (seq > this.store.visibleSeq) return;
    for (const view of this.aheadViews) if (view.seq === seq) view.caughtUp();
  }

  private resolveWaiters(seq: Seq): void {
    const waiting = this.waiters;
    this.waiters = [];
    for (const waiter of waiting) {
      if (waiter.seq <= seq) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }
}

function laidOver(below: KvCursor, writes: WriteSet | undefined, range: KeyRange): KvCursor {
  return writes === undefined ? below : new MergeCursor(NOBODY, NOTHING_HELD, below, range, writes, EVERYTHING);
}
