/**
 * The LSM-tree engine: a delta in memory over levels of sorted runs (O'Neil, Cheng, Gawlick and O'Neil, "The Log-Structured
 * Merge-Tree", 1996).
 *
 *      apply ──► active delta ──freeze──► frozen deltas ──flush──► level 0 ──compaction──► levels 1 to 6
 *                    memory                  memory                 sorted runs, immutable
 *
 *   - Writes touch memory only. A delta freezes on a batch boundary once it is half of deltaBytesMax (or when somebody
 *     flushes or waits for room) and is written as one sorted run, sequentially: then the log may go.
 *   - Flushes and compactions of some size run in worker threads (offload.ts), small ones in slices of time on this one.
 *   - Compactions merge runs in the background, so that a get looks into few runs and what was
 *     overwritten goes (compaction-picker.ts says which, compaction.ts how). While they lag behind, writers are slowed a
 *     little, long before they would have to stop (pacer.ts).
 *   - A get asks the deltas, the runs of level 0 from the newest on, and one run of each level below; filters spare it
 *     nearly all of those that do not have the key. A cursor merges them.
 *   - Readers never wait: a view pins the deltas and the version of its moment.
 *
 * Invariants (those of the contract are in kv's engine.ts):
 *   1. Layers are strictly ordered in time for each key: of two writes to it the younger lies higher (version.ts).
 *   2. Nothing that the manifest or a view names is ever changed or removed (lsm-files.ts).
 *   3. The files hold the effects up to the manifest's flushedSeq and nothing later: a run of level 0 is named by the same
 *      edit that moves flushedSeq past it, in the order in which the layers froze.
 *   4. What a compaction writes is shown to views at or behind all it read, and to no other (lsm-views.ts).
 *
 * Left out: keys and values kept apart (WiscKey): it pays for values of kilobytes, at the price of random reads in scans
 * and a garbage collector.
 */
import { assert } from '@phantom/base';
import {
  type BatchReader,
  EngineCode,
  type EngineStats,
  type Finding,
  type KeyRange,
  type KvEngine,
  type KvView,
  type RangeEstimate,
  type ScrubStep,
  type Seq,
  type SortedRunRef,
  type SortedWriter,
  type SpilledWrites,
} from '@phantom/kv';
import { Admission, MemoryLayers, type RunWriterOptions, SortedFiles, SpilledRuns, WriteIntake } from '@phantom/runs';
import type { EngineContext } from '@phantom/store';
import { Background } from './background.js';
import { openIngested } from './ingest.js';
import { LsmFiles } from './lsm-files.js';
import { LsmScrub } from './lsm-scrub.js';
import { type LsmOptions, resolveOptions } from './options.js';
import { Pacer, memoryPressure } from './pacer.js';
import { estimateRange, splitRange } from './range-estimate.js';
import type { RunFile } from './run-file.js';
import { type LsmViews, lsmViews } from './lsm-views.js';

/** One level as `stats` shows it. */
export interface LevelStats {
  readonly runs: number;
  readonly bytes: number;
  readonly entries: number;
}

/** What an LSM-tree has to tell beyond every engine's. */
export interface LsmStats extends EngineStats {
  /** By number. */
  readonly levels: readonly LevelStats[];
  /** Runs that got another level, or were forgotten, unread. */
  readonly moves: number;
  readonly drops: number;
  readonly bytesReadByCompactions: number;
  /** Filters and indexes in memory, beside cacheBytes. */
  readonly filterBytes: number;
  /** Lookups that a filter ended before any block was read. */
  readonly filterMisses: number;
  /** Bytes written to files for each byte that was flushed; 0 before the first flush. */
  readonly writeAmplification: number;
  /** Entries in all runs for each one in the fullest level: about how much room overwritten ones take. */
  readonly spaceAmplification: number;
  /** Runs that a get of a key has to ask at most, filters included. */
  readonly readAmplification: number;
  /** Bytes of files that are there for views alone. */
  readonly pinnedBytes: number;
  /** Flushes and compactions that worker threads did. */
  readonly workerJobs: number;
  /** Milliseconds that writers were slowed for, in all. */
  readonly delayedMs: number;
}

