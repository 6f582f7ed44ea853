/**
 * Comparison operators and larger/smaller of every ordered type. Each type's six are made from its order; PostgreSQL's names
 * for them follow one of two patterns (int4lt, date_lt).
 */
import { PhantomError } from '@phantom/base';
import {
  type Decimal,
  type Interval,
  type Jsonb,
  type SqlArray,
  type SqlRecord,
  type TimeTz,
  compareText,
} from '@phantom/codec';
import { compareArrays } from '../types/array-type.js';
import { compareFloats } from '../types/float-types.js';
import { compareJsonb } from '../types/json-order.js';
import { compareRecords } from '../types/record-type.js';
import { trimPadding } from '../types/text-types.js';
import type { SqlType, Value } from '../types/type.js';
import type { Implementation, Implementations } from './implementation.js';
import { scalar } from './implementation.js';
import type { CallTypes, EvaluationContext } from './registry.js';
import { instantForOrder, timestampForOrder } from './date-time-arithmetic.js';

type Compare = (a: never, b: never) => number;
type Scalar = number | bigint | boolean | string;

/** The six operators `${prefix}eq`, ..., over an order. */
function six(prefix: string, compare: Compare): Record<string, Implementation> {
  const order = compare as (a: Value, b: Value) => number;
  return {
    [`${prefix}eq`]: (a: Value, b: Value) => order(a, b) === 0,
    [`${prefix}ne`]: (a: Value, b: Value) => order(a, b) !== 0,
    [`${prefix}lt`]: (a: Value, b: Value) => order(a, b) < 0,
    [`${prefix}le`]: (a: Value, b: Value) => order(a, b) <= 0,
    [`${prefix}gt`]: (a: Value, b: Value) => order(a, b) > 0,
    [`${prefix}ge`]: (a: Value, b: Value) => order(a, b) >= 0,
  };
}

/** The four of them that are not about equality. */
function orders(prefix: string, compare: Compare): Record<string, Implementation> {
  return Object.fromEntries(Object.entries(six(prefix, compare)).filter(([name]) => !/(?:eq|ne)$/.test(name)));
}

/** The six for types whose values JavaScript orders as SQL does. */
function native(prefix: string): Record<string, Implementation> {
  const write =
    (operator: string) =>
    ([a, b]: readonly string[]): string =>
      `${a} ${operator} ${b}`;
  return {
    [`${prefix}eq`]: scalar((a: Scalar, b: Scalar) => a === b, { inline: write('===') }),
    [`${prefix}ne`]: scalar((a: Scalar, b: Scalar) => a !== b, { inline: write('!==') }),
    [`${prefix}lt`]: scalar((a: Scalar, b: Scalar) => a < b, { inline: write('<') }),
    [`${prefix}le`]: scalar((a: Scalar, b: Scalar) => a <= b, { inline: write('<=') }),
    [`${prefix}gt`]: scalar((a: Scalar, b: Scalar) => a > b, { inline: write('>') }),
    [`${prefix}ge`]: scalar((a: Scalar, b: Scalar) => a >= b, { inline: write('>=') }),
  };
}

/** larger and smaller under both of PostgreSQL's spellings. */
function extremes(larger: string, smaller: string, compare: Compare): Record<string, Implementation> {
  const order = compare as (a: Value, b: Value) => number;
  return {
    [larger]: (a: Value, b: Value) => (order(a, b) > 0 ? a : b),
    [smaller]: (a: Value, b: Value) => (order(a, b) < 0 ? a : b),
  };
}

const scalars: Compare = (a: number | bigint, b: number | bigint) => (a < b ? -1 : a > b ? 1 : 0);

/** Date against timestamp, which is in its place or, with a zone, at midnight of the session's. */
const dateTimestamp = (date: number, timestamp: number | bigint): number =>
  (scalars as (a: Value, b: Value) => number)(timestampForOrder(date), timestamp);

function contextualSix(
  prefix: string,
  suffix: string,
  order: (a: Value, b: Value, context: EvaluationContext) => number,
) {
  const make = (accept: (result: number) => boolean): Implementation =>
    scalar((a: Value, b: Value, context: EvaluationContext) => accept(order(a, b, context)), { context: true });
  return {
    [`${prefix}eq${suffix}`]: make((result) => result === 0),
    [`${prefix}ne${suffix}`]: make((result) => result !== 0),
    [`${prefix}lt${suffix}`]: make((result) => result < 0),
    [`${prefix}le${suffix}`]: make((result) => result <= 0),
    [`${prefix}gt${suffix}`]: make((result) => result > 0),
    [`${prefix}ge${suffix}`]: make((result) => result >= 0),
  };
}

const order = scalars as (a: Value, b: Value) => number;

