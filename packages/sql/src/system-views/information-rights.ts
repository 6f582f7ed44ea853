/** `information_schema` of roles and of what is granted to them. A role sees its own, what it granted, and what everyone has. */
import {
  type AclItem,
  type Oid,
  PUBLIC_ROLE,
  PredefinedRole,
  type RoleDescriptor,
  effectiveRoles,
  isMemberOf,
  isSuperuser,
} from '@phantom/catalog';
import { type CatalogRow, informationView } from './catalog-view.js';
import { isOfIdentity, tableNames, visible, yesOrNo } from './information-schema.js';
import { specificNames } from './information-routines.js';
import { compositesOf, relationsOf, routinesOf, typesOf } from './pg-objects.js';
import type { SystemView, SystemViewSource } from './system-view.js';

const TABLE_PRIVILEGES: readonly (readonly [string, string])[] = [
  ['r', 'SELECT'],
  ['a', 'INSERT'],
  ['w', 'UPDATE'],
  ['d', 'DELETE'],
  ['D', 'TRUNCATE'],
  ['x', 'REFERENCES'],
  ['t', 'TRIGGER'],
];

const COLUMN_PRIVILEGES = TABLE_PRIVILEGES.filter(([letter]) => 'rawx'.includes(letter));

function rolesOf(source: SystemViewSource): RoleDescriptor[] {
  return [...source.objectsSeen.objects()].filter((object) => object.kind === 'role');
}

/** Roles as which the current one may act. */
function* enabledRoles(source: SystemViewSource): Iterable<RoleDescriptor> {
  const { databaseOid, objectsSeen, roleOid } = source;
  const own = objectsSeen.object(roleOid);
  if (own?.kind !== 'role') return;
  for (const role of rolesOf(source)) {
    if (own.superuser || role.oid === roleOid || isMemberOf(objectsSeen, own, role.oid, databaseOid)) yield role;
  }
}

/** Memberships of the roles that the current one may act as; the owner of the database is pg_database_owner's only member. */
function* applicableRoles(source: SystemViewSource): Iterable<CatalogRow> {
  const database = source.objectsSeen.object(source.databaseOid);
  for (const member of enabledRoles(source)) {
    for (const { roleOid, admin } of member.memberOf) {
      yield { grantee: member.name, role_name: source.roleNameOf(roleOid), is_grantable: yesOrNo(admin) };
    }
    if (database?.kind === 'database' && database.ownerOid === member.oid) {
      const role_name = source.roleNameOf(PredefinedRole.DatabaseOwner);
      yield { grantee: member.name, role_name, is_grantable: 'NO' };
    }
  }
}

/** A right, to whom it is granted and by whom. */
function granted(
  source: SystemViewSource,
  ownerOid: Oid,
  { granteeOid, grantorOid, grantable }: AclItem,
  letter: string,
): CatalogRow {
  return {
    grantor: source.roleNameOf(grantorOid),
    grantee: granteeOid === PUBLIC_ROLE ? 'PUBLIC' : source.roleNameOf(granteeOid),
    is_grantable: yesOrNo(grantable.includes(letter) || granteeOid === ownerOid),
  };
}

function ownersGrant(ownerOid: Oid, privileges: string): AclItem[] {
  return [{ granteeOid: ownerOid, grantorOid: ownerOid, privileges, grantable: privileges }];
}

function* tablePrivilegeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of visible(source)) {
    if (relation.kind === 'sequence') continue;
    for (const item of relation.acl ?? ownersGrant(relation.ownerOid, 'arwdDxt')) {
      for (const [letter, privilege_type] of TABLE_PRIVILEGES) {
        if (!item.privileges.includes(letter)) continue;
        yield {
          ...granted(source, relation.ownerOid, item, letter),
          ...tableNames(source, relation),
          privilege_type,
          with_hierarchy: yesOrNo(letter === 'r'),
        };
      }
    }
  }
}

/** A right on a whole table is one on each of its columns. */
function* columnPrivilegeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of visible(source)) {
    if (relation.kind === 'sequence') continue;
    const whole = relation.acl ?? ownersGrant(relation.ownerOid, 'arwx');
    for (const column of relation.columns) {
      if ('dropped' in column && column.dropped) continue;
      const seen = new Set<string>();
      for (const item of [...whole, ...(column.acl ?? [])]) {
        for (const [letter, privilege_type] of COLUMN_PRIVILEGES) {
          const key = `${item.granteeOid} ${item.grantorOid} ${letter}`;
          if (!item.privileges.includes(letter) || seen.has(key)) continue;
          seen.add(key);
          yield {
            ...granted(source, relation.ownerOid, item, letter),
            ...tableNames(source, relation),
            column_name: column.name,
            privilege_type,
          };
        }
      }
    }
  }
}

