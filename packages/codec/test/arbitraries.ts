/** Random values of each storage kind, with their storage types and orders: shared by the tests of rows and keys. */
import fc from 'fast-check';
import { Decimal } from '../src/decimal.js';
import type { DocumentValue } from '../src/document-reader.js';
import { ObjectId, Uuid } from '../src/document-values.js';
import { Interval, TimeTz } from '../src/interval.js';
import { Jsonb } from '../src/jsonb.js';
import { type EnumLabels, StorageKind, type StorageType } from '../src/storage.js';
import { compareText } from '../src/text-bytes.js';
import { Json, SqlArray, SqlMultirange, SqlRange, SqlRecord } from '../src/value.js';

export const moods: EnumLabels = {
  idOf: (label) => ['sad', 'ok', 'happy'].indexOf(label) + 100,
  labelOf: (id) => ['sad', 'ok', 'happy'][id - 100],
  orderOf: (label) => ['sad', 'ok', 'happy'].indexOf(label) * 1.5,
  labelAt: (order) => ['sad', 'ok', 'happy'][order / 1.5],
};

export interface Kind {
  readonly name: string;
  readonly storage: StorageType;
  readonly values: fc.Arbitrary<unknown>;
  readonly compare?: (a: never, b: never) => number;
}

const order = (a: number | bigint | boolean, b: number | bigint | boolean): number => (a < b ? -1 : a > b ? 1 : 0);

const floatOrder = (a: number, b: number): number => {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) ? -1 : order(a, b);
};

const bytesOrder = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);

export const int64 = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(0n, 1n, -1n, 255n, 256n, -256n, 2n ** 53n, -(2n ** 53n), 2n ** 53n - 1n, 1n - 2n ** 53n, 2n ** 48n),
    fc.integer().map(BigInt),
  )
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));

export const timestamp = fc
  .oneof(int64, fc.constantFrom(Infinity, -Infinity))
  .filter((value) => value !== 2n ** 63n - 1n && value !== -(2n ** 63n));

export const text = fc.oneof(
  fc.string({ maxLength: 40, unit: 'binary' }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom('', '\0', 'a\0', 'a', '\uffff', '\u{10000}', '\ue000', 'x'.repeat(100)),
);

export const decimal = fc.oneof(
  fc.tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(45)).map(([u, s]) => Decimal.of(u, s)),
  fc.tuple(fc.integer(), fc.nat(12)).map(([u, s]) => Decimal.of(u, s)),
  fc.tuple(fc.maxSafeInteger(), fc.nat(200)).map(([u, s]) => Decimal.of(u, s)),
  fc.constantFrom(
    Decimal.NaN,
    Decimal.Infinity,
    Decimal.NegativeInfinity,
    Decimal.Zero,
    Decimal.of(100, 2),
    Decimal.One,
  ),
);

export const interval = fc
  .tuple(fc.integer(), fc.integer(), fc.oneof(int64, fc.integer()))
  .map(([months, days, micros]) => new Interval(months, days, micros));

const uuid = fc.uuid();
const bytes = fc.uint8Array({ maxLength: 40 });

export const json: fc.Arbitrary<DocumentValue> = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
    decimal.filter((value) => value.isFinite() && String(value.toNumber()) !== value.toString()),
    fc.string({ maxLength: 80 }),
    fc.array(tie('node'), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.string({ maxLength: 6 }), tie('node')), { maxLength: 6 })
      .map((entries) => new Map(entries as [string, DocumentValue][])),
  ),
})).node as fc.Arbitrary<DocumentValue>;

/** Documents with every kind of value that a collection may hold. */
export const richDocument: fc.Arbitrary<DocumentValue> = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    json,
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double(),
    fc.uint8Array({ maxLength: 100 }),
    fc.date({ noInvalidDate: true }),
    fc.uuid().map((text) => new Uuid(text)),
    fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
    fc.array(tie('node'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.string({ maxLength: 100, unit: 'grapheme' }), tie('node')), { maxLength: 4 })
      .map((entries) => new Map(entries as [string, DocumentValue][])),
  ),
})).node as fc.Arbitrary<DocumentValue>;

