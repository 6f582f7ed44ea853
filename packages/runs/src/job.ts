/**
 * Background work that can be finished on the spot. A job is a generator that says what it waits for. Its usual driver
 * awaits that and leaves the event loop free between slices of time; a synchronous caller lets the same generator run on,
 * all of it (`finishNow`) or a slice (`stepNow`), with every wait done by this thread. So there is one description of a
 * flush or a merge, read from top to bottom, and two ways to run it.
 */
import { PhantomError, SqlState, eventLoop } from '@phantom/base';

/** Something a job waits for. */
export interface Wait {
  /** `sliceMs`: how long the job has just had this thread. */
  sync(sliceMs: number): Promise<unknown>;
  /** The same on this thread. Both may be under way at once: the one that ends later finds it done. */
  syncNow(): void;
  /** As syncNow, but for so long at most; true when it is over. For waits for work that goes on without this thread. */
  syncNowFor?(durationMs: number): boolean;
  /** Nobody needs what is waited for any more: it may end early, with an error. */
  abort?(): void;
}

/** Yielded at the end of a slice of time: others run, in proportion to what it took. */
export const PAUSE: Wait = {
  sync: (sliceMs) => eventLoop.giveWay(sliceMs),
  syncNow: () => undefined,
};

/** Yielded in place of PAUSE by a job whose work goes on in another thread as soon as this one has brought it there. */
export const HANDING_OVER: Wait = {
  sync: () => eventLoop.nextTurn(),
  syncNow: () => undefined,
};

export type JobBody = Generator<Wait, void>;

export class Job {
  /** Settles when the job has ended; rejects with its error, or 57P01 when it was cancelled. Nobody has to await it. */
  readonly ended: Promise<void>;
  private readonly body: JobBody;
  private waiting: Wait | undefined = undefined;
  private finished = false;
  private failed: Error | undefined = undefined;
  private cancelled = false;
  private settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  /** Counts the waits, so that the driver that awaited one knows whether it is still the present one. */
  private turn = 0;
  /** How long the last step took. */
  private sliceMs = 0;

  /** Starts the body at once, up to its first wait. */
  constructor(body: JobBody) {
    this.body = body;
    this.ended = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.ended.catch(() => undefined);
    this.resume(undefined);
    if (!this.finished) void this.drive();
  }

  get isFinished(): boolean {
    return this.finished;
  }

  /** Why it ended, when it did not end well. */
  get failure(): Error | undefined {
    return this.failed;
  }

  /**
   * Runs it on this thread up to its next wait. No effect when it has ended. With a duration it waits for others no longer
   * than that, and perhaps in vain.
   */
  stepNow(durationMs?: number): void {
    if (this.finished) return;
    const { waiting } = this;
    let failure: { readonly error: unknown } | undefined;
    try {
      if (durationMs === undefined || waiting?.syncNowFor === undefined) waiting?.syncNow();
      else if (!waiting.syncNowFor(durationMs)) return;
    } catch (error) {
      failure = { error };
    }
    this.resume(failure);
  }

  /** Runs it on this thread until another one has its work, where that is what it is about. */
  handOver(): void {
    while (!this.finished && this.waiting === HANDING_OVER) this.stepNow();
  }

  /** Runs the rest on this thread. Throws what the job throws. */
  finishNow(): void {
    while (!this.finished) this.stepNow();
    if (this.failed !== undefined) throw this.failed;
  }

  /** Ends the job where it stands, once the wait under way is over. */
  async cancel(): Promise<void> {
    this.cancelled = true;
    this.waiting?.abort?.();
    await this.ended.catch(() => undefined);
  }

  private async drive(): Promise<void> {
    while (!this.finished) {
      const { turn } = this;
      let failure: { readonly error: unknown } | undefined;
      try {
        await this.waiting?.sync(this.sliceMs);
      } catch (error) {
        failure = { error };
      }
      // Somebody who could not wait may have run on in the meantime.
      if (turn === this.turn && !this.finished) this.resume(failure);
    }
  }

  private resume(failure: { readonly error: unknown } | undefined): void {
    this.turn++;
    try {
      if (this.cancelled) {
        this.body.return();
        throw new PhantomError(SqlState.AdminShutdown, 'background work was stopped');
      }
      const beganMs = performance.now();
      const step = failure === undefined ? this.body.next() : this.body.throw(failure.error);
      this.sliceMs = performance.now() - beganMs;
      if (step.done !== true) {
        this.waiting = step.value;
        return;
      }
      this.finished = true;
      this.settle?.resolve();
    } catch (error) {
      this.finished = true;
      this.failed = error instanceof Error ? error : new Error(String(error));
      this.settle?.reject(this.failed);
    }
  }
}
