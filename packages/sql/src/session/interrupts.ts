/**
 * How a running statement is asked to stop: by a cancel from outside, or by its own timeout. One statement runs at a time.
 *
 * A cancel that comes while nothing runs is forgotten: it was meant for what has ended. A commit is told of it at once and
 * answers for itself: before it is in the log it can be given up, afterwards it goes on, and the client is told its outcome.
 */
import { PhantomError, eventLoop } from '@phantom/base';

const TIMED_OUT = 'canceling statement due to statement timeout';

export class Interrupts {
  private reason: PhantomError | undefined;
  private rejectWait: ((error: PhantomError) => void) | undefined;
  private runs = 0;
  /** When the timeout of what runs is over, by performance.now(). */
  private endMs = Infinity;
  /** How long what runs rests between two of its slices: 0 until others have had their share, more for work in the background. */
  restMs = 0;
  /** How the commit that is under way is told. */
  private onCommitCancel: ((reason: PhantomError) => void) | undefined;
  /** Whoever waits for the end of what runs. */
  private onEnd: (() => void) | undefined;

  /** Something runs, or commits. */
  get isRunning(): boolean {
    return this.runs > 0 || this.onCommitCancel !== undefined;
  }

  /** What runs now ends with 57014 at its next slice; a wait ends at once. */
  cancel(message = 'canceling statement due to user request'): void {
    this.stop(new PhantomError('57014', message));
  }

  /** As cancel, with another error. */
  stop(error: PhantomError): void {
    if (!this.isRunning) return;
    if (this.onCommitCancel !== undefined) {
      this.onCommitCancel(error);
      return;
    }
    this.reason = error;
    this.rejectWait?.(error);
  }

  /** Stops what runs, but for a commit, and resolves when nothing does any more. */
  async end(error: PhantomError): Promise<void> {
    if (this.onCommitCancel === undefined) this.stop(error);
    while (this.isRunning) {
      await new Promise<void>((resolve) => {
        this.onEnd = resolve;
      });
    }
  }

  /** Throws the reason to stop, if there is one. */
  check(): void {
    const { reason } = this;
    if (reason !== undefined) throw reason;
  }

  /** The same of what does not let the event loop turn, so that no timer fires: it looks at the clock. */
  checkNow(): void {
    if (this.endMs !== Infinity && performance.now() >= this.endMs) this.cancel(TIMED_OUT);
    this.check();
  }

  /** Arms a timeout (0: none) for a run; the returned function disarms it and forgets a cancel that came too late. */
  beginRun(timeoutMs: number): () => void {
    this.runs++;
    if (timeoutMs === 0) return this.endRun;
    this.endMs = performance.now() + timeoutMs;
    const timer = setTimeout(() => this.cancel(TIMED_OUT), timeoutMs);
    return () => {
      clearTimeout(timer);
      this.endRun();
    };
  }

  private readonly endRun = (): void => {
    this.reason = undefined;
    this.endMs = Infinity;
    this.runs--;
    this.onEnd?.();
  };

  /** Gives way to others after a slice that took `sliceMs`, or rests, then notices a cancel. */
  async giveWay(sliceMs: number): Promise<void> {
    const { restMs } = this;
    if (restMs === 0) await eventLoop.giveWay(sliceMs);
    else await new Promise<void>((resolve) => setTimeout(resolve, restMs));
    this.check();
  }

  /** A commit is under way: a cancel is handed to `onCancel`, and the outcome is the commit's own. */
  beginCommit(onCancel: (reason: PhantomError) => void): void {
    this.onCommitCancel = onCancel;
  }

  /** It has ended, or was never under way. */
  endCommit(): void {
    if (this.onCommitCancel === undefined) return;
    this.onCommitCancel = undefined;
    this.onEnd?.();
  }

  /**
   * Awaits something that others decide, or a cancel, whichever comes first. While a commit is under way it is awaited to its
   * end. How long a lock is waited for is the lock table's to say.
   */
  async interruptible(wait: Promise<unknown>): Promise<void> {
    this.check();
    if (this.onCommitCancel !== undefined) {
      await wait;
      return;
    }
    const interrupted = new Promise<never>((_, reject) => {
      this.rejectWait = reject;
    });
    try {
      await Promise.race([wait, interrupted]);
    } finally {
      this.rejectWait = undefined;
    }
  }
}
