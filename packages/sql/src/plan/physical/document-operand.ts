/** Expressions that show a part of a collection's document: the column of a field, `doc -> 'a' ->> 'b'`, `doc.a.b`, `address #>> '{city}'`. */
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import type { ColumnId, Expression } from '../../expr/expression.js';
import { withoutRelabel } from '../../expr/walk.js';
import type { OperandForm } from '../../storage/document-conditions.js';
import { DOCUMENT_POSITION } from '../../storage/document-fields.js';
import { TypeOid } from '../../types/type-oids.js';
import type { ScanColumn } from '../logical/logical.js';

/** A part of a document that a condition is about. */
export interface DocumentOperand {
  readonly path: string;
  readonly form: OperandForm;
  /** The column, where it is one of a field. */
  readonly column: ColumnDescriptor | undefined;
}

/** A collection, and its columns as an expression knows them. */
export interface DocumentColumns {
  readonly table: TableDescriptor;
  readonly scanColumns: readonly ScanColumn[];
}

const FORMS: ReadonlyMap<number, OperandForm> = new Map<number, OperandForm>([
  [TypeOid.text, 'text'],
  [TypeOid.int8, 'integer'],
  [TypeOid.float8, 'double'],
  [TypeOid.bool, 'boolean'],
  [TypeOid.timestamptz, 'timestamp'],
  [TypeOid.jsonb, 'json'],
]);
/** The part of a document that an expression shows. */
export function operandOf(expression: Expression, scan: DocumentColumns): DocumentOperand | undefined {
  const inner = withoutRelabel(expression);
  if (expression.type.collation !== undefined) return undefined;
  const operand = partOf(inner, scan);
  return operand === undefined || operand.path === '' ? undefined : operand;
}

function partOf(expression: Expression, scan: DocumentColumns): DocumentOperand | undefined {
  if (expression.kind === 'column') return columnOf(expression.column, scan);
  if (expression.kind !== 'call' || expression.operator === undefined) return undefined;
  const [base, key] = expression.arguments;
  const { name } = expression.operator;
  if (base?.type.oid !== TypeOid.jsonb || key === undefined || !EXTRACTIONS.has(name)) return undefined;
  const from = partOf(base, scan);
  const steps = name.startsWith('-') ? stepOf(key) : stepsOf(key);
  if (from?.form !== 'json' || steps === undefined) return undefined;
  const path = [...(from.path === '' ? [] : [from.path]), ...steps].join('.');
  return { path, form: name.endsWith('>>') ? 'text of' : 'json', column: undefined };
}

const EXTRACTIONS: ReadonlySet<string> = new Set(['->', '->>', '#>', '#>>']);

function columnOf(id: ColumnId, { table, scanColumns }: DocumentColumns): DocumentOperand | undefined {
  const number = scanColumns.find((column) => column.id === id)?.number;
  const position = table.columns.findIndex((column) => column.number === number);
  const column = table.columns[position];
  if (position === DOCUMENT_POSITION) return { path: '', form: 'json', column: undefined };
  // Texts of moments do not stand in the index in their order.
  if (column?.field === undefined || column.field.asText === true) return undefined;
  const form = FORMS.get(column.type.oid);
  return form === undefined
    ? undefined
    : { path: column.field.name, form, column: form === 'json' ? undefined : column };
}

/** A key of an object as a step of a path; undefined for what is none, or may be the index of an array. */
function stepOf(key: Expression): readonly string[] | undefined {
  const isText = key.kind === 'constant' && key.type.oid === TypeOid.text && typeof key.value === 'string';
  return isText ? checkedSteps([key.value as string]) : undefined;
}

function stepsOf(key: Expression): readonly string[] | undefined {
  if (key.kind === 'constant') return key.value instanceof SqlArray ? checkedSteps(key.value.items) : undefined;
  if (key.kind !== 'array' || key.nested) return undefined;
  return checkedSteps(key.elements.map((element) => (element.kind === 'constant' ? element.value : undefined)));
}

function checkedSteps(steps: readonly unknown[]): readonly string[] | undefined {
  const isStep = (step: unknown): step is string =>
    typeof step === 'string' && step !== '' && !/^-?\d+$/.test(step) && !step.includes('.') && !step.startsWith('$');
  return steps.every(isStep) ? steps : undefined;
}
