/**
 * Whether the store may still write. The first failure is final: a failed sync is never retried (what it covered may look
 * written and be gone, PostgreSQL's lesson of 2018), and after a broken invariant memory is in doubt. Reads go on; only
 * reopening, which recovers from what is on the disk, makes the store writable again. A full disk before the append is
 * no failure: it refuses that commit with 53100 and is forgotten.
 *
 * Files that are open go on being written where nobody finds them when their directory is removed, moved or replaced, say by a
 * backup that is restored over it: the log would acknowledge, and the next flush write into what is there now. So while there are
 * commits somebody looks, once in LOOK_INTERVAL_MS.
 */
import { type Clock, type Logger, PhantomError, SqlState, isPhantomError } from '@phantom/base';

/** Commits of so long may be lost when the files are taken away. */
const LOOK_INTERVAL_MS = 1000;
const RECOVERS = 'Reading goes on. Close and reopen the store: it recovers to everything that was acknowledged.';
const GONE =
  'Reading goes on as far as files are open. What was committed since is where nobody finds it: read what is needed, then put the directory back, or restore a backup, and open it again.';

export class StoreHealth {
  /** Whether the files of the store are where the next opening looks for them. */
  isInPlace: () => boolean = () => true;
  private lookedMs = Number.NEGATIVE_INFINITY;
  private reason: PhantomError | undefined;
  private closed = false;
  private readonly logger: Logger;
  private readonly readOnly: boolean;
  private readonly listeners: ((failure: PhantomError) => void)[] = [];

  constructor(logger: Logger, readOnly: boolean) {
    this.logger = logger;
    this.readOnly = readOnly;
  }

  /** Why the store takes no more writes; undefined while it does. */
  get failure(): PhantomError | undefined {
    return this.reason;
  }

  /** Called once, with the first failure. */
  onFailure(listener: (failure: PhantomError) => void): void {
    this.listeners.push(listener);
  }

  /** Ends writing for good. Only the first reason counts; later ones follow from it. */
  fail(cause: unknown): void {
    if (this.reason !== undefined) return;
    const code = isPhantomError(cause) ? cause.code : SqlState.InternalError;
    const text = cause instanceof Error ? cause.message : String(cause);
    const hint = this.closed || this.isInPlace() ? RECOVERS : GONE;
    this.reason = new PhantomError(code, `the store takes no more writes: ${text}`, { hint, cause });
    this.logger.error('the store takes no more writes', { code, reason: text });
    for (const listener of this.listeners) listener(this.reason);
  }

  /** Looks now and then whether the files are still in place, and ends writing when they are not. */
  look(clock: Clock): void {
    const nowMs = clock.monotonicMs();
    if (nowMs < this.lookedMs + LOOK_INTERVAL_MS || this.readOnly) return;
    this.lookedMs = nowMs;
    if (this.isInPlace()) return;
    this.fail(
      new PhantomError(SqlState.UndefinedFile, 'its files were removed, moved or replaced while they were open'),
    );
  }

  /** Every use after close is a defect of the caller, told apart from a failure of the store. */
  close(): void {
    this.closed = true;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Why a write is refused now (25006, 55000 or the failure); undefined when it may go on. */
  refusal(): PhantomError | undefined {
    if (this.reason !== undefined) return this.reason;
    if (this.closed) return closedError();
    if (this.readOnly) {
      return new PhantomError(SqlState.ReadOnlyTransaction, 'the store was opened read-only');
    }
    return undefined;
  }
}

export function closedError(): PhantomError {
  return new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the store is closed');
}
