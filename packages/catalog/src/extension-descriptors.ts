/** What the catalog keeps of an extension: who made it where, and the numbers of what it brought along. */
import type { Oid } from './type-ref.js';

/**
 * An extension that is in a database. Its types and functions are objects of their own, which name it (`extensionOid`) and depend on it;
 * its operators, casts and operator classes have numbers here alone, and follow from what the release knows of it.
 */
export interface ExtensionDescriptor {
  readonly kind: 'extension';
  readonly oid: Oid;
  readonly name: string;
  readonly databaseOid: Oid;
  /** Where its members are. */
  readonly schemaOid: Oid;
  readonly ownerOid: Oid;
  readonly version: string;
  /** By place among what the release knows of the extension's version; a later release may know more of each. */
  readonly members: {
    readonly types: readonly Oid[];
    readonly functions: readonly Oid[];
    readonly operators: readonly Oid[];
    readonly casts: readonly Oid[];
    readonly operatorClasses: readonly Oid[];
  };
  /** It has no access list. */
  readonly acl?: never;
  readonly comment?: string;
}
