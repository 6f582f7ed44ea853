/**
 * Errors of constraints, with PostgreSQL's words, codes and details. A detail shows values to those who could read them: not where
 * policies hide rows, and no column without the right to select it.
 */
import { PhantomError } from '@phantom/base';
import {
  type ColumnDescriptor,
  type IndexDescriptor,
  type PartitionKey,
  type TableDescriptor,
  hasColumnPrivilege,
  policiesFor,
} from '@phantom/catalog';
import { KEY_BYTES_MAX } from '@phantom/kv';
import type { TypeContext, Value } from '../types/type.js';
import type { ForeignKey, IncomingKey } from './table-rules.js';
import type { WriterContext } from './writer-context.js';

/** Longest value shown in a detail. */
const SHOWN_CHARACTERS_MAX = 64;

/** Where a row was written, and by whom. */
type Place = Pick<WriterContext, 'picture' | 'evaluation' | 'objects' | 'roleOid'>;

/** Whether whoever writes could read these columns of any row. */
function maySee(table: TableDescriptor, columns: readonly number[], { objects, roleOid }: Place): boolean {
  if (policiesFor(objects, table, roleOid) !== undefined) return false;
  return hasColumnPrivilege(objects, roleOid, table, 'r', columns);
}

function shown(value: Value, typeOid: number, context: TypeContext): string {
  if (value === null) return 'null';
  return context.types.byOid(typeOid)?.output(value, context) ?? String(value);
}

function tableFields(table: TableDescriptor, { picture }: Place): { schema: string; table: string } {
  return { schema: picture.schemaName(table.schemaOid), table: table.name };
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
      ...rowDetail(table, row, place),
    },
  );
}

/** What the statement itself has set off has changed a row on its way to being changed. */
export function changedInside(what: 'updated' | 'deleted'): PhantomError {
  return new PhantomError(
    '27000',
    `tuple to be ${what} was already modified by an operation triggered by the current command`,
    { hint: 'Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.' },
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
    ...rowDetail(table, row, place),
  });
}

/** A row that does not belong into the partition it was written to. */
export function partitionViolation(table: TableDescriptor, row: readonly Value[], place: Place): PhantomError {
  return new PhantomError('23514', `new row for relation "${table.name}" violates partition constraint`, {
    ...tableFields(table, place),
    ...rowDetail(table, row, place),
  });
}

/** A row that no partition takes. */
export function noPartition(
  table: TableDescriptor,
  { parts }: PartitionKey,
  key: readonly Value[],
  place: Place,
): PhantomError {
  const names = parts.map(({ column, expressionSql }) =>
    column === undefined ? (expressionSql ?? '') : (table.columns.find(({ number }) => number === column)?.name ?? ''),
  );
  // An expression may show any column.
  const columns = parts.some(({ column }) => column === undefined)
    ? table.columns.map(({ number }) => number)
    : parts.map(({ column }) => column as number);
  const text = keyText(
    names,
    key,
    parts.map(({ type }) => type.oid),
    place.evaluation,
  ).replace(')=(', ') = (');
  return new PhantomError('23514', `no partition of relation "${table.name}" found for row`, {
    ...tableFields(table, place),
    ...(maySee(table, columns, place) ? { detail: `Partition key of the failing row contains ${text}.` } : {}),
  });
}

export function uniqueViolation(
  table: TableDescriptor,
  index: IndexDescriptor,
  parts: readonly Value[],
  place: Place,
): PhantomError {
  const { names, types, columns } = partsOf(table, index);
  return new PhantomError('23505', `duplicate key value violates unique constraint "${index.name}"`, {
    ...tableFields(table, place),
    constraint: index.name,
    ...(maySee(table, columns, place)
      ? { detail: `Key ${keyText(names, parts, types, place.evaluation)} already exists.` }
      : {}),
  });
}

/** What the parts of an index are called in details, what types they have, and which columns they may show. */
export function partsOf(
  table: TableDescriptor,
  index: IndexDescriptor,
): { names: string[]; types: number[]; columns: number[] } {
  const columns = table.columns.filter(({ dropped }) => !dropped).map(({ number }) => number);
  return {
    names: index.parts.map(
      (part) => table.columns.find((column) => column.number === part.column)?.name ?? part.expressionSql ?? '?',
    ),
    types: index.parts.map((part) => part.type.oid),
    // An expression may show any column.
    columns: index.parts.some((part) => part.column === undefined)
      ? columns
      : index.parts.map((part) => part.column as number),
  };
}

