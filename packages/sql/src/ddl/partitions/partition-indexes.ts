/** Indexes and keys of a partitioned table, each made again on every partition: one that is there already and alike is taken instead. */
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { RowMap } from '../../storage/partitions/row-map.js';
import type { Name } from '../../text/ast-leaves.js';
import type { DdlContext } from '../context.js';
import { addIndex, indexName, putIndex } from '../put-index.js';
import { addKey, type KeyConstraint, keyNodeLike } from '../key-constraints.js';
import { lockPartitions } from './lock-partitions.js';

type Step = Generator<Yielded, void, void>;

/** Makes what a new partition lacks of the indexes and keys of its table. */
export function* inheritIndexes(context: DdlContext, parent: TableDescriptor, oid: number, isNew: boolean): Step {
  for (const indexOid of parent.indexOids) {
    const index = context.objects.object(indexOid);
    if (index?.kind !== 'index') continue;
    yield* inheritIndex(context, parent, index, context.objects.object(oid) as TableDescriptor, isNew);
  }
}

/** Makes an index that a partitioned table has got on each of its partitions. */
export function* inheritOnPartitions(context: DdlContext, oid: number, index: IndexDescriptor): Step {
  const table = context.objects.object(oid) as TableDescriptor;
  yield* lockPartitions(context, table);
  for (const partition of context.picture.partitionsOf(table)) yield* inheritIndex(context, table, index, partition);
}

/** Makes an index of a partitioned table on one of its partitions, and on those of that. */
export function* inheritIndex(
  context: DdlContext,
  parent: TableDescriptor,
  index: IndexDescriptor,
  partition: TableDescriptor,
  isNew = false,
): Step {
  // The parts of a partition that had the index before it became one are there.
  if (partition.indexOids.some((oid) => isPartOf(context, oid, index))) return;
  const own = overPartition(parent, index, partition);
  const key = keyOver(parent, index);
  const made = findAlike(context, partition, own, key) ?? (yield* make(context, partition, own, key, isNew));
  context.objects.put({ ...(context.objects.object(made.oid) as IndexDescriptor), parentOid: index.oid });
  if (key !== undefined) markKey(context, partition.oid, made.oid, key.oid);
  const now = context.objects.object(partition.oid) as TableDescriptor;
  if (now.partitioned === undefined) return;
  const inner = context.objects.object(made.oid) as IndexDescriptor;
  for (const below of context.picture.partitionsOf(now)) yield* inheritIndex(context, now, inner, below);
}

function isPartOf({ objects }: DdlContext, oid: number, index: IndexDescriptor): boolean {
  const own = objects.object(oid);
  return own?.kind === 'index' && own.parentOid === index.oid;
}

/** The index with the partition's numbers for its columns. */
function overPartition(parent: TableDescriptor, index: IndexDescriptor, partition: TableDescriptor): IndexDescriptor {
  const rows = new RowMap(parent, partition);
  const numberIn = (number: number): number => {
    const position = parent.columns.findIndex((column) => column.number === number);
    return partition.columns[rows.positions[position] as number]?.number ?? 0;
  };
  return {
    ...index,
    parts: index.parts.map((part) => (part.column === undefined ? part : { ...part, column: numberIn(part.column) })),
    include: index.include.map(numberIn),
  };
}

/** True when an index of a partition says what one of its table does. */
export function isAlike(
  parent: TableDescriptor,
  index: IndexDescriptor,
  partition: TableDescriptor,
  own: IndexDescriptor,
): boolean {
  return shapeOf(overPartition(parent, index, partition)) === shapeOf(own);
}

/** What an index is, but for its name and place. */
function shapeOf({
  method,
  unique,
  nullsNotDistinct,
  parts,
  include,
  predicateSql,
  deferrable,
  exclusion,
}: IndexDescriptor): string {
  return JSON.stringify([
    method,
    unique,
    nullsNotDistinct,
    deferrable === true,
    exclusion,
    parts.map(({ column, expressionSql, descending, nullsFirst, operatorClass, type: { oid } }) => [
      column,
      expressionSql,
      descending,
      nullsFirst,
      operatorClass,
      oid,
    ]),
    include,
    predicateSql,
  ]);
}

/** The key that stands on an index. */
function keyOver(table: TableDescriptor, { oid }: IndexDescriptor): KeyConstraint | undefined {
  return table.constraints.find(
    (constraint): constraint is KeyConstraint => 'indexOid' in constraint && constraint.indexOid === oid,
  );
}

/** An index of the partition that is none of another index's, and says the same. */
function findAlike(
  context: DdlContext,
  partition: TableDescriptor,
  wanted: IndexDescriptor,
  key: KeyConstraint | undefined,
): IndexDescriptor | undefined {
  for (const oid of partition.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index' || index.parentOid !== undefined || index.state !== 'valid') continue;
    if (shapeOf(index) !== shapeOf(wanted)) continue;
    const own = keyOver(partition, index);
    if (
      key === undefined
        ? own === undefined || !own.deferrable
        : own?.kind === key.kind && own.deferrable === key.deferrable
    )
      return index;
  }
  return undefined;
}

function* make(
  context: DdlContext,
  partition: TableDescriptor,
  wanted: IndexDescriptor,
  key: KeyConstraint | undefined,
  isNew: boolean,
): Generator<Yielded, IndexDescriptor, void> {
  if (key !== undefined) {
    const nameOf = (number: number): Name => ({
      text: partition.columns.find((column) => column.number === number)?.name ?? '',
      position: 0,
      quoted: true,
    });
    yield* addKey(context, partition, keyNodeLike(key, wanted, nameOf, 0), { newTable: isNew });
    const table = context.objects.object(partition.oid) as TableDescriptor;
    return context.objects.object(table.indexOids.at(-1) as number) as IndexDescriptor;
  }
  const nameOf = (number: number | undefined): string =>
    partition.columns.find((column) => column.number === number)?.name ?? 'expr';
  const { comment: _comment, acl: _acl, parentOid: _parent, ...rest } = wanted;
  const index: IndexDescriptor = {
    ...rest,
    oid: context.catalog.allocateOid(),
    name: indexName(context, partition, [
      ...wanted.parts.map(({ column }) => nameOf(column)),
      ...wanted.include.map(nameOf),
    ]),
    databaseOid: partition.databaseOid,
    schemaOid: partition.schemaOid,
    ownerOid: partition.ownerOid,
    tableOid: partition.oid,
    space: context.storage.allocateSpace(partition.engine),
  };
  if (partition.partitioned === undefined) yield* addIndex(context, partition, index);
  else putIndex(context, partition, index);
  return index;
}

function markKey(context: DdlContext, tableOid: number, indexOid: number, parentOid: number): void {
  const table = context.objects.object(tableOid) as TableDescriptor;
  const constraints = table.constraints.map((constraint) =>
    'indexOid' in constraint && constraint.indexOid === indexOid ? { ...constraint, parentOid } : constraint,
  );
  context.objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
}
