/** Locks as simple as can be: holders and queues in arrays, and every question answered by looking at all of them. */
import { excludes } from '../src/lock-strength.js';
import type { LockStrength } from '../src/index.js';

interface Entry {
  readonly owner: number;
  readonly key: number;
  readonly mode: LockStrength;
}

export class LockModel {
  private holders: Entry[] = [];
  /** Requests of all keys, those of one key in the order of their turns. */
  private queue: Entry[] = [];

  /** Takes the lock and says true, or queues for it and says false. */
  acquire(owner: number, key: number, mode: LockStrength): boolean {
    const request = { owner, key, mode };
    const holdsKey = this.holds(owner, key);
    // One who has the lock already, as strong or stronger, need not wait for anybody.
    if (this.holders.some((held) => held.owner === owner && held.key === key && held.mode >= mode)) return true;
    const isBehind = !holdsKey && this.queue.some((other) => isInTheWay(other, request));
    if (!isBehind && !this.isHeldAgainst(request)) {
      this.holders.push(request);
      return true;
    }
    const isAhead = (other: Entry): boolean => other.key !== key || this.holds(other.owner, key);
    const place = holdsKey ? this.queue.findIndex((other) => !isAhead(other)) : -1;
    this.queue.splice(place === -1 ? this.queue.length : place, 0, request);
    return false;
  }

  /** The owner no longer waits. */
  withdraw(owner: number): void {
    this.queue = this.queue.filter((request) => request.owner !== owner);
    this.grant();
  }

  /** The owner has ended. */
  release(owner: number): void {
    this.holders = this.holders.filter((held) => held.owner !== owner);
    this.withdraw(owner);
  }

  isWaiting(owner: number): boolean {
    return this.queue.some((request) => request.owner === owner);
  }

  /** Owners whom one waits for. */
  blockersOf(owner: number): number[] {
    const place = this.queue.findIndex((request) => request.owner === owner);
    if (place === -1) return [];
    const request = this.queue[place] as Entry;
    const isBlocker = (other: Entry): boolean => isInTheWay(other, request);
    return [...this.holders.filter(isBlocker), ...this.queue.slice(0, place).filter(isBlocker)].map(
      (other) => other.owner,
    );
  }

  /** True when the owner waits for itself, through others. */
  isInCycle(owner: number): boolean {
    const reached = new Set(this.blockersOf(owner));
    for (const other of reached) for (const next of this.blockersOf(other)) reached.add(next);
    return reached.has(owner);
  }

  private grant(): void {
    const still: Entry[] = [];
    for (const request of this.queue) {
      if (still.some((other) => isInTheWay(other, request)) || this.isHeldAgainst(request)) still.push(request);
      else this.holders.push(request);
    }
    this.queue = still;
  }

  private holds(owner: number, key: number): boolean {
    return this.holders.some((held) => held.owner === owner && held.key === key);
  }

  private isHeldAgainst(request: Entry): boolean {
    return this.holders.some((held) => isInTheWay(held, request));
  }
}

function isInTheWay(other: Entry, request: Entry): boolean {
  return other.key === request.key && other.owner !== request.owner && excludes(other.mode, request.mode);
}
