/**
 * Sorting the rows of a buffer: the buffer gets an order, rows stay where they are. With a limit on the rows wanted, the
 * buffer is cut back to them whenever it has grown to twice as many, and rows that come after the last of them are turned
 * away at once.
 *
 * Rows that do not fit into memory, or are more than the session lets a sort hold (work_mem), are sorted and written to a scratch
 * file, a run; at the end the runs are merged, and the buffer is filled anew, piece by piece, with what comes out (D. Knuth, The Art
 * of Computer Programming 3, 5.4).
 */
import type { MemoryBudget, MemoryHolder } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import type { CompiledFunction } from './program.js';
import { RowBuffer } from './row-buffer.js';
import type { Run, Statement } from './run.js';
import { RunMerge } from './spill/sorted-runs.js';
import type { SpilledRows } from './spill/spilled-rows.js';
import { WorkArea } from './spill/work-area.js';

/** Rows that are merged at once. */
const MERGED_ROWS = 512;
const IN_PLACE = Uint32Array.from({ length: MERGED_ROWS }, (_, i) => i);

/** Negative, zero or positive: the order of rows a and b of columns. */
export type Compare = (columns: readonly unknown[][], a: number, b: number) => number;

/** Fewest rows between two cuts. */
const CUT_ROWS_MIN = 1024;
/** Most rows for which the top-n way is used; past it a whole sort is cheaper. */
const TOP_ROWS_MAX = 100_000;
/** A run is written only when the rows take this share of the memory: others may hold the rest, and runs would be many. */
const RUN_SHARE_MIN = 1 / 16;
/** Runs of a size, before they may be twice as large. */
const RUNS_OF_SIZE_MAX = 64;

export class Sorter extends RowBuffer implements MemoryHolder {
  private readonly compare: Compare;
  private top = Infinity;
  /** Row index of the last row wanted after the last cut; -1 before it. */
  private cutoff = -1;
  /** The first key of that row, for those who ask before they push; undefined where there is none, or it is null. */
  bound: unknown = undefined;
  private readonly firstKey: number;
  private readonly statement: Statement;
  /** How rows are written down; undefined where they stay in memory. */
  private readonly codec: RowCodec | undefined;
  private readonly runs: SpilledRows[] = [];
  /** How much it holds before it writes; undefined where it never does. */
  private readonly area: WorkArea | undefined;
  protected merge: RunMerge | undefined;
  /** Its own rows are being counted: they are not written meanwhile. */
  private isAccounting = false;
  /** Rows that came out of the merge. */
  private merged = 0;

  /** `firstKey`: the column of the first key. */
  constructor(
    width: number,
    budget: MemoryBudget,
    compare: CompiledFunction,
    run: Run,
    codec?: RowCodec,
    firstKey = 0,
  ) {
    super(width, budget);
    this.firstKey = firstKey;
    this.statement = run.statement;
    this.compare = compare.get(run.statement) as Compare;
    this.codec = codec;
    const writes = codec !== undefined && run.context.scratch !== undefined;
    this.area = writes ? new WorkArea(run.context.sortBytesMax, RUNS_OF_SIZE_MAX) : undefined;
    if (writes) budget.addHolder(this);
  }

  /** Says how many rows are wanted at most, before the first is pushed; without it all are. */
  wantAtMost(rows: number): void {
    this.top = rows <= TOP_ROWS_MAX ? rows : Infinity;
  }

  /** After the row's values were pushed: keeps the row or takes it back. */
  override pushed(): void {
    super.pushed();
    if (this.area !== undefined && this.heldBytes > this.area.bytesMax && this.merge === undefined) {
      this.orderRows();
      this.writeRun();
      return;
    }
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
    this.bound = kept === 0 ? undefined : (this.columns[this.firstKey]?.[this.cutoff] ?? undefined);
  }

  /** Puts the rows in order. Equal rows stay as they came. */
  sort(): void {
    this.account();
    this.orderRows();
  }

  private orderRows(): void {
    const { columns, compare, count } = this;
    const order: number[] = Array.from({ length: count }, (_, i) => i);
    order.sort((a, b) => compare(columns, a, b) || a - b);
    this.order = Uint32Array.from(order);
  }

  /** The rows in order, ready to be read by a pipeline; with runs only the first of them, the others come by `refill`. */
  finish(): void {
    this.budget.removeHolder(this);
    this.sort();
    if (this.runs.length === 0) {
      if (this.count > this.top) this.count = this.top;
      return;
    }
    this.writeRun();
    this.merge = new RunMerge(this.runs, this.columns.length, this.compare, this.budget);
    this.refill();
  }

  /** Puts the next rows into the buffer, in order; false when there are none. */
  refill(): boolean {
    const { merge, columns } = this;
    if (merge === undefined) return false;
    for (const column of columns) column.length = 0;
    let count = 0;
    while (count < MERGED_ROWS && this.merged < this.top && merge.next(columns)) {
      count++;
      this.merged++;
    }
    this.count = count;
    this.order = IN_PLACE;
    if (count === 0) this.endMerge();
    return count > 0;
  }

  /** After the last row. */
  protected endMerge(): void {
    this.merge?.close();
    this.merge = undefined;
  }

  /** Somebody else needs the memory. */
  giveBack(): void {
    if (this.isAccounting || this.count === 0) return;
    this.orderRows();
    this.writeRun();
  }

  override account(): void {
    this.isAccounting = true;
    super.account();
    this.isAccounting = false;
  }

  protected override makeRoom(bytes: number): boolean {
    if (this.codec === undefined || this.merge !== undefined) return false;
    if (bytes < this.budget.limitBytes * RUN_SHARE_MIN) return false;
    this.orderRows();
    return this.writeRun();
  }

  /** Writes the rows to a run, in order, and drops them; false when there is no place for it. */
  private writeRun(): boolean {
    const { codec, columns, count } = this;
    const run = codec === undefined ? undefined : this.statement.spill(codec, 'sort');
    if (run === undefined) return false;
    for (let r = 0; r < count; r++) run.append(columns, this.rowAt(r));
    this.runs.push(run);
    this.area?.wrote();
    this.cutoff = -1;
    this.bound = undefined;
    this.clear();
    return true;
  }
}
