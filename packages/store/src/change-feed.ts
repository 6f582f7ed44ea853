/**
 * Following commits: what a change stream, a live query or a replica reads. Every commit comes once, whole, in the order of
 * seq, and never before it is visible. History is read from the log; who has caught up is handed commits as they are
 * published:
 *
 *   log     ... | 17 | 18 | 19 | 20 | 21 | 22 |        a feed after 17: a window of the log at a time,
 *                     └─ history ──┘    └ published     then from memory, as long as it keeps up
 *
 * Nobody waits for a follower. What it has not taken stays in memory up to CHANGE_BUFFER_BYTES; past that it goes back to
 * reading the log. While it is open it holds the log by a retention with a limit (`logBytesMax`), and a feed that falls
 * behind by more is told so instead of being given a gap. Between two processes nothing holds the log but the store's
 * option `changesKeepBytes`.
 *
 * Invariants:
 *   1. Commits are given out in the order of seq, without a gap: a record that is not the next one ends the feed.
 *   2. Nothing is given out that is not visible, so what visible means (durable, for one) holds for followers, too.
 */
import { PhantomError, SqlState, compareBytes } from '@phantom/base';
import {
  BATCH_HEADER_BYTES,
  BatchReader,
  type KeyRange,
  OperationKind,
  type Seq,
  WriteBatch,
  engineOfKey,
} from '@phantom/kv';
import type { Lsn, Retention, Wal, WalRecord } from '@phantom/wal';
import { RecordKind } from './format.js';
import type { StoreHealth } from './health.js';
import { type LoadRecord, decodeLoads, touchesRange } from './load-record.js';
import type { LogMark } from './log-map.js';
import { CHANGE_BUFFER_BYTES, CHANGE_LOG_BYTES_MAX } from './options.js';
import type { Change } from './types.js';

export interface ChangeFeedOptions {
  /** What the log calls who holds it. */
  readonly name: string;
  /** Commits that touch none of them are passed over. Each lies in one engine. */
  readonly ranges: readonly KeyRange[];
  /** The last commit that is known already. Default: the last visible one. */
  readonly after?: Seq;
  /** Instead of `after`: commits from this moment on, milliseconds since 1970. */
  readonly fromTimeMs?: number;
  /** Log that it may hold back; past it, it may lose its place (55000). Default 1 GiB. */
  readonly logBytesMax?: number;
  /**
   * For who keeps what it is given: bulk loads are given out as well (Change.loads), and so are made, and the log is held from what
   * was last said to be kept. Default false: the log is held from what was read.
   */
  readonly keeps?: boolean;
}

/**
 * Commits in their order, from a place on and without end. `next` is called again when it has resolved; it rejects with 55000 when the
 * log no longer has what comes next, and with the store's failure. It ends when the feed or the store is closed.
 */
export interface ChangeFeed extends AsyncIterableIterator<Change> {
  /** Every commit up to here has been given out, or touched none of the ranges. */
  readonly seq: Seq;
  /** With `keeps`: the commits up to `seq` are kept elsewhere, and the log need not hold them. */
  kept(seq: Seq): void;
  /** Lets go of the log. A `next` that waits ends. Safe to call twice. */
  close(): void;
}

