/**
 * One transaction. mvcc.ts tells the story; types.ts specifies each method.
 *
 *                 commit()                      append              publish
 *   active ───────────────► committing ───────────────► queued ───────────────► committed
 *     │                        │  waits for room            │
 *     │ rollback()             │  or for a lock             │ sync failed
 *     ▼                        ▼ lost, refused              ▼
 *   aborted ◄──────────────────┘                         unknown
 *
 * To the outside `committing` and `queued` are both "committing". What a transaction has is freed in `finish`, in one
 * place, whichever way it ends.
 *
 * Invariants:
 *   1. It holds a store view from its first statement until it ends, and no more than two (the newest, for constraint
 *      reads); each open cursor holds one of its own.
 *   2. Its write set is not touched between append and publish: others look their conflicts up in it.
 *   3. Exactly one of published, unknown and rollback ends it; listeners are told once.
 */
import { ByteWriter, PhantomError, SqlState, assert } from '@phantom/base';
import {
  type ByteSlot,
  KEY_BYTES_MAX,
  type KeyRange,
  type KvCursor,
  NONE,
  SPACE_BYTES,
  type Seq,
  type SpaceId,
  type ValueSource,
  spaceOfKey,
} from '@phantom/kv';
import type { CommitResult, StoreView } from '@phantom/store';
import { type CommitOptions, CommitProcess } from './commit-process.js';
import { ConstraintGuards } from './constraint-guards.js';
import { notActiveError, readOnlyError, rolledBackError } from './errors.js';
import { keyHash } from './key-hash.js';
import type { LockOwner, LockParty, LockRequest } from './lock-owner.js';
import { type PrepareSubject, prepare } from './prepare-process.js';
import type { ReadSet } from './read-set.js';
import type { LiveTransaction, TransactionRegistry } from './registry.js';
import { commitReads, waitUntilSafe, whenShown } from './reading-ends.js';
import { claimKey, lockKey, lockKeyNow } from './row-locking.js';
import { LastingLocks } from './session-locks.js';
import { type SnapshotOwner, Snapshots } from './snapshots.js';
import { fillsMemory, putAside, putAsideInTurns } from './spill.js';
import type { UnrecordedHolder } from './unrecorded-locks.js';
import { TransactionReads } from './transaction-reads.js';
import {
  LOCK_SPACE,
  LockStrength,
  type Concurrency,
  type Isolation,
  type LockMode,
  type LockWait,
  type MvccTransaction,
  type Savepoint,
  type TransactionInfo,
  type TransactionOptions,
  type TransactionStatus,
} from './types.js';
import { callers, tellListeners, transactionInfo } from './transaction-reports.js';
import { Undo } from './undo.js';
import { EVERYTHING, NOTHING, type WriteSet } from './write-set.js';

type Phase = 'active' | 'committing' | 'queued' | 'committed' | 'aborted' | 'unknown' | 'prepared';

/** Bytes an operation takes besides its key and value, at the most. */
const OPERATION_BYTES_MAX = 17;
/** Locks from which on a claimed key has no record. */
const RECORDED_LOCKS_MAX = 256;

export class Transaction implements MvccTransaction, SnapshotOwner, LockOwner, UnrecordedHolder, PrepareSubject {
  readonly id: number;
  readonly isolation: Isolation;
  readonly concurrency: Concurrency;
  readonly readOnly: boolean;
  readonly label: string | undefined;
  readonly isSerializable: boolean;
  statement: string | undefined = undefined;
  readonly priority: number;
  readonly age: number;
  losses: number;
  readonly session = undefined;
  reads: ReadSet | undefined = undefined;
  writes: WriteSet | undefined = undefined;
  readonly snapshots: Snapshots;
  readonly reader: TransactionReads;
  private readonly undo: Undo;
  guards: ConstraintGuards | undefined = undefined;
  arbitrated: Set<SpaceId> | undefined = undefined;

  previousLive: LiveTransaction | undefined = undefined;
  nextLive: LiveTransaction | undefined = undefined;
  previousSnapshot: LiveTransaction | undefined = undefined;
  nextSnapshot: LiveTransaction | undefined = undefined;
  neededSeq: Seq = 0;
  lockSlot: number = NONE;
  lockHead: number = NONE;
  lockCount = 0;
  readonly lockWaits: LockRequest[];
  readonly party: LockParty;
  readonly lockTimeoutMs: number;
  commitSeq: Seq = 0;
  isIndexed = false;
  claimedFrom: number = EVERYTHING;

