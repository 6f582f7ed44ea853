/** Whether the log may be written to, and the one place where that ends for good. */
import { PhantomError, SqlState } from '@phantom/base';

export class LogHealth {
  /** Why nothing may be written any more; the reason of `lost`. */
  failure: PhantomError | undefined;
  closed = false;
  readonly readOnly: boolean;
  /** Called once, after `failure` is set. */
  onFailure: (failure: PhantomError) => void = () => undefined;
  private readonly controller = new AbortController();

  constructor(readOnly: boolean) {
    this.readOnly = readOnly;
  }

  get lost(): AbortSignal {
    return this.controller.signal;
  }

  /** A write or sync has failed: what is on the disk is in doubt, so this process writes no more. Returns the failure. */
  fail(cause: unknown): PhantomError {
    if (this.failure !== undefined) return this.failure;
    const failure = new PhantomError(SqlState.IoError, 'the log takes no more writes: a write or sync of it failed', {
      cause,
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'A failed sync is not repeated, since what it covered may look written and be gone. Reopen to recover.',
    });
    this.failure = failure;
    this.controller.abort(failure);
    this.onFailure(failure);
    return failure;
  }

  /** Throws unless the log takes writes. */
  checkWritable(): void {
    if (this.failure !== undefined) throw this.failure;
    this.checkOpen();
    if (this.readOnly) throw new PhantomError(SqlState.ReadOnlyTransaction, 'the log is open for reading only');
  }

  checkOpen(): void {
    if (this.closed) throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the log is closed');
  }
}
