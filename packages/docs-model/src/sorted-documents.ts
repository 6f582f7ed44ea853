/**
 * Documents on their way into an order: all that are found, or, where only so many are wanted, never more than about twice those. What is
 * held of each is the caller's choice, and is taken from the memory of his query.
 */
import { type MemoryBudget, MemoryShare } from '@phantom/base';
import type { SortKey, Sorter } from './sort.js';

/** What one that is held takes beside itself. */
const HELD_BYTES = 160;
/** So many more than wanted are held before those that come too late are let go. */
const HELD_EXCESS = 1000;
/** Where the memory is full, those are let go as soon as they are this share of what is wanted. */
const EXCESS_SHARE_MIN = 1 / 16;

interface Held<T> {
  readonly key: SortKey;
  /** Equal documents keep the order they were found in, so that skip and limit cut alike with every plan's own order. */
  readonly order: number;
  readonly item: T;
  readonly bytes: number;
}

export class SortedDocuments<T> {
  private readonly sorter: Sorter;
  private readonly wanted: number;
  private held: Held<T>[] = [];
  private readonly memory: MemoryShare;
  private found = 0;
  /** Who sorts behind it, or was found later and is its equal, is not among the first. */
  private last: SortKey | undefined;

  /** `wanted`: so many of the first, at most. */
  constructor(sorter: Sorter, wanted: number, memory: MemoryBudget) {
    this.sorter = sorter;
    this.wanted = wanted;
    this.memory = new MemoryShare(memory, 'a sort');
  }

  /** False for one that as many as are wanted come before. */
  wants(key: SortKey): boolean {
    return this.last === undefined || this.sorter.compare(key, this.last) < 0;
  }

  /** Takes one that is wanted, of so many bytes. 53200 when they do not fit. */
  add(key: SortKey, item: T, bytes: number): void {
    const { memory } = this;
    const excess = this.held.length - this.wanted;
    const isFull = bytes + HELD_BYTES > memory.leftBytes && excess > this.wanted * EXCESS_SHARE_MIN;
    if (isFull || excess >= this.wanted + HELD_EXCESS) this.keepFirst();
    memory.take(bytes + HELD_BYTES);
    this.held.push({ key, order: this.found++, item, bytes });
  }

  /** Gives back what it has taken. Safe to call twice. */
  release(): void {
    this.memory.release();
  }

  /** What is held, in order. */
  inOrder(): T[] {
    return this.held.sort(this.compare).map(({ item }) => item);
  }

  private keepFirst(): void {
    const goes = this.held.sort(this.compare).splice(this.wanted);
    this.memory.give(goes.reduce((sum, one) => sum + one.bytes + HELD_BYTES, 0));
    this.last = this.held.at(-1)?.key;
  }

  private readonly compare = (a: Held<T>, b: Held<T>): number => this.sorter.compare(a.key, b.key) || a.order - b.order;
}
