/**
 * The store: the one write path of Phantom-DB. One log lies under every engine, so a commit that touches tables in
 * different engines is one record, one sync and one moment at which it becomes visible (RocksDB's column families and
 * fjall's keyspaces are the same idea; the rule that nothing is seen before it is durable is ours).
 *
 * The life of a commit, read from top to bottom; the right column says where:
 *
 *   admit     room in every engine it touches; the last moment to wait or to refuse        admit() here
 *   append    it gets its seq and goes into the log, in one synchronous turn               submit() here
 *   sync      one for every commit that waits                                              commit-queue.ts
 *   apply     to each engine's memory, in seq order, in slices where it is large           commit-queue.ts
 *   publish   visibleSeq = seq: every engine's part becomes visible at once                commit-queue.ts
 *   resolve   the listener hears of it
 *   flush     later, off this path: engines write files, the log gets shorter              checkpointer.ts
 *
 * and of a crash: superblock.ts says where the log begins, recovery.ts brings the engines up to it.
 *
 * Invariants (numbered as in the project's design; those of prepared transactions, constraints, sequences and conflicts,
 * 8 to 11, are kept by the transactions above):
 *   1. A batch is whole or absent after a crash, in every space and every engine, however large.
 *   2. What is visible is durable (durability `os` and `memory` say so in every result they report). Recovery publishes
 *      nothing before the log has made the tail that it accepted durable.
 *   3. Engines apply in seq order; an engine's files alone hold the effects up to its flushedSeq and nothing later;
 *      replaying a record twice changes nothing.
 *   4. A broken log record below a later durable mark is corruption; any other ends the tail. (Kept by the log.)
 *   5. A segment's name is durable before anything in it is acknowledged. (Kept by the log.)
 *   6. A failed sync is never retried: waiting commits end with "outcome unknown" (08007), the store takes no more writes,
 *      reading goes on, reopening recovers. A failure after the append is never reported as "failed". A full disk before
 *      the append refuses that commit with 53100 and is over as soon as there is room.
 *   7. The log since the last flush is bounded by checkpointBytesMax, twice that while a checkpoint runs; checkpointer.ts
 *      keeps it far below.
 * And of its own:
 *  12. visibleSeq <= assignedSeq; the difference are the commits in the queue.
 *  13. The superblock names a log start before the log drops what lies before it, and an engine's generation before the
 *      engine frees what older generations needed.
 */
import {
  type Identity,
  type PhantomError,
  SqlState,
  assert,
  isPhantomError,
  isShortage,
  unsupportedError,
} from '@phantom/base';
import {
  type BatchReader,
  EngineCode,
  type Finding,
  type KeyRange,
  type KvEngine,
  type Seq,
  type SpaceId,
  type SpilledWrites,
  type WriteBatch,
  engineOfSpace,
  spaceRange,
} from '@phantom/kv';
import type { LockHolder } from '@phantom/vfs';
import type { Durability, Lsn, Wal } from '@phantom/wal';
import type { BulkLoad } from './bulk-load.js';
import { checkStore } from './check.js';
import { type ChangeFeed, type ChangeFeedOptions, LogChangeFeed } from './change-feed.js';
import { Checkpointer } from './checkpointer.js';
import { registerStoreMetrics } from './store-metrics.js';
import type { ScrubPass } from './scrub-state.js';
import { type ScrubFacts, Scrubber } from './scrubber.js';
import { CommitQueue } from './commit-queue.js';
import { adviseEngine } from './engine-advice.js';
import { FileCommits, UNHEARD } from './file-commits.js';
import { RecordKind } from './format.js';
import { type StoreHealth, closedError } from './health.js';
import type { LoadRecord } from './load-record.js';
import { LogEndNotes } from './log-end-notes.js';
import { LogWriter } from './log-writer.js';
import { OS_SYNC_DELAY_MS } from './options.js';
import type { SpaceCatalog } from './space-catalog.js';
import { type SpaceMove, SpaceMover, type SpacePair } from './space-move.js';
import type { SpilledCommit } from './spilled-commit.js';
import type { StoreParts } from './store-parts.js';
import type {
  CommitListener,
  CommitObserver,
  Store,
  StoreOrigin,
  StoreStats,
  StoreView,
  SubmitOptions,
  SyncGroup,
  TableAdvice,
} from './types.js';
import { ViewRegistry } from './views.js';

/** Nobody waits for the sync of a moved stretch, and its bytes are left alone until it is published. */
const MOVED: SubmitOptions = { durability: 'os', borrow: true };

