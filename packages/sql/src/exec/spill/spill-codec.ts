/** Whether rows of some columns can be written to scratch files, and how. */
import { type RowCodec, type StorageType, StorageKind, rowCodec, rowLayout } from '@phantom/codec';
import type { TypeRef } from '@phantom/catalog';
import { TypeOid } from '../../types/type-oids.js';
import type { TypeLookup } from '../../types/type.js';

/** The codec of columns with these types; undefined when there is one whose values have no bytes (references to rows). */
export function spillCodec(columns: readonly TypeRef[], types: TypeLookup): RowCodec | undefined {
  const storages: StorageType[] = [];
  for (const { oid } of columns) {
    const storage = types.byOid(oid)?.storage;
    if (storage === undefined || oid === TypeOid.void || !hasBytes(storage)) return undefined;
    storages.push(storage);
  }
  return rowCodec(rowLayout(0, storages));
}

/** Records whose fields are not known, and what is made of them, have none. */
function hasBytes(storage: StorageType): boolean {
  if (storage.kind === StorageKind.Record) return storage.record?.fields.every(hasBytes) === true;
  if (storage.kind === StorageKind.Array) return storage.element !== undefined && hasBytes(storage.element.storage);
  return true;
}
