/**
 * CLUSTER, and CLUSTER ON and REPLICA IDENTITY of ALTER TABLE: which index a table is to be ordered by, and what of a row is told to
 * who replicates it. A table lies in the order of its primary key here, always, and nothing is replicated: both are kept and shown,
 * and a NOTICE says that they change nothing. The index holds the mark, so that it goes with it.
 */
import { PhantomError } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Name } from '../text/ast-leaves.js';
import type { Cluster } from '../text/ast-session.js';
import type { AlterTableAction } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { refuseCollection } from './create-collection.js';
import { lockForChange, relationNamed, requireOwner } from './names.js';
import { noteWithoutEffect } from './storage-options.js';

/** CLUSTER of one table, by an index or by the one it is marked with (42704 without); without a table there is nothing to do. */
export function* cluster(context: DdlContext, node: Cluster): DdlExecution {
  for (const { name, position } of node.options)
    if (name.text !== 'verbose')
      throw new PhantomError('42601', `unrecognized CLUSTER option "${name.text}"`, { position: position + 1 });
  if (node.table === undefined) {
    if (context.inTransactionBlock) throw new PhantomError('25001', 'CLUSTER cannot run inside a transaction block');
    return undefined;
  }
  const relation = relationNamed(context, node.table);
  if (relation.kind !== 'table')
    throw new PhantomError('42809', `"${relation.name}" is not a table or materialized view`);
  requireOwner(context, relation);
  refuseCollection(relation, 'CLUSTER');
  const table = (yield* lockForChange(context, relation)) as TableDescriptor;
  const index =
    node.index === undefined
      ? indexesOf(context, table).find(({ clustered }) => clustered === true)
      : indexOf(context, table, node.index);
  if (index === undefined)
    throw new PhantomError('42704', `there is no previously clustered index for table "${table.name}"`);
  if (index.method !== 'btree')
    throw new PhantomError(
      '0A000',
      `cannot cluster on index "${index.name}" because access method does not support clustering`,
    );
  if (index.predicateSql !== undefined)
    throw new PhantomError('0A000', `cannot cluster on partial index "${index.name}"`);
  if (!index.primary) noteWithoutEffect(context, 'CLUSTER on an index other than the primary key');
  if (node.index !== undefined && table.partitioned === undefined) markClustered(context, table, node.index);
  return undefined;
}

/** CLUSTER ON, and SET WITHOUT CLUSTER where no name is given. */
export function markClustered(context: DdlContext, table: TableDescriptor, name: Name | undefined): void {
  const chosen = name === undefined ? undefined : indexOf(context, table, name);
  mark(context, table, chosen, 'clustered');
}

/** Gives the mark to one index of the table, or to none, and takes it from all others. */
function mark(
  context: DdlContext,
  table: TableDescriptor,
  chosen: IndexDescriptor | undefined,
  name: 'clustered' | 'replicaIdentity',
): void {
  for (const index of indexesOf(context, table)) {
    const isChosen = index.oid === chosen?.oid;
    if (isChosen === (index[name] === true)) continue;
    const { [name]: _old, ...rest } = index;
    context.objects.put(isChosen ? { ...rest, [name]: true } : rest);
  }
}

/** REPLICA IDENTITY DEFAULT, FULL, NOTHING or USING INDEX. */
export function setReplicaIdentity(
  context: DdlContext,
  table: TableDescriptor,
  { mode, index: name }: AlterTableAction & { readonly kind: 'replica-identity' },
): void {
  const chosen = name === undefined ? undefined : indexOf(context, table, name);
  if (chosen !== undefined) checkIdentity(table, chosen);
  mark(context, table, chosen, 'replicaIdentity');
  const { replicaIdentity: _old, ...rest } = table;
  if (mode === 'full' || mode === 'nothing') context.objects.put({ ...rest, replicaIdentity: mode });
  else if (table.replicaIdentity !== undefined) context.objects.put(rest);
}

/** 42809 for an index that does not tell rows apart. */
function checkIdentity(table: TableDescriptor, index: IndexDescriptor): void {
  const refuse = (message: string): never => {
    throw new PhantomError('42809', message);
  };
  if (!index.unique) refuse(`cannot use non-unique index "${index.name}" as replica identity`);
  if (index.deferrable === true) refuse(`cannot use non-immediate index "${index.name}" as replica identity`);
  if (index.predicateSql !== undefined) refuse(`cannot use partial index "${index.name}" as replica identity`);
  for (const { column: number } of index.parts) {
    if (number === undefined) refuse(`cannot use expression index "${index.name}" as replica identity`);
    const column = table.columns.find((candidate) => candidate.number === number);
    if (column?.notNull === false)
      refuse(`index "${index.name}" cannot be used as replica identity because column "${column.name}" is nullable`);
  }
}

function indexOf(context: DdlContext, table: TableDescriptor, name: Name): IndexDescriptor {
  const index = indexesOf(context, table).find((candidate) => candidate.name === name.text);
  if (index !== undefined) return index;
  throw new PhantomError('42704', `index "${name.text}" for table "${table.name}" does not exist`);
}

function indexesOf({ objects }: DdlContext, { indexOids }: TableDescriptor): IndexDescriptor[] {
  return indexOids.flatMap((oid) => {
    const index = objects.object(oid);
    return index?.kind === 'index' ? [index] : [];
  });
}
