/**
 * The columns of a collection's table: `_id`, `doc`, and behind them one for each field that the schema names at its top, so that SQL
 * reads and writes fields as columns. Rows hold the first two alone; what a field's column reads and writes is SQL's
 * (`document-fields.ts` there).
 *
 *   type: string            text, with format date-time timestamptz      bsonType: date         timestamptz
 *   type: integer           bigint                                       bsonType: int, long    bigint
 *   type: number            double precision                             bsonType: double       double precision
 *   type: boolean           boolean                                      bsonType: string, bool like their JSON types
 *   all else                jsonb
 *
 * `null` beside one of them changes nothing. Fields whose names no column can have are found in `doc` alone. When a schema changes, a
 * field of the same type keeps its column; others get new ones, and a column that a view or another object needs holds the change up.
 */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, DocumentField, TableDescriptor, TypeDescriptor, TypeRef } from '@phantom/catalog';
import { isObject } from './order.js';
import type { DocumentTransaction } from './transaction.js';

/** Most bytes of a name in the catalog. */
export const NAME_BYTES_MAX = 63;
/** Most columns of a table, those that are gone included. */
const COLUMNS_MAX = 1600;
/** What every table has, or this one. */
const TAKEN_NAMES = new Set(['_id', 'doc', 'tableoid', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax']);

/** Oids of the types, as PostgreSQL numbers them. */
const type = (oid: number): TypeRef => ({ oid, typmod: -1 });
export const JSONB: TypeRef = type(3802);
const TEXT = type(25);
const BOOLEAN = type(16);
const BIGINT = type(20);
const DOUBLE = type(701);
const TIMESTAMPTZ = type(1184);

const JSON_TYPES: Readonly<Record<string, TypeRef>> = {
  string: TEXT,
  integer: BIGINT,
  number: DOUBLE,
  boolean: BOOLEAN,
};
const BSON_TYPES: Readonly<Record<string, TypeRef>> = {
  string: TEXT,
  int: BIGINT,
  long: BIGINT,
  double: DOUBLE,
  bool: BOOLEAN,
  date: TIMESTAMPTZ,
};

interface FieldType {
  readonly type: TypeRef;
  readonly asText: boolean;
}

/** The columns that a schema asks for, made of those there are. */
export function collectionColumns(schema: unknown, before: readonly ColumnDescriptor[]): readonly ColumnDescriptor[] {
  const fields = schemaFields(schema);
  const columns: ColumnDescriptor[] = before.length > 0 ? before.map((column) => kept(column, fields)) : stored();
  for (const [name, { type: fieldType, asText }] of fields) {
    if (columns.some((column) => !column.dropped && column.name === name) || columns.length >= COLUMNS_MAX) continue;
    const field: DocumentField = asText ? { name, asText } : { name };
    columns.push({ ...newColumn(columns.length + 1, name, fieldType), field });
  }
  return columns;
}

/** The collection with the columns that its schema asks for. 2BP01 when a column that would go is needed. */
export function withFieldColumns(transaction: DocumentTransaction, table: TableDescriptor): TableDescriptor {
  const { objects } = transaction;
  const columns = collectionColumns(table.collection?.schema, table.columns);
  if (columns.length === table.columns.length && columns.every((column, i) => column === table.columns[i]))
    return table;
  for (const [i, column] of table.columns.entries()) {
    if (columns[i]?.dropped === true && !column.dropped) refuseNeeded(transaction, table, column);
  }
  const rowType = objects.object(table.rowTypeOid);
  if (rowType?.kind === 'type') objects.put({ ...rowType, definition: rowDefinition(table.oid, columns) });
  return { ...table, columns };
}

/** The composite type of a collection's rows. */
export function rowDefinition(relationOid: number, columns: readonly ColumnDescriptor[]): TypeDescriptor['definition'] {
  const shown = columns.filter((column) => !column.dropped);
  return { kind: 'composite', fields: shown.map((column) => ({ name: column.name, type: column.type })), relationOid };
}

function stored(): ColumnDescriptor[] {
  return ['_id', 'doc'].map((name, i) => ({ ...newColumn(i + 1, name, JSONB), notNull: true }));
}

function newColumn(number: number, name: string, columnType: TypeRef): ColumnDescriptor {
  return { number, name, type: columnType, notNull: false, dropped: false, sinceVersion: 1 };
}

/** A column as it goes on under a schema with these fields. */
function kept(column: ColumnDescriptor, fields: ReadonlyMap<string, FieldType>): ColumnDescriptor {
  if (column.field === undefined || column.dropped) return column;
  const now = fields.get(column.field.name);
  if (now?.type.oid === column.type.oid && now.asText === (column.field.asText ?? false)) return column;
  const { comment: _comment, acl: _acl, ...rest } = column;
  return { ...rest, name: `........pg.dropped.${column.number}........`, dropped: true };
}

function refuseNeeded({ objects }: DocumentTransaction, table: TableDescriptor, column: ColumnDescriptor): void {
  for (const { dependentOid, referencedColumn } of objects.dependentsOf(table.oid)) {
    if (referencedColumn !== column.number) continue;
    const dependent = objects.object(dependentOid);
    const message = `cannot change the field "${column.name}" of collection "${table.name}" because other objects depend on it`;
    throw new PhantomError('2BP01', message, {
      ...(dependent === undefined ? {} : { detail: `${dependent.name} depends on it.` }),
      hint: 'Drop what depends on it first.',
      table: table.name,
      column: column.name,
    });
  }
}

/** The fields at the top of a schema that can be columns, in its order. */
function schemaFields(schema: unknown): Map<string, FieldType> {
  const fields = new Map<string, FieldType>();
  const properties = isObject(schema) ? schema['properties'] : undefined;
  if (!isObject(properties)) return fields;
  for (const name of Object.keys(properties)) {
    if (canBeColumn(name)) fields.set(name, fieldType(properties[name]));
  }
  return fields;
}

function canBeColumn(name: string): boolean {
  const isKey = name !== '' && !name.includes('\0') && !name.includes('.') && !name.startsWith('$');
  return isKey && !TAKEN_NAMES.has(name) && Buffer.byteLength(name) <= NAME_BYTES_MAX;
}

function fieldType(property: unknown): FieldType {
  if (!isObject(property)) return { type: JSONB, asText: false };
  const jsonType = onlyType(property['type']);
  if (jsonType === 'string' && property['format'] === 'date-time') return { type: TIMESTAMPTZ, asText: true };
  const found = jsonType === undefined ? BSON_TYPES[onlyType(property['bsonType']) ?? ''] : JSON_TYPES[jsonType];
  return { type: found ?? JSONB, asText: false };
}

/** The one type beside null that a keyword names; undefined for none or several. */
function onlyType(keyword: unknown): string | undefined {
  const names = (Array.isArray(keyword) ? keyword : [keyword]).filter((name) => name !== 'null');
  const [only] = names as readonly unknown[];
  return names.length === 1 && typeof only === 'string' ? only : undefined;
}
