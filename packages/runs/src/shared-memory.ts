/**
 * Memory that the engines of one store share: one cache of blocks and pages, and one bound for what is written and not yet
 * in files. A store whose tables all lie in one engine then has the use of nearly all of it, and one that moves its
 * writes from an engine to another needs no setting for that.
 *
 *      deltaBytesMax  |------- engine a --------|---- free ----|-- engine b --|
 *                     a may grow to here ───────────────────►|  least of b    |
 *
 * Each engine may take what the others leave, and each has a least share whatever they do, so nobody waits for another
 * engine's flush. Invariant: what all of them hold stays below the bound, but for a batch that is larger than its engine's
 * share and was let in alone (admission.ts).
 */
import { BlockCache } from './block-cache.js';

export interface SharedMemoryOptions {
  /** Cache of blocks and pages, for all engines together. */
  readonly cacheBytes: number;
  /** Beside it: filters and indexes of runs, for all engines together. Default 256 MiB. */
  readonly filterBytesMax?: number;
  /** Deltas, active and frozen, of all engines together. */
  readonly deltaBytesMax: number;
}

/** The least share of an engine is this part of the whole, divided by the number of engines. */
const LEAST_SHARE_DIVISOR = 4;

export class SharedMemory {
  readonly cache: BlockCache;
  readonly deltaBytesMax: number;
  /** What each engine holds. */
  private readonly users: (() => number)[] = [];

  constructor(options: SharedMemoryOptions) {
    this.cache = new BlockCache(options.cacheBytes, options.filterBytesMax);
    this.deltaBytesMax = options.deltaBytesMax;
  }

  /** Takes an engine in, which holds so many bytes now, reservations included. The answer says how many it may hold. */
  join(held: () => number): () => number {
    const { users } = this;
    users.push(held);
    return () => {
      const least = this.deltaBytesMax / (LEAST_SHARE_DIVISOR * users.length);
      let free = this.deltaBytesMax;
      for (const other of users) if (other !== held) free -= Math.max(least, other());
      return Math.max(least, free);
    };
  }
}
