/**
 * From what a schema declares to what the catalog keeps. The collections referred to are held exclusively: from then on whoever
 * removes a document of theirs knows of the reference.
 */
import type { DocumentReference, Oid, TableDescriptor } from '@phantom/catalog';
import { LockStrength } from '@phantom/mvcc';
import { requireRights } from '../rights.js';
import type { DocumentTransaction } from '../transaction.js';
import type { DeclaredReference } from './declared.js';

/** A declared reference whose collection is known; undefined stands for the collection itself, which may not be there yet. */
export interface ResolvedReference {
  readonly declared: DeclaredReference;
  readonly collectionOid: Oid | undefined;
}

/** Holds a collection that is going to be referred to. A promise: wait for it. 42501 without the right to refer to it. */
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
  const references = resolved.map(({ declared, collectionOid = table.oid }): DocumentReference => {
    const { path, onDelete } = declared;
    return { path, collectionOid, onDelete };
  });
  const now = targetsOf(references, table.oid);
  const before = targetsOf(table.collection?.references ?? [], table.oid);
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
  const { references: _before, ...collection } = table.collection ?? {};
  return { ...table, collection: references.length === 0 ? collection : { ...collection, references } };
}

function targetsOf(references: readonly DocumentReference[], ownOid: Oid): Set<Oid> {
  return new Set(references.map(({ collectionOid }) => collectionOid).filter((oid) => oid !== ownOid));
}
