/**
 * Where the index entries of rows and documents go that a statement writes: into the transaction at once, or, where it writes many rows and
 * asks for none of their entries, first into an order. Entries of most indexes jump about, and each costs a descent then; in order they
 * cost a comparison.
 *
 *   rows       1 2 3 4 5 ...          at once
 *   entries    c a d b a ...  ──►     a a b c d ...      when they are many, when the statement ends, and before another one runs inside it
 *
 * What goes waits beside what comes: no key may wait in both. New entries of unique keys are not for here: the next row asks for them.
 */
import { EntrySorter, type EntryTaker } from './entry-sorter.js';

/** Of keys and values that wait. */
const GATHERED_BYTES_MAX = 16 * 1024 * 1024;

/** Where new entries go: a transaction. */
export interface EntryTarget {
  put(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void;
}

/** What entries are taken out of: a transaction. */
export interface EntrySource {
  remove(key: Uint8Array, keyStart: number, keyEnd: number): void;
}

const NO_BYTES = new Uint8Array(0);

export class NewEntries {
  private readonly target: EntryTarget;
  private readonly source: EntrySource | undefined;
  private gathered: EntrySorter | undefined = undefined;
  /** Keys of entries that go; made for the first while entries wait. */
  private going: EntrySorter | undefined = undefined;

  /** `source` where entries go, too. */
  constructor(target: EntryTarget, source?: EntrySource) {
    this.target = target;
    this.source = source;
  }

  /** Entries wait from now on. */
  gather(): void {
    this.gathered = new EntrySorter(GATHERED_BYTES_MAX);
  }

  /** So many more rows are to come, like those whose entries wait. Gives how many entries are to be put then. */
  expect(rows: number, rowsBefore: number): number {
    const { gathered } = this;
    if (gathered === undefined) return 0;
    const entries = Math.ceil((gathered.count / rowsBefore) * rows);
    gathered.expect(entries);
    return gathered.count + entries;
  }

  /** Bytes of the entries that wait. */
  get waitingBytes(): number {
    return (this.gathered?.waitingBytes ?? 0) + (this.going?.waitingBytes ?? 0);
  }

  /** Nothing waits any more: what still does is of a statement that failed. */
  drop(): void {
    this.gathered = undefined;
    this.going = undefined;
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

  /** An entry of a row or document that goes, or has another one from now on. For those that were made with a source. */
  remove(key: Uint8Array, keyStart: number, keyEnd: number): void {
    if (this.gathered === undefined) {
      this.source?.remove(key, keyStart, keyEnd);
      return;
    }
    const going = (this.going ??= new EntrySorter(GATHERED_BYTES_MAX));
    if (going.isFull) this.putGathered();
    going.add(key, keyStart, keyEnd, NO_BYTES, 0, 0);
  }

  /** Puts those that wait, and takes out those that go. */
  putGathered(): void {
    const { gathered, going, target, source } = this;
    going?.drain((key, keyStart, keyEnd) => source?.remove(key, keyStart, keyEnd));
    if (gathered === undefined) return;
    const putNow: EntryTaker = (key, keyStart, keyEnd, value, valueStart, valueEnd) =>
      target.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
    gathered.drain(putNow);
  }
}
