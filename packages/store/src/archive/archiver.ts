/**
 * Archiving: every commit of a store goes, in order, into files beside whole copies of it, so that the store can be made again as
 * it was at any of them (restore.ts). format.ts draws the files; the idea is PostgreSQL's base backup with archived log, with
 * commits in place of pages.
 *
 *   store ── change feed ──► file of commits ──► sync ──► the log may go
 *         └─ copyStore, now and then ──► base, and its info once it was read back
 *
 * Nobody waits for it. While the archive cannot be written, the store goes on and its log is held, up to `logBytesMax`; past that
 * the commits between are lost to the archive, which is told loudly, and a new base begins what comes after.
 *
 * Invariants:
 *   1. Nothing is archived that is not visible, so nothing that a crash takes back from a store of durability `fsync`.
 *   2. The log holds what is not durable in the archive.
 *   3. After a failed write or sync nothing of the file counts but what an earlier sync has covered.
 *   4. A base counts once its info is durable, and stops counting before the first of its files goes.
 */
import { type Checksums, type Identity, PhantomError, SqlState, eventLoop, isPhantomError } from '@phantom/base';
import { BATCH_HEADER_BYTES, EngineCode, type Seq, WriteBatch } from '@phantom/kv';
import type { DirectoryLock } from '@phantom/vfs';
import type { ChangeFeed } from '../change-feed.js';
import { rangeOf } from '../store-copy.js';
import type { Change, Store, StoreView } from '../types.js';
import { BaseMaker } from './base-maker.js';
import { CommitsWriter, type WholeCommits, settleOpenFile } from './commits-writer.js';
import { type ArchiveContents, readContents } from './contents.js';
import { ArchivedKind, FILE_HEAD_BYTES } from './format.js';
import { loadBatches } from './load-writer.js';
import { writePoint } from './points.js';
import {
  type ArchivePorts,
  LOAD_VIEWS_MAX,
  type ResolvedArchiveOptions,
  SYNC_INTERVAL_MS,
  UNSYNCED_BYTES_MAX,
} from './options.js';

/** Of commits that only engines without files have seen. */
const NOTHING = new WriteBatch(BATCH_HEADER_BYTES).finish();
const RANGES = Object.values(EngineCode).map(rangeOf);

/** How an archive stands. */
export interface ArchiveState {
  readonly directory: string;
  /** The last commit that is durable in the archive. */
  readonly seq: Seq;
  /** When that was committed, milliseconds since 1970; 0 while nothing was archived since the opening. */
  readonly timeMs: number;
  /** The last base that counts; undefined while there is none. */
  readonly baseSeq: Seq | undefined;
  /** Why it does not go on at the moment; undefined while all is well. */
  readonly failure: Error | undefined;
  /** Attempts that failed since the opening. */
  readonly failures: number;
}

interface Waiter {
  readonly seq: Seq;
  resolve(): void;
  reject(error: unknown): void;
}

export class Archiver {
  private readonly store: Store;
  private readonly identity: Identity;
  private readonly options: ResolvedArchiveOptions;
  private readonly ports: ArchivePorts;
  private readonly lock: DirectoryLock;
  private readonly checksums: Checksums;
  private readonly bases: BaseMaker;
  private readonly running: Promise<void>;
  private feed: ChangeFeed | undefined;
  private file: CommitsWriter | undefined;
  private fileOpenedMs = 0;
  /** Files that were given up in this process, with what is durable of them. */
  private readonly left = new Map<Seq, WholeCommits | undefined>();
  private syncing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isSyncDue = false;
  /** Counts attempts to follow: one that was given up may still be waiting for a commit. */
  private attempt = 0;
  /** Ends the attempt under way. */
  private abort: (error: unknown) => void = () => undefined;
  private endWait: () => void = () => undefined;
  private takenTimeMs = 0;
  private durable = { seq: 0, timeMs: 0 };
  /** Bytes that the log had taken when everything in it was last archived. */
  private archivedLogBytes = 0;
  private failure: Error | undefined;
  /** What was logged since the archive was last written. */
  private toldReason: string | undefined;
  private failures = 0;
  private gaps = 0;
  private waiters: Waiter[] = [];
  private readonly loadViews = new Map<Seq, StoreView>();
  private isStopping = false;

