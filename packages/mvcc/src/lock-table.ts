/**
 * Locks: who holds which key in which mode, and who waits for it.
 *
 *   records   who holds what (lock-records.ts)
 *   queues    who waits for what (lock-queues.ts)
 *
 * A lock nobody else wants costs about 50 bytes and no object, so an UPDATE of a million rows can lock each of them. Keys
 * are known by their hash (key-hash.ts); only a waiting request keeps the key itself, for the error that names it.
 *
 * An owner's records form a stack, newest first, so going back to a savepoint releases what was locked since, and a lock
 * made stronger since falls back to what it was.
 *
 * Row locks of an owner whose commit is in the log are in nobody's way who reads ahead (read-ahead.ts): to those it is over.
 * Everybody else waits until it is published.
 *
 * Invariants:
 *   1. Two owners hold a key at once only in modes that do not exclude each other, or the later one reads ahead and the commit
 *      of the earlier one is in the log.
 *   2. A key with a queue has a holder; when its last holder lets go, the queue's first request becomes one.
 *   3. No cycle of waiting survives the call that closed it: one member's wait ends with 40P01 (deadlock-policy.ts).
 */
import { PhantomError, SqlState, assert } from '@phantom/base';
import { NONE } from '@phantom/kv';
import { type WaitStep, chooseVictim, deadlockError, preventionError } from './deadlock-policy.js';
import { lostOn } from './errors.js';
import type { HashTable } from './hash-table.js';
import type { LockOwner, LockParty, LockRequest } from './lock-owner.js';
import { LockQueues } from './lock-queues.js';
import { LockRecords } from './lock-records.js';
import { MODE_NAMES, excludedBy, isRowMode } from './lock-strength.js';
import type { HeldMode } from './prepared-record.js';
import { type DeadlockPolicy, type HeldLock, type LockMode, LockStrength, type WaitingMode } from './types.js';
import { findCycle } from './wait-for-graph.js';

export interface LockTableOptions {
  readonly policy: DeadlockPolicy;
  readonly waiting: WaitingMode;
  /** What errors call a key. */
  readonly describeKey: (key: Uint8Array) => string;
}

/** Records of a key from which on they are counted, so that a lock need not look at each. */
const CROWD_MIN = 8;

export class LockTable {
  deadlocks = 0;
  /** Transactions that had to make way in a prevention mode. */
  prevented = 0;
  private readonly options: LockTableOptions;
  private readonly records = new LockRecords();
  private readonly queues = new LockQueues(this.records);
  /** Keys of LOCK_SPACE that are held, for views. */
  private readonly namedKeys = new Map<number, Uint8Array>();

  constructor(options: LockTableOptions) {
    this.options = options;
  }

  /** Tables held so that not even readers may come in. */
  get accessExclusives(): number {
    return this.records.accessExclusives;
  }

  /** Locks held by all owners. */
  get count(): number {
    return this.records.count;
  }

  /** Takes the lock when nobody is in the way; false when the owner would have to wait. */
  tryAcquire(owner: LockOwner, hash: number, mode: LockMode): boolean {
    const { records } = this;
    let record = records.first(hash);
    if (record === NONE) {
      this.records.add(owner, hash, mode);
      return true;
    }
    const isWaitedFor = this.queues.has(hash);
    if (!isWaitedFor && records.isFreeInCrowd(hash, excludedBy(mode))) {
      if (!records.isHeldInCrowd(owner, hash, mode)) records.add(owner, hash, mode);
      return true;
    }
    let own = 0;
    let isOfParty = false;
    let holders = 0;
    for (; record !== NONE; record = records.nextOfKey(record)) {
      if (++holders === CROWD_MIN) records.gather(hash);
      const holder = records.ownerOf(record);
      if (holder === owner) own |= excludedBy(records.modeOf(record));
      else if (holder.party === owner.party) isOfParty = true;
      else if (records.isInWay(record, owner, mode)) return false;
    }
    if ((excludedBy(mode) & ~own) === 0) return true;
    if (own === 0 && !isOfParty && isWaitedFor && this.queues.isBehind(hash, mode)) return false;
    this.records.add(owner, hash, mode);
    return true;
  }

  /** True when another owner holds the key in a mode that excludes this one. */
  isHeldAgainst(owner: LockOwner, hash: number, mode: LockMode): boolean {
    return this.holderAgainst(owner, hash, mode) !== undefined;
  }

