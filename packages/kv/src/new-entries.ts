/**
 * Where the index entries of new rows and documents go: into the transaction at once, or, for a statement that inserts many rows and reads none of
 * them, first into an order. Entries of most indexes jump about, and each costs a descent then; in order they cost a comparison.
 *
 *   rows       1 2 3 4 5 ...          at once
 *   entries    c a d b a ...  ──►     a a b c d ...      when they are many, when the statement ends, and before another one runs inside it
 *
 * Entries of unique keys are not for here: the next row asks for them.
 */
import { EntrySorter, type EntryTaker } from './entry-sorter.js';

/** Of keys and values that wait. */
const GATHERED_BYTES_MAX = 16 * 1024 * 1024;

/** Where entries go: a transaction. */
export interface EntryTarget {
  put(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void;
}

export class NewEntries {
  private readonly target: EntryTarget;
  private gathered: EntrySorter | undefined = undefined;

  constructor(target: EntryTarget) {
    this.target = target;
  }

  /** Entries wait from now on. */
  gather(): void {
    this.gathered = new EntrySorter(GATHERED_BYTES_MAX);
  }

  /** Bytes of the entries that wait. */
  get waitingBytes(): number {
    return this.gathered?.waitingBytes ?? 0;
  }

  /** Nothing waits any more: what still does is of a statement that failed. */
  drop(): void {
    this.gathered = undefined;
  }

  /** An entry that is nobody else's: of a new row or document. */
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
      this.target.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
      return;
    }
    if (gathered.isFull) this.putGathered();
    gathered.add(key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  /** Puts those that wait. */
  putGathered(): void {
    const { gathered, target } = this;
    if (gathered === undefined) return;
    const putNow: EntryTaker = (key, keyStart, keyEnd, value, valueStart, valueEnd) =>
      target.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
    gathered.drain(putNow);
  }
}
