/**
 * Lets the event loop turn in time. Much of what is awaited here is ready at once, and a chain of such promises never gives
 * anybody else a turn: not other clients, not a cancel request. So whoever works in a loop asks `due` and awaits `turn`.
 */
import { performance } from 'node:perf_hooks';

/** Longest stretch of work for one client. */
const SLICE_MS = 8;

export class Pace {
  /** When the event loop turned last, as far as anybody has told: of performance.now(). */
  startMs = performance.now();

  /** The event loop has just turned. */
  restart(): void {
    this.startMs = performance.now();
  }

  /** True when the slice is over. */
  get due(): boolean {
    return performance.now() - this.startMs >= SLICE_MS;
  }

  /** Resolves after the event loop has turned. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.restart();
        resolve();
      });
    });
  }
}
