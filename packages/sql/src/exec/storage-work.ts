/**
 * What an execution asks of the storage below, for EXPLAIN (BUFFERS, WAL): counted between its yields, when nothing else runs on
 * this thread. Flushes and merges in other threads do not count.
 */
import type { Execution, Yielded } from './runtime.js';

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
  const result = yield* counted<keyof StorageWork, number>(execution, now, (figure, amount) => {
    sum[figure] += amount;
  });
  done(sum);
  return result;
}

/** The same work; `add` is told by how much figures that only rise do so in its steps, and nothing of what others do between them. */
export function* counted<Figure extends string, Result>(
  work: Generator<Yielded, Result, void>,
  now: () => Readonly<Record<Figure, number>>,
  add: (figure: Figure, amount: number) => void,
): Generator<Yielded, Result, void> {
  let resume = (): IteratorResult<Yielded, Result> => work.next();
  try {
    for (;;) {
      const before = now();
      const step = resume();
      const after = now();
      for (const figure of Object.keys(before) as Figure[]) add(figure, Math.max(0, after[figure] - before[figure]));
      if (step.done === true) return step.value;
      try {
        yield step.value;
        resume = () => work.next();
      } catch (error) {
        resume = () => work.throw(error);
      }
    }
  } finally {
    // Ends what has not ended; whatever that gives, nobody gets.
    work.return(undefined as Result);
  }
}
