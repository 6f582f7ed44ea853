/** GRANT and REVOKE on objects, and ALTER DEFAULT PRIVILEGES. */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type AclItem,
  type ColumnDescriptor,
  type DefaultPrivileges,
  type GrantableObject,
  type LargeObjectDescriptor,
  NameClass,
  type Oid,
  PUBLIC_ROLE,
  PrivilegeLetters,
  type RoleDescriptor,
  type TableDescriptor,
  aclOf,
  effectiveRoles,
  grantableOf,
  isMemberOf,
  ownerPrivileges,
  ownsObject,
} from '@phantom/catalog';
import type { AlterDefaultPrivileges, Grant, ObjectRef, Privilege } from '../text/ast-access.js';
import type { Name } from '../text/ast-leaves.js';
import { type AclChange, changedAcl, commonLetters, withoutLetters } from './access-lists.js';
import type { DdlContext, DdlExecution } from './context.js';
import { typeNamed } from './create-type.js';
import { largeObjectNamed, putLargeObject } from './large-objects.js';
import { lockForChange, relationNamed, schemaNamed } from './names.js';
import { routineNamed } from './routines/routine-names.js';
import { BUILT_IN_RIGHTS, builtInAcl } from './ownership.js';
import { currentRole, roleOf } from './role-names.js';

/** Privileges that make sense for a column. */
const COLUMN_LETTERS = 'arwx';

/** Words of error messages. */
const KIND_WORDS: Readonly<Record<string, string>> = { view: 'table', routine: 'function' };

/** What GRANT ... ON ALL ... IN SCHEMA is about. */
const KINDS_IN_SCHEMA: Readonly<Record<string, readonly string[]>> = {
  sequence: ['sequence'],
  table: ['table', 'view'],
  function: ['function', 'aggregate'],
  procedure: ['procedure'],
  routine: ['function', 'procedure', 'aggregate'],
};

export function* grant(context: DdlContext, node: Grant): DdlExecution {
  if (node.grantedBy !== undefined && roleOf(context, node.grantedBy).oid !== context.roleOid) {
    throw new PhantomError('0A000', 'grantor must be current user');
  }
  const grantees = granteesOf(context, node);
  if (node.object === 'large object') return yield* grantOnLargeObjects(context, node, grantees);
  for (const found of targetsOf(context, node)) {
    const object = (yield* lockForChange(context, found)) as GrantableObject | undefined;
    if (object === undefined) continue;
    const whole = node.privileges.filter((privilege) => privilege.columns.length === 0);
    const columns = node.privileges.filter((privilege) => privilege.columns.length > 0);
    if (whole.length > 0 || columns.length === 0) changeObject(context, node, object, whole, grantees);
    if (columns.length > 0) changeColumns(context, node, object.oid, columns, grantees);
  }
  return undefined;
}

function granteesOf(context: DdlContext, node: Grant): Oid[] {
  return node.roles.map((role) => (role.kind === 'public' ? PUBLIC_ROLE : roleOf(context, role).oid));
}

function targetsOf(context: DdlContext, node: Grant): GrantableObject[] {
  if (node.allInSchemas.length === 0) return node.objects.map((target) => targetOf(context, node, target));
  const wanted = KINDS_IN_SCHEMA[node.object] ?? [];
  const found: GrantableObject[] = [];
  for (const name of node.allInSchemas) {
    for (const object of context.objects.objectsIn(schemaNamed(context, name.text, name.position + 1).oid)) {
      const kind = object.kind === 'routine' ? object.routine : object.kind;
      if (wanted.includes(kind)) found.push(object as GrantableObject);
    }
  }
  return found;
}

function targetOf(context: DdlContext, node: Grant, target: ObjectRef): GrantableObject {
  const [first] = target.name;
  switch (node.object) {
    case 'table':
    case 'sequence': {
      const relation = relationNamed(context, target.name);
      if (relation.kind === 'index') throw new PhantomError('42809', `"${relation.name}" is an index`);
      if (relation.kind === 'virtual') throw new PhantomError('42501', `permission denied for view ${relation.name}`);
      if (node.object === 'sequence' && relation.kind !== 'sequence')
        throw new PhantomError('42809', `"${relation.name}" is not a sequence`);
      return relation;
    }
    case 'schema':
      return schemaNamed(context, (first as Name).text, (first as Name).position + 1);
    case 'database': {
      const oid = context.objects.oidByName(NameClass.Database, 0, (first as Name).text);
      const database = oid === undefined ? undefined : context.objects.object(oid);
      if (database?.kind === 'database') return database;
      throw new PhantomError('3D000', `database "${(first as Name).text}" does not exist`);
    }
    case 'type':
    case 'domain': {
      const name = target.types[0]?.name ?? target.name;
      const type = typeNamed(context, name);
      if (node.object === 'domain' && type.definition.kind !== 'domain')
        throw new PhantomError('42809', `"${type.name}" is not a domain`);
      return type;
    }
    case 'function':
    case 'procedure':
    case 'routine':
      return routineNamed(context, target);
    default:
      throw unsupportedError(`GRANT ON ${node.object.toUpperCase()}`);
  }
}