function* usageRows(source: SystemViewSource): Iterable<CatalogRow> {
  const sequences = [...relationsOf(source)].filter(
    (relation) => relation.kind === 'sequence' && !isOfIdentity(source, relation),
  );
  const domains = [...typesOf(source)].filter((type) => type.definition.kind === 'domain');
  for (const object of [...sequences, ...domains]) {
    const isDomain = object.kind === 'type';
    const own = isDomain ? defaulted(object.acl, object.ownerOid, 'U') : object.acl;
    for (const item of own ?? ownersGrant(object.ownerOid, 'U')) {
      if (!item.privileges.includes('U')) continue;
      yield {
        ...granted(source, object.ownerOid, item, 'U'),
        object_catalog: source.databaseName,
        object_schema: source.schemaNameOf(object.schemaOid),
        object_name: object.name,
        object_type: isDomain ? 'DOMAIN' : 'SEQUENCE',
        privilege_type: 'USAGE',
      };
    }
  }
}

/** The rights on an object; where none was granted, the owner's and those that everyone has. */
function defaulted(acl: readonly AclItem[] | undefined, ownerOid: Oid, letter: string): readonly AclItem[] {
  const everyone: AclItem = { granteeOid: PUBLIC_ROLE, grantorOid: ownerOid, privileges: letter, grantable: '' };
  return acl ?? [everyone, ...ownersGrant(ownerOid, letter)];
}

function* routinePrivilegeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const routine of routinesOf(source)) {
    for (const item of defaulted(routine.acl, routine.ownerOid, 'X')) {
      if (!item.privileges.includes('X')) continue;
      yield {
        ...granted(source, routine.ownerOid, item, 'X'),
        ...specificNames(source, routine),
        routine_catalog: source.databaseName,
        routine_schema: source.schemaNameOf(routine.schemaOid),
        routine_name: routine.name,
        privilege_type: 'EXECUTE',
      };
    }
  }
}

/** Structured types only, which ISO calls user-defined. */
function* typePrivilegeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const type of compositesOf(source)) {
    for (const item of defaulted(type.acl, type.ownerOid, 'U')) {
      if (!item.privileges.includes('U')) continue;
      yield {
        ...granted(source, type.ownerOid, item, 'U'),
        udt_catalog: source.databaseName,
        udt_schema: source.schemaNameOf(type.schemaOid),
        udt_name: type.name,
        privilege_type: 'TYPE USAGE',
      };
    }
  }
}

type RowSource = (source: SystemViewSource) => Iterable<CatalogRow>;

/** Rows about rights of the current role, or given by it, or (`everyone`) of PUBLIC. */
function concerning(rows: RowSource, everyone: boolean): RowSource {
  return function* concerned(source) {
    const { databaseOid, objectsSeen, roleOid } = source;
    const all = isSuperuser(objectsSeen, roleOid);
    const own = new Set([...effectiveRoles(objectsSeen, roleOid, databaseOid)].map((oid) => source.roleNameOf(oid)));
    for (const row of rows(source)) {
      const isPublic = everyone && row['grantee'] === 'PUBLIC';
      if (isPublic || all || own.has(String(row['grantee'])) || own.has(String(row['grantor']))) yield row;
    }
  };
}

export const INFORMATION_RIGHTS_VIEWS: readonly SystemView[] = [
  informationView('enabled_roles', (source) => [...enabledRoles(source)].map(({ name }) => ({ role_name: name }))),
  informationView('applicable_roles', applicableRoles),
  informationView('administrable_role_authorizations', (source) =>
    [...applicableRoles(source)].filter((row) => row['is_grantable'] === 'YES'),
  ),
  informationView('table_privileges', concerning(tablePrivilegeRows, true)),
  informationView('role_table_grants', concerning(tablePrivilegeRows, false)),
  informationView('column_privileges', concerning(columnPrivilegeRows, true)),
  informationView('role_column_grants', concerning(columnPrivilegeRows, false)),
  informationView('routine_privileges', concerning(routinePrivilegeRows, true)),
  informationView('role_routine_grants', concerning(routinePrivilegeRows, false)),
  informationView('udt_privileges', concerning(typePrivilegeRows, true)),
  informationView('role_udt_grants', concerning(typePrivilegeRows, false)),
  informationView('usage_privileges', concerning(usageRows, true)),
  informationView('role_usage_grants', concerning(usageRows, false)),
];
