/**
 * The B+tree engine: a delta in memory over copy-on-write pages.
 *
 *      apply ──► active delta ──freeze──► frozen deltas ──flush──► runs ──merge──► pages
 *                    memory                  memory              sorted files     tree.db
 *
 *   - Writes touch memory only. A delta freezes on a batch boundary once it is half of deltaBytesMax (or when somebody
 *     flushes or waits for room) and is written as one sorted run, sequentially: then the log may go. Pages are not
 *     touched by that, so a checkpoint of random writes costs their bytes, not a page for each.
 *   - Runs are merged into the pages in the background when that pays, with each other when there are too many, and in any
 *     case when nothing is written for a while: an idle engine is a plain tree (merge-policy.ts).
 *   - Readers never wait: a view pins root, runs and deltas of its moment.
 *
 * Invariants (those of the contract are in kv's engine.ts):
 *   1. Layers are strictly ordered in time: every write in a newer layer is younger than every write in an older one.
 *   2. Nothing that the present meta or a view reaches is overwritten or removed (tree-files.ts).
 *   3. The files hold the effects up to the meta's flushedSeq and nothing later: a run is named by the same meta that moves
 *      flushedSeq past it, in the order in which deltas froze.
 *   4. One flush and one merge are under way at most, and one commit of files.
 *
 * Failures: a full disk lets flushes fail and be tried again, while admit refuses with 53100; any other failure of
 * background work, and everything that goes wrong inside a commit of files, is final: the store is told, reads go on.
 */
import { PhantomError, SqlState, assert, isPhantomError } from '@phantom/base';
import type {
  BatchReader,
  EngineStats,
  Finding,
  KeyRange,
  KvEngine,
  KvView,
  RangeEstimate,
  Seq,
  SortedRunRef,
} from '@phantom/kv';
import { EngineCode } from '@phantom/kv';
import { Delta, type Layer, Run } from '@phantom/runs';
import type { EngineContext } from '@phantom/store';
import { Admission } from './admission.js';
import { BtreeView } from './btree-view.js';
import { type Slices, flushDelta, mergeIntoTree, mergeRuns } from './file-jobs.js';
import { Job, type Wait } from './job.js';
import { chooseMerge } from './merge-policy.js';
import { type BtreeOptions, type ResolvedBtreeOptions, resolveOptions } from './options.js';
import { estimateRange, splitRange } from './range-estimate.js';
import type { TreeRoot } from './format.js';
import { type FilesChange, type RunHandle, TreeFiles } from './tree-files.js';
import { verifyTree } from './verify.js';

/** How soon a flush that found the disk full is tried again. */
const RETRY_MS = 250;
/** Flushes wait for a merge once there are so many times runsMax runs. */
const RUNS_HARD_FACTOR = 2;

export class BtreeEngine implements KvEngine {
  readonly name = 'btree';
  private readonly context: EngineContext;
  private readonly options: ResolvedBtreeOptions;
  private readonly files: TreeFiles;
  private readonly admission: Admission;
  private readonly slices: Slices;
  private readonly views = new Set<BtreeView>();
  private active = new Delta();
  /** Frozen deltas, newest first. */
  private frozen: Delta[] = [];
  private applied: Seq;
  /** What appliedSeq was before the last completed batch: no view is older than this or the newest view. */
  private floor: Seq;
  /** Seq of the batch that is being applied in slices; 0 between batches. */
  private applying: Seq = 0;
  /** Somebody waits for the batch that is being applied to end. */
  private freezeWanted = false;
  private flushing: Job | undefined = undefined;
  private merging: Job | undefined = undefined;
  private failure: Error | undefined = undefined;
  /** The last flush found the disk full. */
  private diskFull: Error | undefined = undefined;
  /** What views below `until` must be given, while they are still possible: the pages have gone past them. */
  private earlier: { readonly until: Seq; readonly view: BtreeView } | undefined = undefined;
  private idleTimer: NodeJS.Timeout | undefined = undefined;
  private retryTimer: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;
  private lastWriteMs = 0;
  private flushes = 0;
  private merges = 0;
  private bytesFlushed = 0;
  private bytesMerged = 0;

