/**
 * The transactions that live, and what they share: the store, the locks, the window of commits.
 *
 * Two lists run through the transactions themselves, so beginning and ending one allocates nothing else:
 *   live       every transaction, oldest first
 *   snapshots  those that may write and hold a snapshot, by the seq from which on they need to know of commits. Snapshots
 *              are taken at visibleSeq, which only rises, so appending keeps the list in order, and its head says how much
 *              of the conflict index may be forgotten.
 */
import { SpareMemory } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { Store } from '@phantom/store';
import { CommitWindow } from './commit-window.js';
import { ConflictLedger } from './conflict-ledger.js';
import { describeKey } from './errors.js';
import type { LockOwner } from './lock-owner.js';
import { LockTable } from './lock-table.js';
import { POOLED_WRITE_SETS_MAX, type ResolvedMvccOptions } from './options.js';
import { PreparedTransactions } from './prepared.js';
import { SerializationGraph } from './serialization-graph.js';
import { type UnrecordedHolder, UnrecordedLocks } from './unrecorded-locks.js';
import type { TransactionInfo } from './types.js';
import { WriteSet } from './write-set.js';

/** A transaction as a member of the lists. */
export interface LiveTransaction {
  previousLive: LiveTransaction | undefined;
  nextLive: LiveTransaction | undefined;
  previousSnapshot: LiveTransaction | undefined;
  nextSnapshot: LiveTransaction | undefined;
  /** Commits above this seq may conflict with it; 0 when it is not in the list. */
  neededSeq: Seq;
  info(): TransactionInfo;
  /** Rolls it back if that is still possible. */
  end(): void;
}

export class TransactionRegistry {
  readonly store: Store;
  readonly options: ResolvedMvccOptions;
  readonly locks: LockTable;
  readonly window: CommitWindow;
  readonly ledger: ConflictLedger;
  readonly graph: SerializationGraph;
  readonly unrecorded: UnrecordedLocks;
  readonly prepared: PreparedTransactions;
  /** Keys that sessions hold beyond their transactions. */
  sessionLocks = 0;
  live = 0;
  begun = 0;
  committed = 0;
  rolledBack = 0;
  conflicts = 0;
  private firstLive: LiveTransaction | undefined;
  private lastLive: LiveTransaction | undefined;
  private firstSnapshot: LiveTransaction | undefined;
  private lastSnapshot: LiveTransaction | undefined;
  private readonly pool: WriteSet[] = [];
  /** What a large write set grows into. */
  private readonly spare = new SpareMemory();

  constructor(store: Store, options: ResolvedMvccOptions) {
    this.store = store;
    this.options = options;
    this.locks = new LockTable({
      policy: options.deadlockPolicy,
      waiting: options.waiting,
      describeKey: (key) => describeKey(options.names, key),
    });
    this.unrecorded = new UnrecordedLocks(this.locks, options.spillBytesMax);
    this.window = new CommitWindow(store, options.conflictIndexBytesMax);
    this.ledger = new ConflictLedger(options.names);
    this.graph = new SerializationGraph(store, this.ledger, options.serializableBytesMax);
    this.prepared = new PreparedTransactions(this);
  }

  addLive(transaction: LiveTransaction): void {
    transaction.previousLive = this.lastLive;
    if (this.lastLive === undefined) this.firstLive = transaction;
    else this.lastLive.nextLive = transaction;
    this.lastLive = transaction;
    this.live++;
    this.begun++;
  }

  removeLive(transaction: LiveTransaction): void {
    const { previousLive, nextLive } = transaction;
    if (previousLive === undefined) this.firstLive = nextLive;
    else previousLive.nextLive = nextLive;
    if (nextLive === undefined) this.lastLive = previousLive;
    else nextLive.previousLive = previousLive;
    transaction.previousLive = transaction.nextLive = undefined;
    this.live--;
  }

  /** Who has lived longest. */
  get oldest(): LiveTransaction | undefined {
    return this.firstLive;
  }

  /** Oldest first. */
  liveTransactions(): LiveTransaction[] {
    const all: LiveTransaction[] = [];
    for (let node = this.firstLive; node !== undefined; node = node.nextLive) all.push(node);
    return all;
  }

  /** Whether anybody but the owner holds a lock, with or without a record: nearly always nobody does. */
  isAnythingLockedBeside(owner: LockOwner): boolean {
    return this.locks.count > owner.lockCount || this.unrecorded.hasOthers(owner);
  }

  /** From now on the transaction must hear of commits above `seq`, which is visibleSeq. */
  addSnapshot(transaction: LiveTransaction, seq: Seq): void {
    transaction.neededSeq = seq;
    transaction.previousSnapshot = this.lastSnapshot;
    if (this.lastSnapshot === undefined) this.firstSnapshot = transaction;
    else this.lastSnapshot.nextSnapshot = transaction;
    this.lastSnapshot = transaction;
  }

  /** Nothing happens when it is not in the list. */
  removeSnapshot(transaction: LiveTransaction): void {
    const { previousSnapshot, nextSnapshot } = transaction;
    if (previousSnapshot === undefined && this.firstSnapshot !== transaction) return;
    if (previousSnapshot === undefined) this.firstSnapshot = nextSnapshot;
    else previousSnapshot.nextSnapshot = nextSnapshot;
    if (nextSnapshot === undefined) this.lastSnapshot = previousSnapshot;
    else nextSnapshot.previousSnapshot = previousSnapshot;
    transaction.previousSnapshot = transaction.nextSnapshot = undefined;
    if (previousSnapshot === undefined) this.forgetConflicts();
  }

  get hasSnapshots(): boolean {
    return this.firstSnapshot !== undefined;
  }

  get oldestSnapshotSeq(): Seq | undefined {
    return this.firstSnapshot?.neededSeq;
  }

  /** Lets the conflict index forget what nobody needs: called when the oldest snapshot goes and when a commit is published. */
  forgetConflicts(): void {
    const { index } = this.window;
    if (index.isEmpty) return;
    const { visibleSeq } = this.store;
    const oldest = this.firstSnapshot?.neededSeq;
    index.forget(oldest !== undefined && oldest < visibleSeq ? oldest : visibleSeq);
  }

  takeWriteSet(): WriteSet {
    return this.pool.pop() ?? new WriteSet(this.spare);
  }

  giveBack(owner: UnrecordedHolder, writes: WriteSet): void {
    if (writes.spilled !== undefined) {
      this.unrecorded.delete(owner);
      writes.close();
    }
    if (!writes.isReusable) {
      if (writes.isLent) this.spare.giveBack(writes.batch.surrender());
      return;
    }
    if (this.pool.length === POOLED_WRITE_SETS_MAX) return;
    writes.reset();
    this.pool.push(writes);
  }
}
