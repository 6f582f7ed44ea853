/**
 * The commit queue: from the append to the caller's answer. store.ts tells where it stands in the life of a commit.
 *
 *   submit ──► [ e5 | e4 | e3 | e2 | e1 ] ──► sync ──► apply ──► publish ──► listener
 *              newest             oldest      one for   in seq    visible-   one call
 *              appended to the log            them all  order     Seq = seq  each
 *
 * Group commit: while one sync runs, commits pile up behind it, and the next sync serves them all. The next sync begins a
 * turn of the event loop after the answers of the one before: callers that commit in a loop are then all on board again.
 * Beginning it at once looks faster and is not: the callers fall into two halves that take turns, and each sync serves
 * half as many (measured with 64 callers: see bench/commit.mjs).
 *
 * A sync costs more processor time than a small commit does: two threads wake each other, and the event loop sleeps in between. So
 * where commits have lately come together, the next sync waits for as long as turns of the event loop still find work, for up to
 * SYNC_DELAY_MS_MAX: whoever works now may commit in time to share it, and no processor rests meanwhile.
 *
 * Without a sync a commit is written at the end of the present turn's microtasks, unless commits have lately come together: then
 * at the next turn, since callers who each came from a turn of their own would otherwise write one by one ever after.
 *
 * A large batch is copied into its engine's memory while it is synced, where nobody sees it before it is applied.
 *
 * Applying yields to the event loop after APPLY_SLICE_MS_MAX, between batches and inside a large one; drainNow does not
 * yield and finishes everything, wherever the asynchronous path stands.
 *
 * Costs per commit: one copy of its bytes unless they are lent, no promise, no closure, no object (entries and byte chunks are reused).
 *
 * Invariants:
 *   1. Entries are applied, published and answered in seq order, each once.
 *   2. An entry is applied only when the log says that it is durable as far as it asked to be.
 *   3. The seq of the oldest entry is visibleSeq + 1, that of the newest is assignedSeq.
 *   4. After a failure no entry is applied any more: each one that waits is told "outcome unknown".
 * The queue's length is bounded by what engines admit (deltaBytesMax), since every entry was admitted.
 */
import { type Clock, assert, copyBytes, outcomeUnknownError } from '@phantom/base';
import { type ArenaTree, BatchReader, type Seq } from '@phantom/kv';
import type { Durability, Lsn, Wal } from '@phantom/wal';
import { applyLoads } from './bulk-load.js';
import type { StoreHealth } from './health.js';
import type { LoadRecord } from './load-record.js';
import { APPLY_SLICE_MS_MAX, APPLY_SLICE_OPERATIONS, SYNC_DELAY_MS_MAX } from './options.js';
import type { PlacedEngine } from './space-catalog.js';
import type { CommitListener, SubmitOptions } from './types.js';

const CHUNK_BYTES = 256 * 1024;
/** Batches above this get bytes of their own, so that they do not waste the rest of a chunk. */
const CHUNK_SHARE_BYTES = CHUNK_BYTES / 8;
const RING_ENTRIES_MIN = 64;
/** Batches of this size are laid down in memory while they are synced: that takes about as long. */
const FORESEEN_BYTES_MIN = 1024 * 1024;
/** A turn of an event loop that finds no work is shorter. */
const IDLE_TURN_MS_MAX = 0.012;
const NO_BYTES = new Uint8Array(0);

class QueuedCommit {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  /** The bytes are changed by nobody any more. */
  isGiven = false;
  /** See BatchReader.index. */
  index: ArenaTree | undefined = undefined;
  lsn: Lsn = 0;
  commitTimeMs = 0;
  /** True when it must be synced before it may be seen. */
  synced = false;
  listener: CommitListener | undefined = undefined;
  /** Bulk loads; then the bytes are what else their commit has written, if anything. */
  loads: readonly LoadRecord[] | undefined = undefined;
}

interface DrainWaiter {
  readonly seq: Seq;
  resolve(): void;
  reject(error: Error): void;
}

/** What the queue tells its owner; called with each published commit and when the queue has nothing more to do. */
export interface CommitQueueOwner {
  /**
   * The commit, whose record ends at `lsn`, is visible; the reader stands before its first operation, and is the queue's
   * again on return.
   */
  published(batch: BatchReader, lsn: Lsn, commitTimeMs: number): void;
  /** As published, of bulk loads. */
  loaded(loads: readonly LoadRecord[]): void;
  settled(): void;
}

