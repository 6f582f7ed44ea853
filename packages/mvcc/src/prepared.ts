/**
 * Prepared transactions: the first phase of two. A prepared transaction is an ordinary commit into a system space (invariant
 * 8): its writes, its locks and what it has read are durable there, and found again before anything is validated after a
 * restart. From then on it cannot lose: the keys that it writes are locked, so whoever writes them waits; ranges that it
 * relies on refuse writers; whoever would close a cycle with it loses. COMMIT PREPARED is one batch that applies the writes and
 * removes the record, so a crash leaves either all of it or none.
 *
 *   prepare ──► durable record, locks kept ──► commitPrepared: writes + removal of the record, one batch
 *                         │                └─► rollbackPrepared: removal of the record
 *                     restart: read again
 */
import { PhantomError, SqlState, unsupportedError } from '@phantom/base';
import { NONE, type Seq, spaceRange } from '@phantom/kv';
import type { CommitResult } from '@phantom/store';
import type { QueuedTransaction } from './commit-window.js';
import type { LockOwner, LockParty, LockRequest } from './lock-owner.js';
import { type PreparedState, decodePrepared, encodePrepared, preparedKey } from './prepared-record.js';
import type { TransactionRegistry } from './registry.js';
import type { PreparedReads, SerializableTransaction } from './serialization-graph.js';
import type { PreparedTransactionInfo } from './types.js';
import { WriteSet } from './write-set.js';
import { WrittenKeys } from './written-keys.js';

/** Longest delay that a timer takes. */
const TIMER_MS_MAX = 0x7fff_ffff;

class Prepared implements LockOwner, LockParty, QueuedTransaction {
  readonly state: PreparedState;
  readonly id: number;
  readonly name: string;
  readonly label: string;
  readonly statement = undefined;
  readonly session = undefined;
  readonly age: number;
  readonly losses = 0;
  readonly priority = Number.MAX_SAFE_INTEGER;
  readonly work = Number.MAX_SAFE_INTEGER;
  readonly lockTimeoutMs = 0;
  readonly lockWaits: LockRequest[] = [];
  lockSlot: number = NONE;
  lockHead: number = NONE;
  lockCount = 0;
  readonly readsAhead = false;
  /** Its locks last until its end is published. */
  readonly isCommitQueued = false;
  commitSeq: Seq = 0;
  isIndexed = false;
  isEnding = false;
  graph: PreparedReads | undefined = undefined;
  timer: NodeJS.Timeout | undefined = undefined;

  constructor(state: PreparedState) {
    this.state = state;
    this.id = state.id;
    this.age = state.id;
    this.label = `prepared as "${state.identifier}"`;
    this.name = `transaction ${state.id} (${this.label})`;
  }

  get party(): LockParty {
    return this;
  }

  get writes(): WriteSet {
    return this.state.writes;
  }

  lost(): void {
    // It never waits, so it is in no cycle.
  }

  wound(): boolean {
    return false;
  }
}

export class PreparedTransactions {
  private readonly registry: TransactionRegistry;
  private readonly all = new Map<string, Prepared>();
  /** Identifiers whose record is on its way. */
  private readonly taken = new Set<string>();

  /** Reads what was prepared before a restart, and takes its locks again. */
  constructor(registry: TransactionRegistry) {
    this.registry = registry;
    const { store, options } = registry;
    if (options.preparedSpace === undefined) return;
    store.onFailure(() => this.letAllGo());
    const view = store.view();
    const cursor = view.cursor(spaceRange(options.preparedSpace));
    try {
      while (cursor.next())
        this.restore(decodePrepared(cursor.key.copy(), cursor.value.copy(), options.readSetBytesMax));
    } finally {
      cursor.close();
      view.release();
    }
  }

  get count(): number {
    return this.all.size;
  }

  /** Age of the oldest in milliseconds, 0 when there is none: what monitoring should watch. */
  get oldestAgeMs(): number {
    let oldest = 0;
    for (const { state } of this.all.values()) oldest = Math.max(oldest, this.ageOf(state));
    return oldest;
  }

