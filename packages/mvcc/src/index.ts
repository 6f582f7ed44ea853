/** @phantom/mvcc: transactions over byte keys: snapshots, conflicts, row locks, savepoints. */
export { createMvcc } from './mvcc.js';
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
