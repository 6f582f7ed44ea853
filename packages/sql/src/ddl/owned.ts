/** DROP OWNED and REASSIGN OWNED: everything of some roles in this database. */
import { PhantomError } from '@phantom/base';
import { type GrantableObject, type Oid, type OwnedObject, type RoleDescriptor, mayActAs } from '@phantom/catalog';
import type { OwnedBy } from '../text/ast-access.js';
import type { DdlContext, DdlExecution } from './context.js';
import { dropAll } from './drop.js';
import { dropOwnedLargeObjects, reassignLargeObjects } from './large-objects.js';
import { currentRole, roleOf } from './role-names.js';
import { withoutRoles } from './row-security.js';

export function* ownedBy(context: DdlContext, node: OwnedBy): DdlExecution {
  const roles = node.roles.map((role) => roleOf(context, role));
  const actor = currentRole(context);
  for (const role of roles) {
    if (!mayActAs(context.objects, actor, role, context.databaseOid)) {
      const verb = node.kind === 'drop-owned' ? 'drop' : 'reassign';
      throw new PhantomError('42501', `permission denied to ${verb} objects`);
    }
  }
  if (node.kind === 'drop-owned') return yield* dropOwned(context, roles, node.cascade);
  const to = roleOf(context, node.to as NonNullable<OwnedBy['to']>);
  if (!mayActAs(context.objects, actor, to, context.databaseOid))
    throw new PhantomError('42501', 'permission denied to reassign objects');
  for (const object of owned(context, roles)) context.objects.put({ ...object, ownerOid: to.oid });
  yield* reassignLargeObjects(context, new Set(roles.map(({ oid }) => oid)), to.oid);
  return undefined;
}

function owned(context: DdlContext, roles: readonly RoleDescriptor[]): OwnedObject[] {
  const oids = new Set<Oid>(roles.map((role) => role.oid));
  const found: OwnedObject[] = [];
  for (const object of context.objects.objects()) {
    if (object.kind === 'role' || object.kind === 'policy' || object.kind === 'trigger' || object.kind === 'cast')
      continue;
    if (object.kind === 'rule' || !oids.has(object.ownerOid)) continue;
    if (object.kind === 'database' || object.databaseOid === context.databaseOid) found.push(object);
  }
  return found;
}

function* dropOwned(context: DdlContext, roles: readonly RoleDescriptor[], cascade: boolean): DdlExecution {
  const { objects } = context;
  const roots = owned(context, roles).filter(
    (object) =>
      object.kind !== 'database' &&
      object.kind !== 'index' &&
      !(
        object.kind === 'type' &&
        object.definition.kind === 'composite' &&
        object.definition.relationOid !== undefined
      ),
  );
  yield* dropAll(context, roots, cascade);
  const oids = new Set<Oid>(roles.map((role) => role.oid));
  yield* dropOwnedLargeObjects(context, oids);
  const kept = (item: { readonly granteeOid: Oid }): boolean => !oids.has(item.granteeOid);
  for (const object of Array.from(objects.objects())) {
    if (object.kind === 'role') {
      const entries = oids.has(object.oid)
        ? []
        : object.defaultPrivileges?.map((entry) => ({ ...entry, acl: entry.acl.filter(kept) }));
      if (entries !== undefined && object.defaultPrivileges !== undefined)
        objects.put({ ...object, defaultPrivileges: entries });
      continue;
    }
    if (object.kind === 'policy') {
      if (object.databaseOid === context.databaseOid) withoutRoles(context, object, oids);
      continue;
    }
    if (object.kind === 'trigger' || object.kind === 'index' || object.kind === 'statistics') continue;
    if (object.kind === 'extension' || object.kind === 'rule') continue;
    if (object.kind === 'operator' || object.kind === 'cast') continue;
    if (object.kind !== 'database' && object.databaseOid !== context.databaseOid) continue;
    let changed: GrantableObject = object;
    if (changed.acl?.every(kept) === false) changed = { ...changed, acl: changed.acl.filter(kept) };
    if (changed.kind === 'table' && changed.columns.some((column) => column.acl?.every(kept) === false)) {
      const columns = changed.columns.map((column) =>
        column.acl === undefined ? column : { ...column, acl: column.acl.filter(kept) },
      );
      changed = { ...changed, columns };
    }
    if (changed !== object) objects.put(changed);
  }
  return undefined;
}
