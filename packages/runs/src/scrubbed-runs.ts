/**
 * Reading all runs of an engine a few blocks at a time (run-scrub.ts), whatever else it has. Nothing is held between steps: a run that
 * was replaced meanwhile is left out, and the one with the next number follows. What is written later has numbers above, so it is
 * read before the end.
 *
 *   place     N P B     run N or the one with the next number, from block B of its partition P on
 */
import type { KeyRange, ScrubStep } from '@phantom/kv';
import { RUN_BEGINNING, type RunPlace, RunScrubber, locateInRun } from './run-scrub.js';
import type { Run } from './run-reader.js';

/** A run, and the number that its engine has given it. */
export interface NumberedRun {
  readonly number: number;
  readonly run: Run;
}

export class ScrubbedRuns {
  private readonly present: () => Iterable<NumberedRun>;
  private readonly scrubber = new RunScrubber();

  /** `present` gives the runs that there are now, in any order. */
  constructor(present: () => Iterable<NumberedRun>) {
    this.present = present;
  }

  /** The place of the run with this number or the next one; undefined when there is none. */
  placeFrom(number: number): string | undefined {
    const found = this.runFrom(number);
    return found === undefined ? undefined : `${found.number} 0 0`;
  }

  /** See KvEngine.scrub; the place is one that `placeFrom` or a step has given. */
  step(place: string, bytesMax: number): ScrubStep {
    const [number = 0, partition = 0, block = 0] = place.split(' ').map(Number);
    const found = this.runFrom(number);
    if (found === undefined) return { next: undefined, bytes: 0, findings: [] };
    const begins: RunPlace = found.number === number ? { partition, block } : RUN_BEGINNING;
    const { next, bytes, findings } = this.scrubber.step(found.run, begins, bytesMax);
    return {
      next: next === undefined ? this.placeFrom(found.number + 1) : `${found.number} ${next.partition} ${next.block}`,
      bytes,
      findings,
    };
  }

  /** See KvEngine.locate; undefined as well when the file is no run of the engine. */
  locate(file: string, offset: number | undefined): KeyRange | undefined {
    for (const { run } of this.present()) if (run.path === file) return locateInRun(run, offset);
    return undefined;
  }

  private runFrom(number: number): NumberedRun | undefined {
    let first: NumberedRun | undefined;
    for (const candidate of this.present()) {
      if (candidate.number >= number && (first === undefined || candidate.number < first.number)) first = candidate;
    }
    return first;
  }
}
