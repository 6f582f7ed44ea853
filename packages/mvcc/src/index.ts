/** @phantom/mvcc: transactions over byte keys. */
export { LockStrength } from './types.js';
export type {
  Concurrency,
  ConflictNames,
  Isolation,
  LockWait,
  Mvcc,
  MvccOptions,
  MvccStats,
  MvccTransaction,
  Savepoint,
  TransactionInfo,
  TransactionOptions,
  TransactionStatus,
} from './types.js';