/** The letters of a list of privileges; 0LP01 for what the kind of object does not know. */
function lettersOf(privileges: readonly Privilege[], known: string, what: string): { letters: string; all: boolean } {
  if (privileges.length === 0 || privileges.some((privilege) => privilege.name === 'all')) {
    return { letters: known, all: true };
  }
  let letters = '';
  for (const { name } of privileges) {
    const letter = PrivilegeLetters[name];
    if (letter === undefined) throw new PhantomError('42601', `unrecognized privilege type "${name}"`);
    if (!known.includes(letter)) {
      throw new PhantomError('0LP01', `invalid privilege type ${name.toUpperCase()} for ${what}`);
    }
    letters += letter;
  }
  return { letters, all: false };
}

function changeObject(
  context: DdlContext,
  node: Grant,
  object: GrantableObject,
  privileges: readonly Privilege[],
  grantees: readonly Oid[],
): void {
  const { letters, all } = lettersOf(privileges, ownerPrivileges(object), KIND_WORDS[object.kind] ?? object.kind);
  const grantor = grantorOf(context, object, object.acl ?? []);
  const allowed = allowedLetters(context, node, object, object.name, letters, all, grantor);
  if (allowed === '') return;
  const change: AclChange = { ...changeOf(node, object.ownerOid, grantees), grantorOid: grantor.oid, letters: allowed };
  const changed = { ...object, acl: changedAcl(aclOf(object), change) };
  const columnLetters = commonLetters(allowed, COLUMN_LETTERS);
  if (node.revoke && changed.kind === 'table' && columnLetters !== '') {
    // Taking a right on the table takes it on every column as well.
    const columns = changed.columns.map((column) =>
      column.acl === undefined
        ? column
        : withAcl(column, changedAcl(column.acl, { ...change, letters: columnLetters })),
    );
    context.objects.put({ ...changed, columns });
    return;
  }
  context.objects.put(changed);
}

/** GRANT ... ON LARGE OBJECT: they are none of the catalog's objects. */
function* grantOnLargeObjects(context: DdlContext, node: Grant, grantees: readonly Oid[]): DdlExecution {
  if (node.privileges.some(({ columns }) => columns.length > 0))
    throw new PhantomError('0LP01', 'column privileges are only valid for relations');
  for (const target of node.objects) {
    const object = yield* largeObjectNamed(context, target);
    const { letters, all } = lettersOf(node.privileges, ownerPrivileges(object), object.kind);
    const grantor = grantorOf(context, object, object.acl ?? []);
    const allowed = allowedLetters(context, node, object, `large object ${object.oid}`, letters, all, grantor);
    if (allowed === '') continue;
    const change = { ...changeOf(node, object.ownerOid, grantees), grantorOid: grantor.oid, letters: allowed };
    putLargeObject(context, { ...object, acl: changedAcl(aclOf(object), change) });
  }
  return undefined;
}

function changeOf(node: Grant, ownerOid: Oid, grantees: readonly Oid[]): Omit<AclChange, 'grantorOid' | 'letters'> {
  return { revoke: node.revoke, grantees, grantOption: node.grantOption, cascade: node.cascade, ownerOid };
}

function withAcl(column: ColumnDescriptor, acl: readonly AclItem[]): ColumnDescriptor {
  if (acl.length > 0) return { ...column, acl };
  const { acl: _empty, ...rest } = column;
  return rest;
}

/** As whom the current role grants: the owner when it may act as him, else whichever of its roles has most to give. */
function grantorOf(
  context: DdlContext,
  object: GrantableObject | LargeObjectDescriptor,
  acl: readonly AclItem[],
): { readonly oid: Oid; readonly options: string } {
  if (ownsObject(context.objects, context.roleOid, object)) {
    return { oid: object.ownerOid, options: ownerPrivileges(object) };
  }
  let best = { oid: context.roleOid, options: '' };
  for (const oid of effectiveRoles(context.objects, context.roleOid, context.databaseOid)) {
    const options = acl.filter((item) => item.granteeOid === oid).flatMap((item) => [...item.grantable]);
    if (options.length > best.options.length) best = { oid, options: options.join('') };
  }
  return best;
}

/** What of the wanted letters the grantor has to give; says so when it is less. 42501 when it knows nothing of the object. */
function allowedLetters(
  context: DdlContext,
  node: Grant,
  object: GrantableObject | LargeObjectDescriptor,
  name: string,
  letters: string,
  all: boolean,
  grantor: { readonly options: string },
): string {
  const allowed = commonLetters(letters, grantor.options);
  if (grantor.options === '' && !knowsObject(context, object)) {
    throw new PhantomError(
      '42501',
      `permission denied for ${object.kind === 'routine' ? object.routine : object.kind} ${object.name}`,
    );
  }
  if (allowed === '') {
    if (node.revoke) context.notice('WARNING', '01006', `no privileges could be revoked for "${name}"`);
    else context.notice('WARNING', '01007', `no privileges were granted for "${name}"`);
  } else if (!all && withoutLetters(letters, allowed) !== '') {
    if (node.revoke) context.notice('WARNING', '01006', `not all privileges could be revoked for "${name}"`);
    else context.notice('WARNING', '01007', `not all privileges were granted for "${name}"`);
  }
  return allowed;
}

