/** ATTACH PARTITION and DETACH PARTITION: tables, and indexes, that become parts of others or stop being so. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { partitioning, partitionsOf } from '../../storage/partitions/partitioning.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import type { AlterTableAction } from '../../text/ast-schema.js';
import { refuseCollection } from '../create-collection.js';
import type { DdlContext } from '../context.js';
import {
  findRelation,
  lockForChange,
  refuseWhileInUse,
  relationNamed,
  requireOwner,
  undefinedRelation,
} from '../names.js';
import { dropInheritedTriggers } from '../triggers/partition-triggers.js';
import { lockPartitions } from './lock-partitions.js';
import { isAlike } from './partition-indexes.js';
import { refuseReferred } from './partition-foreign-keys.js';
import { attach, renew } from './partition-of.js';

type Step = Generator<Yielded, void, void>;
type Action<K extends AlterTableAction['kind']> = AlterTableAction & { readonly kind: K };

/** ALTER TABLE ... ATTACH PARTITION. The caller holds the partitioned table's lock. */
export function* attachPartition(
  context: DdlContext,
  parent: TableDescriptor,
  { table: name, bound }: Action<'attach-partition'>,
): Step {
  requirePartitioned(parent);
  const found = relationNamed(context, name);
  if (found.kind !== 'table' || found.materialized !== undefined)
    throw new PhantomError('42809', `"${found.name}" is not a table`);
  requireOwner(context, found);
  refuseCollection(found, 'ATTACH PARTITION');
  const table = yield* lockForChange(context, found);
  if (table === undefined) throw undefinedRelation(name);
  yield* refuseWhileInUse(context, table, 'ALTER TABLE');
  yield* lockPartitions(context, table);
  if (table.partition !== undefined) throw new PhantomError('42809', `"${table.name}" is already a partition`);
  if (table.parentOids !== undefined) throw new PhantomError('42809', 'cannot attach inheritance child as partition');
  if (table.heirOids !== undefined) throw new PhantomError('42809', 'cannot attach inheritance parent as partition');
  refuseCircle(context, parent, table);
  if ((parent.persistence === 'temporary') !== (table.persistence === 'temporary')) {
    const [own, other] = table.persistence === 'temporary' ? ['temporary', 'permanent'] : ['permanent', 'temporary'];
    throw new PhantomError(
      '42809',
      `cannot attach a ${own} relation as partition of ${other} relation "${parent.name}"`,
    );
  }
  requireColumns(context, parent, table);
  requireChecks(parent, table);
  yield* attach(context, parent, table.oid, bound, false);
}

function requirePartitioned(table: TableDescriptor): void {
  if (table.partitioned === undefined) throw new PhantomError('42P17', `table "${table.name}" is not partitioned`);
}

function refuseCircle(context: DdlContext, parent: TableDescriptor, table: TableDescriptor): void {
  for (let above: TableDescriptor | undefined = parent; above !== undefined;) {
    if (above.oid === table.oid)
      throw new PhantomError('42P07', 'circular inheritance not allowed', {
        detail: `"${parent.name}" is already a child of "${table.name}".`,
      });
    const next = context.objects.object(above.partition?.parentOid ?? 0);
    above = next?.kind === 'table' ? next : undefined;
  }
}

/** The column that a table has for one of a table above it; 42804 and 42P21 where it is not alike. */
export function requireColumn(table: TableDescriptor, column: ColumnDescriptor): ColumnDescriptor {
  const own = table.columns.find(({ name, dropped }) => !dropped && name === column.name);
  if (own === undefined) throw new PhantomError('42804', `child table is missing column "${column.name}"`);
  const { oid, typmod, collation } = column.type;
  if (own.type.oid !== oid || own.type.typmod !== typmod)
    throw new PhantomError('42804', `child table "${table.name}" has different type for column "${column.name}"`);
  if (own.type.collation !== collation)
    throw new PhantomError('42P21', `child table "${table.name}" has different collation for column "${column.name}"`);
  if (column.notNull && !own.notNull)
    throw new PhantomError('42804', `column "${column.name}" in child table must be marked NOT NULL`);
  if (column.generated !== undefined && own.generated === undefined)
    throw new PhantomError('42804', `column "${column.name}" in child table must be a generated column`);
  return own;
}

/** The same columns, by name, in any order. */
function requireColumns(context: DdlContext, parent: TableDescriptor, table: TableDescriptor): void {
  const live = table.columns.filter(({ dropped }) => !dropped);
  for (const { name } of live) {
    if (parent.columns.some((column) => !column.dropped && column.name === name)) continue;
    throw new PhantomError(
      '42804',
      `table "${table.name}" contains column "${name}" not found in parent "${parent.name}"`,
      {
        detail: 'The new partition may contain only the columns present in parent.',
      },
    );
  }
  for (const column of parent.columns) {
    if (column.dropped) continue;
    const own = requireColumn(table, column);
    if (column.generated === undefined && own.generated !== undefined)
      throw new PhantomError('42804', `column "${column.name}" in child table must not be a generated column`);
    // Rows that are routed have what the partitioned table computes.
    if (column.generated !== undefined && column.defaultSql !== own.defaultSql)
      throw unsupportedError(`a partition with another generation expression of column "${column.name}"`);
  }
  const trigger = (table.triggerOids ?? [])
    .map((oid) => context.objects.object(oid))
    .find(
      (object) =>
        object?.kind === 'trigger' && object.level === 'row' && (object.oldTable ?? object.newTable) !== undefined,
    );
  if (trigger !== undefined)
    throw new PhantomError(
      '0A000',
      `trigger "${trigger.name}" prevents table "${table.name}" from becoming a partition`,
      {
        detail: 'ROW triggers with transition tables are not supported on partitions.',
      },
    );
}

