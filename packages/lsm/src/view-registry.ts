/**
 * The views that are open. A view holds its version and its runs itself; what is here says which deltas are looked at, and
 * hands out views.
 *
 * Views of a seq below what the files hold already can still be asked for, as long as the last batch is not published:
 * for them the layers of before are kept (`keepForLaterViews`), which is nearly never more than a moment.
 */
import { assert } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { type Delta, type Layer, type MemoryLayers, Run, viewTooOldError } from '@phantom/runs';
import type { LsmFiles } from './lsm-files.js';
import { LsmView } from './lsm-view.js';
import type { RunFile } from './run-file.js';
import type { Version } from './version.js';

export class ViewRegistry {
  private readonly files: LsmFiles;
  private readonly memory: MemoryLayers<RunFile>;
  private readonly views = new Set<LsmView>();
  /** What views below `until` are given. */
  private earlier: { readonly until: Seq; readonly view: LsmView } | undefined = undefined;

  constructor(files: LsmFiles, memory: MemoryLayers<RunFile>) {
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
    const present = new Set(this.files.version.files().map(({ run }) => run));
    const pinned = new Set<Run>();
    for (const { version, layers } of this.views) {
      for (const { run } of version.files()) if (!present.has(run)) pinned.add(run);
      for (const layer of layers) if (layer instanceof Run && !present.has(layer)) pinned.add(layer);
    }
    let bytes = 0;
    for (const run of pinned) bytes += run.bytes;
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
  open(seq: Seq): LsmView {
    const { memory } = this;
    assert(seq <= memory.applied && seq >= memory.floor, 'a view lies between the last published and the applied seq');
    memory.floor = seq;
    this.dropEarlier();
    if (this.earlier === undefined) return this.pin(seq, memory.layers(), this.files.version);
    return this.pin(seq, this.earlier.view.layers, this.earlier.view.version);
  }

  /** The files of the present go on to hold the effects up to `seq`; whoever may still ask for less is provided for. */
  keepForLaterViews(seq: Seq): void {
    this.dropEarlier();
    const { floor } = this.memory;
    if (floor >= seq) return;
    // What is kept already was so at the same floor: only the last batch may be unpublished.
    const view = this.earlier?.view ?? this.pin(floor, this.memory.layers(), this.files.version);
    this.earlier = { until: Math.max(seq, this.earlier?.until ?? 0), view };
  }

  /** Lets go of what was kept for views that can no longer be asked for. */
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

  /** Releases every view. */
  close(): void {
    for (const view of this.views) view.release();
  }

  private oldestOfThePast(): LsmView | undefined {
    let oldest: LsmView | undefined;
    for (const view of this.views) {
      if (view.seq < this.memory.floor && view.seq < (oldest?.seq ?? Number.POSITIVE_INFINITY)) oldest = view;
    }
    return oldest;
  }

  private pin(seq: Seq, layers: readonly Layer[], version: Version): LsmView {
    for (const layer of layers) if (layer instanceof Run) layer.retain();
    version.retain();
    const { files } = this;
    const entries = files.entries.share(version === files.version && seq >= files.flushedSeq);
    const view = new LsmView(seq, layers, version, entries, this.forget);
    this.views.add(view);
    return view;
  }

  private readonly forget = (view: LsmView): void => {
    this.views.delete(view);
  };
}
