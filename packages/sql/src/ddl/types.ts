/** The row type that every table and view brings along, and that goes and is renamed with it. */
import type { TableDescriptor, TypeDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { DdlContext } from './context.js';

/** Puts (or replaces) the composite type of a relation's rows. */
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
}
