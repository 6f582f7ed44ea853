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
 *   - Flushes and merges of some size run in worker threads (offload.ts), small ones in slices of time on this one.
 *   - Readers never wait: a view pins root, runs and deltas of its moment.
 *
 * Invariants (those of the contract are in kv's engine.ts):
 *   1. Layers are strictly ordered in time: every write in a newer layer is younger than every write in an older one.
 *   2. Nothing that the present meta or a view reaches is overwritten or removed (tree-files.ts, pager.ts).
 *   3. The files hold the effects up to the meta's flushedSeq and nothing later: a run is named by the same meta that moves
 *      flushedSeq past it, in the order in which the layers froze.
 *
 * Left out: no secondary structure over runs (they are few).
 */
import { assert } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import type {
  BatchReader,
  EngineStats,
  Finding,
  KeyRange,
  KvEngine,
  KvView,
  RangeEstimate,
  ScrubStep,
  Seq,
  SortedRunRef,
  SortedWriter,
  SpilledWrites,
} from '@phantom/kv';
import { Admission, MemoryLayers, SortedFiles, SpilledRuns, WriteIntake } from '@phantom/runs';
import type { EngineContext } from '@phantom/store';
import { Background } from './background.js';
import { openIngested } from './ingest.js';
import { type BtreeOptions, type ResolvedBtreeOptions, resolveOptions } from './options.js';
import { estimateRange, splitRange } from './range-estimate.js';
import { type RunHandle, TreeFiles } from './tree-files.js';
import { TreeScrub } from './tree-scrub.js';
import { verifyTree } from './verify.js';
import { type BtreeViews, btreeViews } from './btree-views.js';

/** What a B+tree has to tell beyond every engine's. */
export interface BtreeStats extends EngineStats {
  /** Bytes of files that are there for views alone. */
  readonly pinnedBytes: number;
  /** Flushes and merges that worker threads did. */
  readonly workerJobs: number;
  /** Levels of the tree; 0 while it is empty. */
  readonly height: number;
}

export class BtreeEngine implements KvEngine {
  readonly name = 'btree';
  private readonly context: EngineContext;
  private readonly files: TreeFiles;
  private readonly memory: MemoryLayers<RunHandle>;
  private readonly views: BtreeViews;
  private readonly admission: Admission;
  private readonly background: Background;
  private readonly intake: WriteIntake;
  private readonly scrubbing: TreeScrub;
  /** Files that no meta names, until it is sure that the log does not name them either. */
  private mayHaveOrphans = true;

  private constructor(context: EngineContext, options: ResolvedBtreeOptions, files: TreeFiles) {
    this.context = context;
    this.files = files;
    this.scrubbing = new TreeScrub(files);
    this.memory = new MemoryLayers(EngineCode.Btree, files.flushedSeq);
    this.views = btreeViews(files, this.memory);
    const deltaBytesMax = options.memory?.join(() => this.admission.held) ?? (() => context.deltaBytesMax);
    this.admission = new Admission(deltaBytesMax, () => this.memory.bytes);
    const { memory, views, admission } = this;
    const flusher = new Background({ files, memory, views, admission, options });
    this.background = flusher;
    this.intake = new WriteIntake({ memory, admission, deltaBytesMax, flusher, files, readOnly: context.readOnly });
  }

  /** Opens the engine in a directory of its own. */
  static async open(context: EngineContext, options: BtreeOptions = {}): Promise<BtreeEngine> {
    const resolved = resolveOptions(options);
    const files = await TreeFiles.open(context, resolved);
    try {
      if (!context.readOnly) files.removeOrphans('own', []);
    } catch (error) {
      files.close();
      throw error;
    }
    const engine = new BtreeEngine(context, resolved, files);
    engine.background.maintainLater();
    return engine;
  }

  get appliedSeq(): Seq {
    return this.memory.applied;
  }

  admit(room: number, usesReserve = false): Promise<void> | undefined {
    return this.intake.admit(room, usesReserve);
  }

  admitNow(room: number, usesReserve = false): void {
    this.intake.admitNow(room, usesReserve);
  }

  unadmit(room: number): void {
    this.intake.unadmit(room);
  }

  apply(batch: BatchReader, seq: Seq, operationsMax: number): boolean {
    const { memory } = this;
    if (seq > memory.applied) {
      if (!memory.apply(batch, seq, operationsMax)) return false;
      this.background.noteWrite();
      this.views.dropEarlier();
    }
    this.intake.applied(batch.room, operationsMax === Number.POSITIVE_INFINITY);
    return true;
  }

  foresee(batch: BatchReader): void {
    this.memory.foresee(batch);
  }

  advance(seq: Seq): void {
    if (seq > this.memory.applied) this.memory.advance(seq);
  }

  view(seq: Seq): KvView {
    if (this.mayHaveOrphans) this.removeIngestedOrphans();
    return this.views.open(seq);
  }

  sortedWriter(name: string): SortedWriter {
    if (this.mayHaveOrphans) this.removeIngestedOrphans();
    const { vfs, checksums, logger, directory } = this.context;
    return new SortedFiles({ vfs, checksums, logger, directory, name, runBytesMax: Number.POSITIVE_INFINITY });
  }

  spill(name: string): SpilledWrites {
    if (this.mayHaveOrphans) this.removeIngestedOrphans();
    const { vfs, checksums, logger, directory } = this.context;
    const { cache } = this.files;
    return new SpilledRuns({ vfs, checksums, logger, directory, name, cache, engine: EngineCode.Btree });
  }

  ingest(files: readonly SortedRunRef[], seq: Seq): void {
    const { memory } = this;
    if (seq <= memory.applied) return;
    assert(memory.applying === 0, 'files are taken over between batches');
    memory.ingest(openIngested(this.files, files, seq), seq);
    this.background.noteWrite();
    this.background.startFlush();
  }

  estimate(range: KeyRange): RangeEstimate {
    const { pager, root, runs } = this.files;
    return estimateRange(pager, root, [...this.memory.layers(), ...runs.map(({ run }) => run)], range);
  }

  split(range: KeyRange, parts: number): KeyRange[] {
    return splitRange(this.files, this.memory, range, parts);
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
   * Flushes, and merges every run into the pages. The engine does so by itself when it pays or when it is idle; this is
   * for bulk loads that want a plain tree now, for tools and for tests.
   */
  async merge(): Promise<void> {
    await this.flush();
    await this.background.mergeAll();
  }

  stats(): BtreeStats {
    const { files, memory, views, background } = this;
    let { pagesRead, cacheHits } = files.pager;
    let bytesRead = pagesRead * files.pager.pageBytes;
    cacheHits += files.entries.hits;
    for (const { run } of files.runs) {
      pagesRead += run.counters.blocksRead;
      bytesRead += run.counters.bytesRead;
      cacheHits += run.counters.blockHits;
    }
    return {
      name: this.name,
      deltaBytes: memory.bytes,
      frozenDeltas: memory.frozen.length,
      runs: files.runs.length,
      fileBytes: files.bytes,
      cacheBytes: files.cache.bytes,
      pagesRead,
      bytesRead,
      cacheHits,
      flushes: background.flushes,
      merges: background.merges,
      bytesFlushed: background.bytesFlushed,
      bytesMerged: background.bytesMerged,
      openViews: views.count,
      oldestViewSeq: views.oldestSeq(memory.applied),
      damage: background.damage,
      pinnedBytes: views.pinnedBytes(),
      workerJobs: background.workerJobs,
      height: this.height,
    };
  }

  /** Levels of the tree: pages that a get touches at most, besides a block for each run whose filter lets it pass. */
  get height(): number {
    const { root } = this.files;
    return root.id === 0 ? 0 : root.level + 1;
  }

  *check(): Iterable<Finding> {
    yield* verifyTree(this.files);
    yield* this.files.checkRuns();
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
    this.views.close();
    for (const { ingested } of this.memory.frozen) for (const { run } of ingested) run.release();
    this.files.close();
  }

  /** Nobody looks before recovery has ended, so what the log wanted to hand over is taken by the first view. */
  private removeIngestedOrphans(): void {
    this.mayHaveOrphans = false;
    if (this.context.readOnly) return;
    try {
      const waiting = this.memory.frozen.flatMap(({ ingested }) => ingested);
      this.files.removeOrphans('ingested', waiting);
    } catch (error) {
      // They cost space until the next opening, which is no reason not to read.
      this.context.logger.warn('left-over files could not be removed', { reason: String(error) });
    }
  }
}
