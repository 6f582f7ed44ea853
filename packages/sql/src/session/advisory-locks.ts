/**
 * Advisory locks: locks on numbers that mean something to the client alone (PostgreSQL's manual, 13.3.5). Those of the session
 * last until they are given back, those of the transaction until its end.
 *
 * A function cannot wait in the middle of a row, so a lock that is not free ends the execution with a StatementWait; the
 * session waits and executes the statement anew. What the statement had locked by then it keeps, and the same calls of the
 * next execution find it there instead of locking once more. What they do not ask for again is given back.
 *
 *   key     ff ff ff ff | 61 | database oid (4) | 01 | number (8)             one number
 *           ff ff ff ff | 61 | database oid (4) | 02 | first (4) second (4)    two numbers
 */
import { ByteWriter, readU32BE } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { LOCK_SPACE, LockStrength, type MvccTransaction, type SessionLocks } from '@phantom/mvcc';
import { StatementWait } from '../exec/runtime.js';
import type { AdvisoryCall, AdvisoryKey, AdvisoryLocks } from '../functions/registry.js';

/** What stands behind LOCK_SPACE in keys of advisory locks. */
const ADVISORY_MARK = 0x61;

/** The numbers of an advisory lock's key, with its database; undefined for every other key. */
export function advisoryNumbers(
  key: Uint8Array,
): { readonly databaseOid: Oid; readonly numbers: readonly (number | bigint)[] } | undefined {
  if (key.length !== 18 || readU32BE(key, 0) !== LOCK_SPACE || key[4] !== ADVISORY_MARK) return undefined;
  const view = new DataView(key.buffer, key.byteOffset);
  const numbers = key[9] === 1 ? [view.getBigInt64(10)] : [view.getInt32(10), view.getInt32(14)];
  return { databaseOid: readU32BE(key, 5), numbers };
}

/** What the locks need of their session. */
export interface AdvisoryOwner {
  readonly databaseOid: Oid;
  readonly locks: SessionLocks;
  /** The transaction that the statement runs in. */
  readonly storage: MvccTransaction;
  notice(severity: 'WARNING', code: string, message: string): void;
}

interface Taken {
  readonly name: string;
  readonly undo: (() => void) | undefined;
}

export class SessionAdvisoryLocks implements AdvisoryLocks {
  private readonly owner: AdvisoryOwner;
  /** What this execution of the statement has waited for or locked, in order. */
  private taken: Taken[] = [];
  /** What the executions before it had, and this one has not asked for yet. */
  private kept: Taken[] = [];

  constructor(owner: AdvisoryOwner) {
    this.owner = owner;
  }

  /** A new statement: what the last one has locked, it has locked. */
  beginStatement(): void {
    if (this.kept.length > 0) this.settle();
    if (this.taken.length > 0) this.taken = [];
  }

  /** The statement is executed anew. */
  beginExecution(): void {
    this.kept.push(...this.taken);
    this.taken = [];
  }

  lock(key: AdvisoryKey, { lasting, shared, waits }: AdvisoryCall): boolean {
    const bytes = this.keyOf(key);
    const mode = shared ? LockStrength.Share : LockStrength.Update;
    const name = `${lasting ? 'session' : 'transaction'} ${mode} ${Buffer.from(bytes).toString('hex')}`;
    if (this.hasKept(name)) return true;
    const { locks, storage } = this.owner;
    const wait = waits ? 'wait' : 'skip';
    const outcome = lasting ? locks.lock(bytes, mode, wait) : storage.lock(bytes, 0, bytes.length, mode, wait);
    if (outcome === false) return false;
    const taken: Taken = { name, undo: lasting ? () => void locks.unlock(bytes, mode) : undefined };
    if (outcome !== undefined) throw new StatementWait(outcome.then(() => void this.taken.push(taken)));
    this.taken.push(taken);
    return true;
  }

  unlock(key: AdvisoryKey, shared: boolean): boolean {
    const { locks } = this.owner;
    if (locks.unlock(this.keyOf(key), shared ? LockStrength.Share : LockStrength.Update)) return true;
    this.owner.notice('WARNING', '01000', `you don't own a lock of type ${shared ? 'ShareLock' : 'ExclusiveLock'}`);
    return false;
  }

  unlockAll(): void {
    this.owner.locks.unlockAll();
    this.taken = [];
  }

  sleep(seconds: number): void {
    const name = `sleep ${seconds}`;
    if (this.hasKept(name)) return;
    const slept = new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, seconds * 1000)));
    throw new StatementWait(slept.then(() => void this.taken.push({ name, undo: undefined })));
  }

  /** True when an earlier execution of the statement has seen to it. */
  private hasKept(name: string): boolean {
    const index = this.kept.findIndex((taken) => taken.name === name);
    if (index < 0) return false;
    this.taken.push(...this.kept.splice(index, 1));
    return true;
  }

  private settle(): void {
    for (const { undo } of this.kept) undo?.();
    this.kept = [];
  }

  private keyOf(key: AdvisoryKey): Uint8Array {
    const writer = new ByteWriter();
    writer.u32BE(LOCK_SPACE);
    writer.u8(ADVISORY_MARK);
    writer.u32BE(this.owner.databaseOid);
    if (typeof key === 'object') {
      writer.u8(2);
      writer.u32BE(key.first >>> 0);
      writer.u32BE(key.second >>> 0);
    } else {
      const number = BigInt.asUintN(64, BigInt(key));
      writer.u8(1);
      writer.u32BE(Number(number >> 32n));
      writer.u32BE(Number(number & 0xffff_ffffn));
    }
    return writer.take();
  }
}
