/**
 * What a transaction relies on besides the keys that it writes: keys and ranges that nobody may write from when it has looked
 * at them until it commits. They hold at every isolation level.
 *
 * A statement may rely on as many keys as it writes rows, so keys lie end to end in one buffer and what belongs to them in
 * columns beside it:
 *
 *   keys     k e y 0 │ k e y 1 │ ...        hashes, modes, baseSeqs
 *   keyEnds          └─ 5      └─ 10        one number a key in each
 */
import { ByteWriter } from '@phantom/base';
import type { KeyRange, Seq } from '@phantom/kv';
import type { CommitWindow, QueuedTransaction, RangeGuard } from './commit-window.js';
import { keyHash } from './key-hash.js';
import type { LockStrength } from './types.js';

/** What keeps others from breaking a guard: Share where the content counts, KeyShare where others may replace it. */
export type GuardMode = typeof LockStrength.Share | typeof LockStrength.KeyShare;

export class ConstraintGuards {
  readonly ranges: RangeGuard[] = [];
  private readonly keys = new ByteWriter();
  private readonly keyEnds: number[] = [];
  private readonly hashes: number[] = [];
  private readonly modes: GuardMode[] = [];
  private readonly baseSeqs: Seq[] = [];

  /** Keys that are relied on; each has a number below it. */
  get pointCount(): number {
    return this.keyEnds.length;
  }

  get isEmpty(): boolean {
    return this.keyEnds.length === 0 && this.ranges.length === 0;
  }

  /** The bytes in which the keys lie: borrowed until the next one is added. */
  get keyBytes(): Uint8Array {
    return this.keys.buffer;
  }

  keyStart(point: number): number {
    return point === 0 ? 0 : (this.keyEnds[point - 1] as number);
  }

  keyEnd(point: number): number {
    return this.keyEnds[point] as number;
  }

  hash(point: number): number {
    return this.hashes[point] as number;
  }

  mode(point: number): GuardMode {
    return this.modes[point] as GuardMode;
  }

  /** Commits above it break the guard. Later guards have no smaller one. */
  baseSeq(point: number): Seq {
    return this.baseSeqs[point] as Seq;
  }

  keyCopy(point: number): Uint8Array {
    return this.keys.buffer.slice(this.keyStart(point), this.keyEnd(point));
  }

  addPoint(key: Uint8Array, start: number, end: number, mode: GuardMode, baseSeq: Seq): void {
    this.keys.bytes(key, start, end);
    this.keyEnds.push(this.keys.length);
    this.hashes.push(keyHash(key, start, end));
    this.modes.push(mode);
    this.baseSeqs.push(baseSeq);
  }

  addRange(window: CommitWindow, owner: QueuedTransaction & { readonly readsAhead: boolean }, range: KeyRange): void {
    this.ranges.push(window.guardRange(owner, range, owner.readsAhead));
  }

  /** Keeps so many of each; the others are no longer relied on. */
  truncate(window: CommitWindow, points: number, ranges: number): void {
    this.keys.length = this.keyStart(points);
    this.keyEnds.length = this.hashes.length = this.modes.length = this.baseSeqs.length = points;
    if (this.ranges.length > ranges) window.dropGuards(this.ranges.splice(ranges));
  }
}
