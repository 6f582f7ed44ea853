/**
 * Trees that a thread reads for another one: pages from the same file, into a cache of its own. Nothing that a view of the
 * other thread pins is written over or removed, so nothing here needs a lock; a page carries the checksum that its parent
 * names, so one that is cached is found again by later views, and never in place of another one.
 */
import type { AttachedView, Seq } from '@phantom/kv';
import { AttachedRuns, BlockCache, EntryCache, type LayerDescriptor, newRunCounters } from '@phantom/runs';
import type { AttachContext, EngineReads, ViewAttacher } from '@phantom/store';
import { BtreeView } from './btree-view.js';
import { type TreeRoot, rootOf } from './format.js';
import { Pager } from './pager.js';

/** The file of a tree. */
interface TreeFile {
  readonly path: string;
  readonly pageBytes: number;
  readonly tree: number;
  readonly pageCount: number;
}

/** A view as plain data and shared memory. */
export interface BtreeViewDescriptor {
  readonly seq: Seq;
  readonly file: TreeFile;
  readonly root: TreeRoot;
  readonly memoryLayers: number;
  readonly layers: readonly LayerDescriptor[];
}

export class SharedTrees implements ViewAttacher {
  private readonly context: AttachContext;
  private readonly cache: BlockCache;
  private readonly runs: AttachedRuns;
  private readonly counters = newRunCounters();
  /** Of the tree read last. */
  private pager: Pager | undefined = undefined;

  constructor(context: AttachContext) {
    const { vfs, checksums, cacheBytes } = context;
    this.context = context;
    this.cache = new BlockCache(cacheBytes);
    this.runs = new AttachedRuns({ vfs, checksums, cache: this.cache, counters: this.counters });
  }

  open(descriptor: unknown): AttachedView {
    const { seq, file, root, memoryLayers, layers } = descriptor as BtreeViewDescriptor;
    const pager = this.pagerOf(file);
    const opened = this.runs.layers(layers);
    this.runs.settle();
    // Entries are cached for views that see all that the files hold, and nobody here knows which do.
    const entries = new EntryCache(this.cache).share(false);
    return new BtreeView(seq, pager, rootOf(root, root.level), 0, opened, memoryLayers, entries, () => undefined);
  }

  reads(): EngineReads {
    const { blocksRead, bytesRead, blockHits } = this.counters;
    const { pagesRead, cacheHits, pageBytes } = this.pager ?? { pagesRead: 0, cacheHits: 0, pageBytes: 0 };
    return {
      cacheHits: cacheHits + blockHits,
      pagesRead: pagesRead + blocksRead,
      bytesRead: pagesRead * pageBytes + bytesRead,
    };
  }

  rest(): void {
    this.runs.rest();
  }

  close(): void {
    this.rest();
    this.pager?.close();
    this.pager = undefined;
  }

  private pagerOf({ path, pageBytes, tree, pageCount }: TreeFile): Pager {
    const { vfs, checksums } = this.context;
    const { pager, cache } = this;
    if (pager !== undefined && pager.file.path === path && pager.tree === tree) {
      pager.grow(pageCount);
      return pager;
    }
    pager?.close();
    const file = vfs.open(path, { mode: 'read' });
    this.pager = new Pager({ file, checksums, cache, pageBytes, tree, pageCount });
    return this.pager;
  }
}
