/**
 * The engine's background work: flushes, merges, when they begin and what happens when they fail.
 *
 *      frozen layers ──flush, oldest first──► runs ──merge──► pages
 *
 * At most one flush and one merge are under way. They run side by side until they commit files, one at a time. Both are
 * jobs (job.ts): whoever cannot wait finishes them on the spot.
 *
 * Failures: a flush or merge that finds the disk full, or no more files to be had, has undone itself and is tried again; meanwhile
 * `refusal` says 53100 or 53000. A merge that meets damage in what it reads has undone itself, too: it is tried again now and then, and
 * others go on around it (held-merges.ts). Blocks and pages of what was removed since are not read, so REINDEX heals an index.
 * Anything else, and whatever goes wrong inside a commit of files (nobody knows then which meta the disk has), is final:
 * the store is told, nothing is written any more, reads go on.
 */
import { type SpanAttributes, type Tracer, isCorruption, isShortage, tracedSteps } from '@phantom/base';
import type { Finding } from '@phantom/kv';
import {
  type Admission,
  type Flusher,
  type FrozenLayer,
  type JobBody,
  Lane,
  type MemoryLayers,
  freezeForWaiters,
  syncOfNames,
} from '@phantom/runs';
import { joinPath } from '@phantom/vfs';
import type { Slices } from './file-jobs.js';
import { META_RUNS_MAX } from './format.js';
import { HeldMerges } from './held-merges.js';
import { Offload } from './offload.js';
import { chooseAround, chooseMerge, type MergeChoice, runLookups } from './merge-policy.js';
import type { ResolvedBtreeOptions } from './options.js';
import { estimateTouchedPages } from './range-estimate.js';
import type { FilesChange, RunHandle, TreeFiles } from './tree-files.js';
import { type BtreeViews, heldGenerations } from './btree-views.js';

/** How soon work that lacked room or a file is tried again. */
const RETRY_MS = 250;
/** How long after an opening work is looked for. */
const AFTER_OPENING_MS = 250;
/** Flushes wait for a merge once there are so many times runsMax runs. */
const RUNS_HARD_FACTOR = 2;
/** The end of the file is given back when it has so many free pages, and a sixteenth of all. */
const TAIL_PAGES_MIN = 64;

export interface BackgroundContext {
  readonly files: TreeFiles;
  readonly memory: MemoryLayers<RunHandle>;
  readonly views: BtreeViews;
  readonly admission: Admission;
  readonly options: ResolvedBtreeOptions;
}

export class Background implements Flusher {
  flushes = 0;
  merges = 0;
  bytesFlushed = 0;
  bytesMerged = 0;
  private readonly context: BackgroundContext;
  private readonly slices: Slices;
  private readonly offload: Offload;
  private readonly tracer: Tracer | undefined;
  private readonly flushing = new Lane((error) => this.flushEnded(error));
  private readonly merging = new Lane((error) => this.mergeEnded(error));
  /** Whose commit of files is under way. */
  private committer: Lane | undefined = undefined;
  private fatal: Error | undefined = undefined;
  /** What the last flush lacked; gone with the first one that lacks nothing. */
  private shortage: Error | undefined = undefined;
  /** No flush begins before it is time to try again. */
  private isFlushHeld = false;
  /** Why no merge begins for the moment: there is no room for what it writes. Writing goes on as long as flushes do. */
  private mergeHeld: Error | undefined = undefined;
  private readonly held = new HeldMerges();
  /** What was begun last. */
  private last: { readonly into: 'runs' | 'tree'; readonly merged: readonly RunHandle[] } | undefined = undefined;
  private retryTimer: NodeJS.Timeout | undefined = undefined;
  private idleTimer: NodeJS.Timeout | undefined = undefined;
  private lastWriteMs: number;
  private isStopped: boolean;

  constructor(context: BackgroundContext) {
    this.context = context;
    const { clock, readOnly, tracer } = context.files.context;
    this.tracer = tracer;
    this.slices = { monotonicMs: () => clock.monotonicMs(), sliceMs: context.options.sliceMs };
    const { workerBytesMin } = context.options;
    this.offload = new Offload(context.files, { slices: this.slices, workerBytesMin });
    this.lastWriteMs = clock.monotonicMs();
    this.isStopped = readOnly;
  }

