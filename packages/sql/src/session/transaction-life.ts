/**
 * The life of a session's transaction: how it begins, and the ways in which it ends. There is one at a time; the session asks
 * here for the present one.
 *
 *   begin ──► current ──► checks that waited for the commit ──► commit or prepare ──► none
 *                │                      │ one fails                │ lost a race
 *                └──── rollback ◄───────┴──────────────────────────┘
 *
 * Whichever way it ends, portals are closed, time limits are disarmed, and settings show the session's default modes again.
 */
import { type CommitResult, Retries } from '@phantom/mvcc';
import { REST, type Yielded } from '../exec/runtime.js';
import { cancelCommit } from './commit-cancel.js';
import { microsSince2000 } from './evaluation.js';
import { wouldWait } from './portal.js';
import type { SqlSession } from './session.js';
import { SessionTransaction } from './transaction.js';
import { type OpeningModes, SessionModes } from './transaction-modes.js';

export class TransactionLife {
  current: SessionTransaction | undefined;
  /** The last commit that wrote something: another object for each. */
  lastCommit: CommitResult | undefined;
  private readonly session: SqlSession;
  /** Made when the session first asks: it has no settings yet when it makes this. */
  private sessionModes: SessionModes | undefined;
  /** The last one that was rolled back. */
  private abandoned: SessionTransaction | undefined;
  /** What the attempts at the statement that runs now have lost on. */
  private retries: Retries | undefined;

  constructor(session: SqlSession) {
    this.session = session;
  }

  private get modes(): SessionModes {
    return (this.sessionModes ??= new SessionModes(this.session.settings, this.session.locks));
  }

  /** The present transaction; an implicit one is begun if there is none. */
  ensure(): SessionTransaction {
    return (this.current ??= this.begin(false, this.modes.defaults));
  }

  /** Begins one; the caller has made sure that there is none. */
  begin(explicit: boolean, modes: OpeningModes): SessionTransaction {
    const { settings, engine, watch } = this.session;
    const readOnly = modes.readOnly || engine.readOnly;
    const storage = engine.mvcc.begin(this.modes.storageOptions(modes, readOnly));
    this.modes.show(readOnly === modes.readOnly ? modes : { ...modes, readOnly });
    const transaction = new SessionTransaction(
      storage,
      engine.catalog,
      settings,
      explicit,
      microsSince2000(engine.clock.nowMs()),
      modes,
    );
    this.current = transaction;
    watch.began();
    return transaction;
  }

  /** Commits it. On an error nothing of it is left, unless the error says that the outcome is unknown. */
  async commit(): Promise<void> {
    const { session } = this;
    const transaction = this.current as SessionTransaction;
    const { storage } = transaction;
    const trace = storage.hasWrites ? session.traces?.beginCommit() : undefined;
    try {
      const checks = this.runChecks(transaction);
      if (checks !== undefined) await checks;
      this.current = undefined;
      const wrote = storage.hasWrites;
      const commit = storage.commit(this.commitOptions());
      if (trace !== undefined) session.traces?.appended(trace);
      session.interrupts.beginCommit((reason) => cancelCommit(session, storage, reason));
      const result = await commit;
      if (trace !== undefined) session.traces?.committed(trace, session.engine.storage.lastSync);
      session.interrupts.endCommit();
      this.committed(transaction, wrote ? result : undefined);
    } catch (error) {
      session.interrupts.endCommit();
      if (trace !== undefined) session.traces?.notCommitted(trace, error);
      session.traces?.transactionEnded(error);
      session.slow.transactionEnded(error);
      this.abandon(transaction);
      // What the error tells may come from commits that are not durable yet.
      await storage.whenShown();
      throw error;
    } finally {
      this.ended();
    }
  }

  /** As commit, on this thread. */
  commitNow(): void {
    const transaction = this.current as SessionTransaction;
    const { session } = this;
    const { storage } = transaction;
    const trace = storage.hasWrites ? session.traces?.beginCommit() : undefined;
    try {
      if (this.hasChecks(transaction)) {
        for (const wait of this.beforeCommit(transaction))
          if (wait instanceof Promise && wait !== REST) throw wouldWait();
      }
      this.current = undefined;
      const wrote = storage.hasWrites;
      const result = storage.commitSync(this.commitOptions());
      if (trace !== undefined) session.traces?.committed(trace, session.engine.storage.lastSync);
      this.committed(transaction, wrote ? result : undefined);
    } catch (error) {
      if (trace !== undefined) session.traces?.notCommitted(trace, error);
      session.traces?.transactionEnded(error);
      session.slow.transactionEnded(error);
      this.abandon(transaction);
      throw error;
    } finally {
      this.ended();
    }
  }

