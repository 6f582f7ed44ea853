/**
 * Sorted runs of rows in scratch files, and their merge: what a sort has written down each time its memory was full. The
 * present row of each run stands in one small set of columns, so that the sort's own comparison compares them; a heap of
 * runs gives the least of them.
 *
 *   run 0   b d f ..      heads   column 0: b a c        heap: run 1 (a), run 0 (b), run 2 (c)
 *   run 1   a e g ..              by run
 *   run 2   c c h ..
 */
import { assert, type MemoryBudget } from '@phantom/base';
import type { Value } from '../../types/type.js';
import type { SpillReader, SpilledRows } from './spilled-rows.js';

type Compare = (columns: readonly unknown[][], a: number, b: number) => number;

const WINDOW_BYTES_MIN = 1024;
const WINDOW_BYTES_MAX = 64 * 1024;

/** Reads sorted runs as one. Rows that compare equal come in the order of the runs. */
export class RunMerge {
  private readonly readers: readonly SpillReader[];
  private readonly heads: Value[][];
  private readonly row: Value[] = [];
  /** Numbers of the runs that have a row, the least in front. */
  private readonly heap: number[] = [];
  private readonly compare: Compare;
  private readonly budget: MemoryBudget;
  private readonly windowsBytes: number;

  /** Takes memory for a window on each run, a half of what is left at the most. */
  constructor(runs: readonly SpilledRows[], width: number, compare: Compare, budget: MemoryBudget) {
    const share = Math.floor(budget.leftBytes / 2 / runs.length);
    const windowBytes = Math.min(Math.max(share, WINDOW_BYTES_MIN), WINDOW_BYTES_MAX);
    this.budget = budget;
    this.windowsBytes = windowBytes * runs.length;
    budget.take(this.windowsBytes);
    this.readers = runs.map((run) => run.reader(windowBytes));
    this.heads = Array.from({ length: width }, () => runs.map(() => null));
    this.compare = compare;
    for (let run = 0; run < runs.length; run++) if (this.advance(run)) this.enter(run);
  }

  /** Appends the next row to columns; false when there is none. */
  next(columns: readonly Value[][]): boolean {
    const { heap, heads } = this;
    const [first] = heap;
    if (first === undefined) return false;
    for (let c = 0; c < heads.length; c++) (columns[c] as Value[]).push((heads[c] as Value[])[first]);
    if (!this.advance(first)) {
      const last = heap.pop();
      assert(last !== undefined, 'the heap holds the run that ended');
      if (heap.length === 0) return true;
      heap[0] = last;
    }
    this.sink();
    return true;
  }

  /** Gives the memory of its windows back. */
  close(): void {
    this.budget.give(this.windowsBytes);
  }

  /** Takes a run to its next row. */
  private advance(run: number): boolean {
    const { heads, row } = this;
    if (!(this.readers[run] as SpillReader).next(row)) return false;
    for (let c = 0; c < heads.length; c++) (heads[c] as Value[])[run] = row[c];
    return true;
  }

  private precedes(a: number, b: number): boolean {
    return (this.compare(this.heads, a, b) || a - b) < 0;
  }

  private enter(run: number): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(run);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.precedes(run, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = run;
  }

  /** Brings the run in front to its place. */
  private sink(): void {
    const { heap } = this;
    const run = heap[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.precedes(heap[child + 1]!, heap[child]!)) child++;
      if (!this.precedes(heap[child]!, run)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = run;
  }
}
