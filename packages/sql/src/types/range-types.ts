/**
 * Range types and their multirange types: those PostgreSQL brings along, and what a user's range type is made from. Values,
 * bytes and text are of any subtype that has an order; range-algebra.ts knows what they mean.
 */
import { type ByteWriter, PhantomError } from '@phantom/base';
import type { TypeDescriptor } from '@phantom/catalog';
import { type SqlMultirange, SqlRange, StorageKind, type StorageType, canonicalInteger } from '@phantom/codec';
import { builtinType } from './base-type.js';
import { DATE_MAX } from './calendar.js';
import { dateTimeTypes } from './date-time-types.js';
import { integerTypes } from './integer-types.js';
import { numericType } from './numeric-type.js';
import { type RangeTraits, compareMultiranges, compareRanges, makeMultirange, makeRange } from './range-algebra.js';
import { type RangeText, formatRange, parseRange, splitMultirange } from './range-text.js';
import { invalidBinary } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext, Value } from './type.js';
import { getI32, getU32, putI32 } from './wire.js';

function inputRange(traits: RangeTraits, text: string, context: TypeContext): SqlRange {
  const parts = parseRange(text);
  if (parts.empty) return SqlRange.none(traits.rangeOid);
  const value = (bound: string | null): Value => (bound === null ? null : traits.subtype.input(bound, -1, context));
  return makeRange(
    traits,
    { value: value(parts.lower), inclusive: parts.lowerInclusive, lower: true },
    { value: value(parts.upper), inclusive: parts.upperInclusive, lower: false },
  );
}

function outputRange(traits: RangeTraits, range: SqlRange, context: TypeContext): string {
  const text = (bound: Value): string | null => (bound === null ? null : traits.subtype.output(bound, context));
  const parts: RangeText = { ...range, lower: text(range.lower), upper: text(range.upper) };
  return formatRange(parts);
}

/** Flags of PostgreSQL's binary format. */
const EMPTY = 1;
const LOWER_INCLUSIVE = 2;
const UPPER_INCLUSIVE = 4;
const LOWER_INFINITE = 8;
const UPPER_INFINITE = 16;

/** Puts what `write` appends behind the number of its bytes. */
function putSized(writer: ByteWriter, write: () => void): void {
  putI32(writer, 0);
  const from = writer.length;
  write();
  const end = writer.length;
  writer.length = from - 4;
  putI32(writer, end - from);
  writer.length = end;
}

function sendRange(traits: RangeTraits, range: SqlRange, writer: ByteWriter, context: TypeContext): void {
  const flags = range.empty
    ? EMPTY
    : (range.lowerInclusive ? LOWER_INCLUSIVE : 0) |
      (range.upperInclusive ? UPPER_INCLUSIVE : 0) |
      (range.lower === null ? LOWER_INFINITE : 0) |
      (range.upper === null ? UPPER_INFINITE : 0);
  writer.u8(flags);
  for (const bound of [range.lower, range.upper]) {
    if (bound !== null) putSized(writer, () => traits.subtype.send(bound, writer, context));
  }
}

function receiveRange(
  traits: RangeTraits,
  bytes: Uint8Array,
  start: number,
  end: number,
  context: TypeContext,
): SqlRange {
  if (start >= end) throw new PhantomError('08P01', 'insufficient data left in message');
  const flags = bytes[start] as number;
  let at = start + 1;
  const bound = (infinite: number): Value => {
    if ((flags & (EMPTY | infinite)) !== 0) return null;
    const size = getI32(bytes, at, end);
    const from = at + 4;
    if (size < 0 || size > end - from) throw invalidBinary('insufficient data left in message');
    at = from + size;
    return traits.subtype.receive(bytes, from, at, -1, context);
  };
  const lower = bound(LOWER_INFINITE);
  const upper = bound(UPPER_INFINITE);
  if (at !== end) throw invalidBinary('incorrect binary data format');
  if ((flags & EMPTY) !== 0) return SqlRange.none(traits.rangeOid);
  return makeRange(
    traits,
    { value: lower, inclusive: (flags & LOWER_INCLUSIVE) !== 0, lower: true },
    { value: upper, inclusive: (flags & UPPER_INCLUSIVE) !== 0, lower: false },
  );
}

function receiveMultirange(
  traits: RangeTraits,
  bytes: Uint8Array,
  start: number,
  end: number,
  context: TypeContext,
): SqlMultirange {
  const count = getU32(bytes, start, end);
  if (count * 5 > end - start) throw invalidBinary('insufficient data left in message');
  const ranges: SqlRange[] = [];
  let at = start + 4;
  for (let i = 0; i < count; i++) {
    const size = getU32(bytes, at, end);
    at += 4;
    if (size > end - at) throw invalidBinary('insufficient data left in message');
    ranges.push(receiveRange(traits, bytes, at, at + size, context));
    at += size;
  }
  return makeMultirange(traits, ranges);
}

/** A string that is the same exactly for equal ranges. */
function rangeKey(traits: RangeTraits, range: SqlRange): string {
  if (range.empty) return 'e';
  const part = (bound: Value): string => {
    if (bound === null) return 'n';
    const key = String((traits.subtype.hashKey as NonNullable<SqlType['hashKey']>)(bound));
    return `${key.length}:${key}`;
  };
  const sides = (range.lowerInclusive ? 1 : 0) + (range.upperInclusive ? 2 : 0);
  return `${sides}${part(range.lower)}${part(range.upper)}`;
}