function knowsObject(context: DdlContext, object: GrantableObject | LargeObjectDescriptor): boolean {
  const roles = effectiveRoles(context.objects, context.roleOid, context.databaseOid);
  return aclOf(object).some((item) => item.granteeOid === PUBLIC_ROLE || roles.has(item.granteeOid));
}

function changeColumns(
  context: DdlContext,
  node: Grant,
  oid: Oid,
  privileges: readonly Privilege[],
  grantees: readonly Oid[],
): void {
  const object = context.objects.object(oid) as GrantableObject;
  if (object.kind !== 'table' && object.kind !== 'view') {
    throw new PhantomError('0LP01', 'column privileges are only valid for relations');
  }
  const wanted = new Map<string, { letters: string; all: boolean }>();
  for (const privilege of privileges) {
    const { letters, all } = lettersOf([privilege], COLUMN_LETTERS, 'column');
    for (const { text: name } of privilege.columns) {
      const known = object.columns.some((column) => column.name === name);
      if (!known) throw new PhantomError('42703', `column "${name}" of relation "${object.name}" does not exist`);
      const before = wanted.get(name);
      wanted.set(name, { letters: (before?.letters ?? '') + letters, all: all || before?.all === true });
    }
  }
  const changed = (column: TableDescriptor['columns'][number]): ColumnDescriptor => {
    const want = wanted.get(column.name);
    if (want === undefined) return column;
    const whole = grantableOf(context.objects, context.roleOid, object);
    const grantor = grantorOf(context, object, [...(object.acl ?? []), ...(column.acl ?? [])]);
    const options = { ...grantor, options: grantor.options + whole };
    const allowed = allowedLetters(context, node, object, column.name, want.letters, want.all, options);
    if (allowed === '') return column;
    const change = { ...changeOf(node, object.ownerOid, grantees), grantorOid: grantor.oid, letters: allowed };
    return withAcl(column, changedAcl(column.acl ?? [], change));
  };
  if (object.kind === 'table') context.objects.put({ ...object, columns: object.columns.map(changed) });
  else context.objects.put({ ...object, columns: object.columns.map((column) => changed(column as ColumnDescriptor)) });
}

// -------------------------------------------------------------------------------------------------- default privileges

/** What new objects of these kinds begin with; the words of GRANT. */
const DEFAULT_KINDS: Readonly<Record<string, DefaultPrivileges['object']>> = {
  table: 'table',
  sequence: 'sequence',
  function: 'function',
  routine: 'function',
  type: 'type',
  schema: 'schema',
};

export function* alterDefaultPrivileges(context: DdlContext, node: AlterDefaultPrivileges): DdlExecution {
  const object = DEFAULT_KINDS[node.grant.object];
  if (object === undefined) throw unsupportedError(`default privileges for ${node.grant.object}s`);
  const roles =
    node.forRoles.length === 0 ? [currentRole(context)] : node.forRoles.map((role) => roleOf(context, role));
  if (object === 'schema' && node.inSchemas.length > 0) {
    throw new PhantomError('0LP01', 'cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS');
  }
  const schemas = node.inSchemas.map((name) => schemaNamed(context, name.text, name.position + 1).oid);
  const { letters } = lettersOf(node.grant.privileges, BUILT_IN_RIGHTS[object].owner, object);
  for (const found of roles) {
    const actor = currentRole(context);
    if (
      !actor.superuser &&
      actor.oid !== found.oid &&
      !isMemberOf(context.objects, actor, found.oid, context.databaseOid)
    ) {
      throw new PhantomError('42501', 'permission denied to change default privileges');
    }
    const role = (yield* lockForChange(context, found)) as RoleDescriptor;
    let entries = role.defaultPrivileges ?? [];
    for (const schemaOid of schemas.length === 0 ? [0] : schemas) {
      const same = (entry: DefaultPrivileges): boolean =>
        entry.databaseOid === context.databaseOid && entry.schemaOid === schemaOid && entry.object === object;
      const before = entries.find(same)?.acl ?? (schemaOid === 0 ? builtInAcl(object, role.oid) : []);
      const acl = changedAcl(before, {
        ...changeOf(node.grant, role.oid, granteesOf(context, node.grant)),
        grantorOid: role.oid,
        letters,
      });
      const others = entries.filter((entry) => !same(entry));
      const isDefault = schemaOid === 0 ? sameAcl(acl, builtInAcl(object, role.oid)) : acl.length === 0;
      entries = isDefault ? others : [...others, { databaseOid: context.databaseOid, schemaOid, object, acl }];
    }
    context.objects.put({ ...role, defaultPrivileges: entries });
  }
  return undefined;
}

function sameAcl(a: readonly AclItem[], b: readonly AclItem[]): boolean {
  const text = (acl: readonly AclItem[]): string =>
    acl
      .map((item) => `${item.granteeOid}/${item.grantorOid}/${item.privileges}/${item.grantable}`)
      .toSorted()
      .join(',');
  return text(a) === text(b);
}
