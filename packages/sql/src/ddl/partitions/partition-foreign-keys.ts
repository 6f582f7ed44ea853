/**
 * Foreign keys of a partitioned table, each made again on every partition: one that is there already and alike is taken instead. Those
 * to a partitioned table are asked when it loses a partition.
 */
import type { ConstraintDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { leavesReferred } from '../../storage/constraint-errors.js';
import { type Partitioning, ancestorsOf, holdersOf, partitioning } from '../../storage/partitions/partitioning.js';
import { RowMap } from '../../storage/partitions/row-map.js';
import { keysOfRows, positionsOf } from '../../storage/table-rules.js';
import type { Value } from '../../types/type.js';
import type { DdlContext } from '../context.js';
import { chooseName, lockForChange } from '../names.js';
import { checkExistingForeignKey, eachRow } from '../validate.js';

type Step = Generator<Yielded, void, void>;
type ForeignKey = ConstraintDescriptor & { readonly kind: 'foreign key' };

/** Makes the foreign keys of a table on a new partition. */
export function* inheritForeignKeys(context: DdlContext, parent: TableDescriptor, oid: number, isNew: boolean): Step {
  for (const key of parent.constraints) {
    if (key.kind === 'foreign key')
      yield* inheritForeignKey(context, parent, key, context.objects.object(oid) as TableDescriptor, isNew);
  }
}

/** Makes a foreign key that a table has got on each of its partitions. */
export function* foreignKeyOnPartitions(context: DdlContext, oid: number, key: ForeignKey): Step {
  const table = context.objects.object(oid) as TableDescriptor;
  for (const partition of context.picture.partitionsOf(table)) {
    const locked = yield* lockForChange(context, partition);
    if (locked !== undefined) yield* inheritForeignKey(context, table, key, locked, false);
  }
}

function* inheritForeignKey(
  context: DdlContext,
  parent: TableDescriptor,
  key: ForeignKey,
  partition: TableDescriptor,
  isNew: boolean,
): Step {
  // The parts of a partition that had the key before it became one are there.
  if (partition.constraints.some(({ parentOid }) => parentOid === key.oid)) return;
  const rows = new RowMap(parent, partition);
  const { comment: _comment, parentOid: _parent, onDeleteColumns, ...rest } = key;
  const wanted: ForeignKey = {
    ...rest,
    columns: rows.numbersOf(key.columns),
    ...(onDeleteColumns === undefined ? {} : { onDeleteColumns: rows.numbersOf(onDeleteColumns) }),
  };
  const alike = partition.constraints.find(
    (own) => own.kind === 'foreign key' && own.parentOid === undefined && shapeOf(own) === shapeOf(wanted),
  );
  const taken = (name: string): boolean => partition.constraints.some((constraint) => constraint.name === name);
  const names = wanted.columns.map(
    (number) => partition.columns.find((column) => column.number === number)?.name ?? '',
  );
  const own: ForeignKey = {
    ...wanted,
    oid: alike?.oid ?? context.catalog.allocateOid(),
    name:
      alike?.name ?? (taken(key.name) ? chooseName(context, 0, [partition.name, ...names], 'fkey', taken) : key.name),
    parentOid: key.oid,
  };
  const others = partition.constraints.filter((constraint) => constraint !== alike);
  context.objects.put({ ...partition, constraints: [...others, own], schemaVersion: partition.schemaVersion + 1 });
  context.objects.addDependency({
    dependentOid: partition.oid,
    dependentColumn: 0,
    referencedOid: key.referencedTableOid,
    referencedColumn: 0,
    strength: 'normal',
  });
  const now = context.objects.object(partition.oid) as TableDescriptor;
  const referenced = context.objects.object(key.referencedTableOid) as TableDescriptor;
  if (!isNew && key.validated && alike === undefined) yield* checkExistingForeignKey(context, now, own, referenced);
  if (now.partitioned !== undefined) yield* foreignKeyOnPartitions(context, now.oid, own);
}

/**
 * 23503 where rows refer to rows of a partition that is to leave its table. What they refer to is there, so it is in the partition
 * that takes the key. Whoever adds a row meanwhile waits for the partitioned table, which the caller holds.
 */
export function* refuseReferred(context: DdlContext, parent: TableDescriptor, table: TableDescriptor): Step {
  const { objects, picture, evaluation } = context;
  const above = [parent, ...ancestorsOf(parent, objects)];
  const leaving = new Set(holdersOf(table, objects).map(({ oid }) => oid));
  const keys = keysOfRows(table, objects).filter(({ constraint }) =>
    above.some(({ oid }) => oid === constraint.referencedTableOid),
  );
  for (const key of keys) {
    const { child, constraint } = key;
    const referenced = above.find(({ oid }) => oid === constraint.referencedTableOid) as TableDescriptor;
    const referencedAt = positionsOf(referenced, constraint.referencedColumns);
    for (const holder of holdersOf(child, objects)) {
      const numbers = holder === child ? constraint.columns : new RowMap(child, holder).numbersOf(constraint.columns);
      const positions = positionsOf(holder, numbers);
      yield* eachRow(
        context,
        holder,
        (row) => {
          const values = positions.map((position) => row[position] as Value);
          if (values.includes(null)) return;
          const found = holderOf(referenced, referencedAt, values, picture, evaluation);
          if (found !== undefined && leaving.has(found.oid)) throw leavesReferred(table, key, values, context);
        },
        { columns: positions },
      );
    }
  }
}

/** The table that takes rows with these values at these positions. */
function holderOf(
  table: TableDescriptor,
  positions: readonly number[],
  values: readonly Value[],
  picture: DdlContext['picture'],
  evaluation: DdlContext['evaluation'],
): TableDescriptor | undefined {
  let row: readonly Value[] = table.columns.map((_, i) => values[positions.indexOf(i)] ?? null);
  let holder: TableDescriptor | undefined = table;
  while (holder?.partitioned !== undefined) {
    const partitions: Partitioning = partitioning(holder, picture);
    const next: TableDescriptor | undefined = partitions.partitionOf(partitions.keyOf(row, evaluation))?.table;
    if (next !== undefined) row = new RowMap(holder, next).toPartition(row);
    holder = next;
  }
  return holder;
}

/** What a foreign key asks, but for its name. */
function shapeOf(key: ForeignKey): string {
  const { columns, referencedTableOid, referencedColumns, onDelete, onUpdate, onDeleteColumns, match } = key;
  const { deferrable, initiallyDeferred, validated } = key;
  return JSON.stringify([
    columns,
    referencedTableOid,
    referencedColumns,
    onDelete,
    onUpdate,
    onDeleteColumns,
    match,
    deferrable,
    initiallyDeferred,
    validated,
  ]);
}
