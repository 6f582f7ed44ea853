/** @phantom/wal: the write-ahead log. */
export type { Durability, Lsn, RecordMeta, Retention, Wal, WalOptions, WalRecord, WalRecordBatch, WalStats } from './wal-types.js';