  private constructor(context: EngineContext, options: ResolvedBtreeOptions, files: TreeFiles) {
    this.context = context;
    this.options = options;
    this.files = files;
    this.applied = files.flushedSeq;
    this.floor = files.flushedSeq;
    this.slices = { monotonicMs: () => context.clock.monotonicMs(), sliceMs: options.sliceMs };
    this.admission = new Admission(context.deltaBytesMax, () => this.deltaBytes());
  }

  /** Opens the engine in a directory of its own. */
  static async open(context: EngineContext, options: BtreeOptions = {}): Promise<BtreeEngine> {
    const resolved = resolveOptions(options);
    const files = await TreeFiles.open(context, resolved);
    const engine = new BtreeEngine(context, resolved, files);
    if (!context.readOnly) {
      files.removeOrphans(() => false);
      engine.maintain();
    }
    return engine;
  }

  get appliedSeq(): Seq {
    return this.applied;
  }

  admit(bytes: number): Promise<void> | undefined {
    const refusal = this.failure ?? this.diskFull;
    if (refusal !== undefined) return Promise.reject(refusal);
    try {
      if (this.context.readOnly || this.admission.tryReserve(bytes)) return undefined;
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const admitted = this.admission.wait(bytes);
    this.makeRoom();
    return admitted;
  }

  admitNow(bytes: number): void {
    const refusal = this.failure ?? this.diskFull;
    if (refusal !== undefined) throw refusal;
    if (this.context.readOnly) return;
    while (!this.admission.tryReserveNow(bytes)) {
      this.makeRoom();
      if (this.flushing === undefined) {
        throw new PhantomError(
          SqlState.OutOfMemory,
          'the memory for unflushed writes is reserved by other transactions',
        );
      }
      try {
        this.flushing.finishNow();
      } finally {
        this.flushEnded();
      }
    }
  }

  unadmit(bytes: number): void {
    this.admission.giveBack(bytes);
  }

  apply(batch: BatchReader, seq: Seq, operationsMax: number): boolean {
    if (seq <= this.applied) {
      this.admission.giveBack(batch.length);
      return true;
    }
    this.applying = seq;
    if (!this.active.apply(batch, seq, operationsMax, EngineCode.Btree)) return false;
    this.applying = 0;
    this.floor = this.applied;
    this.applied = seq;
    this.lastWriteMs = this.slices.monotonicMs();
    this.dropEarlier();
    this.admission.giveBack(batch.length);
    if (this.freezeWanted || this.active.bytes * 2 >= this.context.deltaBytesMax) this.freeze();
    return true;
  }

  advance(seq: Seq): void {
    assert(this.applying === 0, 'a batch was begun and not completed');
    if (seq <= this.applied) return;
    this.floor = this.applied;
    this.applied = seq;
  }

  view(seq: Seq): KvView {
    assert(seq <= this.applied && seq >= this.floor, 'a view lies between the last published and the applied seq');
    this.floor = seq;
    this.dropEarlier();
    const { earlier } = this;
    if (earlier === undefined) return this.pin(seq);
    return this.addView(seq, earlier.view.root, earlier.view.generation, earlier.view.layers);
  }

  ingest(_files: readonly SortedRunRef[], _seq: Seq): void {
    throw new PhantomError(SqlState.FeatureNotSupported, 'bulk load of files into a B+tree is not supported');
  }

  estimate(range: KeyRange): RangeEstimate {
    return estimateRange(this.files, [this.active, ...this.frozen], range);
  }

  split(range: KeyRange, parts: number): KeyRange[] {
    return splitRange(this.files, [this.active, ...this.frozen], range, parts);
  }

  flushedSeq(): Seq {
    return this.frozen.length === 0 && isEmpty(this.active) && this.applying === 0
      ? this.applied
      : this.files.flushedSeq;
  }

  async flush(): Promise<Seq> {
    const target = this.applying === 0 ? this.applied : this.applying;
    while (this.flushedSeq() < target) {
      if (this.failure !== undefined) throw this.failure;
      if (this.isClosed || this.context.readOnly) break;
      this.diskFull = undefined;
      this.makeRoom();
      if (this.flushing === undefined) {
        // A batch is being applied in slices: its last one freezes.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      await this.flushing.ended;
    }
    return this.flushedSeq();
  }

  /** Merges every run into the pages, waiting for what is under way. For tools and tests; the engine does it by itself. */
  async merge(): Promise<void> {
    await this.flush();
    while (this.files.runs.length > 0 || this.merging !== undefined) {
      if (this.failure !== undefined) throw this.failure;
      if (this.merging === undefined) this.startMerge(this.files.runs);
      await this.merging?.ended;
    }
  }

  stats(): EngineStats {
    const { pager, cache } = this.files;
    let pagesRead = pager.pagesRead;
    let cacheHits = pager.cacheHits;
    for (const { run } of this.files.runs) {
      pagesRead += run.counters.blocksRead;
      cacheHits += run.counters.blockHits;
    }
    let oldestViewSeq = this.applied;
    for (const view of this.views) oldestViewSeq = Math.min(oldestViewSeq, view.seq);
    return {
      name: this.name,
      deltaBytes: this.deltaBytes(),
      frozenDeltas: this.frozen.length,
      runs: this.files.runs.length,
      fileBytes: this.files.bytes,
      cacheBytes: cache.bytes,
      pagesRead,
      cacheHits,
      flushes: this.flushes,
      merges: this.merges,
      bytesFlushed: this.bytesFlushed,
      bytesMerged: this.bytesMerged,
      openViews: this.views.size - (this.earlier === undefined ? 0 : 1),
      oldestViewSeq,
    };
  }

  /** Levels of the tree: what a get touches at most, besides a block for each run. */
  get height(): number {
    const { root } = this.files;
    return root.id === 0 ? 0 : root.level + 1;
  }

  *check(): Iterable<Finding> {
    yield* verifyTree(this.files);
    yield* this.files.checkRuns();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.idleTimer);
    clearTimeout(this.retryTimer);
    await Promise.all([this.flushing?.cancel(), this.merging?.cancel()]);
    this.admission.refuse(new PhantomError(SqlState.AdminShutdown, 'the engine was closed'));
    for (const view of [...this.views]) view.release();
    this.files.close();
  }

  private deltaBytes(): number {
    let bytes = isEmpty(this.active) ? 0 : this.active.bytes;
    for (const delta of this.frozen) bytes += delta.bytes;
    return bytes;
  }

  /** Freezes what there is, or sees to it that the end of the present batch does, and lets the flush run. */
  private makeRoom(): void {
    if (this.applying !== 0) this.freezeWanted = true;
    else this.freeze();
    this.startFlush();
  }

  private freeze(): void {
    assert(this.applying === 0, 'a delta freezes on a batch boundary');
    this.freezeWanted = false;
    if (isEmpty(this.active)) return;
    this.active.freeze();
    this.frozen.unshift(this.active);
    this.active = new Delta();
    this.startFlush();
  }

  private startFlush(): void {
    if (this.failure !== undefined || this.diskFull !== undefined || this.isClosed || this.context.readOnly) return;
    if (this.frozen.length === 0 || this.flushing !== undefined) return;
    const job = new Job(this.flushOldest());
    this.flushing = job;
    job.ended.finally(() => this.flushEnded()).catch(() => undefined);
  }

  /** Called when the job's promise settles, and earlier by whoever finished it on the spot. */
  private flushEnded(): void {
    const job = this.flushing;
    if (job === undefined || !job.isFinished) return;
    this.flushing = undefined;
    if (this.isClosed) return;
    const error = job.failure;
    if (error === undefined) {
      this.admission.grant();
      this.startFlush();
      this.maintain();
    } else if (this.isTransient(error)) {
      this.context.logger.warn('a flush found the disk full and will be tried again', { reason: error.message });
      this.diskFull = error;
      this.admission.refuse(error);
      this.retryTimer = later(RETRY_MS, () => {
        this.diskFull = undefined;
        this.startFlush();
      });
    } else {
      this.fail(error);
    }
  }

  private *flushOldest(): Generator<Wait, void> {
    const { files, options } = this;
    while (files.runs.length >= options.runsMax * RUNS_HARD_FACTOR) {
      if (this.merging === undefined) this.startMerge(files.runs);
      yield this.endOfMerge();
    }
    const delta = this.frozen.at(-1) as Delta;
    const handle = yield* flushDelta(files, delta, this.keptSeqs(delta), this.slices);
    const change = (): FilesChange => ({ runs: [handle, ...files.runs], flushedSeq: delta.lastSeq });
    let isInstalled = false;
    try {
      yield* this.commit(true, change, () => {
        isInstalled = true;
        this.frozen.pop();
        for (const view of this.views) view.exchange(delta, handle.run);
        this.flushes++;
        this.bytesFlushed += handle.entry.bytes;
      });
    } finally {
      if (!isInstalled) handle.run.release();
    }
  }

  /** The seqs at which somebody may look at a delta: live views, and the oldest that may still be made. Ascending. */
  private keptSeqs(delta: Delta): Seq[] {
    const seqs = new Set<Seq>();
    if (this.floor < delta.lastSeq) seqs.add(this.floor);
    for (const view of this.views) if (view.seq < delta.lastSeq && view.layers.includes(delta)) seqs.add(view.seq);
    return [...seqs].sort((a, b) => a - b);
  }

  /** Commits files, one commit at a time. What goes wrong in here is final: nobody knows which meta the disk has. */
  private *commit(isFlush: boolean, change: () => FilesChange, installed: () => void): Generator<Wait, void> {
    while (this.files.committing) yield isFlush ? this.endOfMerge() : this.endOfFlush();
    try {
      yield* this.files.commit(change(), installed);
    } catch (error) {
      this.fail(error as Error);
      throw error;
    }
    this.pagesMayBeFree();
  }

  /** Starts the background merge that is due, if one is, or sees to it that somebody looks again. */
  private maintain(): void {
    if (this.failure !== undefined || this.isClosed || this.context.readOnly || this.merging !== undefined) return;
    const { files, options } = this;
    const quietMs = this.slices.monotonicMs() - this.lastWriteMs;
    const isIdle = this.frozen.length === 0 && quietMs >= options.idleMergeMs;
    const choice = chooseMerge({
      runs: files.runs.map(({ entry, run }) => ({
        bytes: entry.bytes,
        entries: run.entries,
        hasRangeTombstones: run.rangeTombstoneCount > 0,
      })),
      treePages: files.root.pages,
      pageBytes: files.pager.pageBytes,
      runsMax: options.runsMax,
      idle: isIdle,
    });
    if (choice.kind === 'tree') this.startMerge(files.runs);
    else if (choice.kind === 'runs') this.startRunMerge(files.runs.slice(choice.from, choice.to));
    else if (isIdle && this.hasFreeTail()) this.startMerge([]);
    else if (files.runs.length > 0 || this.hasFreeTail()) this.lookAgain(Math.max(options.idleMergeMs - quietMs, 10));
  }

  private lookAgain(delayMs: number): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = later(delayMs, () => this.maintain());
  }

