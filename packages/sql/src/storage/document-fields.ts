/**
 * Columns of a collection that show a top-level field of its documents. Rows hold `_id` and the document alone; such a column is
 * read out of the document in place, and a value that is given for it is written into the document.
 *
 * A column has the type that the collection's schema gives its field. What a document holds there of another type (a schema may warn
 * only, or be younger than the document) reads as NULL, as does a field that is missing or null; the document shows it as it is.
 *
 *   text           string                  bigint         integers, of any of the number types
 *   boolean        boolean                 double         any number
 *   timestamptz    date; of format date-time also text in ISO 8601 with its offset, as RFC 3339 has it
 *   jsonb          whatever there is, JSON null included
 */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import { Decimal, type DocumentValue, Jsonb, canonicalInteger, newObjectId } from '@phantom/codec';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';

/** Where a collection's rows hold the id, and the document. */
export const ID_POSITION = 0;
export const DOCUMENT_POSITION = 1;

/** True for a value of a new row that is made of its others: a generated column, or the document and what shows its fields. */
export function isDerived({ columns, collection }: TableDescriptor, position: number): boolean {
  const column = columns[position];
  if (column === undefined || column.dropped) return false;
  return column.generated !== undefined || (collection !== undefined && position !== ID_POSITION);
}

/** Gives a column's value for a document; null where that is null. */
export type FieldReader = (document: Jsonb | null) => Value;

const UTF8 = new TextEncoder();
const INT8_MIN = -(2 ** 63);
const INT8_MAX = 2 ** 63;
/** Milliseconds from 1970 to 2000, where timestamps count from. */
const EPOCH_2000_MS = Date.UTC(2000, 0, 1);
/** Dates that ISO 8601 writes with four digits of the year. */
const ISO_MS_MIN = Date.parse('0000-01-01T00:00:00Z');
const ISO_MS_MAX = Date.parse('9999-12-31T23:59:59.999Z');
const ISO_DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i;

/** The reader of a column that shows a field; undefined for other columns. */
export function fieldReader({ field, type }: ColumnDescriptor): FieldReader | undefined {
  if (field === undefined) return undefined;
  const key = UTF8.encode(field.name);
  const convert = field.asText === true ? instantOf : converter(type.oid);
  return (document) => {
    if (document === null || document.kind !== 'object') return null;
    const part = document.fieldAt(key);
    return part === undefined ? null : convert(part);
  };
}

function converter(typeOid: number): (part: Jsonb) => Value {
  switch (typeOid) {
    case TypeOid.text:
      return (part) => (part.kind === 'string' ? part.text() : null);
    case TypeOid.bool:
      return (part) => (part.kind === 'boolean' ? part.scalar() : null);
    case TypeOid.int8:
      return integerOf;
    case TypeOid.float8:
      return numberOf;
    case TypeOid.timestamptz:
      return dateInstantOf;
    default:
      return (part) => part;
  }
}

function integerOf(part: Jsonb): number | bigint | null {
  switch (part.kind) {
    case 'number':
    case 'decimal': {
      const value = part.scalar();
      const number = value instanceof Decimal ? value.toNumber() : (value as number);
      if (!Number.isInteger(number) || number < INT8_MIN || number >= INT8_MAX) return null;
      if (!(value instanceof Decimal)) return canonicalInteger(BigInt(number));
      return value.trunc().equals(value) ? value.toInteger() : null;
    }
    case 'int64':
      return canonicalInteger(part.scalar() as bigint);
    default:
      return null;
  }
}

function numberOf(part: Jsonb): number | null {
  switch (part.kind) {
    case 'number':
      return part.scalar() as number;
    case 'decimal':
      return (part.scalar() as Decimal).toNumber();
    case 'int64':
      return Number(part.scalar());
    default:
      return null;
  }
}

function dateInstantOf(part: Jsonb): number | bigint | null {
  return part.kind === 'date' ? microsOf((part.scalar() as Date).getTime(), 0) : null;
}