  private isAhead = false;
  private readonly registry: TransactionRegistry;
  readonly startedMs: number;
  /** Where it was begun, when that is asked for. */
  readonly began: string | undefined;
  private phase: Phase = 'active';
  wroteInside = false;
  private endListeners: ((seq: Seq | undefined) => void)[] | undefined = undefined;
  /** The wait for a snapshot that is safe, while it lasts: two of them would take snapshots from each other. */
  private settling: Promise<void> | undefined = undefined;
  /** Why its commit, or its being prepared, is given up once it need not wait for anything any more. */
  stopReason: Error | undefined = undefined;
  /** Why an older transaction has ended this one. */
  private wounded: Error | undefined = undefined;

  constructor(registry: TransactionRegistry, id: number, options: TransactionOptions) {
    this.registry = registry;
    this.id = id;
    this.isolation = options.isolation ?? 'read committed';
    this.concurrency = options.concurrency ?? (this.isolation === 'read committed' ? 'locking' : 'optimistic');
    this.readOnly = options.readOnly ?? false;
    this.label = options.label;
    this.isSerializable = this.isolation === 'serializable';
    const { sessionLocks } = options;
    this.party = sessionLocks instanceof LastingLocks ? sessionLocks : this;
    this.lockTimeoutMs = options.lockTimeoutMs ?? registry.options.lockTimeoutMs;
    this.priority = options.priority ?? 0;
    this.age = options.retryOf ?? id;
    this.losses = options.retryOf === undefined ? 0 : 1;
    if (sessionLocks instanceof LastingLocks) sessionLocks.began(this);
    this.lockWaits = sessionLocks instanceof LastingLocks ? sessionLocks.lockWaits : [];
    this.snapshots = new Snapshots(registry, this);
    this.reader = new TransactionReads(this);
    this.undo = new Undo(registry, this);
    this.startedMs = registry.options.clock.monotonicMs();
    this.began = registry.options.tracesBegin ? callers() : undefined;
    if (options.snapshotOf !== undefined) this.snapshots.share((options.snapshotOf as Transaction).snapshots);
    registry.addLive(this);
  }

  get status(): TransactionStatus {
    return this.phase === 'queued' ? 'committing' : this.phase;
  }

  get name(): string {
    return this.label === undefined ? `transaction ${this.id}` : `transaction ${this.id} (${this.label})`;
  }

  get snapshotSeq(): Seq {
    return this.snapshots.seq;
  }

  get readsAhead(): boolean {
    return this.isAhead;
  }

  set readsAhead(isAhead: boolean) {
    this.isAhead = isAhead && !this.isSerializable;
  }

  get hasGuards(): boolean {
    return this.guards !== undefined && !this.guards.isEmpty;
  }

  get hasWrites(): boolean {
    return this.writes !== undefined && !this.writes.isEmpty;
  }

  get writtenBytes(): number {
    return this.writes?.bytes ?? 0;
  }

  get committedView(): StoreView | undefined {
    return this.hasWrites || this.isAhead || this.tracksReads ? undefined : this.snapshots.current;
  }

  get cursorCount(): number {
    return this.reader.cursorCount;
  }

  get claims(): boolean {
    return this.claimedFrom !== EVERYTHING;
  }

  get work(): number {
    return this.writtenBytes + this.lockCount;
  }

  lost(): void {
    this.losses++;
  }

  wound(error: Error): boolean {
    if (this.phase === 'committing') {
      this.cancelWait(error);
      return true;
    }
    if (this.phase !== 'active') return false;
    this.wounded = error;
    this.cancelWait(error);
    this.finish('aborted', undefined);
    return true;
  }

  get isWaiting(): boolean {
    return this.lockWaits.length > 0;
  }

  get isCommitQueued(): boolean {
    return this.phase === 'queued';
  }

  get tracksReads(): boolean {
    return this.reads !== undefined;
  }

  whenSafe(): Promise<void> | undefined {
    if (this.phase !== 'active') this.refuse();
    if (!this.isSerializable || !this.readOnly) return undefined;
    if (this.settling !== undefined) return this.settling;
    if (this.snapshots.current === undefined) this.snapshots.take();
    if (this.reads === undefined) return undefined;
    this.settling = waitUntilSafe(this.registry, this).finally(() => (this.settling = undefined));
    // Whoever asked may have been told to stop; then nobody is left to hear that it failed.
    this.settling.catch(() => undefined);
    return this.settling;
  }

  whenShown(): Promise<void> | undefined {
    // Its own outcome rests on the commits that it has read: who is told of the one knows of the others.
    if (this.phase === 'unknown') return undefined;
    return whenShown(this.registry, this.snapshots);
  }

