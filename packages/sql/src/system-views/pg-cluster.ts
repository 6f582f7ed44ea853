/** pg_catalog's databases, schemas, roles and what belongs to the whole server. */
import type { DatabaseDescriptor, IndexKeyPart, RoleDescriptor } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { EXTENSIONS } from '../ddl/extensions.js';
import { AVAILABLE } from '../extensions/available.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { aclItems } from './acl-text.js';
import { type CatalogRow, catalogView, emptyViews } from './catalog-view.js';
import { BOOTSTRAP_ROLE_OID, ClassOid, DEFAULT_TABLESPACE_OID } from './oids.js';
import { schemasOf } from './pg-objects.js';
import { PG_CATALOG_OID, type SystemView, type SystemViewSource } from './system-view.js';

const UTF8 = 6;

function* rolesOf(source: SystemViewSource): Iterable<RoleDescriptor> {
  for (const object of source.objectsSeen.objects()) if (object.kind === 'role') yield object;
}

export function* databasesOf(source: SystemViewSource): Iterable<DatabaseDescriptor> {
  for (const object of source.objectsSeen.objects()) if (object.kind === 'database') yield object;
}

/** A timestamptz that is kept as ISO text. */
function moment(text: string | undefined): Value {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : (ms - Date.UTC(2000, 0, 1)) * 1000;
}

function roleRow(role: RoleDescriptor): Record<string, Value> {
  return {
    oid: role.oid,
    rolname: role.name,
    rolsuper: role.superuser,
    rolinherit: role.inherit,
    rolcreaterole: role.createRole,
    rolcreatedb: role.createDatabase,
    rolcanlogin: role.login,
    rolreplication: false,
    rolconnlimit: role.connectionLimit ?? -1,
    rolpassword: '********',
    rolvaliduntil: moment(role.validUntil),
    rolbypassrls: role.bypassRowSecurity,
    rolconfig: settingItems(role.settings),
  };
}

function settingItems(settings: Readonly<Record<string, string>> | undefined): Value {
  const items = Object.entries(settings ?? {}).map(([name, value]) => `${name}=${value}`);
  return items.length === 0 ? null : SqlArray.of(TypeOid.text, items);
}

/** What sessions begin with: of a role, of a database, of a role in a database; 0 is any of them. */
function* keptSettingRows(source: SystemViewSource): Iterable<CatalogRow> {
  const kept: [database: number, role: number, settings: Readonly<Record<string, string>> | undefined][] = [];
  for (const { oid, settings } of databasesOf(source)) kept.push([oid, 0, settings]);
  for (const role of rolesOf(source)) {
    kept.push([0, role.oid, role.settings]);
    for (const [oid, settings] of Object.entries(role.databaseSettings ?? {}))
      kept.push([Number(oid), role.oid, settings]);
  }
  for (const [setdatabase, setrole, settings] of kept) {
    const setconfig = settingItems(settings);
    if (setconfig !== null) yield { setdatabase, setrole, setconfig };
  }
}

function* membershipRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const role of rolesOf(source))
    for (const { roleOid, admin } of role.memberOf)
      yield { roleid: roleOid, member: role.oid, grantor: BOOTSTRAP_ROLE_OID, admin_option: admin };
}

function* userRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const role of rolesOf(source)) {
    if (!role.login) continue;
    yield {
      usename: role.name,
      usesysid: role.oid,
      usecreatedb: role.createDatabase,
      usesuper: role.superuser,
      userepl: false,
      usebypassrls: role.bypassRowSecurity,
      passwd: '********',
      valuntil: moment(role.validUntil),
      useconfig: settingItems(role.settings),
    };
  }
}

function* shadowRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const row of userRows(source)) yield { ...row, passwd: null };
}

function* groupRows(source: SystemViewSource): Iterable<CatalogRow> {
  const roles = [...rolesOf(source)];
  for (const role of roles) {
    if (role.login) continue;
    const members = roles.filter(({ memberOf }) => memberOf.some(({ roleOid }) => roleOid === role.oid));
    yield {
      groname: role.name,
      grosysid: role.oid,
      grolist: SqlArray.of(
        TypeOid.oid,
        members.map(({ oid }) => oid),
      ),
    };
  }
}

function* databaseRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const database of databasesOf(source)) {
    yield {
      oid: database.oid,
      datname: database.name,
      datdba: database.ownerOid,
      encoding: UTF8,
      datlocprovider: 'c',
      datallowconn: true,
      datconnlimit: -1,
      dattablespace: DEFAULT_TABLESPACE_OID,
      datcollate: 'C',
      datctype: 'C',
    };
  }
}

function* sharedDescriptionRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, comment } of databasesOf(source))
    if (comment !== undefined) yield { objoid: oid, classoid: ClassOid.database, description: comment };
  for (const { oid, comment } of rolesOf(source))
    if (comment !== undefined) yield { objoid: oid, classoid: ClassOid.role, description: comment };
}

/** PostgreSQL's letters of what default privileges are for. */
const DEFAULT_KINDS = { table: 'r', sequence: 'S', function: 'f', type: 'T', schema: 'n' } as const;

function* defaultPrivilegeRows(source: SystemViewSource): Iterable<CatalogRow> {
  // Nothing refers to their oids.
  let oid = 1;
  for (const role of rolesOf(source)) {
    for (const { databaseOid, schemaOid, object, acl } of role.defaultPrivileges ?? []) {
      if (databaseOid !== source.databaseOid) continue;
      yield {
        oid: oid++,
        defaclrole: role.oid,
        defaclnamespace: schemaOid,
        defaclobjtype: DEFAULT_KINDS[object],
        defaclacl: aclItems(source, acl),
      };
    }
  }
}

