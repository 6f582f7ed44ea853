/** What a server counts of its sessions' work. */
import type { Counter } from '@phantom/base';

/** Counts of a server, raised by its sessions. */
export interface SessionCounters {
  readonly queries: Counter;
  readonly errors: Counter;
}
