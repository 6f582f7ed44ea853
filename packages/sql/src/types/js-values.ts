/**
 * SQL values as JavaScript values, and back: the table of the embedded API.
 *
 *   SQL                             out                                         in
 *   smallint, int                   number                                      number, bigint; range-checked (22003)
 *   bigint                          number while safe, else bigint              both; never rounded
 *   numeric                         Decimal                                     it, string, number, bigint
 *   real, double                    number                                      number, bigint
 *   boolean, text, uuid             boolean, string, string                     the same
 *   bytea                           Uint8Array                                  any view or ArrayBuffer (copied)
 *   date, time, timestamp, interval ISO string                                  string, Date
 *   timestamptz                     Date, or text with all microseconds         Date, string
 *   json, jsonb, arrays             value, array                                any JSON value, array
 *   composite                       object by field name                        text in PostgreSQL's form
 *
 * A string is accepted for every type but JSON, read as the type's text form; a NumberText is as a number, and is not rounded on its way. Converters are made once per column or
 * parameter and take values that are not null.
 */
import { PhantomError } from '@phantom/base';
import { Decimal, Json, type Jsonb, SqlArray, type SqlRecord } from '@phantom/codec';
import type { TypeRef } from '@phantom/catalog';
import { DAYS_1970_TO_2000 } from './calendar.js';
import { NumberText, exactJsonText } from './exact-json.js';
import { formatJson } from './json-text.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext, TypeLookup, Value } from './type.js';

export interface JsOptions {
  readonly bigint: 'auto' | 'always';
  readonly timestamps: 'date' | 'text';
  /** Whether JSON is handed out parsed, its numbers rounded to doubles, or as Json, its text. Default: parsed. */
  readonly json?: 'value' | 'text';
}

type Convert = (value: never) => unknown;

const MILLIS_2000 = DAYS_1970_TO_2000 * 86_400_000;

/** Text forms of the API: ISO, in UTC, whatever the session's settings are. */
function isoContext(types: TypeLookup): TypeContext {
  return {
    timeZone: 'UTC',
    dateStyle: 'ISO',
    dateOrder: 'MDY',
    intervalStyle: 'iso_8601',
    byteaOutput: 'hex',
    xmlOption: 'content',
    extraFloatDigits: 1,
    transactionMicros: 0,
    types,
  };
}

const same = (value: unknown): unknown => value;

/** Converter of a column's values to what the API hands out. */
export function jsReader(type: TypeRef, types: TypeLookup, options: JsOptions): (value: Value) => unknown {
  return reader(type.oid, types, options) as (value: Value) => unknown;
}

function reader(oid: number, types: TypeLookup, options: JsOptions): Convert {
  const type = types.byOid(oid);
  if (type === undefined) return same;
  if (type.kind === 'domain' || type.kind === 'distinct') return reader(type.baseOid, types, options);
  if (type.kind === 'array') {
    const element = reader(type.elementOid, types, options) as (value: Value) => unknown;
    return (array: SqlArray) => nested(array, element);
  }
  if (type.kind === 'composite') {
    return (record: SqlRecord) => recordObject(record, types, options);
  }
  switch (oid) {
    case TypeOid.int8:
      return options.bigint === 'always' ? (value: number | bigint) => BigInt(value) : same;
    case TypeOid.json:
      return options.json === 'text' ? same : (value: Json) => JSON.parse(value.text) as unknown;
    case TypeOid.jsonb:
      if (options.json === 'text') return (value: Jsonb) => new Json(formatJson(value.value()));
      return (value: Jsonb) => JSON.parse(formatJson(value.value())) as unknown;
    case TypeOid.timestamptz:
      if (options.timestamps === 'date') return dateOf;
      break;
    case TypeOid.bool:
    case TypeOid.int2:
    case TypeOid.int4:
    case TypeOid.oid:
    case TypeOid.float4:
    case TypeOid.float8:
    case TypeOid.numeric:
    case TypeOid.text:
    case TypeOid.varchar:
    case TypeOid.bpchar:
    case TypeOid.name:
    case TypeOid.bytea:
    case TypeOid.uuid:
      return same;
    default:
  }
  const context = isoContext(types);
  return (value: Value) => type.output(value, context);
}

