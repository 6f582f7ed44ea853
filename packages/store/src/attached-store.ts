/**
 * Reading a store from another thread: a view is described (`StoreView.share`), the description travels in a message, and an
 * AttachedStore over there opens it from the same files.
 *
 *      thread of the store                                   another thread
 *      view ──share──► descriptor ─────── message ─────────► AttachedStore.open ──► view of the same seq
 *      stays pinned, with the copies of its deltas           get, cursor, estimate; files and caches of its own
 *      released  ◄──────────────────── done ───────────────  released
 *
 * Immutable files and copies are all that the two share, so there is nothing to lock and nothing to wait for. An engine whose
 * views cannot be shared (one in memory) is not there on the other side: its keys must not be asked for.
 */
import { assert } from '@phantom/base';
import {
  type AttachedView,
  type ByteSlot,
  type KeyRange,
  type KvCursor,
  type KvView,
  type RangeEstimate,
  type Seq,
  type ViewShare,
  engineOfKey,
} from '@phantom/kv';
import type { AttachContext, EngineFactory, EngineReads, ViewAttacher } from './types.js';

/** A view of a store as plain data and shared memory. */
interface StoreViewDescriptor {
  readonly seq: Seq;
  /** By engine code; undefined for engines that are not there. */
  readonly views: readonly unknown[];
}

/** Describes the views of all engines, by code. */
export async function shareViews(seq: Seq, views: readonly (KvView | undefined)[]): Promise<ViewShare> {
  const outcomes = await Promise.allSettled(views.map((view) => view?.share?.()));
  const shares = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
  const release = (): void => {
    for (const share of shares) share?.release();
  };
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    release();
    throw outcome.reason;
  }
  const descriptor: StoreViewDescriptor = { seq, views: shares.map((share) => share?.descriptor) };
  return { descriptor, release };
}

/** What a thread has open of a store that another one writes. */
export class AttachedStore {
  /** By engine code. */
  private readonly attachers: (ViewAttacher | undefined)[] = [];

  /** `factories` are those that the store was opened with, as far as they can attach. */
  constructor(factories: readonly EngineFactory[], context: AttachContext) {
    for (const factory of factories) this.attachers[factory.code] = factory.attach?.(context);
  }

  /** Opens a view that the store's thread shares. Release it once. */
  open(descriptor: unknown): AttachedView {
    const { seq, views } = descriptor as StoreViewDescriptor;
    const opened = views.map((view, code) => (view === undefined ? undefined : this.attachers[code]?.open(view)));
    return new AttachedStoreView(seq, opened);
  }

  /** What has been read so far, over all engines. */
  reads(): EngineReads {
    const sum = { cacheHits: 0, pagesRead: 0, bytesRead: 0 };
    for (const attacher of this.attachers) {
      if (attacher === undefined) continue;
      const { cacheHits, pagesRead, bytesRead } = attacher.reads();
      sum.cacheHits += cacheHits;
      sum.pagesRead += pagesRead;
      sum.bytesRead += bytesRead;
    }
    return sum;
  }

  /** No view is open, and none is expected soon: lets go of files. */
  rest(): void {
    for (const attacher of this.attachers) attacher?.rest();
  }

  close(): void {
    for (const attacher of this.attachers) attacher?.close();
  }
}

class AttachedStoreView implements AttachedView {
  readonly seq: Seq;
  private readonly views: readonly (AttachedView | undefined)[];

  constructor(seq: Seq, views: readonly (AttachedView | undefined)[]) {
    this.seq = seq;
    this.views = views;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    return this.viewOf(key, start).get(key, start, end, value);
  }

  cursor(range: KeyRange): KvCursor {
    return this.viewOf(range.lower, 0).cursor(range);
  }

  estimate(range: KeyRange): RangeEstimate {
    return this.viewOf(range.lower, 0).estimate(range);
  }

  release(): void {
    for (const view of this.views) view?.release();
  }

  private viewOf(key: Uint8Array, start: number): AttachedView {
    const view = this.views[engineOfKey(key, start)];
    assert(view !== undefined, 'a key of an engine that was not shared is asked for');
    return view;
  }
}