function instantOf(part: Jsonb): number | bigint | null {
  if (part.kind !== 'string') return dateInstantOf(part);
  const [, clock, fraction = '', offset] = ISO_DATE_TIME.exec(part.text()) ?? [];
  const time = clock === undefined ? Number.NaN : Date.parse(`${clock}${offset ?? ''}`);
  return Number.isNaN(time) ? null : microsOf(time, Number(fraction.slice(0, 6).padEnd(6, '0')));
}

function microsOf(unixMs: number, micros: number): number | bigint {
  return canonicalInteger(BigInt(unixMs - EPOCH_2000_MS) * 1000n + BigInt(micros));
}

/** The `_id` of a row that is given none: the document's, or a new one. */
export function documentId(document: Jsonb | null): Jsonb {
  return document?.field('_id') ?? Jsonb.ordered(newObjectId());
}

/**
 * Gives the document with its `_id` and the values of columns put in; NULL takes a field out. Where the statement gives the
 * field in the document too (`checked`, by column), a value that contradicts it is 22023, and NULL says nothing. One that the statement gives
 * (`isGiven`) and that is NULL stays so, for the model to refuse; without one it is made of the other values.
 */
export function documentBuilder(
  columns: readonly ColumnDescriptor[],
  checked: readonly boolean[],
  equal: (column: number, a: Value, b: Value) => boolean,
  isGiven: boolean,
): (id: Jsonb | null, base: Jsonb | null, ...values: Value[]) => Jsonb | null {
  const readers = columns.map(fieldReader);
  return (id, base, ...values) => {
    if (base === null && isGiven) return null;
    const document = base === null ? new Map<string, DocumentValue>() : base.value();
    // What is no object, and a row without an id, are refused by the model.
    if (!(document instanceof Map)) return base as Jsonb;
    const addsId = id !== null && !document.has('_id');
    const made = addsId ? new Map([['_id', id.value()], ...document]) : document;
    let changed = addsId;
    columns.forEach((column, i) => {
      const { field } = column;
      const value = values[i];
      if (field === undefined) return;
      if (checked[i] === true && base !== null && (made.get(field.name) ?? null) !== null) {
        const held = readers[i]?.(base) ?? null;
        if (value === null || (held !== null && equal(i, held, value))) return;
        throw contradiction(column);
      }
      if (value !== null) made.set(field.name, documentValue(column, value));
      else if (checked[i] === true || !made.delete(field.name)) return;
      changed = true;
    });
    return changed || base === null ? Jsonb.ordered(made) : base;
  };
}

function contradiction({ name }: ColumnDescriptor): PhantomError {
  return new PhantomError('22023', `column "${name}" and the field "${name}" of "doc" are given different values`, {
    hint: 'Give the column, or "doc", but not both.',
    column: name,
  });
}

/** A column's value as documents hold it. */
function documentValue({ type, field }: ColumnDescriptor, value: Value): DocumentValue {
  if (value instanceof Jsonb) return value.value();
  if (type.oid !== TypeOid.timestamptz) return value as DocumentValue;
  const { unixMs, micros } = momentOf(value as number | bigint);
  if (field?.asText !== true) return new Date(micros >= 500 ? unixMs + 1 : unixMs);
  const text = new Date(unixMs).toISOString();
  return micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

/** A timestamp as milliseconds since 1970, rounded down, and the microseconds past them. */
function momentOf(timestamp: number | bigint): { readonly unixMs: number; readonly micros: number } {
  const isFinite = typeof timestamp === 'bigint' || Number.isFinite(timestamp);
  const unixMs = isFinite ? instantMs(timestamp) : Number.NaN;
  if (!(unixMs >= ISO_MS_MIN && unixMs <= ISO_MS_MAX)) {
    throw new PhantomError('22008', 'timestamp out of range for a document');
  }
  return { unixMs, micros: Number(BigInt(timestamp) - BigInt(unixMs - EPOCH_2000_MS) * 1000n) };
}

/** A timestamp that is not infinite in milliseconds since 1970, rounded down. */
export function instantMs(timestamp: number | bigint): number {
  const whole = BigInt(timestamp);
  const micros = ((whole % 1000n) + 1000n) % 1000n;
  return Number((whole - micros) / 1000n) + EPOCH_2000_MS;
}