  /** The end of the file can be given back: a sixteenth of it, and no less than 64 pages. */
  private hasFreeTail(): boolean {
    const { pager } = this.files;
    return pager.free.tailPages(pager.pageCount) >= Math.max(64, pager.pageCount / 16);
  }

  private startMerge(runs: readonly RunHandle[]): void {
    this.startMerging(this.mergeTree(runs));
  }

  private startRunMerge(runs: readonly RunHandle[]): void {
    this.startMerging(this.mergeAlike(runs));
  }

  private startMerging(body: Generator<Wait, void>): void {
    assert(this.merging === undefined, 'one merge at a time');
    const job = new Job(body);
    this.merging = job;
    job.ended.finally(() => this.mergeEnded()).catch(() => undefined);
  }

  private mergeEnded(): void {
    const job = this.merging;
    if (job === undefined || !job.isFinished) return;
    this.merging = undefined;
    if (this.isClosed) return;
    const error = job.failure;
    if (error === undefined) this.maintain();
    else if (this.isTransient(error)) this.lookAgain(RETRY_MS);
    else this.fail(error);
  }

  /** Runs, all down to the oldest, go into the pages. */
  private *mergeTree(merged: readonly RunHandle[]): Generator<Wait, void> {
    const { files } = this;
    files.pager.isWriting = true;
    try {
      const result = yield* mergeIntoTree(files, merged, this.slices);
      const { root, freed, freelist } = result;
      const change = (): FilesChange => {
        // Views older than what the pages will hold are still possible: they get what is now.
        this.keepForLaterViews(Math.max(0, ...merged.map(({ run }) => run.seqMax)));
        return { runs: files.runs.filter((handle) => !merged.includes(handle)), root, freed, freelist };
      };
      yield* this.commit(false, change, () => {
        this.merges++;
        this.bytesMerged += result.bytesWritten;
      });
      files.truncate();
    } finally {
      files.pager.isWriting = false;
    }
  }

