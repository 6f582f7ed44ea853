/**
 * The engine's background work: flushes, compactions, when they begin and what happens when they fail.
 *
 *      frozen layers ──flush, oldest first──► level 0 ──compaction──► levels
 *                                             └─────┘ merge of tiers
 *
 * At most one flush, one merge of tiers and one compaction are under way. They run side by side, no run in two of them,
 * until they commit files, one at a time. All are jobs: whoever cannot wait finishes them on the spot, or helps along for
 * a while (`assist`).
 *
 * Failures: work that finds the disk full, or no more files to be had, has undone itself and is tried again; meanwhile `refusal`
 * says 53100 or 53000. A compaction that meets damage has undone itself, too: others go on around it (held-runs.ts). What
 * else fails, or leaves in doubt which state the disk has, is final: the store is told, nothing is written any more, reads go on.
 */
import {
  PhantomError,
  type SpanAttributes,
  SqlState,
  type Tracer,
  compareKeys,
  isCorruption,
  isShortage,
  tracedSteps,
} from '@phantom/base';
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
import {
  type CompactionJob,
  type IsHeld,
  type PickerOptions,
  heldBelow0,
  levelOfNewest,
  pickCompaction,
  pressureOf,
} from './compaction-picker.js';
import { type MergeJob, planCompaction } from './compaction-planner.js';
import { BOTTOM_LEVEL } from './format.js';
import { HeldRuns } from './held-runs.js';
import { type KeySpan, hullOf, spansOverlap } from './key-span.js';
import type { FilesChange, LsmFiles } from './lsm-files.js';
import { Offload } from './offload.js';
import { RunFile } from './run-file.js';
import { type OutputPort, type OutputStyle, type Slices, type WrittenRun, removeQuietly } from './run-output.js';
import { pickTier } from './tier-picker.js';
import type { LsmViews } from './lsm-views.js';

/** How soon work that lacked room or a file is tried again. */
const RETRY_MS = 250;
/** While damage keeps level 0 full, removals may bring it to so many times level0RunsMax. */
const LEVEL0_REMOVALS_FACTOR = 2;
/** How soon somebody looks whether writing can go on that damage has ended. */
const BLOCKED_RETRY_MS = 1000;
/** How long after an opening work is looked for. */
const AFTER_OPENING_MS = 250;
const NO_RUNS: ReadonlySet<RunFile> = new Set();

export interface BackgroundContext {
  readonly files: LsmFiles;
  readonly memory: MemoryLayers<RunFile>;
  readonly views: LsmViews;
  readonly admission: Admission;
}

export class Background implements Flusher {
  flushes = 0;
  compactions = 0;
  moves = 0;
  drops = 0;
  bytesFlushed = 0;
  bytesCompacted = 0;
  bytesReadByCompactions = 0;
  /** What compactions leave alone because it is damaged. */
  readonly held = new HeldRuns();
  private readonly context: BackgroundContext;
  private readonly slices: Slices;
  private readonly offload: Offload;
  private readonly port: OutputPort;
  private readonly tracer: Tracer | undefined;
  private readonly picking: PickerOptions;
  private readonly flushing = new Lane((error) => this.flushEnded(error));
  private readonly compacting = new Lane((error) => this.compactionEnded(error));
  private readonly tiering = new Lane((error) => this.tieringEnded(error));
  /** Whose commit of files is under way. */
  private committer: Lane | undefined = undefined;
  private fatal: Error | undefined = undefined;
  /** What the last flush lacked; gone with the first one that lacks nothing. */
  private shortage: Error | undefined = undefined;
  /** No flush begins before it is time to try again. */
  private isFlushHeld = false;
  /** Why no compaction is begun for the moment: there is no room for its runs. Writing goes on as long as flushes do. */
  private compactionHeld: Error | undefined = undefined;
  /** What the compaction under way reads. */
  private taken: ReadonlySet<RunFile> = NO_RUNS;
  /** What the merge of tiers under way reads. */
  private tierTaken: readonly RunFile[] = [];
  /** Of the last flush that damage kept from having a place. */
  private blocked: Error | undefined = undefined;
  /** What the compaction under way writes may lie anywhere in here. */
  private compactingSpan: KeySpan | undefined = undefined;
  private retryTimer: NodeJS.Timeout | undefined = undefined;
  private openingTimer: NodeJS.Timeout | undefined = undefined;
  private heldTimer: NodeJS.Timeout | undefined = undefined;
  private isStopped: boolean;

