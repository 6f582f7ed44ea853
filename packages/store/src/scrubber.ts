/**
 * The scrubber: reads everything that lies in a store's files, again and again and at its leisure, so that what rots is found while
 * there is a backup of it, and not when somebody needs it (Schwarz et al., "Disk Scrubbing in Large Archival Storage Systems", 2004;
 * ZFS made it known).
 *
 *   superblock ──► log, as far as it is durable and needed ──► files of each engine          one pass; its place is remembered
 *
 *   step    so many bytes at once, past every cache, so that nothing is driven out of one; then a rest, so that it is bytesPerSecond
 *   busy    while this thread is at work more than half of the time it waits, but at most BUSY_WAIT_MS_MAX for a step: on a machine
 *           that is always busy a pass takes long and still ends
 *   due     everyHours after the end of the last one; AFTER_OPENING_MS after an opening at the earliest
 *
 * What is found is told to the log and kept for metrics, dashboards and `scrubbed`. A damaged log is healed if it can be: what is in it
 * is in memory as well, so a checkpoint brings that into files, and nobody needs the log of before. A damaged slot of the superblock is
 * written again. Nothing else is changed.
 *
 * The operating system may answer a read from its own memory, where the bytes are still right: then rot is found in a later pass.
 * Left out: reading around that (O_DIRECT), which Node does not offer without more ado.
 */
import { PhantomError, SqlState, eventLoop, isPhantomError, isCorruption } from '@phantom/base';
import type { Finding, ScrubStep } from '@phantom/kv';
import { joinPath } from '@phantom/vfs';
import { LOG_DIRECTORY, SUPERBLOCK_FILE } from './format.js';
import {
  FINDINGS_MAX,
  SCRUB_FILE,
  type ScrubPass,
  type ScrubState,
  readScrubState,
  writeScrubState,
} from './scrub-state.js';
import type { StoreParts } from './store-parts.js';

const HOUR_MS = 3_600_000;
/** What is read without letting others run: about a millisecond of a quick disk. */
const STEP_BYTES = 128 * 1024;
/** Nothing begins sooner after an opening. */
const AFTER_OPENING_MS = 600_000;
/** How long a busy store is waited for, and how often somebody looks. */
const BUSY_WAIT_MS_MAX = 60_000;
const BUSY_LOOK_MS = 1000;
/** The place is remembered so often: what was read since is read again after a crash. */
const REMEMBER_MS = 60_000;
/** Longest rest at a time: timers take no more than 24 days. */
const REST_MS_MAX = HOUR_MS;
/** Nobody looks sooner whether one is due, whatever has gone wrong with the one before. */
const AGAIN_MS_MIN = 1000;
/** This thread is busy when it is at work for more of the time. */
const BUSY_SHARE = 0.5;

export interface ScrubberContext {
  readonly parts: StoreParts;
  /** See Store.checkpoint. */
  checkpoint(): Promise<void>;
}

/** What has been read, and what was wrong with it. */
export interface ScrubFacts {
  /** The last pass that has ended, in whatever process. */
  readonly last: ScrubPass | undefined;
  /** The one that is under way. */
  readonly present: ScrubPass | undefined;
  /** About how many bytes a pass reads at present. */
  readonly bytesExpected: number;
}

export class Scrubber {
  private readonly context: ScrubberContext;
  private readonly path: string;
  private readonly parts: readonly string[];
  private readonly openedMs: number;
  private state: ScrubState;
  private rememberedMs = Number.NEGATIVE_INFINITY;
  private bytesRead = 0;
  private passes = 0;
  /** The pass under way in this process, and what ends it early. */
  private running: { readonly ended: Promise<void>; readonly stop: AbortController } | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private isStopped = false;
  private busyLook = performance.eventLoopUtilization();

  constructor(context: ScrubberContext) {
    const { directory, options, catalog, checksums } = context.parts;
    this.context = context;
    this.path = joinPath(directory, SCRUB_FILE);
    this.openedMs = options.clock.nowMs();
    this.state = readScrubState(options.vfs, this.path, checksums);
    this.parts = ['superblock', 'log', ...catalog.engines.filter(({ volatile }) => !volatile).map(({ name }) => name)];
    this.registerMetrics();
    this.schedule();
  }

  /** What is known of the files. */
  get facts(): ScrubFacts {
    const { wal, catalog } = this.context.parts;
    let bytesExpected = Math.max(0, wal.durable - this.logFrom(0));
    for (const { engine, volatile } of catalog.engines) if (!volatile) bytesExpected += engine.stats().fileBytes;
    const { last, present } = this.state;
    return { last, present, bytesExpected };
  }