/** What a feed asks of its store. */
export interface ChangeFeedHost {
  readonly wal: Wal;
  readonly health: StoreHealth;
  readonly visibleSeq: Seq;
  /** The last known place in the log before which lies nothing newer than the seq. */
  placeOf(seq: Seq): LogMark | undefined;
  ended(feed: LogChangeFeed): void;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A commit that was read and not yet given out. */
interface ReadCommit {
  readonly seq: Seq;
  readonly commitTimeMs: number;
  readonly bytes: Uint8Array;
  readonly loads?: readonly LoadRecord[];
}

const EMPTY_BATCH = new WriteBatch(BATCH_HEADER_BYTES).finish();

export class LogChangeFeed implements ChangeFeed {
  private readonly host: ChangeFeedHost;
  private readonly ranges: readonly KeyRange[];
  private readonly engines: number;
  private readonly after: Seq;
  private readonly fromTimeMs: number;
  readonly keeps: boolean;
  private readonly retention: Retention;
  /** Read and not yet given out: those from `taken` on. */
  private readonly buffer: ReadCommit[] = [];
  private taken = 0;
  private bufferBytes = 0;
  /** The last commit that was looked at, and where the log goes on behind it. */
  private readSeq: Seq;
  private position: Lsn;
  /** It is known that `readSeq + 1` is what comes next. */
  private isJoined: boolean;
  private isReading = false;
  private isClosed = false;
  /** Lets a `next` go on that waits. */
  private resume: (() => void) | undefined = undefined;
  private readonly reader = new BatchReader();
  private readonly change: Writable<Change> = { seq: 0, commitTimeMs: 0, batch: new BatchReader(), loads: undefined };

  constructor(host: ChangeFeedHost, options: ChangeFeedOptions) {
    const { name, ranges, fromTimeMs, logBytesMax = CHANGE_LOG_BYTES_MAX, keeps = false } = options;
    const { wal, visibleSeq } = host;
    this.host = host;
    this.ranges = ranges;
    this.keeps = keeps;
    this.engines = ranges.reduce((engines, { lower }) => engines | (1 << engineOfKey(lower, 0)), 0);
    this.after = fromTimeMs === undefined ? (options.after ?? visibleSeq) : 0;
    this.fromTimeMs = fromTimeMs ?? Number.NEGATIVE_INFINITY;
    if (this.after > visibleSeq) {
      throw new PhantomError(SqlState.InvalidParameterValue, `commit ${this.after} is yet to come`, {
        detail: `The last one is ${visibleSeq}.`,
      });
    }
    this.readSeq = this.after;
    this.isJoined = this.after === visibleSeq;
    this.position = Math.max(wal.start, host.placeOf(this.after)?.end ?? 0);
    this.retention = wal.retain(name, this.position, logBytesMax);
  }

