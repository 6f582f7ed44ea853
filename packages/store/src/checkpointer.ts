/**
 * Checkpoints: they bound the log, and with it the time a recovery takes.
 *
 * A checkpoint flushes every engine that has something in memory, then lets go of the log that no engine needs any more:
 *
 *   flush engines ──► least flushedSeq ──► position behind it ──► superblock: log start ──► log: dropBefore
 *
 * The superblock comes before the drop, so that a log which begins later than the superblock says has lost something, and
 * recovery can tell. One runs at a time, and begins by itself:
 *
 *   log since the last one began    0 ......... checkpointBytesMin ............... checkpointBytesMax ....
 *   the next one begins                         CHECKPOINT_INTERVAL_MS after it    at once
 *   writers                                                                        wait for one that runs
 *
 * So a steady load leaves a few megabytes of log, which a recovery reads in the time in which its code is compiled, and a
 * bulk load is flushed in pieces as large as what it writes in that interval. Waiting is done in `admit` (DESIGN's
 * invariant 7: the log since the last flush is bounded). A failed checkpoint loses nothing: the log stays, and the next
 * one tries again once the log has grown by a quarter of the upper limit. Callers that never let the event loop turn would
 * hold up a checkpoint for ever; they make one themselves, where they would have had to wait or once four times the lower
 * limit lies there (`isOverdue`, `runNow`).
 */
import { type Clock, type Logger, type Tracer, traced } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { Lsn, Wal } from '@phantom/wal';
import type { StoreHealth } from './health.js';
import type { SuperblockState } from './format.js';
import type { LogMap, LogMark } from './log-map.js';
import { CHECKPOINT_INTERVAL_MS } from './options.js';
import type { SpaceCatalog } from './space-catalog.js';
import type { Superblock } from './superblock.js';

/** Who makes a checkpoint itself waits for all of it, so it is put off to so many times `checkpointBytesMin`. */
const OVERDUE_FACTOR = 4;

export interface CheckpointerContext {
  readonly wal: Wal;
  readonly catalog: SpaceCatalog;
  readonly superblock: Superblock;
  readonly health: StoreHealth;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly tracer: Tracer | undefined;
  readonly checkpointBytesMin: number;
  readonly checkpointBytesMax: number;
  /** Log that stays behind what recovery needs, for who follows changes and comes back. */
  readonly changesKeepBytes: number;
  /** Frees what is pinned for no one, and tells of what is held for long. */
  noteViews(): void;
}

export class Checkpointer {
  readonly log: LogMap;
  checkpoints = 0;
  private readonly context: CheckpointerContext;
  /** Log position and time from which on the next one begins by itself. */
  private dueAt: Lsn;
  private dueMs = Number.NEGATIVE_INFINITY;
  /** Log position when the last one began. */
  private beganAt: Lsn;
  private running: Promise<void> | undefined;

  constructor(context: CheckpointerContext, log: LogMap) {
    this.context = context;
    this.log = log;
    this.beganAt = Math.min(context.superblock.state.logStart, context.wal.end);
    this.dueAt = this.beganAt + context.checkpointBytesMin;
  }

  /** Bytes of log that a recovery would have to read at the most. */
  get logBytesSince(): number {
    return this.context.wal.end - this.beganAt;
  }

  /** Begins one in the background when it is due. Costs a comparison otherwise. */
  request(): void {
    if (this.running === undefined && this.isDue(this.context.checkpointBytesMin)) this.runInBackground();
  }

  /** What a writer must wait for before it may add to the log: undefined nearly always. */
  stall(): Promise<void> | undefined {
    const { wal, checkpointBytesMax } = this.context;
    return this.running !== undefined && wal.end - this.beganAt > checkpointBytesMax ? this.settled() : undefined;
  }

  /** True when a caller that cannot wait has to make room in the log itself. */
  get isOverdue(): boolean {
    return this.isDue(OVERDUE_FACTOR * this.context.checkpointBytesMin);
  }