/** point, box, polygon and circle: as ranges are, they are what PostgreSQL's GiST is made for. */
const SHAPES = [600, 603, 604, 718];

/** An exclusion constraint of the database is over other values: PostgreSQL takes btree_gist for those. */
function usesScalarsInGist({ types, objectsSeen, databaseOid }: SystemViewSource): boolean {
  const isScalar = ({ type: { oid } }: IndexKeyPart): boolean => {
    const kind = types.byOid(oid)?.kind;
    return kind !== 'range' && kind !== 'multirange' && !SHAPES.includes(oid);
  };
  for (const object of objectsSeen.objects()) {
    if (object.kind !== 'index' || object.databaseOid !== databaseOid) continue;
    if (object.exclusion?.method === 'gist' && object.parts.some(isScalar)) return true;
  }
  return false;
}

function* extensionRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, name, version, whenUsed } of EXTENSIONS) {
    if (whenUsed === true && !usesScalarsInGist(source)) continue;
    const schemas = [...schemasOf(source)];
    const schema = whenUsed === true ? schemas.find((candidate) => candidate.name === 'public') : undefined;
    yield {
      oid,
      extname: name,
      extowner: BOOTSTRAP_ROLE_OID,
      extnamespace: schema?.oid ?? PG_CATALOG_OID,
      extrelocatable: false,
      extversion: version,
    };
  }
}

function* madeExtensionRows({ objectsSeen, databaseOid }: SystemViewSource): Iterable<CatalogRow> {
  for (const extension of objectsSeen.extensionsIn(databaseOid)) {
    yield {
      oid: extension.oid,
      extname: extension.name,
      extowner: extension.ownerOid,
      extnamespace: extension.schemaOid,
      extrelocatable: true,
      extversion: extension.version,
    };
  }
}

/** What can be made, and what is there. */
function* availableRows({ objectsSeen, databaseOid }: SystemViewSource): Iterable<CatalogRow> {
  for (const { name, version, description } of EXTENSIONS)
    yield { name, default_version: version, installed_version: version, comment: description };
  const made = objectsSeen.extensionsIn(databaseOid);
  for (const { name, version, description } of AVAILABLE) {
    const installed = made.find((extension) => extension.name === name);
    yield { name, default_version: version, installed_version: installed?.version ?? null, comment: description };
  }
}

/** There is one version of each. */
function* availableVersionRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { name, default_version, installed_version, comment } of availableRows(source)) {
    yield {
      name,
      version: default_version,
      installed: installed_version !== null,
      superuser: false,
      trusted: true,
      relocatable: AVAILABLE.some((extension) => extension.name === name),
      comment,
    };
  }
}

function versionOf(source: SystemViewSource): string {
  return source.settings().find(({ name }) => name === 'server_version')?.setting ?? '';
}

export const CLUSTER_VIEWS: readonly SystemView[] = [
  catalogView('pg_database', databaseRows),
  catalogView('pg_namespace', function* (source) {
    for (const schema of schemasOf(source)) {
      const object = source.objectsSeen.object(schema.oid);
      const acl = object?.kind === 'schema' ? aclItems(source, object.acl) : null;
      yield { oid: schema.oid, nspname: schema.name, nspowner: schema.ownerOid, nspacl: acl };
    }
  }),
  catalogView('pg_roles', function* (source) {
    for (const role of rolesOf(source)) yield roleRow(role);
  }),
  {
    // Verifiers are shown to nobody here.
    ...catalogView('pg_authid', function* (source) {
      for (const role of rolesOf(source)) yield { ...roleRow(role), rolpassword: null };
    }),
    restricted: true,
  },
  catalogView('pg_auth_members', membershipRows),
  catalogView('pg_user', userRows),
  // As pg_user, for superusers alone: PostgreSQL shows the verifiers in it.
  { ...catalogView('pg_shadow', shadowRows), restricted: true },
  catalogView('pg_group', groupRows),
  catalogView('pg_tablespace', () => [
    { oid: DEFAULT_TABLESPACE_OID, spcname: 'pg_default', spcowner: BOOTSTRAP_ROLE_OID },
    { oid: 1664, spcname: 'pg_global', spcowner: BOOTSTRAP_ROLE_OID },
  ]),
  catalogView('pg_default_acl', defaultPrivilegeRows),
  catalogView('pg_extension', function* (source) {
    yield* extensionRows(source);
    yield* madeExtensionRows(source);
  }),
  catalogView('pg_available_extensions', availableRows),
  catalogView('pg_available_extension_versions', availableVersionRows),
  // How PostgreSQL was built; of what is asked for there, only the version has a meaning here.
  {
    ...catalogView('pg_config', (source) => [{ name: 'VERSION', setting: `PostgreSQL ${versionOf(source)}` }]),
    restricted: true,
  },
  catalogView('pg_shdescription', sharedDescriptionRows),
  catalogView('pg_db_role_setting', keptSettingRows),
  ...emptyViews(
    'pg_event_trigger',
    'pg_foreign_data_wrapper',
    'pg_foreign_server',
    'pg_init_privs',
    'pg_parameter_acl',
    'pg_publication',
    'pg_publication_namespace',
    'pg_publication_rel',
    'pg_publication_tables',
    'pg_seclabel',
    'pg_seclabels',
    'pg_shdepend',
    'pg_shseclabel',
    'pg_subscription',
    'pg_user_mapping',
    'pg_user_mappings',
  ),
];
