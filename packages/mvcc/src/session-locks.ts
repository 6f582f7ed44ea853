/**
 * The locks of a session that outlive its transactions: advisory locks. PostgreSQL counts them, so whoever has locked twice
 * unlocks twice; the lock table holds the strongest mode that is still asked for. To everybody else a session and its
 * transaction are one party: they never wait for each other, and a deadlock is found through both.
 *
 * Nothing gives them back but the session, and each takes close to a kilobyte: so all sessions together hold `sessionLocksMax` keys,
 * and whoever wants one more is refused (53200), as by PostgreSQL.
 */
import { PhantomError, SqlState } from '@phantom/base';
import { NONE } from '@phantom/kv';
import { keyHash } from './key-hash.js';
import { excludedBy } from './lock-strength.js';
import type { LockOwner, LockParty, LockRequest } from './lock-owner.js';
import type { TransactionRegistry } from './registry.js';
import { lockKey } from './row-locking.js';
import type { LockMode, LockWait, SessionLocks } from './types.js';

/** What the locks must know of a transaction of the session. */
type Member = Pick<LockParty, 'id' | 'name' | 'statement' | 'priority' | 'work' | 'wound'>;

interface Held {
  readonly hash: number;
  /** How often each mode was asked for. */
  readonly counts: Map<LockMode, number>;
}

export class LastingLocks implements SessionLocks, LockOwner, LockParty {
  lockSlot: number = NONE;
  lockHead: number = NONE;
  lockCount = 0;
  readonly readsAhead = false;
  readonly isCommitQueued = false;
  readonly lockWaits: LockRequest[] = [];
  /** Its transaction, while it has one. */
  transaction: Member | undefined = undefined;
  losses = 0;
  /** Number of the first attempt at what its transaction does. */
  private firstId = 0;
  /** Its last transaction had to make way for others. */
  private hasLost = false;
  private readonly registry: TransactionRegistry;
  private readonly label: string | undefined;
  private readonly timeoutMs: (() => number) | undefined;
  private readonly held = new Map<number, Held>();

  constructor(registry: TransactionRegistry, label: string | undefined, timeoutMs: (() => number) | undefined) {
    this.registry = registry;
    this.label = label;
    this.timeoutMs = timeoutMs;
  }

  get party(): LockParty {
    return this;
  }

  /** Its transaction's; 0 between two of them. */
  get id(): number {
    return this.transaction?.id ?? 0;
  }

  get session(): string | undefined {
    return this.label;
  }

  get statement(): string | undefined {
    return this.transaction?.statement;
  }

  get age(): number {
    return this.firstId;
  }

  get priority(): number {
    return this.transaction?.priority ?? 0;
  }

  get work(): number {
    return (this.transaction?.work ?? 0) + this.lockCount;
  }

  get lockTimeoutMs(): number {
    return this.timeoutMs === undefined ? this.registry.options.lockTimeoutMs : this.timeoutMs();
  }

  lost(): void {
    this.losses++;
    this.hasLost = true;
  }

  wound(error: Error): boolean {
    this.hasLost = true;
    return this.transaction?.wound(error) ?? false;
  }

  /** A transaction of the session has begun. After one that has lost it is taken for another attempt, and as old as that. */
  began(transaction: Member): void {
    this.transaction = transaction;
    if (!this.hasLost) {
      this.firstId = transaction.id;
      this.losses = 0;
    }
    this.hasLost = false;
  }

  ended(): void {
    this.transaction = undefined;
  }

  get name(): string {
    return this.transaction?.name ?? (this.label === undefined ? 'a session' : `session ${this.label}`);
  }

  get isWaiting(): boolean {
    return this.lockWaits.length > 0;
  }

  lock(key: Uint8Array, mode: LockMode, wait: LockWait): Promise<void> | false | undefined {
    const hash = keyHash(key, 0, key.length);
    if (!this.held.has(hash)) this.refuseTooMany();
    const outcome = lockKey(this.registry, this, key, 0, key.length, mode, wait);
    if (outcome === false) return false;
    if (outcome !== undefined) return outcome.then(() => this.count(hash, mode));
    this.count(hash, mode);
    return undefined;
  }

  unlock(key: Uint8Array, mode: LockMode): boolean {
    const hash = keyHash(key, 0, key.length);
    const held = this.held.get(hash);
    const count = held?.counts.get(mode);
    if (held === undefined || count === undefined) return false;
    if (count > 1) {
      held.counts.set(mode, count - 1);
      return true;
    }
    held.counts.delete(mode);
    if (held.counts.size === 0) {
      this.held.delete(hash);
      this.registry.sessionLocks--;
    }
    this.registry.locks.reduce(this, hash, strongest(held.counts.keys()));
    return true;
  }

  unlockAll(): void {
    this.registry.sessionLocks -= this.held.size;
    this.held.clear();
    this.registry.locks.release(this, NONE);
  }

  cancelWait(error: Error): void {
    this.registry.locks.cancelWaits(this, error);
  }

  private count(hash: number, mode: LockMode): void {
    let held = this.held.get(hash);
    if (held === undefined) {
      this.held.set(hash, (held = { hash, counts: new Map() }));
      this.registry.sessionLocks++;
    }
    held.counts.set(mode, (held.counts.get(mode) ?? 0) + 1);
  }

  private refuseTooMany(): void {
    const { sessionLocks, options } = this.registry;
    if (sessionLocks < options.sessionLocksMax) return;
    throw new PhantomError(SqlState.OutOfMemory, `sessions hold ${sessionLocks} locks, and there may be no more`, {
      hint: 'Give locks back that are needed no longer, or take them for a transaction.',
      data: { sessionLocksMax: options.sessionLocksMax },
    });
  }
}

function strongest(modes: Iterable<LockMode>): LockMode | undefined {
  let found: LockMode | undefined;
  for (const mode of modes) if (found === undefined || (excludedBy(found) & ~excludedBy(mode)) === 0) found = mode;
  return found;
}
