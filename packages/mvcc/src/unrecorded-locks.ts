/**
 * Locks without a record in the lock table, since what their holder has written says it all: the keys that a transaction has
 * put aside on disk, and those that one with many locks has claimed and written. Whoever asks for a lock on such a key finds
 * it there: the holder is given the record first.
 *
 *   locks on 20 million rows    ──►    the keys of the write set and its runs       0 bytes
 *   somebody wants one of them  ──►    one record, as if it had been there before    24 bytes
 */
import { PhantomError, SqlState } from '@phantom/base';
import { ByteSlot, Written } from '@phantom/kv';
import type { LockOwner } from './lock-owner.js';
import type { LockTable } from './lock-table.js';
import { LockStrength } from './types.js';
import { EVERYTHING, type WriteSet } from './write-set.js';

/** A transaction of whose locks some have no record. */
export interface UnrecordedHolder extends LockOwner {
  readonly writes: WriteSet | undefined;
  /** It holds locks by what it has written in memory, too. */
  readonly claims: boolean;
}

export class UnrecordedLocks {
  private readonly locks: LockTable;
  private readonly bytesMax: number;
  private readonly all = new Set<UnrecordedHolder>();
  private readonly slot = new ByteSlot();

  /** `bytesMax` bounds what all of them have on disk. */
  constructor(locks: LockTable, bytesMax: number) {
    this.locks = locks;
    this.bytesMax = bytesMax;
  }

  /** On disk. */
  get bytes(): number {
    let bytes = 0;
    for (const { writes } of this.all) bytes += writes?.spilled?.bytes ?? 0;
    return bytes;
  }

  add(holder: UnrecordedHolder): void {
    this.all.add(holder);
  }

  delete(holder: UnrecordedHolder): void {
    this.all.delete(holder);
  }

  /** 53100 when so much more would pass the limit. */
  checkRoom(bytes: number): void {
    if (this.bytes + bytes <= this.bytesMax) return;
    throw new PhantomError(SqlState.DiskFull, `transactions would put aside more than ${this.bytesMax} bytes`, {
      hint: 'Commit in between, or raise spillBytesMax.',
      data: { spillBytesMax: this.bytesMax, bytesInUse: this.bytes },
    });
  }

  /** Whether another party than the owner's holds any. */
  hasOthers(owner: LockOwner): boolean {
    if (this.all.size === 0) return false;
    for (const holder of this.all) if (holder.party !== owner.party) return true;
    return false;
  }

  /** Gives whoever else holds the key its record, before the owner asks for a lock. */
  grant(owner: LockOwner, hash: number, key: Uint8Array, start: number, end: number): void {
    if (this.all.size === 0) return;
    for (const holder of this.all) {
      if (holder.party === owner.party || (holder.claims && this.locks.isHeldToWrite(holder, hash))) continue;
      const mode = this.modeOf(holder, key, start, end);
      if (mode !== undefined) this.locks.tryAcquire(holder, hash, mode);
    }
  }

  private modeOf(
    { writes, claims }: UnrecordedHolder,
    key: Uint8Array,
    start: number,
    end: number,
  ): LockStrength | undefined {
    const source = claims ? writes : writes?.spilled;
    const written = source?.lookup(key, start, end, EVERYTHING, this.slot);
    if (written === undefined || written === Written.Unknown) return undefined;
    // A claimed key was free: nobody can refer to it before it is committed.
    return written === Written.Put && !claims ? LockStrength.NoKeyUpdate : LockStrength.Update;
  }
}