  /** Prepares it under an identifier; the session has none any more. On an error it is rolled back. */
  async prepare(identifier: string, meta: string): Promise<void> {
    const { session } = this;
    const transaction = this.current as SessionTransaction;
    const { storage } = transaction;
    try {
      await this.runChecks(transaction);
      this.current = undefined;
      const prepared = storage.prepare(identifier, meta);
      session.interrupts.beginCommit((reason) => cancelCommit(session, storage, reason));
      await prepared;
      session.settings.commit();
    } catch (error) {
      this.abandon(transaction);
      throw error;
    } finally {
      session.interrupts.endCommit();
      this.ended();
    }
  }

  /** Rolls it back, if there is one. */
  rollback(): void {
    const { current } = this;
    if (current === undefined) return;
    this.abandon(current);
    this.ended();
  }

  /** An error has happened inside a statement: an implicit one ends, an explicit one waits for its ROLLBACK. */
  fail(error: unknown): void {
    if (this.current?.explicit === true) this.current.fail(error);
    else this.rollback();
  }

  /**
   * After an error of a statement that ran by itself: true when it lost a race and may be run again, in a transaction that has
   * begun and holds what was lost on. Rejects with what ended the wait for that.
   */
  async again(error: unknown): Promise<boolean> {
    const { abandoned, session } = this;
    this.abandoned = undefined;
    if (abandoned === undefined || abandoned.explicit || this.current !== undefined) return false;
    const retries = (this.retries ??= new Retries(session.settings.integer('phantom.statement_retries')));
    if (!retries.again(error, abandoned.storage.id)) {
      this.retries = undefined;
      return false;
    }
    const { storage } = this.begin(false, { ...this.modes.defaults, retryOf: retries.retryOf });
    const wait = retries.lockLost(storage);
    if (wait === undefined) return true;
    const stop = session.interrupts.beginRun(session.settings.integer('statement_timeout'));
    try {
      await session.interrupts.interruptible(wait);
      return true;
    } catch (reason) {
      this.rollback();
      if (await this.again(reason)) return true;
      throw reason;
    } finally {
      stop();
    }
  }

  /** Runs what has waited for the commit; a promise once some of it has to wait for others. */
  private runChecks(transaction: SessionTransaction): Promise<void> | undefined {
    if (!this.hasChecks(transaction)) return undefined;
    const checks = this.beforeCommit(transaction);
    for (let step = checks.next(); step.done !== true; step = checks.next())
      if (step.value instanceof Promise) return this.runRest(step.value, checks);
    return undefined;
  }

  private async runRest(first: Promise<unknown>, checks: Generator<Yielded, void, void>): Promise<void> {
    const { interrupts } = this.session;
    await interrupts.interruptible(first);
    for (const wait of checks) if (wait instanceof Promise) await interrupts.interruptible(wait);
  }

  private hasChecks({ deferred }: SessionTransaction): boolean {
    return deferred.isOwing || this.session.temporary.hasTables;
  }

  /** What has waited for the commit: deferred constraints, and what temporary tables do at it. */
  private *beforeCommit(transaction: SessionTransaction): Generator<Yielded, void, void> {
    yield* transaction.deferred.settle();
    yield* this.session.temporary.beforeCommit(transaction);
  }

  private commitOptions(): { durability: 'fsync' | 'os' } | undefined {
    return this.session.settings.get('synchronous_commit') === 'off' ? { durability: 'os' } : undefined;
  }

  private committed(transaction: SessionTransaction, result: CommitResult | undefined): void {
    const { session } = this;
    if (result !== undefined) this.lastCommit = result;
    this.retries = undefined;
    session.settings.commit();
    session.cursors.transactionEnded(true);
    session.engine.notifications.apply(session, transaction.notifications);
  }

  private abandon(transaction: SessionTransaction): void {
    transaction.undo();
    this.session.cursors.transactionEnded(false);
    if (transaction.storage.status === 'active') transaction.storage.rollback();
    this.abandoned = transaction;
    this.current = undefined;
  }

  /** A default of the session's modes is another one: between two transactions, SHOW tells of the next. */
  defaultsChanged(): void {
    if (this.current === undefined) this.modes.show(this.modes.defaults);
  }

  private ended(): void {
    const { session } = this;
    session.closePortals();
    session.slow.transactionEnded();
    session.traces?.transactionEnded();
    session.advisory.transactionEnded();
    session.watch.ended();
    this.modes.show(this.modes.defaults);
  }
}