/** A row that an exclusion constraint does not let be there beside another. */
export function exclusionViolation(
  table: TableDescriptor,
  index: IndexDescriptor,
  parts: readonly Value[],
  existing: readonly Value[],
  place: Place,
): PhantomError {
  const { names, types, columns } = partsOf(table, index);
  const text = (values: readonly Value[]): string =>
    keyText(names, values.slice(0, names.length), types, place.evaluation);
  return new PhantomError('23P01', `conflicting key value violates exclusion constraint "${index.name}"`, {
    ...tableFields(table, place),
    constraint: index.name,
    ...(maySee(table, columns, place)
      ? { detail: `Key ${text(parts)} conflicts with existing key ${text(existing)}.` }
      : {}),
  });
}

/** A key that may be twice there for a while cannot say which row is in the way of a new one. */
export function deferrableArbiter(table: TableDescriptor, index: IndexDescriptor, place: Place): PhantomError {
  return new PhantomError(
    '55000',
    'ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters',
    { ...tableFields(table, place), constraint: index.name },
  );
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
    place.evaluation,
  );
  return new PhantomError(
    '23503',
    `insert or update on table "${child.name}" violates foreign key constraint "${key.name}"`,
    {
      ...tableFields(child, place),
      constraint: key.name,
      detail: `Key${maySee(child, key.columns, place) ? ` ${text}` : ''} is not present in table "${parent.name}".`,
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
  { constraint: key, child, positions }: IncomingKey,
  values: readonly Value[],
  place: Place,
): PhantomError {
  const columns = positions.map((position) => parent.columns[position] as ColumnDescriptor);
  const text = keyText(
    columns.map((c) => c.name),
    values,
    columns.map((c) => c.type.oid),
    place.evaluation,
  );
  return new PhantomError(
    '23503',
    `update or delete on table "${parent.name}" violates foreign key constraint "${key.name}" on table "${child.name}"`,
    {
      ...tableFields(child, place),
      constraint: key.name,
      detail: `Key${
        maySee(
          parent,
          columns.map(({ number }) => number),
          place,
        )
          ? ` ${text}`
          : ''
      } is still referenced from table "${child.name}".`,
    },
  );
}

/** A partition is to leave the table that rows of the child refer to: by these values to one of its own. */
export function leavesReferred(
  partition: TableDescriptor,
  { constraint: key, child }: IncomingKey,
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
    place.evaluation,
  );
  return new PhantomError(
    '23503',
    `removing partition "${partition.name}" violates foreign key constraint "${key.name}"`,
    {
      ...tableFields(child, place),
      constraint: key.name,
      detail: `Key${maySee(child, key.columns, place) ? ` ${text}` : ''} is still referenced from table "${child.name}".`,
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
    detail: `Failing row contains (${shownValues(table, row, context).join(', ')}).`,
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

/** The row as far as whoever wrote it could read it: with the names of its columns when that is not all of it. */
function rowDetail(table: TableDescriptor, row: readonly Value[], place: Place): { readonly detail?: string } {
  if (policiesFor(place.objects, table, place.roleOid) !== undefined) return {};
  const live = table.columns.filter((column) => !column.dropped);
  const values = shownValues(table, row, place.evaluation);
  const seen = live.map((column) => hasColumnPrivilege(place.objects, place.roleOid, table, 'r', [column.number]));
  if (seen.every(Boolean)) return { detail: `Failing row contains (${values.join(', ')}).` };
  if (!seen.some(Boolean)) return {};
  const names = live.filter((_, i) => seen[i]).map((column) => column.name);
  return { detail: `Failing row contains (${names.join(', ')}) = (${values.filter((_, i) => seen[i]).join(', ')}).` };
}

/** The values of the columns that are there, each cut where it is long. */
function shownValues(table: TableDescriptor, row: readonly Value[], context: TypeContext): string[] {
  const values: string[] = [];
  table.columns.forEach((column, position) => {
    if (column.dropped) return;
    const text = shown(row[position] ?? null, column.type.oid, context);
    values.push(text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text);
  });
  return values;
}

/** 54000 for a key that is too long for the index of the name. */
export function checkKeyBytes(bytes: number, name: string): void {
  if (bytes > KEY_BYTES_MAX) {
    throw new PhantomError('54000', `index row size ${bytes} exceeds maximum ${KEY_BYTES_MAX} for index "${name}"`, {
      hint: 'Values larger than that cannot be indexed; index a hash of them instead.',
    });
  }
}
