/** CREATE STATISTICS in the catalogs: pg_statistic_ext and what ANALYZE found, pg_statistic_ext_data. */
import type { StatisticsDescriptor } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { quoteIdentifier } from '../types/reg-types.js';
import { TypeOid } from '../types/type-oids.js';
import { type CatalogRow, catalogView, vector } from './catalog-view.js';
import type { TextCatalog } from './object-text.js';
import type { SystemView, SystemViewSource } from './system-view.js';

const LETTERS = { ndistinct: 'd', dependencies: 'f' } as const;

/** Statistics objects of the session's database. */
export function* statisticsObjectsOf(source: SystemViewSource): Iterable<StatisticsDescriptor> {
  for (const object of source.objectsSeen.objects())
    if (object.kind === 'statistics' && object.databaseOid === source.databaseOid) yield object;
}

/** The columns of a statistics object, as pg_get_statisticsobjdef_columns writes them. */
export function statisticsColumnsText(catalog: TextCatalog, { tableOid, columns }: StatisticsDescriptor): string {
  const table = catalog.objects.object(tableOid);
  if (table?.kind !== 'table') return '';
  const names = columns.map((number) => table.columns.find((column) => column.number === number)?.name ?? '');
  return names.map(quoteIdentifier).join(', ');
}

/** The whole CREATE STATISTICS statement. */
export function statisticsText(catalog: TextCatalog, statistics: StatisticsDescriptor): string {
  const table = catalog.objects.object(statistics.tableOid);
  if (table?.kind !== 'table') return '';
  const name = (schemaOid: number, text: string): string =>
    `${quoteIdentifier(catalog.schemaName(schemaOid))}.${quoteIdentifier(text)}`;
  const kinds = statistics.gathers.join(', ');
  const made = `CREATE STATISTICS ${name(statistics.schemaOid, statistics.name)} (${kinds})`;
  return `${made} ON ${statisticsColumnsText(catalog, statistics)} FROM ${name(table.schemaOid, table.name)}`;
}

function* dataRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, tableOid, columns, gathers } of statisticsObjectsOf(source)) {
    const found = source.statisticsOf(tableOid)?.groups?.find((group) => group.columns.join() === columns.join());
    if (found === undefined) continue;
    const distinct = found.distinct.map(({ columns: set, distinct: count }) => `"${set.join(', ')}": ${count}`);
    const dependencies = found.dependencies.map(
      ({ from, to, degree }) => `"${from.join(', ')} => ${to}": ${degree.toFixed(6)}`,
    );
    yield {
      stxoid: oid,
      stxdinherit: false,
      stxdndistinct: gathers.includes('ndistinct') ? `{${distinct.join(', ')}}` : null,
      stxddependencies: gathers.includes('dependencies') ? `{${dependencies.join(', ')}}` : null,
    };
  }
}

export const STATISTICS_VIEWS: readonly SystemView[] = [
  catalogView('pg_statistic_ext', function* (source): Iterable<CatalogRow> {
    for (const statistics of statisticsObjectsOf(source)) {
      yield {
        oid: statistics.oid,
        stxrelid: statistics.tableOid,
        stxname: statistics.name,
        stxnamespace: statistics.schemaOid,
        stxowner: statistics.ownerOid,
        stxstattarget: statistics.target ?? -1,
        stxkeys: vector(TypeOid.int2, [...statistics.columns]),
        stxkind: SqlArray.of(
          TypeOid.char,
          statistics.gathers.map((kind) => LETTERS[kind]),
        ),
      };
    }
  }),
  catalogView('pg_statistic_ext_data', dataRows),
];
