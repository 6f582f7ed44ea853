/**
 * Who may do what: superusers everything, others what access lists grant to them, to a role they are a member of (and
 * inherit from), or to everyone. Letters are PostgreSQL's aclitem letters:
 *
 *   r select   a insert   w update   d delete   D truncate   x references   t trigger
 *   U usage    C create   c connect  T temporary   X execute
 *
 * An object without an access list grants its owner everything that its kind knows, and everyone what `publicPrivileges`
 * says: relations and schemas nothing (`public` schemas USAGE), types USAGE, routines EXECUTE, databases CONNECT and TEMPORARY. The first GRANT
 * or REVOKE writes that out; from then on the list alone decides, for the owner too, who can still grant everything.
 */
import type {
  AclItem,
  ColumnDescriptor,
  ObjectDescriptor,
  Oid,
  PolicyDescriptor,
  RoleDescriptor,
  TableDescriptor,
  ViewColumn,
} from './descriptors.js';
import type { LargeObjectDescriptor } from './large-object-descriptor.js';
import type { ObjectReader } from './object-map.js';
import { PredefinedRole } from './predefined-roles.js';

/** Grantee of rights that everyone has. */
export const PUBLIC_ROLE: Oid = 0;

/** What belongs to a role by itself; a policy, a trigger and a rule are their table's, a cast its types'. */
export type OwnedObject = Exclude<ObjectDescriptor, { kind: 'role' | 'policy' | 'trigger' | 'rule' | 'cast' }>;

/** What has an access list. */
export type GrantableObject = Exclude<OwnedObject, { kind: 'index' | 'statistics' | 'extension' | 'operator' }>;

/** Kinds of what may have rights on it. */
type ObjectKind = (ObjectDescriptor | LargeObjectDescriptor)['kind'];

/** The letter of each privilege, in the order in which access lists have them. */
export const PrivilegeLetters: Readonly<Record<string, string>> = {
  insert: 'a',
  select: 'r',
  update: 'w',
  delete: 'd',
  truncate: 'D',
  references: 'x',
  trigger: 't',
  execute: 'X',
  usage: 'U',
  create: 'C',
  temporary: 'T',
  temp: 'T',
  connect: 'c',
};

/**
 * Every role whose rights `roleOid` uses: itself, what it inherits from, directly or through others, and in a database that one
 * of these owns pg_database_owner. Without a database, that is left out.
 */
export function effectiveRoles(objects: ObjectReader, roleOid: Oid, databaseOid: Oid | undefined): Set<Oid> {
  const roles = new Set<Oid>();
  const pending = [roleOid];
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    if (roles.has(oid)) continue;
    roles.add(oid);
    const role = objects.object(oid);
    if (role?.kind === 'role' && role.inherit) for (const membership of role.memberOf) pending.push(membership.roleOid);
  }
  const owner = databaseOwner(objects, databaseOid);
  if (owner !== undefined && roles.has(owner)) roles.add(PredefinedRole.DatabaseOwner);
  return roles;
}

function databaseOwner(objects: ObjectReader, databaseOid: Oid | undefined): Oid | undefined {
  const database = databaseOid === undefined ? undefined : objects.object(databaseOid);
  return database?.kind === 'database' ? database.ownerOid : undefined;
}

/** The database in which an object stands, or that it is. */
function databaseOf(object: ObjectDescriptor | LargeObjectDescriptor): Oid | undefined {
  if (object.kind === 'database') return object.oid;
  return 'databaseOid' in object ? object.databaseOid : undefined;
}

/** True for a superuser. */
export function isSuperuser(objects: ObjectReader, roleOid: Oid): boolean {
  const role = objects.object(roleOid);
  return role?.kind === 'role' && role.superuser;
}

/** True when the role may do what a predefined role may: it is a member that inherits, or a superuser. */
export function hasRightsOf(objects: ObjectReader, roleOid: Oid, otherOid: Oid): boolean {
  return isSuperuser(objects, roleOid) || effectiveRoles(objects, roleOid, undefined).has(otherOid);
}

