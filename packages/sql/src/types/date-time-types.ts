/** date, time, timetz, timestamp, timestamptz and interval: text, binary, order and precisions. */
import { type ByteWriter, PhantomError } from '@phantom/base';
import { Interval, MICROS_PER_DAY, StorageKind, TimeTz, canonicalInteger } from '@phantom/codec';
import { builtinType, compareScalars } from './base-type.js';
import { DATE_MAX, DATE_MIN, daysFromDate, isTimestampInRange, joinTimestamp } from './calendar.js';
import { DateTimeDecoder, type DecodedDateTime } from './date-time-decode.js';
import {
  formatClock,
  formatDate,
  formatInterval,
  formatTimeTz,
  formatTimestamp,
  formatTimestampTz,
} from './date-time-format.js';
import { DateTimeFailure, dateTimeError, splitFields } from './date-time-tokens.js';
import {
  INTERVAL_DAY,
  INTERVAL_FULL_PRECISION,
  INTERVAL_FULL_RANGE,
  INTERVAL_HOUR,
  INTERVAL_MINUTE,
  INTERVAL_MONTH,
  INTERVAL_SECOND,
  INTERVAL_YEAR,
  decodeInterval,
} from './interval-decode.js';
import { isoDate, isoTimestamp } from './iso-date-time.js';
import { invalidParameter } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext } from './type.js';
import { expectBytes, getI32, getI64, putI32, putI64 } from './wire.js';

/** Days from 2000-01-01 back to 1970-01-01. */
const EPOCH_DAYS = -10957;

function decode(text: string, typeName: string, context: TypeContext, timeOnly = false): DecodedDateTime {
  try {
    return new DateTimeDecoder(splitFields(text), context, timeOnly).decode();
  } catch (error) {
    if (error instanceof DateTimeFailure) throw dateTimeError(error.fault, text, typeName);
    throw error;
  }
}

function infinityOf(meaning: DecodedDateTime['meaning']): number | undefined {
  if (meaning === 'infinity') return Number.POSITIVE_INFINITY;
  return meaning === '-infinity' ? Number.NEGATIVE_INFINITY : undefined;
}

/** Text of a date column. */
export function parseDate(text: string, context: TypeContext): number {
  const plain = isoDate(text);
  if (plain !== undefined) return plain;
  const decoded = decode(text, 'date', context);
  const infinite = infinityOf(decoded.meaning);
  if (infinite !== undefined) return infinite;
  if (decoded.meaning === 'epoch') return EPOCH_DAYS;
  const days = daysFromDate(decoded.year, decoded.month, decoded.day);
  if (days < DATE_MIN || days > DATE_MAX) throw new PhantomError('22008', `date out of range: "${text}"`);
  return days;
}

/** Text of a timestamp column; a zone in it is read and ignored. */
export function parseTimestamp(text: string, context: TypeContext): number | bigint {
  return isoTimestamp(text) ?? timestampOf(text, decode(text, 'timestamp', context), 0);
}

/** Text of a timestamptz column; without a zone it is local time of the session's. */
export function parseTimestampTz(text: string, context: TypeContext): number | bigint {
  const decoded = decode(text, 'timestamp with time zone', context);
  return timestampOf(text, decoded, decoded.offsetSeconds);
}

function timestampOf(text: string, decoded: DecodedDateTime, offsetSeconds: number): number | bigint {
  const infinite = infinityOf(decoded.meaning);
  if (infinite !== undefined) return infinite;
  if (decoded.meaning === 'epoch') return EPOCH_DAYS * MICROS_PER_DAY;
  const days = daysFromDate(decoded.year, decoded.month, decoded.day);
  const timestamp = joinTimestamp(days, decoded.micros - offsetSeconds * 1_000_000);
  if (!isTimestampInRange(timestamp)) throw new PhantomError('22008', `timestamp out of range: "${text}"`);
  return timestamp;
}

/** Text of a time column. */
export function parseTime(text: string, context: TypeContext): number {
  const decoded = decode(text, 'time', context, true);
  if (decoded.meaning !== 'date') throw dateTimeError('format', text, 'time');
  return decoded.micros;
}

/** Text of a timetz column. */
export function parseTimeTz(text: string, context: TypeContext): TimeTz {
  const decoded = decode(text, 'time with time zone', context, true);
  if (decoded.meaning !== 'date') throw dateTimeError('format', text, 'time with time zone');
  return new TimeTz(decoded.micros, 0 - decoded.offsetSeconds);
}

/** Text of an interval column. */
export function parseInterval(text: string, typmod: number, style: TypeContext['intervalStyle']): Interval {
  const range = typmod < 0 ? INTERVAL_FULL_RANGE : (typmod >> 16) & INTERVAL_FULL_RANGE;
  try {
    return applyIntervalTypmod(decodeInterval(text, range, style === 'sql_standard'), typmod);
  } catch (error) {
    if (!(error instanceof DateTimeFailure)) throw error;
    throw dateTimeError(error.fault === 'overflow' ? 'interval overflow' : error.fault, text, 'interval');
  }
}

