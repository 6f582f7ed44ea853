/** A kind of background work of which one job at a time is under way. Whoever cannot wait does the work on its own thread. */
import { Job, type JobBody, type Wait } from './job.js';

export class Lane {
  private job: Job | undefined = undefined;
  private readonly onEnded: (error: Error | undefined) => void;

  /** `onEnded` is called in the turn in which a job has ended, well or not. */
  constructor(onEnded: (error: Error | undefined) => void) {
    this.onEnded = onEnded;
  }

  get isBusy(): boolean {
    return this.job !== undefined;
  }

  /** Starts a job, up to its first wait. There is none under way. */
  start(body: JobBody): void {
    const job = new Job(body);
    this.job = job;
    job.ended.finally(() => this.settle(job)).catch(() => undefined);
  }

  /** Resolves when the job under way has ended, at once when there is none; rejects as it did. */
  async ended(): Promise<void> {
    await this.job?.ended;
  }

  /** Runs the job up to its next wait on this thread, or waits for another thread so long; false when there is no job. */
  stepNow(durationMs: number): boolean {
    const { job } = this;
    if (job === undefined) return false;
    job.stepNow(durationMs);
    if (job.isFinished) this.settle(job);
    return true;
  }

  /** Brings the work of the job under way to the thread it is meant for: for callers that let no other turn begin soon. */
  handOver(): void {
    const { job } = this;
    if (job === undefined) return;
    job.handOver();
    if (job.isFinished) this.settle(job);
  }

  /** Runs the job to its end on this thread. Throws what the job throws. */
  finishNow(): void {
    const { job } = this;
    if (job === undefined) return;
    try {
      job.finishNow();
    } finally {
      this.settle(job);
    }
  }

  /** What a job of another lane yields to wait for the end of this one's, whatever comes of it: its own lane handles that. */
  end(): Wait {
    return {
      sync: () => this.ended().catch(() => undefined),
      syncNow: () => {
        try {
          this.finishNow();
        } catch {
          // See above.
        }
      },
    };
  }

  /** Ends the job where it stands, once the wait under way is over. */
  async cancel(): Promise<void> {
    await this.job?.cancel();
  }

  /** Tells that the job has ended, once. */
  private settle(job: Job): void {
    if (this.job !== job) return;
    this.job = undefined;
    this.onEnded(job.failure);
  }
}
