/** COLLATE: whether a name is one of a collation, and a type one that has collations. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import { isCollation } from '../types/collation.js';

/** The type with the collation named, if one is; 42704 for an unknown name, 42804 for a type that has no collations. */
export function withNamedCollation(catalog: CatalogPort, type: TypeRef, name: QualifiedName | undefined): TypeRef {
  const collation = name?.at(-1)?.text;
  if (collation === undefined) return type;
  requireCollatable(catalog, type);
  requireCollation(collation);
  return { ...type, collation };
}

/** 42804 unless texts, or arrays or domains of texts. */
export function requireCollatable(catalog: CatalogPort, type: TypeRef): void {
  const named = catalog.types.byOid(type.oid);
  let inner = named;
  while (inner !== undefined && (inner.kind === 'domain' || inner.kind === 'array')) {
    inner = catalog.types.byOid(inner.kind === 'domain' ? inner.baseOid : inner.elementOid);
  }
  if (inner?.category === 'S') return;
  throw new PhantomError('42804', `collations are not supported by type ${named?.displayName ?? type.oid}`);
}

/** 42704 unless there is a collation of the name: binary order, or a locale that Intl knows. */
export function requireCollation(name: string): void {
  if (!isCollation(name)) throw new PhantomError('42704', `collation "${name}" for encoding "UTF8" does not exist`);
}
