/** Errors of constraints, with PostgreSQL's words, codes and details. */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { TypeContext, Value } from '../types/type.js';
import type { ForeignKey } from './table-rules.js';

/** Longest value shown in a detail. */
const SHOWN_CHARACTERS_MAX = 64;

interface Place {
  readonly catalog: CatalogPort;
  readonly context: TypeContext;
}

function shown(value: Value, typeOid: number, context: TypeContext): string {
  if (value === null) return 'null';
  return context.types.byOid(typeOid)?.output(value, context) ?? String(value);
}

function tableFields(table: TableDescriptor, { catalog }: Place): { schema: string; table: string } {
  return { schema: catalog.schemaName(table.schemaOid), table: table.name };
}

/** A key as PostgreSQL's details show it: `(a, b)=(1, two)`. */
export function keyText(
  names: readonly string[],
  values: readonly Value[],
  types: readonly number[],
  context: TypeContext,
): string {
  return `(${names.join(', ')})=(${values.map((value, i) => shown(value, types[i] as number, context)).join(', ')})`;
}

export function notNullViolation(
  table: TableDescriptor,
  column: ColumnDescriptor,
  row: readonly Value[],
  place: Place,
): PhantomError {
  return new PhantomError(
    '23502',
    `null value in column "${column.name}" of relation "${table.name}" violates not-null constraint`,
    {
      ...tableFields(table, place),
      column: column.name,
      detail: failingRow(table, row, place),
    },
  );
}

export function checkViolation(
  table: TableDescriptor,
  constraint: string,
  row: readonly Value[],
  place: Place,
): PhantomError {
  return new PhantomError('23514', `new row for relation "${table.name}" violates check constraint "${constraint}"`, {
    ...tableFields(table, place),
    constraint,
    detail: failingRow(table, row, place),
  });
}

export function uniqueViolation(
  table: TableDescriptor,
  index: IndexDescriptor,
  parts: readonly Value[],
  place: Place,
): PhantomError {
  const names = index.parts.map(
    (part) => table.columns.find((column) => column.number === part.column)?.name ?? part.expressionSql ?? '?',
  );
  const types = index.parts.map((part) => part.type.oid);
  return new PhantomError('23505', `duplicate key value violates unique constraint "${index.name}"`, {
    ...tableFields(table, place),
    constraint: index.name,
    detail: `Key ${keyText(names, parts, types, place.context)} already exists.`,
  });
}

export function missingParent(
  child: TableDescriptor,
  parent: TableDescriptor,
  key: ForeignKey,
  values: readonly Value[],
  place: Place,
): PhantomError {
  const columns = key.columns.map(
    (number) => child.columns.find((column) => column.number === number) as ColumnDescriptor,
  );
  const text = keyText(
    columns.map((c) => c.name),
    values,
    columns.map((c) => c.type.oid),
    place.context,
  );
  return new PhantomError(
    '23503',
    `insert or update on table "${child.name}" violates foreign key constraint "${key.name}"`,
    {
      ...tableFields(child, place),
      constraint: key.name,
      detail: `Key ${text} is not present in table "${parent.name}".`,
    },
  );
}

export function partlyNullKey(child: TableDescriptor, key: ForeignKey, place: Place): PhantomError {
  return new PhantomError(
    '23503',
    `insert or update on table "${child.name}" violates foreign key constraint "${key.name}"`,
    {
      ...tableFields(child, place),
      constraint: key.name,
      detail: 'MATCH FULL does not allow mixing of null and nonnull key values.',
    },
  );
}

export function stillReferenced(
  parent: TableDescriptor,
  child: TableDescriptor,
  key: ForeignKey,
  values: readonly Value[],
  place: Place,
): PhantomError {
  const columns = key.referencedColumns.map(
    (number) => parent.columns.find((column) => column.number === number) as ColumnDescriptor,
  );
  const text = keyText(
    columns.map((c) => c.name),
    values,
    columns.map((c) => c.type.oid),
    place.context,
  );
  return new PhantomError(
    '23503',
    `update or delete on table "${parent.name}" violates foreign key constraint "${key.name}" on table "${child.name}"`,
    {
      ...tableFields(child, place),
      constraint: key.name,
      detail: `Key ${text} is still referenced from table "${child.name}".`,
    },
  );
}

/** WITH CHECK OPTION: the new row is none that the view shows. */
export function checkOptionViolation(
  table: TableDescriptor,
  view: string,
  row: readonly Value[],
  context: TypeContext,
): PhantomError {
  return new PhantomError('44000', `new row violates check option for view "${view}"`, {
    detail: failingRow(table, row, { context }),
  });
}

/** Row-level security: a row that no policy lets in, or that a restrictive policy of a name keeps out. */
export function policyViolation(
  table: TableDescriptor,
  row: 'new' | 'existing' | 'target',
  name: string | undefined,
): PhantomError {
  const subject = row === 'target' ? 'target' : 'new';
  const policy = name === undefined ? '' : ` "${name}"`;
  const part = row === 'new' ? '' : ' (USING expression)';
  return new PhantomError(
    '42501',
    `${subject} row violates row-level security policy${policy}${part} for table "${table.name}"`,
  );
}

function failingRow(table: TableDescriptor, row: readonly Value[], place: Pick<Place, 'context'>): string {
  const values: string[] = [];
  table.columns.forEach((column, position) => {
    if (column.dropped) return;
    const text = shown(row[position] ?? null, column.type.oid, place.context);
    values.push(text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text);
  });
  return `Failing row contains (${values.join(', ')}).`;
}