const intArray: StorageType = {
  kind: StorageKind.Array,
  element: { oid: 23, storage: { kind: StorageKind.Int32 } },
};
const textArray: StorageType = { kind: StorageKind.Array, element: { oid: 25, storage: { kind: StorageKind.Text } } };
const pair: StorageType = {
  kind: StorageKind.Record,
  record: {
    typeOid: 5000,
    names: ['a', 'b'],
    types: [23, 25],
    typmods: [-1, -1],
    fields: [{ kind: StorageKind.Int32 }, { kind: StorageKind.Text }],
  },
};

function itemsOrder(a: readonly unknown[], b: readonly unknown[], compare: (x: never, y: never) => number): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] === null || b[i] === null) {
      if (a[i] !== b[i]) return a[i] === null ? 1 : -1;
    } else {
      const result = compare(a[i] as never, b[i] as never);
      if (result !== 0) return result;
    }
  }
  return a.length - b.length;
}

const textRange: StorageType = {
  kind: StorageKind.Range,
  range: { typeOid: 5001, bound: { kind: StorageKind.Text } },
};
const intRange: StorageType = {
  kind: StorageKind.Range,
  range: { typeOid: 3904, bound: { kind: StorageKind.Int32 } },
};

/** Ranges with any bounds: those whose bounds are the wrong way round have no meaning, but bytes and an order. */
function rangesOf<T>(typeOid: number, bound: fc.Arbitrary<T>): fc.Arbitrary<SqlRange> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(SqlRange.none(typeOid)) },
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.option(bound), fc.option(bound), fc.boolean(), fc.boolean())
        .map(([l, u, lower, upper]) => new SqlRange(typeOid, false, l, u, lower && l !== null, upper && u !== null)),
    },
  );
}

/** PostgreSQL's order of ranges: a missing bound is an end of the world, an exclusive one a hair off its value. */
function rangeOrder<T>(compare: (a: T, b: T) => number): (a: SqlRange, b: SqlRange) => number {
  const side = (a: unknown, b: unknown, infinite: number, aHair: number, bHair: number): number => {
    if (a === null || b === null) return a === b ? 0 : a === null ? infinite : -infinite;
    return compare(a as T, b as T) || aHair - bHair;
  };
  return (a, b) => {
    if (a.empty || b.empty) return Number(b.empty) - Number(a.empty);
    return (
      side(a.lower, b.lower, -1, a.lowerInclusive ? 0 : 1, b.lowerInclusive ? 0 : 1) ||
      side(a.upper, b.upper, 1, a.upperInclusive ? 1 : 0, b.upperInclusive ? 1 : 0)
    );
  };
}

const lowered = (text: string): string => text.toLowerCase();

