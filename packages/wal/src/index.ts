/** @phantom/wal: a durable write-ahead log. Its story is in log-appender.ts, group-commit.ts and format.ts. */
export { dumpWal } from './dump.js';
export { type SalvagedLog, type SalvagedRecord, salvageLog } from './log-salvage.js';
export { openWal } from './open-wal.js';
export type {
  Durability,
  LogOwner,
  Lsn,
  RecordMeta,
  ReplayOptions,
  Retention,
  Wal,
  WalOptions,
  WalRecord,
  WalRecordBatch,
  WalRecordRun,
  WalStats,
} from './wal-types.js';