  /**
   * True when the owner could not have the key in a mode now: somebody else holds it, or waits for it and comes first. Who reads
   * ahead passes a holder whose commit is in the log, but not those who wait for that holder.
   */
  isKeptFrom(owner: LockOwner, hash: number, mode: LockMode): boolean {
    if (this.isHeldAgainst(owner, hash, mode)) return true;
    return this.queues.has(hash) && !this.records.isHeldBy(owner.party, hash) && this.queues.isBehind(hash, mode);
  }

  /** True when the owner has a record of the key in a mode in which rows are written. */
  isHeldToWrite(owner: LockOwner, hash: number): boolean {
    const { records } = this;
    for (let record = records.first(hash); record !== NONE; record = records.nextOfKey(record)) {
      const mode = records.modeOf(record);
      if (records.ownerOf(record) === owner && isRowMode(mode) && mode >= LockStrength.NoKeyUpdate) return true;
    }
    return false;
  }

  /** Another owner that holds the key in a mode that excludes this one. */
  holderAgainst(owner: LockOwner, hash: number, mode: LockMode): LockOwner | undefined {
    return this.records.holderAgainst(owner, hash, mode);
  }

  /** The owner's commit is in the log: who reads ahead need not wait for its rows any more. */
  passOn(owner: LockOwner): void {
    if (this.queues.areEmpty) return;
    const { records } = this;
    for (let record = owner.lockHead; record !== NONE; record = records.nextOfOwner(record))
      if (isRowMode(records.modeOf(record))) this.queues.grant(records.hashOf(record));
  }

  /**
   * Queues for a lock that tryAcquire has refused. Resolves when it is granted; rejects with 40P01 when the owner was
   * chosen to break a deadlock, 55P03 past the time limit, or what cancelWaits was given. The key is copied.
   */
  wait(owner: LockOwner, hash: number, key: Uint8Array, start: number, end: number, mode: LockMode): Promise<void> {
    return new Promise((resolve, reject) => {
      const request: LockRequest = {
        owner,
        hash,
        key: key.slice(start, end),
        mode,
        resolve,
        reject,
        timer: undefined,
        sinceMs: performance.now(),
      };
      this.queues.enqueue(request);
      const { lockTimeoutMs } = owner.party;
      if (lockTimeoutMs > 0) request.timer = setTimeout(() => this.timeOut(request, lockTimeoutMs), lockTimeoutMs);
      if (this.options.waiting !== 'detect') this.prevent(request);
      this.breakDeadlocks(request);
    });
  }

  /** Wait-die and wound-wait: nobody waits for a party on the wrong side of its age. */
  private prevent(request: LockRequest): void {
    const { party } = request.owner;
    const { waiting, describeKey } = this.options;
    for (const blocker of this.queues.blockersOf(party)) {
      if (!party.lockWaits.includes(request)) return;
      const step = { party, request, blocker };
      if (waiting === 'wait-die' && blocker.age < party.age) {
        this.prevented++;
        party.lost();
        this.queues.withdraw(request);
        // Told a turn later: whoever runs again at once would die again at once, and never let the older one go on.
        setImmediate(() => request.reject(preventionError('dies', step, describeKey)));
        return;
      }
      if (
        waiting === 'wound-wait' &&
        blocker.age > party.age &&
        blocker.wound(preventionError('wounded', step, describeKey))
      ) {
        this.prevented++;
      }
    }
  }

  /** Ends every wait of an owner with an error. */
  cancelWaits(party: { readonly lockWaits: readonly LockRequest[] }, error: Error): void {
    while (party.lockWaits.length > 0) this.dismiss(party.lockWaits[0] as LockRequest, error);
  }

  /** Releases what the owner has locked since its newest record was `head`; NONE releases everything. */
  release(owner: LockOwner, head: number): void {
    const { records } = this;
    if (head === NONE && this.queues.areEmpty && records.areAllOf(owner)) {
      this.namedKeys.clear();
      records.clear(owner);
      return;
    }
    const waitedFor: number[] = [];
    while (owner.lockHead !== head) {
      const hash = records.pop(owner);
      this.forgetName(hash);
      if (this.queues.has(hash)) waitedFor.push(hash);
    }
    records.forgetOwner(owner);
    for (const hash of waitedFor) this.queues.grant(hash);
    if (records.count === 0) records.shrink();
  }

  /**
   * Gives back what the owner holds of one key, and leaves it the mode given, if any: a lock that is no longer needed as
   * strong as it was.
   */
  reduce(owner: LockOwner, hash: number, left: LockMode | undefined): void {
    const key = this.namedKeys.get(hash);
    this.records.removeOfKey(owner, hash);
    this.forgetName(hash);
    if (left !== undefined) {
      this.records.add(owner, hash, left);
      if (key !== undefined) this.nameKey(hash, key, 0, key.length);
    } else {
      this.records.forgetOwner(owner);
    }
    this.queues.grant(hash);
  }

