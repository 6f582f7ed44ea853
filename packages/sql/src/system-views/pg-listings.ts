/** pg_catalog's views for people: tables, indexes, views, sequences, settings, prepared statements. */
import { hasColumnPrivilege, policiesFor } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { TypeOid } from '../types/type-oids.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import { indexText, viewDefinitionText } from './object-text.js';
import { relationsOf } from './pg-objects.js';
import { int8 } from './pg-relations.js';
import type { ListedSetting, SystemView, SystemViewSource } from './system-view.js';

function* tableRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'table' || relation.materialized !== undefined) continue;
    yield {
      schemaname: source.schemaNameOf(relation.schemaOid),
      tablename: relation.name,
      tableowner: source.roleNameOf(relation.ownerOid),
      hasindexes: relation.indexOids.length > 0,
      hasrules: relation.ruleOids !== undefined,
      hastriggers: relation.constraints.some(({ kind }) => kind === 'foreign key'),
      rowsecurity: relation.rowSecurity?.enabled ?? false,
    };
  }
}

function* columnStatisticsRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    const statistics = relation.kind === 'table' ? source.statisticsOf(relation.oid) : undefined;
    if (relation.kind !== 'table' || statistics === undefined) continue;
    // They tell of rows that policies may hide.
    if (policiesFor(source.objectsSeen, relation, source.roleOid) !== undefined) continue;
    for (const column of relation.columns) {
      const found = statistics.columns[column.number];
      if (found === undefined || column.dropped) continue;
      // Statistics show values: only to those who may read them.
      if (!hasColumnPrivilege(source.objectsSeen, source.roleOid, relation, 'r', [column.number])) continue;
      const { common, histogram } = found;
      yield {
        schemaname: source.schemaNameOf(relation.schemaOid),
        tablename: relation.name,
        attname: column.name,
        inherited: false,
        null_frac: Math.fround(found.nullFraction),
        avg_width: found.averageBytes,
        n_distinct: Math.fround(found.distinct),
        most_common_vals:
          common.length === 0
            ? null
            : SqlArray.of(
                TypeOid.text,
                common.map(([text]) => text),
              ),
        most_common_freqs:
          common.length === 0
            ? null
            : SqlArray.of(
                TypeOid.float4,
                common.map(([, fraction]) => Math.fround(fraction)),
              ),
        histogram_bounds: histogram.length === 0 ? null : SqlArray.of(TypeOid.text, [...histogram]),
        correlation: Math.fround(found.correlation),
      };
    }
  }
}

function* indexRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'index') continue;
    yield {
      schemaname: source.schemaNameOf(relation.schemaOid),
      tablename: source.objectsSeen.object(relation.tableOid)?.name ?? null,
      indexname: relation.name,
      indexdef: indexText(source.catalog, relation),
    };
  }
}

function* viewRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'view') continue;
    yield {
      schemaname: source.schemaNameOf(relation.schemaOid),
      viewname: relation.name,
      viewowner: source.roleNameOf(relation.ownerOid),
      definition: viewDefinitionText(source.catalog, relation, false, source.formats),
    };
  }
}

function* materializedViewRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'table' || relation.materialized === undefined) continue;
    yield {
      schemaname: source.schemaNameOf(relation.schemaOid),
      matviewname: relation.name,
      matviewowner: source.roleNameOf(relation.ownerOid),
      hasindexes: relation.indexOids.length > 0,
      ispopulated: relation.materialized.populated,
      definition: viewDefinitionText(source.catalog, relation, false, source.formats),
    };
  }
}

function* sequenceRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'sequence') continue;
    const row = source.sequenceRow(relation.oid);
    yield {
      schemaname: source.schemaNameOf(relation.schemaOid),
      sequencename: relation.name,
      sequenceowner: source.roleNameOf(relation.ownerOid),
      data_type: relation.typeOid,
      start_value: int8(relation.start),
      min_value: int8(relation.minimum),
      max_value: int8(relation.maximum),
      increment_by: int8(relation.increment),
      cycle: relation.cycle,
      cache_size: relation.cache,
      last_value: row?.isCalled === true ? row.lastValue : null,
    };
  }
}

function sourceOf({ isSet, isPreset, reset, default: initial }: ListedSetting): string {
  if (isSet) return 'session';
  if (reset === initial) return 'default';
  return isPreset ? 'client' : 'command line';
}

function* settingRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const listed of source.settings()) {
    const { values, reset } = listed;
    yield {
      name: listed.name,
      setting: listed.setting,
      unit: listed.unit ?? null,
      category: listed.category,
      short_desc: listed.description,
      context: listed.context,
      vartype: listed.vartype,
      source: sourceOf(listed),
      min_val: listed.minimum ?? null,
      max_val: listed.maximum ?? null,
      enumvals: values === undefined ? null : SqlArray.of(TypeOid.text, [...values]),
      boot_val: listed.default,
      reset_val: reset,
      pending_restart: false,
    };
  }
}

function* preparedRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { name, text, parameterTypes, fromSql } of source.preparedStatements()) {
    yield {
      name,
      statement: text,
      parameter_types: SqlArray.of(TypeOid.regtype, parameterTypes),
      from_sql: fromSql,
      generic_plans: 0,
      custom_plans: 0,
    };
  }
}

function* cursorRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const cursor of source.cursors()) {
    yield {
      name: cursor.name,
      statement: cursor.text,
      is_holdable: cursor.holdable,
      is_binary: false,
      is_scrollable: cursor.scrollable,
      creation_time: cursor.declaredMicros,
    };
  }
}

export const LISTING_VIEWS: readonly SystemView[] = [
  catalogView('pg_tables', tableRows),
  catalogView('pg_indexes', indexRows),
  catalogView('pg_views', viewRows),
  catalogView('pg_matviews', materializedViewRows),
  catalogView('pg_sequences', sequenceRows),
  catalogView('pg_settings', settingRows),
  catalogView('pg_prepared_statements', preparedRows),
  catalogView('pg_cursors', cursorRows),
  catalogView('pg_stats', columnStatisticsRows),
];
