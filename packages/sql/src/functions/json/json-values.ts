/**
 * SQL values as JSON: what to_json, row_to_json, the builders and the aggregates put in. Numbers stand bare, dates in ISO
 * form, arrays and rows as arrays and objects, json as it is, everything else as its text in quotes.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { Decimal, type DocumentValue, Json, Jsonb, SqlArray, SqlRecord } from '@phantom/codec';
import { formatClock, formatDate, formatTimestamp, localMoment } from '../../types/date-time-format.js';
import { decimalAsNode, formatJson, jsonNumber, parseJson, quoteJson } from '../../types/json-text.js';
import { TypeOid } from '../../types/type-oids.js';
import type { SqlType, TypeContext, Value } from '../../types/type.js';

const NUMERIC_TYPES: ReadonlySet<Oid> = new Set<Oid>([
  TypeOid.int2,
  TypeOid.int4,
  TypeOid.int8,
  TypeOid.float4,
  TypeOid.float8,
  TypeOid.numeric,
]);

function typeOf(oid: Oid, context: TypeContext): SqlType {
  const type = context.types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with OID ${oid} does not exist`);
  return type.kind === 'domain' ? typeOf(type.baseOid, context) : type;
}

/** Dates and timestamps in ISO 8601, whatever the session's style; undefined for other types. */
export function isoText(value: Value, oid: Oid, context: TypeContext): string | undefined {
  const iso: TypeContext = { ...settingsOf(context), dateStyle: 'ISO' };
  switch (oid) {
    case TypeOid.date:
      return formatDate(value as number, iso);
    case TypeOid.timestamp:
      return withT(formatTimestamp(value as number | bigint, iso));
    case TypeOid.timestamptz:
      return instantText(value as number | bigint, iso);
    default:
      return undefined;
  }
}

/** The context's settings as an object of its own: contexts may answer by getters. */
function settingsOf(context: TypeContext): TypeContext {
  return {
    timeZone: context.timeZone,
    dateStyle: context.dateStyle,
    dateOrder: context.dateOrder,
    intervalStyle: context.intervalStyle,
    byteaOutput: context.byteaOutput,
    xmlOption: context.xmlOption,
    extraFloatDigits: context.extraFloatDigits,
    transactionMicros: context.transactionMicros,
    types: context.types,
  };
}

function withT(text: string): string {
  return text.replace(/^(\d+-\d\d-\d\d) /, '$1T');
}

