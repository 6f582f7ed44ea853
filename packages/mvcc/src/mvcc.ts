/**
 * Transactions over byte keys: what SQL and documents share. It stands on a store and adds what a store does not know:
 * who reads which moment, who may commit, who waits for whom.
 *
 * One number is commit sequence and snapshot (store.ts). A transaction reads a view pinned at one seq, and lays its own
 * writes over it:
 *
 *      key
 *       c │        2 ─────────────── 5 ───────►
 *       b │   1 ───────── 3 ──────────────────►         each number is the commit that wrote the version
 *       a │   1 ──────────────── 4 ───────────►
 *         └───┬────┬──────┬──────┬───┬────────► seq
 *                         ▲          ▲
 *              T's snapshot (3)      T commits: may it?
 *              sees a=1 b=3 c=2
 *
 * It may unless somebody committed a key that T writes in between (first committer wins, Berenson et al. 1995): had T
 * written `a`, it would lose with 40001 to commit 4. That is snapshot isolation, `repeatable read` here as in PostgreSQL.
 * `read committed` takes a new snapshot for each statement and locks what it writes: instead of losing it waits, looks
 * again and goes on, so nobody has to know of 40001. `serializable` is snapshot isolation that also watches who reads what
 * others write, and lets nobody commit who would close a cycle.
 *
 * Where things are:
 *   transaction.ts     one transaction: its parts, its phases, its end
 *   transaction-reads.ts  what it reads; undo.ts going back to savepoints and statements; reading-ends.ts who has only read
 *   write-set.ts       what it has written, and the index over it; own-cursor.ts and merge-cursor.ts walk it
 *   spill.ts           what memory should not hold of that is put aside on disk; unrecorded-locks.ts, whose keys those are
 *   commit-process.ts  from commit() to its answer; validation.ts decides whether it may
 *   snapshots.ts       what it reads by; read-ahead.ts shows commits that are in the log only; constraint-guards.ts what it relies on
 *   commit-window.ts   what live transactions must know of commits, queued and published; conflict-index.ts the keys
 *   serialization-graph.ts  serializable: dangerous structures; read-set.ts what was read, tracked-cursor.ts by scans
 *   conflict-ledger.ts the errors of lost races, and how many were lost on which key
 *   lock-table.ts      locks, fair queues (lock-records.ts: their memory); wait-for-graph.ts finds deadlocks when a wait begins, deadlock-policy.ts breaks them
 *   retries.ts         running work again that has lost, with locks on what it has lost
 *   long-transactions.ts  names those that live for long
 *   registry.ts        who lives, whose snapshot is oldest
 *
 * Invariants (those of the project's design that are kept here):
 *   8. Prepared transactions are ordinary commits into a system space (write set, locks, what was read), restored before the
 *      first validation after a restart; committing one is one batch that applies and deletes it (prepared.ts).
 *   9. Constraint reads hold at every isolation level: by lock, or as guards that validation checks. A lost unique race is
 *      23505, a lost serialization race 40001.
 *  11. Conflicts are decided in memory: keys written lately, back to the oldest live read-write snapshot, plus queued
 *      commits, bounded by conflictIndexBytesMax; past it 40001 with that reason. Nothing is recorded while no other
 *      read-write transaction lives.
 * And of its own:
 *   A. Validation and append are one synchronous turn.
 *   B. Row locks are held until the commit that they protect is published. Who reads ahead (autocommit statements, batches)
 *      takes it for done once it is in the log, and commits behind it: nothing of it is shown before the other is durable.
 *   C. A read-only snapshot costs one reference to a view, whatever happens meanwhile.
 */
import { PhantomError, SqlState } from '@phantom/base';
import type { KvView, Seq, SpaceId } from '@phantom/kv';
import type { ChangeFeed, ChangeFeedOptions, CommitObserver, CommitResult, Store } from '@phantom/store';
import { describeKey } from './errors.js';
import { LongTransactions, nameReader } from './long-transactions.js';
import { resolveMvccOptions } from './options.js';
import { TransactionRegistry } from './registry.js';
import { Retries } from './retries.js';
import { LastingLocks } from './session-locks.js';
import { Transaction } from './transaction.js';
import type {
  ConflictCount,
  HeldLock,
  PreparedTransactionInfo,
  RunOptions,
  Mvcc,
  MvccOptions,
  MvccStats,
  MvccTransaction,
  SessionLocks,
  TransactionInfo,
  TransactionOptions,
} from './types.js';

/** Transactions over a store. The store stays the caller's: close it after this. */
export function createMvcc(store: Store, options: MvccOptions = {}): Mvcc {
  return new TransactionManager(store, options);
}

const NO_OPTIONS: TransactionOptions = {};

class TransactionManager implements Mvcc {
  private readonly registry: TransactionRegistry;
  private readonly longTransactions: LongTransactions;
  private nextId: number;
  private isClosed = false;

