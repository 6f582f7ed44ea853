/** Roles in definitions: found by name in what the transaction sees, with PostgreSQL's errors when there is none. */
import { PhantomError } from '@phantom/base';
import { NameClass, type RoleDescriptor } from '@phantom/catalog';
import type { RoleSpecification } from '../text/ast-access.js';
import type { DdlContext } from './context.js';

/** The role of a name, or undefined. */
export function findRole(context: DdlContext, name: string): RoleDescriptor | undefined {
  const oid = context.objects.oidByName(NameClass.Role, 0, name);
  const role = oid === undefined ? undefined : context.objects.object(oid);
  return role?.kind === 'role' ? role : undefined;
}

/** As findRole; 42704 when there is none. */
export function roleNamed(context: DdlContext, name: string): RoleDescriptor {
  const role = findRole(context, name);
  if (role === undefined) throw new PhantomError('42704', `role "${name}" does not exist`);
  return role;
}

/** The role that a specification means; 42704 for one that is not there, and for PUBLIC and NONE. */
export function roleOf(context: DdlContext, specification: RoleSpecification): RoleDescriptor {
  switch (specification.kind) {
    case 'role':
      return roleNamed(context, specification.name?.text as string);
    case 'current-user':
    case 'current-role':
      return context.objects.object(context.roleOid) as RoleDescriptor;
    case 'session-user':
      return context.objects.object(context.sessionRoleOid) as RoleDescriptor;
    default:
      throw new PhantomError('42704', `role "${specification.kind}" does not exist`);
  }
}

/** The current role. */
export function currentRole(context: DdlContext): RoleDescriptor {
  return context.objects.object(context.roleOid) as RoleDescriptor;
}