  /** Drops the owner's records of rows that were taken since `head`, of the keys asked for, unless somebody waits for them. */
  forgetRows(owner: LockOwner, head: number, hashes: HashTable): void {
    this.records.removeSince(
      owner,
      head,
      (hash, mode) => isRowMode(mode) && hashes.has(hash) && !this.queues.has(hash),
    );
  }

  /** What an owner holds, for a record on disk. */
  heldBy(owner: LockOwner): HeldMode[] {
    const { records } = this;
    const held: HeldMode[] = [];
    for (let record = owner.lockHead; record !== NONE; record = records.nextOfOwner(record)) {
      const hash = records.hashOf(record);
      held.push({ hash, mode: records.modeOf(record), key: this.namedKeys.get(hash) });
    }
    return held;
  }

  /** Another owner takes over all that one holds. */
  transfer(from: LockOwner, to: LockOwner): void {
    this.records.transfer(from, to);
  }

  /** Names the key of a hash in views, while somebody holds it. */
  nameKey(hash: number, key: Uint8Array, start: number, end: number): void {
    if (this.namedKeys.has(hash) || this.records.first(hash) === NONE) return;
    this.namedKeys.set(hash, key.slice(start, end));
  }

  /** Locks on keys of LOCK_SPACE, and every wait; for views. */
  listed(): HeldLock[] {
    const now = performance.now();
    const listed: HeldLock[] = [];
    const { records } = this;
    for (const [hash, key] of this.namedKeys) {
      for (let record = records.first(hash); record !== NONE; record = records.nextOfKey(record)) {
        const { id, session } = records.ownerOf(record).party;
        const mode = records.modeOf(record);
        listed.push({ key, mode, granted: true, owner: id, session, waitedMs: undefined, blockers: [] });
      }
    }
    for (const queue of this.queues.all()) {
      for (const request of queue) {
        const { key, mode, sinceMs, owner } = request;
        const { party } = owner;
        const blockers = new Set<LockParty>();
        this.queues.addBlockers(request, blockers);
        listed.push({
          key,
          mode,
          granted: false,
          owner: party.id,
          session: party.session,
          waitedMs: now - sinceMs,
          blockers: Array.from(blockers, ({ id, session }) => ({ id, session })),
        });
      }
    }
    return listed;
  }

  /** Whom an owner waits for: holders in its way, and requests before its own. */
  blockersOf(party: LockParty): Set<LockParty> {
    return this.queues.blockersOf(party);
  }

  /** A new wait may have closed more than one cycle; each loses one member's wait. */
  private breakDeadlocks(request: LockRequest): void {
    const { party } = request.owner;
    while (party.lockWaits.includes(request)) {
      const cycle = findCycle(party, (member) => this.queues.blockersOf(member));
      if (cycle === undefined) return;
      this.deadlocks++;
      const steps = cycle.map((member, i) => this.stepOf(member, cycle[(i + 1) % cycle.length] as LockParty));
      const victim = chooseVictim(cycle, this.options.policy);
      victim.lost();
      const { key, mode } = (steps.find(({ party: member }) => member === victim) as WaitStep).request;
      const error = deadlockError(steps, this.options.describeKey);
      this.cancelWaits(victim, lostOn(error, isRowMode(mode) ? key : undefined));
    }
  }

  /** The request with which one party waits for another. */
  private stepOf(party: LockParty, blocker: LockParty): WaitStep {
    const request = party.lockWaits.find((wait) => {
      const blockers = new Set<LockParty>();
      this.queues.addBlockers(wait, blockers);
      return blockers.has(blocker);
    });
    assert(request !== undefined, 'whoever waits for somebody does so with a request');
    return { party, request, blocker };
  }

  private timeOut(request: LockRequest, timeoutMs: number): void {
    this.dismiss(
      request,
      new PhantomError(SqlState.LockNotAvailable, 'canceling statement due to lock timeout', {
        detail: `Lock "${MODE_NAMES[request.mode]}" on ${this.options.describeKey(request.key)} was not granted within ${timeoutMs} ms.`,
      }),
    );
  }

  /** Takes a request out of its queue and ends its wait; those behind it may now be granted. */
  private dismiss(request: LockRequest, error: Error): void {
    request.reject(error);
    this.queues.withdraw(request);
  }

  private forgetName(hash: number): void {
    if (this.namedKeys.size > 0 && this.records.first(hash) === NONE) this.namedKeys.delete(hash);
  }
}
