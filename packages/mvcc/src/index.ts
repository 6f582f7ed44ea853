/** @phantom/mvcc: transactions over byte keys: snapshots, conflicts, row locks, savepoints. */
export { createMvcc } from './mvcc.js';
export { LockStrength } from './types.js';
export type {
  Concurrency,
  ConflictCount,
  ConflictNames,
  Isolation,
  LockWait,
  Mvcc,
  MvccOptions,
  MvccStats,
  MvccTransaction,
  Savepoint,
  TransactionDescription,
  TransactionInfo,
  TransactionOptions,
  TransactionStatus,
} from './types.js';