  /** Flushes and merges that worker threads did. */
  get workerJobs(): number {
    return this.offload.count;
  }

  get failure(): Error | undefined {
    return this.fatal;
  }

  get refusal(): Error | undefined {
    return this.fatal ?? this.shortage;
  }

  /** What merges have met; see EngineStats.damage. */
  get damage(): readonly Finding[] {
    return this.held.findings;
  }

  get isFlushing(): boolean {
    return this.flushing.isBusy;
  }

  /** Something was written: idle merges wait. */
  noteWrite(): void {
    this.lastWriteMs = this.slices.monotonicMs();
  }

  startFlush(): void {
    if (this.isStopped || this.fatal !== undefined || this.isFlushHeld || this.flushing.isBusy) return;
    if (this.context.memory.frozen.length > 0) this.flushing.start(this.flushOldest());
  }

  /** Tries again at once what waits for room on the disk. */
  retryNow(): void {
    this.isFlushHeld = false;
    this.mergeHeld = undefined;
    this.startFlush();
  }

  flushed(): Promise<void> {
    return this.flushing.ended();
  }

  /** Brings the flush under way to its thread: who commits on the spot may not let this one turn before it commits again. */
  handOver(): void {
    this.flushing.handOver();
  }

  finishFlushNow(): void {
    this.flushing.finishNow();
  }

  /** Merges all runs into the pages and resolves when there are none. */
  async mergeAll(): Promise<void> {
    const { files } = this.context;
    this.held.release();
    while (files.runs.length > 0 || this.merging.isBusy) {
      if (this.fatal !== undefined) throw this.fatal;
      if (this.isStopped) return;
      if (!this.merging.isBusy) this.startMerge('tree', files.runs);
      await this.merging.ended();
      if (this.held.reason !== undefined) throw this.held.reason;
    }
  }

  /** Looks for a merge that is due soon after an opening: the first reads come before it. */
  maintainLater(): void {
    if (!this.isStopped) this.lookAgain(AFTER_OPENING_MS);
  }

  /** Starts the merge that is due, if one is, or sees to it that somebody looks again. */
  maintain(): void {
    if (this.isStopped || this.fatal !== undefined || this.mergeHeld !== undefined || this.merging.isBusy) return;
    const { files, memory, options } = this.context;
    const nowMs = this.slices.monotonicMs();
    this.held.expire(nowMs);
    if (this.held.reason !== undefined) {
      if (!this.mergeAround(options.runsMax)) this.lookAgain(this.held.restMs(nowMs));
      return;
    }
    const quietMs = nowMs - this.lastWriteMs;
    const isIdle = memory.frozen.length === 0 && quietMs >= options.idleMergeMs;
    const choice = chooseMerge({
      runs: files.runs.map(({ entry }) => entry),
      touchedPages: isIdle ? 0 : estimateTouchedPages(files),
      pageBytes: files.pager.pageBytes,
      runsMax: options.runsMax,
      lookups: files.runs.reduce((sum, { run }) => sum + runLookups(run.counters), 0),
      idle: isIdle,
    });
    if (choice.kind === 'tree') this.startMerge('tree', files.runs);
    else if (choice.kind === 'runs') this.startMerge('runs', files.runs.slice(choice.from, choice.to));
    else if (isIdle && this.hasFreeTail()) this.startMerge('tree', []);
    else if (files.runs.length > 0 || this.hasFreeTail()) this.lookAgain(Math.max(options.idleMergeMs - quietMs, 10));
  }

  /** Lets nothing begin any more and ends what is under way. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.idleTimer);
    clearTimeout(this.retryTimer);
    await Promise.all([this.flushing.cancel(), this.merging.cancel()]);
  }

  /** Merges runs with each other, or, all down to the oldest, into the tree. */
  private startMerge(into: 'runs' | 'tree', merged: readonly RunHandle[]): void {
    this.last = { into, merged };
    const body = into === 'tree' ? this.mergeTree(merged) : this.mergeAlike(merged);
    const attributes = (): SpanAttributes => ({ 'phantom.kind': into, 'phantom.runs': merged.length });
    this.merging.start(tracedSteps(this.tracer, 'btree merge', attributes, body));
  }

