/** Foreign keys of a partitioned table, each made again on every partition: one that is there already and alike is taken instead. */
import type { ConstraintDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { RowMap } from '../../storage/partitions/row-map.js';
import type { DdlContext } from '../context.js';
import { chooseName, lockForChange } from '../names.js';
import { checkExistingForeignKey } from '../validate.js';

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
  const rows = new RowMap(parent, partition);
  const numberIn = (number: number): number => {
    const position = parent.columns.findIndex((column) => column.number === number);
    return partition.columns[rows.positions[position] as number]?.number ?? 0;
  };
  const { comment: _comment, parentOid: _parent, onDeleteColumns, ...rest } = key;
  const wanted: ForeignKey = {
    ...rest,
    columns: key.columns.map(numberIn),
    ...(onDeleteColumns === undefined ? {} : { onDeleteColumns: onDeleteColumns.map(numberIn) }),
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
