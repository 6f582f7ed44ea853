/** What the bound of a partition asks of its rows: that the partitioned table would have put them there; and so on up to the root. */
import { assert } from '@phantom/base';
import type { ObjectReader, TableDescriptor } from '@phantom/catalog';
import type { EvaluationContext } from '../../functions/registry.js';
import type { CatalogPort } from '../../plan/catalog-port.js';
import type { Value } from '../../types/type.js';
import { type Partitioning, partitioning } from './partitioning.js';
import { RowMap } from './row-map.js';

export class PartitionCheck {
  private readonly table: TableDescriptor;
  private readonly partitions: Partitioning;
  private readonly rows: RowMap;
  private readonly above: PartitionCheck | undefined;

  constructor(table: TableDescriptor, objects: ObjectReader, catalog: CatalogPort) {
    const parent = objects.object(table.partition?.parentOid ?? 0);
    assert(parent?.kind === 'table', 'a partition has a parent');
    this.table = table;
    this.partitions = partitioning(parent, catalog);
    this.rows = new RowMap(parent, table);
    this.above = parent.partition === undefined ? undefined : new PartitionCheck(parent, objects, catalog);
  }

  /** Positions in the partition of the columns that the check reads. */
  get readPositions(): readonly number[] {
    const { partitions, rows, above } = this;
    const own = partitions.readPositions;
    const further = above?.readPositions ?? [];
    return [...own, ...further].map((position) => rows.positions[position] as number);
  }

  /** True for a row that lies where it belongs. */
  takes(row: readonly Value[], context: EvaluationContext): boolean {
    const { partitions, table, above } = this;
    const parentRow = this.rows.toParent(row);
    const partition = partitions.partitionOf(partitions.keyOf(parentRow, context));
    if (partition?.table.oid !== table.oid) return false;
    return above === undefined || above.takes(parentRow, context);
  }
}
