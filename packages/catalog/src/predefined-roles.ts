/**
 * Roles that every store has, with PostgreSQL's names and oids: nobody logs in as one of them, what they may do is known to
 * rights.ts and to the statements concerned, and others get it by membership. They are in the catalog without being stored;
 * one that is changed (made a member of another, say) is stored from then on.
 */
import type { Oid, RoleDescriptor } from './descriptors.js';

/** Oids of the predefined roles. */
export const PredefinedRole = {
  /** Whoever owns the current database, and nobody else, is its member. */
  DatabaseOwner: 6171,
  /** Reads all tables, views and sequences, and has USAGE of all schemas. */
  ReadAllData: 6181,
  /** Inserts, updates and deletes everywhere, and has USAGE of all schemas. */
  WriteAllData: 6182,
  Monitor: 3373,
  ReadAllSettings: 3374,
  /** Sees what all sessions do. */
  ReadAllStats: 3375,
  StatScanTables: 3377,
  /** Cancels and ends sessions of others that are no superusers. */
  SignalBackend: 4200,
  Checkpoint: 4544,
  ReadServerFiles: 4569,
  WriteServerFiles: 4570,
  ExecuteServerProgram: 4571,
} as const;

const NAMES: Readonly<Record<keyof typeof PredefinedRole, string>> = {
  DatabaseOwner: 'pg_database_owner',
  ReadAllData: 'pg_read_all_data',
  WriteAllData: 'pg_write_all_data',
  Monitor: 'pg_monitor',
  ReadAllSettings: 'pg_read_all_settings',
  ReadAllStats: 'pg_read_all_stats',
  StatScanTables: 'pg_stat_scan_tables',
  SignalBackend: 'pg_signal_backend',
  Checkpoint: 'pg_checkpoint',
  ReadServerFiles: 'pg_read_server_files',
  WriteServerFiles: 'pg_write_server_files',
  ExecuteServerProgram: 'pg_execute_server_program',
};

const MONITOR_MEMBER_OF: readonly Oid[] = [
  PredefinedRole.ReadAllSettings,
  PredefinedRole.ReadAllStats,
  PredefinedRole.StatScanTables,
];

function predefined(key: keyof typeof PredefinedRole): RoleDescriptor {
  const memberOf = key === 'Monitor' ? MONITOR_MEMBER_OF : [];
  return {
    kind: 'role',
    oid: PredefinedRole[key],
    name: NAMES[key],
    superuser: false,
    login: false,
    createDatabase: false,
    createRole: false,
    inherit: true,
    bypassRowSecurity: false,
    memberOf: memberOf.map((roleOid) => ({ roleOid, admin: false })),
  };
}

const ROLES: ReadonlyMap<Oid, RoleDescriptor> = new Map(
  (Object.keys(PredefinedRole) as (keyof typeof PredefinedRole)[]).map((key) => [PredefinedRole[key], predefined(key)]),
);

const OIDS: ReadonlyMap<string, Oid> = new Map([...ROLES.values()].map(({ name, oid }) => [name, oid]));

/** The predefined roles as they are before anybody changes them. */
export function predefinedRoles(): Iterable<RoleDescriptor> {
  return ROLES.values();
}

/** The predefined role of that oid; undefined for others. */
export function predefinedRole(oid: Oid): RoleDescriptor | undefined {
  return ROLES.get(oid);
}

/** The oid of the predefined role of that name; undefined for others. */
export function predefinedRoleOid(name: string): Oid | undefined {
  return OIDS.get(name);
}