  /** Runs that lie side by side become one. */
  private *mergeAlike(merged: readonly RunHandle[]): Generator<Wait, void> {
    const { files } = this;
    const handle = yield* mergeRuns(files, merged, this.slices);
    let isInstalled = false;
    try {
      yield* this.commit(
        false,
        () => {
          this.keepForLaterViews(handle.run.seqMax);
          const at = files.runs.indexOf(merged[0] as RunHandle);
          return { runs: [...files.runs.slice(0, at), handle, ...files.runs.slice(at + merged.length)] };
        },
        () => {
          isInstalled = true;
          this.merges++;
          this.bytesMerged += handle.entry.bytes;
        },
      );
    } finally {
      if (!isInstalled) handle.run.release();
    }
  }

  /** A view below `seq` may still be asked for: pins the present layers for it. */
  private keepForLaterViews(seq: Seq): void {
    this.dropEarlier();
    if (this.floor >= seq) return;
    assert(this.earlier === undefined, 'only the last batch may be unpublished');
    this.earlier = { until: seq, view: this.pin(this.floor) };
  }

  /** Unpins what was kept for views that can no longer be asked for. */
  private dropEarlier(): void {
    const { earlier } = this;
    if (earlier === undefined || this.floor < earlier.until) return;
    this.earlier = undefined;
    earlier.view.release();
  }