export const kinds: readonly Kind[] = [
  { name: 'bool', storage: { kind: StorageKind.Bool }, values: fc.boolean(), compare: order },
  {
    name: 'int2',
    storage: { kind: StorageKind.Int16 },
    values: fc.integer({ min: -32768, max: 32767 }),
    compare: order,
  },
  { name: 'int4', storage: { kind: StorageKind.Int32 }, values: fc.integer(), compare: order },
  { name: 'int8', storage: { kind: StorageKind.Int64 }, values: int64, compare: order },
  { name: 'oid', storage: { kind: StorageKind.UInt32 }, values: fc.nat(0xffffffff), compare: order },
  { name: 'float4', storage: { kind: StorageKind.Float32 }, values: fc.float(), compare: floatOrder },
  { name: 'float8', storage: { kind: StorageKind.Float64 }, values: fc.double(), compare: floatOrder },
  {
    name: 'numeric',
    storage: { kind: StorageKind.Decimal },
    values: decimal,
    compare: (a: Decimal, b: Decimal) => a.compare(b),
  },
  { name: 'text', storage: { kind: StorageKind.Text }, values: text, compare: compareText },
  {
    name: 'bpchar',
    storage: { kind: StorageKind.PaddedText },
    values: fc.string({ maxLength: 5 }).map((value) => value.padEnd(8)),
    compare: (a: string, b: string) => compareText(a.replace(/ +$/, ''), b.replace(/ +$/, '')),
  },
  {
    name: 'citext',
    storage: { kind: StorageKind.FoldedText, fold: lowered },
    values: fc.constantFrom('', 'a', 'A', 'aB', 'Ab', 'b', 'ÄB', 'äb', '日', 'a\u0000B'),
    compare: (a: string, b: string) => compareText(lowered(a), lowered(b)),
  },
  { name: 'bytea', storage: { kind: StorageKind.Bytes }, values: bytes, compare: bytesOrder },
  {
    name: 'date',
    storage: { kind: StorageKind.Date },
    values: fc.oneof(fc.integer({ min: -2000000000, max: 2000000000 }), fc.constantFrom(Infinity, -Infinity)),
    compare: order,
  },
  { name: 'time', storage: { kind: StorageKind.Time }, values: fc.nat(86400000000), compare: order },
  { name: 'timestamp', storage: { kind: StorageKind.Timestamp }, values: timestamp, compare: order },
  {
    name: 'timetz',
    storage: { kind: StorageKind.TimeTz },
    values: fc
      .tuple(fc.nat(86400000000), fc.integer({ min: -57599, max: 57599 }))
      .map(([micros, offset]) => new TimeTz(micros, offset)),
    compare: (a: TimeTz, b: TimeTz) => a.compare(b),
  },
  {
    name: 'interval',
    storage: { kind: StorageKind.Interval },
    values: interval,
    compare: (a: Interval, b: Interval) => a.compare(b),
  },
  { name: 'uuid', storage: { kind: StorageKind.Uuid }, values: uuid, compare: compareText },
  { name: 'json', storage: { kind: StorageKind.Json }, values: fc.json().map((value) => new Json(value)) },
  { name: 'jsonb', storage: { kind: StorageKind.Jsonb }, values: json.map((value) => Jsonb.of(value)) },
  {
    name: 'int4[]',
    storage: intArray,
    values: fc.array(fc.option(fc.integer()), { maxLength: 9 }).map((items) => SqlArray.of(23, items)),
    compare: (a: SqlArray, b: SqlArray) => itemsOrder(a.items, b.items, order),
  },
  {
    name: 'text[]',
    storage: textArray,
    values: fc.array(fc.option(text), { maxLength: 5 }).map((items) => SqlArray.of(25, items)),
    compare: (a: SqlArray, b: SqlArray) => itemsOrder(a.items, b.items, compareText),
  },
  {
    name: 'record',
    storage: pair,
    values: fc
      .tuple(fc.option(fc.integer({ min: -3, max: 3 })), fc.option(text))
      .map((fields) => new SqlRecord(5000, fields, pair.record as NonNullable<typeof pair.record>)),
    compare: (a: SqlRecord, b: SqlRecord) => {
      const first = itemsOrder(a.fields.slice(0, 1), b.fields.slice(0, 1), order);
      return first !== 0 ? first : itemsOrder(a.fields.slice(1), b.fields.slice(1), compareText);
    },
  },
  {
    name: 'enum',
    storage: { kind: StorageKind.Enum, labels: moods },
    values: fc.constantFrom('sad', 'ok', 'happy'),
    compare: (a: string, b: string) => moods.orderOf(a) - moods.orderOf(b),
  },
  {
    name: 'int4range',
    storage: intRange,
    values: rangesOf(3904, fc.integer({ min: -3, max: 3 })),
    compare: rangeOrder(order),
  },
  { name: 'textrange', storage: textRange, values: rangesOf(5001, text), compare: rangeOrder(compareText) },
  {
    name: 'int4multirange',
    storage: { kind: StorageKind.Multirange, multirange: { typeOid: 4451, range: intRange } },
    values: fc
      .array(rangesOf(3904, fc.integer({ min: -3, max: 3 })), { maxLength: 4 })
      .map((ranges) => new SqlMultirange(4451, ranges)),
    compare: (a: SqlMultirange, b: SqlMultirange) => itemsOrder(a.ranges, b.ranges, rangeOrder(order)),
  },
];
