/** What a store tells of itself, as metrics. */
import type { Metrics } from '@phantom/base';
import type { Checkpointer } from './checkpointer.js';
import type { CommitQueue } from './commit-queue.js';
import { registerEngineMetrics } from './engine-metrics.js';
import type { SpaceCatalog } from './space-catalog.js';
import type { ViewRegistry } from './views.js';

/** Registers them, and those of every engine that has files. */
export function registerStoreMetrics(
  metrics: Metrics,
  queue: CommitQueue,
  checkpointer: Checkpointer,
  views: ViewRegistry,
  catalog: SpaceCatalog,
): void {
  metrics.gauge('phantom_store_visible_seq', 'Seq of the last published commit.', () => queue.visibleSeq);
  metrics.gauge('phantom_store_queued_commits', 'Commits in the log that are not published yet.', () => queue.queued);
  metrics.gauge(
    'phantom_store_log_bytes',
    'Log written since the last checkpoint began.',
    () => checkpointer.logBytesSince,
  );
  metrics.gauge('phantom_store_checkpoints_total', 'Checkpoints done.', () => checkpointer.checkpoints);
  metrics.gauge('phantom_store_open_views', 'Pinned views.', () => views.openViews);
  for (const { engine, name, volatile } of catalog.engines)
    if (!volatile) registerEngineMetrics(metrics, name, () => engine.stats());
}