  /** Whether one should begin: with so much log once the interval is over, with `checkpointBytesMax` at once. */
  private isDue(bytes: number): boolean {
    const { wal, clock, checkpointBytesMax } = this.context;
    if (wal.end < this.dueAt) return false;
    const grown = wal.end - this.beganAt;
    return grown > checkpointBytesMax || (grown >= bytes && clock.monotonicMs() >= this.dueMs);
  }

  /** One on this thread, whether or not another is under way: that one then finds nothing left to do. Between batches. */
  runNow(): void {
    const { wal, catalog, superblock } = this.context;
    this.begin();
    try {
      if (wal.durable < wal.end) wal.syncNow?.();
      for (const { engine } of catalog.engines) engine.flushNow();
      const mark = this.droppable();
      if (mark !== undefined) {
        superblock.updateNow((state) => this.note(state, mark));
        wal.dropBeforeNow?.(this.unneeded(mark));
        this.log.dropBefore(wal.start);
      }
      this.checkpoints++;
    } catch (error) {
      this.holdBack();
      throw error;
    }
  }

  /** Runs one and resolves when it is done; waits first for one that is under way. */
  async run(): Promise<void> {
    while (this.running !== undefined) await this.settled();
    const attributes = { 'phantom.log.bytes': this.logBytesSince };
    this.running = traced(this.context.tracer, 'checkpoint', attributes, () => this.checkpoint());
    try {
      await this.running;
    } catch (error) {
      this.holdBack();
      throw error;
    } finally {
      this.running = undefined;
    }
  }

  /** Resolves when none is under way, whatever came of it. */
  async settled(): Promise<void> {
    try {
      await this.running;
    } catch {
      // Whoever began it has told.
    }
  }

  private runInBackground(): void {
    this.run().catch((error: unknown) => {
      if (this.context.health.failure !== undefined) return;
      this.context.logger.warn('a checkpoint failed and will be tried again', {
        reason: error instanceof Error ? error.message : String(error),
      });
    });
  }

  private async checkpoint(): Promise<void> {
    const { wal, catalog, superblock } = this.context;
    this.begin();
    // Files must not be ahead of the log, or a power cut could leave one engine's part of a relaxed commit and not the other's.
    if (wal.durable < wal.end) await wal.sync();
    await Promise.all(catalog.engines.map(({ engine }) => engine.flush()));
    const mark = this.droppable();
    if (mark !== undefined) {
      // What came meanwhile may not be synced; the log must never end before it starts.
      if (wal.durable < mark.end) await wal.sync();
      await superblock.update((state) => this.note(state, mark));
      await wal.dropBefore(this.unneeded(mark));
      this.log.dropBefore(wal.start);
    }
    this.checkpoints++;
  }

  private begin(): void {
    const { wal, clock, checkpointBytesMin, noteViews } = this.context;
    this.beganAt = wal.end;
    this.dueAt = wal.end + checkpointBytesMin;
    this.dueMs = clock.monotonicMs() + CHECKPOINT_INTERVAL_MS;
    this.log.markLast();
    noteViews();
  }

  /** Up to where no engine needs the log any more, if that is further than before. */
  private droppable(): LogMark | undefined {
    const mark = this.log.lastUpTo(this.flushedSeq());
    return mark !== undefined && mark.end > this.context.superblock.state.logStart ? mark : undefined;
  }

  /** The log before this position may go. */
  private unneeded(mark: LogMark): Lsn {
    const { wal, changesKeepBytes } = this.context;
    return Math.max(0, Math.min(mark.end, wal.end - changesKeepBytes));
  }

  private note(state: SuperblockState, mark: LogMark): void {
    state.logStart = Math.max(state.logStart, mark.end);
    state.logStartSeq = Math.max(state.logStartSeq, mark.seq);
  }

  /** One has failed: the next is not due at once. */
  private holdBack(): void {
    const { wal, checkpointBytesMax } = this.context;
    this.dueAt = wal.end + checkpointBytesMax / 4;
  }

  /** Every engine's files alone hold the effects up to here; those of volatile engines are in no file and never will be. */
  private flushedSeq(): Seq {
    let least = Number.POSITIVE_INFINITY;
    for (const placed of this.context.catalog.engines) {
      if (!placed.volatile) least = Math.min(least, placed.engine.flushedSeq());
    }
    return least;
  }
}