  constructor(store: Store, options: MvccOptions) {
    const resolved = resolveMvccOptions(options);
    this.registry = new TransactionRegistry(store, resolved);
    this.longTransactions = new LongTransactions(this.registry);
    store.nameReaders((seq) => nameReader(this.registry, seq));
    this.nextId = this.registry.prepared.lastId + 1;
    const { metrics } = resolved;
    metrics.gauge('phantom_mvcc_live_transactions', 'Transactions under way.', () => this.registry.live);
    metrics.gauge(
      'phantom_mvcc_oldest_transaction_age_ms',
      'Age of the transaction that has lived longest, in milliseconds.',
      () => this.registry.oldest?.info().ageMs ?? 0,
    );
    metrics.gauge(
      'phantom_mvcc_oldest_transaction_id',
      'Id of the transaction that has lived longest, as in phantom.transactions; 0 without any.',
      () => this.registry.oldest?.info().id ?? 0,
    );
    metrics.gauge('phantom_mvcc_committed_total', 'Transactions committed.', () => this.registry.committed);
    metrics.gauge('phantom_mvcc_conflicts_total', 'Commits that lost a race.', () => this.registry.conflicts);
    metrics.gauge('phantom_mvcc_deadlocks_total', 'Deadlocks broken.', () => this.registry.locks.deadlocks);
    metrics.gauge(
      'phantom_mvcc_conflict_index_bytes',
      'Memory of recently written keys.',
      () => this.registry.window.index.bytes,
    );
    metrics.gauge(
      'phantom_mvcc_spilled_bytes',
      'What live transactions have put aside on disk.',
      () => this.registry.unrecorded.bytes,
    );
    metrics.gauge(
      'phantom_mvcc_serializable_bytes',
      'Memory of what committed serializable transactions read and wrote.',
      () => this.registry.graph.bytes,
    );
    metrics.gauge(
      'phantom_mvcc_prepared_transactions',
      'Transactions that wait for their second phase.',
      () => this.registry.prepared.count,
    );
    metrics.gauge(
      'phantom_mvcc_prepared_age_ms',
      'Age of the oldest prepared transaction in milliseconds.',
      () => this.registry.prepared.oldestAgeMs,
    );
  }

  begin(options: TransactionOptions = NO_OPTIONS): MvccTransaction {
    if (this.isClosed) throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'transactions have been closed');
    return new Transaction(this.registry, this.nextId++, options);
  }

  async run<T>(work: (transaction: MvccTransaction) => Promise<T> | T, options: RunOptions = {}): Promise<T> {
    const { retriesMax, ...modes } = options;
    const retries = new Retries(retriesMax);
    for (;;) {
      const { retryOf } = retries;
      const transaction = this.begin({ isolation: 'repeatable read', ...modes, retryOf });
      transaction.readsAhead = retryOf !== undefined;
      try {
        await retries.lockLost(transaction);
        const result = await work(transaction);
        await transaction.commit();
        return result;
      } catch (error) {
        if (transaction.status === 'active') transaction.rollback();
        if (retries.again(error, transaction.id)) continue;
        await transaction.whenShown();
        throw error;
      }
    }
  }

  presentView(): KvView {
    return this.registry.store.view();
  }

  sessionLocks(label?: string, lockTimeoutMs?: () => number): SessionLocks {
    return new LastingLocks(this.registry, label, lockTimeoutMs);
  }

  spaceLeft(space: SpaceId, heir: SpaceId, seq: Seq): void {
    this.registry.graph.spaceLeft(space, heir, seq);
  }

  get hasReadersShutOut(): boolean {
    return this.registry.locks.accessExclusives > 0;
  }

  locks(): readonly HeldLock[] {
    return this.registry.locks.listed();
  }

  transactions(): readonly TransactionInfo[] {
    return this.registry.liveTransactions().map((transaction) => transaction.info());
  }

  stats(): MvccStats {
    const { registry } = this;
    return {
      begun: registry.begun,
      committed: registry.committed,
      rolledBack: registry.rolledBack,
      conflicts: registry.conflicts,
      deadlocks: registry.locks.deadlocks,
      deadlocksPrevented: registry.locks.prevented,
      live: registry.live,
      conflictIndexBytes: registry.window.index.bytes,
      spilledBytes: registry.unrecorded.bytes,
      serializableRecords: registry.graph.recordCount,
      serializableBytes: registry.graph.bytes,
      oldestSnapshotSeq: registry.oldestSnapshotSeq,
      oldest: registry.oldest?.info(),
    };
  }

  prepared(): readonly PreparedTransactionInfo[] {
    return this.registry.prepared.list();
  }

  commitPrepared(identifier: string): Promise<CommitResult> {
    return this.registry.prepared.end(identifier, true);
  }

  async rollbackPrepared(identifier: string): Promise<void> {
    await this.registry.prepared.end(identifier, false);
  }

  describeKey(key: Uint8Array): string {
    return describeKey(this.registry.options.names, key);
  }

  changes(options: ChangeFeedOptions): ChangeFeed {
    return this.registry.store.changes(options);
  }

  observe(observer: CommitObserver): void {
    this.registry.store.observe(observer);
  }

  conflicts(): readonly ConflictCount[] {
    return this.registry.ledger.counts();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.registry.prepared.close();
    this.longTransactions.stop();
    for (const transaction of this.registry.liveTransactions()) transaction.end();
    // What is in the log will be published, or its callers told that nobody knows.
    await this.registry.store.drain().catch(() => undefined);
  }
}