  relieve(): Promise<void> | undefined {
    const { writes, registry } = this;
    if (writes === undefined || this.phase !== 'active') return undefined;
    if (!fillsMemory(registry, writes)) return undefined;
    return putAsideInTurns(registry, this, writes, () => this.undo.newestLockHead);
  }

  /** Where its next write goes. */
  private get place(): number {
    return this.writes === undefined ? NOTHING : this.writes.place;
  }

  beginStatement(text?: string): void {
    if (this.phase !== 'active') this.refuse();
    this.statement = text;
    this.snapshots.renew();
    this.wroteInside = false;
    this.reader.ownLimit = this.place;
    this.undo.beginStatement();
  }

  continueStatement(): void {
    if (this.phase !== 'active') this.refuse();
    this.reader.ownLimit = this.place;
  }

  restartStatement(): void {
    if (this.phase !== 'active') this.refuse();
    this.undo.restartStatement();
    this.beginStatement(this.statement);
  }

  nestStatement(): () => void {
    if (this.phase !== 'active') this.refuse();
    const { statement, reader, place, wroteInside } = this;
    const { ownLimit } = reader;
    const leave = this.undo.nestStatement();
    this.snapshots.hold();
    return () => {
      if (this.phase !== 'active') return;
      this.snapshots.resume();
      this.wroteInside = wroteInside || place !== this.place;
      this.statement = statement;
      reader.ownLimit = ownLimit;
      leave();
    };
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    if (this.phase !== 'active') this.refuse();
    return this.reader.get(key, start, end, value);
  }

  getOwn(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    if (this.phase !== 'active') this.refuse();
    return this.reader.getOwn(key, start, end, value);
  }

  getNewest(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    if (this.phase !== 'active') this.refuse();
    return this.reader.getNewest(key, start, end, value);
  }

  cursor(range: KeyRange): KvCursor {
    if (this.phase !== 'active') this.refuse();
    return this.reader.cursor(range);
  }

  cursorNewest(range: KeyRange): KvCursor {
    if (this.phase !== 'active') this.refuse();
    return this.reader.cursorNewest(range);
  }

  relyOnNewest(range: KeyRange): void {
    if (this.phase !== 'active') this.refuse();
    this.reader.relyOnNewest(range);
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    note?: Uint8Array,
  ): void {
    const writes = this.writable(keyEnd - keyStart, valueEnd - valueStart + (note === undefined ? 0 : note.length));
    writes.put(key, keyStart, keyEnd, value, valueStart, valueEnd, note);
  }

  expectWrites(bytes: number, operations: number): void {
    const { writes } = this;
    const most = this.registry.options.writeSetBytesMax - (writes?.batch.bytes ?? 0);
    if (most > 0) writes?.expect(Math.min(bytes, most), Math.ceil(operations * Math.min(1, most / bytes)));
  }

  putFrom(key: Uint8Array, keyStart: number, keyEnd: number, source: ValueSource): void {
    const { writeSetBytesMax } = this.registry.options;
    if (this.writable(keyEnd - keyStart, 0).putFrom(key, keyStart, keyEnd, source, writeSetBytesMax)) return;
    // What there is no room for is put aside, and with a value at hand it is known how much that takes.
    const value = new ByteWriter();
    source.writeValue(value);
    this.put(key, keyStart, keyEnd, value.buffer, 0, value.length);
  }

  remove(key: Uint8Array, keyStart: number, keyEnd: number, note?: Uint8Array): void {
    this.writable(keyEnd - keyStart, note === undefined ? 0 : note.length).remove(key, keyStart, keyEnd, note);
  }

  removeRange(range: KeyRange): void {
    const { lower, upper } = range;
    if (upper === undefined) {
      throw new PhantomError(SqlState.InvalidParameterValue, 'a range that is removed has an upper end', {
        hint: 'It ends within the spaces of one engine.',
      });
    }
    const writes = this.writable(lower.length, upper.length);
    this.guardRange(range);
    writes.removeRange(lower, upper);
  }

  lock(key: Uint8Array, start: number, end: number, mode: LockMode, wait: LockWait): Promise<void> | false | undefined {
    this.checkLockable(key, start);
    return lockKey(this.registry, this, key, start, end, mode, wait);
  }

  lockNow(key: Uint8Array, start: number, end: number, mode: LockMode): void {
    this.checkLockable(key, start);
    lockKeyNow(this.registry, this, key, start, end, mode);
  }

