/** The views of this engine: each holds the runs among its layers, and its pages by the generation of its root. */
import { type Layer, type MemoryLayers, OpenViews, Run, bytesBeside } from '@phantom/runs';
import { BtreeView } from './btree-view.js';
import type { RunHandle, TreeFiles } from './tree-files.js';

export type BtreeViews = OpenViews<BtreeView>;

export function btreeViews(files: TreeFiles, memory: MemoryLayers<RunHandle>): BtreeViews {
  const views: BtreeViews = new OpenViews(memory, files.context, {
    present: (seq) => {
      const { pager, root, generation } = files;
      const layers: Layer[] = memory.layers();
      const memoryLayers = layers.length;
      for (const { run } of files.runs) layers.push(run);
      retainRuns(layers);
      const entries = files.entries.share(seq >= files.flushedSeq);
      return new BtreeView(seq, pager, root, generation, layers, memoryLayers, entries, forget);
    },
    again: (seq, { root, generation, layers }) => {
      retainRuns(layers);
      return new BtreeView(seq, files.pager, root, generation, layers, 0, files.entries.share(false), forget);
    },
    pinnedBytes: (open) => pinnedBytes(open, files),
  });
  const forget = (view: BtreeView): void => {
    views.forget(view);
    if (!views.isClosed) files.pager.reclaim(heldGenerations(views));
  };
  return views;
}

/** Generations of the roots that views hold, ascending. */
export function heldGenerations(views: Iterable<BtreeView>): number[] {
  const generations = new Set<number>();
  for (const view of views) generations.add(view.generation);
  return [...generations].sort((a, b) => a - b);
}

function retainRuns(layers: readonly Layer[]): void {
  for (const layer of layers) if (layer instanceof Run) layer.retain();
}

function pinnedBytes(views: Iterable<BtreeView>, { pager, runs }: TreeFiles): number {
  let bytes = bytesBeside(
    new Set(runs.map(({ run }) => run)),
    [...views].flatMap(({ layers }) => layers),
  );
  for (const { pages } of pager.retiredRanges()) bytes += pages * pager.pageBytes;
  return bytes;
}
