/**
 * What a role may do with documents: what the catalog grants to it on the collection, as on any table. A filter reads, so changing and
 * removing documents asks for SELECT, too. What references take along is not asked for, as with foreign keys.
 */
import { PhantomError } from '@phantom/base';
import {
  type ObjectReader,
  type Oid,
  PrivilegeLetters,
  type TableDescriptor,
  hasPrivilege,
  ownsObject,
} from '@phantom/catalog';

export type DocumentRight = 'select' | 'insert' | 'update' | 'delete' | 'references';

/** 42501 unless the role has all of these rights on the collection, and may look into its schema. */
export function requireRights(
  objects: ObjectReader,
  roleOid: Oid,
  table: TableDescriptor,
  rights: readonly DocumentRight[],
): void {
  requireOnSchema(objects, roleOid, table.schemaOid, 'usage');
  for (const right of rights) {
    if (hasPrivilege(objects, roleOid, table, PrivilegeLetters[right] as string)) continue;
    throw new PhantomError('42501', `permission denied for table ${table.name}`, { table: table.name });
  }
}

/** 42501 unless the role may look into a schema, or make objects there. */
export function requireOnSchema(objects: ObjectReader, roleOid: Oid, schemaOid: Oid, right: 'usage' | 'create'): void {
  const schema = objects.object(schemaOid);
  if (schema === undefined || hasPrivilege(objects, roleOid, schema, PrivilegeLetters[right] as string)) return;
  throw new PhantomError('42501', `permission denied for schema ${schema.kind === 'schema' ? schema.name : ''}`);
}

/** 42501 unless the role owns the collection, and may look into its schema. */
export function requireOwner(objects: ObjectReader, roleOid: Oid, table: TableDescriptor): void {
  requireOnSchema(objects, roleOid, table.schemaOid, 'usage');
  if (ownsObject(objects, roleOid, table)) return;
  throw new PhantomError('42501', `must be owner of table ${table.name}`, { table: table.name });
}
