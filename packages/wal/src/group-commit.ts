/**
 * One sync for everyone who waits.
 *
 * ```
 *   append, sync()      append, sync()      append, sync()          one promise for the group
 *         \___________________|___________________/
 *                           write                                   one positioned write
 *                         fdatasync                                 on the log's sync thread; the next group collects
 *                           resolve                                 all callers at once
 * ```
 *
 * The first group begins in a microtask, so that whoever commits in the same turn shares it. While a sync is under way the
 * next group collects, and it begins in a later turn of the event loop: those whom the sync has released get to append
 * first. Without that, callers fall into two halves that take turns, at half the throughput.
 *
 * Invariants:
 *   1. `durable` never passes what a successful sync covered that began after the write.
 *   2. A failed write or sync is final: whoever waits is told "outcome unknown", nothing is retried.
 *   3. What lies in a segment that the owner of the log does not know is not acknowledged (log-owner.ts).
 *   4. A caller's promise settles once, with what holds for everything appended before the call.
 */
import { PhantomError, SqlState, outcomeUnknownError } from '@phantom/base';
import type { VfsFile } from '@phantom/vfs';
import type { LogAppender } from './log-appender.js';
import type { LogHealth } from './log-health.js';
import type { WalMeters } from './meters.js';
import type { Settings } from './options.js';
import type { Lsn } from './wal-types.js';

class CommitGroup {
  readonly promise: Promise<Lsn>;
  /** What the sync of this group covers; known once it has begun. */
  end: Lsn = 0;
  files: readonly VfsFile[] = [];
  /** The newest segment that it writes to, and the end of the owner's records. */
  segment = 0;
  recordsEnd: Lsn = 0;
  startedMs = 0;
  settled = false;
  private resolve: (durable: Lsn) => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  succeed(durable: Lsn): void {
    this.settled = true;
    this.resolve(durable);
  }

  unknown(cause: unknown): void {
    this.settled = true;
    this.reject(unknownOutcome(cause));
  }
}

function unknownOutcome(cause: unknown): PhantomError {
  return outcomeUnknownError('it is unknown whether the last records of the log are durable', cause);
}

export class GroupCommit {
  private readonly settings: Settings;
  private readonly appender: LogAppender;
  private readonly health: LogHealth;
  private readonly meters: WalMeters;
  /** The group whose sync is under way, and the one that collects. */
  private flight: CommitGroup | undefined;
  private collecting: CommitGroup | undefined;
  private scheduled = false;
  private proving: Promise<void> = Promise.resolve();
  private waiters: (() => void)[] = [];
  /** Position behind the last record of the owner's that a sync has covered, in a segment that the owner knows. */
  recordsSynced: Lsn;
  /** The newest segment that the owner of the log knows, in which a sync may acknowledge. */
  private knownSegment: number;

  constructor(settings: Settings, appender: LogAppender, health: LogHealth, meters: WalMeters) {
    this.settings = settings;
    this.appender = appender;
    this.health = health;
    this.meters = meters;
    this.recordsSynced = appender.recordsEnd;
    // The owner takes note of an opening by itself.
    this.knownSegment = settings.owner === undefined ? Number.POSITIVE_INFINITY : appender.segment;
    health.onFailure = (failure) => this.abandonCollecting(failure);
    // Nobody waits for it, but what a power cut takes is then bounded by a segment or two, and so is the next opening's work.
    if (settings.durability === 'os') appender.onSegmentFull = () => void this.prove().catch(() => undefined);
  }

  /** Position before which everything keeps the promise of the log's durability. */
  get durable(): Lsn {
    if (this.settings.durability === 'fsync') return this.appender.synced;
    return this.settings.durability === 'os' ? this.appender.written : this.appender.end;
  }

  sync(): Promise<Lsn> {
    const target = this.appender.end;
    if (target <= this.durable) return Promise.resolve(this.durable);
    if (this.flight !== undefined && target <= this.flight.end) return this.flight.promise;
    try {
      this.health.checkWritable();
      if (this.settings.durability === 'os') {
        this.write();
        return Promise.resolve(this.durable);
      }
    } catch (error) {
      return Promise.reject(this.health.failure === undefined ? error : unknownOutcome(error));
    }
    this.collecting ??= new CommitGroup();
    if (this.flight === undefined && !this.scheduled) {
      this.scheduled = true;
      queueMicrotask(() => this.begin());
    }
    return this.collecting.promise;
  }

  /** Finishes every group on this thread. */
  syncNow(): Lsn {
    const { appender, health } = this;
    if (appender.end <= this.durable) return this.durable;
    try {
      health.checkWritable();
      appender.write();
    } catch (error) {
      throw health.failure === undefined ? error : unknownOutcome(error);
    }
    if (this.settings.durability === 'os') {
      this.wake();
      return this.durable;
    }
    const flight = this.flight;
    const startedMs = this.settings.clock.monotonicMs();
    const files = appender.takeUnsynced();
    const all = new Set([...(flight?.files ?? []), ...files]);
    try {
      for (const file of all) file.syncNow();
      this.tellOwnerNow();
    } catch (error) {
      flight?.unknown(error);
      throw unknownOutcome(health.fail(error));
    }
    this.meters.syncs += all.size;
    this.recordsSynced = appender.recordsEnd;
    this.succeeded(appender.end, startedMs, [...all]);
    flight?.succeed(this.durable);
    this.flight = undefined;
    this.collecting?.succeed(this.durable);
    this.collecting = undefined;
    return this.durable;
  }

