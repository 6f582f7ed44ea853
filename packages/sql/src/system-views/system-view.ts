/** What a system view is: columns, and rows made from what a session sees of the catalog. */
import type { StoredStatistics } from '../plan/statistics/stored-statistics.js';
import type { LargeObjectDescriptor, ObjectReader, Oid, SequenceRow } from '@phantom/catalog';
import type { LargeObjectPage } from '../large-objects/large-objects.js';
import type { Mvcc } from '@phantom/mvcc';
import type { StoragePort } from '../session/ports.js';
import type { StatementUse } from '../session/statement-uses.js';
import type { TextCatalog } from './object-text.js';
import type { ServerFacts } from '../session/server-facts.js';
import type { ConnectionEncryption, NetworkEnd } from '../functions/registry.js';
import type { TypeContext, TypeLookup, Value } from '../types/type.js';

/** Oids of the system schemas, PostgreSQL's where it has them; none of them holds stored objects. */
export const PG_CATALOG_OID = 11;
export const INFORMATION_SCHEMA_OID = 13183;
export const PHANTOM_OID = 13900;
/** Its name is nobody else's: CREATE SCHEMA refuses it. */
export const PHANTOM_SCHEMA = 'phantom';

/** A saga as phantom.sagas lists it; moments in milliseconds since 1970. */
export interface ListedSaga {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly step: string | undefined;
  readonly attempts: number;
  readonly error: string | undefined;
  readonly startedMs: number;
  readonly changedMs: number;
}

/** What goes on in the engine. */
export interface Activity {
  readonly mvcc: Mvcc;
  /** Of the session's database. */
  sagas(): Iterable<ListedSaga>;
  /** What statements of all databases cost so far. */
  statementUses(): Iterable<StatementUse>;
  /** How often entries were forgotten because there were too many, and since when they are counted, in milliseconds since 1970. */
  statementsForgotten(): number;
  statementsSinceMs(): number;
  /** True when the session may see the texts of that role's statements. */
  maySeeRole(roleOid: Oid): boolean;
  /** Microseconds since 2000. */
  nowMicros(): number;
  /** True when the session may see what the session of that number runs. */
  maySee(pid: number | null): boolean;
}

/** A prepared statement as pg_prepared_statements lists it. */
export interface ListedStatement {
  readonly name: string;
  readonly text: string;
  readonly parameterTypes: readonly Oid[];
  readonly fromSql: boolean;
}

/** A cursor as pg_cursors lists it. */
export interface ListedCursor {
  readonly name: string;
  readonly text: string;
  readonly holdable: boolean;
  readonly scrollable: boolean;
  /** Microseconds since 2000. */
  readonly declaredMicros: number;
}

/** A session as pg_stat_activity lists it. */
export interface ListedSession {
  readonly processId: number;
  readonly databaseOid: Oid;
  readonly databaseName: string;
  readonly roleOid: Oid;
  readonly roleName: string;
  readonly applicationName: string;
  readonly state: 'active' | 'idle' | 'idle in transaction' | 'idle in transaction (aborted)';
  /** Undefined within the process. */
  readonly client: NetworkEnd | undefined;
  readonly encryption: ConnectionEncryption | undefined;
  /** Moments in microseconds since 2000; null for none. */
  readonly beganMicros: number;
  readonly transactionStartMicros: number | null;
  readonly statementStartMicros: number | null;
  /** Text of the statement that runs or ran last. */
  readonly statementText: string;
}

/** What views read: the session as far as they may know it. */
export interface SystemViewSource {
  readonly databaseOid: Oid;
  readonly databaseName: string;
  readonly currentRoleName: string;
  readonly roleOid: Oid;
  readonly objectsSeen: ObjectReader;
  readonly types: TypeLookup;
  /** How the session shows dates and their like. */
  readonly formats: TypeContext;
  readonly storage: StoragePort;
  /** What ANALYZE found of a table. */
  statisticsOf(oid: Oid): StoredStatistics | undefined;
  /** Where a sequence stands; undefined when the role may neither read nor use it. */
  sequenceRow(oid: Oid): SequenceRow | undefined;
  /** Of the database, in the order of their numbers. */
  largeObjects(): Iterable<LargeObjectDescriptor>;
  largeObjectPages(): Iterable<LargeObjectPage>;
  /** Names as the session resolves them now. */
  readonly catalog: TextCatalog;
  /** The system's own relations. */
  systemViews(): readonly SystemView[];
  /** Statements prepared by name. */
  preparedStatements(): Iterable<ListedStatement>;
  /** The session's open cursors. */
  cursors(): readonly ListedCursor[];
  /** Sessions of all databases. */
  sessions(): Iterable<ListedSession>;
  readonly activity: Activity;
  /** What serves the session; undefined within the process. */
  readonly server: ServerFacts | undefined;
  schemaNameOf(oid: Oid): string;
  roleNameOf(oid: Oid): string;
  /** In the order of their names. */
  settings(): readonly ListedSetting[];
}

/** A setting of the session; values are texts, amounts in the unit. */
export interface ListedSetting {
  readonly name: string;
  readonly setting: string;
  readonly unit: string | undefined;
  readonly vartype: 'bool' | 'integer' | 'real' | 'enum' | 'string';
  readonly category: string;
  readonly context: 'internal' | 'postmaster' | 'sighup' | 'superuser' | 'user';
  readonly minimum: string | undefined;
  readonly maximum: string | undefined;
  readonly values: readonly string[] | undefined;
  readonly description: string;
  /** By the session itself. */
  readonly isSet: boolean;
  /** By its role, its database or its client, before it began. */
  readonly isPreset: boolean;
  readonly default: string;
  /** What RESET goes back to. */
  readonly reset: string;
}

export interface SystemView {
  readonly oid: Oid;
  readonly schemaOid: Oid;
  readonly name: string;
  readonly columns: readonly (readonly [name: string, typeOid: Oid])[];
  readonly rowsEstimate: number;
  /** It is for superusers alone. */
  readonly restricted?: true;
  rows(source: SystemViewSource): Iterable<readonly Value[]>;
}

/** PostgreSQL's views have numbers of the objects that initdb makes; what lies below are its tables. */
const FIRST_SYSTEM_VIEW_OID = 12_000;

/** True for what is a table in PostgreSQL's pg_catalog, and not a view. */
export function isSystemTable({ oid, schemaOid }: { readonly oid: Oid; readonly schemaOid: Oid }): boolean {
  return schemaOid === PG_CATALOG_OID && oid < FIRST_SYSTEM_VIEW_OID;
}
