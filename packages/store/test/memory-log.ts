/**
 * A log in memory for tests of the store alone: records in an array, a position per byte, syncs that end when the test
 * says so, and failures on demand.
 */
import { PhantomError } from '@phantom/base';
import type { Lsn, RecordMeta, Retention, Wal, WalOptions, WalRecord, WalRecordBatch, WalStats } from '@phantom/wal';

const RECORD_HEADER_BYTES = 48;

/** What outlives a "process": the records that were synced, and where the log begins. */
export class MemoryLogDisk {
  records: WalRecord[] = [];
  start = 0;
}

export class MemoryLog implements Wal {
  readonly caps = { syncNow: true };
  private readonly controller = new AbortController();
  readonly lost: AbortSignal = this.controller.signal;
  end: Lsn;
  durable: Lsn;
  syncs = 0;
  writes = 0;
  /** While set, sync() waits for release(). */
  held = false;
  failNextSync: Error | undefined;
  failNextAppend: Error | undefined;
  private waiting: (() => void)[] = [];
  private readonly disk: MemoryLogDisk;
  private readonly pending: WalRecord[] = [];

  constructor(disk: MemoryLogDisk) {
    this.disk = disk;
    this.end = this.durable = disk.records.at(-1)?.end ?? disk.start;
  }

  /** One file, so to speak. */
  readonly segment = 1;
  readonly epoch = 1;

  get recordsSynced(): Lsn {
    return this.durable;
  }

  get start(): Lsn {
    return this.disk.start;
  }

  append(payload: Uint8Array, meta: RecordMeta): Lsn {
    if (this.lost.aborted) throw this.lost.reason as Error;
    const error = this.failNextAppend;
    this.failNextAppend = undefined;
    if (error !== undefined) throw error;
    const lsn = this.end;
    this.end += RECORD_HEADER_BYTES + payload.length;
    const bytes = payload.slice();
    this.pending.push({
      ...meta,
      lsn,
      end: this.end,
      bytes,
      payloadStart: 0,
      payloadEnd: bytes.length,
      payload: bytes,
    });
    return this.end;
  }

  async sync(): Promise<Lsn> {
    const end = this.end;
    this.syncs++;
    if (this.held) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
    return this.complete(end);
  }

  syncNow(): Lsn {
    this.syncs++;
    return this.complete(this.end);
  }

  write(): void {
    this.writes++;
  }

  release(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  lose(reason: Error): void {
    this.controller.abort(reason);
  }

  async *replay(from: Lsn): AsyncGenerator<WalRecordBatch> {
    const records = this.disk.records.filter(({ lsn }) => lsn >= from);
    for (let i = 0; i < records.length; i += 3) {
      const slice = records.slice(i, i + 3);
      yield { records: slice, end: (slice.at(-1) as WalRecord).end };
    }
  }

  follow(): AsyncIterable<WalRecordBatch> {
    throw new PhantomError('0A000', 'the memory log is not followed');
  }

  retain(name: string, from: Lsn): Retention {
    return { name, from, dropped: false, advance() {}, release() {} };
  }

  async dropBefore(lsn: Lsn): Promise<void> {
    this.disk.records = this.disk.records.filter(({ end }) => end > lsn);
    this.disk.start = Math.max(this.disk.start, lsn);
  }

  stats(): WalStats {
    return {
      records: 0,
      bytesAppended: this.end,
      writes: this.writes,
      syncs: this.syncs,
      segments: 1,
      segmentsRecycled: 0,
    };
  }

  async close(): Promise<void> {}

  private complete(end: Lsn): Lsn {
    const error = this.failNextSync;
    this.failNextSync = undefined;
    if (error !== undefined) {
      this.lose(error);
      throw error;
    }
    while (this.pending.length > 0 && (this.pending[0] as WalRecord).end <= end) {
      this.disk.records.push(this.pending.shift() as WalRecord);
    }
    this.durable = Math.max(this.durable, end);
    return this.durable;
  }
}

/** A log factory over one "disk"; the newest log it opened is `log`. */
export function memoryLog(disk = new MemoryLogDisk()): {
  disk: MemoryLogDisk;
  log: MemoryLog;
  open(options: WalOptions): Promise<Wal>;
} {
  const holder = {
    disk,
    log: new MemoryLog(disk),
    open: async (): Promise<Wal> => {
      holder.log = new MemoryLog(disk);
      return holder.log;
    },
  };
  return holder;
}
