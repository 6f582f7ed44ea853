/**
 * A snapshot that shows commits which are in the log and not published yet. A transaction that shows nothing of what it reads
 * before its own commit may have one: its commit lies behind those in the log, so it is durable only if they are, and one sync
 * serves them all. So a row that everybody writes is not bound to one sync a round (early lock release; Johnson et al.,
 * "Aether: A Scalable Approach to Logging", 2010, section 3).
 *
 *      published            in the log
 *   ──────────────┬──── c5 ──── c6 ──── c7 ───┬────► seq
 *            store's view        laid over it │
 *                 └──────── seq of this ──────┘
 *
 * What is queued is laid over a view of the store as a transaction's own writes are. As commits are published the view is
 * taken anew; with the last of them it is a plain view of the store at the same seq.
 *
 * Invariants:
 *   1. It shows the same from when it is taken until it is released, whatever is published meanwhile.
 *   2. Once the store has failed it shows nothing any more: nobody knows whether what it showed survives.
 */
import { assert } from '@phantom/base';
import type { ByteSlot, KeyRange, KvCursor, Seq } from '@phantom/kv';
import type { Store, StoreView } from '@phantom/store';
import { MergeCursor, NOBODY } from './merge-cursor.js';
import { EVERYTHING, type WriteSet } from './write-set.js';

/** The commits that are queued, as the window knows them. */
export interface QueuedCommits {
  /** Snapshots that want to hear when they are caught up with. */
  readonly aheadViews: Set<AheadView>;
  queuedWriterOf(key: Uint8Array, start: number, end: number, seqMax: Seq): WriteSet | undefined;
  cursorOver(below: KvCursor, range: KeyRange, seqMax: Seq): KvCursor;
}

export class AheadView implements StoreView {
  readonly seq: Seq;
  private readonly store: Store;
  private readonly queue: QueuedCommits;
  private view: StoreView;
  private references = 1;

  /** `seq` is that of a queued commit. */
  constructor(store: Store, queue: QueuedCommits, seq: Seq) {
    this.store = store;
    this.queue = queue;
    this.seq = seq;
    this.view = store.view();
    queue.aheadViews.add(this);
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const view = this.published();
    if (view.seq < this.seq) {
      const writes = this.queue.queuedWriterOf(key, start, end, this.seq);
      if (writes !== undefined) return writes.show(key, start, end, value);
    }
    return view.get(key, start, end, value);
  }

  cursor(range: KeyRange): KvCursor {
    const view = this.published();
    const cursor = view.cursor(range);
    const laidOver = view.seq < this.seq ? this.queue.cursorOver(cursor, range, this.seq) : cursor;
    // The view may be taken anew while the cursor is open.
    return new MergeCursor(NOBODY, view.retain(), laidOver, range, undefined, EVERYTHING);
  }

  retain(): this {
    assert(this.references > 0, 'a view that was released cannot be retained');
    this.references++;
    return this;
  }

  release(): void {
    assert(this.references > 0, 'a view is released once for each time it was taken');
    if (--this.references > 0) return;
    this.queue.aheadViews.delete(this);
    this.view.release();
  }

  /** Called by the window when the commit of its seq is published: from here on a view of the store says the same. */
  caughtUp(): void {
    this.published();
  }

  /** The store's view under the commits that are queued still. */
  private published(): StoreView {
    const { store, view } = this;
    if (view.seq === this.seq) return view;
    if (store.failure !== undefined) throw store.failure;
    if (view.seq !== store.visibleSeq) {
      assert(store.visibleSeq <= this.seq, 'a snapshot that reads ahead is told when it is caught up with');
      this.view = store.view();
      view.release();
    }
    return this.view;
  }
}
