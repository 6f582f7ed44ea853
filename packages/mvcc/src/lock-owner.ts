/** Who holds locks and who waits for them, as the lock table sees it. */
import type { LockMode } from './types.js';

/** Owners that are one to the rest of the world: a transaction, or a session with its transaction. It waits for one lock at a time. */
export interface LockParty {
  readonly id: number;
  readonly name: string;
  readonly statement: string | undefined;
  /** The session's label. */
  readonly session: string | undefined;
  readonly lockWaits: LockRequest[];
  /** Number of the first attempt at the same work: less is older. */
  readonly age: number;
  /** How often it has lost to deadlocks since its last commit. */
  readonly losses: number;
  readonly priority: number;
  /** What would have to be done again, in bytes and locks. */
  readonly work: number;
  /** How long it waits for one lock at most, asked when it begins to wait; past it 55P03. 0: for ever. */
  readonly lockTimeoutMs: number;
  /** It was chosen to break a deadlock. */
  lost(): void;
  /** Ends its transaction with the error; false when that is no longer possible. */
  wound(error: Error): boolean;
}

/** A transaction, or a session's lasting locks, as the lock table sees it. The table writes the three lock fields. */
export interface LockOwner {
  readonly id: number;
  /** How errors name it: "transaction 7 (label)". */
  readonly name: string;
  lockSlot: number;
  /** Newest record, NONE when it holds nothing. */
  lockHead: number;
  lockCount: number;
  /** Its party's. */
  readonly lockWaits: LockRequest[];
  readonly party: LockParty;
  /** A commit that is in the log is over for it. */
  readonly readsAhead: boolean;
  /** Its own is. */
  readonly isCommitQueued: boolean;
}

export interface LockRequest {
  readonly owner: LockOwner;
  readonly hash: number;
  readonly key: Uint8Array;
  readonly mode: LockMode;
  resolve(): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout | undefined;
  /** When it began to wait, by the process's clock. */
  readonly sinceMs: number;
}
