/**
 * The row type that every table and view brings along, and that goes and is renamed with it; and what columns, fields and
 * domains owe to user-defined types: a dependency each, so that a type in use is not dropped.
 */
import { PhantomError } from '@phantom/base';
import {
  FIRST_USER_OID,
  NameClass,
  type Oid,
  type TableDescriptor,
  type TypeDescriptor,
  type TypeRef,
  type ViewDescriptor,
  hasPrivilege,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { DdlContext } from './context.js';
import { claimName } from './names.js';

/** Puts (or replaces) the composite type of a relation's rows, and what its columns depend on. */
export function putRowType(context: DdlContext, relation: TableDescriptor | ViewDescriptor): void {
  const before = context.objects.object(relation.rowTypeOid);
  const fields = relation.kind === 'table' ? relation.columns.filter((column) => !column.dropped) : relation.columns;
  const type: TypeDescriptor = {
    kind: 'type',
    oid: relation.rowTypeOid,
    name: relation.name,
    databaseOid: relation.databaseOid,
    schemaOid: relation.schemaOid,
    ownerOid: relation.ownerOid,
    arrayOid: before?.kind === 'type' ? before.arrayOid : context.catalog.allocateOid(),
    definition: {
      kind: 'composite',
      fields: fields.map(({ name, type: fieldType }) => ({ name, type: fieldType })),
      relationOid: relation.oid,
    },
  };
  context.objects.put(type);
  const columns = relation.columns.map((column, i) => ({
    column: 'number' in column ? column.number : i + 1,
    type: column.type,
    dropped: 'dropped' in column && column.dropped,
  }));
  dependOnTypes(
    context,
    relation.oid,
    columns.filter((column) => !column.dropped),
  );
}

/** Records which user-defined types an object's parts are of; what was recorded before is forgotten. */
export function dependOnTypes(
  context: DdlContext,
  dependentOid: Oid,
  parts: readonly { readonly column: number; readonly type: TypeRef }[],
): void {
  const { objects } = context;
  for (const dependency of Array.from(objects.dependenciesOf(dependentOid))) {
    if (objects.object(dependency.referencedOid)?.kind === 'type') objects.removeDependency(dependency);
  }
  for (const { column, type } of parts) {
    const referencedOid = userTypeOf(context, type.oid);
    if (referencedOid === undefined) continue;
    objects.addDependency({
      dependentOid,
      dependentColumn: column,
      referencedOid,
      referencedColumn: 0,
      strength: 'normal',
    });
  }
}

/** The user-defined type that a type is, or is an array of; undefined for built-in ones. */
export function userTypeOf(context: DdlContext, oid: Oid): Oid | undefined {
  if (oid < FIRST_USER_OID) return undefined;
  const type = context.picture.types.byOid(oid);
  return type?.kind === 'array' ? userTypeOf(context, type.elementOid) : oid;
}

/** 42501 unless the current role may use the type. */
export function requireTypeUsage(context: DdlContext, type: TypeRef): void {
  const oid = userTypeOf(context, type.oid);
  const object = oid === undefined ? undefined : context.objects.object(oid);
  if (object === undefined || hasPrivilege(context.objects, context.roleOid, object, 'U')) return;
  throw new PhantomError('42501', `permission denied for type ${object.name}`);
}

/** Takes the name of a type; 42710 when another type has it already. */
export function* claimTypeName(
  context: DdlContext,
  schemaOid: Oid,
  name: string,
  ofRelation = false,
): Generator<Yielded, void, void> {
  const existing = yield* claimName(context, NameClass.Type, schemaOid, name);
  if (existing === undefined) return;
  throw new PhantomError('42710', `type "${name}" already exists`, {
    hint: ofRelation
      ? "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type."
      : undefined,
  });
}

/** Every table with a column of the type, of an array, domain or row over it: its descriptors are made anew. */
export function renewUsers(context: DdlContext, typeOid: Oid): void {
  const { objects } = context;
  const affected = new Set<Oid>([typeOid]);
  const tables = new Set<Oid>();
  const pending = [typeOid];
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    for (const dependency of objects.dependentsOf(oid)) {
      const dependent = objects.object(dependency.dependentOid);
      if (dependent?.kind === 'table') {
        tables.add(dependent.oid);
        if (!affected.has(dependent.rowTypeOid)) pending.push(dependent.rowTypeOid);
        affected.add(dependent.rowTypeOid);
      } else if (dependent?.kind === 'type' && !affected.has(dependent.oid)) {
        affected.add(dependent.oid);
        pending.push(dependent.oid);
      }
    }
  }
  for (const oid of tables) {
    const table = objects.object(oid);
    if (table?.kind !== 'table') continue;
    for (const indexOid of table.indexOids) {
      const index = objects.object(indexOid);
      if (index?.kind === 'index') objects.put({ ...index });
    }
    objects.put({ ...table, schemaVersion: table.schemaVersion + 1 });
  }
}
