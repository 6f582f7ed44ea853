/**
 * One transaction's way from commit() to its answer.
 *
 *   admit ──► validate ──► submit (append) ──► queued ──► published  ─► resolve
 *     ▲          │ a key is locked by another        └──► unknown    ─► reject with 08007
 *     │          ▼
 *     ├──────  wait for the lock without the room, then from the start
 *     └─ may wait for room
 *
 * Validation and append happen in one synchronous turn: between "nobody has written my keys" and "my commit has its seq"
 * nothing can come in between. Whatever goes wrong before the append, nothing has happened, and the error says so;
 * whatever goes wrong behind it is "outcome unknown".
 *
 * Who loses to a commit that is still queued is told when that is published, not before: running again at once, it would
 * take the same snapshot and lose again, for as long as the sync takes, and never let the event loop hear of its end.
 */
import { PhantomError, SqlState, assert } from '@phantom/base';
import { ByteSlot, type Seq, type SpilledWrites } from '@phantom/kv';
import type { CommitListener, CommitResult, SpilledCommit, SubmitOptions } from '@phantom/store';
import type { QueuedTransaction } from './commit-window.js';
import { SYNCHRONOUS_LOCK_HINT, lockedError, winnerOf } from './errors.js';
import type { TransactionRegistry } from './registry.js';
import type { SerializableTransaction } from './serialization-graph.js';
import { type BlockedKey, type Candidate, validate } from './validation.js';
import type { WriteSet } from './write-set.js';

export interface CommitOptions {
  readonly durability?: 'fsync' | 'os';
}

/** The transaction, as its commit sees it. */
export interface CommitSubject extends Candidate, QueuedTransaction, SerializableTransaction {
  readonly writes: WriteSet | undefined;
  readonly isSerializable: boolean;
  /** Set when it shall not be committed after all: looked at behind each wait. Whoever sets it ends waits for locks as well. */
  readonly stopReason: Error | undefined;
  /** Puts what it has in memory aside, and makes room for so many bytes. */
  putAside(bytes: number): unknown;
  /** The commit has its seq: from here on it cannot be rolled back. */
  submitted(): void;
  /** The transaction is over. */
  finish(phase: 'committed' | 'aborted' | 'unknown' | 'prepared', seq: Seq | undefined): void;
}

export class CommitProcess implements CommitListener {
  private readonly registry: TransactionRegistry;
  private readonly subject: CommitSubject;
  private readonly options: CommitOptions | undefined;
  private isAdmitted = false;
  /** The commit of what was put aside, if anything was. */
  private spilled: SpilledCommit | undefined = undefined;
  private isPublished = false;
  private unknownError: Error | undefined = undefined;
  private resolve: ((result: CommitResult) => void) | undefined = undefined;
  private reject: ((error: unknown) => void) | undefined = undefined;

  constructor(registry: TransactionRegistry, subject: CommitSubject, options: CommitOptions | undefined) {
    this.registry = registry;
    this.subject = subject;
    this.options = options;
  }

