/**
 * Locks: who holds which key in which mode, and who waits for it.
 *
 *   slots     open addressing: key hash -> first holder record
 *   records   [ owner | mode | next record of the key | next record of the owner ], 24 bytes with the hash
 *   queues    key hash -> waiting requests, oldest first; only for keys that somebody waits for
 *
 * A lock nobody else wants costs about 50 bytes and no object, so an UPDATE of a million rows can lock each of them. Keys
 * are known by their hash (key-hash.ts); only a waiting request keeps the key itself, for the error that names it.
 *
 * Queues are fair: a request is granted when it is compatible with all holders and with every request before it. Only
 * a transaction that holds the key already goes ahead of those that do not: behind them it would wait for itself.
 *
 * An owner's records form a stack, newest first, so going back to a savepoint releases what was locked since, and a lock
 * made stronger since falls back to what it was.
 *
 * Invariants:
 *   1. Two owners hold a key at once only in modes that do not exclude each other.
 *   2. A key with a queue has a holder; when its last holder lets go, the queue's first request becomes one.
 *   3. No cycle of waiting survives the call that closed it: one member's wait ends with 40P01 (deadlock-policy.ts).
 */
import { PhantomError, SqlState, assert } from '@phantom/base';
import { NONE } from '@phantom/kv';
import { type WaitStep, chooseVictim, deadlockError, preventionError } from './deadlock-policy.js';
import { MODE_NAMES, excludedBy, excludes } from './lock-strength.js';
import type { HeldMode } from './prepared-record.js';
import { type DeadlockPolicy, type HeldLock, type LockMode, TableLockMode, type WaitingMode } from './types.js';
import { findCycle } from './wait-for-graph.js';

const CAPACITY_MIN = 256;
const RECORD_WORDS = 4;
const OWNER = 0;
const MODE = 1;
const NEXT_OF_KEY = 2;
const NEXT_OF_OWNER = 3;

/** Owners that are one to the rest of the world: a transaction, or a session with its transaction. It waits for one lock at a time. */
export interface LockParty {
  readonly id: number;
  readonly name: string;
  readonly statement: string | undefined;
  /** The session's label. */
  readonly session: string | undefined;
  readonly lockWaits: LockRequest[];
  /** Number of the first attempt at the same work: less is older. */
  readonly age: number;
  /** How often it has lost to deadlocks since its last commit. */
  readonly losses: number;
  readonly priority: number;
  /** What would have to be done again, in bytes and locks. */
  readonly work: number;
  /** It was chosen to break a deadlock. */
  lost(): void;
  /** Ends its transaction with the error; false when that is no longer possible. */
  wound(error: Error): boolean;
}

/** A transaction, or a session's lasting locks, as the lock table sees it. The table writes the three lock fields. */
export interface LockOwner {
  readonly id: number;
  /** How errors name it: "transaction 7 (label)". */
  readonly name: string;
  lockSlot: number;
  /** Newest record, NONE when it holds nothing. */
  lockHead: number;
  lockCount: number;
  /** Its party's. */
  readonly lockWaits: LockRequest[];
  readonly party: LockParty;
}

export interface LockRequest {
  readonly owner: LockOwner;
  readonly hash: number;
  readonly key: Uint8Array;
  readonly mode: LockMode;
  resolve(): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout | undefined;
  /** When it began to wait, by the process's clock. */
  readonly sinceMs: number;
}

export interface LockTableOptions {
  /** A wait longer than this ends with 55P03; 0: no limit. */
  readonly timeoutMs: number;
  readonly policy: DeadlockPolicy;
  readonly waiting: WaitingMode;
  /** What errors call a key. */
  readonly describeKey: (key: Uint8Array) => string;
}