const PRECISION_UNITS: readonly number[] = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1];

/** Rounds microseconds to `precision` digits of a second, half away from zero. */
export function roundMicros(micros: number | bigint, precision: number): number | bigint {
  const unit = PRECISION_UNITS[precision];
  if (unit === undefined || unit === 1) return micros;
  if (typeof micros === 'number') {
    if (!Number.isFinite(micros)) return micros;
    const rest = micros % unit;
    const down = micros - rest;
    if (Math.abs(rest) * 2 < unit) return down === 0 ? 0 : down;
    return micros < 0 ? down - unit : down + unit;
  }
  const size = BigInt(unit);
  const rest = micros % size;
  const down = micros - rest;
  const up = (rest < 0n ? -rest : rest) * 2n >= size;
  return canonicalInteger(up ? (micros < 0n ? down - size : down + size) : down);
}

function parsePrecision(typeName: string): (modifiers: readonly (number | string)[]) => number {
  return (modifiers) => {
    const precision = Number(modifiers[0]);
    if (modifiers.length !== 1 || !Number.isInteger(precision)) throw invalidParameter('invalid type modifier');
    if (precision < 0) throw invalidParameter(`${typeName}(${precision}) precision must not be negative`);
    return Math.min(precision, 6);
  };
}

/** Cuts an interval to a typmod's fields and rounds its seconds: AdjustIntervalForTypmod. */
export function applyIntervalTypmod(value: Interval, typmod: number): Interval {
  if (typmod < 0) return value;
  const range = (typmod >> 16) & INTERVAL_FULL_RANGE;
  const precision = typmod & INTERVAL_FULL_PRECISION;
  let { months, days, micros } = value;
  const truncate = (unit: bigint): void => {
    micros = canonicalInteger((BigInt(micros) / unit) * unit);
  };
  switch (range) {
    case INTERVAL_YEAR:
      months = Math.trunc(months / 12) * 12;
      days = 0;
      micros = 0;
      break;
    case INTERVAL_MONTH:
    case INTERVAL_YEAR | INTERVAL_MONTH:
      days = 0;
      micros = 0;
      break;
    case INTERVAL_DAY:
      micros = 0;
      break;
    case INTERVAL_HOUR:
    case INTERVAL_DAY | INTERVAL_HOUR:
      truncate(3_600_000_000n);
      break;
    case INTERVAL_MINUTE:
    case INTERVAL_HOUR | INTERVAL_MINUTE:
    case INTERVAL_DAY | INTERVAL_HOUR | INTERVAL_MINUTE:
      truncate(60_000_000n);
      break;
    default:
  }
  return new Interval(months === 0 ? 0 : months, days, precision <= 6 ? roundMicros(micros, precision) : micros);
}

const RANGE_WORDS: readonly [number, string][] = [
  [INTERVAL_YEAR, 'year'],
  [INTERVAL_MONTH, 'month'],
  [INTERVAL_DAY, 'day'],
  [INTERVAL_HOUR, 'hour'],
  [INTERVAL_MINUTE, 'minute'],
  [INTERVAL_SECOND, 'second'],
];

/** ` day to second(3)` of an interval typmod. */
function formatIntervalTypmod(typmod: number): string {
  if (typmod < 0) return '';
  const range = (typmod >> 16) & INTERVAL_FULL_RANGE;
  const precision = typmod & INTERVAL_FULL_PRECISION;
  const words = RANGE_WORDS.filter(([bit]) => (range & bit) !== 0).map(([, word]) => word);
  let text = '';
  if (range !== INTERVAL_FULL_RANGE && words.length > 0) {
    text =
      words.length === 1 ? ` ${words[0] as string}` : ` ${words[0] as string} to ${words[words.length - 1] as string}`;
  }
  return precision === INTERVAL_FULL_PRECISION ? text : `${text}(${precision})`;
}

const TIMESTAMP_BINARY_INFINITY = 9223372036854775807n;
const TIMESTAMP_BINARY_NEGATIVE_INFINITY = -9223372036854775808n;

