/**
 * The views that are open, and what they hold. A view holds its runs itself; pages are held by the generation of its root.
 *
 * Views of a seq below what the pages hold already can still be asked for, as long as the last batch is not published:
 * for them the layers of before are kept (`keepForLaterViews`), which is nearly never more than a moment.
 */
import { assert } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { type Delta, type Layer, type MemoryLayers, Run, viewTooOldError } from '@phantom/runs';
import { BtreeView } from './btree-view.js';
import type { RunHandle, TreeFiles } from './tree-files.js';

export class ViewRegistry {
  private readonly files: TreeFiles;
  private readonly memory: MemoryLayers<RunHandle>;
  private readonly views = new Set<BtreeView>();
  /** What views below `until` are given. */
  private earlier: { readonly until: Seq; readonly view: BtreeView } | undefined = undefined;
  private isClosed = false;

  constructor(files: TreeFiles, memory: MemoryLayers<RunHandle>) {
    this.files = files;
    this.memory = memory;
  }

  /** Views that callers hold. */
  get count(): number {
    return this.views.size - (this.earlier === undefined ? 0 : 1);
  }

  /** Seq of the oldest view, `otherwise` when there is none. */
  oldestSeq(otherwise: Seq): Seq {
    let oldest = otherwise;
    for (const view of this.views) oldest = Math.min(oldest, view.seq);
    return oldest;
  }

  /** Bytes of files that are there for views alone. */
  pinnedBytes(): number {
    const { pager, runs } = this.files;
    const present = new Set(runs.map(({ run }) => run));
    const pinned = new Set<Run>();
    for (const { layers } of this.views) {
      for (const layer of layers) if (layer instanceof Run && !present.has(layer)) pinned.add(layer);
    }
    let bytes = 0;
    for (const run of pinned) bytes += run.bytes;
    for (const { pages } of pager.retiredRanges()) bytes += pages * pager.pageBytes;
    return bytes;
  }

  /**
   * Takes their files from the oldest views while views pin more than so many bytes; they answer with 72000 from then on.
   * Never from one that shows the present.
   */
  limitPinned(bytesMax: number): void {
    if (this.count === 0) return;
    for (let bytes = this.pinnedBytes(); bytes > bytesMax; bytes = this.pinnedBytes()) {
      const oldest = this.oldestOfThePast();
      if (oldest === undefined) return;
      const { context } = this.files;
      const reason = viewTooOldError(bytes, bytesMax, context.readerOf?.(oldest.seq));
      context.logger.warn(reason.message, { seq: oldest.seq, ...reason.data });
      oldest.revoke(reason);
    }
  }

  /** A view of the present, or of a moment ago. */
  open(seq: Seq): BtreeView {
    const { memory } = this;
    assert(seq <= memory.applied && seq >= memory.floor, 'a view lies between the last published and the applied seq');
    memory.floor = seq;
    this.dropEarlier();
    if (this.earlier === undefined) return this.pinPresent(seq);
    const { root, generation, layers } = this.earlier.view;
    const { pager, entries } = this.files;
    return this.add(new BtreeView(seq, pager, root, generation, layers, 0, entries.share(false), this.forget));
  }

  /** Pages and runs of the present go on to hold the effects up to `seq`; whoever may still ask for less is provided for. */
  keepForLaterViews(seq: Seq): void {
    this.dropEarlier();
    const { floor } = this.memory;
    if (floor >= seq) return;
    // What is kept already was so at the same floor: only the last batch may be unpublished.
    const view = this.earlier?.view ?? this.pinPresent(floor);
    this.earlier = { until: Math.max(seq, this.earlier?.until ?? 0), view };
  }

  /** Unpins what was kept for views that can no longer be asked for. */
  dropEarlier(): void {
    const { earlier } = this;
    if (earlier === undefined || this.memory.floor < earlier.until) return;
    this.earlier = undefined;
    earlier.view.release();
  }

  /** The seqs at which somebody may look at a delta: its live views, and the oldest that may still be made. Ascending. */
  seqsOf(delta: Delta): Seq[] {
    const seqs = new Set<Seq>();
    if (this.memory.floor < delta.lastSeq) seqs.add(this.memory.floor);
    for (const view of this.views) if (view.seq < delta.lastSeq && view.layers.includes(delta)) seqs.add(view.seq);
    return [...seqs].sort((a, b) => a - b);
  }

  /** Lets a run take the place of its delta in every view. */
  exchange(delta: Delta, run: Run): void {
    for (const view of this.views) view.exchange(delta, run);
  }

  /** Generations of the roots that views hold, ascending. */
  heldGenerations(): number[] {
    const generations = new Set<number>();
    for (const view of this.views) generations.add(view.generation);
    return [...generations].sort((a, b) => a - b);
  }

  /** Releases every view. */
  close(): void {
    this.isClosed = true;
    for (const view of this.views) view.release();
  }

  private oldestOfThePast(): BtreeView | undefined {
    let oldest: BtreeView | undefined;
    for (const view of this.views) {
      if (view.seq < this.memory.floor && view.seq < (oldest?.seq ?? Number.POSITIVE_INFINITY)) oldest = view;
    }
    return oldest;
  }

  private pinPresent(seq: Seq): BtreeView {
    const { files, memory } = this;
    const { pager, root, generation } = files;
    const layers: Layer[] = memory.layers();
    const memoryLayers = layers.length;
    for (const { run } of files.runs) layers.push(run);
    const entries = files.entries.share(seq >= files.flushedSeq);
    return this.add(new BtreeView(seq, pager, root, generation, layers, memoryLayers, entries, this.forget));
  }

  private add(view: BtreeView): BtreeView {
    for (const layer of view.layers) if (layer instanceof Run) layer.retain();
    this.views.add(view);
    return view;
  }

  private readonly forget = (view: BtreeView): void => {
    this.views.delete(view);
    if (!this.isClosed) this.files.pager.reclaim(this.heldGenerations());
  };
}
