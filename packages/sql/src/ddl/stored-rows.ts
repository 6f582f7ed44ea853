/**
 * Composite types whose values are stored: a stored value has the fields that its type had when it was written, by place. So a
 * type, or a table by its row type, keeps its fields while a column somewhere is of it; and no type is a part of itself.
 */
import { PhantomError } from '@phantom/base';
import type { Oid, TableDescriptor, TypeDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { StorageType } from '@phantom/codec';
import type { DdlContext } from './context.js';

/** 0A000 while a column is of the composite type. */
export function refuseStoredType(context: DdlContext, type: TypeDescriptor): void {
  const column = columnOfType(context, type.oid, new Set());
  if (column !== undefined)
    throw new PhantomError('0A000', `cannot alter type "${type.name}" because column "${column}" uses it`);
}

/** 0A000 while a column is of the relation's row type. */
export function refuseStoredRows(
  context: DdlContext,
  { kind, name, rowTypeOid }: TableDescriptor | ViewDescriptor,
): void {
  const column = columnOfType(context, rowTypeOid, new Set());
  if (column !== undefined)
    throw new PhantomError('0A000', `cannot alter ${kind} "${name}" because column "${column}" uses its row type`);
}

/** A column of a table whose values hold values of the type: `table.column`. */
function columnOfType(context: DdlContext, typeOid: Oid, seen: Set<Oid>): string | undefined {
  if (seen.has(typeOid)) return undefined;
  seen.add(typeOid);
  for (const dependency of context.objects.dependentsOf(typeOid)) {
    const dependent = context.objects.object(dependency.dependentOid);
    if (dependent?.kind === 'table') {
      const column = dependent.columns.find((candidate) => candidate.number === dependency.dependentColumn);
      return `${dependent.name}.${column?.name ?? ''}`;
    }
    if (dependent?.kind === 'type') {
      const found = columnOfType(context, dependent.oid, seen);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** 42P16 for a field whose values would hold values of the composite type itself. */
export function refuseMember(
  context: DdlContext,
  fieldTypeOid: Oid,
  type: { readonly oid: Oid; readonly name: string },
): void {
  const field = context.picture.types.byOid(fieldTypeOid);
  if (field !== undefined && holdsRecord(field.storage, type.oid))
    throw new PhantomError('42P16', `composite type ${type.name} cannot be made a member of itself`);
}

function holdsRecord({ record, element, range, multirange }: StorageType, typeOid: Oid): boolean {
  const inner = element?.storage ?? range?.bound ?? multirange?.range;
  if (inner !== undefined) return holdsRecord(inner, typeOid);
  if (record === undefined) return false;
  return record.typeOid === typeOid || record.fields.some((field) => holdsRecord(field, typeOid));
}
