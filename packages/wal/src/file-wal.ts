/**
 * The log of one machine, behind the face of `wal-types.ts`: the appender writes, the group commit syncs, readers read,
 * and this file says when old segments may go.
 *
 * Dropping is told to the log before it is done. A mark with the new floor is durable before the first segment goes, so an
 * opening that finds segments missing knows whether they were dropped or lost; and since nothing is renamed or removed
 * before that, the removals themselves need no order and no sync.
 *
 * Invariants:
 *   1. No segment goes that holds a position at or above what a retention or a reader needs, or that was asked to stay.
 *   2. `start` moves before the first segment goes, so nobody begins to read what is about to go.
 */
import type { DirectoryLock } from '@phantom/vfs';
import { type FollowableLog, Follower } from './follower.js';
import type { GroupCommit } from './group-commit.js';
import type { LogAppender, LogSegment } from './log-appender.js';
import type { LogHealth } from './log-health.js';
import { readRecords } from './log-reader.js';
import type { WalMeters } from './meters.js';
import type { Settings } from './options.js';
import type { Retentions } from './retention.js';
import type { ScannedLog } from './scanned-log.js';
import type { SegmentSupply } from './segment-supply.js';
import type { Lsn, RecordMeta, ReplayOptions, Retention, Wal, WalRecordBatch, WalStats } from './wal-types.js';

/** Tries to have everything durable in the moment in which a segment begins, while others go on appending. */
const SYNCS_MAX = 8;

/** What opening hands over. */
export interface FileWalParts {
  readonly settings: Settings;
  readonly health: LogHealth;
  readonly appender: LogAppender;
  readonly commit: GroupCommit;
  readonly supply: SegmentSupply;
  readonly retentions: Retentions;
  readonly meters: WalMeters;
  readonly lock: DirectoryLock | undefined;
}

export class FileWal implements Wal {
  readonly caps = { syncNow: true };
  readonly lost: AbortSignal;
  private readonly parts: FileWalParts;
  private readonly readable: FollowableLog;
  private dropping: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  /** What the opening has read, for the first replay, which mostly follows at once. */
  private scanned: ScannedLog | undefined;

  constructor(parts: FileWalParts, scanned: ScannedLog) {
    this.parts = parts;
    this.scanned = scanned;
    this.lost = parts.health.lost;
    const { settings, appender, commit, health, retentions } = parts;
    this.readable = {
      vfs: settings.vfs,
      checksums: settings.checksums,
      retentions,
      segments: appender.segments,
      get start() {
        return appender.start;
      },
      get durable() {
        return commit.durable;
      },
      get closed() {
        return health.closed;
      },
      write: () => commit.write(),
      progress: () => commit.progress(),
    };
  }

  get end(): Lsn {
    return this.parts.appender.end;
  }

  get durable(): Lsn {
    return this.parts.commit.durable;
  }

  get recordsSynced(): Lsn {
    return this.parts.commit.recordsSynced;
  }

  get start(): Lsn {
    return this.parts.appender.start;
  }

  get segment(): number {
    return this.parts.appender.segment;
  }

  get epoch(): number {
    return this.parts.appender.epoch;
  }

  append(payload: Uint8Array, meta: RecordMeta): Lsn {
    this.scanned = undefined;
    return this.parts.appender.append(payload, meta);
  }

  sync(): Promise<Lsn> {
    return this.parts.commit.sync();
  }

  syncNow(): Lsn {
    return this.parts.commit.syncNow();
  }

  write(): void {
    this.parts.health.checkOpen();
    this.parts.commit.write();
  }

  async *replay(from: Lsn, options: ReplayOptions = {}): AsyncGenerator<WalRecordBatch, void, void> {
    this.parts.health.checkOpen();
    if (this.parts.health.failure === undefined) this.parts.commit.write();
    const { scanned } = this;
    this.scanned = undefined;
    yield* readRecords(this.readable, from, this.parts.appender.written, { scanned, runsOf: options.runsOf });
  }

