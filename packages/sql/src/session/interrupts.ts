/** How a running statement is asked to stop: by a cancel from outside, or by its own timeout. One statement runs at a time. */
import { PhantomError } from '@phantom/base';

export class Interrupts {
  private reason: PhantomError | undefined;
  private rejectWait: ((error: PhantomError) => void) | undefined;

  /** What runs now ends with 57014 at its next slice; a wait ends at once. */
  cancel(message = 'canceling statement due to user request'): void {
    this.reason = new PhantomError('57014', message);
    this.rejectWait?.(this.reason);
  }

  /** Throws the reason to stop, if there is one. */
  check(): void {
    const { reason } = this;
    if (reason !== undefined) throw reason;
  }

  /** Arms a timeout (0: none) for a run; the returned function disarms it and forgets a cancel that came too late. */
  beginRun(timeoutMs: number): () => void {
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => this.cancel('canceling statement due to statement timeout'), timeoutMs);
    return () => {
      clearTimeout(timer);
      this.reason = undefined;
    };
  }

  /** Lets the event loop turn once, then notices a cancel. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.check();
  }

  /**
   * Awaits something that another transaction decides, or a cancel, or the end of lock_timeout (0: none), whichever comes
   * first.
   */
  async interruptible(wait: Promise<unknown>, lockTimeoutMs = 0): Promise<void> {
    this.check();
    const interrupted = new Promise<never>((_, reject) => {
      this.rejectWait = reject;
    });
    const timer = lockTimeoutMs === 0 ? undefined : setTimeout(() => this.rejectWait?.(lockTimeout()), lockTimeoutMs);
    try {
      await Promise.race([wait, interrupted]);
    } finally {
      clearTimeout(timer);
      this.rejectWait = undefined;
    }
  }
}

function lockTimeout(): PhantomError {
  return new PhantomError('55P03', 'canceling statement due to lock timeout');
}
