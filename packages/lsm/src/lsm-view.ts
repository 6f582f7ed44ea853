/**
 * A view: the deltas and the version of one moment. It answers from the newest layer down.
 *
 * When a delta that it holds is flushed, the engine exchanges it for the run, which keeps what this view sees of it; so a
 * view of yesterday costs disk, not memory. A cursor notices before its next move and goes on in the new layers from the
 * key it stands on.
 */
import { assert } from '@phantom/base';
import type { AttachedView, ByteSlot, KeyRange, KvCursor, RangeEstimate, Seq, ViewShare } from '@phantom/kv';
import {
  type EntryShare,
  KeyHash,
  type KeyIntervals,
  type Layer,
  Lookup,
  type MergeSource,
  MergingCursor,
  type RangeTombstone,
  RevokedLayer,
  Run,
  ViewCursor,
  overlaps,
  shareLayers,
  unionOf,
} from '@phantom/runs';
import { LevelCursor } from './level-cursor.js';
import { estimateRange } from './range-estimate.js';
import type { LsmViewDescriptor } from './shared-versions.js';
import type { Level, Version } from './version.js';

/** Of the key that is being looked up: a lookup never begins inside another one. */
const hash = new KeyHash();

export class LsmView implements AttachedView {
  readonly seq: Seq;
  readonly version: Version;
  private readonly entries: EntryShare;
  /** What lies above the version, newest first: deltas, and runs that took the place of deltas. */
  layers: readonly Layer[];
  /** Counts exchanges of layers. */
  exchanges = 0;
  private readonly released: (view: LsmView) => void;
  private isReleased = false;
  /** Why its files were taken from it. */
  ended: Error | undefined = undefined;

  /** Takes over a reference to the version and to each run among the layers. */
  constructor(
    seq: Seq,
    layers: readonly Layer[],
    version: Version,
    entries: EntryShare,
    released: (view: LsmView) => void,
  ) {
    this.seq = seq;
    this.layers = layers;
    this.version = version;
    this.entries = entries;
    this.released = released;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    assert(!this.isReleased, 'a released view is read');
    const { layers, seq, entries } = this;
    hash.set(key, start, end);
    for (let i = 0; i < layers.length; i++) {
      const lookup = (layers[i] as Layer).getHashed(key, start, end, hash, seq, value);
      if (lookup !== Lookup.Absent) return lookup === Lookup.Found;
    }
    if (entries.find(hash, key, start, end, value)) return true;
    if (this.version.get(key, start, end, hash, seq, value) !== Lookup.Found) return false;
    entries.note(hash, key, start, end, value);
    return true;
  }

  cursor(range: KeyRange): KvCursor {
    assert(!this.isReleased, 'a released view is read');
    return new ViewCursor(this, range);
  }

  estimate(range: KeyRange): RangeEstimate {
    return estimateRange(this.version, this.layers, range);
  }

  async share(): Promise<ViewShare> {
    assert(!this.isReleased, 'a released view is shared');
    if (this.ended !== undefined) throw this.ended;
    const { seq, version } = this;
    const files = version.files().map(({ entry, run }) => ({ entry, run: run.descriptor() }));
    const { layers, release } = await shareLayers(this.layers);
    const descriptor: LsmViewDescriptor = { seq, layers, files };
    return { descriptor, release };
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    if (this.ended === undefined) this.unpin();
    this.layers = [];
    this.released(this);
  }

  /** Lets go of everything; whoever asks from now on is told why. */
  revoke(reason: Error): void {
    if (this.isReleased || this.ended !== undefined) return;
    this.ended = reason;
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

  /** A cursor over all layers, with slots of its caller. */
  openCursor(range: KeyRange, key: ByteSlot, value: ByteSlot): MergingCursor {
    return new MergingCursor(new SourceStack(this.seq, range).sources(this.layers, this.version), key, value);
  }

  private unpin(): void {
    for (const layer of this.layers) if (layer instanceof Run) layer.release();
    this.version.release();
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
