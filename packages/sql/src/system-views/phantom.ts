/**
 * The schema `phantom`: what this database has to tell beyond what PostgreSQL's catalogs have a column for. Its relations
 * are always written with the schema (`phantom.tables`): the schema is in no search path, also not as that of a user of
 * the same name.
 */
import type { TableDescriptor } from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import { relationsOf } from './pg-objects.js';
import { PHANTOM_OID, type SystemView, type SystemViewSource, T } from './system-view.js';

function view(oid: number, name: string, columns: SystemView['columns'], rows: SystemView['rows']): SystemView {
  return { oid, schemaOid: PHANTOM_OID, name, columns, rowsEstimate: 100, rows };
}

/** Stored tables of the session's database. */
function* tablesOf(source: SystemViewSource): Iterable<TableDescriptor> {
  for (const relation of relationsOf(source)) if (relation.kind === 'table') yield relation;
}

/** Bytes of a table's indexes, its own rows not counted. */
function indexBytes(source: SystemViewSource, table: TableDescriptor): number {
  let bytes = 0;
  for (const oid of table.indexOids) {
    const index = source.objectsSeen.object(oid);
    if (index?.kind === 'index' && index.space !== table.space)
      bytes += source.storage.estimate(spaceRange(index.space)).bytes;
  }
  return bytes;
}

export const PHANTOM_VIEWS: readonly SystemView[] = [
  view(
    13901,
    'tables',
    [
      ['table_schema', T.name],
      ['table_name', T.name],
      ['engine', T.text],
      ['rows_estimate', T.int8],
      ['table_bytes', T.int8],
      ['index_bytes', T.int8],
    ],
    function* (source) {
      for (const table of tablesOf(source)) {
        const { keys, bytes } = source.storage.estimate(spaceRange(table.space));
        const row = [source.schemaNameOf(table.schemaOid), table.name, table.engine];
        yield [...row, BigInt(keys), BigInt(bytes), BigInt(indexBytes(source, table))];
      }
    },
  ),
];
