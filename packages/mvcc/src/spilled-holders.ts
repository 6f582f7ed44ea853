/**
 * Transactions that have put writes aside, as holders of locks: each has locked every key of those, without a record for each
 * in the lock table. Whoever asks for a lock on such a key finds it there: the holder is given the record first.
 *
 *   locks on 20 million rows    ──►    the keys of its runs, with their filters      0 bytes
 *   somebody wants one of them  ──►    one record, as if it had been there before    24 bytes
 */
import { PhantomError, SqlState } from '@phantom/base';
import { ByteSlot, type SpilledWrites, Written } from '@phantom/kv';
import type { LockOwner, LockTable } from './lock-table.js';
import { LockStrength } from './types.js';

/** A transaction with a write set of which a part may lie on disk. */
export interface SpilledHolder extends LockOwner {
  readonly writes: { readonly spilled: SpilledWrites | undefined } | undefined;
}

export class SpilledHolders {
  private readonly locks: LockTable;
  private readonly bytesMax: number;
  private readonly all = new Set<SpilledHolder>();
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

  add(holder: SpilledHolder): void {
    this.all.add(holder);
  }

  delete(holder: SpilledHolder): void {
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

  /** Whether another party than the owner's has put anything aside. */
  hasOthers(owner: LockOwner): boolean {
    if (this.all.size === 0) return false;
    for (const holder of this.all) if (holder.party !== owner.party) return true;
    return false;
  }

  /** Gives whoever else has put a write of the key aside its lock, before the owner asks for one. */
  grant(owner: LockOwner, hash: number, key: Uint8Array, start: number, end: number): void {
    if (this.all.size === 0) return;
    for (const holder of this.all) {
      if (holder.party === owner.party) continue;
      const written = holder.writes?.spilled?.lookup(key, start, end, Number.MAX_SAFE_INTEGER, this.slot);
      if (written === undefined || written === Written.Unknown) continue;
      const mode = written === Written.Put ? LockStrength.NoKeyUpdate : LockStrength.Update;
      this.locks.tryAcquire(holder, hash, mode);
    }
  }
}
