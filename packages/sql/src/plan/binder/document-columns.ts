/**
 * The values of a collection's row that a statement writes. The document is put together from `doc`, the columns that show its
 * fields, and `_id`; those columns are then what the document says, so RETURNING tells what is stored.
 */
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { internalCall } from '../../expr/calls.js';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import {
  DOCUMENT_POSITION,
  ID_POSITION,
  documentBuilder,
  documentId,
  fieldReader,
} from '../../storage/document-fields.js';

const NO_FIELDS: ReadonlySet<string> = new Set();
/** Documents of which the statement has set parts only, and the top-level fields with those; undefined: nobody knows them yet. */
const partlySet = new WeakMap<Expression, ReadonlySet<string> | undefined>();

/** Says that `document` is `before` with a part of this top-level field set; undefined: of one that is not known yet. */
export function notePart(before: Expression, document: Expression, field: string | undefined): void {
  const fields = partlySet.has(before) ? partlySet.get(before) : NO_FIELDS;
  partlySet.set(document, field === undefined || fields === undefined ? undefined : new Set([...fields, field]));
}

/** Values by position over those that the statement gives; `row` are the ids of the new row, `fill` is what else is there. */
export function documentRow(
  binder: Binder,
  table: TableDescriptor,
  given: ReadonlyMap<number, Expression>,
  row: readonly ColumnId[],
  verb: 'insert' | 'update',
  fill: (column: ColumnDescriptor, position: number) => Expression,
): Expression[] {
  const { types } = binder.context.catalog;
  const idColumn = table.columns[ID_POSITION] as ColumnDescriptor;
  const documentColumn = table.columns[DOCUMENT_POSITION] as ColumnDescriptor;
  const givenDocument = given.get(DOCUMENT_POSITION);
  const base = givenDocument ?? fill(documentColumn, DOCUMENT_POSITION);
  const fields: ColumnDescriptor[] = [];
  const values: Expression[] = [];
  table.columns.forEach((column, position) => {
    if (column.field === undefined || column.dropped) return;
    const value = given.get(position) ?? (verb === 'insert' ? fill(column, position) : undefined);
    // A column without a default says nothing of its field.
    if (value === undefined || (!given.has(position) && value.kind === 'constant' && value.value === null)) return;
    fields.push(column);
    values.push(value);
  });
  const id =
    given.get(ID_POSITION) ??
    (verb === 'insert'
      ? internalCall('document_id', [base], idColumn.type, documentId, 'volatile')
      : fill(idColumn, ID_POSITION));
  const reference = (position: number, column: ColumnDescriptor): Expression =>
    columnReference(row[position] as ColumnId, column.type);
  const isGiven = givenDocument !== undefined;
  const isWritten = verb === 'insert' || fields.length > 0 || isGiven;
  const equal = fields.map(({ type }) => types.byOid(type.oid)?.compare);
  const set = givenDocument === undefined ? NO_FIELDS : partlySet.get(givenDocument);
  const checked = fields.map(({ field }) => set?.has(field?.name ?? '') ?? true);
  const build = documentBuilder(fields, checked, (i, a, b) => equal[i]?.(a, b) === 0, isGiven);
  const document = isWritten
    ? internalCall('document', [reference(ID_POSITION, idColumn), base, ...values], documentColumn.type, build)
    : base;
  return table.columns.map((column, position) => {
    if (position === ID_POSITION) return id;
    if (position === DOCUMENT_POSITION) return document;
    const read = fieldReader(column);
    if (read === undefined || column.dropped) return constant(null, column.type);
    return internalCall(column.name, [reference(DOCUMENT_POSITION, documentColumn)], column.type, read);
  });
}