  claim(key: Uint8Array, start: number, end: number): Promise<void> | undefined {
    this.checkLockable(key, start);
    if (this.lockCount < RECORDED_LOCKS_MAX)
      return lockKey(this.registry, this, key, start, end, LockStrength.Update, 'wait') as Promise<void> | undefined;
    if (!this.claims) {
      this.claimedFrom = this.place;
      this.registry.unrecorded.add(this);
    }
    return claimKey(this.registry, this, key, start, end);
  }

  changedSinceSnapshot(key: Uint8Array, start: number, end: number): boolean {
    if (this.phase !== 'active') this.refuse();
    const { index } = this.registry.window;
    const { seq } = this.snapshots.current ?? this.snapshots.take();
    assert(!this.readOnly, 'a read-only transaction never asks what changed: nothing is recorded for it');
    // Running again would show nothing new: whoever did so on "changed" would do it for ever. Commits that are queued and
    // that it cannot read are validation's affair.
    if (seq === this.snapshots.presentSeq) return false;
    if (seq < index.floor) return true;
    if (this.readsAhead) this.registry.window.recordQueued();
    return !index.isEmpty && index.seqOf(keyHash(key, start, end), key, start, end) > seq;
  }

  lostRace(key: Uint8Array, start: number, end: number): PhantomError {
    const { ledger, window } = this.registry;
    const found = key.slice(start, end);
    return ledger.written(this, found, this.snapshotSeq, window.index.seqOf(keyHash(key, start, end), key, start, end));
  }

  guard(key: Uint8Array, start: number, end: number): void {
    this.guardsToAdd().addPoint(key, start, end, LockStrength.Share, this.snapshots.presentSeq);
  }

  guardPresence(key: Uint8Array, start: number, end: number): void {
    this.guardsToAdd().addPoint(key, start, end, LockStrength.KeyShare, this.snapshots.presentSeq);
  }

  guardRange(range: KeyRange): void {
    this.guardsToAdd().addRange(this.registry.window, this, range);
  }

  arbitrate(space: SpaceId): void {
    (this.arbitrated ??= new Set()).add(space);
  }

  raceLostOn(key: Uint8Array, start: number, end: number): PhantomError | undefined {
    const isMet = this.isolation !== 'read committed' && this.arbitrated?.has(spaceOfKey(key, start)) === true;
    return isMet && this.changedSinceSnapshot(key, start, end) ? this.lostRace(key, start, end) : undefined;
  }

  savepoint(): Savepoint {
    if (this.phase !== 'active') this.refuse();
    return this.undo.savepoint();
  }

  rollbackTo(savepoint: Savepoint): void {
    if (this.phase !== 'active') this.refuse();
    this.undo.rollbackTo(savepoint);
  }

  release(savepoint: Savepoint): void {
    if (this.phase !== 'active') this.refuse();
    this.undo.release(savepoint);
  }

  onEnd(listener: (seq: Seq | undefined) => void): void {
    if (this.phase !== 'active') this.refuse();
    (this.endListeners ??= []).push(listener);
  }

  commit(options?: CommitOptions): Promise<CommitResult> {
    if (this.phase !== 'active') return Promise.reject(this.wounded ?? notActiveError(this.status));
    if (this.hasWrites) return this.beginCommit(options).run();
    if (this.reads !== undefined) return new Promise((resolve) => resolve(this.commitReads()));
    const shown = this.whenShown();
    const result = this.commitNothing();
    return shown === undefined ? Promise.resolve(result) : shown.then(() => result);
  }

  commitSync(options?: CommitOptions): CommitResult {
    if (this.phase !== 'active') this.refuse();
    if (this.hasWrites) return this.beginCommit(options).runNow();
    if (this.snapshots.seqMax > this.registry.store.visibleSeq) this.registry.store.drainNow();
    return this.reads === undefined ? this.commitNothing() : this.commitReads();
  }

  prepare(identifier: string, meta: string): Promise<void> {
    if (this.phase !== 'active') return Promise.reject(this.wounded ?? notActiveError(this.status));
    this.phase = 'committing';
    // Without writes there is nothing to make durable but its place: what it relies on and its locks.
    this.writes ??= this.registry.takeWriteSet();
    return prepare(this.registry, this, identifier, meta);
  }

  closeCursors(): void {
    this.reader.closeCursors();
  }

  becamePrepared(): void {
    this.writes = undefined;
    this.finish('prepared', undefined);
  }

