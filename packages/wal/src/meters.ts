/** What the log counts, for `stats()` and for the metrics port. */
import type { Histogram, Metrics } from '@phantom/base';

const SYNC_SECONDS_BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

export class WalMeters {
  records = 0;
  bytesAppended = 0;
  writes = 0;
  syncs = 0;
  readonly syncSeconds: Histogram | undefined;

  constructor(metrics: Metrics | undefined) {
    this.syncSeconds = metrics?.histogram(
      'phantom_wal_sync_seconds',
      'Time of a group from write to sync',
      SYNC_SECONDS_BOUNDS,
    );
    metrics?.gauge('phantom_wal_records_total', 'Records appended since opening', () => this.records);
    metrics?.gauge(
      'phantom_wal_appended_bytes_total',
      'Bytes of records appended since opening',
      () => this.bytesAppended,
    );
    metrics?.gauge('phantom_wal_syncs_total', 'Sync calls on segments since opening', () => this.syncs);
  }
}
