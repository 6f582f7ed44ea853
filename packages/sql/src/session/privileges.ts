/** Whether a role may do what a statement asks: 42501 in PostgreSQL's words when it may not. */
import { PhantomError } from '@phantom/base';
import {
  FIRST_USER_OID,
  type ObjectReader,
  type Oid,
  hasColumnPrivilege,
  hasPrivilege,
  isSuperuser,
} from '@phantom/catalog';
import type { RequiredPrivilege } from '../plan/catalog-port.js';

const LETTERS: Readonly<Record<RequiredPrivilege['privilege'], string>> = {
  select: 'r',
  insert: 'a',
  update: 'w',
  delete: 'd',
  truncate: 'D',
  references: 'x',
  trigger: 't',
  usage: 'U',
  execute: 'X',
};

/** Every right that a plan needs, for the role that executes it or for the owner of the view it goes through. */
export function checkRelationPrivileges(
  objects: ObjectReader,
  roleOid: Oid,
  required: readonly RequiredPrivilege[],
): void {
  for (const need of required) {
    const role = need.asRoleOid ?? roleOid;
    if (isSuperuser(objects, role)) continue;
    const object = objects.object(need.relationOid);
    if (object === undefined) {
      // No object of the catalog, or one that is gone since: the system's own are asked for when they are for superusers.
      if (need.relationOid >= FIRST_USER_OID || need.privilege !== 'select') continue;
      throw new PhantomError('42501', `permission denied for table ${need.relationName}`);
    }
    const letter = LETTERS[need.privilege];
    // A statement that names no column of it (count(*)) is content with a right on any one.
    const byColumn = (object.kind === 'table' || object.kind === 'view') && 'raw'.includes(letter);
    const allowed = byColumn
      ? hasColumnPrivilege(objects, role, object, letter, need.columns ?? [])
      : hasPrivilege(objects, role, object, letter);
    if (!allowed) {
      const kind = object.kind === 'routine' ? object.routine : object.kind;
      throw new PhantomError('42501', `permission denied for ${kind} ${need.relationName}`);
    }
  }
}

/** nextval needs USAGE or UPDATE, currval USAGE or SELECT, setval UPDATE. */
export function checkSequenceRight(
  objects: ObjectReader,
  roleOid: Oid,
  oid: Oid,
  privilege: 'usage' | 'select' | 'update',
): void {
  const sequence = objects.object(oid);
  if (sequence?.kind !== 'sequence') throw new PhantomError('42P01', `sequence ${oid} does not exist`);
  const letters = privilege === 'usage' ? 'Uw' : privilege === 'select' ? 'Ur' : 'w';
  for (const letter of letters) if (hasPrivilege(objects, roleOid, sequence, letter)) return;
  throw new PhantomError('42501', `permission denied for sequence ${sequence.name}`);
}
