/**
 * What is known of a large object beside its bytes. It is in no schema and has no name of its own, and it is none of the catalog's
 * objects: there may be millions of them, which lie in a space of their own (sql's large-objects) and are never all in memory.
 */
import type { AclItem, Oid } from './descriptors.js';

export interface LargeObjectDescriptor {
  readonly kind: 'large object';
  /** Its own number: unique among the large objects of its database, chosen by whoever makes it or taken from the store's. */
  readonly oid: Oid;
  /** The number as text: what messages call it. */
  readonly name: string;
  readonly databaseOid: Oid;
  readonly ownerOid: Oid;
  /** Undefined: the owner may do everything, and nobody else anything. */
  readonly acl?: readonly AclItem[];
  readonly comment?: string;
}