  /** The greatest id of a transaction: new ones begin behind it. */
  get lastId(): number {
    let last = 0;
    for (const { id } of this.all.values()) last = Math.max(last, id);
    return last;
  }

  list(): PreparedTransactionInfo[] {
    return Array.from(this.all.values(), ({ state, lockCount }) => ({
      identifier: state.identifier,
      id: state.id,
      preparedMs: state.preparedMs,
      ageMs: this.ageOf(state),
      meta: state.meta,
      writeSetBytes: state.writes.bytes,
      locks: lockCount,
    })).sort((a, b) => a.preparedMs - b.preparedMs);
  }

  /**
   * The key of an identifier that is free, and from now on is not; `release` frees it. Those found after a restart count as well, and may
   * be more than the limit. 42710 where it is taken, 53200 where there are too many, 55000 where there may be none.
   */
  reserve(identifier: string): Uint8Array {
    const { preparedSpace, preparedMax } = this.registry.options;
    if (preparedSpace === undefined) {
      throw unsupportedError('preparing a transaction', { hint: 'Open with a space for prepared transactions.' });
    }
    const key = preparedKey(preparedSpace, identifier);
    if (this.all.has(identifier) || this.taken.has(identifier)) {
      throw new PhantomError('42710', `transaction identifier "${identifier}" is already in use`);
    }
    if (preparedMax === 0) {
      throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'prepared transactions are disabled', {
        hint: 'Set max_prepared_transactions to a nonzero value.',
      });
    }
    if (this.all.size + this.taken.size >= preparedMax) {
      throw new PhantomError(SqlState.OutOfMemory, 'maximum number of prepared transactions reached', {
        hint: `End some of those in pg_prepared_xacts, or increase max_prepared_transactions (currently ${preparedMax}).`,
      });
    }
    this.taken.add(identifier);
    return key;
  }

  release(identifier: string): void {
    this.taken.delete(identifier);
  }

  /** The record's batch, for the store. */
  recordOf(key: Uint8Array, state: PreparedState): WriteSet {
    const record = new WriteSet();
    const value = encodePrepared(state);
    record.put(key, 0, key.length, value, 0, value.length);
    return record;
  }

  /** The record is in the log: the locks and what was read pass to it. */
  adopt(owner: LockOwner & SerializableTransaction, state: PreparedState, earliestOut: number): void {
    const prepared = new Prepared(state);
    this.registry.locks.transfer(owner, prepared);
    this.enter(prepared);
    if (state.reads === undefined) return;
    prepared.graph = this.graphOf(prepared, earliestOut);
    this.registry.graph.wasPrepared(owner, prepared.graph);
  }

  /** Nobody knows whether its record is durable: it is not listed any more. */
  recordUnknown(identifier: string): void {
    const prepared = this.all.get(identifier);
    if (prepared !== undefined) this.forget(prepared);
  }

  /** Ends one for good: with its writes, or without. The error says when there is none, or somebody else is at it. */
  async end(identifier: string, commits: boolean): Promise<CommitResult> {
    const prepared = this.all.get(identifier);
    if (prepared === undefined) {
      // It may be there after a restart: whoever hears that it does not exist takes it for ended.
      const { failure } = this.registry.store;
      if (failure !== undefined) throw failure;
      throw new PhantomError('42704', `prepared transaction with identifier "${identifier}" does not exist`);
    }
    if (prepared.isEnding) {
      throw new PhantomError('55006', `prepared transaction with identifier "${identifier}" is busy`);
    }
    prepared.isEnding = true;
    try {
      return await this.submitEnd(prepared, commits);
    } finally {
      prepared.isEnding = false;
    }
  }

  close(): void {
    for (const { timer } of this.all.values()) clearTimeout(timer);
  }

  private async submitEnd(prepared: Prepared, commits: boolean): Promise<CommitResult> {
    const { registry } = this;
    const { store, window, graph, ledger } = registry;
    const { identifier } = prepared.state;
    const key = preparedKey(registry.options.preparedSpace as number, identifier);
    const writes = commits ? prepared.writes : new WriteSet();
    const mark = writes.mark();
    writes.remove(key, 0, key.length);
    // Preparing has promised that this can be committed, also where there is hardly any room left.
    writes.batch.isPromised = true;
    try {
      const room = store.admit(writes.batch);
      if (room !== undefined) await room;
    } catch (error) {
      writes.truncate(mark);
      throw error;
    }
    return new Promise((resolve, reject) => {
      const ended = (): void => {
        if (commits) window.ended(prepared);
        this.forget(prepared);
      };
      const listener = {
        published: (seq: Seq): void => {
          ended();
          if (commits && prepared.graph !== undefined) graph.published(seq);
          registry.forgetConflicts();
          resolve({ seq, durability: store.durability });
        },
        unknown: (error: Error): void => {
          ended();
          reject(error);
        },
      };
      try {
        const seq = store.submit(writes.batch, listener, { borrow: true });
        prepared.commitSeq = seq;
        if (prepared.graph !== undefined) graph.preparedEnded(prepared.graph, commits ? seq : undefined);
        if (!commits) return;
        ledger.committed(seq, prepared);
        window.submitted(prepared, registry.hasSnapshots);
      } catch (error) {
        store.unadmit(writes.batch);
        writes.truncate(mark);
        reject(error as Error);
      }
    });
  }

  private restore(state: PreparedState): void {
    const prepared = new Prepared(state);
    const { locks, graph } = this.registry;
    for (const { hash, mode, key } of state.locks) {
      locks.tryAcquire(prepared, hash, mode);
      if (key !== undefined) locks.nameKey(hash, key, 0, key.length);
    }
    this.enter(prepared);
    if (state.reads === undefined) return;
    // Which commits it had edges to is not remembered: any may have been.
    prepared.graph = this.graphOf(prepared, 0);
    graph.restorePrepared(prepared.graph);
  }

  private graphOf(prepared: Prepared, earliestOut: number): PreparedReads {
    const { reads, writes, snapshotSeq } = prepared.state;
    const keys = new WrittenKeys(writes.batch.finish(), writes.touched);
    keys.keep();
    return { by: prepared, reads, writes: keys, snapshotSeq, earliestOut };
  }

  private enter(prepared: Prepared): void {
    const { state } = prepared;
    this.taken.delete(state.identifier);
    this.all.set(state.identifier, prepared);
    for (const range of state.ranges) this.registry.window.preparedRanges.add(range);
    const { preparedTimeoutMs, logger } = this.registry.options;
    if (preparedTimeoutMs === 0) return;
    const leftMs = Math.min(TIMER_MS_MAX, Math.max(0, preparedTimeoutMs - this.ageOf(state)));
    prepared.timer = setTimeout(() => {
      logger.warn('a prepared transaction is rolled back: nobody has ended it in time', {
        identifier: state.identifier,
      });
      this.end(state.identifier, false).catch((error: unknown) => {
        logger.error('a prepared transaction could not be rolled back', { reason: String(error) });
      });
    }, leftMs);
    prepared.timer.unref();
  }

  /**
   * The store has failed, so nobody can end them before a restart: they give their locks back, and nobody waits for that. They stay
   * listed, as they are prepared still.
   */
  private letAllGo(): void {
    for (const prepared of this.all.values()) this.letGo(prepared);
    this.registry.graph.wakeWatches();
  }

  private forget(prepared: Prepared): void {
    this.all.delete(prepared.state.identifier);
    this.letGo(prepared);
  }

  private letGo(prepared: Prepared): void {
    clearTimeout(prepared.timer);
    const { locks, window } = this.registry;
    for (const range of prepared.state.ranges) window.preparedRanges.delete(range);
    locks.release(prepared, NONE);
  }

  private ageOf({ preparedMs }: PreparedState): number {
    return Math.max(0, this.registry.options.clock.nowMs() - preparedMs);
  }
}
