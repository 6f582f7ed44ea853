/**
 * A view's walk over a delta. It stands on tree entries; those without a version at its seq are passed over, removed ones
 * are shown as such. Batches may be applied to the delta in between: entries they add are younger than the view, and the
 * tree cursor finds its place again.
 *
 * Whether a key lies inside the range is asked once per leaf, not once per entry, as long as nothing is inserted.
 */
import { compareBytes } from '@phantom/base';
import { ArenaTreeCursor, ByteSlot, type CursorBatch, type KeyRange, NONE, type Seq } from '@phantom/kv';
import type { Delta } from './delta.js';
import type { LayerCursor } from './layer.js';

/** Where a cursor stands. */
const Place = { Fresh: 0, Entry: 1, Before: 2, Behind: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

export class DeltaCursor implements LayerCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  removed = false;
  private readonly delta: Delta;
  private readonly walk: ArenaTreeCursor;
  private readonly seq: Seq;
  private readonly lower: Uint8Array;
  private readonly upper: Uint8Array | undefined;
  private place: Place = Place.Fresh;
  /** The leaf that lies in the range whole, and the state of the tree at which that was found. */
  private insideLeaf: number = NONE;
  private insideModifications = -1;

  constructor(delta: Delta, range: KeyRange, seq: Seq) {
    this.delta = delta;
    this.walk = new ArenaTreeCursor(delta.tree);
    this.seq = seq;
    this.lower = range.lower;
    this.upper = range.upper;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    const { lower } = this;
    const isBelow = compareBytes(key, start, end, lower, 0, lower.length) < 0;
    return this.settleForward(isBelow ? this.walk.seek(lower, 0, lower.length) : this.walk.seek(key, start, end));
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    const { upper } = this;
    const isAbove = upper !== undefined && compareBytes(key, start, end, upper, 0, upper.length) > 0;
    return this.settleBackward(
      isAbove ? this.walk.seekBefore(upper, 0, upper.length) : this.walk.seekBefore(key, start, end),
    );
  }

  next(): boolean {
    if (this.place === Place.Entry) return this.settleForward(this.walk.next());
    return this.place !== Place.Behind && this.seek(this.lower, 0, this.lower.length);
  }

  prev(): boolean {
    if (this.place === Place.Entry) return this.settleBackward(this.walk.prev());
    if (this.place === Place.Before) return false;
    const { upper } = this;
    return upper === undefined ? this.settleBackward(this.walk.last()) : this.seekBefore(upper, 0, upper.length);
  }

  /** Hands out entries where they lie: the arena is only ever appended to. */
  fillBefore(batch: CursorBatch, limit: ByteSlot | undefined): void {
    const { key, value } = this;
    let i = batch.count;
    for (;;) {
      batch.keyBuffers[i] = key.buffer;
      batch.keyStarts[i] = key.start;
      batch.keyEnds[i] = key.end;
      batch.valueBuffers[i] = value.buffer;
      batch.valueStarts[i] = value.start;
      batch.valueEnds[i] = value.end;
      batch.count = ++i;
      if (i === batch.capacity) return;
      let more = this.next();
      while (more && this.removed && this.isBelow(limit)) more = this.next();
      if (!more || !this.isBelow(limit)) break;
    }
    // The walk looked one step too far.
    const last = i - 1;
    this.seek(batch.keyBuffers[last] as Uint8Array, batch.keyStarts[last]!, batch.keyEnds[last]!);
  }

  close(): void {
    this.place = Place.Behind;
  }

  private settleForward(found: boolean): boolean {
    const { walk } = this;
    for (let more = found; more; more = walk.next()) {
      if (!this.isInside()) break;
      if (this.show(walk.entry)) return true;
    }
    this.place = Place.Behind;
    return false;
  }

  private settleBackward(found: boolean): boolean {
    const { walk } = this;
    for (let more = found; more; more = walk.prev()) {
      if (!this.isInside()) break;
      if (this.show(walk.entry)) return true;
    }
    this.place = Place.Before;
    return false;
  }

  /** True when the present entry lies in the range. */
  private isInside(): boolean {
    const { walk } = this;
    const { tree } = walk;
    if (walk.leaf === this.insideLeaf && tree.modifications === this.insideModifications) return true;
    const first = tree.entryAt(walk.leaf, 0);
    const last = tree.entryAt(walk.leaf, tree.leafCount(walk.leaf) - 1);
    if (!this.isBelowLower(first) && !this.isAtUpper(last)) {
      this.insideLeaf = walk.leaf;
      this.insideModifications = tree.modifications;
      return true;
    }
    return !this.isBelowLower(walk.entry) && !this.isAtUpper(walk.entry);
  }

  private isBelowLower(entry: number): boolean {
    const { lower } = this;
    const { tree } = this.walk;
    return compareBytes(tree.keys, tree.keyStart(entry), tree.keyEnd(entry), lower, 0, lower.length) < 0;
  }

  private isAtUpper(entry: number): boolean {
    const { upper } = this;
    const { tree } = this.walk;
    if (upper === undefined) return false;
    return compareBytes(tree.keys, tree.keyStart(entry), tree.keyEnd(entry), upper, 0, upper.length) >= 0;
  }

  private isBelow(limit: ByteSlot | undefined): boolean {
    if (limit === undefined) return true;
    const { buffer, start, end } = this.key;
    return compareBytes(buffer, start, end, limit.buffer, limit.start, limit.end) < 0;
  }

  private show(entry: number): boolean {
    const { delta, seq } = this;
    const operation = delta.operationAt(entry, seq);
    if (operation === NONE) return false;
    const { tree, tombstones } = delta;
    const start = tree.keyStart(entry);
    const end = tree.keyEnd(entry);
    this.key.set(tree.keys, start, end);
    if (tombstones.count > 0 && tombstones.newestOperation(tree.keys, start, end, seq) > operation) {
      this.removed = true;
      this.value.set(tree.keys, 0, 0);
    } else {
      this.removed = !delta.readValue(operation, end - start, this.value);
    }
    this.place = Place.Entry;
    return true;
  }
}
