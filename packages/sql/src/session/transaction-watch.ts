/**
 * The time limits of a session's transaction: `transaction_timeout` for all of it, `idle_in_transaction_session_timeout` for
 * each rest between two statements. Past one the session is ended, as PostgreSQL does it: the transaction is rolled back,
 * so that its locks and its snapshot are free, what runs is stopped, and whoever drives the session hears of it. A session
 * of the embedded API refuses every later statement with the same error.
 */
import { type Clock, PhantomError } from '@phantom/base';
import type { Interrupts } from './interrupts.js';
import type { Settings } from './settings.js';

interface Watched {
  readonly settings: Settings;
  readonly interrupts: Interrupts;
  readonly clock: Clock;
  readonly transaction: { readonly explicit: boolean } | undefined;
  rollback(): void;
}

export class TransactionWatch {
  private readonly session: Watched;
  private readonly onTerminate: ((error: PhantomError) => void) | undefined;
  private whole: NodeJS.Timeout | undefined;
  private idle: NodeJS.Timeout | undefined;
  private error: PhantomError | undefined;
  /** When the transaction began, by the clock that is never set. */
  private beganMs = 0;

  constructor(session: Watched, onTerminate: ((error: PhantomError) => void) | undefined) {
    this.session = session;
    this.onTerminate = onTerminate;
  }

  /** A transaction has begun. */
  began(): void {
    this.beganMs = this.session.clock.monotonicMs();
    const limitMs = this.session.settings.integer('transaction_timeout');
    if (limitMs > 0) this.endIn(limitMs);
  }

  /** `transaction_timeout` has another value; inside a transaction it counts from when that began. */
  limitChanged(limitMs: number): void {
    const { transaction, clock } = this.session;
    if (transaction === undefined) return;
    this.ended();
    if (limitMs === 0) return;
    this.endIn(Math.max(limitMs - (clock.monotonicMs() - this.beganMs), 0));
  }

  /** It has ended. */
  ended(): void {
    if (this.whole !== undefined) clearTimeout(this.whole);
    this.whole = undefined;
  }

  /** A statement begins to run. */
  working(): void {
    if (this.idle !== undefined) clearTimeout(this.idle);
    this.idle = undefined;
  }

  /** Nothing runs any more; inside a block the client's rest has a limit. */
  resting(): void {
    if (this.session.transaction?.explicit !== true) return;
    const limitMs = this.session.settings.integer('idle_in_transaction_session_timeout');
    if (limitMs === 0) return;
    this.idle = setTimeout(
      () => this.terminate(new PhantomError('25P03', 'terminating connection due to idle-in-transaction timeout')),
      limitMs,
    );
  }

  stop(): void {
    this.ended();
    this.working();
  }

  /** It was ended, and is of no more use. */
  get isEnded(): boolean {
    return this.error !== undefined;
  }

  /** A session that was ended does nothing more. */
  refuseIfEnded(): void {
    if (this.error !== undefined) throw this.error;
  }

  /** Everything from now on ends with the error. */
  refuse(error: PhantomError): void {
    this.error = error;
  }

  /** Ends the session: what runs stops with the error, and so does everything later. */
  terminate(error: PhantomError): void {
    this.stop();
    this.error = error;
    const { session } = this;
    // What runs ends with the error, and its transaction with it.
    if (session.interrupts.isRunning) session.interrupts.stop(error);
    else session.rollback();
    this.onTerminate?.(error);
  }

  private endIn(ms: number): void {
    this.whole = setTimeout(
      () => this.terminate(new PhantomError('25P04', 'terminating connection due to transaction timeout')),
      ms,
    );
  }
}
