/**
 * How each space is used: look-ups, scans, writes. What an engine advisor stands on, so it must cost nearly nothing: one
 * look-up in GETS_PER_SAMPLE, one scan in SCANS_PER_SAMPLE and one commit in COMMITS_PER_SAMPLE is looked at and stands for
 * all of them; the others cost a decrement. The strides are primes, so that a loop over a few tables does not fall into step
 * with them. Counts are therefore estimates, and begin anew with each opening.
 */
import { type BatchReader, OperationKind, type SpaceId, spaceOfKey } from '@phantom/kv';

const GETS_PER_SAMPLE = 61;
const SCANS_PER_SAMPLE = 13;
const COMMITS_PER_SAMPLE = 17;
/** Operations of one commit that are looked at; the rest is taken to be alike. */
const OPERATIONS_PER_SAMPLE_MAX = 512;
/** Spaces that are followed; further ones are not. */
const SPACES_MAX = 16_384;

/** Estimated counts since the store was opened. */
export interface SpaceUse {
  gets: number;
  scans: number;
  /** Puts and removals of single keys. */
  writes: number;
  bytesWritten: number;
}

export class SpaceUses {
  private readonly spaces = new Map<SpaceId, SpaceUse>();
  /** Counted down by whoever looks up; at 0 the look-up is noted. */
  getsToNext = GETS_PER_SAMPLE;
  private scansToNext = SCANS_PER_SAMPLE;
  private commitsToNext = COMMITS_PER_SAMPLE;

  of(space: SpaceId): SpaceUse | undefined {
    return this.spaces.get(space);
  }

  noteGet(key: Uint8Array, start: number): void {
    this.getsToNext = GETS_PER_SAMPLE;
    const use = this.useOf(spaceOfKey(key, start));
    if (use !== undefined) use.gets += GETS_PER_SAMPLE;
  }

  noteScan(lower: Uint8Array): void {
    if (--this.scansToNext > 0 || lower.length < 4) return;
    this.scansToNext = SCANS_PER_SAMPLE;
    const use = this.useOf(spaceOfKey(lower, 0));
    if (use !== undefined) use.scans += SCANS_PER_SAMPLE;
  }

  /** A published commit; the reader stands before its first operation, and anywhere afterwards. */
  noteCommit(batch: BatchReader): void {
    if (--this.commitsToNext > 0) return;
    this.commitsToNext = COMMITS_PER_SAMPLE;
    const looked = Math.min(batch.count, OPERATIONS_PER_SAMPLE_MAX);
    const weight = (COMMITS_PER_SAMPLE * batch.count) / Math.max(1, looked);
    for (let i = 0; i < looked && batch.next(); i++) {
      if (batch.kind === OperationKind.RemoveRange) continue;
      const use = this.useOf(spaceOfKey(batch.bytes, batch.keyStart));
      if (use === undefined) continue;
      use.writes += weight;
      use.bytesWritten += weight * (batch.keyEnd - batch.keyStart + batch.valueEnd - batch.valueStart);
    }
  }

  private useOf(space: SpaceId): SpaceUse | undefined {
    let use = this.spaces.get(space);
    if (use === undefined && this.spaces.size < SPACES_MAX) {
      use = { gets: 0, scans: 0, writes: 0, bytesWritten: 0 };
      this.spaces.set(space, use);
    }
    return use;
  }
}