  get seq(): Seq {
    const next = this.buffer[this.taken];
    return Math.max(this.after, next === undefined ? this.readSeq : next.seq - 1);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Change, undefined>> {
    const { host } = this;
    while (!this.isClosed) {
      const value = this.take();
      if (value !== undefined) return { done: false, value };
      if (host.health.failure !== undefined) throw host.health.failure;
      if (host.health.isClosed) break;
      if (this.readSeq < host.visibleSeq) await this.readLog();
      else await new Promise<void>((resolve) => (this.resume = resolve));
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  kept(seq: Seq): void {
    this.retention.advance(this.host.placeOf(seq)?.end ?? 0);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.retention.release();
    this.host.ended(this);
    this.wake();
  }

  /** A commit has become visible. Costs a comparison while the feed is behind. */
  published(batch: BatchReader, seq: Seq, end: Lsn, commitTimeMs: number): void {
    const isNext = this.isJoined && !this.isReading && seq === this.readSeq + 1;
    if (isNext && this.bufferBytes + batch.length <= CHANGE_BUFFER_BYTES) {
      const bytes = batch.bytes.subarray(batch.base, batch.base + batch.length);
      if (this.concerns(bytes, commitTimeMs)) this.push({ seq, commitTimeMs, bytes: bytes.slice() });
      this.readUpTo(seq, end);
      if (this.buffer.length === this.taken) return;
    }
    this.wake();
  }

  /** Something has happened that a `next` may be waiting for. */
  wake(): void {
    this.resume?.();
    this.resume = undefined;
  }

  private take(): Change | undefined {
    const commit = this.buffer[this.taken];
    if (commit === undefined) return undefined;
    this.taken++;
    this.bufferBytes -= commit.bytes.length;
    if (this.taken === this.buffer.length) this.buffer.length = this.taken = 0;
    const { change } = this;
    change.seq = commit.seq;
    change.commitTimeMs = commit.commitTimeMs;
    change.batch.setBatch(commit.bytes);
    change.loads = commit.loads;
    return change;
  }

  private push(commit: ReadCommit): void {
    this.buffer.push(commit);
    this.bufferBytes += commit.bytes.length;
  }

  private readUpTo(seq: Seq, end: Lsn): void {
    this.readSeq = seq;
    this.position = end;
    if (!this.keeps) this.retention.advance(end);
  }

  /** Reads on in the log, by windows, until there is something to give out or it has caught up. */
  private async readLog(): Promise<void> {
    const { wal } = this.host;
    if (this.position < wal.start) throw this.goneError();
    this.isReading = true;
    try {
      for await (const { records } of wal.replay(this.position)) {
        for (const record of records) {
          // What is in the log already and not visible comes when it is published.
          if (record.seq > this.host.visibleSeq) return;
          if (record.flags === RecordKind.Batch) this.read(record);
          else if (record.flags === RecordKind.Load) this.passLoad(record);
        }
        if (this.buffer.length > 0 || this.isClosed) return;
      }
      // The log ends before what is visible: with less than durability `fsync` a power cut may have taken it.
      if (this.readSeq < this.host.visibleSeq && !this.isClosed) throw this.goneError();
    } finally {
      this.isReading = false;
    }
  }

  private read(record: WalRecord): void {
    const { seq, commitTimeMs } = record;
    const isBefore = this.joins(record);
    if (!isBefore && this.concerns(record.payload, commitTimeMs)) {
      this.push({ seq, commitTimeMs, bytes: record.payload });
    }
    this.readUpTo(seq, record.end);
  }

  /** A bulk load: the log does not have what it brought. */
  private passLoad(record: WalRecord): void {
    const isBefore = this.joins(record);
    const loads = decodeLoads(record.payload);
    const concerns = loads.some((load) => this.ranges.some((range) => touchesRange(load, range)));
    if (!isBefore && concerns) {
      if (!this.keeps) throw this.goneError();
      this.push({ seq: record.seq, commitTimeMs: record.commitTimeMs, bytes: EMPTY_BATCH, loads });
    }
    this.readUpTo(record.seq, record.end);
  }

  /** Checks that the record is the next one; true when it lies before what is to be given out. */
  private joins({ seq, commitTimeMs }: WalRecord): boolean {
    const isBefore = seq <= this.after || commitTimeMs < this.fromTimeMs;
    const isNext = this.isJoined ? seq === this.readSeq + 1 : isBefore || seq === this.after + 1;
    if (!isNext && seq > this.readSeq) throw this.goneError();
    this.isJoined = true;
    return isBefore;
  }

  /** Whether the commit touches one of the ranges. */
  private concerns(bytes: Uint8Array, commitTimeMs: number): boolean {
    if (commitTimeMs < this.fromTimeMs) return false;
    const { reader } = this;
    reader.setBatch(bytes);
    if ((reader.engines & this.engines) === 0) return false;
    while (reader.next()) {
      for (const range of this.ranges) if (touches(reader, range)) return true;
    }
    return false;
  }

  private goneError(): PhantomError {
    return new PhantomError(
      SqlState.ObjectNotInPrerequisiteState,
      `the log no longer has the changes behind commit ${this.seq}`,
      {
        detail: this.retention.dropped ? 'The follower held back more of the log than it may.' : undefined,
        hint: 'Read the present state and follow from now on. changesKeepBytes keeps the log for longer.',
      },
    );
  }
}

/** Whether the reader's operation is on a key of the range, or removes one. */
function touches({ kind, bytes, keyStart, keyEnd, valueStart, valueEnd }: BatchReader, range: KeyRange): boolean {
  const { lower, upper } = range;
  if (upper !== undefined && compareBytes(bytes, keyStart, keyEnd, upper, 0, upper.length) >= 0) return false;
  if (kind === OperationKind.RemoveRange) {
    return compareBytes(bytes, valueStart, valueEnd, lower, 0, lower.length) > 0;
  }
  return compareBytes(bytes, keyStart, keyEnd, lower, 0, lower.length) >= 0;
}
