/**
 * has_..._privilege and pg_has_role. Each has six forms: role by name, by oid or the current one; object by name or oid. They
 * are told apart by how many arguments there are and of which types.
 */
import { PhantomError } from '@phantom/base';
import {
  type ObjectDescriptor,
  type ObjectReader,
  type Oid,
  PUBLIC_ROLE,
  PrivilegeLetters,
  effectiveRoles,
  hasColumnPrivilege,
  hasPrivilege,
  isAdminOf,
  isSuperuser,
  mayActAs,
  ownsObject,
} from '@phantom/catalog';
import { findProcedure } from '../types/reg-object-types.js';
import { regclassNamed } from '../types/reg-types.js';
import type { Value } from '../types/type.js';
import { type Implementations, scalar } from './implementation.js';
import type { EvaluationContext } from './registry.js';

interface PrivilegeCatalog {
  readonly objects: ObjectReader;
  readonly databaseOid: Oid;
  roleOid(name: string): Oid | undefined;
  schemaOid(name: string): Oid | undefined;
  relationByOid(
    oid: Oid,
  ):
    | { readonly kind: string; readonly name: string; readonly columns?: readonly { readonly name: string }[] }
    | undefined;
  typeOfText(text: string): { readonly oid: Oid };
  readonly functions: { functionByOid(oid: Oid): unknown };
}

interface Wanted {
  readonly letter: string;
  readonly grantable: boolean;
}

/** `SELECT, INSERT WITH GRANT OPTION`; 22023 for a right that this kind of object does not have. */
function wantedOf(text: string, allowed: string): Wanted[] {
  return text.split(',').map((part) => {
    const [, name = '', option] = /^\s*([A-Z]+)(\s+WITH\s+GRANT\s+OPTION)?\s*$/i.exec(part) ?? [];
    const letter = PrivilegeLetters[name.toLowerCase()];
    if (letter === undefined || !allowed.includes(letter))
      throw new PhantomError('22023', `unrecognized privilege type: "${part.trim()}"`);
    return { letter, grantable: option !== undefined };
  });
}

function catalogOf(context: EvaluationContext): PrivilegeCatalog {
  return context.catalog as PrivilegeCatalog;
}

function roleNamed(name: string, context: EvaluationContext): Oid {
  if (name === 'public') return PUBLIC_ROLE;
  const oid = catalogOf(context).roleOid(name);
  if (oid === undefined) throw new PhantomError('42704', `role "${name}" does not exist`);
  return oid;
}

function roleOf(value: Value, context: EvaluationContext): Oid {
  return typeof value === 'number' ? value : roleNamed(String(value), context);
}

function has(objects: ObjectReader, role: Oid, object: ObjectDescriptor, { letter, grantable }: Wanted): boolean {
  if (!grantable) return hasPrivilege(objects, role, object, letter);
  if (object.kind === 'role' || object.kind === 'policy' || object.kind === 'trigger') return false;
  if (object.kind === 'operator' || object.kind === 'cast' || object.kind === 'rule') return false;
  if (ownsObject(objects, role, object)) return true;
  const acl = object.kind === 'database' ? [] : (object.acl ?? []);
  const roles = effectiveRoles(objects, role, 'databaseOid' in object ? object.databaseOid : undefined);
  return acl.some((item) => roles.has(item.granteeOid) && item.grantable.includes(letter));
}

/** Splits arguments: the role, or the current one, then `count` others, of which the last is the right. */
function split(
  args: readonly Value[],
  count: number,
): { role: Oid; rest: readonly Value[]; context: EvaluationContext } {
  const context = args.at(-2) as EvaluationContext;
  const values = args.slice(0, -2);
  if (values.length === count) return { role: roleNamed(context.currentUser, context), rest: values, context };
  return { role: roleOf(values[0], context), rest: values.slice(1), context };
}

type Finder = (value: Value, context: EvaluationContext) => ObjectDescriptor | 'system' | undefined;

/** A function over objects that `find` finds; NULL for an oid of nothing, `system` objects are everybody's to read. */
function check(allowed: string, find: Finder): Implementations[string] {
  const call = (...args: Value[]): boolean | null => {
    const { role, rest, context } = split(args, 2);
    const wanted = wantedOf(String(rest[1]), allowed);
    const object = find(rest[0], context);
    if (object === undefined) return null;
    const { objects } = catalogOf(context);
    if (object === 'system') return isSuperuser(objects, role) || wanted.some(({ letter }) => 'rUX'.includes(letter));
    return wanted.some((each) => has(objects, role, object, each));
  };
  return scalar(call as (...args: never[]) => Value, { context: true, types: true });
}

const relation: Finder = (value, context) => {
  const oid = typeof value === 'number' ? value : regclassNamed(String(value), context);
  const catalog = catalogOf(context);
  return catalog.objects.object(oid) ?? (catalog.relationByOid(oid) === undefined ? undefined : 'system');
};

const sequence: Finder = (value, context) => {
  const found = relation(value, context);
  if (found === undefined || found === 'system' || found.kind === 'sequence') return found;
  throw new PhantomError('42809', `"${found.name}" is not a sequence`);
};

