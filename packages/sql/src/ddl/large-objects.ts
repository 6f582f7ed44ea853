/** Definitions about large objects: rights, owners, comments, and what becomes of them with roles and databases. */
import { PhantomError } from '@phantom/base';
import { type LargeObjectDescriptor, type Oid, type RoleDescriptor, aclOf } from '@phantom/catalog';
import { LockStrength } from '@phantom/mvcc';
import { LargeObjects, listLargeObjects, noLargeObject } from '../large-objects/large-objects.js';
import type { Yielded } from '../exec/runtime.js';
import type { ObjectRef } from '../text/ast-access.js';
import type { DdlContext } from './context.js';
import { requireOwner } from './names.js';
import { withOwner } from './ownership.js';

type Step<T> = Generator<Yielded, T, void>;

function largeObjects({ transaction, catalog, databaseOid }: DdlContext): LargeObjects {
  return new LargeObjects(transaction, catalog.keys.largeObjectSpace, databaseOid);
}

/** The number that a definition names an object by; 22P02 and 22003 for what is none. */
function numberOf({ name }: ObjectRef): Oid {
  const text = name[0]?.text ?? '';
  const number = Number(text);
  if (Number.isInteger(number) && number >= -0x8000_0000 && number <= 0xffff_ffff) return number >>> 0;
  throw new PhantomError('22003', `value "${text}" is out of range for type oid`);
}

/** An object that a definition names, taken for the transaction; 42704 where there is none. */
export function* largeObjectNamed(context: DdlContext, target: ObjectRef): Step<LargeObjectDescriptor> {
  return yield* taken(context, numberOf(target));
}

function* taken(context: DdlContext, oid: Oid): Step<LargeObjectDescriptor> {
  const objects = largeObjects(context);
  for (let wait = objects.lock(oid, LockStrength.Update); wait !== undefined;) {
    yield wait;
    wait = objects.lock(oid, LockStrength.Update);
  }
  const object = objects.findNewest(oid);
  if (object === undefined) throw noLargeObject(oid);
  return object;
}

/** Stores what a definition has made of an object that is taken. */
export function putLargeObject(context: DdlContext, object: LargeObjectDescriptor): void {
  largeObjects(context).put(object);
}

/** COMMENT ON LARGE OBJECT. */
export function* commentLargeObject(context: DdlContext, target: ObjectRef, text: string | undefined): Step<undefined> {
  const object = yield* largeObjectNamed(context, target);
  requireOwner(context, object);
  const { comment: _old, ...rest } = object;
  putLargeObject(context, text === undefined ? rest : { ...rest, comment: text });
  return undefined;
}

/** REASSIGN OWNED: the large objects of the roles in this database. */
export function* reassignLargeObjects(context: DdlContext, roles: ReadonlySet<Oid>, ownerOid: Oid): Step<void> {
  for (const { oid } of listed(context).filter((object) => roles.has(object.ownerOid)))
    putLargeObject(context, withOwner(yield* taken(context, oid), ownerOid));
}

/** DROP OWNED: the large objects of the roles in this database, and their rights on those of others. */
export function* dropOwnedLargeObjects(context: DdlContext, roles: ReadonlySet<Oid>): Step<void> {
  for (const { oid, ownerOid, acl } of listed(context)) {
    if (roles.has(ownerOid)) {
      yield* taken(context, oid);
      largeObjects(context).remove(oid);
    } else if (acl?.some(({ granteeOid }) => roles.has(granteeOid)) === true) {
      const object = yield* taken(context, oid);
      putLargeObject(context, { ...object, acl: aclOf(object).filter(({ granteeOid }) => !roles.has(granteeOid)) });
    }
  }
}

/** What keeps a role from being dropped, in PostgreSQL's words; objects of other databases are not named. */
export function* largeObjectsOfRole(context: DdlContext, role: RoleDescriptor): Iterable<string> {
  const { transaction, catalog } = context;
  let elsewhere = 0;
  for (const object of listLargeObjects(transaction, catalog.keys.largeObjectSpace)) {
    const owns = object.ownerOid === role.oid;
    if (!owns && object.acl?.some(({ granteeOid }) => granteeOid === role.oid) !== true) continue;
    if (object.databaseOid !== context.databaseOid) elsewhere++;
    else yield `${owns ? 'owner of' : 'privileges for'} large object ${object.oid}`;
  }
  if (elsewhere > 0) yield `${elsewhere} ${elsewhere === 1 ? 'large object' : 'large objects'} in other databases`;
}

/** The large objects of this database, as the statement sees them. */
function listed({ transaction, catalog, databaseOid }: DdlContext): LargeObjectDescriptor[] {
  return [...listLargeObjects(transaction, catalog.keys.largeObjectSpace, databaseOid)];
}