/** Each check of the table above that comes down, by name and text. */
export function requireChecks(parent: TableDescriptor, table: TableDescriptor): void {
  for (const check of parent.constraints) {
    if (check.kind !== 'check' || check.noInherit === true) continue;
    const own = table.constraints.find(({ kind, name }) => kind === 'check' && name === check.name);
    if (own?.kind !== 'check') throw new PhantomError('42804', `child table is missing constraint "${check.name}"`);
    if (own.expressionSql !== check.expressionSql)
      throw new PhantomError(
        '42804',
        `child table "${table.name}" has different definition for check constraint "${check.name}"`,
      );
    if (own.noInherit === true)
      throw new PhantomError(
        '42P17',
        `constraint "${check.name}" conflicts with non-inherited constraint on child table "${table.name}"`,
      );
    if (!own.validated && check.validated)
      throw new PhantomError(
        '42P17',
        `constraint "${check.name}" conflicts with NOT VALID constraint on child table "${table.name}"`,
      );
  }
}

/** ALTER TABLE ... DETACH PARTITION; CONCURRENTLY waits for writers as the plain one does, for a moment only. */
export function* detachPartition(
  context: DdlContext,
  parent: TableDescriptor,
  { table: name, mode }: Action<'detach-partition'>,
): Step {
  requirePartitioned(parent);
  if (mode === 'concurrently' && context.inTransactionBlock)
    throw new PhantomError('25001', 'ALTER TABLE ... DETACH CONCURRENTLY cannot run inside a transaction block');
  if (mode === 'concurrently' && partitioning(parent, context.picture).default !== undefined)
    throw new PhantomError('55000', 'cannot detach partitions concurrently when a default partition exists');
  const found = findRelation(context, name);
  if (found === undefined) throw undefinedRelation(name);
  if (found.kind !== 'table' || found.partition?.parentOid !== parent.oid)
    throw new PhantomError('42P01', `relation "${found.name}" is not a partition of relation "${parent.name}"`);
  if (mode === 'finalize')
    throw new PhantomError('55000', `cannot complete detaching partition "${found.name}"`, {
      detail: "There's no pending concurrent detach.",
    });
  const table = yield* lockForChange(context, found);
  if (table === undefined) throw undefinedRelation(name);
  yield* refuseWhileInUse(context, table, 'ALTER TABLE');
  yield* refuseReferred(context, parent, table);
  release(context, table);
  dropInheritedTriggers(context, context.objects.object(table.oid) as TableDescriptor);
  const { partition: _partition, ...rest } = context.objects.object(table.oid) as TableDescriptor;
  context.objects.put({ ...rest, schemaVersion: rest.schemaVersion + 1 });
  const entry = { dependentOid: table.oid, dependentColumn: 0, referencedOid: parent.oid, referencedColumn: 0 };
  // The same entry stands for a reference to that table, which stays.
  const refers = rest.constraints.some((one) => one.kind === 'foreign key' && one.referencedTableOid === parent.oid);
  if (refers) context.objects.addDependency({ ...entry, strength: 'normal' });
  else context.objects.removeDependency({ ...entry, strength: 'automatic' });
  renew(context, parent.oid);
}

/** Indexes and constraints of a partition are its own again. */
function release({ objects }: DdlContext, table: TableDescriptor): void {
  for (const oid of table.indexOids) {
    const index = objects.object(oid);
    if (index?.kind !== 'index') continue;
    const { parentOid: _parent, ...own } = index;
    objects.put(own);
  }
  const constraints = table.constraints.map(({ parentOid: _parent, ...own }) => own as typeof own & { kind: never });
  objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
}

/** ALTER INDEX ... ATTACH PARTITION: an index of a partition becomes its table's index's part there. */
export function* attachIndex(context: DdlContext, index: IndexDescriptor, name: QualifiedName): Step {
  const found = relationNamed(context, name);
  if (found.kind !== 'index') throw new PhantomError('42809', `"${found.name}" is not an index`);
  requireOwner(context, found);
  const { objects } = context;
  const table = objects.object(index.tableOid);
  const holder = objects.object(found.tableOid);
  const refuse = (detail: string): PhantomError =>
    new PhantomError('55000', `cannot attach index "${found.name}" as a partition of index "${index.name}"`, {
      detail,
    });
  if (table?.kind !== 'table' || holder?.kind !== 'table') return;
  if (found.parentOid === index.oid) return;
  if (found.parentOid !== undefined) throw refuse(`Index "${found.name}" is already attached to another index.`);
  if (!partitionsOf(table, objects).some(({ oid }) => oid === holder.oid))
    throw refuse(`Index "${found.name}" is not an index on any partition of table "${table.name}".`);
  yield* lockForChange(context, holder);
  const other = holder.indexOids
    .map((oid) => objects.object(oid))
    .find((own) => own?.kind === 'index' && own.parentOid === index.oid);
  if (other !== undefined) throw refuse(`Another index is already attached for partition "${holder.name}".`);
  if (!isAlike(table, index, holder, found)) throw refuse('The index definitions do not match.');
  const key = table.constraints.find((constraint) => 'indexOid' in constraint && constraint.indexOid === index.oid);
  const own = holder.constraints.find((constraint) => 'indexOid' in constraint && constraint.indexOid === found.oid);
  if (key !== undefined && own === undefined)
    throw refuse(
      `The index "${index.name}" belongs to a constraint in table "${table.name}" but no constraint exists for index "${found.name}".`,
    );
  objects.put({ ...found, parentOid: index.oid });
  const constraints = holder.constraints.map((constraint) =>
    constraint === own && key !== undefined ? { ...constraint, parentOid: key.oid } : constraint,
  );
  objects.put({ ...holder, constraints, schemaVersion: holder.schemaVersion + 1 });
}
