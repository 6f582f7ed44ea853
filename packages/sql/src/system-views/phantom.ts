/**
 * The schema `phantom`: what this database has to tell beyond what PostgreSQL's catalogs have a column for. Its relations
 * are always written with the schema (`phantom.tables`): the schema is in no search path, also not as that of a user of
 * the same name.
 */
import type { TableDescriptor } from '@phantom/catalog';
import { type SpaceId, spaceRange } from '@phantom/kv';
import { relationsOf } from './pg-objects.js';
import { PHANTOM_OID, type SystemView, type SystemViewSource } from './system-view.js';
import { TypeOid } from '../types/type-oids.js';

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

/** Where a table and its indexes lie. */
function spacesOf(source: SystemViewSource, table: TableDescriptor): SpaceId[] {
  const spaces = new Set<SpaceId>([table.space]);
  for (const oid of table.indexOids) {
    const index = source.objectsSeen.object(oid);
    if (index?.kind === 'index') spaces.add(index.space);
  }
  return [...spaces];
}

export const PHANTOM_VIEWS: readonly SystemView[] = [
  view(
    13920,
    'tables',
    [
      ['table_schema', TypeOid.name],
      ['table_name', TypeOid.name],
      ['engine', TypeOid.text],
      ['rows_estimate', TypeOid.int8],
      ['table_bytes', TypeOid.int8],
      ['index_bytes', TypeOid.int8],
    ],
    function* (source) {
      for (const table of tablesOf(source)) {
        const { keys, bytes } = source.storage.estimate(spaceRange(table.space));
        const row = [source.schemaNameOf(table.schemaOid), table.name, table.engine];
        yield [...row, BigInt(keys), BigInt(bytes), BigInt(indexBytes(source, table))];
      }
    },
  ),
  view(
    13921,
    'engine_advice',
    [
      ['table_schema', TypeOid.name],
      ['table_name', TypeOid.name],
      ['engine', TypeOid.text],
      ['advice', TypeOid.text],
      ['reason', TypeOid.text],
      ['gets', TypeOid.int8],
      ['scans', TypeOid.int8],
      ['writes', TypeOid.int8],
      ['bytes_written', TypeOid.int8],
      ['btree_cost_us', TypeOid.int8],
      ['lsm_cost_us', TypeOid.int8],
      ['btree_write_amplification', TypeOid.float8],
      ['lsm_write_amplification', TypeOid.float8],
    ],
    function* (source) {
      for (const table of tablesOf(source)) {
        const advice = source.storage.advise(spacesOf(source, table));
        if (advice === undefined) continue;
        const counts = [advice.gets, advice.scans, advice.writes, advice.bytesWritten];
        const costs = [advice.btreeCostUs, advice.lsmCostUs];
        yield [
          source.schemaNameOf(table.schemaOid),
          table.name,
          table.engine,
          advice.engine,
          advice.reason,
          ...[...counts, ...costs].map((number) => BigInt(Math.round(number))),
          advice.btreeWriteAmplification,
          advice.lsmWriteAmplification,
        ];
      }
    },
  ),
];
