/** pg_catalog's columns of relations, and their defaults. */
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor, TypeRef } from '@phantom/catalog';
import { SYSTEM_COLUMNS } from '../storage/system-columns.js';
import type { Value } from '../types/type.js';
import { aclItems } from './acl-text.js';
import { type CatalogRow, catalogView, optionTexts } from './catalog-view.js';
import { collationOf, collationOfType } from './collations.js';
import { defaultText } from './object-text.js';
import { attributeDefaultOid, compositeRelationOid } from './oids.js';
import { compositesOf, listedSystemViews, relationsOf, tablesOf } from './pg-objects.js';
import { alignmentOf, isByValue, storageOf } from './pg-types.js';
import type { SystemView, SystemViewSource } from './system-view.js';

function attribute(
  source: SystemViewSource,
  relationOid: number,
  number: number,
  name: string,
  type: TypeRef,
): Record<string, Value> {
  const known = source.types.byOid(type.oid);
  const length = known?.length ?? -1;
  return {
    attrelid: relationOid,
    attname: name,
    atttypid: type.oid,
    attstattarget: -1,
    attlen: length,
    attnum: number,
    attndims: known?.kind === 'array' ? 1 : 0,
    attcacheoff: -1,
    atttypmod: type.typmod,
    attbyval: isByValue(length),
    attalign: alignmentOf(length),
    attstorage: storageOf(type.oid, length),
    attcollation: collationOf(source, type) ?? (known === undefined ? 0 : collationOfType(known, source.types)),
    attislocal: true,
  };
}

function* attributeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind === 'table') {
      yield* systemAttributes(source, relation.oid);
      for (const column of relation.columns) yield tableAttribute(source, relation, column);
    } else if (relation.kind === 'view') {
      for (const [i, column] of relation.columns.entries())
        yield attribute(source, relation.oid, i + 1, column.name, column.type);
    } else if (relation.kind === 'index') {
      for (const [i, part] of relation.parts.entries()) {
        const row = attribute(source, relation.oid, i + 1, indexColumnName(source, relation, i), part.type);
        yield part.statisticsTarget === undefined ? row : { ...row, attstattarget: part.statisticsTarget };
      }
    }
  }
  for (const { oid, definition } of compositesOf(source))
    for (const [i, { name, type }] of definition.fields.entries())
      yield attribute(source, compositeRelationOid(oid), i + 1, name, type);
  for (const view of listedSystemViews(source))
    for (const [i, [name, oid]] of view.columns.entries())
      yield attribute(source, view.oid, i + 1, name, { oid, typmod: -1 });
}

/** What every table has by itself. */
function* systemAttributes(source: SystemViewSource, relationOid: number): Iterable<CatalogRow> {
  for (const { name, number, typeOid } of SYSTEM_COLUMNS) {
    const row = attribute(source, relationOid, number, name, { oid: typeOid, typmod: -1 });
    yield { ...row, attstattarget: 0, attnotnull: true };
  }
}

function tableAttribute(source: SystemViewSource, table: TableDescriptor, column: ColumnDescriptor): CatalogRow {
  return {
    ...attribute(source, table.oid, column.number, column.name, column.type),
    attislocal: table.partition === undefined && column.isLocal === undefined,
    attinhcount: table.partition === undefined ? (column.inheritCount ?? 0) : 1,
    attnotnull: column.notNull,
    atthasdef: column.defaultSql !== undefined && column.identity === undefined,
    atthasmissing: column.missingText !== undefined && column.missingText !== null,
    attidentity: column.identity === undefined ? '' : column.identity === 'always' ? 'a' : 'd',
    attgenerated: column.generated === undefined ? '' : 's',
    attisdropped: column.dropped,
    attacl: aclItems(source, column.acl),
    ...tuningOf(column),
    ...(column.dropped ? { attname: `........pg.dropped.${column.number}........`, atttypid: 0 } : {}),
  };
}

/** What ALTER COLUMN has set of it, where that is not the default. */
function tuningOf({ statisticsTarget, storage, compression, options }: ColumnDescriptor): CatalogRow {
  return {
    ...(statisticsTarget === undefined ? {} : { attstattarget: statisticsTarget }),
    ...(storage === undefined ? {} : { attstorage: storage }),
    ...(compression === undefined ? {} : { attcompression: compression }),
    ...(options === undefined ? {} : { attoptions: optionTexts(options) }),
  };
}

function indexColumnName(source: SystemViewSource, index: IndexDescriptor, part: number): string {
  const number = index.parts[part]?.column;
  const table = source.objectsSeen.object(index.tableOid);
  const column = table?.kind === 'table' ? table.columns.find((candidate) => candidate.number === number) : undefined;
  return column?.name ?? (part === 0 ? 'expr' : `expr${part}`);
}

function* defaultRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of tablesOf(source)) {
    for (const column of table.columns) {
      if (column.defaultSql === undefined || column.identity !== undefined || column.dropped) continue;
      const adbin = defaultText(source.catalog, table, column);
      yield { oid: attributeDefaultOid(table.oid, column.number), adrelid: table.oid, adnum: column.number, adbin };
    }
  }
}

export const ATTRIBUTE_VIEWS: readonly SystemView[] = [
  catalogView('pg_attribute', attributeRows),
  catalogView('pg_attrdef', defaultRows),
];
