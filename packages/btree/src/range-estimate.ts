/** What planners ask: about how much lies in a range, and where to cut it. Answered from index blocks and inner pages. */
import type { KeyRange, RangeEstimate } from '@phantom/kv';
import { type Layer, type MemoryLayers, cutRange } from '@phantom/runs';
import type { TreeRoot } from './format.js';
import type { Pager } from './pager.js';
import { treeCuts, treeEstimate } from './tree.js';
import { touchedPages } from './merge-policy.js';
import type { RunHandle, TreeFiles } from './tree-files.js';

/** Keys and bytes of a range over all layers. A key that was overwritten counts once for each layer that has it. */
export function estimateRange(pager: Pager, root: TreeRoot, layers: readonly Layer[], range: KeyRange): RangeEstimate {
  let { keys, bytes } = treeEstimate(pager, root, range);
  for (const layer of layers) {
    const part = layer.estimate(range);
    keys += part.keys;
    bytes += part.bytes;
  }
  return { keys: Math.round(keys), bytes: Math.round(bytes) };
}

/** Cuts a range where the largest layer is cut into equal parts. */
export function splitRange(
  files: TreeFiles,
  memory: MemoryLayers<RunHandle>,
  range: KeyRange,
  parts: number,
): KeyRange[] {
  let most = treeEstimate(files.pager, files.root, range).keys;
  let cuts = (): Uint8Array[] => treeCuts(files.pager, files.root, range, parts);
  for (const layer of [...memory.layers(), ...files.runs.map(({ run }) => run)]) {
    const { keys } = layer.estimate(range);
    if (keys <= most) continue;
    most = keys;
    cuts = () => layer.cuts(range, parts);
  }
  return cutRange(range, cuts());
}

/** Pieces of a run that are looked at one by one: where its keys ascend, only the last one touches many leaves. */
const PIECES = 32;
const EVERYTHING: KeyRange = { lower: new Uint8Array(0), upper: undefined };

/** About how many pages of the tree the entries of the runs would touch. */
export function estimateTouchedPages(files: TreeFiles): number {
  const { pager, root } = files;
  let touched = 0;
  for (const { run } of files.runs) {
    const bounds = [run.smallestKey, ...run.cuts(EVERYTHING, PIECES), run.largestKey];
    const entries = run.entries / (bounds.length - 1);
    for (let i = 1; i < bounds.length; i++) {
      const range = { lower: bounds[i - 1] as Uint8Array, upper: bounds[i] };
      const { bytes } = treeEstimate(pager, root, range);
      touched += touchedPages(bytes / pager.pageBytes + (root.id === 0 ? 0 : 1), entries);
    }
  }
  return Math.min(touched, root.pages);
}