  /** Begins at once; use openArchive. */
  constructor(
    store: Store,
    identity: Identity,
    options: ResolvedArchiveOptions,
    ports: ArchivePorts,
    lock: DirectoryLock,
    checksums: Checksums,
  ) {
    this.store = store;
    this.identity = identity;
    this.options = options;
    this.ports = ports;
    this.lock = lock;
    this.checksums = checksums;
    this.bases = new BaseMaker(store, identity, options, ports, checksums, (seq) => this.archived(seq));
    store.observe({ published: () => undefined, loaded: (seq) => this.holdView(seq) });
    this.registerMetrics();
    this.running = this.run();
  }

  get state(): ArchiveState {
    const { durable, failure, failures, bases, options } = this;
    return {
      directory: options.directory,
      ...durable,
      baseSeq: bases.lastSeq,
      failure: failure ?? bases.failure,
      failures,
    };
  }

  /** Resolves when what is visible now is durable in the archive, and a base that is being made counts; rejects with what is in the way. */
  async flush(): Promise<void> {
    await this.archived(this.store.visibleSeq);
    await this.bases.settled();
  }

  /** Makes a base of the present state; resolves with its seq once it counts. 55000 while another one is being made. */
  makeBase(): Promise<Seq> {
    return this.bases.make();
  }

  /**
   * Gives the last visible commit a name for restores, durable on return; the commit itself follows as all do. Returns its seq. 22023 for a
   * name that cannot be, 42710 for one that is there, 55000 when the archive is closed, 53100 and 58030 from its disk.
   */
  createPoint(name: string): Seq {
    if (this.isStopping) throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the archive is closed');
    const { ports, options, identity, checksums } = this;
    const seq = this.store.visibleSeq;
    const timeMs = Math.floor(ports.clock.nowMs());
    writePoint(ports.vfs, options.directory, identity, { name, seq, timeMs }, checksums);
    return seq;
  }

  /**
   * Archives what is visible, as far as the archive can be written, makes the first base if it has none, and frees it. What could not be archived stays in the log, which
   * is held until the store is closed. Never rejects.
   */
  async stop(): Promise<void> {
    await this.archived(this.store.visibleSeq).catch(() => undefined);
    await this.bases.stop();
    this.isStopping = true;
    if (this.file !== undefined) await this.sync().catch(() => undefined);
    clearTimeout(this.timer);
    this.file?.abandon();
    // Ended, but still holding the log, where not all of it is archived.
    if (this.failure === undefined) this.feed?.close();
    this.endWait();
    this.abort(new PhantomError(SqlState.AdminShutdown, 'the archive is closed'));
    await this.running;
    this.letViewsGo();
    await this.lock.release();
  }