function receiveTimestamp(bytes: Uint8Array, start: number, end: number): number | bigint {
  expectBytes(start, end, 8);
  const value = getI64(bytes, start, end);
  if (value === TIMESTAMP_BINARY_INFINITY) return Number.POSITIVE_INFINITY;
  if (value === TIMESTAMP_BINARY_NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  if (!isTimestampInRange(value)) throw new PhantomError('22008', 'timestamp out of range');
  return value;
}

function sendTimestamp(value: number | bigint, writer: ByteWriter): void {
  if (value === Number.POSITIVE_INFINITY) putI64(writer, TIMESTAMP_BINARY_INFINITY);
  else if (value === Number.NEGATIVE_INFINITY) putI64(writer, TIMESTAMP_BINARY_NEGATIVE_INFINITY);
  else putI64(writer, value);
}

function timestampType(oid: number, name: string, zoned: boolean): SqlType {
  const suffix = zoned ? ' with time zone' : ' without time zone';
  return builtinType<number | bigint>(oid, {
    storage: { kind: StorageKind.Timestamp },
    input: (text, typmod, context) =>
      roundMicros(zoned ? parseTimestampTz(text, context) : parseTimestamp(text, context), typmod),
    output: zoned ? formatTimestampTz : formatTimestamp,
    receive: (bytes, start, end, typmod) => roundMicros(receiveTimestamp(bytes, start, end), typmod),
    send: sendTimestamp,
    compare: compareScalars,
    coerceTypmod: roundMicros,
    parseTypmod: parsePrecision(name),
    formatTypmod: (typmod) => (typmod < 0 ? suffix : `(${typmod})${suffix}`),
  });
}

export const dateType: SqlType = builtinType<number>(TypeOid.date, {
  storage: { kind: StorageKind.Date },
  input: (text, _typmod, context) => parseDate(text, context),
  output: formatDate,
  receive: (bytes, start, end) => {
    expectBytes(start, end, 4);
    const days = getI32(bytes, start, end);
    if (days === 2147483647) return Number.POSITIVE_INFINITY;
    if (days === -2147483648) return Number.NEGATIVE_INFINITY;
    if (days < DATE_MIN || days > DATE_MAX) throw new PhantomError('22008', 'date out of range');
    return days;
  },
  send: (value, writer) => {
    putI32(writer, Number.isFinite(value) ? value : value > 0 ? 2147483647 : -2147483648);
  },
  compare: compareScalars,
});

const TIME_SUFFIX = ' without time zone';
const TIMETZ_SUFFIX = ' with time zone';

export const timeType: SqlType = builtinType<number>(TypeOid.time, {
  storage: { kind: StorageKind.Time },
  input: (text, typmod, context) => roundMicros(parseTime(text, context), typmod) as number,
  output: formatClock,
  receive: (bytes, start, end, typmod) => {
    expectBytes(start, end, 8);
    const micros = getI64(bytes, start, end);
    if (micros < 0 || micros > MICROS_PER_DAY) throw new PhantomError('22008', 'time out of range');
    return roundMicros(micros, typmod);
  },
  send: (value, writer) => putI64(writer, value),
  compare: compareScalars,
  coerceTypmod: (value, typmod) => roundMicros(value, typmod) as number,
  parseTypmod: parsePrecision('TIME'),
  formatTypmod: (typmod) => (typmod < 0 ? TIME_SUFFIX : `(${typmod})${TIME_SUFFIX}`),
});

function roundTimeTz(value: TimeTz, typmod: number): TimeTz {
  return typmod < 0 ? value : new TimeTz(roundMicros(value.micros, typmod) as number, value.offsetSeconds);
}

export const timetzType: SqlType = builtinType<TimeTz>(TypeOid.timetz, {
  storage: { kind: StorageKind.TimeTz },
  input: (text, typmod, context) => roundTimeTz(parseTimeTz(text, context), typmod),
  output: formatTimeTz,
  receive: (bytes, start, end, typmod) => {
    expectBytes(start, end, 12);
    const micros = Number(getI64(bytes, start, end));
    if (micros < 0 || micros > MICROS_PER_DAY) throw new PhantomError('22008', 'time out of range');
    return roundTimeTz(new TimeTz(micros, getI32(bytes, start + 8, end)), typmod);
  },
  send: (value, writer) => {
    putI64(writer, value.micros);
    putI32(writer, value.offsetSeconds);
  },
  compare: (a, b) => a.compare(b),
  hashKey: (value) => `${value.utcMicros()} ${value.offsetSeconds}`,
  coerceTypmod: roundTimeTz,
  parseTypmod: parsePrecision('TIME'),
  formatTypmod: (typmod) => (typmod < 0 ? TIMETZ_SUFFIX : `(${typmod})${TIMETZ_SUFFIX}`),
});

export const intervalType: SqlType = builtinType<Interval>(TypeOid.interval, {
  storage: { kind: StorageKind.Interval },
  input: (text, typmod, context) => parseInterval(text, typmod, context.intervalStyle),
  output: (value, context) => formatInterval(value, context.intervalStyle),
  receive: (bytes, start, end, typmod) => {
    expectBytes(start, end, 16);
    const value = new Interval(
      getI32(bytes, start + 12, end),
      getI32(bytes, start + 8, end),
      getI64(bytes, start, end),
    );
    return applyIntervalTypmod(value, typmod);
  },
  send: (value, writer) => {
    putI64(writer, value.micros);
    putI32(writer, value.days);
    putI32(writer, value.months);
  },
  compare: (a, b) => a.compare(b),
  hashKey: (value) => value.span(),
  coerceTypmod: applyIntervalTypmod,
  formatTypmod: formatIntervalTypmod,
});

export const timestampTypeSql: SqlType = timestampType(TypeOid.timestamp, 'TIMESTAMP', false);
export const timestamptzTypeSql: SqlType = timestampType(TypeOid.timestamptz, 'TIMESTAMP', true);

export const dateTimeTypes: readonly SqlType[] = [
  dateType,
  timeType,
  timetzType,
  timestampTypeSql,
  timestamptzTypeSql,
  intervalType,
];