  constructor(context: BackgroundContext) {
    const { files } = context;
    const { vfs, checksums, logger, directory, clock, readOnly, deltaBytesMax, tracer } = files.context;
    this.context = context;
    this.port = { vfs, checksums, logger, directory };
    this.tracer = tracer;
    this.slices = { monotonicMs: () => clock.monotonicMs(), sliceMs: files.options.sliceMs };
    const { workerBytesMin } = files.options;
    this.offload = new Offload({ port: this.port, slices: this.slices, workerBytesMin });
    const { level0RunsMin, level0RunsSlow, levelFactor, levelBytes = 2 * deltaBytesMax } = files.options;
    this.picking = { level0RunsMin, level0RunsSlow, levelFactor, levelBytes };
    this.isStopped = readOnly;
  }

  /** Flushes and compactions that worker threads did. */
  get workerJobs(): number {
    return this.offload.count;
  }

  get failure(): Error | undefined {
    return this.fatal;
  }

  get refusal(): Error | undefined {
    return this.fatal ?? this.shortage;
  }

  get isFlushing(): boolean {
    return this.flushing.isBusy;
  }

  /** How hard writers should be slowed: 0 to 1. */
  get pressure(): number {
    const { level0RunsSlow, level0RunsMax } = this.context.files.options;
    return pressureOf(this.level0Runs, level0RunsSlow, level0RunsMax);
  }

  startFlush(): void {
    if (this.isStopped || this.fatal !== undefined || this.isFlushHeld || this.flushing.isBusy) return;
    if (this.context.memory.frozen.length > 0) this.flushing.start(this.flushOldest());
  }

