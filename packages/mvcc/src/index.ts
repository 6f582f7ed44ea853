/** @phantom/mvcc: transactions over byte keys: snapshots, conflicts, row locks, savepoints. */
export type { Change, ChangeFeed, ChangeFeedOptions, CommitObserver, CommitResult } from '@phantom/store';
export { createMvcc } from './mvcc.js';
export { Retries } from './retries.js';
export { LOCK_SPACE, LockStrength, TableLockMode } from './types.js';
export type {
  Concurrency,
  ConflictCount,
  ConflictNames,
  DeadlockPolicy,
  HeldLock,
  Isolation,
  LockMode,
  LockWait,
  Mvcc,
  MvccOptions,
  MvccStats,
  MvccTransaction,
  PreparedTransactionInfo,
  RunOptions,
  Savepoint,
  SessionLocks,
  TransactionDescription,
  TransactionInfo,
  TransactionOptions,
  TransactionStatus,
  WaitingMode,
} from './types.js';
