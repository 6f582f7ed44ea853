/** What a system view is: columns, and rows made from what a session sees of the catalog. */
import type { ObjectReader, Oid } from '@phantom/catalog';
import type { StoragePort } from '../session/ports.js';
import type { TypeLookup, Value } from '../types/type.js';

/** Oids of the system schemas, PostgreSQL's where it has them; none of them holds stored objects. */
export const PG_CATALOG_OID = 11;
export const INFORMATION_SCHEMA_OID = 13183;
export const PHANTOM_OID = 13900;
/** Its name is nobody else's: CREATE SCHEMA refuses it. */
export const PHANTOM_SCHEMA = 'phantom';

/** Oids of the types that system views use. */
export const T = { bool: 16, char: 18, name: 19, int8: 20, int2: 21, int4: 23, text: 25, oid: 26 } as const;

/** What views read: the session as far as they may know it. */
export interface SystemViewSource {
  readonly databaseOid: Oid;
  readonly databaseName: string;
  readonly currentRoleName: string;
  readonly objectsSeen: ObjectReader;
  readonly types: TypeLookup;
  readonly storage: StoragePort;
  schemaNameOf(oid: Oid): string;
  roleNameOf(oid: Oid): string;
  settingRows(): readonly { readonly name: string; readonly value: string; readonly description: string }[];
}

export interface SystemView {
  readonly oid: Oid;
  readonly schemaOid: Oid;
  readonly name: string;
  readonly columns: readonly (readonly [name: string, typeOid: Oid])[];
  readonly rowsEstimate: number;
  rows(source: SystemViewSource): Iterable<readonly Value[]>;
}