export class CommitQueue {
  visibleSeq: Seq;
  commits = 0;
  /** The last group that was synced: one object, changed with each. */
  readonly lastSync = { beganMs: 0, endedMs: 0, commits: 0 };
  private readonly wal: Wal;
  private readonly engines: readonly PlacedEngine[];
  private readonly durability: Durability;
  private readonly health: StoreHealth;
  private readonly clock: Clock;
  private readonly owner: CommitQueueOwner;
  private readonly reader = new BatchReader();

  private ring: QueuedCommit[] = Array.from({ length: RING_ENTRIES_MIN }, () => new QueuedCommit());
  private head = 0;
  private count = 0;
  /** Queued entries that must be synced: while there are any, the log is synced and not just written. */
  private syncedCount = 0;
  /** Made by the first commit: a store that is only read needs none. */
  private chunk = NO_BYTES;
  private chunkUsed = 0;

  /** Position up to which entries may be applied. */
  private reached: Lsn = 0;
  private pumpScheduled = false;
  private syncing = false;
  /** When the sync to come was asked for, and when the event loop has turned since. */
  private askedMs = 0;
  private turnedMs = 0;
  /** More than one commit waited when the last sync or write ended. */
  private isCrowded = false;
  private sliceScheduled = false;
  /** The oldest entry is being applied: the reader stands in it, at this engine. */
  private applying = false;
  private engineIndex = 0;
  private drainWaiters: DrainWaiter[] = [];
  /** What those who waited were told when the store failed. */
  private abandoned: Error | undefined;

  private readonly pump = (): void => this.runPump();
  private readonly foresee = (): void => this.foreseeOldest();
  private readonly slice = (): void => this.runSlice();
  private readonly onSynced = (durable: Lsn): void => this.syncEnded(durable);
  private readonly onSyncFailed = (error: unknown): void => this.syncFailed(error);

  constructor(
    wal: Wal,
    engines: readonly PlacedEngine[],
    seq: Seq,
    durability: Durability,
    health: StoreHealth,
    clock: Clock,
    owner: CommitQueueOwner,
  ) {
    this.wal = wal;
    this.engines = engines;
    this.visibleSeq = seq;
    this.durability = durability;
    this.health = health;
    this.clock = clock;
    this.owner = owner;
  }

  get assignedSeq(): Seq {
    return this.visibleSeq + this.count;
  }

  get queued(): number {
    return this.count;
  }

  /** Takes over a commit that the log has, `lsn` being the position behind it; copies its bytes unless they are lent or given. */
  push(
    bytes: Uint8Array,
    lsn: Lsn,
    commitTimeMs: number,
    listener: CommitListener,
    synced: boolean,
    options: SubmitOptions | undefined,
  ): void {
    const entry = this.nextEntry(lsn, commitTimeMs, listener, synced);
    entry.isGiven = options?.give === true;
    entry.index = options?.index;
    if (entry.isGiven || options?.borrow === true) {
      entry.bytes = bytes;
      entry.start = 0;
      entry.end = bytes.length;
    } else {
      this.keepBytes(entry, bytes);
    }
  }

  /** Takes over bulk loads that are one commit, likewise; `bytes` are lent, or there are none. */
  pushLoads(
    loads: readonly LoadRecord[],
    bytes: Uint8Array,
    lsn: Lsn,
    commitTimeMs: number,
    listener: CommitListener,
    synced: boolean,
  ): void {
    const entry = this.nextEntry(lsn, commitTimeMs, listener, synced);
    entry.loads = loads;
    entry.bytes = bytes;
    entry.start = 0;
    entry.end = bytes.length;
  }

  /** Finishes every entry on this thread. Throws 08007 when that fails; each listener has been told the same by then. */
  drainNow(): void {
    if (this.count === 0) return;
    let reached: Lsn;
    try {
      if (this.syncedCount > 0) {
        assert(this.wal.syncNow !== undefined, 'admitNow refuses commits that the log cannot sync at once');
        this.syncBegins();
        reached = this.wal.syncNow();
        this.lastSync.endedMs = performance.now();
      } else {
        reached = this.hand();
      }
    } catch (error) {
      this.fail(error);
      throw this.abandoned as Error;
    }
    if (reached > this.reached) this.reached = reached;
    this.settle(Number.POSITIVE_INFINITY);
    if (this.abandoned !== undefined) throw this.abandoned;
  }

  /** Resolves when everything pushed so far is published; rejects when that will not happen. */
  drain(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    const seq = this.assignedSeq;
    return new Promise((resolve, reject) => this.drainWaiters.push({ seq, resolve, reject }));
  }

