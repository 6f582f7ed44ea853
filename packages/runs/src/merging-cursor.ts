/**
 * Shows a stack of layers as one ordered set of live entries: per key the entry of the highest layer that has one, nothing
 * for tombstones, nothing that a range tombstone of a higher layer covers.
 *
 * The cursors stand in one array, sorted by their present keys (a newer layer first among equals), in the direction of the
 * walk. A step moves the first one and shifts it to its place: with a handful of layers, of which the lowest holds nearly
 * everything, that is one comparison a step, less than a heap. Turning round seeks every layer anew from the present key.
 *
 * `fill` asks the first layer for everything below the next key of the other layers, by reference and many entries at once,
 * so that a scan over a tree with a small delta costs what a scan over the tree alone does.
 */
import { compareBytes, copyBytes } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KvCursor } from '@phantom/kv';
import type { LayerCursor } from './layer.js';
import type { KeyIntervals } from './range-cover.js';

/** A layer's cursor with what hides its entries. */
export interface MergeSource {
  readonly cursor: LayerCursor;
  /** The union of the range tombstones of all layers above; undefined when there are none. */
  readonly hidden: KeyIntervals | undefined;
}

const Place = { Nowhere: 0, Inside: 1, BehindEnd: 2, BeforeStart: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

const NO_BYTES = new Uint8Array(0);

export class MergingCursor implements KvCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly sources: readonly MergeSource[];
  /** Sources that stand on an entry, sorted; the first `live` are valid. */
  private readonly order: number[];
  private live = 0;
  private forward = true;
  private place: Place = Place.Nowhere;
  private turnKey: Uint8Array = NO_BYTES;
  private readonly limit = new ByteSlot();

  /**
   * Sources are given newest first; the cursor closes them. Their ranges are the range of the merge. The slots are those of
   * the cursor that this one stands in for, if it does.
   */
  constructor(sources: readonly MergeSource[], key: ByteSlot = new ByteSlot(), value: ByteSlot = new ByteSlot()) {
    this.sources = sources;
    this.key = key;
    this.value = value;
    // A typed array costs more to make than a short scan.
    this.order = [];
    for (let i = 0; i < sources.length; i++) this.order.push(i);
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    this.forward = true;
    this.live = 0;
    for (let i = 0; i < this.sources.length; i++) {
      if (this.uncover(i, this.source(i).cursor.seek(key, start, end))) this.enter(i);
    }
    return this.settle();
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    this.forward = false;
    this.live = 0;
    for (let i = 0; i < this.sources.length; i++) {
      if (this.uncover(i, this.source(i).cursor.seekBefore(key, start, end))) this.enter(i);
    }
    return this.settle();
  }

  next(): boolean {
    if (this.place === Place.Inside) {
      if (!this.forward) this.turn();
      else this.leaveKey();
      return this.settle();
    }
    if (this.place === Place.BehindEnd) return false;
    this.forward = true;
    this.restart();
    return this.settle();
  }

  prev(): boolean {
    if (this.place === Place.Inside) {
      if (this.forward) this.turn();
      else this.leaveKey();
      return this.settle();
    }
    if (this.place === Place.BeforeStart) return false;
    this.forward = false;
    this.restart();
    return this.settle();
  }

  fill(batch: CursorBatch): number {
    batch.count = 0;
    let more = this.next();
    while (more) {
      const { cursor, hidden } = this.source(this.order[0]!);
      cursor.fillBefore(batch, this.bulkLimit(hidden));
      this.show(cursor);
      if (batch.count === batch.capacity) return batch.count;
      this.leaveKey();
      more = this.settle();
    }
    // The walk looked one step too far: back to the last entry that was handed out.
    if (batch.count > 0) this.prev();
    return batch.count;
  }

  close(): void {
    for (const source of this.sources) source.cursor.close();
    this.live = 0;
    this.place = Place.BehindEnd;
  }

  private source(index: number): MergeSource {
    return this.sources[index] as MergeSource;
  }

  /** Shows the first entry that is alive; false when there is none. */
  private settle(): boolean {
    while (this.live > 0) {
      const { cursor } = this.source(this.order[0]!);
      if (!cursor.removed) {
        this.show(cursor);
        this.place = Place.Inside;
        return true;
      }
      this.leaveKey();
    }
    this.place = this.forward ? Place.BehindEnd : Place.BeforeStart;
    return false;
  }

  private show(cursor: LayerCursor): void {
    const { key, value } = cursor;
    this.key.set(key.buffer, key.start, key.end);
    this.value.set(value.buffer, value.start, value.end);
  }

  /** Moves every source that stands on the present key. */
  private leaveKey(): void {
    const { order } = this;
    const { key } = this.source(order[0]!).cursor;
    let equal = 1;
    while (equal < this.live) {
      const other = this.source(order[equal]!).cursor.key;
      if (compareBytes(other.buffer, other.start, other.end, key.buffer, key.start, key.end) !== 0) break;
      equal++;
    }
    for (let at = equal - 1; at >= 0; at--) this.advance(at);
  }

  private advance(at: number): void {
    const { order } = this;
    const index = order[at]!;
    const { cursor } = this.source(index);
    if (!this.uncover(index, this.forward ? cursor.next() : cursor.prev())) {
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

  /** Puts a source that stands on an entry into its place. */
  private enter(index: number): void {
    const { order } = this;
    let at = this.live++;
    while (at > 0 && this.precedes(index, order[at - 1]!)) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = index;
  }

  private precedes(a: number, b: number): boolean {
    const left = this.source(a).cursor.key;
    const right = this.source(b).cursor.key;
    const difference = compareBytes(left.buffer, left.start, left.end, right.buffer, right.start, right.end);
    if (difference === 0) return a < b;
    return this.forward ? difference < 0 : difference > 0;
  }

  /** Takes a source that has moved past everything that the layers above hide; false when nothing is left. */
  private uncover(index: number, found: boolean): boolean {
    const { cursor, hidden } = this.source(index);
    if (hidden === undefined) return found;
    while (found) {
      const { key } = cursor;
      const at = hidden.find(key.buffer, key.start, key.end);
      if (at < 0) return true;
      const bound = (this.forward ? hidden.uppers[at] : hidden.lowers[at]) as Uint8Array;
      found = this.forward ? cursor.seek(bound, 0, bound.length) : cursor.seekBefore(bound, 0, bound.length);
    }
    return false;
  }

  /** Every source to its first entry in the direction of the walk. */
  private restart(): void {
    this.live = 0;
    for (let i = 0; i < this.sources.length; i++) {
      const { cursor } = this.source(i);
      if (this.uncover(i, this.forward ? cursor.next() : cursor.prev())) this.enter(i);
    }
  }

  /** Turns round: every source to the neighbour of the present key on the other side. */
  private turn(): void {
    const bytes = this.key.end - this.key.start;
    if (bytes > this.turnKey.length) this.turnKey = new Uint8Array(bytes * 2);
    copyBytes(this.key.buffer, this.key.start, this.key.end, this.turnKey, 0);
    this.forward = !this.forward;
    this.live = 0;
    for (let i = 0; i < this.sources.length; i++) {
      const { cursor } = this.source(i);
      let found = this.forward ? cursor.seek(this.turnKey, 0, bytes) : cursor.seekBefore(this.turnKey, 0, bytes);
      if (found && this.forward) {
        const { key } = cursor;
        if (compareBytes(key.buffer, key.start, key.end, this.turnKey, 0, bytes) === 0) found = cursor.next();
      }
      if (this.uncover(i, found)) this.enter(i);
    }
  }

  /** The first key that may belong to another source, or that a range tombstone hides. */
  private bulkLimit(hidden: KeyIntervals | undefined): ByteSlot | undefined {
    const next = this.live > 1 ? this.source(this.order[1]!).cursor.key : undefined;
    if (hidden === undefined) return next;
    const { key } = this.source(this.order[0]!).cursor;
    const lower = hidden.lowers[hidden.firstEndingAfter(key.buffer, key.start, key.end)];
    if (lower === undefined) return next;
    if (next !== undefined && compareBytes(next.buffer, next.start, next.end, lower, 0, lower.length) <= 0) return next;
    this.limit.set(lower, 0, lower.length);
    return this.limit;
  }
}
