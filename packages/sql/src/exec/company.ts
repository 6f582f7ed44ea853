/**
 * Whether others are at work on this thread. Who can leave work to another thread then does: a slice of it here is a slice that
 * their short statements wait for.
 */
import type { WorkCounters } from './runtime.js';

export class Company {
  private readonly counters: Pick<WorkCounters, 'executions'>;
  private seen: number;

  /** Made by a statement that has been counted. */
  constructor(counters: Pick<WorkCounters, 'executions'>) {
    this.counters = counters;
    this.seen = counters.executions;
  }

  /** True when statements have begun since this was last asked. */
  hasCome(): boolean {
    const { executions } = this.counters;
    const hasCome = executions !== this.seen;
    this.seen = executions;
    return hasCome;
  }
}
