/** What an engine tells of itself, as metrics: `phantom_` and its name in front. */
import type { Metrics } from '@phantom/base';
import type { EngineStats } from '@phantom/kv';

/** Every number of EngineStats but the seq of the oldest view, which means nothing beside the others. */
const FIGURES: readonly (readonly [name: string, help: string, of: (stats: EngineStats) => number])[] = [
  ['delta_bytes', 'Memory of writes that are in no file yet.', (stats) => stats.deltaBytes],
  ['frozen_deltas', 'Deltas that wait to be written to files.', (stats) => stats.frozenDeltas],
  ['runs', 'Sorted runs.', (stats) => stats.runs],
  ['file_bytes', 'Bytes of files.', (stats) => stats.fileBytes],
  [
    'cache_bytes',
    'Memory of pages and blocks that were read; engines that share a cache tell the same.',
    (stats) => stats.cacheBytes,
  ],
  ['cache_hits_total', 'Reads of pages and blocks that the cache answered.', (stats) => stats.cacheHits],
  ['pages_read_total', 'Pages and blocks read from files.', (stats) => stats.pagesRead],
  ['read_bytes_total', 'Bytes of them in files.', (stats) => stats.bytesRead],
  ['flushes_total', 'Deltas written to files.', (stats) => stats.flushes],
  ['flushed_bytes_total', 'Bytes written by that.', (stats) => stats.bytesFlushed],
  ['merges_total', 'Merges and compactions.', (stats) => stats.merges],
  ['merged_bytes_total', 'Bytes written by them.', (stats) => stats.bytesMerged],
  ['held_merges', 'Merges that wait because what they read is damaged.', (stats) => stats.damage.length],
  ['open_views', 'Views that hold files or memory of their moment.', (stats) => stats.openViews],
];

export function registerEngineMetrics(metrics: Metrics, engine: string, stats: () => EngineStats): void {
  const prefix = `phantom_${engine.replaceAll('-', '_')}_`;
  for (const [name, help, of] of FIGURES) {
    const read = (): number => of(stats());
    metrics.gauge(prefix + name, help, name.endsWith('_total') ? risingOnly(read) : read);
  }
}

/** What was read of a file leaves an engine's statistics with the file; a counter goes on from where it was. */
function risingOnly(read: () => number): () => number {
  let left = 0;
  let last = 0;
  return () => {
    const now = read();
    if (now < last) left += last - now;
    last = now;
    return left + now;
  };
}