function instantText(instant: number | bigint, context: TypeContext): string {
  if (instant === Number.POSITIVE_INFINITY) return 'infinity';
  if (instant === Number.NEGATIVE_INFINITY) return '-infinity';
  const { days, micros, offsetSeconds } = localMoment(instant, context.timeZone);
  const size = Math.abs(offsetSeconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = size % 60 === 0 ? '' : `:${two(size % 60)}`;
  const offset = `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}:${two(Math.floor(size / 60) % 60)}${seconds}`;
  const date = formatDate(days, context);
  const era = date.endsWith(' BC') ? ' BC' : '';
  return `${era === '' ? date : date.slice(0, -3)}T${formatClock(micros)}${offset}${era}`;
}

/** A number's text where it is JSON: NaN and infinities are not. */
function isJsonNumber(text: string): boolean {
  return /^-?\d/.test(text);
}

/** A value as JSON text; null is `null`. `pretty` puts the parts of the outermost array or row on lines of their own. */
export function jsonText(value: Value, oid: Oid, context: TypeContext, pretty = false): string {
  if (value === null) return 'null';
  if (value instanceof Json) return value.text;
  if (value instanceof Jsonb) return formatJson(value.value());
  if (value instanceof SqlArray) return arrayText(value, context, pretty);
  if (value instanceof SqlRecord) return recordText(value, context, pretty);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  const type = typeOf(oid, context);
  if (NUMERIC_TYPES.has(type.oid)) {
    const text = type.output(value, context);
    return isJsonNumber(text) ? text : quoteJson(text);
  }
  return quoteJson(isoText(value, type.oid, context) ?? type.output(value, context));
}

function arrayText(array: SqlArray, context: TypeContext, pretty: boolean): string {
  let at = 0;
  const separator = pretty ? ',\n ' : ',';
  const level = (depth: number): string => {
    const parts: string[] = [];
    for (let i = 0; i < (array.dimensions[depth] ?? 0); i++) {
      if (depth < array.dimensions.length - 1) parts.push(level(depth + 1));
      else parts.push(jsonText(array.items[at++], array.elementOid, context));
    }
    return `[${parts.join(depth === 0 ? separator : ',')}]`;
  };
  return level(0);
}

/** A row as an object of its fields, pretty only at the top. */
function recordText(record: SqlRecord, context: TypeContext, pretty: boolean): string {
  const parts = record.fields.map(
    (field, i) =>
      `${quoteJson(record.shape.names[i] ?? `f${i + 1}`)}:${jsonText(field, record.shape.types[i] as Oid, context)}`,
  );
  return `{${parts.join(pretty ? ',\n ' : ',')}}`;
}

/** A value as part of a jsonb document. */
export function jsonNode(value: Value, oid: Oid, context: TypeContext): DocumentValue {
  if (value === null || typeof value === 'boolean') return value;
  if (value instanceof Json) return parseJson(value.text);
  if (value instanceof Jsonb) return value.value();
  if (value instanceof SqlArray) return arrayNode(value, context);
  if (value instanceof SqlRecord) {
    const object = new Map<string, DocumentValue>();
    value.fields.forEach((field, i) => {
      object.set(value.shape.names[i] ?? `f${i + 1}`, jsonNode(field, value.shape.types[i] as Oid, context));
    });
    return object;
  }
  const type = typeOf(oid, context);
  if (type.oid === TypeOid.numeric) {
    const decimal = value as Decimal;
    return decimal.isFinite() ? decimalAsNode(decimal) : decimal.toString();
  }
  if (NUMERIC_TYPES.has(type.oid)) {
    const text = type.output(value, context);
    return isJsonNumber(text) ? jsonNumber(text) : text;
  }
  return isoText(value, type.oid, context) ?? type.output(value, context);
}

function arrayNode(array: SqlArray, context: TypeContext): DocumentValue {
  let at = 0;
  const level = (depth: number): DocumentValue[] => {
    const items: DocumentValue[] = [];
    for (let i = 0; i < (array.dimensions[depth] ?? 0); i++) {
      if (depth < array.dimensions.length - 1) items.push(level(depth + 1));
      else items.push(jsonNode(array.items[at++], array.elementOid, context));
    }
    return items;
  };
  return level(0);
}

/** A value as a key of an object: its text. Null, arrays, rows and json are refused. */
export function jsonKey(value: Value, oid: Oid, context: TypeContext, argument?: number): string {
  if (value === null) {
    throw argument === undefined
      ? new PhantomError('22004', 'field name must not be null')
      : new PhantomError('22023', `argument ${argument} cannot be null`, { hint: 'Object keys should be text.' });
  }
  if (value instanceof SqlArray || value instanceof SqlRecord || value instanceof Json || value instanceof Jsonb) {
    throw new PhantomError('22023', 'key value must be scalar, not array, composite, or json');
  }
  if (typeof value === 'boolean') return String(value);
  const type = typeOf(oid, context);
  return isoText(value, type.oid, context) ?? type.output(value, context);
}

/** A number of a document as a Decimal; undefined for anything else. */
export function nodeDecimal(node: DocumentValue): Decimal | undefined {
  if (node instanceof Decimal) return node;
  if (typeof node === 'number') return Decimal.fromNumber(node);
  return typeof node === 'bigint' ? Decimal.of(node) : undefined;
}
