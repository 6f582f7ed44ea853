/**
 * Collections in the catalog. A collection is a table descriptor with the columns `_id`, by which it is keyed, and `doc`, and those of
 * its schema's fields, that carries what makes it a collection; it shares the tables' name space, rights and dependencies, and DROP TABLE drops it.
 */
import { PhantomError } from '@phantom/base';
import {
  type CollectionDescriptor,
  type IndexDescriptor,
  NameClass,
  type ObjectPlace,
  type ObjectReader,
  type Oid,
  type TableDescriptor,
  type TypeDescriptor,
} from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { COLLECTION_LAYOUT_VERSION } from './document-layout.js';
import { badArgument } from './errors.js';
import { JSONB, NAME_BYTES_MAX, collectionColumns, rowDefinition, withFieldColumns } from './field-columns.js';
import type { CollectionEngine, DocumentPorts } from './ports.js';
import { declaredReferences } from './references/declared.js';
import { type ResolvedReference, holdReferred, holdReferredRows, withReferences } from './references/resolve.js';
import { requireOnSchema, requireOwner } from './rights.js';
import type { DocumentTransaction } from './transaction.js';

/** Schema `public` of the database; 3F000 without one. */
export function publicSchemaOid(ports: DocumentPorts, objects: ObjectReader): Oid {
  const oid = objects.oidByName(NameClass.Schema, ports.databaseOid, 'public');
  if (oid === undefined) throw new PhantomError('3F000', 'schema "public" does not exist');
  return oid;
}

/** The collection of that name, undefined when there is none. 42809 for a relation that is no collection. */
export function findCollection(ports: DocumentPorts, objects: ObjectReader, name: string): TableDescriptor | undefined {
  const oid = objects.oidByName(NameClass.Relation, publicSchemaOid(ports, objects), name);
  const object = oid === undefined ? undefined : objects.object(oid);
  if (object === undefined) return undefined;
  if (object.kind !== 'table' || object.collection === undefined) {
    throw new PhantomError('42809', `"${name}" is not a collection`, { table: name });
  }
  return object;
}

export interface NewCollection {
  readonly engine?: CollectionEngine;
  readonly collection: CollectionDescriptor;
}

/** Makes a collection, or gives the one that another transaction made meanwhile. */
export async function createCollection(
  ports: DocumentPorts,
  transaction: DocumentTransaction,
  name: string,
  definition: NewCollection,
): Promise<TableDescriptor> {
  checkName(name);
  const { objects } = transaction;
  const schemaOid = publicSchemaOid(ports, objects);
  requireOnSchema(objects, transaction.roleOid, schemaOid, 'create');
  await objects.lockName(NameClass.Relation, schemaOid, name);
  const found = findCollection(ports, objects, name);
  if (found !== undefined) return found;
  await lockKeyName(transaction, schemaOid, name);
  const references = await resolveReferences(ports, transaction, definition.collection.schema, name);
  const place = { databaseOid: ports.databaseOid, schemaOid, ownerOid: transaction.roleOid };
  return putCollection(ports, transaction, place, name, definition, references);
}

/** The references that a schema of the collection `name` declares; collections that are not there yet are made. */
export async function resolveReferences(
  ports: DocumentPorts,
  transaction: DocumentTransaction,
  schema: unknown,
  name: string,
): Promise<ResolvedReference[]> {
  const resolved: ResolvedReference[] = [];
  for (const declared of declaredReferences(schema)) {
    const { target } = declared;
    if (target.kind === 'rows') {
      let key = holdReferredRows(ports, transaction, target);
      for (; key instanceof Promise; key = holdReferredRows(ports, transaction, target)) await key;
      resolved.push({ declared, target: { kind: 'rows', key } });
    } else if (target.collection === name) {
      resolved.push({ declared, target: { kind: 'documents', collectionOid: undefined } });
    } else {
      const referred =
        findCollection(ports, transaction.objects, target.collection) ??
        (await createCollection(ports, transaction, target.collection, { collection: { implied: true } }));
      await holdReferred(transaction, referred);
      resolved.push({ declared, target: { kind: 'documents', collectionOid: referred.oid } });
    }
  }
  return resolved;
}

