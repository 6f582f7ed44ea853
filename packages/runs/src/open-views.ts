/**
 * The views of an engine that are open. What a view pins it holds itself; what is here says which deltas somebody looks at,
 * hands views out, and takes their files from the oldest when all of them together pin too much.
 *
 * Views of a seq below what the files hold already can still be asked for, as long as the last batch is not published: for
 * them what the files held before is kept (`keepForLaterViews`), which is nearly never more than a moment.
 */
import { type Logger, assert } from '@phantom/base';
import type { KvView, Seq } from '@phantom/kv';
import type { Delta } from './delta.js';
import type { Layer } from './layer.js';
import { viewTooOldError } from './revoked-layer.js';
import { Run } from './run-reader.js';

/** What is asked of a view here. */
export interface PinningView extends KvView {
  readonly layers: readonly Layer[];
  /** Lets a run take the place of a delta. No effect when the view does not hold it. */
  exchange(delta: Layer, run: Run): void;
  /** Lets go of everything; whoever asks from now on is told why. */
  revoke(reason: Error): void;
}

/** What an engine brings. It calls `forget` for each view that was released or revoked. */
export interface ViewMaker<V extends PinningView> {
  /** A view of what memory and files hold now. */
  present(seq: Seq): V;
  /** A view of what another one shows, which was kept for that. */
  again(seq: Seq, kept: V): V;
  /** Bytes of files that are there for these views alone. */
  pinnedBytes(views: Iterable<V>): number;
}

/** Of the engine's layers in memory: what views may be asked for. */
export interface ViewBounds {
  readonly applied: Seq;
  floor: Seq;
}

/** Who is told of views whose files were taken. */
export interface ViewContext {
  readonly logger: Logger;
  readonly readerOf?: ((seq: Seq) => string | undefined) | undefined;
  readonly renewViews?: (() => Seq | undefined) | undefined;
}

export class OpenViews<V extends PinningView> implements Iterable<V> {
  /** Nobody opens views any more. */
  isClosed = false;
  private readonly bounds: ViewBounds;
  private readonly context: ViewContext;
  private readonly maker: ViewMaker<V>;
  private readonly views = new Set<V>();
  /** What views below `until` are given. */
  private earlier: { readonly until: Seq; readonly view: V } | undefined = undefined;

  constructor(bounds: ViewBounds, context: ViewContext, maker: ViewMaker<V>) {
    this.bounds = bounds;
    this.context = context;
    this.maker = maker;
  }

  [Symbol.iterator](): IterableIterator<V> {
    return this.views.values();
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
    return this.maker.pinnedBytes(this.views);
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
      const { logger, readerOf } = this.context;
      const reason = viewTooOldError(bytes, bytesMax, readerOf?.(oldest.seq));
      logger.warn(reason.message, { seq: oldest.seq, ...reason.data });
      oldest.revoke(reason);
    }
  }

  /** A view of the present, or of a moment ago. */
  open(seq: Seq): V {
    const { bounds, maker } = this;
    assert(seq <= bounds.applied && seq >= bounds.floor, 'a view lies between the last published and the applied seq');
    bounds.floor = seq;
    this.dropEarlier();
    return this.added(this.earlier === undefined ? maker.present(seq) : maker.again(seq, this.earlier.view));
  }

  /** The files go on to hold the effects up to `seq`; whoever may still ask for less is provided for. */
  keepForLaterViews(seq: Seq): void {
    this.dropEarlier();
    const { floor } = this.bounds;
    if (floor >= seq) return;
    // What is kept already was so at the same floor: only the last batch may be unpublished.
    const view = this.earlier?.view ?? this.added(this.maker.present(floor));
    this.earlier = { until: Math.max(seq, this.earlier?.until ?? 0), view };
  }

  /** Files have taken the place of others: whatever is held of those for nobody goes. */
  renew(): void {
    const { bounds } = this;
    bounds.floor = Math.max(bounds.floor, this.context.renewViews?.() ?? 0);
    this.dropEarlier();
  }

  /** Lets go of what was kept for views that can no longer be asked for. */
  dropEarlier(): void {
    const { earlier } = this;
    if (earlier === undefined || this.bounds.floor < earlier.until) return;
    this.earlier = undefined;
    earlier.view.release();
  }

  /** The seqs at which somebody may look at a delta: its live views, and the oldest that may still be made. Ascending. */
  seqsOf(delta: Delta): Seq[] {
    const seqs = new Set<Seq>();
    if (this.bounds.floor < delta.lastSeq) seqs.add(this.bounds.floor);
    for (const view of this.views) if (view.seq < delta.lastSeq && view.layers.includes(delta)) seqs.add(view.seq);
    return [...seqs].sort((a, b) => a - b);
  }

  /** Lets a run take the place of its delta in every view. */
  exchange(delta: Delta, run: Run): void {
    for (const view of this.views) view.exchange(delta, run);
  }

  /** A view was released, or its files were taken. */
  forget(view: V): void {
    this.views.delete(view);
  }

  /** Releases every view. */
  close(): void {
    this.isClosed = true;
    for (const view of this.views) view.release();
  }

  private added(view: V): V {
    this.views.add(view);
    return view;
  }

  private oldestOfThePast(): V | undefined {
    let oldest: V | undefined;
    for (const view of this.views) {
      if (view.seq < this.bounds.floor && view.seq < (oldest?.seq ?? Number.POSITIVE_INFINITY)) oldest = view;
    }
    return oldest;
  }
}

/** Bytes of the runs among the layers that somebody holds, but for those that are present; each counts once. */
export function bytesBeside(present: ReadonlySet<Run>, held: Iterable<Layer>): number {
  const others = new Set<Run>();
  for (const layer of held) if (layer instanceof Run && !present.has(layer)) others.add(layer);
  let bytes = 0;
  for (const run of others) bytes += run.bytes;
  return bytes;
}