/** True when the role owns the object, through membership too, or is a superuser. */
export function ownsObject(objects: ObjectReader, roleOid: Oid, object: OwnedObject | LargeObjectDescriptor): boolean {
  return isSuperuser(objects, roleOid) || effectiveRoles(objects, roleOid, databaseOf(object)).has(object.ownerOid);
}

/** The object's access list, written out where it has none of its own yet. */
export function aclOf(object: GrantableObject | LargeObjectDescriptor): readonly AclItem[] {
  if (object.acl !== undefined) return object.acl;
  const owner: AclItem = {
    granteeOid: object.ownerOid,
    grantorOid: object.ownerOid,
    privileges: ownerPrivileges(object),
    grantable: '',
  };
  const everyone = publicPrivileges(object);
  if (everyone === '') return [owner];
  return [{ granteeOid: PUBLIC_ROLE, grantorOid: object.ownerOid, privileges: everyone, grantable: '' }, owner];
}

/** Letters of what the role may grant on the object: all of its kind's for the owner, else what it has with grant option. */
export function grantableOf(
  objects: ObjectReader,
  roleOid: Oid,
  object: GrantableObject | LargeObjectDescriptor,
): string {
  if (ownsObject(objects, roleOid, object)) return ownerPrivileges(object);
  const roles = effectiveRoles(objects, roleOid, databaseOf(object));
  const letters = new Set<string>();
  for (const item of object.acl ?? []) if (roles.has(item.granteeOid)) for (const l of item.grantable) letters.add(l);
  return [...letters].join('');
}

/** True when the role has the privilege (one letter) on the whole object. */
export function hasPrivilege(
  objects: ObjectReader,
  roleOid: Oid,
  object: ObjectDescriptor | LargeObjectDescriptor,
  letter: string,
): boolean {
  if (isSuperuser(objects, roleOid)) return true;
  if (object.kind === 'role' || object.kind === 'index' || object.kind === 'policy') return false;
  if (object.kind === 'trigger' || object.kind === 'statistics' || object.kind === 'extension') return false;
  if (object.kind === 'operator' || object.kind === 'cast' || object.kind === 'rule') return false;
  const roles = effectiveRoles(objects, roleOid, databaseOf(object));
  if (grantsToAll(object, roles, letter)) return true;
  if (object.acl !== undefined) return grants(object.acl, roles, letter);
  return roles.has(object.ownerOid) || publicPrivileges(object).includes(letter);
}

/** What pg_read_all_data and pg_write_all_data may do with every object. */
function grantsToAll({ kind }: { readonly kind: ObjectKind }, roles: ReadonlySet<Oid>, letter: string): boolean {
  const reads = roles.has(PredefinedRole.ReadAllData);
  const writes = roles.has(PredefinedRole.WriteAllData);
  if (kind === 'schema') return letter === 'U' && (reads || writes);
  if (kind !== 'table' && kind !== 'view' && kind !== 'sequence') return false;
  return (reads && letter === 'r') || (writes && 'awd'.includes(letter));
}

/** True when the role has the privilege on every one of the columns, each by the table's list or its own. */
export function hasColumnPrivilege(
  objects: ObjectReader,
  roleOid: Oid,
  object: ObjectDescriptor & { readonly columns: readonly (ColumnDescriptor | ViewColumn)[] },
  letter: string,
  columns: readonly number[],
): boolean {
  if (hasPrivilege(objects, roleOid, object, letter)) return true;
  const roles = effectiveRoles(objects, roleOid, databaseOf(object));
  const allowed = (column: ColumnDescriptor | ViewColumn): boolean =>
    column.acl !== undefined && grants(column.acl, roles, letter);
  const numberOf = (column: ColumnDescriptor | ViewColumn, at: number): number =>
    'number' in column ? column.number : at + 1;
  if (columns.length === 0) return object.columns.some(allowed);
  return columns.every((number) =>
    object.columns.some((column, i) => numberOf(column, i) === number && allowed(column)),
  );
}

/**
 * The policies of a table that speak of the role; undefined when row-level security keeps nothing from it: it is off, or the
 * role is a superuser, has BYPASSRLS, or owns the table, which is not forced.
 */