  private pin(seq: Seq): BtreeView {
    const layers: Layer[] = [];
    if (!isEmpty(this.active)) layers.push(this.active);
    layers.push(...this.frozen);
    for (const { run } of this.files.runs) layers.push(run);
    return this.addView(seq, this.files.root, this.files.generation, layers);
  }

  private addView(seq: Seq, root: TreeRoot, generation: number, layers: readonly Layer[]): BtreeView {
    for (const layer of layers) if (layer instanceof Run) layer.retain();
    const view = new BtreeView(seq, this.files.pager, root, generation, layers, (released) =>
      this.forgetView(released),
    );
    this.views.add(view);
    return view;
  }

  private forgetView(view: BtreeView): void {
    this.views.delete(view);
    this.pagesMayBeFree();
  }

  private pagesMayBeFree(): void {
    if (this.isClosed) return;
    let oldest = this.files.generation;
    for (const view of this.views) oldest = Math.min(oldest, view.generation);
    this.files.pager.reclaim(oldest);
  }

  private endOfFlush(): Wait {
    return endOf(this.flushing, () => this.flushEnded());
  }

  private endOfMerge(): Wait {
    return endOf(this.merging, () => this.mergeEnded());
  }

  /** A full disk is no reason to stop for good, unless it was met inside a commit of files. */
  private isTransient(error: Error): boolean {
    return this.failure === undefined && isPhantomError(error) && error.code === SqlState.DiskFull;
  }

  private fail(error: Error): void {
    if (this.failure !== undefined || this.isClosed) return;
    this.failure = error;
    clearTimeout(this.idleTimer);
    clearTimeout(this.retryTimer);
    this.context.logger.error('the B+tree engine can no longer write', { reason: error.message });
    this.admission.refuse(error);
    this.context.fail(error);
  }
}

/** Nothing in it that a reader could see. */
function isEmpty(delta: Delta): boolean {
  return delta.entries === 0 && delta.tombstones.count === 0;
}

/** Waits for a job to end, whatever comes of it. */
function endOf(job: Job | undefined, ended: () => void): Wait {
  return {
    sync: () => (job === undefined ? Promise.resolve() : job.ended.catch(() => undefined)),
    syncNow: () => {
      try {
        job?.finishNow();
      } catch {
        // Its own owner handles that.
      }
      ended();
    },
  };
}

function later(delayMs: number, action: () => void): NodeJS.Timeout {
  const timer = setTimeout(action, delayMs);
  timer.unref();
  return timer;
}
