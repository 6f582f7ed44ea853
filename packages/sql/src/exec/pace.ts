/**
 * How many rows a pipeline hands to its step between two looks at the clock. Most rows cost so little that looking after each would
 * cost more; but one that takes a millisecond (a digest of a long text, a function of the user) must not come with five hundred others.
 * A pace begins slow and learns from each look, for all runs of its pipeline.
 *
 * Invariant: only how often others get their turn follows from the clock. How many entries are read, in which order, and what is
 * counted of that does not: batches are filled without asking the pace, and divided by it afterwards.
 */
import { SLICE_MS } from '@phantom/base';

/** Rows of the first piece. */
const FIRST_ROWS = 32;
/** Rows that have taken longer than so cost much each: the next look comes after a quarter of them. */
const LONG_MS = 4 * SLICE_MS;
/** Those that have taken less cost little: it comes after twice as many. */
const SHORT_MS = SLICE_MS / 2;

export class Pace {
  /** Rows from one look to the next. */
  rows = FIRST_ROWS;
  private readonly rowsMax: number;

  constructor(rowsMax: number) {
    this.rowsMax = rowsMax;
  }

  /** At a look: the slice has lasted so long. */
  learn(elapsedMs: number): void {
    if (elapsedMs > LONG_MS) this.rows = Math.max(1, this.rows >> 2);
    else if (elapsedMs < SHORT_MS) this.rows = Math.min(this.rowsMax, this.rows * 2);
  }
}
