/** Rows of a partitioned table as those of one of its partitions, and the other way round: columns correspond by name. */
import type { TableDescriptor } from '@phantom/catalog';
import type { Value } from '../../types/type.js';

export class RowMap {
  /** For each position of the partitioned table the partition's; -1 for a dropped column. */
  readonly positions: readonly number[];
  private readonly parent: TableDescriptor;
  private readonly partition: TableDescriptor;
  private readonly isSame: boolean;
  private readonly width: number;

  constructor(parent: TableDescriptor, partition: TableDescriptor) {
    this.parent = parent;
    this.partition = partition;
    this.positions = parent.columns.map(({ dropped, name }) =>
      dropped ? -1 : partition.columns.findIndex((column) => !column.dropped && column.name === name),
    );
    this.width = partition.columns.length;
    this.isSame = parent.columns.length === this.width && this.positions.every((at, i) => at === i || at === -1);
  }

  /** Numbers of columns of the partitioned table as the partition has them. */
  numbersOf(numbers: readonly number[]): number[] {
    const { parent, partition, positions } = this;
    return numbers.map((number) => {
      const position = parent.columns.findIndex((column) => column.number === number);
      return partition.columns[positions[position] as number]?.number ?? 0;
    });
  }

  /** A row of the partitioned table as the partition has it. */
  toPartition(row: readonly Value[]): readonly Value[] {
    if (this.isSame) return row;
    const mapped: Value[] = new Array<Value>(this.width).fill(null);
    this.positions.forEach((at, i) => {
      if (at >= 0) mapped[at] = row[i];
    });
    return mapped;
  }

  /** A row of the partition as the partitioned table has it. */
  toParent(row: readonly Value[]): readonly Value[] {
    return this.isSame ? row : this.positions.map((at) => (at < 0 ? null : row[at]));
  }
}
