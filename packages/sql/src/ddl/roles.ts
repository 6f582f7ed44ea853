/** CREATE, ALTER and DROP ROLE; membership; settings of roles and databases. */
import { PhantomError } from '@phantom/base';
import {
  type DatabaseDescriptor,
  NameClass,
  PredefinedRole,
  predefinedRole,
  type ObjectDescriptor,
  type RoleDescriptor,
  isMemberOf,
} from '@phantom/catalog';
import { settingText } from '../session/setting-forms.js';
import { readSetting, refuseSetting } from '../session/settings.js';
import type {
  AlterGroup,
  AlterRole,
  CreateRole,
  GrantRole,
  RoleOption,
  RoleSpecification,
} from '../text/ast-access.js';
import type { Drop } from '../text/ast-schema.js';
import type { AlterSetting } from '../text/ast-session.js';
import type { DdlContext, DdlExecution } from './context.js';
import { claimName, lockForChange, lockFound } from './names.js';
import { largeObjectsOfRole } from './large-objects.js';
import { passwordVerifier } from './password.js';
import { currentRole, findRole, roleNamed, roleOf } from './role-names.js';

export function* createRole(context: DdlContext, node: CreateRole): DdlExecution {
  const name = newRoleName(node.name);
  const creator = currentRole(context);
  if (!creator.superuser && !creator.createRole) throw new PhantomError('42501', 'permission denied to create role');
  const existing = yield* claimName(context, NameClass.Role, 0, name);
  if (existing !== undefined) throw new PhantomError('42710', `role "${name}" already exists`);
  const empty: RoleDescriptor = {
    kind: 'role',
    oid: context.catalog.allocateOid(),
    name,
    superuser: false,
    login: node.spelling === 'user',
    createDatabase: false,
    createRole: false,
    inherit: true,
    bypassRowSecurity: false,
    memberOf: [],
  };
  const role = withOptions(context, empty, node.options, 'create');
  context.objects.put(role);
  for (const option of node.options) {
    if (!Array.isArray(option.value)) continue;
    const others = (option.value as readonly RoleSpecification[]).map((other) => roleOf(context, other));
    for (const other of others) {
      const now = context.objects.object(role.oid) as RoleDescriptor;
      if (option.name === 'in-role') addMember(context, other, now, false);
      else addMember(context, now, other, option.name === 'admin');
    }
  }
  return undefined;
}

/** 42939: what a predefined role is, is not for users to say. */
export function refusePredefined({ name, oid }: RoleDescriptor): void {
  if (predefinedRole(oid) === undefined) return;
  throw new PhantomError('42939', `role name "${name}" is reserved`, {
    detail: 'Cannot alter reserved roles.',
  });
}

/** 42939 for names that stand for something else. */
function newRoleName(specification: RoleSpecification): string {
  const name = specification.name?.text;
  if (name === undefined || name === 'public' || name === 'none') {
    throw new PhantomError('42939', `role name "${name ?? specification.kind.replace('-', '_')}" is reserved`);
  }
  if (name.startsWith('pg_')) {
    throw new PhantomError('42939', `role name "${name}" is reserved`, {
      detail: 'Role names starting with "pg_" are reserved.',
    });
  }
  return name;
}

/** Only superusers may hand out what only superusers have. */
const SUPERUSER_OPTIONS: Readonly<Record<string, string>> = {
  superuser: 'superusers',
  replication: 'replication users',
  bypassrls: 'bypassrls users',
};

function withOptions(
  context: DdlContext,
  role: RoleDescriptor,
  options: readonly RoleOption[],
  verb: 'create' | 'alter',
): RoleDescriptor {
  const creator = currentRole(context);
  const seen = new Set<string>();
  let changed = role;
  for (const { name, value } of options) {
    if (seen.has(name)) throw new PhantomError('42601', 'conflicting or redundant options');
    seen.add(name);
    const special = SUPERUSER_OPTIONS[name];
    if (special !== undefined && value === true && !creator.superuser) {
      throw new PhantomError('42501', `must be superuser to ${verb} ${special}`);
    }
    changed = withOption(changed, name, value);
  }
  return changed;
}

