/**
 * Merges the versions of several layers for a merge: per key the newest one, removals included, without what a range
 * tombstone of a newer layer hides. It is for merges whose readers all see the newest layer whole: views of earlier
 * moments hold the layers that they began with, so nobody needs the older versions of the output.
 */
import { compareBytes } from '@phantom/base';
import { ByteSlot, type Seq } from '@phantom/kv';
import { type VersionCursor, VersionKind } from './layer.js';
import type { KeyIntervals } from './range-cover.js';

/** The versions of one layer, newest version of each key only, with what hides them. */
export interface VersionSource {
  readonly versions: VersionCursor;
  /** The union of the range tombstones of all newer layers; undefined when there are none. */
  readonly hidden: KeyIntervals | undefined;
}

export class MergingVersions implements VersionCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  seq: Seq = 0;
  kind: VersionKind = VersionKind.Put;
  readonly firstOfKey = true;
  private readonly sources: readonly VersionSource[];
  private readonly prefixBytes: number;
  /** Sources with a present version, sorted by key, the newer first among equals. */
  private readonly order: Int32Array;
  private live = 0;
  private begun = false;

  /** Sources are given newest first; the cursor closes them. All their keys begin with the same `prefixBytes`. */
  constructor(sources: readonly VersionSource[], prefixBytes = 0) {
    this.sources = sources;
    this.prefixBytes = prefixBytes;
    this.order = new Int32Array(sources.length);
  }

  next(): boolean {
    if (!this.begun) this.begin();
    else if (this.live > 0) this.leaveKey();
    while (this.live > 0) {
      const { versions, hidden } = this.source(this.order[0]!);
      const { key, value } = versions;
      if (hidden === undefined || hidden.find(key.buffer, key.start, key.end) < 0) {
        this.key.set(key.buffer, key.start, key.end);
        this.value.set(value.buffer, value.start, value.end);
        this.seq = versions.seq;
        this.kind = versions.kind;
        return true;
      }
      this.leaveKey();
    }
    return false;
  }

  close(): void {
    this.begun = true;
    this.live = 0;
    for (const source of this.sources) source.versions.close();
  }

  private source(index: number): VersionSource {
    return this.sources[index] as VersionSource;
  }

  private begin(): void {
    this.begun = true;
    for (let i = 0; i < this.sources.length; i++) {
      if (!this.source(i).versions.next()) continue;
      let at = this.live++;
      while (at > 0 && this.precedes(i, this.order[at - 1]!)) {
        this.order[at] = this.order[at - 1]!;
        at--;
      }
      this.order[at] = i;
    }
  }

  /** Moves every source past the present key. A hidden newest version hides the older ones of its key, too. */
  private leaveKey(): void {
    const { order } = this;
    let equal = 1;
    while (equal < this.live && this.compareKeys(order[equal]!, order[0]!) === 0) equal++;
    for (let at = equal - 1; at >= 0; at--) this.advance(at);
  }

  private advance(at: number): void {
    const { order } = this;
    const index = order[at]!;
    if (!this.source(index).versions.next()) {
      this.live--;
      for (let i = at; i < this.live; i++) order[i] = order[i + 1]!;
      return;
    }
    while (at + 1 < this.live && this.precedes(order[at + 1]!, index)) {
      order[at] = order[at + 1]!;
      at++;
    }
    order[at] = index;
  }

  private precedes(a: number, b: number): boolean {
    const difference = this.compareKeys(a, b);
    return difference === 0 ? a < b : difference < 0;
  }

  private compareKeys(a: number, b: number): number {
    const { prefixBytes } = this;
    const left = this.source(a).versions.key;
    const right = this.source(b).versions.key;
    const leftStart = left.start + prefixBytes;
    return compareBytes(left.buffer, leftStart, left.end, right.buffer, right.start + prefixBytes, right.end);
  }
}
