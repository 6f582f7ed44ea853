/** The part of `information_schema` that names schemas, tables, views and columns, as ISO has them. */
import type { Oid, TypeRef } from '@phantom/catalog';
import type { Value } from '../types/type.js';
import { relationsOf, schemasOf } from './pg-catalog.js';
import { INFORMATION_SCHEMA_OID, type SystemView, type SystemViewSource, T } from './system-view.js';

function view(oid: number, name: string, columns: SystemView['columns'], rows: SystemView['rows']): SystemView {
  return { oid, schemaOid: INFORMATION_SCHEMA_OID, name, columns, rowsEstimate: 100, rows };
}

interface ColumnRow {
  readonly name: string;
  readonly number: number;
  readonly type: TypeRef;
  readonly notNull: boolean;
  readonly defaultSql: string | undefined;
}

/** Length of character types, from their type modifier. */
function characterLength(type: TypeRef): Value {
  return (type.oid === 1043 || type.oid === 1042) && type.typmod >= 4 ? type.typmod - 4 : null;
}

function typeName(source: SystemViewSource, oid: Oid): string {
  const type = source.types.byOid(oid);
  if (type === undefined) return 'unknown';
  return type.kind === 'array' ? 'ARRAY' : type.displayName;
}

export const INFORMATION_SCHEMA_VIEWS: readonly SystemView[] = [
  view(
    13200,
    'schemata',
    [
      ['catalog_name', T.name],
      ['schema_name', T.name],
      ['schema_owner', T.name],
    ],
    function* (source) {
      for (const schema of schemasOf(source))
        yield [source.databaseName, schema.name, source.roleNameOf(schema.ownerOid)];
    },
  ),
  view(
    13201,
    'tables',
    [
      ['table_catalog', T.name],
      ['table_schema', T.name],
      ['table_name', T.name],
      ['table_type', T.text],
    ],
    function* (source) {
      for (const relation of relationsOf(source)) {
        if (relation.kind !== 'table' && relation.kind !== 'view') continue;
        const type = relation.kind === 'table' ? 'BASE TABLE' : 'VIEW';
        yield [source.databaseName, source.schemaNameOf(relation.schemaOid), relation.name, type];
      }
    },
  ),
  view(
    13202,
    'columns',
    [
      ['table_catalog', T.name],
      ['table_schema', T.name],
      ['table_name', T.name],
      ['column_name', T.name],
      ['ordinal_position', T.int4],
      ['column_default', T.text],
      ['is_nullable', T.text],
      ['data_type', T.text],
      ['character_maximum_length', T.int4],
      ['udt_name', T.name],
    ],
    function* (source) {
      for (const relation of relationsOf(source)) {
        if (relation.kind !== 'table' && relation.kind !== 'view') continue;
        const columns: ColumnRow[] =
          relation.kind === 'table'
            ? relation.columns
                .filter((column) => !column.dropped)
                .map(({ name, number, type, notNull, defaultSql }) => ({ name, number, type, notNull, defaultSql }))
            : relation.columns.map(({ name, type }, i) => ({
                name,
                number: i + 1,
                type,
                notNull: false,
                defaultSql: undefined,
              }));
        for (const column of columns) {
          yield [
            source.databaseName,
            source.schemaNameOf(relation.schemaOid),
            relation.name,
            column.name,
            column.number,
            column.defaultSql ?? null,
            column.notNull ? 'NO' : 'YES',
            typeName(source, column.type.oid),
            characterLength(column.type),
            source.types.byOid(column.type.oid)?.name ?? 'unknown',
          ];
        }
      }
    },
  ),
];