/** Makes a collection that was only referred to what its first writer wants, unless SQL has written to it meanwhile. */
export async function adoptCollection(
  ports: DocumentPorts,
  transaction: DocumentTransaction,
  implied: TableDescriptor,
  definition: NewCollection,
): Promise<void> {
  const { objects, storage } = transaction;
  await objects.lockObject(implied.oid, LockStrength.Update);
  const table = objects.object(implied.oid);
  if (table?.kind !== 'table' || table.collection?.implied !== true) return;
  const cursor = storage.cursorNewest(spaceRange(table.space));
  const isEmpty = !cursor.next();
  cursor.close();
  if (!isEmpty) {
    objects.put({ ...table, collection: {}, schemaVersion: table.schemaVersion + 1 });
    return;
  }
  const { engine = 'btree', collection } = definition;
  if (definition.engine !== undefined || collection.schema !== undefined)
    requireOwner(objects, transaction.roleOid, table);
  const space = ports.allocateSpace(engine);
  ports.catalog.filled.fillBy(storage, table.oid);
  const references = await resolveReferences(ports, transaction, collection.schema, table.name);
  const adopted = { ...table, engine, space, collection, schemaVersion: table.schemaVersion + 1 };
  objects.put(withReferences(transaction, withFieldColumns(transaction, adopted), references));
  for (const oid of table.indexOids) {
    const index = objects.object(oid);
    if (index?.kind === 'index' && index.primary) objects.put({ ...index, space });
  }
}

/** Takes the name of a collection's key. A promise: wait for it. */
export function lockKeyName(transaction: DocumentTransaction, schemaOid: Oid, name: string): Promise<void> | undefined {
  return transaction.objects.lockName(NameClass.Relation, schemaOid, keyName(name));
}

function keyName(name: string): string {
  return `${name}_pkey`.slice(0, NAME_BYTES_MAX);
}

/** Puts a new collection into the catalog; the caller has locked its name and its key's and knows the first to be free. */
export function putCollection(
  ports: DocumentPorts,
  transaction: DocumentTransaction,
  place: ObjectPlace,
  name: string,
  definition: NewCollection,
  references: readonly ResolvedReference[],
): TableDescriptor {
  const { objects } = transaction;
  const { schemaOid } = place;
  if (objects.oidByName(NameClass.Relation, schemaOid, keyName(name)) !== undefined) {
    throw new PhantomError('42P07', `relation "${keyName(name)}" already exists`);
  }
  const engine = definition.engine ?? 'btree';
  const space = ports.allocateSpace(engine);
  const allocate = (): Oid => ports.catalog.allocateOid();
  const index: IndexDescriptor = {
    kind: 'index',
    oid: allocate(),
    name: keyName(name),
    ...place,
    tableOid: allocate(),
    space,
    method: 'btree',
    unique: true,
    primary: true,
    nullsNotDistinct: false,
    parts: [{ column: 1, type: JSONB, descending: false, nullsFirst: false }],
    include: [],
    state: 'valid',
  };
  const columns = collectionColumns(definition.collection.schema, []);
  const table: TableDescriptor = {
    kind: 'table',
    oid: index.tableOid,
    name,
    ...place,
    persistence: 'permanent',
    engine,
    space,
    layoutVersion: COLLECTION_LAYOUT_VERSION,
    columns,
    constraints: [
      {
        kind: 'primary key',
        oid: allocate(),
        name: index.name,
        deferrable: false,
        initiallyDeferred: false,
        validated: true,
        columns: [1],
        indexOid: index.oid,
      },
    ],
    indexOids: [index.oid],
    keyColumns: [1],
    schemaVersion: 1,
    rowTypeOid: allocate(),
    collection: definition.collection,
  };
  const rowType: TypeDescriptor = {
    kind: 'type',
    oid: table.rowTypeOid,
    name,
    ...place,
    arrayOid: allocate(),
    definition: rowDefinition(table.oid, columns),
  };
  const referring = withReferences(transaction, table, references);
  objects.put(referring);
  objects.put(rowType);
  objects.put(index);
  dependsOn(transaction, index.oid, table.oid);
  return referring;
}

/** The dependent goes when the other goes. */
export function dependsOn(transaction: DocumentTransaction, dependentOid: Oid, referencedOid: Oid): void {
  transaction.objects.addDependency({
    dependentOid,
    dependentColumn: 0,
    referencedOid,
    referencedColumn: 0,
    strength: 'automatic',
  });
}

/** 22023 for what cannot be a collection's name. */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '' || name.includes('\0') || name.startsWith('system.')) {
    throw badArgument('a collection needs a name that is not empty and does not begin with "system."');
  }
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw badArgument(`a name takes at most ${NAME_BYTES_MAX} bytes`);
}