function withOption(role: RoleDescriptor, name: RoleOption['name'], value: RoleOption['value']): RoleDescriptor {
  const on = value === true;
  switch (name) {
    case 'superuser':
      return { ...role, superuser: on };
    case 'createdb':
      return { ...role, createDatabase: on };
    case 'createrole':
      return { ...role, createRole: on };
    case 'inherit':
      return { ...role, inherit: on };
    case 'login':
      return { ...role, login: on };
    case 'replication':
      return { ...role, replication: on };
    case 'bypassrls':
      return { ...role, bypassRowSecurity: on };
    case 'connection-limit': {
      const limit = Number(value);
      if (limit < -1) throw new PhantomError('22023', `invalid connection limit: ${limit}`);
      const { connectionLimit: _old, ...rest } = role;
      return limit === -1 ? rest : { ...rest, connectionLimit: limit };
    }
    case 'password': {
      const { passwordVerifier: _old, ...rest } = role;
      return value === null || value === '' ? rest : { ...rest, passwordVerifier: passwordVerifier(String(value)) };
    }
    case 'valid-until':
      return { ...role, validUntil: String(value) };
    default:
      return role;
  }
}

export function* alterRole(context: DdlContext, node: AlterRole): DdlExecution {
  const role = yield* lockFound(context, () => roleOf(context, node.role));
  refusePredefined(role);
  const self = node.options.every((option) => option.name === 'password') && role.oid === context.roleOid;
  if (!self) requireRoleAdministration(context, role, 'permission denied');
  const changed = withOptions(context, role, node.options, 'alter');
  if (role.oid === 10 && !changed.superuser) {
    throw new PhantomError('55006', 'the first superuser must keep the SUPERUSER attribute');
  }
  context.objects.put(changed);
  for (const option of node.options) {
    if (!Array.isArray(option.value)) continue;
    for (const member of option.value as readonly RoleSpecification[]) {
      addMember(
        context,
        context.objects.object(role.oid) as RoleDescriptor,
        roleOf(context, member),
        option.name === 'admin',
      );
    }
  }
  return undefined;
}

/** Superusers administer every role, those with CREATEROLE every other that is no superuser. */
export function requireRoleAdministration(context: DdlContext, role: RoleDescriptor, message: string): void {
  const actor = currentRole(context);
  if (actor.superuser) return;
  if (role.superuser)
    throw new PhantomError('42501', 'must be superuser to alter superuser roles or change superuser attribute');
  if (!actor.createRole) throw new PhantomError('42501', message);
}

export function* alterGroup(context: DdlContext, node: AlterGroup): DdlExecution {
  const group = roleOf(context, node.group);
  for (const specification of node.members) {
    const member = yield* lockFound(context, () => roleOf(context, specification));
    requireAdmin(context, group);
    if (node.action === 'add') addMember(context, group, member, false);
    else removeMember(context, group, member, false);
  }
  return undefined;
}

export function* grantRole(context: DdlContext, node: GrantRole): DdlExecution {
  for (const name of node.granted) {
    const granted = roleNamed(context, name.text);
    requireAdmin(context, granted);
    for (const specification of node.roles) {
      const member = yield* lockFound(context, () => roleOf(context, specification));
      if (node.revoke) removeMember(context, granted, member, node.adminOption);
      else addMember(context, granted, member, node.adminOption);
    }
  }
  return undefined;
}

function requireAdmin(context: DdlContext, granted: RoleDescriptor): void {
  const actor = currentRole(context);
  if (actor.superuser) return;
  if (granted.superuser) throw new PhantomError('42501', 'must be superuser to alter superusers');
  if (actor.createRole) return;
  const admin = actor.memberOf.some((membership) => membership.roleOid === granted.oid && membership.admin);
  if (!admin) throw new PhantomError('42501', `must have admin option on role "${granted.name}"`);
}

