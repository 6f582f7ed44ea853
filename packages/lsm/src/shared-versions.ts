/**
 * Versions that a thread reads for another one: the same runs, opened anew, with a cache of its own. No file that a view of
 * the other thread pins is removed, so nothing here needs a lock.
 */
import type { AttachedView, Seq } from '@phantom/kv';
import {
  AttachedRuns,
  BlockCache,
  EntryCache,
  type LayerDescriptor,
  type RunDescriptor,
  newRunCounters,
} from '@phantom/runs';
import type { AttachContext, EngineReads, ViewAttacher } from '@phantom/store';
import { LsmView } from './lsm-view.js';
import type { RunEntry } from './manifest-codec.js';
import { RunFile } from './run-file.js';
import { Version } from './version.js';

/** A view as plain data and shared memory. */
export interface LsmViewDescriptor {
  readonly seq: Seq;
  readonly layers: readonly LayerDescriptor[];
  /** The runs of its version. */
  readonly files: readonly { readonly entry: RunEntry; readonly run: RunDescriptor }[];
}

export class SharedVersions implements ViewAttacher {
  private readonly cache: BlockCache;
  private readonly runs: AttachedRuns;
  private readonly counters = newRunCounters();

  constructor({ vfs, checksums, cacheBytes }: AttachContext) {
    this.cache = new BlockCache(cacheBytes);
    this.runs = new AttachedRuns({ vfs, checksums, cache: this.cache, counters: this.counters });
  }

  open(descriptor: unknown): AttachedView {
    const { seq, layers, files } = descriptor as LsmViewDescriptor;
    const added = files.map(({ entry, run }) => new RunFile(entry, this.runs.open(run)));
    const version = Version.empty().changed({ removed: [], added });
    for (const { run } of added) run.release();
    const opened = this.runs.layers(layers);
    this.runs.settle();
    // Entries are cached for views that see all that the files hold, and nobody here knows which do.
    const entries = new EntryCache(this.cache).share(false);
    return new LsmView(seq, opened, version, entries, () => undefined);
  }

  reads(): EngineReads {
    const { blocksRead, bytesRead, blockHits } = this.counters;
    return { cacheHits: blockHits, pagesRead: blocksRead, bytesRead };
  }

  rest(): void {
    this.runs.rest();
  }

  close(): void {
    this.rest();
  }
}
