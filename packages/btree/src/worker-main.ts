/** What the tree's worker threads run. */
import { ByteReader, type Checksums, ThreadPriority, silentLogger, standBack } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { BlockCache, Delta, type DeltaDescriptor, type Wait, serveTasks } from '@phantom/runs';
import { createNodeVfs } from '@phantom/vfs';
import {
  type JobPort,
  type RunTarget,
  type Slices,
  mergePages,
  openRuns,
  writeDelta,
  writeMergedRun,
} from './file-jobs.js';
import type { TreeRoot } from './format.js';
import type { RunEntry } from './meta-page.js';
import { type PageListData, PageRanges } from './page-ranges.js';
import { PageWriter } from './page-writer.js';
import { Pager } from './pager.js';

export interface FlushInput {
  readonly directory: string;
  readonly target: RunTarget;
  readonly delta: DeltaDescriptor;
  readonly viewSeqs: readonly Seq[];
}

export interface MergeRunsInput {
  readonly directory: string;
  readonly target: RunTarget;
  /** Newest first. */
  readonly runs: readonly RunEntry[];
}

export interface MergePagesInput {
  readonly directory: string;
  /** Path of the tree. */
  readonly file: string;
  readonly pageBytes: number;
  readonly tree: number;
  readonly pageCount: number;
  /** Pages that may be written to, as PageRanges encode them. */
  readonly free: Uint8Array;
  readonly generation: number;
  readonly root: TreeRoot;
  /** Newest first. */
  readonly runs: readonly RunEntry[];
}

export interface MergePagesOutput {
  readonly root: TreeRoot;
  readonly freed: PageListData;
  /** Pages that were taken, as PageRanges encode them; those behind the old end are among them. */
  readonly allocated: Uint8Array;
  readonly pageCount: number;
  readonly bytesWritten: number;
  readonly pagesRead: number;
  readonly pagesWritten: number;
}

/** How often the thread looks whether it is to stop. */
const SLICES: Slices = { monotonicMs: () => performance.now(), sliceMs: 20 };
/** Inner pages of the tree, mostly: leaves are read once. */
const PAGE_CACHE_BYTES = 16 * 1024 * 1024;

standBack(ThreadPriority.Background);

serveTasks({
  flush: ({ directory, target, delta, viewSeqs }: FlushInput, checksums) =>
    writeDelta(portOf(directory, checksums), target, Delta.attach(delta), viewSeqs, SLICES),
  *mergeRuns({ directory, target, runs }: MergeRunsInput, checksums): Generator<Wait, RunEntry> {
    const port = portOf(directory, checksums);
    const opened = openRuns(port, runs);
    try {
      return yield* writeMergedRun(port, target, opened, SLICES);
    } finally {
      for (const run of opened) run.release();
    }
  },
  *mergePages(input: MergePagesInput, checksums): Generator<Wait, MergePagesOutput> {
    const port = portOf(input.directory, checksums);
    const { pageBytes, tree, pageCount, generation, root } = input;
    const file = port.vfs.open(input.file, { mode: 'write' });
    const cache = new BlockCache(PAGE_CACHE_BYTES);
    const pager = new Pager({ file, checksums, cache, pageBytes, tree, pageCount });
    try {
      pager.free = PageRanges.decode(new ByteReader(input.free, input.file));
      const out = new PageWriter(pager, generation, false);
      const opened = openRuns(port, input.runs);
      try {
        const merged = yield* mergePages(out, root, opened, SLICES);
        return {
          root: merged.root,
          freed: merged.freed.data,
          allocated: out.allocated.toRanges().encode(),
          pageCount: pager.pageCount,
          bytesWritten: out.bytesWritten,
          pagesRead: pager.pagesRead,
          pagesWritten: pager.pagesWritten,
        };
      } finally {
        for (const run of opened) run.release();
      }
    } finally {
      pager.close();
    }
  },
});

function portOf(directory: string, checksums: Checksums): JobPort {
  return { vfs: createNodeVfs(), checksums, logger: silentLogger, directory };
}
