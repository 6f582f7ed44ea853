/**
 * What a transaction relies on besides the keys that it writes: keys and ranges that nobody may write from when it has looked
 * at them until it commits. They hold at every isolation level.
 */
import type { KeyRange, Seq } from '@phantom/kv';
import type { CommitWindow, QueuedTransaction, RangeGuard } from './commit-window.js';
import { keyHash } from './key-hash.js';
import type { LockStrength } from './types.js';

/** A key whose content a transaction relies on, or only that it is there. */
export interface PointGuard {
  readonly hash: number;
  readonly key: Uint8Array;
  /** What keeps others from breaking it: Share where the content counts, KeyShare where others may replace it. */
  readonly mode: typeof LockStrength.Share | typeof LockStrength.KeyShare;
  /** Commits above it break the guard. */
  readonly baseSeq: Seq;
}

export class ConstraintGuards {
  readonly points: PointGuard[] = [];
  readonly ranges: RangeGuard[] = [];

  get isEmpty(): boolean {
    return this.points.length === 0 && this.ranges.length === 0;
  }

  addPoint(key: Uint8Array, start: number, end: number, mode: PointGuard['mode'], baseSeq: Seq): void {
    this.points.push({ hash: keyHash(key, start, end), key: key.slice(start, end), mode, baseSeq });
  }

  addRange(window: CommitWindow, owner: QueuedTransaction & { readonly readsAhead: boolean }, range: KeyRange): void {
    this.ranges.push(window.guardRange(owner, range, owner.readsAhead));
  }

  /** Keeps so many of each; the others are no longer relied on. */
  truncate(window: CommitWindow, points: number, ranges: number): void {
    this.points.length = points;
    if (this.ranges.length > ranges) window.dropGuards(this.ranges.splice(ranges));
  }
}
