/** Whom what is created belongs to, and the access list it begins with: the kind's own, or as default privileges say. */
import { PhantomError } from '@phantom/base';
import {
  type AclItem,
  type DefaultPrivileges,
  type LargeObjectDescriptor,
  type Oid,
  type OwnedObject,
  PUBLIC_ROLE,
  type RoleDescriptor,
  hasPrivilege,
  isMemberOf,
} from '@phantom/catalog';
import { changedAcl } from './access-lists.js';
import type { DdlContext } from './context.js';
import { currentRole } from './role-names.js';

/** What the owner and everyone may do with an object of each kind. */
export const BUILT_IN_RIGHTS: Readonly<
  Record<DefaultPrivileges['object'], { readonly owner: string; readonly everyone: string }>
> = {
  table: { owner: 'arwdDxt', everyone: '' },
  sequence: { owner: 'rwU', everyone: '' },
  function: { owner: 'X', everyone: 'X' },
  type: { owner: 'U', everyone: 'U' },
  schema: { owner: 'UC', everyone: '' },
};

/** The access list of an object of the kind to which nothing was granted. */
export function builtInAcl(object: DefaultPrivileges['object'], ownerOid: Oid): AclItem[] {
  const { owner, everyone } = BUILT_IN_RIGHTS[object];
  const items: AclItem[] = [{ granteeOid: ownerOid, grantorOid: ownerOid, privileges: owner, grantable: '' }];
  if (everyone !== '')
    items.unshift({ granteeOid: PUBLIC_ROLE, grantorOid: ownerOid, privileges: everyone, grantable: '' });
  return items;
}

/** Owner of what a role creates, with the access list that its default privileges ask for. */
export function ownership(
  context: DdlContext,
  object: DefaultPrivileges['object'],
  schemaOid: Oid,
  role: RoleDescriptor = currentRole(context),
): { readonly ownerOid: Oid; readonly acl?: readonly AclItem[] } {
  const entries = (role.defaultPrivileges ?? []).filter(
    (entry) => entry.databaseOid === context.databaseOid && entry.object === object,
  );
  const whole = entries.find((entry) => entry.schemaOid === 0);
  const inSchema = entries.find((entry) => entry.schemaOid === schemaOid && schemaOid !== 0);
  if (whole === undefined && inSchema === undefined) return { ownerOid: role.oid };
  let acl = whole?.acl ?? builtInAcl(object, role.oid);
  for (const item of inSchema?.acl ?? []) {
    const change = {
      revoke: false,
      grantOption: false,
      cascade: false,
      ownerOid: role.oid,
      grantorOid: item.grantorOid,
    };
    acl = changedAcl(acl, { ...change, grantees: [item.granteeOid], letters: item.privileges });
  }
  return { ownerOid: role.oid, acl };
}

/** The object under another owner: rights of the old one become the new one's. */
/** The object as another role's: what the owner had granted, the new one has. */
export function withOwner<T extends OwnedObject | LargeObjectDescriptor>(object: T, ownerOid: Oid): T {
  if (!('acl' in object) || object.acl === undefined) return { ...object, ownerOid };
  const swap = (oid: Oid): Oid => (oid === object.ownerOid ? ownerOid : oid);
  const acl = object.acl.map((item) => ({
    ...item,
    granteeOid: swap(item.granteeOid),
    grantorOid: swap(item.grantorOid),
  }));
  return { ...object, ownerOid, acl };
}

/** One may give things only to a role one could act as, and only where that role could make them itself. */
export function mayGiveTo(context: DdlContext, owner: RoleDescriptor, schemaOid: Oid | undefined): void {
  const actor = currentRole(context);
  if (actor.superuser) return;
  if (actor.oid !== owner.oid && !isMemberOf(context.objects, actor, owner.oid, context.databaseOid))
    throw new PhantomError('42501', `must be member of role "${owner.name}"`);
  const schema = schemaOid === undefined ? undefined : context.objects.object(schemaOid);
  if (schema?.kind === 'schema' && !hasPrivilege(context.objects, owner.oid, schema, 'C'))
    throw new PhantomError('42501', `permission denied for schema ${schema.name}`);
}