export class LockTable {
  deadlocks = 0;
  /** Transactions that had to make way in a prevention mode. */
  prevented = 0;
  /** Records held by all owners. */
  count = 0;
  private readonly options: LockTableOptions;
  private hashes = new Float64Array(CAPACITY_MIN);
  private heads = new Int32Array(CAPACITY_MIN);
  private keys = 0;
  private records = new Int32Array(CAPACITY_MIN * RECORD_WORDS);
  private recordHashes = new Float64Array(CAPACITY_MIN);
  private recordCount = 0;
  private freeRecord: number = NONE;
  private readonly owners: (LockOwner | undefined)[] = [];
  private readonly freeOwners: number[] = [];
  private readonly queues = new Map<number, LockRequest[]>();
  /** Keys of LOCK_SPACE that are held, for views. */
  private readonly namedKeys = new Map<number, Uint8Array>();
  /** Tables held so that not even readers may come in. */
  accessExclusives = 0;

  constructor(options: LockTableOptions) {
    this.options = options;
  }

  /** Takes the lock when nobody is in the way; false when the owner would have to wait. */
  tryAcquire(owner: LockOwner, hash: number, mode: LockMode): boolean {
    const at = this.slotOf(hash);
    if (this.hashes[at] !== hash) {
      this.grant(owner, hash, mode);
      return true;
    }
    let own = 0;
    let isOfParty = false;
    for (let record = this.heads[at] as number; record !== NONE; record = this.word(record, NEXT_OF_KEY)) {
      const held = this.word(record, MODE) as LockMode;
      if (this.word(record, OWNER) === owner.lockSlot) own |= excludedBy(held);
      else if (this.isOwn(record, owner)) isOfParty = true;
      else if (excludes(held, mode)) return false;
    }
    if ((excludedBy(mode) & ~own) === 0) return true;
    if (own === 0 && !isOfParty && this.queues.size > 0) {
      for (const request of this.queues.get(hash) ?? []) if (excludes(request.mode, mode)) return false;
    }
    this.grant(owner, hash, mode);
    return true;
  }