/** Time stamps without zone are local times of the session's. */
function mixedZones(): Implementations {
  const instant = (local: Value, context: EvaluationContext): number | bigint =>
    instantForOrder(local as number | bigint, context.timeZone);
  return {
    ...contextualSix('date_', '_timestamp', (a, b) => dateTimestamp(a as number, b as number | bigint)),
    ...contextualSix('timestamp_', '_date', (a, b) => -dateTimestamp(b as number, a as number | bigint)),
    ...contextualSix('date_', '_timestamptz', (a, b, context) =>
      order(instant(timestampForOrder(a as number), context), b),
    ),
    ...contextualSix('timestamptz_', '_date', (a, b, context) =>
      order(a, instant(timestampForOrder(b as number), context)),
    ),
    ...contextualSix('timestamp_', '_timestamptz', (a, b, context) => order(instant(a, context), b)),
    ...contextualSix('timestamptz_', '_timestamp', (a, b, context) => order(a, instant(b, context))),
  };
}

function elementOrder(context: EvaluationContext, elementOid: number): (a: Value, b: Value) => number {
  const type = context.types.byOid(elementOid);
  if (type?.compare === undefined) {
    throw new PhantomError(
      '42883',
      `could not identify a comparison function for type ${type?.displayName ?? String(elementOid)}`,
    );
  }
  return type.compare;
}

const compareArraysIn = (a: Value, b: Value, context: EvaluationContext): number => {
  const x = a as SqlArray;
  const y = b as SqlArray;
  return compareArrays(x, y, elementOrder(context, x.elementOid));
};

/** Enums compare by the order of their labels, which only the type knows. */
const compareEnums = (a: Value, b: Value, _context: EvaluationContext, type: SqlType): number =>
  (type.compare as (a: Value, b: Value) => number)(a, b);

function typedSix(prefix: string, compare: typeof compareEnums): Record<string, Implementation> {
  const make = (accept: (result: number) => boolean): Implementation =>
    scalar(
      (a: Value, b: Value, context: EvaluationContext, types: CallTypes) =>
        accept(compare(a, b, context, callType(context, types))),
      { context: true, types: true },
    );
  return {
    [`${prefix}eq`]: scalar((a: Value, b: Value) => a === b, {}),
    [`${prefix}ne`]: scalar((a: Value, b: Value) => a !== b, {}),
    [`${prefix}lt`]: make((result) => result < 0),
    [`${prefix}le`]: make((result) => result <= 0),
    [`${prefix}gt`]: make((result) => result > 0),
    [`${prefix}ge`]: make((result) => result >= 0),
    [`${prefix}cmp`]: scalar(
      (a: Value, b: Value, context: EvaluationContext, types: CallTypes) =>
        Math.sign(compare(a, b, context, callType(context, types))),
      { context: true, types: true },
    ),
    [`${prefix}larger`]: scalar(
      (a: Value, b: Value, context: EvaluationContext, types: CallTypes) =>
        compare(a, b, context, callType(context, types)) > 0 ? a : b,
      { context: true, types: true },
    ),
    [`${prefix}smaller`]: scalar(
      (a: Value, b: Value, context: EvaluationContext, types: CallTypes) =>
        compare(a, b, context, callType(context, types)) < 0 ? a : b,
      { context: true, types: true },
    ),
  };
}

function callType(context: EvaluationContext, types: CallTypes): SqlType {
  const type = context.types.byOid(types.arguments[0]?.oid ?? 0);
  if (type === undefined) throw new PhantomError('42704', 'type does not exist');
  return type;
}

const compareDecimals: Compare = (a: Decimal, b: Decimal) => a.compare(b);
const compareIntervals: Compare = (a: Interval, b: Interval) => a.compare(b);
const compareTimeTz: Compare = (a: TimeTz, b: TimeTz) => a.compare(b);
const comparePadded: Compare = (a: string, b: string) => compareText(trimPadding(a), trimPadding(b));
const compareBytea: Compare = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b);

const INTEGER_PREFIXES = ['int2', 'int4', 'int8', 'int24', 'int42', 'int28', 'int82', 'int48', 'int84', 'oid'];
const FLOAT_PREFIXES = ['float4', 'float8', 'float48', 'float84'];

/** nameeqtext, textltname and so on. */
function mixedNames(left: string, right: string): Record<string, Implementation> {
  const plain = six('', compareText);
  return Object.fromEntries(Object.entries(plain).map(([name, code]) => [`${left}${name}${right}`, code]));
}