/** Milliseconds; microseconds are cut off. An infinity is an invalid Date, which compares as one. */
function dateOf(micros: number | bigint): Date {
  const millis = typeof micros === 'bigint' ? Number(micros / 1000n) : Math.floor(micros / 1000);
  return new Date(millis + MILLIS_2000);
}

function nested(array: SqlArray, element: (value: Value) => unknown): unknown[] {
  let position = 0;
  const level = (depth: number): unknown[] => {
    const count = array.dimensions[depth] ?? 0;
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) {
      if (depth < array.dimensions.length - 1) items.push(level(depth + 1));
      else {
        const item = array.items[position++];
        items.push(item === null ? null : element(item));
      }
    }
    return items;
  };
  return level(0);
}

function recordObject(record: SqlRecord, types: TypeLookup, options: JsOptions): unknown {
  const entries = record.fields.map((field, i) => {
    const oid = record.shape.types[i] ?? TypeOid.text;
    const convert = reader(oid, types, options) as (value: Value) => unknown;
    return [record.shape.names[i] ?? `f${i + 1}`, field === null ? null : convert(field)] as const;
  });
  return Object.fromEntries(entries);
}

/** Converter of JavaScript values to canonical values of a parameter's type; 22P02, 22003, 22021, 42804 for what does not fit. */
export function jsWriter(type: TypeRef, types: TypeLookup, context: TypeContext): (value: unknown) => Value {
  const found = types.byOid(type.oid);
  if (found === undefined) throw new PhantomError('42704', `type ${type.oid} does not exist`);
  const convert = writer(found, types, context);
  if (type.typmod === -1 || found.coerceTypmod === undefined) return convert;
  const coerce = found.coerceTypmod.bind(found);
  return (value) => coerce(convert(value), type.typmod, false);
}

function writer(type: SqlType, types: TypeLookup, context: TypeContext): (value: unknown) => Value {
  const fromText = (text: string): Value => {
    if (!text.isWellFormed()) throw invalidText();
    if (text.includes('\0')) throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
    return type.input(text, -1, context);
  };
  if (type.kind === 'array') return arrayWriter(type, types, context, fromText);
  switch (type.oid) {
    case TypeOid.json:
    case TypeOid.jsonb:
      return (value) => fromText(jsonText(value));
    case TypeOid.int2:
      return (value) => (isText(value) ? fromText(String(value)) : integer(value, -32768, 32767, type));
    case TypeOid.int4:
      return (value) => {
        if (typeof value === 'number' && (value | 0) === value) return value;
        return isText(value) ? fromText(String(value)) : integer(value, -2147483648, 2147483647, type);
      };
    case TypeOid.oid:
      return (value) => (isText(value) ? fromText(String(value)) : integer(value, 0, 4294967295, type));
    case TypeOid.int8:
      return (value) => {
        if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
        if (typeof value === 'bigint') return fromText(value.toString());
        return isText(value) ? fromText(String(value)) : integer(value, -9007199254740991, 9007199254740991, type);
      };
    case TypeOid.float4:
    case TypeOid.float8:
      return (value) => {
        if (typeof value === 'number') return type.oid === TypeOid.float4 ? Math.fround(value) : value;
        return typeof value === 'bigint' || isText(value) ? fromText(String(value)) : mismatch(value, type);
      };
    case TypeOid.numeric:
      return (value) => {
        if (value instanceof Decimal) return value;
        return isTextual(value) ? fromText(String(value)) : mismatch(value, type);
      };
    case TypeOid.bool:
      return (value) => {
        if (typeof value === 'boolean') return value;
        return typeof value === 'string' ? fromText(value) : mismatch(value, type);
      };
    case TypeOid.bytea:
      return (value) => bytesOf(value) ?? (typeof value === 'string' ? fromText(value) : mismatch(value, type));
    case TypeOid.timestamp:
    case TypeOid.timestamptz:
    case TypeOid.date:
    case TypeOid.time:
      return (value) => {
        if (value instanceof Date) return fromText(dateText(value, type));
        return typeof value === 'string' ? fromText(value) : mismatch(value, type);
      };
    default:
      return (value) => {
        if (typeof value === 'string') return fromText(value);
        if (value instanceof Date) return fromText(value.toISOString());
        return isTextual(value) || typeof value === 'boolean' ? fromText(String(value)) : mismatch(value, type);
      };
  }
}

