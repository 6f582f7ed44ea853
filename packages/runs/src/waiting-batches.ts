/**
 * Batches that lie in the arena of a delta and are not in its tree yet: those of a recovery, which ends before the code that
 * puts tens of thousands of operations into a tree has been compiled. The first reads mostly want none of them, and a search
 * for the bytes of a key through all of them, by native code, tells so in a millisecond or two.
 *
 *   arena   | batch header | put k 1 | put m 2 | put k 3 | ... |     one waiting batch
 *                                 ▲ "m" is here; "z" is nowhere: no operation has that key
 *
 * Bytes that look like a key and are a part of something else cost the time that was to be saved, and nothing else. So does
 * a reader who asks again and again: past SEARCHES_MAX the delta is told to put them into its tree.
 *
 * Invariant: no range removal waits, for it would hide keys that are not among its bytes.
 */
import { type KeyRange, SPACE_BYTES, type Seq } from '@phantom/kv';

/** Searches that cost about as much as putting the batches into the tree. */
const SEARCHES_MAX = 32;

/** Where a batch lies in the arena. */
export interface WaitingBatch {
  readonly start: number;
  readonly end: number;
  readonly seq: Seq;
  readonly operations: number;
}

export class WaitingBatches {
  /** Operations in all of them. */
  operations = 0;
  private readonly batches: WaitingBatch[] = [];
  private searches = 0;

  get isEmpty(): boolean {
    return this.batches.length === 0;
  }

  /** Oldest first, and behind all that the tree has. */
  add(batch: WaitingBatch): void {
    this.batches.push(batch);
    this.operations += batch.operations;
  }

  /** The oldest one; undefined when there is none. */
  get first(): WaitingBatch | undefined {
    return this.batches[0];
  }

  /** The tree has the oldest one. */
  removeFirst(): void {
    this.operations -= (this.batches.shift() as WaitingBatch).operations;
    this.searches = 0;
  }

  /** False when no waiting operation has the key, for sure. */
  mayHave(arena: Uint8Array, key: Uint8Array, start: number, end: number): boolean {
    if (this.searches++ >= SEARCHES_MAX) return true;
    const from = (this.batches[0] as WaitingBatch).start;
    const to = (this.batches.at(-1) as WaitingBatch).end;
    const waiting = Buffer.from(arena.buffer, arena.byteOffset + from, to - from);
    return waiting.includes(Buffer.from(key.buffer, key.byteOffset + start, end - start));
  }

  /** False when no waiting operation has a key in the range, for sure. */
  mayHaveIn(arena: Uint8Array, range: KeyRange): boolean {
    // A prefix that is shorter than a space may be found in every key.
    const prefixBytes = sharedPrefixBytes(range);
    return prefixBytes < SPACE_BYTES || this.mayHave(arena, range.lower, 0, prefixBytes);
  }

  /** Operations that a range may hold: all of them where it is a whole space and has any; undefined when that says too little. */
  estimate(arena: Uint8Array, range: KeyRange): number | undefined {
    if (this.isEmpty || !this.mayHaveIn(arena, range)) return 0;
    return sharedPrefixBytes(range) <= SPACE_BYTES ? this.operations : undefined;
  }
}

/** How many bytes of the lower end every key of a range begins with. */
function sharedPrefixBytes({ lower, upper }: KeyRange): number {
  if (upper === undefined) return 0;
  const most = Math.min(lower.length, upper.length);
  let shared = 0;
  while (shared < most && lower[shared] === upper[shared]) shared++;
  // Up to the end of a prefix: what is below it and not below the prefix itself begins with the prefix.
  const isPrefixEnd = shared < lower.length && shared === upper.length - 1;
  return isPrefixEnd && (upper[shared] as number) === (lower[shared] as number) + 1 ? shared + 1 : shared;
}