  /** Hands the buffer over; `durable` moves where that is all that was promised. */
  write(): void {
    this.appender.write();
    if (this.settings.durability !== 'fsync') this.wake();
  }

  /**
   * Makes everything written so far durable, whatever the durability. Rejects when that fails, and the log is lost then.
   * One at a time: what a later call proves rests on the earlier ones.
   */
  prove(): Promise<void> {
    const proved = this.proving.then(async () => {
      if (this.health.failure !== undefined) throw this.health.failure;
      const startedMs = this.settings.clock.monotonicMs();
      const end = this.appender.written;
      const files = this.appender.takeUnsynced();
      this.meters.syncs += files.length;
      try {
        await Promise.all(files.map((file) => file.sync()));
      } catch (error) {
        throw this.health.fail(error);
      }
      this.succeeded(end, startedMs, files);
    });
    this.proving = proved.catch(() => undefined);
    return proved;
  }

  /** As prove, on this thread. What an earlier call is proving is synced once more: this one's word rests on it. */
  proveNow(): void {
    const { appender, health } = this;
    if (health.failure !== undefined) throw health.failure;
    const startedMs = this.settings.clock.monotonicMs();
    const files = appender.takeAllUnsynced();
    try {
      for (const file of files) file.syncNow();
    } catch (error) {
      throw health.fail(error);
    }
    this.meters.syncs += files.length;
    this.succeeded(appender.written, startedMs, files);
  }

  /** Resolves at the next change of `durable`, or when the log closes. */
  progress(): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.push(resolve);
    });
  }

  /** Lets the sync under way end, gives up the group that collects, and wakes whoever follows. */
  async close(): Promise<void> {
    this.abandonCollecting(new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the log was closed before a sync'));
    await this.flight?.promise.catch(() => undefined);
    await this.proving;
    this.wake();
  }

  private begin(): void {
    this.scheduled = false;
    const group = this.collecting;
    if (group === undefined || this.flight !== undefined) return;
    try {
      this.appender.write();
    } catch {
      // The health has been told and has ended the group.
      return;
    }
    this.collecting = undefined;
    this.flight = group;
    group.startedMs = this.settings.clock.monotonicMs();
    group.end = this.appender.end;
    group.segment = this.appender.segment;
    group.recordsEnd = this.appender.recordsEnd;
    group.files = this.appender.takeUnsynced();
    this.meters.syncs += group.files.length;
    const syncs = group.files.map((file) => file.sync());
    Promise.all(syncs).then(
      () => this.synced(group),
      (error: unknown) => this.crashed(group, error),
    );
  }

  /** Of a segment that the owner does not know yet nothing is acknowledged before it does (log-owner.ts). */
  private synced(group: CommitGroup): void {
    const { owner } = this.settings;
    if (group.segment <= this.knownSegment || owner === undefined) {
      this.landed(group);
      return;
    }
    owner.recordHead(group.segment, group.recordsEnd).then(
      () => {
        this.knownSegment = Math.max(this.knownSegment, group.segment);
        this.landed(group);
      },
      (error: unknown) => this.crashed(group, error),
    );
  }

  private tellOwnerNow(): void {
    const { segment, recordsEnd } = this.appender;
    if (segment <= this.knownSegment) return;
    this.settings.owner?.recordHeadNow(segment, recordsEnd);
    this.knownSegment = segment;
  }

  private landed(group: CommitGroup): void {
    // A syncNow in between has covered it, or failed.
    if (group.settled) return;
    this.flight = undefined;
    if (group.recordsEnd > this.recordsSynced) this.recordsSynced = group.recordsEnd;
    this.succeeded(group.end, group.startedMs, group.files);
    group.succeed(this.durable);
    if (this.collecting === undefined || this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.begin());
  }

  private crashed(group: CommitGroup, error: unknown): void {
    if (this.flight === group) this.flight = undefined;
    const failure = this.health.fail(error);
    if (!group.settled) group.unknown(failure);
  }

  private succeeded(end: Lsn, startedMs: number, files: readonly VfsFile[]): void {
    if (end > this.appender.synced) this.appender.synced = end;
    this.appender.release(files);
    this.meters.syncSeconds?.observe((this.settings.clock.monotonicMs() - startedMs) / 1000);
    this.wake();
  }

  private abandonCollecting(cause: PhantomError): void {
    const group = this.collecting;
    this.collecting = undefined;
    group?.unknown(cause);
  }

  private wake(): void {
    const waiters = this.waiters;
    if (waiters.length === 0) return;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
