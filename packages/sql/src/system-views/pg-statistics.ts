/** CREATE STATISTICS in the catalogs: pg_statistic_ext and what ANALYZE found, pg_statistic_ext_data. */
import { type StatisticsDescriptor, hasColumnPrivilege, policiesFor } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { quoteIdentifier } from '../types/reg-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { type CatalogRow, catalogView, emptyViews, vector } from './catalog-view.js';
import type { TextCatalog } from './object-text.js';
import { relationsOf } from './pg-objects.js';
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

/** A statistics object that the role may read of: of a table whose rows no policy hides, and whose columns it may read. */
function* shownDataRows(source: SystemViewSource): Iterable<CatalogRow> {
  const dataOf = new Map([...dataRows(source)].map((row) => [row['stxoid'], row]));
  for (const { oid, name, schemaOid, ownerOid, tableOid, columns, gathers } of statisticsObjectsOf(source)) {
    const data = dataOf.get(oid);
    const table = source.objectsSeen.object(tableOid);
    if (data === undefined || table?.kind !== 'table') continue;
    if (policiesFor(source.objectsSeen, table, source.roleOid) !== undefined) continue;
    if (!columns.every((number) => hasColumnPrivilege(source.objectsSeen, source.roleOid, table, 'r', [number])))
      continue;
    const names = columns.map((number) => table.columns.find((column) => column.number === number)?.name ?? null);
    yield {
      schemaname: source.schemaNameOf(table.schemaOid),
      tablename: table.name,
      statistics_schemaname: source.schemaNameOf(schemaOid),
      statistics_name: name,
      statistics_owner: source.roleNameOf(ownerOid),
      attnames: SqlArray.of(TypeOid.name, names),
      kinds: SqlArray.of(
        TypeOid.char,
        gathers.map((kind) => LETTERS[kind]),
      ),
      inherited: false,
      n_distinct: data['stxdndistinct'] ?? null,
      dependencies: data['stxddependencies'] ?? null,
    };
  }
}

/** PostgreSQL's numbers for what a slot of pg_statistic holds. */
const SLOT = { common: 1, histogram: 2, correlation: 3 } as const;

/** What ANALYZE found of each column, in PostgreSQL's slots. */
function* columnRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    const statistics = relation.kind === 'table' ? source.statisticsOf(relation.oid) : undefined;
    if (relation.kind !== 'table' || statistics === undefined) continue;
    for (const { number, dropped } of relation.columns) {
      const found = statistics.columns[number];
      if (found === undefined || dropped) continue;
      const { common, histogram, correlation } = found;
      const texts = (values: readonly string[]): Value => SqlArray.of(TypeOid.text, [...values]);
      const floats = (values: readonly number[]): Value => SqlArray.of(TypeOid.float4, values.map(Math.fround));
      yield {
        starelid: relation.oid,
        staattnum: number,
        stanullfrac: Math.fround(found.nullFraction),
        stawidth: found.averageBytes,
        stadistinct: Math.fround(found.distinct),
        ...(common.length === 0
          ? {}
          : {
              stakind1: SLOT.common,
              stanumbers1: floats(common.map(([, fraction]) => fraction)),
              stavalues1: texts(common.map(([text]) => text)),
            }),
        ...(histogram.length === 0 ? {} : { stakind2: SLOT.histogram, stavalues2: texts(histogram) }),
        stakind3: SLOT.correlation,
        stanumbers3: floats([correlation]),
      };
    }
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
  // They show values, whoever may read those.
  { ...catalogView('pg_statistic_ext_data', dataRows), restricted: true },
  { ...catalogView('pg_statistic', columnRows), restricted: true },
  catalogView('pg_stats_ext', shownDataRows),
  // CREATE STATISTICS takes columns alone.
  ...emptyViews('pg_stats_ext_exprs'),
];