function addMember(context: DdlContext, granted: RoleDescriptor, member: RoleDescriptor, admin: boolean): void {
  if (granted.oid === PredefinedRole.DatabaseOwner)
    throw new PhantomError('0LP01', `role "${granted.name}" cannot have explicit members`);
  if (member.oid === PredefinedRole.DatabaseOwner)
    throw new PhantomError('0LP01', `role "${member.name}" cannot be a member of any role`);
  if (granted.oid === member.oid || isMemberOf(context.objects, granted, member.oid, undefined)) {
    throw new PhantomError('0LP01', `role "${granted.name}" is a member of role "${member.name}"`);
  }
  const existing = member.memberOf.find((membership) => membership.roleOid === granted.oid);
  if (existing !== undefined && (existing.admin || !admin)) {
    context.notice('NOTICE', '00000', `role "${member.name}" is already a member of role "${granted.name}"`);
    return;
  }
  const others = member.memberOf.filter((membership) => membership !== existing);
  const membership = { roleOid: granted.oid, admin, grantorOid: context.roleOid };
  context.objects.put({ ...member, memberOf: [...others, membership] });
}

function removeMember(context: DdlContext, granted: RoleDescriptor, member: RoleDescriptor, adminOnly: boolean): void {
  const existing = member.memberOf.find((membership) => membership.roleOid === granted.oid);
  if (existing === undefined) {
    context.notice('WARNING', '01000', `role "${member.name}" is not a member of role "${granted.name}"`);
    return;
  }
  const others = member.memberOf.filter((membership) => membership !== existing);
  context.objects.put({ ...member, memberOf: adminOnly ? [...others, { ...existing, admin: false }] : others });
}

export function* dropRoles(context: DdlContext, node: Drop): DdlExecution {
  const actor = currentRole(context);
  if (!actor.superuser && !actor.createRole) throw new PhantomError('42501', 'permission denied to drop role');
  const going: RoleDescriptor[] = [];
  for (const target of node.objects) {
    const name = target.name[0]?.text as string;
    const role = findRole(context, name);
    if (role === undefined) {
      if (!node.ifExists) throw new PhantomError('42704', `role "${name}" does not exist`);
      context.notice('NOTICE', '00000', `role "${name}" does not exist, skipping`);
      continue;
    }
    if (role.oid === context.roleOid) throw new PhantomError('55006', 'current user cannot be dropped');
    if (role.oid === context.sessionRoleOid) throw new PhantomError('55006', 'session user cannot be dropped');
    if (predefinedRole(role.oid) !== undefined) {
      const message = `cannot drop role ${role.name} because it is required by the database system`;
      throw new PhantomError('2BP01', message);
    }
    if (role.superuser && !actor.superuser) throw new PhantomError('42501', 'must be superuser to drop superusers');
    yield* lockForChange(context, role);
    going.push(role);
  }
  for (const role of going) {
    const dependents = [...dependentsOfRole(context, role), ...largeObjectsOfRole(context, role)];
    if (dependents.length > 0) {
      throw new PhantomError('2BP01', `role "${role.name}" cannot be dropped because some objects depend on it`, {
        detail: dependents.join('\n'),
      });
    }
    for (const object of Array.from(context.objects.objects())) {
      if (object.kind === 'role' && object.memberOf.some((membership) => membership.roleOid === role.oid)) {
        const memberOf = object.memberOf.filter((membership) => membership.roleOid !== role.oid);
        context.objects.put({ ...object, memberOf });
      }
    }
    context.objects.remove(role.oid);
  }
  return undefined;
}