  rollback(): void {
    if (this.phase === 'active') {
      this.finish('aborted', undefined);
    } else if (this.phase === 'committing') {
      this.cancelWait(rolledBackError());
    } else if (this.phase === 'queued' || this.phase === 'committed') {
      this.refuse();
    }
  }

  cancelWait(error: Error): void {
    if (this.phase === 'committing') this.stopReason = error;
    this.registry.locks.cancelWaits(this, error);
  }

  end(): void {
    if (this.phase === 'active' || this.phase === 'committing') this.rollback();
  }

  info(): TransactionInfo {
    const { registry } = this;
    return transactionInfo(this, registry.locks, registry.options.clock);
  }

  submitted(): void {
    this.phase = 'queued';
    this.registry.removeSnapshot(this);
    // It reads nothing any more, and may wait for its sync for long.
    this.snapshots.release();
  }

  tellReads(): void {
    this.reader.tell();
  }

  checkActive(): void {
    if (this.phase !== 'active') this.refuse();
  }

  private refuse(): never {
    throw this.wounded ?? notActiveError(this.status);
  }

  private guardsToAdd(): ConstraintGuards {
    if (this.phase !== 'active') this.refuse();
    if (this.readOnly) throw readOnlyError();
    if (this.snapshots.current === undefined) this.snapshots.take();
    return (this.guards ??= new ConstraintGuards());
  }

  /** The write set, once everything about a write but its bytes has been checked. */
  private writable(keyBytes: number, valueBytes: number): WriteSet {
    if (this.phase !== 'active') this.refuse();
    if (this.readOnly) throw readOnlyError();
    if (keyBytes > KEY_BYTES_MAX || keyBytes < SPACE_BYTES) {
      throw new PhantomError(
        SqlState.ProgramLimitExceeded,
        `a key has ${SPACE_BYTES} to ${KEY_BYTES_MAX} bytes, this one has ${keyBytes}`,
      );
    }
    const writes = (this.writes ??= this.registry.takeWriteSet());
    const bytes = keyBytes + valueBytes + OPERATION_BYTES_MAX;
    const { writeSetBytesMax, orderedBytesMax } = this.registry.options;
    const bytesThen = writes.batch.bytes + bytes;
    if (bytesThen <= orderedBytesMax) return writes;
    return bytesThen > writeSetBytesMax || writes.continuesInOrder ? this.putAside(bytes) : writes;
  }

  putAside(bytes: number): WriteSet {
    return (this.writes = putAside(this.registry, this, this.writes as WriteSet, bytes, this.undo.newestLockHead));
  }

  private checkLockable(key: Uint8Array, start: number): void {
    if (this.phase !== 'active') this.refuse();
    if (this.readOnly && spaceOfKey(key, start) !== LOCK_SPACE)
      throw new PhantomError(SqlState.ReadOnlyTransaction, 'cannot lock rows in a read-only transaction');
  }

  private commitNothing(): CommitResult {
    const { store } = this.registry;
    const seq = this.snapshots.current?.seq ?? store.visibleSeq;
    this.finish('committed', seq);
    return { seq, durability: store.durability };
  }

  private commitReads(): CommitResult {
    try {
      commitReads(this.registry, this);
    } catch (error) {
      this.finish('aborted', undefined);
      throw error;
    }
    return this.commitNothing();
  }

  private beginCommit(options: CommitOptions | undefined): CommitProcess {
    this.phase = 'committing';
    return new CommitProcess(this.registry, this, options);
  }

  /** Frees everything and tells the listeners. */
  finish(phase: 'committed' | 'aborted' | 'unknown' | 'prepared', seq: Seq | undefined): void {
    const { registry, writes } = this;
    this.phase = phase;
    if (phase === 'committed') registry.committed++;
    else if (phase !== 'prepared') registry.rolledBack++;
    this.reader.close();
    this.snapshots.release();
    if (this.isSerializable) registry.graph.ended(this);
    registry.removeSnapshot(this);
    if (seq !== undefined) registry.forgetConflicts();
    registry.removeLive(this);
    this.guards?.truncate(registry.window, 0, 0);
    if (this.lockWaits.length > 0) registry.locks.cancelWaits(this, rolledBackError());
    if (this.lockHead !== NONE) registry.locks.release(this, NONE);
    if (this.claims) registry.unrecorded.delete(this);
    if (this.party instanceof LastingLocks) this.party.ended();
    this.writes = undefined;
    if (writes !== undefined) registry.giveBack(this, writes);
    if (this.endListeners !== undefined) tellListeners(this.endListeners, seq, this.id, registry.options.logger);
  }
}
