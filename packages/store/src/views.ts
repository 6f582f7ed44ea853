/**
 * Consistent pictures over all engines. A view pins each engine's state at one seq; the engines' views are made together,
 * between two commits, so no commit is ever seen in one engine and not in another.
 *
 * The present view is shared: while nothing is published, `present()` costs a count. It is kept for reuse when its last
 * user lets go, and freed with the next publish, flush, exchange of files or close, so an idle store pins nothing for
 * long, and whoever reads on sees the files of now.
 *
 * A view that is still open when checkpoint after checkpoint has gone by was most likely forgotten, with the iterator or the
 * snapshot that held it: it is warned of once. Transactions are not: the floor that has them names them itself.
 */
import { type Logger, assert } from '@phantom/base';
import {
  type ByteSlot,
  type KeyRange,
  type KvCursor,
  type KvView,
  type Seq,
  type ViewShare,
  engineOfKey,
} from '@phantom/kv';
import { shareViews } from './attached-store.js';
import type { SpaceCatalog } from './space-catalog.js';
import type { Readers } from './store-parts.js';
import { SpaceUses } from './space-use.js';
import type { StoreView } from './types.js';

/** So many checkpoints have gone by when a view is warned of: half a minute of writing at the least. */
const CHECKPOINTS_LONG = 60;

class SharedView implements StoreView {
  readonly seq: Seq;
  /** Users; the registry's own hold does not count. */
  references = 0;
  /** That have gone by since something newer was published. */
  checkpoints = 0;
  private readonly registry: ViewRegistry;
  private readonly catalog: SpaceCatalog;
  private readonly uses: SpaceUses;
  /** By engine code; a code without an engine has none. */
  private readonly views: readonly (KvView | undefined)[];

  constructor(registry: ViewRegistry, catalog: SpaceCatalog, seq: Seq) {
    this.registry = registry;
    this.catalog = catalog;
    this.uses = registry.uses;
    this.seq = seq;
    const views: (KvView | undefined)[] = [];
    for (const placed of catalog.engines) {
      while (views.length < placed.code) views.push(undefined);
      views[placed.code] = placed.engine.view(seq);
    }
    this.views = views;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    if (--this.uses.getsToNext === 0) this.uses.noteGet(key, start);
    const view = this.views[engineOfKey(key, start)];
    return (view ?? this.missing(key, start)).get(key, start, end, value);
  }

  cursor(range: KeyRange): KvCursor {
    const view = this.views[engineOfKey(range.lower, 0)];
    return this.uses.followed(range.lower, (view ?? this.missing(range.lower, 0)).cursor(range));
  }

  retain(): this {
    assert(this.references > 0, 'a view that was released cannot be retained');
    this.references++;
    return this;
  }

  release(): void {
    assert(this.references > 0, 'a view is released once for each time it was taken');
    if (--this.references === 0) this.registry.unused(this);
  }

  get ended(): Error | undefined {
    for (const view of this.views) if (view?.ended !== undefined) return view.ended;
    return undefined;
  }

  share(): Promise<ViewShare> {
    return shareViews(this.seq, this.views);
  }

  /** Lets go of the engines' views. */
  free(): void {
    for (const view of this.views) if (view !== undefined) view.release();
  }

  private missing(key: Uint8Array, start: number): never {
    this.catalog.engineOfKey(key, start);
    throw new Error('unreachable: the catalog has an engine that the view has not');
  }
}

export class ViewRegistry {
  /** Views with users, those kept for reuse not counted. */
  openViews = 0;
  readonly uses = new SpaceUses();
  private readonly catalog: SpaceCatalog;
  private readonly logger: Logger;
  private readonly readers: Readers;
  private current: SharedView | undefined;
  /** Views with users that no longer show the present. */
  private readonly past = new Set<SharedView>();

  constructor(catalog: SpaceCatalog, logger: Logger, readers: Readers) {
    this.catalog = catalog;
    this.logger = logger;
    this.readers = readers;
  }

  /** The state as of `seq`, which is the store's visibleSeq. Release it once. */
  present(seq: Seq): StoreView {
    let view = this.current;
    if (view === undefined || view.seq !== seq) {
      this.forget();
      view = this.current = new SharedView(this, this.catalog, seq);
    }
    if (view.references++ === 0) this.openViews++;
    return view;
  }

  /** Something was published, an engine has other files, or memory is wanted back: a view kept for reuse goes. */
  forget(): void {
    const view = this.current;
    if (view === undefined) return;
    this.current = undefined;
    if (view.references === 0) view.free();
    else this.past.add(view);
  }

  /** A checkpoint begins: memory is wanted back, and who has held a view for long is told of. */
  checkpointed(): void {
    this.forget();
    for (const view of this.past) {
      if (++view.checkpoints !== CHECKPOINTS_LONG || this.readers.name?.(view.seq) !== undefined) continue;
      this.logger.warn('a view is held for long: an iterator or a snapshot may have been left open', {
        seq: view.seq,
        holds: view.references,
        checkpoints: view.checkpoints,
        openViews: this.openViews,
      });
    }
  }

  unused(view: SharedView): void {
    this.openViews--;
    if (view === this.current) return;
    this.past.delete(view);
    view.free();
  }
}
