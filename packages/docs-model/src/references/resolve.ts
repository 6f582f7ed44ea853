/**
 * From what a schema declares to what the catalog keeps. The collections and tables referred to are held exclusively: from then on
 * whoever removes a document or a row of theirs knows of the reference.
 */
import { unsupportedError } from '@phantom/base';
import type {
  CollectionDescriptor,
  DocumentReference,
  Oid,
  RowKey,
  RowReference,
  RowTables,
  TableDescriptor,
} from '@phantom/catalog';
import { LockStrength } from '@phantom/mvcc';
import type { DocumentPorts } from '../ports.js';
import { requireRights } from '../rights.js';
import type { DocumentTransaction } from '../transaction.js';
import type { DeclaredReference, DeclaredTarget } from './declared.js';

/** A declared reference whose target is known. */
export interface ResolvedReference {
  readonly declared: DeclaredReference;
  readonly target: ResolvedTarget;
}

/** Of documents undefined stands for the collection itself, which may not be there yet. */
export type ResolvedTarget =
  | { readonly kind: 'documents'; readonly collectionOid: Oid | undefined }
  | { readonly kind: 'rows'; readonly key: RowKey };

/** Tables, for references to their rows. 0A000 where the model stands alone. */
export function rowTablesOf({ rowTables }: DocumentPorts): RowTables {
  const tables = rowTables?.();
  if (tables === undefined) throw unsupportedError('references to rows of tables');
  return tables;
}

/** Finds the key that documents refer to, and holds its table. A promise: wait and ask again. */
export function holdReferredRows(
  ports: DocumentPorts,
  transaction: DocumentTransaction,
  { table, column }: DeclaredTarget & { readonly kind: 'rows' },
): Promise<void> | RowKey {
  const key = rowTablesOf(ports).rowKey(table, column, transaction);
  const found = transaction.objects.object(key.tableOid);
  const wait = found?.kind === 'table' ? holdReferred(transaction, found) : undefined;
  return wait ?? key;
}

/** Holds a collection or table that is going to be referred to. A promise: wait for it. 42501 without the right to refer to it. */
export function holdReferred(
  { objects, roleOid }: DocumentTransaction,
  table: TableDescriptor,
): Promise<void> | undefined {
  requireRights(objects, roleOid, table, ['references']);
  return objects.lockObject(table.oid, LockStrength.Update);
}

/** The collection with these references and no others; the catalog's dependencies follow. */
export function withReferences(
  transaction: DocumentTransaction,
  table: TableDescriptor,
  resolved: readonly ResolvedReference[],
): TableDescriptor {
  const { objects } = transaction;
  const references: DocumentReference[] = [];
  const rowReferences: RowReference[] = [];
  for (const { declared, target } of resolved) {
    const { path, onDelete, onUpdate } = declared;
    if (target.kind === 'rows') rowReferences.push({ path, ...target.key, onDelete, onUpdate });
    else references.push({ path, collectionOid: target.collectionOid ?? table.oid, onDelete });
  }
  const now = targetsOf({ references, rowReferences }, table.oid);
  const before = targetsOf(table.collection ?? {}, table.oid);
  for (const dependency of Array.from(objects.dependenciesOf(table.oid))) {
    const { referencedOid } = dependency;
    if (before.has(referencedOid) && !now.has(referencedOid)) objects.removeDependency(dependency);
  }
  for (const oid of now) {
    if (before.has(oid)) continue;
    objects.addDependency({
      dependentOid: table.oid,
      dependentColumn: 0,
      referencedOid: oid,
      referencedColumn: 0,
      strength: 'normal',
    });
  }
  // Statements that were planned before must look at the collections anew.
  for (const oid of new Set([...before, ...now])) {
    const target = objects.object(oid);
    if (target?.kind === 'table') objects.put({ ...target, schemaVersion: target.schemaVersion + 1 });
  }
  const { references: _references, rowReferences: _rows, ...collection } = table.collection ?? {};
  return {
    ...table,
    collection: {
      ...collection,
      ...(references.length === 0 ? {} : { references }),
      ...(rowReferences.length === 0 ? {} : { rowReferences }),
    },
  };
}

function targetsOf(
  { references = [], rowReferences = [] }: Pick<CollectionDescriptor, 'references' | 'rowReferences'>,
  ownOid: Oid,
): Set<Oid> {
  const oids = [
    ...references.map(({ collectionOid }) => collectionOid),
    ...rowReferences.map(({ tableOid }) => tableOid),
  ];
  return new Set(oids.filter((oid) => oid !== ownOid));
}