/** What hangs on a role: owned objects and rights, in PostgreSQL's words. */
function* dependentsOfRole(context: DdlContext, role: RoleDescriptor): Iterable<string> {
  for (const object of context.objects.objects()) {
    if (object.kind === 'role') {
      if (object.defaultPrivileges?.some((entry) => entry.acl.some((item) => item.granteeOid === role.oid)) === true)
        yield `privileges for default privileges belonging to role ${object.name}`;
      continue;
    }
    if (object.kind === 'policy') {
      if (object.roleOids.includes(role.oid))
        yield `target of policy ${object.name} on table ${context.objects.object(object.tableOid)?.name}`;
      continue;
    }
    if (object.kind === 'trigger' || object.kind === 'rule' || object.kind === 'cast' || isInternal(object)) continue;
    if (object.ownerOid === role.oid) yield `owner of ${object.kind} ${object.name}`;
    else if (
      object.kind !== 'index' &&
      object.kind !== 'operator' &&
      object.acl?.some((item) => item.granteeOid === role.oid) === true
    )
      yield `privileges for ${object.kind} ${object.name}`;
    if (object.kind !== 'table') continue;
    for (const column of object.columns) {
      if (column.acl?.some((item) => item.granteeOid === role.oid) === true)
        yield `privileges for column ${column.name} of table ${object.name}`;
    }
  }
  if ((role.defaultPrivileges?.length ?? 0) > 0) yield `owner of default privileges`;
}

function isInternal(object: ObjectDescriptor): boolean {
  if (object.kind === 'index') return true;
  return (
    object.kind === 'type' && object.definition.kind === 'composite' && object.definition.relationOid !== undefined
  );
}

/** ALTER ROLE ... SET and ALTER DATABASE ... SET: defaults of sessions to come. */
export function* alterSetting(context: DdlContext, node: AlterSetting): DdlExecution {
  const { target, setting } = node;
  if (target === undefined) {
    throw new PhantomError('0A000', 'ALTER SYSTEM is not supported', {
      hint: 'Use ALTER DATABASE ... SET, ALTER ROLE ... SET, or the options of the daemon.',
    });
  }
  if (target.object === 'database') {
    const database = yield* lockFound(context, () => ownDatabase(context, target.name[0]?.text as string));
    context.objects.put({ ...database, settings: changedSettings(context, database.settings, setting) });
    return undefined;
  }
  if (target.object !== 'role')
    throw new PhantomError('0A000', `ALTER ${target.object.toUpperCase()} ... SET is not supported`);
  const name = target.name[0]?.text;
  if (name === undefined) throw new PhantomError('0A000', 'ALTER ROLE ALL ... SET is not supported');
  const role = yield* lockFound(context, () => roleNamed(context, name));
  if (role.oid !== context.roleOid) requireRoleAdministration(context, role, 'permission denied');
  if (node.inDatabase === undefined) {
    context.objects.put({ ...role, settings: changedSettings(context, role.settings, setting) });
    return undefined;
  }
  const inDatabase = node.inDatabase.text;
  const database = yield* lockFound(context, () => ownDatabase(context, inDatabase));
  const before = role.databaseSettings?.[String(database.oid)];
  context.objects.put({
    ...role,
    databaseSettings: { ...role.databaseSettings, [String(database.oid)]: changedSettings(context, before, setting) },
  });
  return undefined;
}

/** The database of a name; 3D000 when there is none. */
export function databaseNamed(context: DdlContext, name: string): DatabaseDescriptor {
  const oid = context.objects.oidByName(NameClass.Database, 0, name);
  const database = oid === undefined ? undefined : context.objects.object(oid);
  if (database?.kind !== 'database') throw new PhantomError('3D000', `database "${name}" does not exist`);
  return database;
}

function ownDatabase(context: DdlContext, name: string): DatabaseDescriptor {
  const database = databaseNamed(context, name);
  const actor = currentRole(context);
  if (!actor.superuser && database.ownerOid !== actor.oid)
    throw new PhantomError('42501', `must be owner of database ${name}`);
  return database;
}

function changedSettings(
  context: DdlContext,
  settings: Readonly<Record<string, string>> | undefined,
  setting: AlterSetting['setting'],
): Readonly<Record<string, string>> {
  if (setting.kind === 'reset' && setting.name === undefined) return {};
  const name = setting.name as string;
  refuseSetting(name, currentRole(context).superuser);
  const { [name]: _old, ...rest } = settings ?? {};
  if (setting.kind === 'reset' || setting.value.kind !== 'values') return rest;
  return { ...rest, [name]: readSetting(name, settingText(name, setting.value.values)) };
}