  /** Tries again at once what waits for room on the disk. */
  retryNow(): void {
    this.isFlushHeld = false;
    this.compactionHeld = undefined;
    this.startFlush();
    this.maintain();
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

  /** Works on the compaction or the merge of tiers under way for so long, on this thread: what a writer does who cannot wait. */
  assist(durationMs: number): void {
    const endMs = this.slices.monotonicMs() + durationMs;
    for (let leftMs = durationMs; leftMs > 0; leftMs = endMs - this.slices.monotonicMs()) {
      if (!this.compacting.stepNow(leftMs) && !this.tiering.stepNow(leftMs)) return;
    }
  }

  /**
   * Compacts until nothing is due; with `all` until everything lies in one level. Rejects when that cannot be done; what is damaged is
   * tried again for it.
   */
  async settle(all: boolean): Promise<void> {
    this.held.releaseAll();
    let met: unknown;
    for (;;) {
      if (this.fatal !== undefined) throw this.fatal;
      if (this.isStopped) return;
      let isWhole = false;
      if (!this.compacting.isBusy) {
        const due = this.pick();
        const job = due ?? (all && !this.tiering.isBusy ? this.pickWhole() : undefined);
        isWhole = due === undefined && job !== undefined;
        if (job !== undefined) this.startCompaction(job);
        else if (!this.startTier()) break;
      }
      try {
        await Promise.all([this.compacting.ended(), this.tiering.ended()]);
      } catch (error) {
        if (isWhole || !isCorruption(error)) throw error;
        // Others go on around it.
        met = error;
      }
    }
    if (this.held.count > 0) throw met;
  }

  /** As maintain, soon after an opening: the first reads come before it. */
  maintainLater(): void {
    if (this.isStopped) return;
    this.openingTimer = setTimeout(() => this.maintain(), AFTER_OPENING_MS);
    this.openingTimer.unref();
  }

  /** Starts the compaction and the merge of tiers that are due, if they are. */
  maintain(): void {
    if (this.isStopped || this.fatal !== undefined || this.compactionHeld !== undefined) return;
    this.lookAtHeld();
    const job = this.compacting.isBusy ? undefined : this.pick();
    if (job !== undefined) this.startCompaction(job);
    this.startTier();
  }

  /** Lets nothing begin any more and ends what is under way. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.retryTimer);
    clearTimeout(this.openingTimer);
    clearTimeout(this.heldTimer);
    await Promise.all([this.flushing.cancel(), this.compacting.cancel(), this.tiering.cancel()]);
  }

  private get level0Runs(): number {
    return (this.context.files.version.levels[0] as { readonly files: readonly RunFile[] }).files.length;
  }

  /** The compaction that is due. While runs of level 0 are being merged with each other, none of its runs is in one. */
  private pick(): CompactionJob<RunFile> | undefined {
    const [level0 = [], ...lower] = this.runs();
    return pickCompaction([this.tiering.isBusy ? [] : level0, ...lower], this.picking, this.isHeld);
  }

  /** Undefined while nothing is, which is to say nearly always. */
  private get isHeld(): IsHeld<RunFile> | undefined {
    return this.held.count === 0 ? undefined : (run) => this.held.isHeld(run);
  }

  /** What keeps runs in level 0. */
  private stuckAround(): readonly RunFile[] {
    const { isHeld } = this;
    return isHeld === undefined ? [] : heldBelow0(this.runs(), this.picking, isHeld);
  }

  private runs(): (readonly RunFile[])[] {
    return this.context.files.version.levels.map(({ files }) => files);
  }

  private startCompaction(job: CompactionJob<RunFile>): void {
    this.taken = new Set(job.kind === 'merge' ? [...job.upper, ...job.lower] : job.runs);
    const attributes = (): SpanAttributes => ({
      'phantom.kind': job.kind,
      ...(job.kind === 'drop' ? {} : { 'phantom.level': job.to }),
      'phantom.runs': this.taken.size,
    });
    this.compacting.start(tracedSteps(this.tracer, 'lsm compaction', attributes, this.run(job)));
  }

  /** Starts the merge of tiers that is due, if one is; true when one is under way. */
  private startTier(): boolean {
    if (this.tiering.isBusy) return true;
    const isTaken = (run: RunFile): boolean => this.taken.has(run) || this.held.isHeld(run);
    const upper = pickTier(this.runs(), isTaken, this.picking, this.stuckAround());
    if (upper === undefined) return false;
    const job: MergeJob = { kind: 'merge', reason: 'size', from: 0, to: 0, upper, lower: [] };
    this.tierTaken = upper;
    const attributes = (): SpanAttributes => ({ 'phantom.runs': upper.length });
    this.tiering.start(
      tracedSteps(this.tracer, 'lsm merge of tiers', attributes, this.mergeAndCommit(this.tiering, job)),
    );
    return true;
  }

  /** The merge that brings what lies highest into the level below, held or not; undefined when one level has everything. */
  private pickWhole(): CompactionJob<RunFile> | undefined {
    const used = this.context.files.version.levels.filter(({ files }) => files.length > 0);
    const [upper, lower] = used;
    if (upper === undefined || (lower === undefined && upper.number > 0)) return undefined;
    const to = lower?.number ?? BOTTOM_LEVEL;
    return { kind: 'merge', reason: 'size', from: upper.number, to, upper: upper.files, lower: lower?.files ?? [] };
  }

  private *flushOldest(): JobBody {
    const { memory, files } = this.context;
    while (this.level0Runs >= files.options.level0RunsMax) {
      // What lacked room is not tried again and again from here.
      const reason = this.fatal ?? this.compactionHeld;
      if (reason !== undefined) throw reason;
      this.maintain();
      if (this.held.count > 0 && !this.compacting.isBusy && !this.tiering.isBusy) {
        // What was removed may be what is damaged, and can be dropped once that lies in level 0.
        if (this.mayRemoveHeld()) break;
        throw this.noPlace();
      }
      yield (this.compacting.isBusy ? this.compacting : this.tiering).end();
    }
    const frozen = memory.frozen.at(-1) as FrozenLayer<RunFile>;
    if (frozen.delta === undefined) yield* this.nameIngested(frozen);
    else yield* tracedSteps(this.tracer, 'lsm flush', () => ({}), this.flush(frozen));
  }

  /** Range tombstones that are in no file yet are let past level0RunsMax, though not without end. */
  private mayRemoveHeld(): boolean {
    const { memory, files } = this.context;
    if (this.level0Runs >= files.options.level0RunsMax * LEVEL0_REMOVALS_FACTOR) return false;
    return memory.layers().some((layer) => layer.rangeTombstones(Number.MAX_SAFE_INTEGER).length > 0);
  }

  /** Level 0 is full, and damage keeps it so. */
  private noPlace(): Error {
    const [first] = this.held.all;
    this.blocked = new PhantomError(
      SqlState.DataCorrupted,
      `level 0 of the LSM-tree has ${this.level0Runs} runs, which damaged ones keep from being merged`,
      {
        hint: 'Drop or truncate what is damaged, or rebuild the index; otherwise stop and run "phantomd repair". Removals are still taken.',
        data: { file: first?.file, offset: first?.offset, level0RunsMax: this.context.files.options.level0RunsMax },
      },
    );
    return this.blocked;
  }

  private *flush({ delta, lastSeq }: FrozenLayer<RunFile>): JobBody {
    if (delta === undefined) return;
    const { files, memory, views } = this.context;
    const number = files.takeNumbers(1);
    const target = { number, identity: files.identityOf(number) };
    const style = this.styleOf(0);
    const written = yield* this.offload.flush(delta, views.seqsOf(delta), target, style);
    const added = this.openWritten([written], 0);
    const [file] = added as [RunFile];
    yield* this.commitWritten(
      this.flushing,
      added,
      () => ({ removed: [], added, flushedSeq: lastSeq, flushed: delta }),
      () => {
        memory.frozen.pop();
        views.exchange(delta, file.run);
        this.flushes++;
        this.bytesFlushed += file.bytes;
        this.held.releaseUnder(file.tombstones, files.version.files());
      },
    );
  }

  /** Files that were handed over get the names of runs, then an edit that puts them as deep as they may go. */
  private *nameIngested({ ingested, lastSeq }: FrozenLayer<RunFile>): JobBody {
    const { files, memory } = this.context;
    const { vfs, directory } = files.context;
    for (const { number, run } of ingested) {
      const path = files.runPath(number);
      if (run.path === path) continue;
      vfs.rename(run.path, path);
      run.moved(path);
    }
    yield syncOfNames(vfs, directory);
    const change = (): FilesChange => {
      const levels = files.version.levels.map((level) => [...level.files]);
      const added: RunFile[] = [];
      for (const file of ingested.toReversed()) {
        const level = this.liesUnderCompaction(file) ? 0 : levelOfNewest(levels, file);
        const placed = new RunFile({ ...file.entry, level, age: files.takeNumbers(1) }, file.run);
        const place = levels[level] as RunFile[];
        place.push(placed);
        if (level > 0) place.sort(byLower);
        added.push(placed);
      }
      return { removed: [], added, flushedSeq: lastSeq };
    };
    yield* this.commit(this.flushing, change, () => {
      memory.frozen.pop();
      for (const { run } of ingested) run.release();
    });
  }

  /** One compaction, whatever its kind. */
  private *run(job: CompactionJob<RunFile>): JobBody {
    const { files, views } = this.context;
    if (job.kind === 'drop') {
      const change = (): FilesChange => {
        views.keepForLaterViews(files.flushedSeq);
        return { removed: job.runs, added: [] };
      };
      yield* this.commit(this.compacting, change, () => void (this.drops += job.runs.length));
      return;
    }
    if (job.kind === 'move') {
      const added = job.runs.map((file) => file.inLevel(job.to));
      const change = (): FilesChange => ({ removed: job.runs, added });
      yield* this.commit(this.compacting, change, () => void (this.moves += added.length));
      return;
    }
    yield* this.merge(job);
  }

  private *merge(job: MergeJob): JobBody {
    this.compactingSpan = hullOf([...job.upper, ...job.lower]);
    try {
      yield* this.mergeAndCommit(this.compacting, job);
    } finally {
      this.compactingSpan = undefined;
    }
  }

  private *mergeAndCommit(lane: Lane, job: MergeJob): JobBody {
    const { files, views } = this.context;
    const removed = [...job.upper, ...job.lower];
    const plan = planCompaction(job, files, this.styleOf(job.to), job.to === 0 ? this.stuckAround() : []);
    const { written, bytesRead, bytesWritten } = yield* this.offload.compact(plan);
    // In level 0 it takes the place of the newest that it was made of.
    const added = this.openWritten(written, job.to, job.to === 0 ? job.upper[0]?.entry.age : undefined);
    const change = (): FilesChange => {
      views.keepForLaterViews(plan.seq);
      return { removed, added };
    };
    yield* this.commitWritten(lane, added, change, () => {
      this.compactions++;
      this.bytesCompacted += bytesWritten;
      this.bytesReadByCompactions += bytesRead;
    });
  }

  private styleOf(level: number): OutputStyle {
    const { blockBytes, filterBitsPerKey, compression, bottomCompression } = this.context.files.options;
    return { blockBytes, filterBitsPerKey, compression: level === BOTTOM_LEVEL ? bottomCompression : compression };
  }

  private liesUnderCompaction(span: KeySpan): boolean {
    const { compactingSpan } = this;
    return compactingSpan !== undefined && spansOverlap(span, compactingSpan);
  }

  /**
   * Opens runs that were written. The caller holds their readers. If one cannot be opened none is, and all are removed.
   * Without an age they are newer than everything.
   */
  private openWritten(written: readonly WrittenRun[], level: number, age?: number): RunFile[] {
    const opened: RunFile[] = [];
    try {
      for (const { number, identity, bytes } of written) {
        opened.push(
          this.context.files.openRun({ number, identity, bytes, seqBase: undefined, level, age: age ?? number }),
        );
      }
      return opened;
    } catch (error) {
      for (const { run } of opened) run.release();
      for (const { number } of written) removeQuietly(this.port, number);
      throw error;
    }
  }

  /** Commits runs that this job wrote, and lets go of them; when they certainly never will count, they are removed. */
  private *commitWritten(
    lane: Lane,
    added: readonly RunFile[],
    change: () => FilesChange,
    installed: () => void,
  ): JobBody {
    const { files } = this.context;
    let isInstalled = false;
    try {
      yield* this.commit(lane, change, () => {
        isInstalled = true;
        installed();
      });
    } finally {
      const isLost = !isInstalled && !files.isInDoubt && this.fatal === undefined;
      for (const { run } of added) {
        if (isLost) run.removeWhenReleased();
        run.release();
      }
    }
  }

  /** Commits files, one lane at a time. `change` is made when it is this one's turn. */
  private *commit(lane: Lane, change: () => FilesChange, installed: () => void): JobBody {
    while (this.committer !== undefined) yield this.committer.end();
    // Nobody knows what the disk has when the one before has failed: nothing is written behind that, least of all over it.
    if (this.fatal !== undefined) throw this.fatal;
    this.committer = lane;
    try {
      const { files, views } = this.context;
      yield* files.commit(change(), installed);
      views.renew();
      views.limitPinned(files.options.pinnedBytesMax);
    } catch (error) {
      if (this.context.files.isInDoubt || !isShortage(error)) this.fail(error as Error);
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
    } else if (this.retryLater(error, 'a flush')) {
      this.shortage = error;
      this.isFlushHeld = true;
      this.context.admission.refuseWrites(error);
    }
  }

  private compactionEnded(error: Error | undefined): void {
    const { taken } = this;
    this.taken = NO_RUNS;
    this.mergeEnded(error, [...taken]);
  }

  private tieringEnded(error: Error | undefined): void {
    const { tierTaken } = this;
    this.tierTaken = [];
    this.mergeEnded(error, tierTaken);
  }

  private mergeEnded(error: Error | undefined, inputs: readonly RunFile[]): void {
    if (this.isStopped) return;
    this.held.keepOnly(this.context.files.version.files());
    if (error === undefined) this.maintain();
    else if (this.fatal === undefined && isCorruption(error)) this.hold(inputs, error);
    else if (this.retryLater(error, 'a compaction')) this.compactionHeld = error;
  }

  /** What is damaged is left alone for a while; everything else goes on. */
  private hold(inputs: readonly RunFile[], error: PhantomError): void {
    const { logger } = this.context.files.context;
    if (this.held.hold(inputs, error, this.slices.monotonicMs())) {
      logger.error('a compaction met damage: it goes on around it, and what is damaged will be tried again', {
        reason: error.message,
        held: this.held.count,
      });
    }
    this.maintain();
  }

  /** What is held long enough is tried again, and the rest when its time comes. */
  private lookAtHeld(): void {
    const { held } = this;
    if (held.count === 0) return;
    const nowMs = this.slices.monotonicMs();
    held.expire(nowMs);
    clearTimeout(this.heldTimer);
    if (held.count === 0) return;
    this.heldTimer = setTimeout(() => this.maintain(), held.nextMs - nowMs);
    this.heldTimer.unref();
  }

  /** True when the work that failed will be tried again; otherwise nothing is written any more. */
  private retryLater(error: Error, what: string): boolean {
    const isBlocked = error === this.blocked;
    if (this.fatal !== undefined || !(isBlocked || isShortage(error))) {
      this.fail(error);
      return false;
    }
    const reason = error.message;
    if (!isBlocked) {
      this.context.files.context.logger.warn(`${what} lacked room or a file and will be tried again`, { reason });
    } else if (this.shortage === undefined) {
      this.context.files.context.logger.error('writing waits for what is damaged', { reason });
    }
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.retryNow(), isBlocked ? BLOCKED_RETRY_MS : RETRY_MS);
    this.retryTimer.unref();
    return true;
  }

  private fail(error: Error): void {
    if (this.fatal !== undefined || this.isStopped) return;
    this.fatal = error;
    clearTimeout(this.retryTimer);
    const { context } = this.context.files;
    context.logger.error('the LSM-tree can no longer write', { directory: context.directory, reason: error.message });
    this.context.admission.refuse(error);
    context.fail(error);
  }
}

function byLower(a: RunFile, b: RunFile): number {
  return compareKeys(a.lower, b.lower);
}