  /**
   * Reads everything now, from the beginning and without rests, while others go on. Rejects with the reason of `signal`, or 57P01 when
   * the store is closed.
   */
  async passNow(signal?: AbortSignal): Promise<ScrubPass> {
    signal?.throwIfAborted();
    await this.interrupt();
    signal?.throwIfAborted();
    if (this.isStopped) throw stoppedError();
    this.begin();
    const stop = new AbortController();
    const abort = (): void => stop.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await this.run(Number.POSITIVE_INFINITY, stop);
    } finally {
      signal?.removeEventListener('abort', abort);
      this.schedule();
    }
    if (stop.signal.aborted) throw stop.signal.reason;
    return this.state.last as ScrubPass;
  }

  /** Ends what is under way and remembers where it was. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    const wasUnderWay = this.running !== undefined;
    await this.interrupt();
    if (wasUnderWay) await this.remember();
  }

  private async interrupt(): Promise<void> {
    clearTimeout(this.timer);
    while (this.running !== undefined) {
      this.running.stop.abort(stoppedError());
      await this.running.ended;
    }
  }

  /** Looks, when it is time, whether a pass is due. */
  private schedule(): void {
    const { clock, scrubEveryHours: everyHours } = this.context.parts.options;
    clearTimeout(this.timer);
    if (this.isStopped || everyHours === 0 || this.context.parts.options.readOnly) return;
    const { last, present } = this.state;
    const afterLastMs = last?.endedMs === undefined || present !== undefined ? 0 : last.endedMs + everyHours * HOUR_MS;
    const dueMs = Math.max(this.openedMs + AFTER_OPENING_MS, afterLastMs) - clock.nowMs();
    this.timer = setTimeout(
      () => this.look(dueMs <= REST_MS_MAX),
      Math.min(Math.max(dueMs, AGAIN_MS_MIN), REST_MS_MAX),
    );
    this.timer.unref();
  }

  private look(isDue: boolean): void {
    if (this.running !== undefined || !isDue) {
      this.schedule();
      return;
    }
    if (this.state.present === undefined) this.begin();
    void this.run(this.context.parts.options.scrubBytesPerSecond, new AbortController()).then(() => this.schedule());
  }

  private begin(): void {
    const present = {
      begunMs: this.context.parts.options.clock.nowMs(),
      endedMs: undefined,
      bytes: 0,
      found: 0,
      findings: [],
    };
    this.state = { last: this.state.last, present, part: this.parts[0] as string, place: '' };
  }

  /** Goes on with the present pass to its end, or until it is stopped. Never rejects. */
  private async run(bytesPerSecond: number, stop: AbortController): Promise<void> {
    const ended = this.readOn(bytesPerSecond, stop.signal)
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        this.context.parts.options.logger.warn('a scrub could not go on and will be tried again', {
          reason: String(error),
        });
        stop.abort(error);
      })
      .finally(() => (this.running = undefined));
    this.running = { ended, stop };
    await ended;
  }

  private async readOn(bytesPerSecond: number, signal: AbortSignal): Promise<void> {
    let at = Math.max(0, this.parts.indexOf(this.state.part));
    let { place } = this.state;
    while (at < this.parts.length) {
      const part = this.parts[at] as string;
      if (bytesPerSecond !== Number.POSITIVE_INFINITY) await this.whileBusy(signal);
      const { next, bytes, findings } = await this.step(part, place);
      if (next === undefined) at++;
      place = next ?? '';
      this.note({ part: this.parts[at] ?? '', place }, bytes, findings);
      if (bytesPerSecond === Number.POSITIVE_INFINITY) await eventLoop.nextTurn();
      else await rest((bytes / bytesPerSecond) * 1000, signal);
      signal.throwIfAborted();
      await this.rememberNowAndThen();
    }
    const { present } = this.state;
    const last = { ...(present as ScrubPass), endedMs: this.context.parts.options.clock.nowMs() };
    this.state = { last, present: undefined, part: '', place: '' };
    this.passes++;
    const { bytes, found } = last;
    this.context.parts.options.logger.info('everything in the store was read', {
      bytes,
      found,
      elapsedMs: last.endedMs - last.begunMs,
    });
    await this.remember();
  }

  private step(part: string, place: string): Promise<ScrubStep> | ScrubStep {
    if (part === 'superblock') return this.stepSuperblock();
    if (part === 'log') return this.stepLog(place);
    const placed = this.context.parts.catalog.engines.find(({ name }) => name === part);
    return placed?.engine.scrub?.(place, STEP_BYTES) ?? { next: undefined, bytes: 0, findings: [] };
  }

  private async stepSuperblock(): Promise<ScrubStep> {
    const { superblock, directory, health } = this.context.parts;
    const file = joinPath(directory, SUPERBLOCK_FILE);
    let problems: readonly string[];
    try {
      problems = superblock.check();
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      problems = [error.message];
    }
    const isMended = problems.length > 0 && health.refusal() === undefined;
    if (isMended) await superblock.update(() => undefined);
    const findings = problems.map((problem): Finding => {
      const message = isMended ? `${problem}; it was written again` : problem;
      return { severity: 'corruption', file, message };
    });
    return { next: undefined, bytes: 0, findings };
  }

  private async stepLog(place: string): Promise<ScrubStep> {
    const { wal, directory } = this.context.parts;
    const from = this.logFrom(Number(place));
    let end = from;
    try {
      if (from < wal.durable) {
        for await (const batch of wal.replay(from)) {
          ({ end } = batch);
          if (end - from >= STEP_BYTES) break;
        }
      }
    } catch (error) {
      if (!isCorruption(error)) throw error;
      const { file = joinPath(directory, LOG_DIRECTORY), offset } = error.data ?? {};
      const finding = { severity: 'corruption', file: String(file), message: error.message } as const;
      const at = typeof offset === 'number' ? { offset } : {};
      const message = (await this.isLogHealed(end))
        ? `${error.message}; a checkpoint has made it needless`
        : error.message;
      return { next: undefined, bytes: end - from, findings: [{ ...finding, ...at, message }] };
    }
    const isThrough = end === from || end >= wal.durable;
    return { next: isThrough ? undefined : String(end), bytes: end - from, findings: [] };
  }

  /** What is in the log is in memory, too: once it is in files, nobody needs the damaged place. */
  private async isLogHealed(position: number): Promise<boolean> {
    const { parts, checkpoint } = this.context;
    if (parts.health.refusal() !== undefined) return false;
    try {
      await parts.wal.nextSegment?.();
      await checkpoint();
    } catch {
      // The checkpointer has told.
      return false;
    }
    return parts.superblock.state.logStart > position;
  }

  /** What lies before is not needed, and may be gone. */
  private logFrom(position: number): number {
    const { wal, superblock } = this.context.parts;
    return Math.max(position, wal.start, superblock.state.logStart);
  }

  private note(
    at: { readonly part: string; readonly place: string },
    bytes: number,
    findings: readonly Finding[],
  ): void {
    const present = this.state.present as ScrubPass;
    this.bytesRead += bytes;
    for (const { file, offset, message } of findings) {
      this.context.parts.options.logger.error('the scrub has found damage', { file, offset, reason: message });
    }
    const noted = {
      ...present,
      bytes: present.bytes + bytes,
      found: present.found + findings.length,
      findings: [...present.findings, ...findings].slice(0, FINDINGS_MAX),
    };
    this.state = { ...this.state, ...at, present: noted };
  }

  /** Returns when this thread has time, or has had none for long enough. */
  private async whileBusy(signal: AbortSignal): Promise<void> {
    for (let waitedMs = 0; waitedMs < BUSY_WAIT_MS_MAX; waitedMs += BUSY_LOOK_MS) {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, this.busyLook);
      this.busyLook = now;
      if (utilization < BUSY_SHARE) return;
      await rest(BUSY_LOOK_MS, signal);
    }
  }

  private async rememberNowAndThen(): Promise<void> {
    if (this.context.parts.options.clock.monotonicMs() - this.rememberedMs >= REMEMBER_MS) await this.remember();
  }

  private async remember(): Promise<void> {
    const { options, checksums } = this.context.parts;
    const { vfs, clock, logger, readOnly } = options;
    if (readOnly) return;
    this.rememberedMs = clock.monotonicMs();
    try {
      await writeScrubState(vfs, this.path, checksums, this.state);
    } catch (error) {
      // After a restart it begins at an older place, and that is all.
      logger.warn('the place of the scrub could not be remembered', { path: this.path, reason: String(error) });
    }
  }

  private registerMetrics(): void {
    const { metrics } = this.context.parts.options;
    const found = (): number => Math.max(this.state.last?.found ?? 0, this.state.present?.found ?? 0);
    metrics.gauge('phantom_scrub_read_bytes_total', 'Bytes of files read by the scrubber.', () => this.bytesRead);
    metrics.gauge('phantom_scrub_passes_total', 'Readings of everything that have ended.', () => this.passes);
    metrics.gauge(
      'phantom_scrub_findings',
      'What the last reading of everything has found, or the present one so far.',
      found,
    );
    metrics.gauge(
      'phantom_scrub_progress_ratio',
      'How far the present reading of everything is; 0 while none is under way.',
      () => {
        const { present, bytesExpected } = this.facts;
        return present === undefined ? 0 : Math.min(1, present.bytes / Math.max(1, bytesExpected));
      },
    );
    metrics.gauge(
      'phantom_scrub_last_pass_seconds',
      'When everything was last read, in seconds since 1970; 0: never.',
      () => Math.floor((this.state.last?.endedMs ?? 0) / 1000),
    );
  }
}

function stoppedError(): PhantomError {
  return new PhantomError(SqlState.AdminShutdown, 'the scrub was stopped');
}

/** Rejects with the reason of the signal. */
function rest(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const timer = setTimeout(end, Math.min(durationMs, REST_MS_MAX));
    timer.unref();
    signal.addEventListener('abort', end, { once: true });
  });
}
