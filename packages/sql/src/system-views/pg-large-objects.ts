/** pg_largeobject, for superusers alone, and pg_largeobject_metadata: what lies in the space of large objects. */
import { aclItems } from './acl-text.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import type { SystemView, SystemViewSource } from './system-view.js';

function* metadataRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, ownerOid, acl } of source.largeObjects())
    yield { oid, lomowner: ownerOid, lomacl: aclItems(source, acl) };
}

function* pageRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, page, bytes } of source.largeObjectPages()) yield { loid: oid, pageno: page, data: bytes };
}

export const LARGE_OBJECT_VIEWS: readonly SystemView[] = [
  catalogView('pg_largeobject_metadata', metadataRows),
  { ...catalogView('pg_largeobject', pageRows), restricted: true },
];
