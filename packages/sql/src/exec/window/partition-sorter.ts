/**
 * The sort of a window: rows by partition and order. When they did not fit into memory, they come out of the merge in whole
 * partitions, several small ones at a time, since functions look at all rows of theirs. One that is larger than memory ends in
 * 53200.
 */
import type { MemoryBudget } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import type { Value } from '../../types/type.js';
import type { CompiledFunction } from '../program.js';
import type { Run } from '../run.js';
import { type Compare, Sorter } from '../sorter.js';

/** Rows after which no further partition is begun; nor is one when half of the memory that was left is used up. */
const PIECE_ROWS = 512;

export class PartitionSorter extends Sorter {
  private readonly comparePartitions: Compare;
  /** The first row of the partition after those at hand. */
  private upcoming: readonly Value[] | undefined;

  constructor(
    width: number,
    budget: MemoryBudget,
    compare: CompiledFunction,
    comparePartitions: CompiledFunction,
    run: Run,
    codec: RowCodec | undefined,
  ) {
    super(width, budget, compare, run, codec);
    this.comparePartitions = comparePartitions.get(run.statement) as Compare;
  }

  override refill(): boolean {
    const { merge, columns, upcoming, budget } = this;
    if (merge === undefined) return false;
    this.clear();
    this.upcoming = undefined;
    if (upcoming !== undefined) this.pushRow(upcoming);
    const leftBytesMin = budget.leftBytes / 2;
    while (merge.next(columns)) {
      const last = this.count;
      const isEnough = last >= PIECE_ROWS || budget.leftBytes < leftBytesMin;
      if (isEnough && this.comparePartitions(columns, last - 1, last) !== 0) {
        this.upcoming = columns.map((column) => column.pop());
        break;
      }
      this.pushed();
    }
    this.order = Uint32Array.from({ length: this.count }, (_, i) => i);
    if (this.count === 0) this.endMerge();
    return this.count > 0;
  }
}
