/**
 * How long an operation that commits by itself may take: what statement_timeout is to a statement. When the time is over its waits end
 * and its transaction is rolled back, so whatever it does next fails; a commit that is in the log already goes on.
 */
import { PhantomError, SqlState, isPhantomError } from '@phantom/base';
import type { MvccTransaction } from '@phantom/mvcc';

/** Limits for operations in no transaction of the caller's, in milliseconds; 0: none. */
export interface TimeLimits {
  /** Longest wait for a lock; past it 55P03. */
  readonly lockTimeoutMs: number;
  /** Longest run of an operation that writes, with all its attempts; past it 57014. */
  readonly statementTimeoutMs: number;
}

export const NO_TIME_LIMITS: TimeLimits = { lockTimeoutMs: 0, statementTimeoutMs: 0 };

/** The time of one operation, which begins now; `end` it. */
export class TimeLimit {
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly endMs: number;
  private expired: PhantomError | undefined = undefined;
  private storage: MvccTransaction | undefined = undefined;

  constructor(limitMs: number) {
    this.endMs = limitMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + limitMs;
    this.timer = limitMs === 0 ? undefined : setTimeout(() => this.expire(), limitMs);
  }

  /** The transaction of an attempt, which the end of the time ends. */
  watch(storage: MvccTransaction): void {
    this.storage = storage;
  }

  /** What the caller is told of an error: that the time is over, where that has brought it about. */
  reasonOf(error: unknown): unknown {
    const isUnknown = isPhantomError(error) && error.code === SqlState.TransactionResolutionUnknown;
    return isUnknown ? error : (this.expired ?? error);
  }

  /** Throws 57014 once the time is over, though no timer has had a turn. */
  readonly check = (): void => {
    if (this.expired === undefined && performance.now() >= this.endMs) this.expire();
    if (this.expired !== undefined) throw this.expired;
  };

  end(): void {
    clearTimeout(this.timer);
  }

  private expire(): void {
    const { storage } = this;
    this.expired = new PhantomError('57014', 'canceling statement due to statement timeout');
    storage?.cancelWait(this.expired);
    if (storage?.status === 'active') storage.rollback();
  }
}
