/**
 * The stream of writes of a merge, with a look ahead: a leaf that is touched by a few writes is edited in one piece, and
 * for that all of them must be known. Staged writes are copied, since the stream's bytes go with its next step.
 */
import { compareBytes, copyBytes } from '@phantom/base';
import { ByteSlot } from '@phantom/kv';
import { type VersionCursor, VersionKind } from '@phantom/runs';

export class WriteQueue {
  /** The present write, while `more`. */
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  kind: VersionKind = VersionKind.Put;
  more = false;
  private readonly source: VersionCursor;
  private sourceHasMore: boolean;
  private arena = new Uint8Array(16 * 1024);
  private arenaBytes = 0;
  /** Staged writes are [head, count). */
  private head = 0;
  private count = 0;
  private readonly keyStarts: number[] = [];
  private readonly keyEnds: number[] = [];
  private readonly valueEnds: number[] = [];
  private readonly kinds: VersionKind[] = [];

  /** Takes the first step of the source. */
  constructor(source: VersionCursor) {
    this.source = source;
    this.sourceHasMore = source.next();
    this.show();
  }

  /** Staged writes, the present one first if there are any. */
  get staged(): number {
    return this.count - this.head;
  }

  next(): void {
    if (this.head < this.count) {
      this.head++;
      if (this.head === this.count) this.unstage();
    } else {
      this.sourceHasMore = this.source.next();
    }
    this.show();
  }

  /**
   * Stages every write below the bound (undefined: all that are left); false when these are more than `writesMax`, or more
   * bytes than `bytesMax`: some are staged then, and all of them still to come.
   */
  stageBelow(upper: Uint8Array | undefined, writesMax: number, bytesMax: number): boolean {
    const { source } = this;
    let isWhole = true;
    while (this.sourceHasMore) {
      const { key, value } = source;
      if (upper !== undefined && compareBytes(key.buffer, key.start, key.end, upper, 0, upper.length) >= 0) break;
      const bytes = key.end - key.start + value.end - value.start;
      if (this.staged >= writesMax || this.arenaBytes + bytes > bytesMax) {
        isWhole = false;
        break;
      }
      this.stage(bytes);
    }
    this.show();
    return isWhole;
  }

  /** Aims the slots at the n-th staged write and returns its kind. */
  peek(n: number, key: ByteSlot, value: ByteSlot): VersionKind {
    const i = this.head + n;
    key.set(this.arena, this.keyStarts[i]!, this.keyEnds[i]!);
    value.set(this.arena, this.keyEnds[i]!, this.valueEnds[i]!);
    return this.kinds[i] as VersionKind;
  }

  /** Forgets all staged writes: they are done. */
  dropStaged(): void {
    this.unstage();
    this.show();
  }

  private stage(bytes: number): void {
    const { source } = this;
    const { key, value } = source;
    if (this.arenaBytes + bytes > this.arena.length) {
      const grown = new Uint8Array(Math.max(this.arena.length * 2, this.arenaBytes + bytes));
      grown.set(this.arena.subarray(0, this.arenaBytes));
      this.arena = grown;
    }
    const i = this.count++;
    this.keyStarts[i] = this.arenaBytes;
    const keyEnd = copyBytes(key.buffer, key.start, key.end, this.arena, this.arenaBytes);
    this.keyEnds[i] = keyEnd;
    this.arenaBytes = copyBytes(value.buffer, value.start, value.end, this.arena, keyEnd);
    this.valueEnds[i] = this.arenaBytes;
    this.kinds[i] = source.kind;
    this.sourceHasMore = source.next();
  }

  private unstage(): void {
    this.head = 0;
    this.count = 0;
    this.arenaBytes = 0;
  }

  private show(): void {
    this.more = this.head < this.count || this.sourceHasMore;
    if (this.head < this.count) {
      this.kind = this.peek(0, this.key, this.value);
    } else if (this.sourceHasMore) {
      const { key, value, kind } = this.source;
      this.key.set(key.buffer, key.start, key.end);
      this.value.set(value.buffer, value.start, value.end);
      this.kind = kind;
    }
  }
}