const schema: Finder = (value, context) => {
  const catalog = catalogOf(context);
  const oid = typeof value === 'number' ? value : catalog.schemaOid(String(value));
  if (oid === undefined) throw new PhantomError('3F000', `schema "${String(value)}" does not exist`);
  const object = catalog.objects.object(oid);
  if (object !== undefined) return object;
  return ['pg_catalog', 'information_schema', 'phantom'].some((name) => catalog.schemaOid(name) === oid)
    ? 'system'
    : undefined;
};

const database: Finder = (value, context) => {
  const { objects } = catalogOf(context);
  if (typeof value === 'number') return objects.object(value);
  for (const object of objects.objects()) if (object.kind === 'database' && object.name === value) return object;
  throw new PhantomError('3D000', `database "${String(value)}" does not exist`);
};

const type: Finder = (value, context) => {
  const catalog = catalogOf(context);
  const oid = typeof value === 'number' ? value : catalog.typeOfText(String(value)).oid;
  return catalog.objects.object(oid) ?? (context.types.byOid(oid) === undefined ? undefined : 'system');
};

/** False for a number that no column of the system's relation has; 42703 for a name. */
function isSystemColumn([relationName, column]: readonly Value[], context: EvaluationContext): boolean {
  const oid = typeof relationName === 'number' ? relationName : regclassNamed(String(relationName), context);
  const found = catalogOf(context).relationByOid(oid);
  const columns = found?.columns ?? [];
  if (typeof column === 'number') return column >= 1 && column <= columns.length;
  if (columns.some(({ name }) => name === column)) return true;
  throw new PhantomError('42703', `column "${String(column)}" of relation "${found?.name ?? ''}" does not exist`);
}

function columnPrivilege(...args: Value[]): boolean | null {
  const { role, rest, context } = split(args, 3);
  const wanted = wantedOf(String(rest[2]), 'rawx');
  const table = relation(rest[0], context);
  if (table === undefined) return null;
  const [, columnArgument] = rest;
  if (table === 'system') return isSystemColumn(rest, context) ? wanted.some(({ letter }) => letter === 'r') : null;
  if (table.kind !== 'table') return wanted.some((each) => has(catalogOf(context).objects, role, table, each));
  const column = table.columns.find(({ name, number }) => name === columnArgument || number === columnArgument);
  if (column === undefined) {
    if (typeof columnArgument === 'number') return null;
    throw new PhantomError('42703', `column "${String(columnArgument)}" of relation "${table.name}" does not exist`);
  }
  if (column.dropped) return null;
  const { objects } = catalogOf(context);
  return wanted.some(({ letter }) => hasColumnPrivilege(objects, role, table, letter, [column.number]));
}

function anyColumnPrivilege(...args: Value[]): boolean | null {
  const { role, rest, context } = split(args, 2);
  const wanted = wantedOf(String(rest[1]), 'rawx');
  const table = relation(rest[0], context);
  if (table === undefined) return null;
  if (table === 'system') return wanted.some(({ letter }) => letter === 'r');
  const { objects } = catalogOf(context);
  return wanted.some((each) =>
    table.kind === 'table'
      ? hasColumnPrivilege(objects, role, table, each.letter, [])
      : has(objects, role, table, each),
  );
}

/** USAGE: the role's rights are its own by membership; MEMBER: it may act as the role; WITH ADMIN OPTION: and grant it. */
function hasRole(...args: Value[]): boolean | null {
  const { role, rest, context } = split(args, 2);
  const { databaseOid, objects } = catalogOf(context);
  const other = objects.object(roleOf(rest[0], context));
  const own = objects.object(role);
  if (other?.kind !== 'role' || own?.kind !== 'role') return null;
  const right = String(rest[1]).trim().toUpperCase();
  if (/^(USAGE|MEMBER)\s+WITH\s+(ADMIN|GRANT)\s+OPTION$/.test(right))
    return own.superuser || isAdminOf(objects, own, other.oid);
  if (right === 'USAGE') return own.superuser || effectiveRoles(objects, role, databaseOid).has(other.oid);
  if (right === 'MEMBER' || right === 'SET') return mayActAs(objects, own, other, databaseOid);
  throw new PhantomError('22023', `unrecognized privilege type: "${String(rest[1])}"`);
}

function wide(call: (...args: Value[]) => Value): Implementations[string] {
  return scalar(call as (...args: never[]) => Value, { context: true, types: true });
}

const routine: Finder = (value, context) => {
  const oid = typeof value === 'number' ? value : findProcedure(String(value), context);
  if (oid === undefined) throw new PhantomError('42883', `function "${String(value)}" does not exist`);
  const catalog = catalogOf(context);
  return catalog.objects.object(oid) ?? (catalog.functions.functionByOid(oid) === undefined ? undefined : 'system');
};

/** Languages and tablespaces are all built in. */
function builtIn(allowed: string): Implementations[string] {
  return check(allowed, () => 'system');
}

export const privilegeFunctions: Implementations = {
  has_table_privilege: check('rawdDxt', relation),
  has_sequence_privilege: check('rwU', sequence),
  has_schema_privilege: check('UC', schema),
  has_database_privilege: check('CcT', database),
  has_type_privilege: check('U', type),
  has_function_privilege: check('X', routine),
  has_language_privilege: builtIn('U'),
  has_tablespace_privilege: builtIn('C'),
  has_column_privilege: wide(columnPrivilege),
  has_any_column_privilege: wide(anyColumnPrivilege),
  pg_has_role: wide(hasRole),
};
