/** The part of `pg_catalog` that names databases, schemas, relations, columns, roles and settings. Oids are PostgreSQL's. */
import type { ObjectDescriptor, RelationDescriptor } from '@phantom/catalog';
import type { Value } from '../types/type.js';
import {
  INFORMATION_SCHEMA_OID,
  PG_CATALOG_OID,
  PHANTOM_OID,
  PHANTOM_SCHEMA,
  type SystemView,
  type SystemViewSource,
  T,
} from './system-view.js';

function view(oid: number, name: string, columns: SystemView['columns'], rows: SystemView['rows']): SystemView {
  return { oid, schemaOid: PG_CATALOG_OID, name, columns, rowsEstimate: 100, rows };
}

/** Schemas of the session's database, the system's own first. */
export function* schemasOf(source: SystemViewSource): Iterable<{ oid: number; name: string; ownerOid: number }> {
  yield { oid: PG_CATALOG_OID, name: 'pg_catalog', ownerOid: 10 };
  yield { oid: INFORMATION_SCHEMA_OID, name: 'information_schema', ownerOid: 10 };
  yield { oid: PHANTOM_OID, name: PHANTOM_SCHEMA, ownerOid: 10 };
  for (const object of source.objectsSeen.objectsIn(source.databaseOid)) if (object.kind === 'schema') yield object;
}

/** Relations of the session's database. */
export function* relationsOf(source: SystemViewSource): Iterable<RelationDescriptor> {
  for (const schema of schemasOf(source)) {
    for (const object of source.objectsSeen.objectsIn(schema.oid)) if (isRelation(object)) yield object;
  }
}

function isRelation(object: ObjectDescriptor): object is RelationDescriptor {
  return object.kind === 'table' || object.kind === 'view' || object.kind === 'sequence' || object.kind === 'index';
}

const RELATION_KIND: Readonly<Record<RelationDescriptor['kind'], string>> = {
  table: 'r',
  view: 'v',
  sequence: 'S',
  index: 'i',
};

export const PG_CATALOG_VIEWS: readonly SystemView[] = [
  view(
    1262,
    'pg_database',
    [
      ['oid', T.oid],
      ['datname', T.name],
      ['datdba', T.oid],
      ['encoding', T.int4],
      ['datistemplate', T.bool],
      ['datallowconn', T.bool],
      ['datcollate', T.text],
      ['datctype', T.text],
    ],
    function* (source) {
      for (const object of source.objectsSeen.objects()) {
        if (object.kind === 'database') yield [object.oid, object.name, object.ownerOid, 6, false, true, 'C', 'C'];
      }
    },
  ),
  view(
    2615,
    'pg_namespace',
    [
      ['oid', T.oid],
      ['nspname', T.name],
      ['nspowner', T.oid],
    ],
    function* (source) {
      for (const schema of schemasOf(source)) yield [schema.oid, schema.name, schema.ownerOid];
    },
  ),
  view(
    1259,
    'pg_class',
    [
      ['oid', T.oid],
      ['relname', T.name],
      ['relnamespace', T.oid],
      ['reltype', T.oid],
      ['relowner', T.oid],
      ['relkind', T.char],
      ['relnatts', T.int2],
      ['relhasindex', T.bool],
      ['relpersistence', T.char],
    ],
    function* (source) {
      for (const relation of relationsOf(source)) {
        const table = relation.kind === 'table' ? relation : undefined;
        const columns = relation.kind === 'table' || relation.kind === 'view' ? relation.columns.length : 0;
        const rowType = relation.kind === 'table' || relation.kind === 'view' ? relation.rowTypeOid : 0;
        const hasIndex = table !== undefined && table.indexOids.length > 0;
        yield [
          relation.oid,
          relation.name,
          relation.schemaOid,
          rowType,
          relation.ownerOid,
          RELATION_KIND[relation.kind],
          columns,
          hasIndex,
          'p',
        ];
      }
    },
  ),
  view(
    1249,
    'pg_attribute',
    [
      ['attrelid', T.oid],
      ['attname', T.name],
      ['atttypid', T.oid],
      ['attnum', T.int2],
      ['atttypmod', T.int4],
      ['attnotnull', T.bool],
      ['atthasdef', T.bool],
      ['attisdropped', T.bool],
    ],
    function* (source) {
      for (const relation of relationsOf(source)) {
        if (relation.kind === 'table') {
          for (const column of relation.columns) {
            const row: Value[] = [relation.oid, column.name, column.type.oid, column.number, column.type.typmod];
            yield [...row, column.notNull, column.defaultSql !== undefined, column.dropped];
          }
        } else if (relation.kind === 'view') {
          let number = 0;
          for (const column of relation.columns) {
            yield [relation.oid, column.name, column.type.oid, ++number, column.type.typmod, false, false, false];
          }
        }
      }
    },
  ),
  view(
    1260,
    'pg_roles',
    [
      ['oid', T.oid],
      ['rolname', T.name],
      ['rolsuper', T.bool],
      ['rolinherit', T.bool],
      ['rolcreaterole', T.bool],
      ['rolcreatedb', T.bool],
      ['rolcanlogin', T.bool],
    ],
    function* (source) {
      for (const role of source.objectsSeen.objects()) {
        if (role.kind !== 'role') continue;
        yield [role.oid, role.name, role.superuser, role.inherit, role.createRole, role.createDatabase, role.login];
      }
    },
  ),
  view(
    12000,
    'pg_tables',
    [
      ['schemaname', T.name],
      ['tablename', T.name],
      ['tableowner', T.name],
      ['hasindexes', T.bool],
    ],
    function* (source) {
      for (const relation of relationsOf(source)) {
        if (relation.kind !== 'table') continue;
        const owner = source.roleNameOf(relation.ownerOid);
        yield [source.schemaNameOf(relation.schemaOid), relation.name, owner, relation.indexOids.length > 0];
      }
    },
  ),
  view(
    12001,
    'pg_settings',
    [
      ['name', T.text],
      ['setting', T.text],
      ['short_desc', T.text],
    ],
    function* (source) {
      for (const row of source.settingRows()) yield [row.name, row.value, row.description];
    },
  ),
];