/** texteq and textne, but text_lt: so many patterns has PostgreSQL. */
const textSix: Implementations = {
  texteq: scalar((a: string, b: string) => a === b, { inline: ([a, b]) => `${a} === ${b}` }),
  textne: scalar((a: string, b: string) => a !== b, { inline: ([a, b]) => `${a} !== ${b}` }),
  text_lt: (a: string, b: string) => compareText(a, b) < 0,
  text_le: (a: string, b: string) => compareText(a, b) <= 0,
  text_gt: (a: string, b: string) => compareText(a, b) > 0,
  text_ge: (a: string, b: string) => compareText(a, b) >= 0,
  ...six('name', compareText),
  ...mixedNames('name', 'text'),
  ...mixedNames('text', 'name'),
  ...six('char', compareText),
  ...orders('text_pattern_', compareText),
  ...orders('bpchar_pattern_', comparePadded),
  ...six('bpchar', comparePadded),
  ...extremes('text_larger', 'text_smaller', compareText),
  ...extremes('bpchar_larger', 'bpchar_smaller', comparePadded),
};

/** What index operator classes call: below, at or above zero. */
function orderings(compare: Compare, names: readonly string[]): Record<string, Implementation> {
  const order = compare as (a: Value, b: Value) => number;
  return Object.fromEntries(names.map((name) => [name, (a: Value, b: Value) => Math.sign(order(a, b))]));
}

function comparisons(): Implementations {
  const integers = ['int2', 'int24', 'int28', 'int42', 'int4', 'int48', 'int82', 'int84', 'int8', 'oid'];
  const texts = ['text', 'char', 'name', 'nametext', 'textname'].map((name) => `bt${name}cmp`);
  return {
    ...orderings(
      scalars,
      integers.map((name) => `bt${name}cmp`),
    ),
    ...orderings(scalars, ['btboolcmp', 'date_cmp', 'time_cmp', 'timestamp_cmp']),
    ...orderings(compareText, [...texts, 'bttext_pattern_cmp', 'uuid_cmp']),
    ...orderings(comparePadded, ['bpcharcmp', 'btbpchar_pattern_cmp']),
    ...orderings(compareFloats, ['btfloat4cmp', 'btfloat48cmp', 'btfloat84cmp', 'btfloat8cmp']),
    ...orderings(compareTimeTz, ['timetz_cmp']),
    ...orderings(compareIntervals, ['interval_cmp']),
    ...orderings(compareDecimals, ['numeric_cmp']),
    ...orderings(compareBytea, ['byteacmp']),
  };
}

export const comparisonFunctions: Implementations = Object.assign(
  {},
  ...INTEGER_PREFIXES.map(native),
  ...FLOAT_PREFIXES.map((prefix) => six(prefix, compareFloats)),
  native('bool'),
  native('date_'),
  native('time_'),
  native('timestamp_'),
  native('tid'),
  native('xid8'),
  six('timetz_', compareTimeTz),
  six('interval_', compareIntervals),
  six('numeric_', compareDecimals),
  six('bytea', compareBytea),
  six('uuid_', compareText),
  six('jsonb_', (a: Jsonb, b: Jsonb) => compareJsonb(a, b)),
  six('pg_lsn_', scalars),
  six('macaddr_', scalars),
  six('macaddr8_', scalars),
  textSix,
  comparisons(),
  mixedZones(),
  contextualSix('array_', '', compareArraysIn),
  contextualSix('record_', '', (a, b, context) => compareRecords(a as SqlRecord, b as SqlRecord, context.types)),
  typedSix('enum_', compareEnums),
  ...['int2', 'int4', 'int8', 'oid'].map((name) => extremes(`${name}larger`, `${name}smaller`, scalars)),
  extremes('float4larger', 'float4smaller', compareFloats),
  extremes('float8larger', 'float8smaller', compareFloats),
  extremes('numeric_larger', 'numeric_smaller', compareDecimals),
  extremes('date_larger', 'date_smaller', scalars),
  extremes('time_larger', 'time_smaller', scalars),
  extremes('timestamp_larger', 'timestamp_smaller', scalars),
  extremes('timetz_larger', 'timetz_smaller', compareTimeTz),
  extremes('interval_larger', 'interval_smaller', compareIntervals),
  {
    array_larger: scalar(
      (a: Value, b: Value, context: EvaluationContext) => (compareArraysIn(a, b, context) > 0 ? a : b),
      {
        context: true,
      },
    ),
    array_smaller: scalar(
      (a: Value, b: Value, context: EvaluationContext) => (compareArraysIn(a, b, context) < 0 ? a : b),
      {
        context: true,
      },
    ),
    btrecordcmp: scalar(
      (a: SqlRecord, b: SqlRecord, context: EvaluationContext) => Math.sign(compareRecords(a, b, context.types)),
      { context: true },
    ),
    btarraycmp: scalar((a: Value, b: Value, context: EvaluationContext) => Math.sign(compareArraysIn(a, b, context)), {
      context: true,
    }),
    xideq: (a: number, b: number) => a === b >>> 0,
    xidneq: (a: number, b: number) => a !== b >>> 0,
    cideq: (a: number, b: number) => a === b,
    jsonb_cmp: (a: Jsonb, b: Jsonb) => Math.sign(compareJsonb(a, b)),
  },
) as Implementations;