/** What is read as the type's own text form is. */
function isText(value: unknown): boolean {
  return typeof value === 'string' || value instanceof NumberText;
}

function isTextual(value: unknown): boolean {
  return isText(value) || typeof value === 'number' || typeof value === 'bigint';
}

function integer(value: unknown, minimum: number, maximum: number, type: SqlType): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') return mismatch(value, type);
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new PhantomError('22P02', `invalid input syntax for type ${type.displayName}: "${value}"`);
  }
  if (value < minimum || value > maximum) {
    throw new PhantomError('22003', `value "${value}" is out of range for type ${type.displayName}`);
  }
  return Number(value);
}

function dateText(value: Date, type: SqlType): string {
  if (Number.isNaN(value.getTime()))
    throw new PhantomError('22007', `invalid input for type ${type.displayName}: an invalid Date`);
  const iso = value.toISOString();
  if (type.oid === TypeOid.timestamptz) return iso;
  if (type.oid === TypeOid.date) return iso.slice(0, iso.indexOf('T'));
  return type.oid === TypeOid.time ? iso.slice(iso.indexOf('T') + 1, -1) : iso.slice(0, -1);
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  return undefined;
}

function jsonText(value: unknown): string {
  let text: string | undefined;
  let hasNumberTexts = false;
  try {
    text = JSON.stringify(value, (_key, part: unknown) => {
      if (part instanceof NumberText) hasNumberTexts = true;
      return jsonPart(part);
    });
  } catch (cause) {
    throw new PhantomError('22P02', 'the value has no JSON form', { cause });
  }
  if (text === undefined) throw new PhantomError('22P02', 'the value has no JSON form');
  return hasNumberTexts ? exactJsonText(value) : text;
}

/** JSON has no bigint; one that is exact as a number is written as one, others are refused by JSON.stringify. */
function jsonPart(part: unknown): unknown {
  return typeof part === 'bigint' && Number.isSafeInteger(Number(part)) ? Number(part) : part;
}

function arrayWriter(
  type: SqlType,
  types: TypeLookup,
  context: TypeContext,
  fromText: (text: string) => Value,
): (value: unknown) => Value {
  const elementType = types.byOid(type.elementOid);
  if (elementType === undefined) throw new PhantomError('42704', `type ${type.elementOid} does not exist`);
  const element = writer(elementType, types, context);
  return (value) => {
    if (typeof value === 'string') return fromText(value);
    if (!Array.isArray(value)) return mismatch(value, type);
    const dimensions: number[] = [];
    for (let level: unknown = value; Array.isArray(level); level = level[0]) {
      dimensions.push(level.length);
      // A JSON array may be an element itself; anything else nests as a dimension.
      if (type.elementOid === TypeOid.json || type.elementOid === TypeOid.jsonb) break;
    }
    if (dimensions.includes(0)) return new SqlArray(type.elementOid, [], [], []);
    const items: Value[] = [];
    flatten(value, dimensions, 0, element, items);
    return new SqlArray(
      type.elementOid,
      dimensions,
      dimensions.map(() => 1),
      items,
    );
  };
}

function flatten(
  value: unknown,
  dimensions: readonly number[],
  depth: number,
  element: (value: unknown) => Value,
  into: Value[],
): void {
  if (depth === dimensions.length) {
    into.push(value === null || value === undefined ? null : element(value));
    return;
  }
  if (!Array.isArray(value) || value.length !== dimensions[depth]) {
    throw new PhantomError('2202E', 'multidimensional arrays must have sub-arrays with matching dimensions');
  }
  for (const item of value) flatten(item, dimensions, depth + 1, element, into);
}

function invalidText(): PhantomError {
  return new PhantomError('22021', 'the text has an unpaired surrogate, so it has no UTF-8 form');
}

function mismatch(value: unknown, type: SqlType): never {
  const given = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
  throw new PhantomError('42804', `${given} cannot be passed as ${type.displayName}`);
}
