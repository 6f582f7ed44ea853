/**
 * Who may do what: owners and superusers everything, others what access lists grant to them, to a role they are a member
 * of (and inherit from), or to everyone. Letters are PostgreSQL's aclitem letters:
 *
 *   r select   a insert   w update   d delete   D truncate   x references   t trigger
 *   U usage    C create   c connect  T temporary   X execute
 *
 * What an object without an access list grants: relations and schemas nothing to others (`public` schemas USAGE to
 * everyone), types and routines USAGE and EXECUTE to everyone, databases CONNECT and TEMPORARY to everyone.
 */
import type { AclItem, ColumnDescriptor, ObjectDescriptor, Oid, RoleDescriptor } from './descriptors.js';
import type { ObjectReader } from './object-map.js';

/** Grantee of rights that everyone has. */
export const PUBLIC_ROLE: Oid = 0;

/** Every role whose rights `roleOid` uses: itself, what it inherits from, directly or through others. */
export function effectiveRoles(objects: ObjectReader, roleOid: Oid): Set<Oid> {
  const roles = new Set<Oid>();
  const pending = [roleOid];
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    if (roles.has(oid)) continue;
    roles.add(oid);
    const role = objects.object(oid);
    if (role?.kind === 'role' && role.inherit) for (const membership of role.memberOf) pending.push(membership.roleOid);
  }
  return roles;
}

/** True for a superuser. */
export function isSuperuser(objects: ObjectReader, roleOid: Oid): boolean {
  const role = objects.object(roleOid);
  return role?.kind === 'role' && role.superuser;
}

/** True when the role owns the object, through membership too, or is a superuser. */
export function ownsObject(objects: ObjectReader, roleOid: Oid, ownerOid: Oid): boolean {
  return isSuperuser(objects, roleOid) || effectiveRoles(objects, roleOid).has(ownerOid);
}

/** True when the role has the privilege (one letter) on the whole object. */
export function hasPrivilege(objects: ObjectReader, roleOid: Oid, object: ObjectDescriptor, letter: string): boolean {
  if (isSuperuser(objects, roleOid)) return true;
  if (object.kind === 'role') return false;
  const roles = effectiveRoles(objects, roleOid);
  if (roles.has(object.ownerOid)) return true;
  const acl = object.kind === 'database' ? undefined : object.acl;
  if (acl === undefined) return defaultPrivileges(object).includes(letter);
  return grants(acl, roles, letter);
}

/** True when the role has the privilege on every one of the columns, each by the table's list or its own. */
export function hasColumnPrivilege(
  objects: ObjectReader,
  roleOid: Oid,
  object: ObjectDescriptor & { readonly columns: readonly ColumnDescriptor[] },
  letter: string,
  columns: readonly number[],
): boolean {
  if (hasPrivilege(objects, roleOid, object, letter)) return true;
  const roles = effectiveRoles(objects, roleOid);
  const allowed = (column: ColumnDescriptor): boolean => column.acl !== undefined && grants(column.acl, roles, letter);
  if (columns.length === 0) return object.columns.some(allowed);
  return columns.every((number) => object.columns.some((column) => column.number === number && allowed(column)));
}

/** True when `role` may act as `other` (SET ROLE): itself, a member of it, or a superuser. */
export function mayActAs(objects: ObjectReader, role: RoleDescriptor, other: RoleDescriptor): boolean {
  if (role.superuser || role.oid === other.oid) return true;
  const seen = new Set<Oid>();
  const pending = [...role.memberOf];
  for (let membership = pending.pop(); membership !== undefined; membership = pending.pop()) {
    if (membership.roleOid === other.oid) return true;
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

function defaultPrivileges(object: ObjectDescriptor): string {
  switch (object.kind) {
    case 'database':
      return 'cT';
    case 'schema':
      return object.name === 'public' ? 'U' : '';
    case 'type':
      return 'U';
    default:
      return '';
  }
}
