/**
 * The face of transactions over byte keys: what SQL and documents share. See mvcc.ts for the story and the invariants.
 *
 * Everything here is synchronous except where it waits for somebody else: for a lock another transaction holds, or for
 * durability. A method that may wait returns a promise only when it really must; `undefined` means "done already".
 */
import type { Clock, Logger, Metrics, PhantomError } from '@phantom/base';
import type { ByteSlot, KeyRange, KvCursor, KvView, Seq, SpaceId, ValueSource } from '@phantom/kv';
import type { ChangeFeed, ChangeFeedOptions, CommitObserver, CommitResult, StoreView } from '@phantom/store';

export type Isolation = 'read committed' | 'repeatable read' | 'serializable';
export type Concurrency = 'optimistic' | 'locking';

/** Who of a deadlock loses: the last to have begun, the one with least to do again, or the one of least priority. */
export type DeadlockPolicy = 'youngest' | 'least work' | 'priority';
/** What becomes of a wait: deadlocks are found and broken, or never arise (deadlock-policy.ts). */
export type WaitingMode = 'detect' | 'wait-die' | 'wound-wait';

/** A lock on a table or an advisory lock, or a wait for any lock. */
export interface HeldLock {
  readonly key: Uint8Array;
  readonly mode: LockMode;
  readonly granted: boolean;
  /** Id of the transaction; 0 for a session between two of them. */
  readonly owner: number;
  readonly session: string | undefined;
  /** Since when it waits; undefined when it is granted. */
  readonly waitedMs: number | undefined;
  readonly blockers: readonly { readonly id: number; readonly session: string | undefined }[];
}

export interface TransactionOptions {
  /** Default `read committed`; `read uncommitted` is asked for as this, too. */
  readonly isolation?: Isolation;
  readonly readOnly?: boolean;
  /** Default: read committed locks; the others are optimistic. */
  readonly concurrency?: Concurrency | undefined;
  /** What views of transactions and error details call it. */
  readonly label?: string | undefined;
  /** With the policy `priority`: who has less loses. Default 0. */
  readonly priority?: number;
  /** Id of the first attempt, when this is another one at the same work: it keeps its age, and does not lose twice to deadlocks. */
  readonly retryOf?: number | undefined;
  /** Locks of the session it belongs to: they never stand in each other's way, and deadlocks are found through both. */
  readonly sessionLocks?: SessionLocks;
  /** A wait for a lock that is longer ends with 55P03; 0: none does. Default: as the option of `createMvcc`. A session's locks have their own. */
  readonly lockTimeoutMs?: number;
  /**
   * An active transaction of the same manager by whose snapshot this one reads, for as long as it lives: at repeatable read, and
   * read-only (0A000 else), for what has been committed since is not looked for conflicts with an older snapshot.
   */
  readonly snapshotOf?: MvccTransaction | undefined;
}

/** How `run` begins its transactions, and how often. */
export interface RunOptions extends Omit<TransactionOptions, 'retryOf'> {
  /** How often the work is run again after it lost a race (40001, 40P01). Default 10. */
  readonly retriesMax?: number;
}

/** Locks that outlive transactions, held until they are given back (advisory locks of a session). Counted, as PostgreSQL's are. */
export interface SessionLocks {
  /** As MvccTransaction.lock. The key lies in LOCK_SPACE. */
  lock(key: Uint8Array, mode: LockMode, wait: LockWait): Promise<void> | false | undefined;
  /** Gives back one lock of the mode; false when it is not held in that mode. */
  unlock(key: Uint8Array, mode: LockMode): boolean;
  unlockAll(): void;
  readonly isWaiting: boolean;
  /** Ends a wait that is under way. */
  cancelWait(error: Error): void;
}

/** Row lock strengths with PostgreSQL's conflict table. */
export const LockStrength = { KeyShare: 0, Share: 1, NoKeyUpdate: 2, Update: 3 } as const;
export type LockStrength = (typeof LockStrength)[keyof typeof LockStrength];

/** Modes of locks on tables, with PostgreSQL's conflict table. */
export const TableLockMode = {
  AccessShare: 4,
  RowShare: 5,
  RowExclusive: 6,
  ShareUpdateExclusive: 7,
  Share: 8,
  ShareRowExclusive: 9,
  Exclusive: 10,
  AccessExclusive: 11,
} as const;
export type TableLockMode = (typeof TableLockMode)[keyof typeof TableLockMode];

