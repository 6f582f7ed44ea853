/**
 * Who waits for which key: a queue for each key that somebody waits for, oldest first, with a holder in its way.
 *
 * Queues are fair: a request is granted when it is compatible with all holders and with every request before it. Only a party
 * that holds the key already goes ahead of those that do not: behind them it would wait for itself.
 */
import type { LockOwner, LockParty, LockRequest } from './lock-owner.js';
import type { LockRecords } from './lock-records.js';
import { excludes } from './lock-strength.js';
import type { LockMode } from './types.js';

export class LockQueues {
  private readonly records: LockRecords;
  private readonly queues = new Map<number, LockRequest[]>();

  constructor(records: LockRecords) {
    this.records = records;
  }

  /** Nobody waits for anything. */
  get areEmpty(): boolean {
    return this.queues.size === 0;
  }

  /** Somebody waits for the key. */
  has(hash: number): boolean {
    return this.queues.size > 0 && this.queues.has(hash);
  }

  /** Every queue, for views. */
  all(): Iterable<readonly LockRequest[]> {
    return this.queues.values();
  }

  /** True when somebody waits for the key in a mode that excludes this one. */
  isBehind(hash: number, mode: LockMode): boolean {
    return this.queues.get(hash)?.some((request) => excludes(request.mode, mode)) === true;
  }

  /** Whom a party waits for: holders in its way, and requests before its own. */
  blockersOf(party: LockParty): Set<LockParty> {
    const blockers = new Set<LockParty>();
    for (const request of party.lockWaits) this.addBlockers(request, blockers);
    return blockers;
  }

  /** Adds whom a request waits for. */
  addBlockers(request: LockRequest, blockers: Set<LockParty>): void {
    const { owner, hash, mode } = request;
    this.records.addHoldersAgainst(owner, hash, mode, blockers);
    for (const other of this.queues.get(hash) as LockRequest[]) {
      if (other === request) break;
      if (other.owner.party !== owner.party && excludes(other.mode, mode)) blockers.add(other.owner.party);
    }
  }

  enqueue(request: LockRequest): void {
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

  /** Takes a request out; those behind it may now be granted. */
  withdraw(request: LockRequest): void {
    const queue = this.queues.get(request.hash) as LockRequest[];
    queue.splice(queue.indexOf(request), 1);
    endWait(request);
    if (queue.length === 0) this.queues.delete(request.hash);
    this.grant(request.hash);
  }

  /** Grants what can be granted of a key, from the front of its queue on. */
  grant(hash: number): void {
    const queue = this.queues.get(hash);
    if (queue === undefined) return;
    const { records } = this;
    const still: LockRequest[] = [];
    for (const request of queue) {
      const { owner, mode } = request;
      const isBehind = still.some((other) => other.owner.party !== owner.party && excludes(other.mode, mode));
      if (isBehind || records.holderAgainst(owner, hash, mode) !== undefined) {
        still.push(request);
        continue;
      }
      records.add(owner, hash, mode);
      endWait(request);
      request.resolve();
    }
    if (still.length === 0) this.queues.delete(hash);
    else this.queues.set(hash, still);
  }

  private holds(owner: LockOwner, hash: number): boolean {
    return this.records.isHeldBy(owner.party, hash);
  }
}

function endWait(request: LockRequest): void {
  clearTimeout(request.timer);
  const { lockWaits } = request.owner;
  lockWaits.splice(lockWaits.indexOf(request), 1);
}
