/**
 * Building an index of a collection: under the collection's exclusive lock, in the transaction that makes it. Writers wait for it, and it
 * is there, filled, when they go on; snapshots that are older than it are refused the collection. Its entries come from the newest
 * committed state, whatever the transaction's snapshot, and are written in the order of their keys (new-index-entries.ts).
 */
import { PhantomError } from '@phantom/base';
import { type DocumentIndexDescriptor, type IndexDescriptor, NameClass, type TableDescriptor } from '@phantom/catalog';
import { prefixRange } from '@phantom/kv';
import { CollectionView } from './collection-view.js';
import { dependsOn } from './definition.js';
import type { DocumentModel } from './model.js';
import { NewIndexEntries } from './new-index-entries.js';
import type { Steps } from './steps.js';
import type { DocumentTransaction } from './transaction.js';

const INDEXES_MAX = 64;
/** Rows indexed before others get a turn. */
const ROWS_PER_TURN = 500;

export interface NewIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly document: DocumentIndexDescriptor;
}

/** Makes an index of a collection that the caller holds, and fills it; gives the collection with it, to be put. 42P07 when the name is taken. */
export function* makeIndex(
  model: DocumentModel,
  transaction: DocumentTransaction,
  table: TableDescriptor,
  { name, unique, document }: NewIndex,
): Steps<TableDescriptor> {
  const { objects, storage } = transaction;
  if (table.indexOids.length > INDEXES_MAX)
    throw new PhantomError('54000', `a collection has at most ${INDEXES_MAX} indexes`);
  const isText = document.kind === 'text';
  if (isText && documentIndexes(transaction, table).some((index) => index.document?.kind === 'text')) {
    throw new PhantomError('42P07', 'a collection has one text index at most');
  }
  const lock = (): Promise<void> | undefined => objects.lockName(NameClass.Relation, table.schemaOid, name);
  for (let wait = lock(); wait !== undefined; wait = lock()) yield wait;
  if (objects.oidByName(NameClass.Relation, table.schemaOid, name) !== undefined) {
    throw new PhantomError('42P07', `relation "${name}" already exists`);
  }
  const index: IndexDescriptor = {
    kind: 'index',
    oid: model.ports.catalog.allocateOid(),
    name,
    databaseOid: table.databaseOid,
    schemaOid: table.schemaOid,
    ownerOid: table.ownerOid,
    tableOid: table.oid,
    space: model.ports.allocateSpace(table.engine === 'lsm' ? 'lsm' : 'btree'),
    method: 'document',
    unique,
    primary: false,
    nullsNotDistinct: true,
    parts: [],
    include: [],
    document,
    state: 'valid',
  };
  yield* fill(transaction, table, index);
  objects.put(index);
  dependsOn(transaction, index.oid, table.oid);
  model.ports.catalog.filled.fillBy(storage, table.oid);
  return { ...table, indexOids: [...table.indexOids, index.oid] };
}

/** Fills an index anew, in a space of its own; the old one is not read. Gives the index as it is then, to be put. */
export function* refillIndex(
  model: DocumentModel,
  transaction: DocumentTransaction,
  table: TableDescriptor,
  index: IndexDescriptor,
): Steps<IndexDescriptor> {
  const fresh: IndexDescriptor = {
    ...index,
    space: model.ports.allocateSpace(table.engine === 'lsm' ? 'lsm' : 'btree'),
    state: 'valid',
  };
  yield* fill(transaction, table, fresh);
  model.ports.catalog.filled.fillBy(transaction.storage, table.oid);
  return fresh;
}

/** Entries of every document there is, of which only what the index reads is decoded. */
function* fill(transaction: DocumentTransaction, table: TableDescriptor, index: IndexDescriptor): Steps<void> {
  const view = new CollectionView(table, [index]);
  const entries = new NewIndexEntries(view, transaction);
  const { layout, indexFields } = view;
  const cursor = transaction.storage.cursorNewest(prefixRange(layout.prefix));
  try {
    for (let rows = 1; cursor.next(); rows++) {
      const { key, value } = cursor;
      entries.add(indexFields === undefined ? layout.decode(value) : layout.decodeFields(value, indexFields), key);
      if (rows % ROWS_PER_TURN === 0) yield undefined;
    }
    entries.end();
  } finally {
    cursor.close();
  }
}

/** The indexes of a collection but for that of `_id`. */
export function documentIndexes(transaction: DocumentTransaction, table: TableDescriptor): IndexDescriptor[] {
  return table.indexOids
    .map((oid) => transaction.objects.object(oid))
    .filter((object) => object?.kind === 'index' && object.method === 'document') as IndexDescriptor[];
}
