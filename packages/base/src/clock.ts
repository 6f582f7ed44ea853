/** Time as an argument: production reads the machine's clocks, tests and the simulator turn the hands themselves. */
export interface Clock {
  /** Milliseconds since 1970 in UTC, with fractions; may step when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds since some start, with fractions; never steps back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  monotonicMs: () => performance.now(),
};

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
