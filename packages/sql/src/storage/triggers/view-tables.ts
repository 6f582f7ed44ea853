/** Views that triggers write to, as tables: their columns, and nothing that is kept. */
import type { ColumnDescriptor, TableDescriptor, ViewDescriptor } from '@phantom/catalog';

const tables = new WeakMap<ViewDescriptor, TableDescriptor>();
const known = new WeakSet<TableDescriptor>();

/** The view as a table; the same object for the same descriptor. */
export function viewTable(view: ViewDescriptor): TableDescriptor {
  let table = tables.get(view);
  if (table === undefined) {
    tables.set(view, (table = made(view)));
    known.add(table);
  }
  return table;
}

/** True for what viewTable has made. */
export function isViewTable(table: TableDescriptor): boolean {
  return known.has(table);
}

function made(view: ViewDescriptor): TableDescriptor {
  const { oid, name, databaseOid, schemaOid, ownerOid, rowTypeOid, triggerOids = [] } = view;
  const columns = view.columns.map((column, i): ColumnDescriptor => ({
    number: i + 1,
    name: column.name,
    type: column.type,
    notNull: false,
    dropped: false,
    sinceVersion: 1,
    ...(column.defaultSql === undefined ? {} : { defaultSql: column.defaultSql }),
  }));
  return {
    kind: 'table',
    oid,
    name,
    databaseOid,
    schemaOid,
    ownerOid,
    rowTypeOid,
    triggerOids,
    columns,
    persistence: 'permanent',
    engine: 'memory',
    space: 0,
    layoutVersion: 1,
    constraints: [],
    indexOids: [],
    keyColumns: [],
    schemaVersion: 0,
  };
}