  /** Merges runs that are not held with each other, if there are so many runs that it is due and two of them lie side by side. */
  private mergeAround(runsMax: number): boolean {
    const { runs } = this.context.files;
    const candidates = runs.map((handle) => ({ bytes: handle.entry.bytes, isHeld: this.held.isHeld(handle) }));
    const choice: MergeChoice = chooseAround(candidates, runsMax);
    if (choice.kind !== 'runs') return false;
    this.startMerge('runs', runs.slice(choice.from, choice.to));
    return true;
  }

  private *flushOldest(): JobBody {
    const { files, memory, options } = this.context;
    const frozen = memory.frozen.at(-1) as FrozenLayer<RunHandle>;
    const runsMax = Math.min(options.runsMax * RUNS_HARD_FACTOR, META_RUNS_MAX - frozen.ingested.length);
    while (files.runs.length >= runsMax) {
      // What lacked room is not tried again and again from here.
      const reason = this.fatal ?? this.mergeHeld;
      if (reason !== undefined) throw reason;
      if (!this.merging.isBusy) {
        if (this.held.reason === undefined) this.startMerge('tree', files.runs);
        else if (!this.mergeAround(Math.min(options.runsMax, runsMax))) throw this.held.reason;
      }
      yield this.merging.end();
    }
    if (frozen.delta === undefined) yield* this.nameIngested(frozen);
    else yield* tracedSteps(this.tracer, 'btree flush', () => ({}), this.flushDelta(frozen));
  }

  private *flushDelta({ delta, lastSeq }: FrozenLayer<RunHandle>): JobBody {
    if (delta === undefined) return;
    const { files, memory, views } = this.context;
    const handle = yield* this.offload.flush(delta, views.seqsOf(delta));
    let isInstalled = false;
    try {
      const change = (): FilesChange => ({
        runs: [handle, ...files.runs],
        flushedSeq: lastSeq,
        flushed: delta,
      });
      yield* this.commit(this.flushing, change, () => {
        isInstalled = true;
        memory.frozen.pop();
        views.exchange(delta, handle.run);
        this.flushes++;
        this.bytesFlushed += handle.entry.bytes;
      });
    } finally {
      if (!isInstalled) handle.run.release();
    }
  }

  /** Files that were handed over get the names of runs, then a meta that names them. */
  private *nameIngested({ ingested, lastSeq }: FrozenLayer<RunHandle>): JobBody {
    const { files, memory } = this.context;
    const { vfs, directory } = files.context;
    for (const { entry, run } of ingested) {
      const path = files.runPath(entry.number);
      if (run.path === path) continue;
      vfs.rename(run.path, path);
      run.moved(path);
    }
    yield syncOfNames(vfs, directory);
    const change = (): FilesChange => ({ runs: [...ingested, ...files.runs], flushedSeq: lastSeq });
    yield* this.commit(this.flushing, change, () => void memory.frozen.pop());
  }

  /** Runs, all down to the oldest, go into the pages. Without runs it only gives space back. */
  private *mergeTree(merged: readonly RunHandle[]): JobBody {
    const { files, views } = this.context;
    files.pager.isWriting = true;
    try {
      const result = yield* this.offload.mergeIntoTree(merged);
      const { root, freed, freelist } = result;
      const change = (): FilesChange => {
        views.keepForLaterViews(Math.max(0, ...merged.map(({ run }) => run.seqMax)));
        const runs = files.runs.filter((handle) => !merged.includes(handle));
        return { runs, root, freelist, pageCount: files.pager.pageCount };
      };
      yield* this.commit(this.merging, change, () => {
        files.pager.retire(files.generation, freed, heldGenerations(views));
        this.merges++;
        this.bytesMerged += result.bytesWritten;
      });
      files.truncate();
    } finally {
      files.pager.isWriting = false;
    }
  }

  /** Runs that lie side by side become one. */
  private *mergeAlike(merged: readonly RunHandle[]): JobBody {
    const { files, views } = this.context;
    const handle = yield* this.offload.mergeRuns(merged);
    let isInstalled = false;
    try {
      const change = (): FilesChange => {
        views.keepForLaterViews(handle.run.seqMax);
        const at = files.runs.indexOf(merged[0] as RunHandle);
        return { runs: [...files.runs.slice(0, at), handle, ...files.runs.slice(at + merged.length)] };
      };
      yield* this.commit(this.merging, change, () => {
        isInstalled = true;
        this.merges++;
        this.bytesMerged += handle.entry.bytes;
      });
    } finally {
      if (!isInstalled) handle.run.release();
    }
  }

