/** Time as an argument: production reads the machine's clocks, tests and the simulator turn the hands themselves. */
export interface Clock {
  /** Milliseconds since 1970 in UTC, with fractions; steps, also back, when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds since some start, with fractions; never steps back. */
  monotonicMs(): number;
}

/** Further apart than this, the machine's clock has been set, or has gone on while the machine slept. */
const STEP_MS_MIN = 5;
/** Two looks at two clocks are of one moment when they took no longer; tried so often. */
const MOMENT_MS_MAX = 0.5;
const TRIES_MAX = 10;

/**
 * The machine's clocks. `Date.now` follows a clock that is set but has no fractions, `performance.now` has them and follows nothing:
 * so time is counted by the latter, from an origin that is found anew whenever the two disagree.
 */
class SystemClock implements Clock {
  private originMs = performance.timeOrigin;

  nowMs(): number {
    const elapsedMs = performance.now();
    const nowMs = this.originMs + elapsedMs;
    return Math.abs(Date.now() - nowMs) < STEP_MS_MIN ? nowMs : this.setAnew();
  }

  monotonicMs(): number {
    return performance.now();
  }

  /** The thread may also have lost its processor between the two looks: then they are taken again. */
  private setAnew(): number {
    for (let tries = 1; ; tries++) {
      const beforeMs = performance.now();
      const dateMs = Date.now();
      const elapsedMs = performance.now();
      if (elapsedMs - beforeMs > MOMENT_MS_MAX && tries < TRIES_MAX) continue;
      if (Math.abs(dateMs - this.originMs - elapsedMs) >= STEP_MS_MIN) this.originMs = dateMs - elapsedMs;
      return this.originMs + elapsedMs;
    }
  }
}

export const systemClock: Clock = new SystemClock();

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  private elapsedMs = 0;
  private readonly startMs: number;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.startMs = startMs;
  }

  nowMs(): number {
    return this.startMs + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  advance(durationMs: number): void {
    this.elapsedMs += durationMs;
  }
}
