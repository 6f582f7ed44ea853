/** What the store puts into its log, record after record, with what each says of itself. */
import { type Clock, isPhantomError, outcomeUnknownError } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { Lsn, Wal } from '@phantom/wal';
import type { RecordKind } from './format.js';
import type { StoreHealth } from './health.js';
import type { LogMap } from './log-map.js';

export class LogWriter {
  private readonly wal: Wal;
  private readonly clock: Clock;
  private readonly health: StoreHealth;
  private readonly map: LogMap;
  /** Reused for every append. */
  private readonly meta: { seq: Seq; commitTimeMs: number; flags: number };

  /** `commitTimeMs` is that of the last record there is. */
  constructor(wal: Wal, clock: Clock, health: StoreHealth, map: LogMap, commitTimeMs: number) {
    this.wal = wal;
    this.clock = clock;
    this.health = health;
    this.map = map;
    this.meta = { seq: 0, commitTimeMs, flags: 0 };
  }

  /** Milliseconds since 1970 of the last record: never less than that of the one before, whatever the clock does. */
  get commitTimeMs(): number {
    return this.meta.commitTimeMs;
  }

  /**
   * Appends a record and returns the position behind it. While the log is not lost, what it refuses it has not taken: the
   * error says so. Else nobody knows what it has: 08007, and the store has failed.
   */
  append(payload: Uint8Array, kind: RecordKind, seq: Seq): Lsn {
    const { wal, meta } = this;
    meta.seq = seq;
    meta.flags = kind;
    const nowMs = Math.floor(this.clock.nowMs());
    if (nowMs > meta.commitTimeMs) meta.commitTimeMs = nowMs;
    let lsn: Lsn;
    try {
      lsn = wal.append(payload, meta);
    } catch (error) {
      if (isPhantomError(error) && !wal.lost.aborted) throw error;
      this.health.fail(error);
      throw outcomeUnknownError('the log could not be written', error);
    }
    this.map.add(seq, lsn);
    return lsn;
  }
}
