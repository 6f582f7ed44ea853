/** The views of this engine: each pins a version, which holds its runs, and the runs among the layers above it. */
import type { Seq } from '@phantom/kv';
import { type Layer, type MemoryLayers, OpenViews, Run, bytesBeside } from '@phantom/runs';
import type { LsmFiles } from './lsm-files.js';
import { LsmView } from './lsm-view.js';
import type { RunFile } from './run-file.js';
import type { Version } from './version.js';

export type LsmViews = OpenViews<LsmView>;

export function lsmViews(files: LsmFiles, memory: MemoryLayers<RunFile>): LsmViews {
  const views: LsmViews = new OpenViews(memory, files.context, {
    present: (seq) => pin(seq, memory.layers(), files.version),
    again: (seq, { layers, version }) => pin(seq, layers, version),
    pinnedBytes: (open) => pinnedBytes(open, files.version),
  });
  const forget = (view: LsmView): void => views.forget(view);
  const pin = (seq: Seq, layers: readonly Layer[], version: Version): LsmView => {
    for (const layer of layers) if (layer instanceof Run) layer.retain();
    version.retain();
    const entries = files.entries.share(version === files.version && seq >= files.flushedSeq);
    return new LsmView(seq, layers, version, entries, forget);
  };
  return views;
}

function pinnedBytes(views: Iterable<LsmView>, present: Version): number {
  const held = [...views].flatMap(({ layers, version }) => [...layers, ...runsOf(version)]);
  return bytesBeside(new Set(runsOf(present)), held);
}

function runsOf(version: Version): Run[] {
  return version.files().map(({ run }) => run);
}
