/**
 * The unique keys that references stand on: their bytes in the parent's index, whether a row has them, and keeping them there. A key of
 * a partitioned table lies in the index of the partition that takes its rows: unique keys hold the columns that say which.
 */
import { ByteWriter, assert } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { Value } from '../types/type.js';
import { partitioning } from './partitions/partitioning.js';
import { RowMap } from './partitions/row-map.js';
import { physicalIndex, physicalTable } from './physical-table.js';
import { type ForeignKey, positionsOf } from './table-rules.js';
import type { WriterContext } from './writer-context.js';

/** What a foreign key refers to: columns of a table, by a unique index over them. */
type ReferredKey = Pick<ForeignKey, 'referencedTableOid' | 'referencedColumns' | 'referencedIndexOid'>;

export class ParentKeys {
  /** The key that was encoded last. */
  readonly key = new ByteWriter();
  private readonly context: WriterContext;
  private readonly slot = new ByteSlot();

  constructor(context: WriterContext) {
    this.context = context;
  }

  /**
   * Shares the tables that a key with these values lies in, until the transaction ends. A promise: somebody has one of them, or its
   * partitions, to himself; call again.
   */
  share({ referencedTableOid, referencedColumns }: ReferredKey, values: readonly Value[]): Promise<void> | undefined {
    const { context } = this;
    const wait = context.lockTable(referencedTableOid);
    if (wait !== undefined) return wait;
    let table = this.table(referencedTableOid);
    let columns = referencedColumns;
    while (table.partitioned !== undefined) {
      const partition = this.partitionOf(table, columns, values);
      if (partition === undefined) return undefined;
      const inner = context.lockTable(partition.oid);
      if (inner !== undefined) return inner;
      columns = new RowMap(table, partition).numbersOf(columns);
      table = partition;
    }
    return undefined;
  }

  /** The key of the parent's index that has these values of the columns referred to, into `key`; false where no partition takes it. */
  encode(
    { referencedTableOid, referencedColumns, referencedIndexOid }: ReferredKey,
    values: readonly Value[],
  ): boolean {
    const { key, context } = this;
    const { types } = context.picture;
    let parent = this.table(referencedTableOid);
    let index = context.objects.object(referencedIndexOid);
    let columns = referencedColumns;
    while (parent.partitioned !== undefined) {
      const partition = this.partitionOf(parent, columns, values);
      if (partition === undefined) return false;
      columns = new RowMap(parent, partition).numbersOf(columns);
      index = this.partOf(index?.oid, partition);
      parent = partition;
    }
    assert(index?.kind === 'index', 'a foreign key stands on a unique index');
    const physical = index.space === parent.space ? physicalTable(parent, types) : physicalIndex(index, parent, types);
    const ordered = index.parts.map((part) => values[columns.indexOf(part.column as number)] as Value);
    key.reset();
    key.bytes(physical.prefix);
    physical.keyCode.encodePrefix(ordered, ordered.length, key);
    return true;
  }

  /** Keeps the encoded key from being removed until the transaction ends. A promise: wait and encode again. */
  hold(): Promise<void> | undefined {
    const { transaction } = this.context;
    const { buffer, length } = this.key;
    if (transaction.concurrency !== 'locking') {
      transaction.guardPresence(buffer, 0, length);
      return undefined;
    }
    const wait = transaction.lock(buffer, 0, length, LockStrength.KeyShare, 'wait');
    return wait instanceof Promise ? wait : undefined;
  }

  /** True when there is a row with the encoded key in the newest state. */
  isThere(): boolean {
    return this.context.transaction.getNewest(this.key.buffer, 0, this.key.length, this.slot);
  }

  /** The partition that takes rows with these values of the columns. */
  private partitionOf(
    table: TableDescriptor,
    columns: readonly number[],
    values: readonly Value[],
  ): TableDescriptor | undefined {
    const { picture, evaluation } = this.context;
    const row: Value[] = table.columns.map(() => null);
    positionsOf(table, columns).forEach((position, i) => {
      row[position] = values[i];
    });
    const partitions = partitioning(table, picture);
    return partitions.partitionOf(partitions.keyOf(row, evaluation))?.table;
  }

  private table(oid: number): TableDescriptor {
    const table = this.context.objects.object(oid);
    assert(table?.kind === 'table', 'a foreign key refers to a table');
    return table;
  }

  /** The part of a partitioned table's index in a partition. */
  private partOf(indexOid: number | undefined, { indexOids }: TableDescriptor): IndexDescriptor | undefined {
    for (const oid of indexOids) {
      const index = this.context.objects.object(oid);
      if (index?.kind === 'index' && index.parentOid === indexOid) return index;
    }
    return undefined;
  }
}
