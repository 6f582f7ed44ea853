/**
 * What an execution asks of the storage below, for EXPLAIN (BUFFERS, WAL): counted between its yields, when nothing else runs on
 * this thread. Flushes and merges in other threads do not count.
 */
import type { Execution } from './runtime.js';

/** Pages and blocks found in a cache, and those read from files, with their bytes there. */
export interface StorageReads {
  readonly cacheHits: number;
  readonly pagesRead: number;
  readonly bytesRead: number;
}

/** Figures that rise while the execution works. */
export interface StorageWork extends StorageReads {
  /** Bytes written that a commit has to log. */
  readonly logBytes: number;
}

/** The same execution; `done` is called at its end, unless it fails, with what it came to. */
export function* countStorageWork(
  execution: Execution,
  now: () => StorageWork,
  done: (work: StorageWork) => void,
): Execution {
  const sum = { cacheHits: 0, pagesRead: 0, bytesRead: 0, logBytes: 0 };
  let resume = (): IteratorResult<unknown, number> => execution.next();
  try {
    for (;;) {
      const before = now();
      const step = resume() as ReturnType<Execution['next']>;
      const after = now();
      for (const key of Object.keys(sum) as (keyof StorageWork)[]) sum[key] += Math.max(0, after[key] - before[key]);
      if (step.done === true) {
        done(sum);
        return step.value;
      }
      try {
        yield step.value;
        resume = () => execution.next();
      } catch (error) {
        resume = () => execution.throw(error);
      }
    }
  } finally {
    execution.return(0);
  }
}
