/**
 * Documents on their way into an order: all that are found, or, where only so many are wanted, never more than about twice those. What is
 * held of each is the caller's choice; past SORT_BYTES_MAX of it the sort is refused.
 */
import { PhantomError } from '@phantom/base';
import type { SortKey, Sorter } from './sort.js';

/** Bytes of documents that one sort may hold; past it 53200. */
export const SORT_BYTES_MAX = 256 * 1024 * 1024;
/** So many more than wanted are held before those that come too late are let go. */
const HELD_EXCESS = 1000;

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
  private bytes = 0;
  private found = 0;
  /** Who sorts behind it, or was found later and is its equal, is not among the first. */
  private last: SortKey | undefined;

  /** `wanted`: so many of the first, at most. */
  constructor(sorter: Sorter, wanted: number) {
    this.sorter = sorter;
    this.wanted = wanted;
  }

  /** False for one that as many as are wanted come before. */
  wants(key: SortKey): boolean {
    return this.last === undefined || this.sorter.compare(key, this.last) < 0;
  }

  /** Takes one that is wanted. 53200 when there are too many. */
  add(key: SortKey, item: T, bytes: number): void {
    this.held.push({ key, order: this.found++, item, bytes });
    this.bytes += bytes;
    if (this.held.length >= 2 * this.wanted + HELD_EXCESS) this.keepFirst();
    if (this.bytes <= SORT_BYTES_MAX) return;
    throw new PhantomError('53200', `a sort holds at most ${SORT_BYTES_MAX} bytes`, {
      hint: 'Create an index in the order that is asked for, or set a limit.',
    });
  }

  /** What is held, in order. */
  inOrder(): T[] {
    return this.held.sort(this.compare).map(({ item }) => item);
  }

  private keepFirst(): void {
    this.held = this.held.sort(this.compare).slice(0, this.wanted);
    this.bytes = this.held.reduce((sum, one) => sum + one.bytes, 0);
    this.last = this.held.at(-1)?.key;
  }

  private readonly compare = (a: Held<T>, b: Held<T>): number => this.sorter.compare(a.key, b.key) || a.order - b.order;
}
