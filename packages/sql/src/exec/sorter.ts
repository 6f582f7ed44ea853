/**
 * Sorting the rows of a buffer: the buffer gets an order, rows stay where they are. With a limit on the rows wanted, the
 * buffer is cut back to them whenever it has grown to twice as many, and rows that come after the last of them are turned
 * away at once.
 */
import type { CompiledFunction } from './program.js';
import { RowBuffer } from './row-buffer.js';
import type { Run } from './run.js';
import type { MemoryBudget } from './runtime.js';

type Compare = (columns: readonly unknown[][], a: number, b: number) => number;

/** Fewest rows between two cuts. */
const CUT_ROWS_MIN = 1024;
/** Most rows for which the top-n way is used; past it a whole sort is cheaper. */
const TOP_ROWS_MAX = 100_000;

export class Sorter extends RowBuffer {
  private readonly compare: Compare;
  private top = Infinity;
  /** Row index of the last row wanted after the last cut; -1 before it. */
  private cutoff = -1;

  constructor(width: number, budget: MemoryBudget, compare: CompiledFunction, run: Run) {
    super(width, budget);
    this.compare = compare.get(run.statement) as Compare;
  }

  /** Says how many rows are wanted at most, before the first is pushed; without it all are. */
  wantAtMost(rows: number): void {
    this.top = rows <= TOP_ROWS_MAX ? rows : Infinity;
  }

  /** After the row's values were pushed: keeps the row or takes it back. */
  override pushed(): void {
    super.pushed();
    if (this.top === Infinity) return;
    const { cutoff } = this;
    if (cutoff >= 0 && this.compare(this.columns, this.count - 1, cutoff) >= 0) {
      this.truncate(this.count - 1);
      return;
    }
    if (this.count >= Math.max(CUT_ROWS_MIN, this.top * 2)) this.cut();
  }

  /** Sorts, keeps the first `top` rows, and lays them down in order. */
  private cut(): void {
    this.sort();
    const order = this.order as Uint32Array;
    const kept = Math.min(this.top, this.count);
    for (let c = 0; c < this.columns.length; c++) {
      const column = this.columns[c] as unknown[];
      const sorted = Array.from({ length: kept }, (_, i) => column[order[i] as number]);
      column.length = 0;
      for (const value of sorted) column.push(value);
    }
    this.truncate(kept);
    this.recount();
    this.order = undefined;
    this.cutoff = kept - 1;
    if (this.top === 0) this.cutoff = -1;
  }

  /** Puts the rows in order. Equal rows stay as they came. */
  sort(): void {
    this.account();
    const { columns, compare, count } = this;
    const order: number[] = Array.from({ length: count }, (_, i) => i);
    order.sort((a, b) => compare(columns, a, b) || a - b);
    this.order = Uint32Array.from(order);
  }

  /** The rows in order, ready to be read by a pipeline. */
  finish(): void {
    this.sort();
    if (this.count > this.top) this.count = this.top;
  }
}