  /** Ends the queue: every waiting entry is told that its outcome is unknown. */
  abandon(failure: Error): void {
    const unknown = outcomeUnknownError('the commit is in the log, but whether it survives is not known', failure);
    this.abandoned = unknown;
    const waiting: CommitListener[] = [];
    for (let i = 0; i < this.count; i++) {
      const entry = this.ring[(this.head + i) & (this.ring.length - 1)] as QueuedCommit;
      waiting.push(entry.listener as CommitListener);
      entry.listener = undefined;
      entry.loads = undefined;
      entry.bytes = NO_BYTES;
      entry.index = undefined;
    }
    this.count = 0;
    this.syncedCount = 0;
    this.applying = false;
    const drains = this.drainWaiters;
    this.drainWaiters = [];
    for (const listener of waiting) listener.unknown(unknown);
    for (const waiter of drains) waiter.reject(unknown);
  }

  private nextEntry(lsn: Lsn, commitTimeMs: number, listener: CommitListener, synced: boolean): QueuedCommit {
    if (this.count === this.ring.length) this.growRing();
    const entry = this.ring[(this.head + this.count) & (this.ring.length - 1)] as QueuedCommit;
    this.count++;
    entry.lsn = lsn;
    entry.commitTimeMs = commitTimeMs;
    entry.listener = listener;
    entry.synced = synced;
    if (synced) this.syncedCount++;
    if (!this.pumpScheduled && !this.syncing && !this.sliceScheduled) this.schedule();
    return entry;
  }

  private fail(error: unknown): void {
    this.health.fail(error);
  }

  private schedule(): void {
    this.pumpScheduled = true;
    // A sync takes a hundred times as long as a turn of the event loop, so everybody who is ready gets on board first; a write
    // about as long as one, so that is worth it where others are about. Who is alone goes on in this very turn.
    if (this.syncedCount === 0 && !(this.isCrowded && this.durability !== 'memory')) {
      queueMicrotask(this.pump);
      return;
    }
    if (this.isCrowded) this.askedMs = this.turnedMs = this.clock.monotonicMs();
    setImmediate(this.pump);
  }

  /** True while others are at work who may commit in time to share the sync. */
  private awaitsCompany(): boolean {
    if (!this.isCrowded) return false;
    const nowMs = this.clock.monotonicMs();
    const turnMs = nowMs - this.turnedMs;
    this.turnedMs = nowMs;
    return turnMs > IDLE_TURN_MS_MAX && nowMs - this.askedMs < SYNC_DELAY_MS_MAX;
  }

