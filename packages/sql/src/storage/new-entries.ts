/**
 * Where the index entries of new rows go: into the transaction at once, or, for a statement that inserts many rows and reads none of
 * them, first into an order. Entries of most indexes jump about, and each costs a descent then; in order they cost a comparison.
 *
 *   rows       1 2 3 4 5 ...          at once
 *   entries    c a d b a ...  ──►     a a b c d ...      when they are many, when the statement ends, and before another one runs inside it
 *
 * Entries of unique keys are not for here: the next row asks for them.
 */
import { EntrySorter, type EntryTaker } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';

/** Of keys and values that wait. */
const GATHERED_BYTES_MAX = 16 * 1024 * 1024;

export class NewEntries {
  private readonly transaction: MvccTransaction;
  private readonly putNow: EntryTaker;
  private gathered: EntrySorter | undefined = undefined;

  constructor(transaction: MvccTransaction) {
    this.transaction = transaction;
    this.putNow = (key, keyStart, keyEnd, value, valueStart, valueEnd) =>
      this.transaction.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  /** Entries wait from now on. */
  gather(): void {
    this.gathered = new EntrySorter(GATHERED_BYTES_MAX);
  }

  /** Nothing waits any more: what still does is of a statement that failed. */
  drop(): void {
    this.gathered = undefined;
  }

  /** The entry of a new row, which no other row has. */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { gathered } = this;
    if (gathered === undefined) {
      this.transaction.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
      return;
    }
    if (gathered.isFull) this.putGathered();
    gathered.add(key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  /** Puts those that wait. */
  putGathered(): void {
    this.gathered?.drain(this.putNow);
  }
}