/** Any mode; a key is locked in modes of one kind only. */
export type LockMode = LockStrength | TableLockMode;

/**
 * Keys of this space are locked and never written: tables as a whole, advisory locks. Views of locks name them, and a
 * read-only transaction may take them.
 */
export const LOCK_SPACE = 0xffff_ffff;

export type LockWait = 'wait' | 'nowait' | 'skip';

export type TransactionStatus = 'active' | 'committing' | 'committed' | 'aborted' | 'prepared' | 'unknown';

/** A place in the write set to go back to. */
export interface Savepoint {
  readonly depth: number;
}

/** What errors and views say of a transaction. */
export interface TransactionDescription {
  readonly id: number;
  readonly label: string | undefined;
  /** The last statement that it was told of. */
  readonly statement: string | undefined;
}

export interface MvccTransaction {
  readonly id: number;
  readonly isolation: Isolation;
  /** `locking`: the layer above locks what it writes before it writes it. */
  readonly concurrency: Concurrency;
  readonly readOnly: boolean;
  readonly status: TransactionStatus;
  /** Seq of the snapshot that reads see now; taken at the first statement (and at each one at read committed). 0 before. */
  readonly snapshotSeq: Seq;
  /** True when it has written anything. */
  readonly hasWrites: boolean;
  /** Bytes that a commit would write to the log by now. */
  readonly writtenBytes: number;
  /**
   * What the present statement reads by, where that is a committed state and nothing else (no writes of its own, nothing that is
   * not durable yet), and nobody has to know what is read. The transaction's: retain it.
   */
  readonly committedView: StoreView | undefined;
  /**
   * Set it when nothing of what the next statements read is shown to anybody before the commit, or `whenShown` has been awaited.
   * They then read what is in the log already, and the commit lies behind it: who writes the same row need not wait for a sync
   * each. Stays false at serializable. Before it is set to false again, await `whenShown`.
   */
  readsAhead: boolean;
  /** True while a lock it asked for has not been granted. A synchronous caller who got a promise asks this after draining the store. */
  readonly isWaiting: boolean;
  /** True from the moment at which its commit is in the log: it can no longer be given up. */
  readonly isCommitQueued: boolean;

  /**
   * Begins a statement: takes a snapshot (the first time, or anew at read committed) and makes what earlier statements of
   * this transaction wrote visible. What the statement itself writes stays invisible to its own reads (command ids). The text
   * is what errors and views call the statement.
   */
  beginStatement(text?: string): void;
  /**
   * For a deferrable transaction, before its first statement: takes a snapshot that no writer can make dangerous. Undefined:
   * it has one. A promise: resolves when it has; it may take until every writer of now has ended.
   */
  whenSafe(): Promise<void> | undefined;
  /**
   * Of a transaction that reads ahead: resolves when everything that it has read is published; undefined when it is. To be
   * awaited before anything of it is shown that is not the answer of its commit. Rejects when the store fails.
   */
  whenShown(): Promise<void> | undefined;
  /**
   * To be asked now and then by who writes much, between two writes: when memory is mostly taken by what was written, puts that
   * aside on disk in turns of the event loop, where the write that finds memory full would do it at one go. Undefined when
   * there is no need. Nothing is to be written before it resolves; if something is, or the disk refuses, nothing has changed.
   */
  relieve(): Promise<void> | undefined;
  /** True while what it reads is remembered (serializable, and not known to be safe): a scan then reads no further than it must. */
  readonly tracksReads: boolean;
  /**
   * From here on the statement's own reads see what it has written so far, over the same snapshot: for one that comes to several
   * changes, one after the other. It is undone as a whole all the same.
   */
  continueStatement(): void;
  /** Undoes what the current statement has written so far and takes a new snapshot (read committed re-runs a statement). */
  restartStatement(): void;
  /**
   * Lets statements begin inside the current one, as those of a function's body: they see what it has written so far. The
   * returned function goes back to the current one, with its snapshot; call it once, innermost first.
   */
  nestStatement(): () => void;
  /** A statement that has begun and ended inside the current one has written something: what was read before may be out of date. */
  readonly wroteInside: boolean;