  /** Commits files, one lane at a time. `change` is made when it is this one's turn. */
  private *commit(lane: Lane, change: () => FilesChange, installed: () => void): JobBody {
    while (this.committer !== undefined) yield this.committer.end();
    // Nobody knows what the disk has when the one before has failed: nothing is written behind that, least of all over it.
    if (this.fatal !== undefined) throw this.fatal;
    this.committer = lane;
    try {
      const { files, views, options } = this.context;
      yield* files.commit(change(), installed);
      views.renew();
      views.limitPinned(options.pinnedBytesMax);
    } catch (error) {
      this.fail(error as Error);
      throw error;
    } finally {
      this.committer = undefined;
    }
  }

  private flushEnded(error: Error | undefined): void {
    if (this.isStopped) return;
    if (error === undefined) {
      this.shortage = undefined;
      this.context.admission.grant();
      freezeForWaiters(this.context.memory, this.context.admission);
      this.startFlush();
      this.maintain();
    } else if (this.isTransient(error)) {
      this.context.files.context.logger.warn('a flush lacked room or a file and will be tried again', {
        reason: error.message,
      });
      this.shortage = error;
      this.isFlushHeld = true;
      this.context.admission.refuseWrites(error);
      clearTimeout(this.retryTimer);
      this.retryTimer = later(RETRY_MS, () => this.retryNow());
    } else {
      this.fail(error);
    }
  }

  private mergeEnded(error: Error | undefined): void {
    if (this.isStopped) return;
    if (error !== undefined && !this.isTransient(error) && !this.isUnreadable(error)) {
      this.fail(error);
      return;
    }
    if (error !== undefined && this.isTransient(error)) {
      this.mergeHeld = error;
      this.lookAgain(RETRY_MS);
      return;
    }
    this.mergeHeld = undefined;
    if (error !== undefined) this.hold(error);
    else if (this.last?.into === 'tree' && this.last.merged.length > 0) this.held.forget();
    this.maintain();
  }

  /** What is there stays as it is, and can be read around the damage. It is told once, and not again each time it is tried. */
  private hold(error: Error): void {
    const { merged, into } = this.last as NonNullable<typeof this.last>;
    const { logger, directory } = this.context.files.context;
    if (this.held.hold(error, merged, into, directory, this.slices.monotonicMs())) {
      logger.error('a merge met damage: others go on around it, and it will be tried again', { reason: error.message });
    }
  }

  /** What was to be merged is damaged: nothing was committed. */
  private isUnreadable(error: Error): boolean {
    return this.fatal === undefined && isCorruption(error);
  }

  private isTransient(error: Error): boolean {
    return this.fatal === undefined && isShortage(error);
  }

  private fail(error: Error): void {
    if (this.fatal !== undefined || this.isStopped) return;
    this.fatal = error;
    clearTimeout(this.idleTimer);
    clearTimeout(this.retryTimer);
    const { context } = this.context.files;
    context.logger.error('the B+tree engine can no longer write', {
      path: joinPath(context.directory),
      reason: error.message,
    });
    this.context.admission.refuse(error);
    context.fail(error);
  }

  private lookAgain(delayMs: number): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = later(delayMs, () => {
      this.mergeHeld = undefined;
      this.maintain();
    });
  }

  private hasFreeTail(): boolean {
    const { pager, freelist } = this.context.files;
    // A freelist that was written behind everything moves to the front with the next merge, and the tail goes with the one after.
    const isLast = freelist.id !== 0 && freelist.id + pager.extentPages(freelist.bytes) === pager.pageCount;
    const end = isLast ? freelist.id : pager.pageCount;
    return pager.free.tailPages(end) >= Math.max(TAIL_PAGES_MIN, pager.pageCount / 16);
  }
}

function later(delayMs: number, action: () => void): NodeJS.Timeout {
  const timer = setTimeout(action, delayMs);
  timer.unref();
  return timer;
}
