/**
 * REINDEX: an index is filled anew from the rows, in a space of its own, and takes the place of what it was when the transaction
 * commits; readers go on with the old one, writers of the table wait. A primary key that is the table itself has nothing to fill.
 * CONCURRENTLY is a command of several transactions (session/concurrent-index.ts).
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { Reindex } from '../text/ast-session.js';
import type { DdlContext, DdlExecution } from './context.js';
import { providerTransaction } from './create-collection.js';
import { buildIndex } from './index-build.js';
import { lockForChange, relationNamed, requireOwner, schemaNamed } from './names.js';
import { optionBoolean } from './storage-options.js';

export function* reindex(context: DdlContext, node: Reindex): DdlExecution {
  checkReindexOptions(node);
  if (context.inTransactionBlock && node.object !== 'index' && node.object !== 'table')
    throw new PhantomError('25001', `REINDEX ${node.object.toUpperCase()} cannot run inside a transaction block`);
  for (const index of indexesOf(context, node)) yield* rebuild(context, index);
  return undefined;
}

/** True for CONCURRENTLY, in whichever of its places. */
export function isConcurrent(node: Reindex): boolean {
  return node.concurrently || node.options.some((one) => one.name.text === 'concurrently' && optionBoolean(one));
}

function checkReindexOptions(node: Reindex): void {
  for (const option of node.options) {
    const name = option.name.text;
    if (name === 'tablespace') throw unsupportedError('tablespaces');
    if (name !== 'verbose' && name !== 'concurrently') {
      throw new PhantomError('42601', `unrecognized REINDEX option "${name}"`, { position: option.position + 1 });
    }
    optionBoolean(option);
  }
}

/** The indexes that a statement is about: those of the role's own tables where it names more than one table. */
export function indexesOf(context: DdlContext, node: Reindex): IndexDescriptor[] {
  checkReindexOptions(node);
  switch (node.object) {
    case 'index': {
      const index = relationNamed(context, node.name);
      if (index.kind !== 'index') throw new PhantomError('42809', `"${index.name}" is not an index`);
      requireOwner(context, index);
      return leavesOf(context, index);
    }
    case 'table': {
      const table = relationNamed(context, node.name);
      if (table.kind !== 'table')
        throw new PhantomError('42809', `"${table.name}" is not a table or materialized view`);
      requireOwner(context, table);
      const indexes = indexesOfTable(context, table);
      if (indexes.length === 0) context.notice('NOTICE', '00000', `table "${table.name}" has no indexes to reindex`);
      return indexes;
    }
    case 'schema': {
      const [name] = node.name;
      if (name === undefined || isSystemSchema(name.text)) return [];
      const schema = schemaNamed(context, name.text, name.position + 1);
      requireOwner(context, schema);
      return indexesIn(context, schema.oid);
    }
    default: {
      const database = context.objects.object(context.databaseOid);
      if (database?.kind !== 'database' || database.name !== node.name[0]?.text)
        throw new PhantomError('0A000', 'can only reindex the currently open database');
      requireOwner(context, database);
      // The system's own relations are not kept as tables, and have no indexes.
      if (node.object === 'system') return [];
      return [...context.objects.objectsIn(database.oid)]
        .filter((object) => object.kind === 'schema')
        .flatMap((schema) => indexesIn(context, schema.oid));
    }
  }
}

/** The index; of a partitioned table, whose index has no entries, those of its partitions. */
function leavesOf(context: DdlContext, index: IndexDescriptor): IndexDescriptor[] {
  const table = context.objects.object(index.tableOid);
  if (table?.kind !== 'table' || table.partitioned === undefined) return [index];
  return context.picture.partitionsOf(table).flatMap(({ indexOids }) =>
    indexOids.flatMap((oid) => {
      const own = context.objects.object(oid);
      return own?.kind === 'index' && own.parentOid === index.oid ? leavesOf(context, own) : [];
    }),
  );
}

function isSystemSchema(name: string): boolean {
  return name === 'pg_catalog' || name === 'information_schema';
}

function indexesIn(context: DdlContext, schemaOid: number): IndexDescriptor[] {
  const own = [...context.objects.objectsIn(schemaOid)].filter((object) => object.kind === 'table');
  return own.flatMap((table) => indexesOfTable(context, table));
}

function indexesOfTable(context: DdlContext, table: TableDescriptor): IndexDescriptor[] {
  if (table.partitioned !== undefined)
    return context.picture.partitionsOf(table).flatMap((partition) => indexesOfTable(context, partition));
  return table.indexOids
    .map((oid) => context.objects.object(oid))
    .filter((index): index is IndexDescriptor => index?.kind === 'index' && index.space !== table.space);
}

/** An index and its table as they are once nobody else writes that; undefined when either has gone. */
export function* lockIndexed(
  context: DdlContext,
  named: IndexDescriptor,
): Generator<Yielded, { readonly index: IndexDescriptor; readonly table: TableDescriptor } | undefined, void> {
  const owner = context.objects.object(named.tableOid);
  const table = owner?.kind === 'table' ? yield* lockForChange(context, owner) : undefined;
  const index = yield* lockForChange(context, named);
  // What others wrote while they were waited for is seen from here on.
  context.transaction.beginStatement();
  return table === undefined || index === undefined ? undefined : { index, table };
}

/** Fills the index anew while writers of its table wait. */
export function* rebuild(context: DdlContext, named: IndexDescriptor): Generator<Yielded, void, void> {
  const locked = yield* lockIndexed(context, named);
  if (locked === undefined || locked.index.space === locked.table.space) return;
  const { index, table } = locked;
  context.transaction.removeRange(spaceRange(index.space));
  context.objects.put({ ...table, schemaVersion: table.schemaVersion + 1 });
  if (index.method === 'document') {
    const { provider } = context;
    if (provider === undefined) throw unsupportedError('an index of a collection without a document model');
    context.objects.put(yield* provider.refillIndex(table, index, providerTransaction(context)));
  } else {
    const fresh: IndexDescriptor = { ...index, space: context.storage.allocateSpace(table.engine), state: 'valid' };
    context.objects.put(fresh);
    yield* buildIndex(context, table, fresh, true);
  }
  context.tableRewritten(table.oid);
}