export class LsmEngine implements KvEngine {
  readonly name = 'lsm';
  private readonly context: EngineContext;
  private readonly files: LsmFiles;
  private readonly memory: MemoryLayers<RunFile>;
  private readonly views: LsmViews;
  private readonly admission: Admission;
  private readonly background: Background;
  private readonly intake: WriteIntake;
  private readonly scrubbing: LsmScrub;
  private readonly pacer = new Pacer();
  /** Those who are slowed; ended early when the engine is closed. */
  private readonly delays = new Set<() => void>();
  /** Files that no manifest names, until it is sure that the log does not name them either. */
  private mayHaveOrphans = true;

  private constructor(context: EngineContext, files: LsmFiles) {
    this.context = context;
    this.files = files;
    this.scrubbing = new LsmScrub(files);
    this.memory = new MemoryLayers(EngineCode.Lsm, files.flushedSeq);
    this.views = lsmViews(files, this.memory);
    const deltaBytesMax = files.options.memory?.join(() => this.admission.held) ?? (() => context.deltaBytesMax);
    this.admission = new Admission(deltaBytesMax, () => this.memory.bytes);
    const { memory, views, admission } = this;
    const flusher = new Background({ files, memory, views, admission });
    this.background = flusher;
    this.intake = new WriteIntake({ memory, admission, deltaBytesMax, flusher, files, readOnly: context.readOnly });
  }

  /** Opens the engine in a directory of its own. Rejects as LsmFiles.open does. */
  static async open(context: EngineContext, options: LsmOptions = {}): Promise<LsmEngine> {
    const engine = new LsmEngine(context, await LsmFiles.open(context, resolveOptions(options)));
    engine.background.maintainLater();
    return engine;
  }

  get appliedSeq(): Seq {
    return this.memory.applied;
  }

  admit(room: number, usesReserve = false): Promise<void> | undefined {
    const delayMs = this.pace(room);
    if (delayMs > 0) return this.delay(delayMs).then(() => this.intake.admit(room, usesReserve));
    return this.intake.admit(room, usesReserve);
  }

  admitNow(room: number, usesReserve = false): void {
    const delayMs = this.pace(room);
    // Who cannot wait lends a hand for as long.
    if (delayMs > 0) this.background.assist(delayMs);
    this.intake.admitNow(room, usesReserve);
  }

  unadmit(room: number): void {
    this.intake.unadmit(room);
  }

  apply(batch: BatchReader, seq: Seq, operationsMax: number): boolean {
    const { memory } = this;
    if (seq > memory.applied) {
      if (!memory.apply(batch, seq, operationsMax)) return false;
      this.views.dropEarlier();
    }
    this.intake.applied(batch.room, operationsMax === Number.POSITIVE_INFINITY);
    return true;
  }

  foresee(batch: BatchReader): void {
    this.memory.foresee(batch);
  }

  advance(seq: Seq): void {
    if (seq <= this.memory.applied) return;
    this.memory.advance(seq);
    this.views.dropEarlier();
  }

  view(seq: Seq): KvView {
    if (this.mayHaveOrphans) this.removeOrphans();
    return this.views.open(seq);
  }

  sortedWriter(name: string): SortedWriter {
    if (this.mayHaveOrphans) this.removeOrphans();
    const { vfs, checksums, logger, directory } = this.context;
    const { runBytesMax } = this.files.options;
    return new SortedFiles({ vfs, checksums, logger, directory, name, runBytesMax, style: this.runStyle });
  }

  spill(name: string): SpilledWrites {
    if (this.mayHaveOrphans) this.removeOrphans();
    const { vfs, checksums, logger, directory } = this.context;
    const { cache } = this.files;
    const style = this.runStyle;
    return new SpilledRuns({ vfs, checksums, logger, directory, name, cache, engine: EngineCode.Lsm, style });
  }

  ingest(files: readonly SortedRunRef[], seq: Seq): void {
    const { memory } = this;
    if (seq <= memory.applied) return;
    assert(memory.applying === 0, 'files are taken over between batches');
    memory.ingest(openIngested(this.files, files, seq), seq);
    this.background.startFlush();
  }

  estimate(range: KeyRange): RangeEstimate {
    return estimateRange(this.files.version, this.memory.layers(), range);
  }

  split(range: KeyRange, parts: number): KeyRange[] {
    return splitRange(this.files.version, this.memory, range, parts);
  }