  private runPump(): void {
    this.pumpScheduled = false;
    if (this.count === 0 || this.syncing || this.health.failure !== undefined) return;
    if (this.syncedCount > 0) {
      if (this.awaitsCompany()) {
        this.pumpScheduled = true;
        setImmediate(this.pump);
        return;
      }
      this.syncing = true;
      this.syncBegins();
      this.wal.sync().then(this.onSynced, this.onSyncFailed);
      // The log begins its sync in a microtask, too: behind that one the sync goes on elsewhere.
      queueMicrotask(this.foresee);
      return;
    }
    try {
      this.reached = this.hand();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.isCrowded = this.count > 1;
    this.settle(APPLY_SLICE_MS_MAX);
  }

  /** While the log is synced: has an engine copy a large batch that is the next to be applied. */
  private foreseeOldest(): void {
    const { reader, engines, ring, head } = this;
    const { bytes, start, end, isGiven, loads } = ring[head] as QueuedCommit;
    if (this.count === 0 || this.applying || end - start < FORESEEN_BYTES_MIN || isGiven || loads !== undefined) return;
    reader.setBatch(bytes, start, end);
    try {
      for (const { bit, engine } of engines) if (reader.engines === bit) engine.foresee?.(reader);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Without a sync: hands the log to the operating system, if anything at all was promised. */
  private hand(): Lsn {
    if (this.durability !== 'memory') this.wal.write();
    return this.wal.end;
  }

  private syncEnded(durable: Lsn): void {
    this.syncing = false;
    this.lastSync.endedMs = performance.now();
    if (this.health.failure !== undefined) return;
    if (durable > this.reached) this.reached = durable;
    this.isCrowded = this.count > 1;
    this.settle(APPLY_SLICE_MS_MAX);
  }

  private syncBegins(): void {
    this.lastSync.beganMs = performance.now();
    this.lastSync.commits = this.count;
  }

  private syncFailed(error: unknown): void {
    this.syncing = false;
    this.fail(error);
  }

  private runSlice(): void {
    this.sliceScheduled = false;
    if (this.health.failure === undefined) this.settle(APPLY_SLICE_MS_MAX);
  }

  /** Applies, publishes and answers what the log has reached, for so many milliseconds; then goes on in a later turn. */
  private settle(durationMsMax: number): void {
    const unbounded = durationMsMax === Number.POSITIVE_INFINITY;
    const endMs = unbounded ? 0 : this.clock.monotonicMs() + durationMsMax;
    let operations = 0;
    while (this.count > 0) {
      const entry = this.ring[this.head] as QueuedCommit;
      if (entry.lsn > this.reached) break;
      let done: boolean;
      try {
        done = this.applyOldest(entry, unbounded ? Number.POSITIVE_INFINITY : APPLY_SLICE_OPERATIONS);
      } catch (error) {
        this.fail(error);
        return;
      }
      operations += done && entry.loads === undefined ? this.reader.count : APPLY_SLICE_OPERATIONS;
      if (done) this.publishOldest(entry);
      if (!unbounded && operations >= APPLY_SLICE_OPERATIONS) {
        operations = 0;
        if (this.clock.monotonicMs() >= endMs && this.count > 0) {
          if (!this.sliceScheduled) setImmediate(this.slice);
          this.sliceScheduled = true;
          return;
        }
      }
    }
    if (this.count > 0 && !this.syncing && !this.pumpScheduled) this.schedule();
    this.owner.settled();
  }

  /** Applies the oldest entry to the engines it touches, one after the other; false when there is more to do. */
  private applyOldest(entry: QueuedCommit, operationsMax: number): boolean {
    const { reader, engines } = this;
    const seq = this.visibleSeq + 1;
    if (entry.loads !== undefined) {
      const batch = entry.end === 0 ? undefined : reader.setBatch(entry.bytes, entry.start, entry.end);
      applyLoads(engines, entry.loads, seq, batch);
      return true;
    }
    if (!this.applying) {
      reader.setBatch(entry.bytes, entry.start, entry.end);
      reader.isGiven = entry.isGiven;
      reader.index = entry.index;
      this.engineIndex = 0;
      this.applying = true;
    }
    while (this.engineIndex < engines.length) {
      const placed = engines[this.engineIndex] as PlacedEngine;
      if ((reader.engines & placed.bit) === 0) {
        placed.engine.advance(seq);
      } else {
        if (!placed.engine.apply(reader, seq, operationsMax)) return false;
        reader.rewind();
      }
      this.engineIndex++;
    }
    this.applying = false;
    reader.index = undefined;
    return true;
  }

  private publishOldest(entry: QueuedCommit): void {
    const { loads } = entry;
    const listener = entry.listener as CommitListener;
    entry.listener = undefined;
    entry.loads = undefined;
    entry.bytes = NO_BYTES;
    entry.index = undefined;
    if (entry.synced) this.syncedCount--;
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.count--;
    if (this.count === 0) this.chunkUsed = 0;
    const seq = ++this.visibleSeq;
    this.commits++;
    // From here on this object is ready for a commit or a drainNow that the listener itself begins.
    if (loads === undefined) this.owner.published(this.reader, entry.lsn, entry.commitTimeMs);
    else this.owner.loaded(loads);
    try {
      listener.published(seq);
    } catch (error) {
      // The commit stands; a listener that throws is a defect, and going on as if nothing were would hide it.
      this.fail(error);
    }
    if (this.drainWaiters.length > 0) this.resolveDrains(seq);
  }

  private resolveDrains(seq: Seq): void {
    let done = 0;
    while (done < this.drainWaiters.length && (this.drainWaiters[done] as DrainWaiter).seq <= seq) done++;
    for (const waiter of this.drainWaiters.splice(0, done)) waiter.resolve();
  }

  private keepBytes(entry: QueuedCommit, bytes: Uint8Array): void {
    const size = bytes.length;
    if (size > CHUNK_SHARE_BYTES) {
      entry.bytes = bytes.slice();
      entry.start = 0;
      entry.end = size;
      return;
    }
    if (this.chunkUsed + size > this.chunk.length) {
      // Entries still point into the full chunk; the last of them frees it.
      this.chunk = new Uint8Array(CHUNK_BYTES);
      this.chunkUsed = 0;
    }
    entry.bytes = this.chunk;
    entry.start = this.chunkUsed;
    entry.end = this.chunkUsed = copyBytes(bytes, 0, size, this.chunk, this.chunkUsed);
  }

  private growRing(): void {
    const { ring, head } = this;
    const grown = Array.from({ length: ring.length * 2 }, () => new QueuedCommit());
    for (let i = 0; i < ring.length; i++) grown[i] = ring[(head + i) & (ring.length - 1)] as QueuedCommit;
    this.ring = grown;
    this.head = 0;
  }
}