  private archived(seq: Seq): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.feed !== undefined && this.durable.seq >= seq) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ seq, resolve, reject });
      this.syncForWaiters();
    });
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      try {
        await new Promise<void>((resolve, reject) => {
          this.abort = reject;
          this.archive(++this.attempt).then(resolve, reject);
        });
        this.failed(new PhantomError(SqlState.AdminShutdown, 'the store is closed'), true);
        return;
      } catch (error) {
        this.failed(error);
        if (this.isStopping || this.store.failure !== undefined) return;
        await new Promise<void>((resolve) => {
          this.endWait = resolve;
          setTimeout(resolve, this.options.retryMs).unref();
        });
      }
    }
  }

  /** Follows the store until it is closed. Whatever throws here is tried again. */
  private async archive(attempt: number): Promise<void> {
    await this.settle();
    const contents = readContents(this.ports.vfs, this.options.directory, this.checksums);
    const { first, last } = lastRun(contents, this.store.visibleSeq);
    this.durable = { seq: last, timeMs: this.durable.timeMs };
    let feed = this.followFrom(last);
    // What is in the log may not go on where the archive ends; a base is needed then, and made below.
    this.bases.begin(contents.bases, first - 1);
    this.failure = undefined;
    this.resolveWaiters();
    for (;;) {
      let change: Change | undefined;
      try {
        change = (await feed.next()).value;
      } catch (error) {
        if (!isPhantomError(error) || error === this.store.failure || attempt !== this.attempt) throw error;
        feed = await this.beginAnew(error);
        continue;
      }
      // Another attempt may have taken over while this one waited.
      if (change === undefined || attempt !== this.attempt) return;
      await this.take(change);
      if (eventLoop.isOverdue()) await eventLoop.nextTurn();
    }
  }

  /** Closes what an earlier writer left open, this one after a failure among them. */
  private async settle(): Promise<void> {
    const { vfs, logger } = this.ports;
    const { directory } = this.options;
    for (const source of readContents(vfs, directory, this.checksums).files) {
      if (source.last !== undefined) continue;
      const { first } = source;
      const nothing = { sum: 0, records: 0, last: first - 1, end: FILE_HEAD_BYTES };
      const known = this.left.has(first) ? (this.left.get(first) ?? nothing) : undefined;
      const { damage } = await settleOpenFile(vfs, directory, source, this.identity, this.checksums, known);
      if (damage !== undefined)
        logger.error('the archive is damaged where it was written last', { reason: String(damage) });
    }
    this.left.clear();
  }

  /** The log is held all the while: the feed of before lets go of it once this one has it. */
  private followFrom(after: Seq): ChangeFeed {
    const { store, options } = this;
    const before = this.feed;
    this.feed = store.changes({
      name: 'archive',
      ranges: RANGES,
      after,
      logBytesMax: options.logBytesMax,
      keeps: true,
    });
    before?.close();
    return this.feed;
  }

  /** The log does not have what comes next: what is visible now begins another run, with a base of its own. */
  private async beginAnew(cause: PhantomError): Promise<ChangeFeed> {
    const { file, durable, store, ports } = this;
    this.letViewsGo();
    if (file !== undefined) await this.sync(true);
    const seq = store.visibleSeq;
    this.gaps++;
    ports.logger.error('commits are missing in the archive: it cannot be restored to them', {
      from: durable.seq + 1,
      to: seq,
      reason: cause.message,
    });
    this.durable = { seq, timeMs: 0 };
    const feed = this.followFrom(seq);
    await this.bases.settled().catch(() => undefined);
    this.bases.makeSoon();
    this.resolveWaiters();
    return feed;
  }

  private async take({ seq, commitTimeMs, batch, loads }: Change): Promise<void> {
    this.file ??= this.makeFile(seq);
    const { file } = this;
    const { spaceLimit } = this.store.origin();
    const head = { kind: ArchivedKind.Batch, isContinued: false, seq, commitTimeMs, spaceLimit, wholeFrom: seq };
    if (loads === undefined) {
      const isKept = batch.engines !== 1 << EngineCode.Memory;
      file.append(head, isKept ? batch.bytes.subarray(batch.base, batch.base + batch.length) : NOTHING);
    } else {
      const view = this.loadViews.get(seq) ?? this.store.view();
      this.loadViews.delete(seq);
      try {
        for (const { bytes, isLast } of loadBatches(loads, view)) {
          file.append({ ...head, kind: ArchivedKind.Load, isContinued: !isLast, wholeFrom: view.seq }, bytes);
          await this.makeRoom(file);
          if (file !== this.file) return;
          if (eventLoop.isOverdue()) await eventLoop.nextTurn();
        }
      } finally {
        view.release();
      }
    }
    this.takenTimeMs = commitTimeMs;
    this.syncSoon();
    this.syncForWaiters();
    await this.makeRoom(file);
  }

  private makeFile(first: Seq): CommitsWriter {
    const { ports, options, identity, checksums } = this;
    this.fileOpenedMs = performance.now();
    return new CommitsWriter(ports.vfs, options.directory, identity, first, checksums);
  }

  /** Waits while much of the file is only in memory. */
  private async makeRoom(file: CommitsWriter): Promise<void> {
    while (file === this.file && file.buffered >= UNSYNCED_BYTES_MAX) await this.sync();
  }

  private syncSoon(): void {
    if (this.isSyncDue) return;
    this.isSyncDue = true;
    this.syncAfter(SYNC_INTERVAL_MS);
  }

  private syncAfter(durationMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.syncNow(), durationMs);
    this.timer.unref();
  }

  private syncNow(): void {
    this.sync().catch((error: unknown) => this.abort(error));
  }

  /** Somebody waits for what was taken. */
  private syncForWaiters(): void {
    const { file } = this;
    if (file !== undefined && this.waiters.some(({ seq }) => seq <= file.last)) this.syncNow();
  }

  /** Makes what was taken durable; closes the file when it is time. */
  private async sync(isLast = this.isStopping): Promise<void> {
    while (this.syncing !== undefined) await this.syncing;
    const { file } = this;
    this.isSyncDue = false;
    if (file === undefined) return;
    this.syncing = this.syncFile(file, isLast);
    try {
      await this.syncing;
    } finally {
      this.syncing = undefined;
    }
  }

  private async syncFile(file: CommitsWriter, isLast: boolean): Promise<void> {
    const { options, feed, takenTimeMs, store } = this;
    const { last } = file;
    const logBytes = last === store.visibleSeq ? store.stats().wal.bytesAppended : this.archivedLogBytes;
    const leftMs = this.fileOpenedMs + options.timeoutMs - performance.now();
    const isDone = !file.isWithinCommit && (isLast || leftMs <= 0 || file.bytes >= options.fileBytesMax);
    if (isDone) {
      file.finish();
      this.file = undefined;
    }
    try {
      await file.sync();
    } catch (error) {
      this.giveUp(file);
      throw error;
    }
    this.durable = { seq: last, timeMs: takenTimeMs };
    this.archivedLogBytes = logBytes;
    this.toldReason = undefined;
    feed?.kept(last);
    this.resolveWaiters();
    if (this.file === file && !this.isSyncDue) this.syncAfter(Math.max(SYNC_INTERVAL_MS, leftMs));
  }

  private resolveWaiters(): void {
    const { seq } = this.durable;
    for (const waiter of this.waiters) if (waiter.seq <= seq) waiter.resolve();
    this.waiters = this.waiters.filter((waiter) => waiter.seq > seq);
  }

  private giveUp(file: CommitsWriter): void {
    this.left.set(file.first, file.durable);
    file.abandon();
  }

  /** `isClosed`: it ends because the store does. */
  private failed(error: unknown, isClosed = this.isStopping || this.store.failure !== undefined): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (this.toldReason !== failure.message && !isClosed) {
      this.toldReason = failure.message;
      this.ports.logger.error('the archive cannot be written; the log is held meanwhile', { reason: failure.message });
    }
    if (!isClosed) this.failures++;
    this.failure = failure;
    this.attempt++;
    clearTimeout(this.timer);
    this.isSyncDue = false;
    if (this.file !== undefined) this.giveUp(this.file);
    this.file = undefined;
    this.letViewsGo();
    for (const waiter of this.waiters) waiter.reject(failure);
    this.waiters = [];
  }

  /** A bulk load is being published: its files may be merged before it is taken, so what it wrote is held in a view. */
  private holdView(seq: Seq): void {
    if (this.failure !== undefined || this.isStopping || this.loadViews.size >= LOAD_VIEWS_MAX) return;
    this.loadViews.set(seq, this.store.view());
  }

  private letViewsGo(): void {
    for (const view of this.loadViews.values()) view.release();
    this.loadViews.clear();
  }

  private registerMetrics(): void {
    const { metrics, clock } = this.ports;
    const { store } = this;
    metrics.gauge('phantom_archive_seq', 'Last commit that is durable in the archive', () => this.durable.seq);
    metrics.gauge('phantom_archive_lag_commits', 'Commits that are visible and not durable in the archive', () =>
      Math.max(0, store.visibleSeq - this.durable.seq),
    );
    metrics.gauge(
      'phantom_archive_lag_seconds',
      'Age of the last archived commit while later ones are not archived',
      () =>
        this.durable.seq >= store.visibleSeq || this.durable.timeMs === 0
          ? 0
          : Math.max(0, clock.nowMs() - this.durable.timeMs) / 1000,
    );
    metrics.gauge('phantom_archive_lag_bytes', 'Log since everything in it was last archived, at most.', () =>
      this.durable.seq >= store.visibleSeq ? 0 : store.stats().wal.bytesAppended - this.archivedLogBytes,
    );
    metrics.gauge(
      'phantom_archive_base_seq',
      'Commit that the newest base of the archive has',
      () => this.bases.lastSeq ?? 0,
    );
    metrics.gauge('phantom_archive_bases_total', 'Bases that were made', () => this.bases.made);
    metrics.gauge('phantom_archive_failures_total', 'Attempts to write the archive that failed', () => this.failures);
    metrics.gauge('phantom_archive_gaps_total', 'Times that commits were lost to the archive', () => this.gaps);
  }
}

/** The last run of commits without a gap: its first seq, and its last, or that of the newest base. A new archive begins behind `now`. */
function lastRun({ files, bases }: ArchiveContents, now: Seq): { readonly first: Seq; readonly last: Seq } {
  if (files.length === 0 && bases.length === 0) return { first: now + 1, last: now };
  const last = files.at(-1)?.last ?? 0;
  let first = files.at(-1)?.first ?? 1;
  for (const file of files.toReversed()) if (file.last === first - 1) first = file.first;
  const base = bases.at(-1)?.seq ?? 0;
  if (base <= last) return { first, last };
  return { first: base + 1, last: base };
}