  /** Reads by the statement's snapshot, own earlier statements' writes over it. */
  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean;
  /** Reads everything this transaction has written so far, its current statement included, else by the snapshot. */
  getOwn(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean;
  /** Reads the newest committed version (not the snapshot's), own writes over it: what unique checks need. */
  getNewest(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean;
  /** Entries by the statement's snapshot, own earlier writes merged in. Insensitive to writes made after it was opened. */
  cursor(range: KeyRange): KvCursor;
  /** Entries by the newest committed state with ALL own writes: what constraint checks need. */
  cursorNewest(range: KeyRange): KvCursor;
  /**
   * Says that a constraint rests on what the newest state has in a range, and on what is missing there. At serializable the commit
   * fails (40001) when the snapshot shows anything else of it, since all that was read is to be of one moment; what `getNewest`
   * finds is looked at likewise. Nothing happens at other levels. `guardRange`, or a lock, is for what comes later.
   */
  relyOnNewest(range: KeyRange): void;

  /** The note is for those who follow changes, and for nobody else; it is copied. */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    note?: Uint8Array,
  ): void;
  /**
   * A hint from who has begun to write: so many operations more will follow, of about so many bytes. Memory for them is taken at once instead of
   * step by step.
   */
  expectWrites(bytes: number, operations: number): void;
  /** As put of the value that `source` writes: it goes where it will be logged from, and is not copied. */
  putFrom(key: Uint8Array, keyStart: number, keyEnd: number, source: ValueSource): void;
  remove(key: Uint8Array, keyStart: number, keyEnd: number, note?: Uint8Array): void;
  /** Removes every key of the range, unread: for dropping and truncating. The range must not be written to concurrently (table lock). */
  removeRange(range: KeyRange): void;

  /**
   * Takes a lock on a key until the transaction ends. Undefined: granted. `false`: held by another and wait is `skip`. A promise:
   * resolves when granted, rejects with 40P01 (deadlock), 55P03 (lock_timeout), 57014. `nowait` throws 55P03 at once.
   * Locks are on keys, whether a row is there or not; a lock taken before a savepoint survives going back to it.
   */
  lock(key: Uint8Array, start: number, end: number, mode: LockMode, wait: LockWait): Promise<void> | false | undefined;
  /**
   * As lock in the mode Update with `wait`, for a key that nobody has and that is written before this turn ends: a transaction
   * that writes many keys holds them by what it has written, without a record for each.
   */
  claim(key: Uint8Array, start: number, end: number): Promise<void> | undefined;
  /** As lock, for a synchronous caller: granted, or 55P03 with a hint at once. */
  lockNow(key: Uint8Array, start: number, end: number, mode: LockMode): void;
  /**
   * True when a commit newer than the statement's snapshot wrote the key: read committed re-runs, the others raise 40001.
   * Ask after locking the key. False when nothing has been published since the snapshot: commits that are queued count when
   * this one commits.
   */
  changedSinceSnapshot(key: Uint8Array, start: number, end: number): boolean;
  /** What to raise when that is so and the level forbids to go on: 40001, naming the key and who wrote it. Counted as a lost race. */
  lostRace(key: Uint8Array, start: number, end: number): PhantomError;
  /**
   * Constraint read: the commit fails (40001, or what `onConflict` makes) if another transaction writes the key after now
   * and before this commits. Holds at every isolation level: whoever has locked the key against it goes first.
   */
  guard(key: Uint8Array, start: number, end: number): void;
  /** As guard, for a key that has to be there: others may replace its value, but not remove it. What a foreign key asks of its parent. */
  guardPresence(key: Uint8Array, start: number, end: number): void;
  /** As guard for a whole range: the probe for children when a parent goes. */
  guardRange(range: KeyRange): void;
  /**
   * Says that rows in the way of unique keys of this space are met by who writes (ON CONFLICT, upserts): a race that is lost
   * on one by the commit is 40001, not 23505, since running again will meet the row.
   */
  arbitrate(space: SpaceId): void;
  /**
   * What to raise instead of 23505 for a unique key that is taken: 40001 where the writer would have met the row (`arbitrate`)
   * had its snapshot shown it. Undefined: 23505 it is.
   */
  raceLostOn(key: Uint8Array, start: number, end: number): PhantomError | undefined;

  savepoint(): Savepoint;
  /** Undoes everything written since; the savepoint stays. */
  rollbackTo(savepoint: Savepoint): void;
  /** Forgets the savepoint, keeping what was written. */
  release(savepoint: Savepoint): void;

  /** Runs when the commit is published (with its seq), or on rollback (with undefined). In order of registration. */
  onEnd(listener: (seq: Seq | undefined) => void): void;

  /**
   * Validates, then admits, appends, syncs, applies and publishes. Rejects with 40001 (lost a race: nothing happened),
   * 53100 or 53200 (nothing happened), 08007 (outcome unknown). Durable as the result says. Who loses to a commit that is
   * not published yet is told once it is, so that running again shows it.
   */
  commit(options?: { readonly durability?: 'fsync' | 'os' }): Promise<CommitResult>;
  /** As commit, finishing everything queued before it on this thread. */
  commitSync(options?: { readonly durability?: 'fsync' | 'os' }): CommitResult;
  /**
   * Makes the transaction ready to commit and durable as such, under an identifier: it can no longer lose, its locks stay, it
   * survives a restart, and `commitPrepared` or `rollbackPrepared` end it, from anywhere. `meta` is given back with it. Rejects as commit
   * does, and with 42710 when the identifier is taken, 22023 when it is too long.
   */
  prepare(identifier: string, meta: string): Promise<void>;
  /** Undoes everything. While a commit waits for room or a lock, the commit ends with 57014; once it is in the log, 25000. */
  rollback(): void;
  /**
   * Ends a wait for a lock that is under way: its promise rejects with the error (57014 for a cancel or a timeout, 55P03 by
   * a synchronous caller who will not wait). A request that is dropped without this is granted some time, and held.
   */
  cancelWait(error: Error): void;
}

/** Translates a lost race on a key into the error the layer above knows (23505 for a unique key, a table's name). */
export interface ConflictNames {
  describe(key: Uint8Array):
    | {
        readonly table?: string;
        readonly key?: string;
        readonly unique?: { constraint: string; detail: string };
        /** The whole of it, where it is no key of a table: `relation "t"`. */
        readonly what?: string;
      }
    | undefined;
}

export interface MvccOptions {
  /** Memory of recently written keys; past it the oldest snapshots lose with 40001 and that reason. Default 64 MiB. */
  readonly conflictIndexBytesMax?: number;
  /** Memory of one transaction's writes; what is more is put aside on disk (53200 where no engine has files). Default 64 MiB. */
  readonly writeSetBytesMax?: number;
  /** What all transactions together may have put aside; past it 53100. Default 16 GiB. */
  readonly spillBytesMax?: number;
  /** What one serializable transaction remembers of its reads; past it rows become ranges, and ranges tables. Default 1 MiB. */
  readonly readSetBytesMax?: number;
  /** What is remembered of committed serializable transactions; past it old snapshots lose with 40001 and that reason. Default 64 MiB. */
  readonly serializableBytesMax?: number;
  /** Locks that all sessions together hold beyond their transactions; past it 53200. Default 100,000. */
  readonly sessionLocksMax?: number;
  /** A wait for a lock that is longer ends with 55P03; sessions may have limits of their own. Default 0: none. */
  readonly lockTimeoutMs?: number;
  /** Where prepared transactions are written; without one there are none (0A000). The space is theirs alone. */
  readonly preparedSpace?: SpaceId;
  /** Transactions that wait for their second phase; preparing one more is 53200. Default 1000; 0: none may be prepared (55000). */
  readonly preparedMax?: number;
  /** Transactions older than this are warned of, each once, with who they are. Default 5 minutes; 0: never. */
  readonly longTransactionMs?: number;
  /** Remember where transactions begin, for that warning and for `transactions()`: costs microseconds each. Default false. */
  readonly tracesBegin?: boolean;
  /** Prepared transactions older than this are rolled back; 0, the default: never. */
  readonly preparedTimeoutMs?: number;
  /** Default `youngest`. */
  readonly deadlockPolicy?: DeadlockPolicy;
  /** Default `detect`. */
  readonly waiting?: WaitingMode;
  readonly names?: ConflictNames;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
}

export interface Mvcc {
  begin(options?: TransactionOptions): MvccTransaction;
  /**
   * Runs the work in a transaction, `repeatable read` unless told otherwise, and commits it: durable on return. Work that lost a
   * race is run again from its beginning, with the keys that it has lost on locked first, so nobody starves; its effects outside
   * of the transaction must bear that, and that what it is then shown may not be durable before this resolves or rejects. When the
   * work throws, the transaction is rolled back.
   */
  run<T>(work: (transaction: MvccTransaction) => Promise<T> | T, options?: RunOptions): Promise<T>;
  /** What is committed and published now, read by no transaction: nothing is remembered of it. Release it. */
  presentView(): KvView;
  /**
   * The locks of one session; give them all back when it ends. `lockTimeoutMs` is asked whenever it or its transaction begins to wait
   * for a lock, be it at the commit: how long at most, 0 for ever. Default: as the option of that name says.
   */
  sessionLocks(label?: string, lockTimeoutMs?: () => number): SessionLocks;
  /**
   * The commit at `seq`, which is being published, has moved a table, or taken an index from it: nobody writes in `space` any
   * more, and the table's rows are written in `heir`. Who has read in `space` counts as having read all of `heir`.
   */
  spaceLeft(space: SpaceId, heir: SpaceId, seq: Seq): void;
  /** True while somebody holds a table so that not even readers may come in. */
  readonly hasReadersShutOut: boolean;
  /** Locks on tables, advisory locks, and every wait for a lock. Locks on rows are counted with their transactions. */
  locks(): readonly HeldLock[];
  /** Live transactions, oldest first. */
  transactions(): readonly TransactionInfo[];
  stats(): MvccStats;
  /** Prepared transactions, oldest first. */
  prepared(): readonly PreparedTransactionInfo[];
  /** Commits a prepared transaction, durable on return; 42704 when there is none, 55006 while somebody else ends it. */
  commitPrepared(identifier: string): Promise<CommitResult>;
  /** Undoes a prepared transaction, durably. */
  rollbackPrepared(identifier: string): Promise<void>;
  /** What errors call a key. */
  describeKey(key: Uint8Array): string;
  /** Follows what is committed: see ChangeFeed. 55000 when the log no longer has it, 22023 for a seq that is yet to come. */
  changes(options: ChangeFeedOptions): ChangeFeed;
  /** Tells an observer of every commit from now on, before anybody can read what it has written. */
  observe(observer: CommitObserver): void;
  /** The keys on which most races were lost, most first; at most 256. */
  conflicts(): readonly ConflictCount[];
  /** Rolls back what is live. Does not close the store. */
  close(): Promise<void>;
}

export interface TransactionInfo {
  readonly id: number;
  readonly label: string | undefined;
  /** The last statement that it was told of. */
  readonly statement: string | undefined;
  readonly isolation: Isolation;
  readonly readOnly: boolean;
  readonly concurrency: Concurrency;
  readonly status: TransactionStatus;
  readonly priority: number;
  /** Label of the session whose locks it shares. */
  readonly session: string | undefined;
  readonly startedMs: number;
  /** How long it lives. */
  readonly ageMs: number;
  readonly snapshotSeq: Seq;
  readonly writeSetBytes: number;
  readonly readSetBytes: number;
  readonly locks: number;
  /** Id of the transaction it waits for, if it waits. */
  readonly waitsFor: readonly number[];
  /** Cursors that it has open. */
  readonly cursors: number;
  /** Stack of who began it, with `tracesBegin`. */
  readonly began: string | undefined;
}

/** A transaction that waits for its second phase. */
export interface PreparedTransactionInfo {
  readonly identifier: string;
  readonly id: number;
  /** Wall clock, milliseconds since 1970. */
  readonly preparedMs: number;
  readonly ageMs: number;
  /** What `prepare` was given. */
  readonly meta: string;
  readonly writeSetBytes: number;
  readonly locks: number;
}

/** How often transactions have lost a race on a key. */
export interface ConflictCount {
  readonly key: Uint8Array;
  /** The key as the layer above names it. */
  readonly keyText: string | undefined;
  readonly table: string | undefined;
  readonly count: number;
  /** The count may be too high by so many: lost races of keys that were counted in its place before. */
  readonly countErrorMax: number;
  /** Seq of the commit to which the last of them lost. */
  readonly lastSeq: Seq;
}

export interface MvccStats {
  readonly begun: number;
  readonly committed: number;
  readonly rolledBack: number;
  readonly conflicts: number;
  readonly deadlocks: number;
  /** Transactions that made way in a prevention mode. */
  readonly deadlocksPrevented: number;
  readonly live: number;
  readonly conflictIndexBytes: number;
  /** What live transactions have put aside on disk. */
  readonly spilledBytes: number;
  /** Committed serializable transactions that others may still conflict with, and their memory. */
  readonly serializableRecords: number;
  readonly serializableBytes: number;
  readonly oldestSnapshotSeq: Seq | undefined;
  /** Who has lived longest, and with its snapshot keeps old versions; undefined while nobody lives. */
  readonly oldest: TransactionInfo | undefined;
}
