/** What a server counts of its sessions' work. */
import type { Counter, Histogram } from '@phantom/base';

/** Counts of a server, raised by its sessions. */
export interface SessionCounters {
  readonly queries: Counter;
  readonly errors: Counter;
  /** Seconds from the first message of a client until it is told that the server is ready again. */
  readonly responses: Histogram;
}