  run(): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.admit();
    });
  }

  runNow(): CommitResult {
    const { store, window, options } = this.registry;
    try {
      this.admitNow();
      let blocked = this.validate();
      if (blocked !== undefined && window.hasQueued) {
        // Whoever holds the key may be queued; that can be finished on this thread.
        store.drainNow();
        blocked = this.validate();
      }
      if (blocked !== undefined) throw lockedError(options.names, blocked.key, blocked.mode, SYNCHRONOUS_LOCK_HINT);
      this.append();
    } catch (error) {
      this.abort(error);
      if (winnerOf(error) > store.visibleSeq) this.drain();
      throw error;
    }
    this.drain();
    if (!this.isPublished) throw this.unknownError as Error;
    return this.result();
  }

  /** Called by the store: the commit is visible. */
  published(seq: Seq): void {
    const { subject, resolve } = this;
    assert(seq === subject.commitSeq && !this.isPublished, 'a commit is published once, as what it was submitted');
    this.isPublished = true;
    this.registry.window.ended(subject);
    if (subject.isSerializable) this.registry.graph.published(seq);
    subject.finish('committed', seq);
    if (resolve !== undefined) resolve(this.result());
  }

  /** Called by the store: nobody knows whether the commit survives. */
  unknown(error: Error): void {
    this.unknownError = error;
    this.registry.window.ended(this.subject);
    this.subject.finish('unknown', undefined);
    if (this.reject !== undefined) this.reject(error);
  }

  /** Finishes what is queued. Each commit that fails there is told so itself; this is not the place to. */
  private drain(): void {
    try {
      this.registry.store.drainNow();
    } catch (error) {
      this.unknownError ??= error as Error;
    }
  }

  private get writes(): WriteSet {
    return this.subject.writes as WriteSet;
  }

  private admitNow(): void {
    const { store } = this.registry;
    if (this.writes.spilled === undefined) store.admitNow(this.writes.batch);
    else this.beginSpilled().prepareNow();
    this.isAdmitted = true;
    this.noteTouched();
  }

  private admit(): void {
    const room = this.room();
    if (room === undefined) {
      this.isAdmitted = true;
      this.tryAppend();
      return;
    }
    room.then(
      () => {
        this.isAdmitted = true;
        this.noteTouched();
        this.tryAppend();
      },
      (error: unknown) => this.fail(error),
    );
  }

  /** Room for the commit: in the engines' memory, or on disk where writes were put aside. */
  private room(): Promise<void> | undefined {
    if (this.writes.spilled === undefined) return this.registry.store.admit(this.writes.batch);
    try {
      return this.beginSpilled().prepare();
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** The rest is put aside, too: then everything is in one order. */
  private beginSpilled(): SpilledCommit {
    const { subject, registry } = this;
    subject.putAside(0);
    return (this.spilled = registry.store.beginSpilledCommit(this.writes.spilled as SpilledWrites));
  }

  private noteTouched(): void {
    if (this.spilled !== undefined) this.writes.touched = this.spilled.ranges;
  }

  private tryAppend(): void {
    try {
      if (this.subject.stopReason !== undefined) throw this.subject.stopReason;
      for (;;) {
        const blocked = this.validate();
        if (blocked === undefined) break;
        if (!this.acquire(blocked)) return;
      }
      this.append();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Takes the lock that is in the way, or queues for it and tries again when it is granted. */
  private acquire(blocked: BlockedKey): boolean {
    const { hash, key, mode } = blocked;
    const { locks } = this.registry;
    if (locks.tryAcquire(this.subject, hash, mode)) return true;
    const waiting = locks.wait(this.subject, hash, key, 0, key.length, mode);
    // Who has the lock may need the room to commit.
    const givesBack = this.spilled === undefined;
    if (givesBack) this.registry.store.unadmit(this.writes.batch);
    this.isAdmitted = !givesBack;
    waiting.then(
      () => (givesBack ? this.admit() : this.tryAppend()),
      (error: unknown) => this.fail(error),
    );
    return false;
  }

  private validate(): BlockedKey | undefined {
    return validate(this.registry, this.subject, SLOT);
  }

  private append(): void {
    const { registry, subject } = this;
    const kind = this.options?.durability === 'os' ? SUBMIT_OS : SUBMIT;
    const { batch, isLent, worthwhileTree } = this.writes;
    const way = isLent ? kind.lent : kind.given;
    const options = worthwhileTree === undefined ? way : { ...way, index: worthwhileTree };
    const earliestOut = subject.isSerializable ? registry.graph.validate(subject) : 0;
    const seq = this.spilled?.submit(this, options) ?? registry.store.submit(batch, this, options);
    subject.commitSeq = seq;
    if (subject.isSerializable) registry.graph.committed(subject, seq, earliestOut);
    subject.submitted();
    registry.ledger.committed(seq, subject);
    registry.window.submitted(subject, registry.hasSnapshots);
    registry.locks.passOn(subject);
  }

  private fail(error: unknown): void {
    const { store, window } = this.registry;
    const reject = this.reject as (error: unknown) => void;
    this.abort(error);
    const winner = winnerOf(error);
    if (winner > store.visibleSeq && window.hasQueued) void window.whenEnded(winner).then(() => reject(error));
    else reject(error);
  }

  /** The commit did not get its seq: the transaction is rolled back, unless the log failed in the middle of taking it. */
  private abort(error: unknown): void {
    const { registry } = this;
    if (this.spilled !== undefined) this.spilled.discard();
    else if (this.isAdmitted) registry.store.unadmit(this.writes.batch);
    const known = error instanceof PhantomError ? error : undefined;
    if (known !== undefined && (known.retryable || known.code === SqlState.UniqueViolation)) registry.conflicts++;
    const isUnknown = known?.code === SqlState.TransactionResolutionUnknown;
    this.subject.finish(isUnknown ? 'unknown' : 'aborted', undefined);
  }

  private result(): CommitResult {
    const { durability } = this.registry.store;
    const isRelaxed = durability === 'fsync' && this.options?.durability === 'os';
    return { seq: this.subject.commitSeq, durability: isRelaxed ? 'os' : durability };
  }
}

/** The write set is left alone until the commit is published; one whose memory no other transaction will have, for good. */
const SUBMIT = { lent: { borrow: true }, given: { give: true } } satisfies Record<string, SubmitOptions>;
const SUBMIT_OS = {
  lent: { borrow: true, durability: 'os' },
  given: { give: true, durability: 'os' },
} satisfies Record<string, SubmitOptions>;
/** For look-ups during validation, which is synchronous. */
const SLOT = new ByteSlot();