export function policiesFor(
  objects: ObjectReader,
  table: TableDescriptor,
  roleOid: Oid,
): PolicyDescriptor[] | undefined {
  const { rowSecurity } = table;
  if (rowSecurity?.enabled !== true) return undefined;
  const role = objects.object(roleOid);
  if (role?.kind === 'role' && (role.superuser || role.bypassRowSecurity)) return undefined;
  const roles = effectiveRoles(objects, roleOid, table.databaseOid);
  if (!rowSecurity.forced && roles.has(table.ownerOid)) return undefined;
  const policies: PolicyDescriptor[] = [];
  for (const oid of rowSecurity.policyOids) {
    const policy = objects.object(oid);
    if (policy?.kind !== 'policy') continue;
    if (policy.roleOids.some((named) => named === PUBLIC_ROLE || roles.has(named))) policies.push(policy);
  }
  return policies;
}

/** True when `role` may act as `other` (SET ROLE): itself, a member of it, or a superuser. */
export function mayActAs(
  objects: ObjectReader,
  role: RoleDescriptor,
  other: RoleDescriptor,
  databaseOid: Oid | undefined,
): boolean {
  return role.superuser || role.oid === other.oid || isMemberOf(objects, role, other.oid, databaseOid);
}

/**
 * True when the role is a member of the other one, directly or through others; inheritance does not matter. Of
 * pg_database_owner the owner of the database is, and all members of that role.
 */
export function isMemberOf(
  objects: ObjectReader,
  role: RoleDescriptor,
  otherOid: Oid,
  databaseOid: Oid | undefined,
): boolean {
  const owner = otherOid === PredefinedRole.DatabaseOwner ? databaseOwner(objects, databaseOid) : undefined;
  if (owner !== undefined) return role.oid === owner || isMemberOf(objects, role, owner, undefined);
  return hasMembership(objects, role, (membership) => membership.roleOid === otherOid);
}

/** True when the role, or one that it is a member of, may grant the other one: it has that by WITH ADMIN OPTION. */
export function isAdminOf(objects: ObjectReader, role: RoleDescriptor, otherOid: Oid): boolean {
  return hasMembership(objects, role, ({ roleOid, admin }) => admin && roleOid === otherOid);
}

/** True when one of the role's memberships, its own or one of the roles that it is a member of, is such a one. */
function hasMembership(
  objects: ObjectReader,
  role: RoleDescriptor,
  wanted: (membership: RoleDescriptor['memberOf'][number]) => boolean,
): boolean {
  const seen = new Set<Oid>();
  const pending = [...role.memberOf];
  for (let membership = pending.pop(); membership !== undefined; membership = pending.pop()) {
    if (wanted(membership)) return true;
    if (seen.has(membership.roleOid)) continue;
    seen.add(membership.roleOid);
    const next = objects.object(membership.roleOid);
    if (next?.kind === 'role') pending.push(...next.memberOf);
  }
  return false;
}

function grants(acl: readonly AclItem[], roles: ReadonlySet<Oid>, letter: string): boolean {
  return acl.some(
    (item) => (item.granteeOid === PUBLIC_ROLE || roles.has(item.granteeOid)) && item.privileges.includes(letter),
  );
}

/** Every privilege that objects of the kind know, in the order of access lists. */
export function ownerPrivileges(object: { readonly kind: ObjectKind }): string {
  switch (object.kind) {
    case 'table':
    case 'view':
      return 'arwdDxt';
    case 'sequence':
      return 'rwU';
    case 'database':
      return 'CTc';
    case 'schema':
      return 'UC';
    case 'type':
      return 'U';
    case 'routine':
      return 'X';
    case 'large object':
      return 'rw';
    default:
      return '';
  }
}

/** What everyone may do with an object that has no access list. */
export function publicPrivileges(object: { readonly kind: ObjectKind; readonly name: string }): string {
  switch (object.kind) {
    case 'database':
      return 'Tc';
    case 'schema':
      return object.name === 'public' ? 'U' : '';
    case 'type':
      return 'U';
    case 'routine':
      return 'X';
    default:
      return '';
  }
}
