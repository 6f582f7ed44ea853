/**
 * A view: the deltas and the version of one moment. It answers from the newest layer down.
 *
 * When a delta that it holds is flushed, the engine exchanges it for the run, which keeps what this view sees of it; so a
 * view of yesterday costs disk, not memory. A cursor notices before its next move and goes on in the new layers from the
 * key it stands on.
 */
import { assert } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KeyRange, type KvCursor, type KvView, type Seq } from '@phantom/kv';
import {
  type KeyIntervals,
  type Layer,
  Lookup,
  type MergeSource,
  MergingCursor,
  type RangeTombstone,
  RevokedLayer,
  Run,
  overlaps,
  unionOf,
} from '@phantom/runs';
import { LevelCursor } from './level-cursor.js';
import type { Level, Version } from './version.js';

export class LsmView implements KvView {
  readonly seq: Seq;
  readonly version: Version;
  /** What lies above the version, newest first: deltas, and runs that took the place of deltas. */
  layers: readonly Layer[];
  /** Counts exchanges of layers. */
  exchanges = 0;
  private readonly released: (view: LsmView) => void;
  private isReleased = false;
  private isRevoked = false;

  /** Takes over a reference to the version and to each run among the layers. */
  constructor(seq: Seq, layers: readonly Layer[], version: Version, released: (view: LsmView) => void) {
    this.seq = seq;
    this.layers = layers;
    this.version = version;
    this.released = released;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    assert(!this.isReleased, 'a released view is read');
    const { layers, seq } = this;
    for (let i = 0; i < layers.length; i++) {
      const lookup = (layers[i] as Layer).get(key, start, end, seq, value);
      if (lookup !== Lookup.Absent) return lookup === Lookup.Found;
    }
    return this.version.get(key, start, end, seq, value) === Lookup.Found;
  }

  cursor(range: KeyRange): KvCursor {
    assert(!this.isReleased, 'a released view is read');
    return new ViewCursor(this, range);
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    if (!this.isRevoked) this.unpin();
    this.layers = [];
    this.released(this);
  }

  /** Lets go of everything; whoever asks from now on is told why. */
  revoke(reason: Error): void {
    if (this.isReleased || this.isRevoked) return;
    this.isRevoked = true;
    this.unpin();
    this.layers = [new RevokedLayer(reason)];
    this.exchanges++;
    this.released(this);
  }

  /** Lets a run take the place of a delta. No effect when the view does not hold it. */
  exchange(delta: Layer, run: Run): void {
    const at = this.layers.indexOf(delta);
    if (at < 0) return;
    run.retain();
    this.layers = this.layers.with(at, run);
    this.exchanges++;
  }

  private unpin(): void {
    for (const layer of this.layers) if (layer instanceof Run) layer.release();
    this.version.release();
  }
}

const Place = { Nowhere: 0, Inside: 1, BehindEnd: 2, BeforeStart: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

/** A merging cursor that follows its view's exchanges. */
class ViewCursor implements KvCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  private readonly view: LsmView;
  private readonly range: KeyRange;
  private merging: MergingCursor;
  private exchanges: number;
  private place: Place = Place.Nowhere;

  constructor(view: LsmView, range: KeyRange) {
    this.view = view;
    this.range = range;
    this.exchanges = view.exchanges;
    this.merging = this.open();
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    this.follow();
    return this.moved(this.merging.seek(key, start, end), Place.BehindEnd);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    this.follow();
    return this.moved(this.merging.seekBefore(key, start, end), Place.BeforeStart);
  }

  next(): boolean {
    if (this.place === Place.BehindEnd) return false;
    this.follow();
    return this.moved(this.merging.next(), Place.BehindEnd);
  }

  prev(): boolean {
    if (this.place === Place.BeforeStart) return false;
    this.follow();
    return this.moved(this.merging.prev(), Place.BeforeStart);
  }

  fill(batch: CursorBatch): number {
    batch.count = 0;
    if (this.place === Place.BehindEnd) return 0;
    this.follow();
    const count = this.merging.fill(batch);
    this.moved(count > 0, Place.BehindEnd);
    return count;
  }

  close(): void {
    this.merging.close();
    this.place = Place.BehindEnd;
  }

  private moved(found: boolean, otherwise: Place): boolean {
    this.place = found ? Place.Inside : otherwise;
    return found;
  }

  /** After an exchange: the same place in the new layers. Behind an end a fresh cursor is as good as the old one. */
  private follow(): void {
    if (this.exchanges === this.view.exchanges) return;
    this.exchanges = this.view.exchanges;
    const key = this.key.copy();
    this.merging.close();
    this.merging = this.open();
    if (this.place === Place.Inside) {
      assert(this.merging.seek(key, 0, key.length), 'an entry is still there after its delta was flushed');
    }
  }

  private open(): MergingCursor {
    const { view, range } = this;
    return new MergingCursor(new SourceStack(view.seq, range).sources(view.layers, view.version), this.key, this.value);
  }
}

/** Stacks the cursors of layers from the newest to the oldest, each with what hides its entries. */
class SourceStack {
  private readonly seq: Seq;
  private readonly range: KeyRange;
  private readonly stacked: MergeSource[] = [];
  private readonly above: RangeTombstone[] = [];
  /** The union of `above`, when it is up to date. */
  private hidden: KeyIntervals | undefined = undefined;
  private isFresh = true;

  constructor(seq: Seq, range: KeyRange) {
    this.seq = seq;
    this.range = range;
  }

  sources(layers: readonly Layer[], version: Version): MergeSource[] {
    for (const layer of layers) this.push(layer);
    for (const level of version.levels) {
      if (level.number === 0) this.pushOverlapping(level);
      else if (level.files.length > 0) this.pushOrdered(level);
    }
    return this.stacked;
  }

  private push(layer: Layer): void {
    this.stacked.push({ cursor: layer.cursor(this.range, this.seq), hidden: this.cover() });
    this.hide(layer);
  }

  private pushOverlapping(level: Level): void {
    for (const file of level.files) {
      if (!overlaps(file, this.range)) continue;
      file.seekCount.seeks++;
      this.push(file.run);
    }
  }

  private pushOrdered(level: Level): void {
    const { range, seq } = this;
    this.stacked.push({ cursor: new LevelCursor(level, range, seq), hidden: this.cover() });
    if (!level.hasTombstones) return;
    const to = level.endIn(range);
    for (let at = level.firstIn(range); at < to; at++) this.hide((level.files[at] as { run: Layer }).run);
  }

  /** What hides the entries of the next layer. */
  private cover(): KeyIntervals | undefined {
    if (!this.isFresh) {
      this.hidden = unionOf(this.above);
      this.isFresh = true;
    }
    return this.hidden;
  }

  private hide(layer: Layer): void {
    for (const tombstone of layer.rangeTombstones(this.seq)) {
      if (!overlaps(tombstone, this.range)) continue;
      this.above.push(tombstone);
      this.isFresh = false;
    }
  }
}
