/**
 * A view: the tree's root, the runs and the deltas of one moment. It answers from the newest layer down; with no layers
 * above the pages it is nothing but a tree.
 *
 * When a delta that it holds is flushed, the engine exchanges it for the run, which keeps what this view sees of it; so a
 * view of yesterday costs disk, not memory. A cursor notices before its next move and goes on in the new layers from the
 * key it stands on.
 */
import { assert } from '@phantom/base';
import type { AttachedView, ByteSlot, KeyRange, KvCursor, RangeEstimate, Seq, ViewShare } from '@phantom/kv';
import {
  KeyHash,
  type EntryShare,
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
import type { TreeRoot } from './format.js';
import type { Pager } from './pager.js';
import { estimateRange } from './range-estimate.js';
import type { BtreeViewDescriptor } from './shared-trees.js';
import { treeGet } from './tree.js';
import { Lease, TreeCursor } from './tree-cursor.js';

/** Of the key that is being looked up: a lookup never begins inside another one. */
const hash = new KeyHash();

export class BtreeView implements AttachedView {
  readonly seq: Seq;
  readonly pager: Pager;
  readonly root: TreeRoot;
  /** Roots of this generation and later ones are pinned by this view. */
  readonly generation: number;
  /** Newest first. */
  layers: readonly Layer[];
  /** How many of the layers lay above the files when the view was made. */
  private memoryLayers: number;
  private readonly entries: EntryShare;
  /** Counts exchanges of layers. */
  exchanges = 0;
  /** For each layer, and for the pages below all: what the layers above hide of it. Made for the first cursor. */
  private hidden: readonly (KeyIntervals | undefined)[] | undefined = undefined;
  /** A cursor was opened before. */
  private isScanned = false;
  private readonly released: (view: BtreeView) => void;
  private isReleased = false;
  private readonly lease = new Lease();

  /** Takes over a reference to each run among the layers. */
  constructor(
    seq: Seq,
    pager: Pager,
    root: TreeRoot,
    generation: number,
    layers: readonly Layer[],
    memoryLayers: number,
    entries: EntryShare,
    released: (view: BtreeView) => void,
  ) {
    this.seq = seq;
    this.pager = pager;
    this.root = root;
    this.generation = generation;
    this.layers = layers;
    this.memoryLayers = memoryLayers;
    this.entries = entries;
    this.released = released;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    assert(!this.isReleased, 'a released view is read');
    const { entries, memoryLayers } = this;
    hash.set(key, start, end);
    let lookup = this.getFromLayers(0, memoryLayers, key, start, end, value);
    if (lookup !== Lookup.Absent) return lookup === Lookup.Found;
    if (entries.find(hash, key, start, end, value)) return true;
    lookup = this.getFromLayers(memoryLayers, this.layers.length, key, start, end, value);
    if (lookup === Lookup.Removed) return false;
    if (lookup === Lookup.Absent && !treeGet(this.pager, this.root, key, start, end, value)) return false;
    entries.note(hash, key, start, end, value);
    return true;
  }

  cursor(range: KeyRange): KvCursor {
    assert(!this.isReleased, 'a released view is read');
    if (this.layers.length === 0) return new TreeCursor(this.pager, this.root, range, this.lease);
    return new ViewCursor(this, range);
  }

  estimate(range: KeyRange): RangeEstimate {
    return estimateRange(this.pager, this.root, this.layers, range);
  }

  get ended(): Error | undefined {
    return this.lease.ended;
  }

  async share(): Promise<ViewShare> {
    assert(!this.isReleased, 'a released view is shared');
    if (this.ended !== undefined) throw this.ended;
    const { seq, pager, root, memoryLayers } = this;
    const { pageBytes, tree, pageCount } = pager;
    const file = { path: pager.file.path, pageBytes, tree, pageCount };
    const { layers, release } = await shareLayers(this.layers);
    const descriptor: BtreeViewDescriptor = { seq, file, root, memoryLayers, layers };
    return { descriptor, release };
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.unpin();
    this.layers = [];
    this.released(this);
  }

  /** Lets go of everything; whoever asks from now on is told why. */
  revoke(reason: Error): void {
    if (this.isReleased || this.lease.ended !== undefined) return;
    this.unpin();
    this.lease.ended = reason;
    this.layers = [new RevokedLayer(reason)];
    this.memoryLayers = 1;
    this.hidden = undefined;
    this.exchanges++;
    this.released(this);
  }

  /** Lets a run take the place of a delta. No effect when the view does not hold it. */
  exchange(delta: Layer, run: Run): void {
    const at = this.layers.indexOf(delta);
    if (at < 0) return;
    run.retain();
    this.layers = this.layers.with(at, run);
    this.hidden = undefined;
    this.exchanges++;
  }

  /** A cursor over all layers, with slots of its caller. */
  openCursor(range: KeyRange, key: ByteSlot, value: ByteSlot): MergingCursor {
    const { layers, seq } = this;
    const hidden = this.hiddenIn(range);
    const sources: MergeSource[] = [];
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i] as Layer;
      if (layer instanceof Run && !layer.reaches(range)) continue;
      sources.push({ cursor: layer.cursor(range, seq), hidden: hidden[i] });
    }
    if (this.root.id !== 0) {
      sources.push({ cursor: new TreeCursor(this.pager, this.root, range, this.lease), hidden: hidden[layers.length] });
    }
    return new MergingCursor(sources, key, value);
  }

  /**
   * What the layers must not show of a range. Most views open one cursor, and there may be a tombstone for every table ever
   * dropped: the first cursor has those of its range alone put together, the second one all of them, for every later one.
   */
  private hiddenIn(range: KeyRange): readonly (KeyIntervals | undefined)[] {
    if (this.hidden !== undefined) return this.hidden;
    const hidden = hiddenBy(this.layers, this.seq, this.isScanned ? undefined : range);
    if (this.isScanned) this.hidden = hidden;
    this.isScanned = true;
    return hidden;
  }

  /** What the layers in [from, to) say of the key that was hashed. */
  private getFromLayers(
    from: number,
    to: number,
    key: Uint8Array,
    start: number,
    end: number,
    value: ByteSlot,
  ): Lookup {
    const { layers, seq } = this;
    for (let i = from; i < to; i++) {
      const lookup = (layers[i] as Layer).getHashed(key, start, end, hash, seq, value);
      if (lookup !== Lookup.Absent) return lookup;
    }
    return Lookup.Absent;
  }

  private unpin(): void {
    for (const layer of this.layers) if (layer instanceof Run) layer.release();
  }
}

/**
 * What each layer, and whatever lies below all of them, must not show: the range tombstones above it, as of a seq; only those
 * that reach into the range when there is one.
 */
function hiddenBy(layers: readonly Layer[], seq: Seq, range: KeyRange | undefined): (KeyIntervals | undefined)[] {
  const above: RangeTombstone[] = [];
  const hidden: (KeyIntervals | undefined)[] = [undefined];
  for (const layer of layers) {
    const before = above.length;
    for (const tombstone of layer.rangeTombstones(seq)) {
      if (range === undefined || overlaps(tombstone, range)) above.push(tombstone);
    }
    if (above.length === before) hidden.push(hidden.at(-1));
    else hidden.push(unionOf(above));
  }
  return hidden;
}