type Behaviour = Pick<
  SqlType,
  'kind' | 'storage' | 'range' | 'input' | 'output' | 'receive' | 'send' | 'compare' | 'hashKey'
>;

function rangeStorage(traits: RangeTraits): StorageType {
  return { kind: StorageKind.Range, range: { typeOid: traits.rangeOid, bound: traits.subtype.storage } };
}

/** What a range type does. */
function rangeBehaviour(traits: RangeTraits): Behaviour {
  return {
    kind: 'range',
    storage: rangeStorage(traits),
    range: traits,
    input: (text, _typmod, context) => inputRange(traits, text, context),
    output: (value, context) => outputRange(traits, value as SqlRange, context),
    receive: (bytes, start, end, _typmod, context) => receiveRange(traits, bytes, start, end, context),
    send: (value, writer, context) => sendRange(traits, value as SqlRange, writer, context),
    compare: (a, b) => compareRanges(traits, a as SqlRange, b as SqlRange),
    hashKey: traits.subtype.hashKey === undefined ? undefined : (value) => rangeKey(traits, value as SqlRange),
  };
}

/** What the multirange type of a range type does. */
function multirangeBehaviour(traits: RangeTraits): Behaviour {
  return {
    kind: 'multirange',
    storage: {
      kind: StorageKind.Multirange,
      multirange: { typeOid: traits.multirangeOid, range: rangeStorage(traits) },
    },
    range: traits,
    input: (text, _typmod, context) =>
      makeMultirange(
        traits,
        splitMultirange(text).map((part) => inputRange(traits, part, context)),
      ),
    output: (value, context) =>
      `{${(value as SqlMultirange).ranges.map((range) => outputRange(traits, range, context)).join(',')}}`,
    receive: (bytes, start, end, _typmod, context) => receiveMultirange(traits, bytes, start, end, context),
    send: (value, writer, context) => {
      const { ranges } = value as SqlMultirange;
      putI32(writer, ranges.length);
      for (const range of ranges) putSized(writer, () => sendRange(traits, range, writer, context));
    },
    compare: (a, b) => compareMultiranges(traits, a as SqlMultirange, b as SqlMultirange),
    hashKey:
      traits.subtype.hashKey === undefined
        ? undefined
        : (value) => (value as SqlMultirange).ranges.map((range) => rangeKey(traits, range)).join(';'),
  };
}

/** The integer behind one, of a type that ends at `last`. */
function nextInteger(last: number | bigint, what: string): (value: Value) => Value {
  return (value) => {
    if (value === last) throw new PhantomError('22003', `${what} out of range`);
    if (typeof value === 'number' && value < Number.MAX_SAFE_INTEGER) return value + 1;
    return canonicalInteger(BigInt(value as number | bigint) + 1n);
  };
}

/** The day behind one; the infinities have none. */
function nextDay(value: Value): Value {
  const day = value as number;
  if (!Number.isFinite(day)) return day;
  if (day >= DATE_MAX) throw new PhantomError('22008', 'date out of range');
  return day + 1;
}

/** A range type that a user made, or its multirange type. */
export function userRangeType(descriptor: TypeDescriptor, traits: RangeTraits): SqlType {
  return {
    oid: descriptor.oid,
    name: descriptor.name,
    displayName: descriptor.name,
    category: 'R',
    preferred: false,
    length: -1,
    elementOid: 0,
    arrayOid: descriptor.arrayOid,
    baseOid: 0,
    ...(descriptor.oid === traits.rangeOid ? rangeBehaviour(traits) : multirangeBehaviour(traits)),
  };
}

const subtypes: ReadonlyMap<number, SqlType> = new Map(
  [...integerTypes, numericType, ...dateTimeTypes].map((type) => [type.oid, type]),
);

function builtinRange(
  rangeOid: number,
  multirangeOid: number,
  subtypeOid: number,
  next: RangeTraits['next'],
): readonly SqlType[] {
  const subtype = subtypes.get(subtypeOid) as SqlType;
  const compare = subtype.compare as RangeTraits['compare'];
  const traits: RangeTraits = { rangeOid, multirangeOid, subtype, compare, next };
  // The facts of the type, with every part of its behaviour in the place of the defaults.
  const make = (oid: number, behaviour: Behaviour): SqlType => ({
    ...builtinType<Value>(oid, behaviour),
    ...behaviour,
  });
  return [make(rangeOid, rangeBehaviour(traits)), make(multirangeOid, multirangeBehaviour(traits))];
}

export const rangeTypes: readonly SqlType[] = [
  ...builtinRange(TypeOid.int4Range, TypeOid.int4Multirange, TypeOid.int4, nextInteger(2147483647, 'integer')),
  ...builtinRange(TypeOid.int8Range, TypeOid.int8Multirange, TypeOid.int8, nextInteger(9223372036854775807n, 'bigint')),
  ...builtinRange(TypeOid.numRange, TypeOid.numMultirange, TypeOid.numeric, undefined),
  ...builtinRange(TypeOid.dateRange, TypeOid.dateMultirange, TypeOid.date, nextDay),
  ...builtinRange(TypeOid.tsRange, TypeOid.tsMultirange, TypeOid.timestamp, undefined),
  ...builtinRange(TypeOid.tstzRange, TypeOid.tstzMultirange, TypeOid.timestamptz, undefined),
];