  follow(from: Lsn): AsyncIterableIterator<WalRecordBatch> {
    this.parts.health.checkOpen();
    return new Follower(this.readable, from);
  }

  retain(name: string, from: Lsn, bytesMax: number): Retention {
    this.parts.health.checkOpen();
    return this.parts.retentions.retain(name, from, bytesMax, this.start);
  }

  dropBefore(lsn: Lsn): Promise<void> {
    const dropped = this.dropping.then(() => this.drop(lsn));
    this.dropping = dropped.catch(() => undefined);
    return dropped;
  }

  dropBeforeNow(lsn: Lsn): void {
    const { settings, appender, commit } = this.parts;
    const floor = this.floorFor(lsn);
    if (floor === undefined) return;
    const floorBefore = appender.floor;
    appender.floor = floor;
    try {
      appender.appendMark();
      if (settings.durability === 'fsync') commit.syncNow();
      else commit.write();
      if (settings.durability === 'os') commit.proveNow();
    } catch (error) {
      appender.floor = floorBefore;
      throw error;
    }
    this.giveBackBefore(floor);
  }

  async nextSegment(): Promise<void> {
    const { health, appender, commit, settings } = this.parts;
    health.checkWritable();
    for (let i = 0; i < SYNCS_MAX && commit.durable < appender.end; i++) await commit.sync();
    if (settings.durability === 'os') await commit.prove();
    health.checkWritable();
    appender.nextSegment();
    if (settings.durability === 'fsync') await commit.sync();
    else commit.write();
  }

  stats(): WalStats {
    const { meters, appender, supply } = this.parts;
    return {
      records: meters.records,
      bytesAppended: meters.bytesAppended,
      writes: meters.writes,
      syncs: meters.syncs,
      segments: appender.segments.length,
      segmentsRecycled: supply.recycled,
    };
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async drop(lsn: Lsn): Promise<void> {
    const { settings, appender, commit } = this.parts;
    const floor = this.floorFor(lsn);
    if (floor === undefined) return;
    const floorBefore = appender.floor;
    appender.floor = floor;
    try {
      appender.appendMark();
      if (settings.durability === 'fsync') await commit.sync();
      else commit.write();
      if (settings.durability === 'os') await commit.prove();
    } catch (error) {
      // Unless somebody who could not wait has gone on from here.
      if (appender.floor === floor) appender.floor = floorBefore;
      throw error;
    }
    this.giveBackBefore(floor);
  }

  /** Where the log may begin when nobody needs what is before `lsn`; undefined when no segment goes. */
  private floorFor(lsn: Lsn): Lsn | undefined {
    const { health, appender, commit, retentions } = this.parts;
    health.checkWritable();
    retentions.enforce(appender.end);
    const keep = Math.min(lsn, retentions.from, commit.durable);
    const { segments } = appender;
    let count = 0;
    while (count < segments.length - 1 && (segments[count] as LogSegment).limit <= keep) count++;
    return count === 0 ? undefined : (segments[count] as LogSegment).header.firstLsn;
  }

  /** Segments that lie wholly before the floor, which is durable, go. */
  private giveBackBefore(floor: Lsn): void {
    const { appender, supply } = this.parts;
    const { segments } = appender;
    let failure: unknown;
    while ((segments[0] as LogSegment).limit <= floor) {
      const { path } = segments.shift() as LogSegment;
      try {
        supply.giveBack(path);
      } catch (error) {
        // The file stays and is found again at the next opening; the log itself is whole.
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  private async shut(): Promise<void> {
    const { settings, health, appender, commit, supply, lock } = this.parts;
    health.closed = true;
    try {
      await commit.close();
      await this.dropping;
      if (health.failure === undefined) appender.write();
    } catch (error) {
      settings.logger.warn('could not write the end of the log on closing', { error });
    }
    await supply.close();
    appender.close();
    await lock?.release();
  }
}