export class LogStore implements Store {
  readonly directory: string;
  readonly identity: Identity | undefined;
  readonly readOnly: boolean;
  readonly durability: Durability;
  private readonly parts: StoreParts;
  private readonly wal: Wal;
  private readonly catalog: SpaceCatalog;
  private readonly health: StoreHealth;
  private readonly queue: CommitQueue;
  private readonly views: ViewRegistry;
  private readonly checkpointer: Checkpointer;
  private readonly log: LogWriter;
  private readonly files: FileCommits;
  private readonly scrubber: Scrubber;
  private readonly logEnd: LogEndNotes;
  /** Moves of spaces under way. */
  private readonly moves = new Set<SpaceMover>();
  private readonly feeds = new Set<LogChangeFeed>();
  private readonly observers: CommitObserver[] = [];
  private osSyncTimer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    const { options, wal, catalog, superblock, health, recovered } = parts;
    this.parts = parts;
    this.directory = parts.directory;
    this.identity = superblock.state.identity;
    this.readOnly = options.readOnly;
    this.durability = options.durability;
    this.wal = wal;
    this.catalog = catalog;
    this.health = health;
    this.views = new ViewRegistry(catalog, options.logger, parts.readers);
    parts.readers.renew = () => this.renewViews();
    this.queue = new CommitQueue(wal, catalog.engines, recovered.seq, options.durability, health, options.clock, {
      published: (batch, lsn, commitTimeMs) => this.published(batch, lsn, commitTimeMs),
      loaded: (loads) => this.loaded(loads),
      settled: () => this.settled(),
    });
    this.checkpointer = new Checkpointer(
      { ...options, wal, catalog, superblock, health, noteViews: () => this.views.checkpointed() },
      recovered.log,
    );
    this.log = new LogWriter(wal, options.clock, health, recovered.log, recovered.commitTimeMs);
    this.files = new FileCommits(this, parts, this.queue, this.log);
    health.onFailure((failure) => {
      this.queue.abandon(failure);
      for (const { engine } of catalog.engines) engine.refuseWrites?.(failure);
      for (const feed of this.feeds) feed.wake();
    });
    if (wal.lost.aborted) health.fail(wal.lost.reason);
    else wal.lost.addEventListener('abort', () => health.fail(wal.lost.reason), { once: true });
    registerStoreMetrics(options.metrics, this.queue, this.checkpointer, this.views, catalog);
    this.logEnd = new LogEndNotes(parts);
    this.scrubber = new Scrubber({ parts, checkpoint: () => this.checkpoint() });
  }

  get visibleSeq(): Seq {
    return this.queue.visibleSeq;
  }

  get lastSync(): SyncGroup {
    return this.queue.lastSync;
  }

  get assignedSeq(): Seq {
    return this.queue.assignedSeq;
  }

  get failure(): PhantomError | undefined {
    return this.health.failure;
  }

  get isFollowed(): boolean {
    return [...this.feeds].some(({ keeps }) => !keeps);
  }

  view(): StoreView {
    if (this.health.isClosed) throw closedError();
    return this.views.present(this.queue.visibleSeq);
  }

  admit(batch: WriteBatch): Promise<void> | undefined {
    const refusal = this.refusal(batch);
    if (refusal !== undefined) return Promise.reject(refusal);
    const stall = this.stall() ?? this.moveStall();
    if (stall !== undefined) return stall.then(() => this.admit(batch));
    return this.admitToEngines(batch);
  }

  /** See EngineContext.renewViews. */
  private renewViews(): Seq {
    this.views.forget();
    return this.queue.visibleSeq;
  }

  /** Room in every engine that the batch touches. */
  private admitToEngines(batch: WriteBatch): Promise<void> | undefined {
    const { engines } = this.catalog;
    const { room, usesReserve } = batch;
    for (let i = 0; i < engines.length; i++) {
      const placed = engines[i] as (typeof engines)[number];
      if ((batch.engines & placed.bit) === 0) continue;
      const wait = placed.engine.admit(room, usesReserve);
      if (wait !== undefined) return this.admitRest(wait, batch, i);
    }
    return undefined;
  }

  admitNow(batch: WriteBatch): void {
    const refusal = this.refusal(batch);
    if (refusal !== undefined) throw refusal;
    if (!this.wal.caps.syncNow && this.durability === 'fsync') {
      throw unsupportedError('a synchronous commit over this log', { hint: 'Use the asynchronous form.' });
    }
    this.parts.epoch?.beginNow();
    if (this.checkpointer.isOverdue && this.wal.caps.syncNow) this.checkpointNow();
    try {
      this.admitToEnginesNow(batch);
    } catch (error) {
      // What is queued may be what has the memory reserved.
      if (this.queue.queued === 0 || !isPhantomError(error) || error.code !== SqlState.OutOfMemory) throw error;
      this.queue.drainNow();
      this.admitToEnginesNow(batch);
    }
  }

  private admitToEnginesNow(batch: WriteBatch): void {
    const { engines } = this.catalog;
    for (let i = 0; i < engines.length; i++) {
      const placed = engines[i] as (typeof engines)[number];
      if ((batch.engines & placed.bit) === 0) continue;
      try {
        placed.engine.admitNow(batch.room, batch.usesReserve);
      } catch (error) {
        this.unadmitFirst(batch.engines, batch.room, i);
        throw error;
      }
    }
  }

  /** For callers that never let the event loop turn, and with it no checkpoint go on. A failure loses nothing. */
  private checkpointNow(): void {
    this.queue.drainNow();
    try {
      this.checkpointer.runNow();
    } catch (error) {
      if (this.health.failure !== undefined) throw this.health.failure;
      this.parts.options.logger.warn('a checkpoint failed and will be tried again', {
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  unadmit(batch: WriteBatch): void {
    this.unadmitFirst(batch.engines, batch.room, this.catalog.engines.length);
  }

  submit(batch: WriteBatch, listener: CommitListener, options?: SubmitOptions): Seq {
    const refusal = this.health.refusal();
    if (refusal !== undefined) throw refusal;
    assert(batch.count > 0, 'an empty batch is not committed');
    const { queue, log } = this;
    const seq = queue.assignedSeq + 1;
    const bytes = batch.finish();
    const lsn = log.append(bytes, RecordKind.Batch, seq);
    const isSynced = this.durability === 'fsync' && options?.durability !== 'os';
    queue.push(bytes, lsn, log.commitTimeMs, listener, isSynced, options);
    return seq;
  }

  drainNow(): void {
    this.queue.drainNow();
  }

  drain(): Promise<void> {
    return this.queue.drain();
  }

  allocateSpaceNumber(): number {
    const refusal = this.health.refusal();
    if (refusal !== undefined) throw refusal;
    return this.catalog.allocate((limit) => {
      this.parts.superblock.updateNow((state) => (state.spaceLimit = limit));
    });
  }

  beginLoad(code: EngineCode): BulkLoad | undefined {
    return this.files.beginLoad(code);
  }

  spill(engines: number): SpilledWrites | undefined {
    return this.files.spill(engines);
  }

  beginSpilledCommit(spilled: SpilledWrites): SpilledCommit {
    return this.files.beginSpilledCommit(spilled);
  }

  moveSpaces(pairs: readonly SpacePair[]): SpaceMove {
    const refusal = this.health.refusal();
    if (refusal !== undefined) throw refusal;
    const { queue } = this;
    const move = new SpaceMover(
      {
        get visibleSeq() {
          return queue.visibleSeq;
        },
        view: () => this.view(),
        drain: () => queue.drain(),
        commit: (batch) => this.commitMoved(batch),
        commitNow: (batch) => {
          this.admitNow(batch);
          this.submitOrUnadmit(batch, UNHEARD);
          queue.drainNow();
        },
        beginLoad: (code) => this.beginLoad(code),
        ended: (ended) => this.moves.delete(ended),
      },
      pairs,
    );
    this.moves.add(move);
    return move;
  }

  changes(options: ChangeFeedOptions): ChangeFeed {
    if (this.health.isClosed) throw closedError();
    const { wal, health, queue, checkpointer } = this;
    const feed = new LogChangeFeed(
      {
        wal,
        health,
        get visibleSeq() {
          return queue.visibleSeq;
        },
        placeOf: (seq) => checkpointer.log.lastUpTo(seq),
        ended: (ended) => this.feeds.delete(ended),
      },
      options,
    );
    this.feeds.add(feed);
    return feed;
  }

  observe(observer: CommitObserver): void {
    this.observers.push(observer);
  }

  onFailure(listener: () => void): void {
    this.health.onFailure(listener);
  }

  checkpoint(): Promise<void> {
    const refusal = this.health.refusal();
    return refusal === undefined ? this.checkpointer.run() : Promise.reject(refusal);
  }

  origin(): StoreOrigin {
    const { superblock } = this.parts;
    return { timeline: superblock.state.timeline, seq: this.visibleSeq, spaceLimit: this.catalog.spaceNext };
  }

  nameReaders(name: (seq: Seq) => string | undefined): void {
    this.parts.readers.name = name;
  }

  describeHolder(holder: LockHolder): void {
    this.parts.lock.describe(holder);
  }

  engine(code: EngineCode): KvEngine | undefined {
    return this.catalog.engine(code)?.engine;
  }

  advise(spaces: readonly SpaceId[]): TableAdvice | undefined {
    const code = engineOfSpace(spaces[0] ?? 0);
    const engine = this.engine(code);
    if (engine === undefined || (code !== EngineCode.Btree && code !== EngineCode.Lsm)) return undefined;
    const evidence = spaces.map((space) => {
      const { gets, scans, rowsScanned, writes, bytesWritten, appends, keysWritten } = this.views.uses.of(space);
      const { keys: rows, bytes } = engine.estimate(spaceRange(space));
      return { gets, scans, rowsScanned, writes, bytesWritten, appends, keysWritten, rows, bytes };
    });
    // A delta freezes at half of what all may take.
    const { deltaBytesMax, cacheBytes } = this.parts.options;
    const memory = { deltaBytes: deltaBytesMax / 2, cacheBytes };
    return { ...adviseEngine(code === EngineCode.Btree ? 'btree' : 'lsm', evidence, memory), evidence };
  }

  stats(): StoreStats {
    const wal = this.wal.stats();
    return {
      commits: this.queue.commits,
      syncs: wal.syncs,
      visibleSeq: this.queue.visibleSeq,
      commitTimeMs: this.log.commitTimeMs,
      queuedCommits: this.queue.queued,
      checkpoints: this.checkpointer.checkpoints,
      logBytesSinceCheckpoint: this.checkpointer.logBytesSince,
      openViews: this.views.openViews,
      wal,
      engines: this.catalog.engines.map(({ engine }) => engine.stats()),
    };
  }

  check(): AsyncIterable<Finding> {
    if (this.health.isClosed) throw closedError();
    return checkStore(this.parts);
  }

  scrub(signal?: AbortSignal): Promise<ScrubPass> {
    return this.health.isClosed ? Promise.reject(closedError()) : this.scrubber.passNow(signal);
  }

  scrubbed(): ScrubFacts {
    return this.scrubber.facts;
  }

  locate(file: string, offset: number | undefined): KeyRange | undefined {
    return this.catalog.locate(file, offset);
  }

  close(options: { readonly checkpoint?: boolean } = {}): Promise<void> {
    this.closing ??= this.shutDown(options.checkpoint ?? true);
    return this.closing;
  }

  /** Why this batch is refused before anything was tried; undefined when it is not. */
  private refusal(batch: WriteBatch): PhantomError | undefined {
    const refusal = this.health.refusal();
    if (refusal === undefined) this.catalog.checkEngines(batch.engines);
    return refusal;
  }

  /** What every write must wait for: nearly always nothing. */
  private stall(): Promise<void> | undefined {
    return this.parts.epoch?.stall() ?? this.checkpointer.stall();
  }

  private moveStall(): Promise<void> | undefined {
    for (const move of this.moves) {
      const stall = move.stall();
      if (stall !== undefined) return stall;
    }
    return undefined;
  }

  /** A move's commit waits like any other, but not for moves. */
  private async commitMoved(batch: WriteBatch): Promise<void> {
    await this.unstalled();
    const refusal = this.refusal(batch);
    if (refusal !== undefined) throw refusal;
    await this.admitToEngines(batch);
    await new Promise((resolve, reject) => this.submitOrUnadmit(batch, { published: resolve, unknown: reject }));
  }

  private submitOrUnadmit(batch: WriteBatch, listener: CommitListener): void {
    try {
      this.submit(batch, listener, MOVED);
    } catch (error) {
      this.unadmit(batch);
      throw error;
    }
  }

  /** Goes on admitting behind the engine at `index`, which makes us wait; on a refusal the ones before get their room back. */
  private async admitRest(wait: Promise<void>, batch: WriteBatch, index: number): Promise<void> {
    const { engines } = this.catalog;
    const { engines: mask, room, usesReserve } = batch;
    let i = index;
    try {
      await wait;
      for (i = index + 1; i < engines.length; i++) {
        const placed = engines[i] as (typeof engines)[number];
        if ((mask & placed.bit) === 0) continue;
        const more = placed.engine.admit(room, usesReserve);
        if (more !== undefined) await more;
      }
    } catch (error) {
      this.unadmitFirst(mask, room, i);
      throw error;
    }
    // The store may have failed or been closed while we waited.
    const refusal = this.health.refusal();
    if (refusal !== undefined) {
      this.unadmitFirst(mask, room, engines.length);
      throw refusal;
    }
  }

  private unadmitFirst(mask: number, room: number, count: number): void {
    const { engines } = this.catalog;
    for (let i = 0; i < count; i++) {
      const placed = engines[i] as (typeof engines)[number];
      if ((mask & placed.bit) !== 0) placed.engine.unadmit(room);
    }
  }

  /** What every write must wait for, whether or not a move is under way. */
  async unstalled(): Promise<void> {
    for (let stall = this.stall(); stall !== undefined; stall = this.stall()) await stall;
  }

  /** A commit has become visible. */
  private published(batch: BatchReader, lsn: Lsn, commitTimeMs: number): void {
    this.views.forget();
    this.views.uses.noteCommit(batch);
    batch.rewind();
    for (const observer of this.observers) {
      observer.published(batch, this.queue.visibleSeq);
      batch.rewind();
    }
    for (const feed of this.feeds) {
      feed.published(batch, this.queue.visibleSeq, lsn, commitTimeMs);
      batch.rewind();
    }
    for (const move of this.moves) {
      move.observe(batch);
      batch.rewind();
    }
  }

  /** Bulk loads have become visible. */
  private loaded(loads: readonly LoadRecord[]): void {
    this.views.forget();
    for (const observer of this.observers) observer.loaded(this.queue.visibleSeq);
    for (const move of this.moves) move.observeLoads(loads);
    // What it has to say is in the log.
    for (const feed of this.feeds) feed.wake();
  }

  /** The queue has nothing more to do for now. */
  private settled(): void {
    if (!this.health.isClosed) this.health.look(this.parts.options.clock);
    this.checkpointer.request();
    this.logEnd.look();
    if (this.durability === 'fsync' && this.osSyncTimer === undefined && this.wal.durable < this.wal.end) {
      if (this.queue.queued === 0 && this.health.failure === undefined) this.syncSoon();
    }
  }

  /** Commits that asked for `os` are not left unsynced for long, though nobody waits for it. */
  private syncSoon(): void {
    this.osSyncTimer = setTimeout(() => {
      this.osSyncTimer = undefined;
      if (this.health.failure === undefined && !this.health.isClosed) {
        this.wal.sync().catch((error: unknown) => this.health.fail(error));
      }
    }, OS_SYNC_DELAY_MS);
    this.osSyncTimer.unref();
  }

  private async shutDown(checkpoint: boolean): Promise<void> {
    const { health, wal, catalog, parts, queue } = this;
    const { superblock, lock } = parts;
    health.close();
    clearTimeout(this.osSyncTimer);
    const errors: unknown[] = [];
    const attempt = async (action: () => unknown): Promise<void> => {
      try {
        await action();
      } catch (error) {
        errors.push(error);
      }
    };
    await Promise.all([this.scrubber.stop(), this.logEnd.stop()]);
    await attempt(() => queue.drain());
    for (const feed of this.feeds) feed.wake();
    await this.checkpointer.settled();
    if (!this.readOnly && health.failure === undefined) {
      await attempt(() => wal.sync());
      if (checkpoint) await attempt(() => this.lastCheckpoint());
      if (health.failure === undefined && errors.length === 0) {
        await attempt(() => superblock.update((state) => (state.spaceLimit = catalog.spaceNext)));
      }
    }
    this.views.forget();
    for (const { engine } of catalog.engines) await attempt(() => engine.close());
    await attempt(() => wal.close());
    await attempt(() => superblock.close());
    await attempt(() => lock.release());
    // After a failure everybody has been told already; what fails here follows from it.
    if (health.failure === undefined && errors.length > 0) throw errors[0];
  }

  /** Where the disk is full it is left out: the log has everything. */
  private async lastCheckpoint(): Promise<void> {
    try {
      await this.checkpointer.run();
    } catch (error) {
      if (!isShortage(error) || this.wal.durable < this.wal.end) throw error;
      this.parts.options.logger.warn(
        'closing without a checkpoint; nothing is lost, and the next opening replays the log',
        {
          reason: (error as Error).message,
        },
      );
    }
  }
}