  /** True when another owner holds the key in a mode that excludes this one. */
  isHeldAgainst(owner: LockOwner, hash: number, mode: LockMode): boolean {
    const at = this.slotOf(hash);
    if (this.hashes[at] !== hash) return false;
    for (let record = this.heads[at] as number; record !== NONE; record = this.word(record, NEXT_OF_KEY)) {
      if (excludes(this.word(record, MODE) as LockMode, mode) && !this.isOwn(record, owner)) return true;
    }
    return false;
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
      this.enqueue(request);
      const { timeoutMs } = this.options;
      if (timeoutMs > 0) request.timer = setTimeout(() => this.timeOut(request), timeoutMs);
      if (this.options.waiting !== 'detect') this.prevent(request);
      this.breakDeadlocks(request);
    });
  }

  /** Wait-die and wound-wait: nobody waits for a party on the wrong side of its age. */
  private prevent(request: LockRequest): void {
    const { party } = request.owner;
    const { waiting, describeKey } = this.options;
    for (const blocker of this.blockersOf(party)) {
      if (!party.lockWaits.includes(request)) return;
      const step = { party, request, blocker };
      if (waiting === 'wait-die' && blocker.age < party.age) {
        this.prevented++;
        party.lost();
        this.withdraw(request);
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
    const waitedFor: number[] = [];
    while (owner.lockHead !== head) {
      const record = owner.lockHead;
      assert(record !== NONE, 'locks are released down to a record that is held');
      const hash = this.recordHashes[record] as number;
      owner.lockHead = this.word(record, NEXT_OF_OWNER);
      owner.lockCount--;
      this.removeRecord(record, hash);
      if (this.queues.size > 0 && this.queues.has(hash)) waitedFor.push(hash);
    }
    this.forgetOwner(owner);
    for (const hash of waitedFor) this.grantWaiting(hash);
    if (this.count === 0) this.shrink();
  }

  /**
   * Gives back what the owner holds of one key, and leaves it the mode given, if any: a lock that is no longer needed as
   * strong as it was.
   */
  reduce(owner: LockOwner, hash: number, left: LockMode | undefined): void {
    let before: number = NONE;
    let record = owner.lockHead;
    while (record !== NONE) {
      const next = this.word(record, NEXT_OF_OWNER);
      if (this.recordHashes[record] === hash) {
        if (before === NONE) owner.lockHead = next;
        else this.records[before * RECORD_WORDS + NEXT_OF_OWNER] = next;
        owner.lockCount--;
        this.removeRecord(record, hash);
      } else {
        before = record;
      }
      record = next;
    }
    if (left !== undefined) this.grant(owner, hash, left);
    else this.forgetOwner(owner);
    this.grantWaiting(hash);
  }

  /** What an owner holds, for a record on disk. */
  heldBy(owner: LockOwner): HeldMode[] {
    const held: HeldMode[] = [];
    for (let record = owner.lockHead; record !== NONE; record = this.word(record, NEXT_OF_OWNER)) {
      const hash = this.recordHashes[record] as number;
      held.push({ hash, mode: this.word(record, MODE) as LockMode, key: this.namedKeys.get(hash) });
    }
    return held;
  }

  /** Another owner takes over all that one holds. */
  transfer(from: LockOwner, to: LockOwner): void {
    if (from.lockSlot === NONE) return;
    this.owners[from.lockSlot] = to;
    to.lockSlot = from.lockSlot;
    to.lockHead = from.lockHead;
    to.lockCount = from.lockCount;
    from.lockSlot = from.lockHead = NONE;
    from.lockCount = 0;
  }

  /** Names the key of a hash in views, while somebody holds it. */
  nameKey(hash: number, key: Uint8Array): void {
    if (this.hashes[this.slotOf(hash)] === hash) this.namedKeys.set(hash, key);
  }

  /** Locks on keys of LOCK_SPACE, and every wait; for views. */
  listed(): HeldLock[] {
    const now = performance.now();
    const listed: HeldLock[] = [];
    for (const [hash, key] of this.namedKeys) {
      for (
        let record = this.heads[this.slotOf(hash)] as number;
        record !== NONE;
        record = this.word(record, NEXT_OF_KEY)
      ) {
        const { party } = this.owners[this.word(record, OWNER)] as LockOwner;
        const mode = this.word(record, MODE) as LockMode;
        listed.push({
          key,
          mode,
          granted: true,
          owner: party.id,
          session: party.session,
          waitedMs: undefined,
          blockers: [],
        });
      }
    }
    for (const queue of this.queues.values()) {
      for (const request of queue) {
        const { key, mode, sinceMs, owner } = request;
        const { party } = owner;
        const blockers = new Set<LockParty>();
        this.addBlockers(request, blockers);
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
    const blockers = new Set<LockParty>();
    for (const request of party.lockWaits) this.addBlockers(request, blockers);
    return blockers;
  }

  private addBlockers(request: LockRequest, blockers: Set<LockParty>): void {
    const { owner, hash, mode } = request;
    const at = this.slotOf(hash);
    for (let record = this.heads[at] as number; record !== NONE; record = this.word(record, NEXT_OF_KEY)) {
      const holder = this.owners[this.word(record, OWNER)] as LockOwner;
      if (holder.party !== owner.party && excludes(this.word(record, MODE) as LockMode, mode))
        blockers.add(holder.party);
    }
    for (const other of this.queues.get(hash) as LockRequest[]) {
      if (other === request) break;
      if (other.owner.party !== owner.party && excludes(other.mode, mode)) blockers.add(other.owner.party);
    }
  }

  private forgetOwner(owner: LockOwner): void {
    if (owner.lockHead !== NONE || owner.lockSlot === NONE) return;
    this.owners[owner.lockSlot] = undefined;
    this.freeOwners.push(owner.lockSlot);
    owner.lockSlot = NONE;
  }

  private enqueue(request: LockRequest): void {
    const { hash, owner } = request;
    let queue = this.queues.get(hash);
    if (queue === undefined) this.queues.set(hash, (queue = []));
    let place = queue.length;
    if (this.holds(owner, hash)) {
      place = 0;
      while (place < queue.length && this.holds((queue[place] as LockRequest).owner, hash)) place++;
    }
    queue.splice(place, 0, request);
    owner.lockWaits.push(request);
  }

  private holds(owner: LockOwner, hash: number): boolean {
    const at = this.slotOf(hash);
    if (this.hashes[at] !== hash) return false;
    for (let record = this.heads[at] as number; record !== NONE; record = this.word(record, NEXT_OF_KEY)) {
      if (this.isOwn(record, owner)) return true;
    }
    return false;
  }

  /** A new wait may have closed more than one cycle; each loses one member's wait. */
  private breakDeadlocks(request: LockRequest): void {
    const { party } = request.owner;
    while (party.lockWaits.includes(request)) {
      const cycle = findCycle(party, (member) => this.blockersOf(member));
      if (cycle === undefined) return;
      this.deadlocks++;
      const steps = cycle.map((member, i) => this.stepOf(member, cycle[(i + 1) % cycle.length] as LockParty));
      const victim = chooseVictim(cycle, this.options.policy);
      victim.lost();
      this.cancelWaits(victim, deadlockError(steps, this.options.describeKey));
    }
  }

  /** The request with which one party waits for another. */
  private stepOf(party: LockParty, blocker: LockParty): WaitStep {
    const request = party.lockWaits.find((wait) => {
      const blockers = new Set<LockParty>();
      this.addBlockers(wait, blockers);
      return blockers.has(blocker);
    });
    assert(request !== undefined, 'whoever waits for somebody does so with a request');
    return { party, request, blocker };
  }

  private timeOut(request: LockRequest): void {
    this.dismiss(
      request,
      new PhantomError(SqlState.LockNotAvailable, 'canceling statement due to lock timeout', {
        detail: `Lock "${MODE_NAMES[request.mode]}" on ${this.options.describeKey(request.key)} was not granted within ${this.options.timeoutMs} ms.`,
      }),
    );
  }

  /** Takes a request out of its queue and ends its wait; those behind it may now be granted. */
  private dismiss(request: LockRequest, error: Error): void {
    request.reject(error);
    this.withdraw(request);
  }

  private withdraw(request: LockRequest): void {
    const queue = this.queues.get(request.hash) as LockRequest[];
    queue.splice(queue.indexOf(request), 1);
    this.endWait(request);
    if (queue.length === 0) this.queues.delete(request.hash);
    this.grantWaiting(request.hash);
  }

  private endWait(request: LockRequest): void {
    clearTimeout(request.timer);
    const { lockWaits } = request.owner;
    lockWaits.splice(lockWaits.indexOf(request), 1);
  }

  /** Grants what can be granted, from the front of the queue on. */
  private grantWaiting(hash: number): void {
    const queue = this.queues.get(hash);
    if (queue === undefined) return;
    const still: LockRequest[] = [];
    for (const request of queue) {
      const { owner, mode } = request;
      const isBehind = still.some((other) => other.owner.party !== owner.party && excludes(other.mode, mode));
      if (isBehind || this.isHeldAgainst(owner, hash, mode)) {
        still.push(request);
        continue;
      }
      this.grant(owner, hash, mode);
      this.endWait(request);
      request.resolve();
    }
    if (still.length === 0) this.queues.delete(hash);
    else this.queues.set(hash, still);
  }

  private grant(owner: LockOwner, hash: number, mode: LockMode): void {
    if (owner.lockSlot === NONE) {
      owner.lockSlot = this.freeOwners.pop() ?? this.owners.length;
      this.owners[owner.lockSlot] = owner;
    }
    if (this.keys * 2 >= this.hashes.length) this.resizeSlots(this.hashes.length * 2);
    const at = this.slotOf(hash);
    let next: number = NONE;
    if (this.hashes[at] === hash) {
      next = this.heads[at] as number;
    } else {
      this.hashes[at] = hash;
      this.keys++;
    }
    const record = this.newRecord();
    this.recordHashes[record] = hash;
    const word = record * RECORD_WORDS;
    this.records[word + OWNER] = owner.lockSlot;
    this.records[word + MODE] = mode;
    if (mode === TableLockMode.AccessExclusive) this.accessExclusives++;
    this.records[word + NEXT_OF_KEY] = next;
    this.records[word + NEXT_OF_OWNER] = owner.lockHead;
    this.heads[at] = record;
    owner.lockHead = record;
    owner.lockCount++;
    this.count++;
  }

  private removeRecord(record: number, hash: number): void {
    const at = this.slotOf(hash);
    const next = this.word(record, NEXT_OF_KEY);
    if (this.word(record, MODE) === TableLockMode.AccessExclusive) this.accessExclusives--;
    if (this.heads[at] === record) {
      this.heads[at] = next;
      if (next === NONE) {
        this.removeSlot(at);
        if (this.namedKeys.size > 0) this.namedKeys.delete(hash);
      }
    } else {
      let before = this.heads[at] as number;
      while (this.word(before, NEXT_OF_KEY) !== record) before = this.word(before, NEXT_OF_KEY);
      this.records[before * RECORD_WORDS + NEXT_OF_KEY] = next;
    }
    this.records[record * RECORD_WORDS + NEXT_OF_OWNER] = this.freeRecord;
    this.freeRecord = record;
    this.count--;
  }

  /** Held by the owner, or by another of its party. */
  private isOwn(record: number, owner: LockOwner): boolean {
    const slot = this.word(record, OWNER);
    return slot === owner.lockSlot || (this.owners[slot] as LockOwner).party === owner.party;
  }

  private word(record: number, word: number): number {
    return this.records[record * RECORD_WORDS + word] as number;
  }

  private newRecord(): number {
    const record = this.freeRecord;
    if (record !== NONE) {
      this.freeRecord = this.word(record, NEXT_OF_OWNER);
      return record;
    }
    if (this.recordCount === this.recordHashes.length) {
      const records = new Int32Array(this.records.length * 2);
      records.set(this.records);
      this.records = records;
      const hashes = new Float64Array(this.recordHashes.length * 2);
      hashes.set(this.recordHashes);
      this.recordHashes = hashes;
    }
    return this.recordCount++;
  }

  private slotOf(hash: number): number {
    const { hashes } = this;
    const mask = hashes.length - 1;
    let at = hash & mask;
    while (hashes[at] !== 0 && hashes[at] !== hash) at = (at + 1) & mask;
    return at;
  }

  /** Closes the gap, so that no probe ends early (Knuth, volume 3, section 6.4, algorithm R). */
  private removeSlot(slot: number): void {
    const { hashes, heads } = this;
    const mask = hashes.length - 1;
    let gap = slot;
    let at = slot;
    for (;;) {
      at = (at + 1) & mask;
      const hash = hashes[at] as number;
      if (hash === 0) break;
      const home = hash & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      hashes[gap] = hash;
      heads[gap] = heads[at] as number;
      gap = at;
    }
    hashes[gap] = 0;
    heads[gap] = NONE;
    this.keys--;
  }

  private resizeSlots(capacity: number): void {
    const { hashes, heads } = this;
    this.hashes = new Float64Array(capacity);
    this.heads = new Int32Array(capacity);
    for (let i = 0; i < hashes.length; i++) {
      if (hashes[i] === 0) continue;
      const at = this.slotOf(hashes[i] as number);
      this.hashes[at] = hashes[i] as number;
      this.heads[at] = heads[i] as number;
    }
  }

  /** Nobody holds anything: memory that a large transaction took goes back. */
  private shrink(): void {
    this.recordCount = 0;
    this.freeRecord = NONE;
    if (this.hashes.length === CAPACITY_MIN && this.recordHashes.length === CAPACITY_MIN) return;
    this.hashes = new Float64Array(CAPACITY_MIN);
    this.heads = new Int32Array(CAPACITY_MIN);
    this.records = new Int32Array(CAPACITY_MIN * RECORD_WORDS);
    this.recordHashes = new Float64Array(CAPACITY_MIN);
  }
}
