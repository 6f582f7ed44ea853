/**
 * Advisory locks: locks on numbers that mean something to the client alone (PostgreSQL's manual, 13.3.5). Those of the session
 * last until they are given back, those of the transaction until its end.
 *
 * A function cannot wait in the middle of a row, so a lock that is not free ends the execution with a StatementWait; the
 * session waits and executes the statement anew. What the statement had locked by then it keeps, and the same calls of the
 * next execution find it there instead of locking once more. What they do not ask for again is given back.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { LockStrength, type MvccTransaction, type SessionLocks } from '@phantom/mvcc';
import { StatementWait } from '../exec/runtime.js';
import type { AdvisoryCall, AdvisoryKey, AdvisoryLocks } from '../functions/registry.js';
import { advisoryKey } from './advisory-keys.js';

/** Longest time a timer takes. */
const TIMER_MS_MAX = 2_147_483_647;

/** Advisory locks that all transactions together may take; each costs some hundred bytes until its transaction ends. */
const TRANSACTION_LOCKS_MAX = 100_000;

/** Advisory locks that transactions have taken, in all sessions. */
export interface TransactionLocks {
  count: number;
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
  private readonly all: TransactionLocks;
  /** Of the transaction, also those of savepoints that were rolled back. */
  private ofTransaction: Set<string> | undefined;
  /** What this execution of the statement has waited for or locked, in order. */
  private taken: Taken[] = [];
  /** What the executions before it had, and this one has not asked for yet. */
  private kept: Taken[] = [];
  private sleeping: NodeJS.Timeout | undefined;

  /** `all` is shared by all sessions. */
  constructor(owner: AdvisoryOwner, all: TransactionLocks) {
    this.owner = owner;
    this.all = all;
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
    const bytes = advisoryKey(this.owner.databaseOid, key);
    const mode = shared ? LockStrength.Share : LockStrength.Update;
    const name = `${lasting ? 'session' : 'transaction'} ${mode} ${Buffer.from(bytes).toString('hex')}`;
    if (this.hasKept(name)) return true;
    if (!lasting) this.count(name);
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
    if (locks.unlock(advisoryKey(this.owner.databaseOid, key), shared ? LockStrength.Share : LockStrength.Update))
      return true;
    this.owner.notice('WARNING', '01000', `you don't own a lock of type ${shared ? 'ShareLock' : 'ExclusiveLock'}`);
    return false;
  }

  unlockAll(): void {
    this.owner.locks.unlockAll();
    this.taken = [];
  }

  sleep(seconds: number): void {
    // Not by its seconds: pg_sleep(random()) asks for others when the statement is executed anew.
    const name = 'sleep';
    if (this.hasKept(name)) return;
    const endMs = performance.now() + seconds * 1000;
    const slept = new Promise<void>((resolve) => {
      const rest = (): void => {
        const leftMs = endMs - performance.now();
        if (leftMs > 0) this.sleeping = setTimeout(rest, Math.min(leftMs, TIMER_MS_MAX));
        else resolve();
      };
      rest();
    });
    throw new StatementWait(slept.then(() => void this.taken.push({ name, undo: undefined })));
  }

  /** The transaction is over, and its locks are given back. */
  transactionEnded(): void {
    if (this.ofTransaction === undefined) return;
    this.all.count -= this.ofTransaction.size;
    this.ofTransaction = undefined;
  }

  /** Nobody waits for a sleep any more: a timer that runs on would keep the process. */
  endSleep(): void {
    clearTimeout(this.sleeping);
    this.sleeping = undefined;
  }

  /** Counts a lock of the transaction, once however often it is taken; 53200 where there are too many. */
  private count(name: string): void {
    const { all } = this;
    const own = (this.ofTransaction ??= new Set());
    if (own.has(name)) return;
    if (all.count >= TRANSACTION_LOCKS_MAX) {
      throw new PhantomError('53200', `transactions hold ${all.count} advisory locks, and there may be no more`, {
        hint: 'Commit in between, or take one lock for many things.',
        data: { transactionLocksMax: TRANSACTION_LOCKS_MAX },
      });
    }
    own.add(name);
    all.count++;
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
}