  refuseWrites(reason: Error): void {
    this.intake.refuseWrites(reason);
  }

  flushedSeq(): Seq {
    return this.intake.flushedSeq();
  }

  flush(): Promise<Seq> {
    return this.intake.flush();
  }

  flushNow(): Seq {
    return this.intake.flushNow();
  }

  /**
   * Flushes, and compacts until everything lies in one level, each key once. The engine needs that never; it is for bulk
   * loads that want the fastest reads now, for tools and for tests.
   */
  async compact(): Promise<void> {
    await this.flush();
    await this.background.settle(true);
  }

  /** Resolves when no compaction is due. Rejects when one cannot be done. */
  settled(): Promise<void> {
    return this.background.settle(false);
  }

  stats(): LsmStats {
    const { files, memory, views, background, pacer } = this;
    const { version, counters } = files;
    const levels = version.levels.map(({ files: { length: runs }, bytes, entries }) => ({ runs, bytes, entries }));
    const { bytesFlushed, bytesCompacted } = background;
    const fullest = Math.max(1, ...levels.map(({ entries }) => entries));
    const [level0, ...lower] = levels as [LevelStats, ...LevelStats[]];
    return {
      name: this.name,
      deltaBytes: memory.bytes,
      frozenDeltas: memory.frozen.length,
      runs: version.runs,
      fileBytes: version.bytes,
      cacheBytes: files.cache.bytes,
      filterBytes: files.cache.filters.bytes,
      pagesRead: counters.blocksRead,
      bytesRead: counters.bytesRead,
      cacheHits: counters.blockHits + files.entries.hits,
      flushes: background.flushes,
      merges: background.compactions,
      bytesFlushed,
      bytesMerged: bytesCompacted,
      openViews: views.count,
      oldestViewSeq: views.oldestSeq(memory.applied),
      damage: background.held.all,
      levels,
      moves: background.moves,
      drops: background.drops,
      bytesReadByCompactions: background.bytesReadByCompactions,
      filterMisses: counters.filterMisses,
      writeAmplification: bytesFlushed === 0 ? 0 : (bytesFlushed + bytesCompacted) / bytesFlushed,
      spaceAmplification: levels.reduce((sum, { entries }) => sum + entries, 0) / fullest,
      readAmplification: level0.runs + lower.filter(({ runs }) => runs > 0).length,
      pinnedBytes: views.pinnedBytes(),
      workerJobs: background.workerJobs,
      delayedMs: pacer.delayedMs,
    };
  }

  *check(): Iterable<Finding> {
    yield* this.files.check();
  }

  scrub(place: string, bytesMax: number): ScrubStep {
    return this.scrubbing.step(place, bytesMax);
  }

  locate(file: string, offset: number | undefined): KeyRange | undefined {
    return this.scrubbing.locate(file, offset);
  }

  async close(): Promise<void> {
    if (this.intake.isClosed) return;
    this.intake.close();
    await this.background.stop();
    for (const end of this.delays) end();
    this.views.close();
    for (const { ingested } of this.memory.frozen) for (const { run } of ingested) run.release();
    this.files.close();
  }

  private get runStyle(): Pick<RunWriterOptions, 'blockBytes' | 'filterBitsPerKey' | 'compression'> {
    const { blockBytes, filterBitsPerKey, compression } = this.files.options;
    return { blockBytes, filterBitsPerKey, compression };
  }

  /** Milliseconds that a batch should wait for, so that flushes and compactions keep up; 0 nearly always. */
  private pace(room: number): number {
    const pressure = Math.max(this.background.pressure, memoryPressure(this.admission.fullness));
    return pressure > 0 ? this.pacer.book(room, pressure, this.context.clock.monotonicMs()) : 0;
  }

  private delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.delays.delete(end);
        resolve();
      };
      const timer = setTimeout(end, delayMs);
      this.delays.add(end);
    });
  }

  /** Nobody looks before recovery has ended, so what the log wanted to hand over is taken by the first view. */
  private removeOrphans(): void {
    this.mayHaveOrphans = false;
    if (this.context.readOnly) return;
    this.files.removeOrphans(this.memory.frozen.flatMap(({ ingested }) => ingested));
  }
}
