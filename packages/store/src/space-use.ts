/**
 * How each space is used: look-ups, scans, writes. What an engine advisor stands on, so it must cost nearly nothing: one
 * look-up in GETS_PER_SAMPLE and one written key in WRITES_PER_SAMPLE is looked at and stands for all of them; the others
 * cost a decrement. Scans are all counted, and the rows of the first SCANS_FOLLOWED of them and then of one in
 * SCANS_PER_SAMPLE, since a few scans may read more than all look-ups. The strides are primes, so that a loop over a few
 * tables does not fall into step with them. Counts are therefore estimates, and begin anew with each opening.
 *
 * Of the written keys two more things are known (written-keys.ts): how many lay behind every key before them, and about
 * how many different ones there are.
 */
import { type BatchReader, type KvCursor, OperationKind, type SpaceId, spaceOfKey } from '@phantom/kv';
import { FollowedCursor } from './followed-cursor.js';
import { WrittenKeys } from './written-keys.js';

const GETS_PER_SAMPLE = 61;
const WRITES_PER_SAMPLE = 17;
const SCANS_PER_SAMPLE = 13;
const SCANS_FOLLOWED = 32;
/** Operations of one commit that are walked through; the rest is taken to be alike. */
const OPERATIONS_MAX = 8192;
/** Spaces that are followed; further ones are not. */
const SPACES_MAX = 16_384;

/** Estimated counts since the store was opened. */
export interface SpaceUse {
  readonly gets: number;
  readonly scans: number;
  /** Rows that scans have gone over. */
  readonly rowsScanned: number;
  /** Puts and removals of single keys. */
  readonly writes: number;
  readonly bytesWritten: number;
  /** Writes to keys behind every one that was written before. */
  readonly appends: number;
  /** Different keys that writes go to; Infinity when hardly one was written twice. */
  readonly keysWritten: number;
}

/** A space of which nothing was seen. */
const UNUSED: SpaceUse = {
  gets: 0,
  scans: 0,
  rowsScanned: 0,
  writes: 0,
  bytesWritten: 0,
  appends: 0,
  keysWritten: Number.POSITIVE_INFINITY,
};

class CountedUse implements SpaceUse {
  gets = 0;
  scans = 0;
  rowsScanned = 0;
  writes = 0;
  bytesWritten = 0;
  appends = 0;
  /** There once something was written. */
  keys: WrittenKeys | undefined = undefined;

  get keysWritten(): number {
    return this.keys === undefined ? Number.POSITIVE_INFINITY : this.keys.estimate();
  }
}

export class SpaceUses {
  private readonly spaces = new Map<SpaceId, CountedUse>();
  /** Counted down by whoever looks up; at 0 the look-up is noted. */
  getsToNext = GETS_PER_SAMPLE;
  private writesToNext = WRITES_PER_SAMPLE;

  /** What was seen of a space; it goes on counting. */
  of(space: SpaceId): SpaceUse {
    return this.spaces.get(space) ?? UNUSED;
  }

  noteGet(key: Uint8Array, start: number): void {
    this.getsToNext = GETS_PER_SAMPLE;
    const use = this.useOf(spaceOfKey(key, start));
    if (use !== undefined) use.gets += GETS_PER_SAMPLE;
  }

  /** Counts a scan that begins with this cursor; hands out what is to be read instead of it. */
  followed(lower: Uint8Array, cursor: KvCursor): KvCursor {
    const use = lower.length < 4 ? undefined : this.useOf(spaceOfKey(lower, 0));
    if (use === undefined) return cursor;
    use.scans++;
    if (use.scans <= SCANS_FOLLOWED) return new FollowedCursor(cursor, use, 1);
    return use.scans % SCANS_PER_SAMPLE === 0 ? new FollowedCursor(cursor, use, SCANS_PER_SAMPLE) : cursor;
  }

  /** A published commit; the reader stands before its first operation, and anywhere afterwards. */
  noteCommit(batch: BatchReader): void {
    const { count } = batch;
    if (this.writesToNext > count) {
      this.writesToNext -= count;
      return;
    }
    const walked = Math.min(count, OPERATIONS_MAX);
    const weight = (WRITES_PER_SAMPLE * count) / walked;
    for (let i = 0; i < walked && batch.next(); i++) {
      if (--this.writesToNext > 0) continue;
      this.writesToNext = WRITES_PER_SAMPLE;
      if (batch.kind !== OperationKind.RemoveRange) this.noteWrite(batch, weight);
    }
  }

  private noteWrite({ bytes, keyStart, keyEnd, valueStart, valueEnd }: BatchReader, weight: number): void {
    const use = this.useOf(spaceOfKey(bytes, keyStart));
    if (use === undefined) return;
    use.writes += weight;
    use.bytesWritten += weight * (keyEnd - keyStart + valueEnd - valueStart);
    if ((use.keys ??= new WrittenKeys()).add(bytes, keyStart, keyEnd)) use.appends += weight;
  }

  private useOf(space: SpaceId): CountedUse | undefined {
    let use = this.spaces.get(space);
    if (use === undefined && this.spaces.size < SPACES_MAX) {
      use = new CountedUse();
      this.spaces.set(space, use);
    }
    return use;
  }
}
