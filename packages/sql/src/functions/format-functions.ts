/** to_char, to_date, to_timestamp and to_number for every type that has them. */
import { PhantomError } from '@phantom/base';
import { Decimal, type Interval } from '@phantom/codec';
import {
  DATE_MAX,
  DATE_MIN,
  dateFromDays,
  dayOfWeek,
  dayOfYear,
  joinTimestamp,
  splitTimestamp,
} from '../types/calendar.js';
import { localMoment, splitInterval } from '../types/date-time-format.js';
import { EXPONENTIAL_DIGITS_MAX, exponentialText } from '../types/float-types.js';
import { applyNumericTypmod, numericTypmod, parseNumeric } from '../types/numeric-type.js';
import { sessionZone } from '../types/time-zones.js';
import { type Timestamp, checkTimestamp, instantOf, isInfinite } from './date-time-arithmetic.js';
import { scanDateTime } from './format/date-from-char.js';
import { type CalendarFields, formatCalendar } from './format/date-to-char.js';
import { type NumberSource, formatNumber, scanNumber } from './format/number-format.js';
import { type Implementations, contextual } from './implementation.js';
import { int4OfDecimal } from './integer-functions.js';
import { type Int8, int4OfInt8, int8mul } from './integers.js';
import type { EvaluationContext } from './registry.js';

function fieldsOf(
  days: number,
  micros: number,
  zone: { readonly offsetSeconds: number; readonly name: string } | undefined,
): CalendarFields {
  const { year, month, day } = dateFromDays(days);
  const seconds = Math.floor(micros / 1_000_000);
  return {
    isInterval: false,
    year,
    month,
    day,
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    micros: micros % 1_000_000,
    weekday: dayOfWeek(days),
    dayOfYear: dayOfYear(days),
    offsetSeconds: zone?.offsetSeconds,
    zone: zone?.name,
  };
}

function timestampToChar(timestamp: Timestamp, template: string): string | null {
  if (template === '' || isInfinite(timestamp)) return null;
  const { days, micros } = splitTimestamp(timestamp);
  return formatCalendar(fieldsOf(days, micros, undefined), template);
}

function timestamptzToChar(timestamp: Timestamp, template: string, context: EvaluationContext): string | null {
  if (template === '' || isInfinite(timestamp)) return null;
  const { days, micros, offsetSeconds, utcSeconds } = localMoment(timestamp, context.timeZone);
  const name = sessionZone(context.timeZone).abbreviationAt(utcSeconds);
  return formatCalendar(fieldsOf(days, micros, { offsetSeconds, name }), template);
}

function intervalToChar(span: Interval, template: string): string | null {
  if (template === '') return null;
  const parts = splitInterval(span);
  const fields: CalendarFields = {
    isInterval: true,
    year: parts.years,
    month: parts.months,
    day: parts.days,
    hour: parts.hours,
    minute: parts.minutes,
    second: parts.seconds,
    micros: parts.micros,
    weekday: 0,
    dayOfYear: (parts.years * 12 + parts.months) * 30 + parts.days,
    offsetSeconds: undefined,
    zone: undefined,
  };
  return formatCalendar(fields, template);
}

function toDate(source: string, template: string): number {
  const { days } = scanDateTime(source, template);
  if (days < DATE_MIN || days > DATE_MAX) throw new PhantomError('22008', `date out of range: "${source}"`);
  return days;
}

function toTimestamp(source: string, template: string, context: EvaluationContext): Timestamp {
  const scanned = scanDateTime(source, template);
  const local = joinTimestamp(scanned.days, scanned.micros);
  if (scanned.offsetSeconds === undefined) return instantOf(local, sessionZone(context.timeZone));
  return checkTimestamp(joinTimestamp(scanned.days, scanned.micros - scanned.offsetSeconds * 1_000_000));
}

/** C's `%+.*e`: two digits of exponent at least, a blank for plus. */
function exponentText(text: string): string {
  const [mantissa, exponent] = text.split('e') as [string, string];
  const size = Math.abs(Number(exponent)).toString().padStart(2, '0');
  return `${mantissa.startsWith('-') ? '' : ' '}${mantissa}e${exponent.startsWith('-') ? '-' : '+'}${size}`;
}

function decimalSource(value: Decimal): NumberSource {
  return {
    roundedInteger: () => int4OfDecimal(value),
    post: (post) => post,
    scientific: (post) => (value.isFinite() ? decimalScientific(value, post) : undefined),
    plain: (post, multi) => {
      if (!value.isFinite()) return value.toString();
      const scaled = multi === 0 ? value : value.mul(Decimal.of(10n ** BigInt(multi), 0));
      return scaled.round(post).toString();
    },
  };
}

function decimalScientific(value: Decimal, post: number): string {
  const exponent = value.isZero() ? 0 : value.exponent();
  const shift = exponent >= 0 ? new Decimal(1, exponent) : Decimal.of(10n ** BigInt(-exponent), 0);
  const mantissa = (
    exponent <= 16383 ? value.mul(shift) : value.divideTo(Decimal.of(10n ** BigInt(exponent), 0), post + 2, false)
  ).round(post);
  const carried = mantissa.exponent() > 0 && !mantissa.isZero();
  const shown = carried ? mantissa.mul(new Decimal(1, 1)).round(post) : mantissa;
  return exponentText(`${shown.toString()}e${exponent + (carried ? 1 : 0)}`);
}

function integerSource(value: Int8, multiply: (value: Int8, factor: number) => Int8): NumberSource {
  return {
    roundedInteger: () => int4OfInt8(value),
    scientific: (post) => decimalScientific(Decimal.of(value, 0), post),
    post: (post) => post,
    plain: (post, multi) => {
      const digits = multiply(value, 10 ** multi).toString();
      return post === 0 ? digits : `${digits}.${'0'.repeat(post)}`;
    },
  };
}

/** Doubles show at most 15 significant digits here, reals 6. */
function floatSource(value: number, digitsMax: number): NumberSource {
  return {
    roundedInteger: () => Math.round(value),
    scientific: (post) =>
      Number.isFinite(value)
        ? exponentText(exponentialText(value, Math.min(post, EXPONENTIAL_DIGITS_MAX - 1)))
        : undefined,
    post: (post, multi) => {
      const whole = fixedText(Math.abs(value * 10 ** multi), 0).length;
      return whole >= digitsMax ? 0 : Math.min(post, digitsMax - whole);
    },
    plain: (post, multi) => fixedText(multi === 0 ? value : value * 10 ** multi, post),
  };
}

/** C's `%.*f` for doubles of any size. */
function fixedText(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return `-${fixedText(0, digits)}`;
  if (Math.abs(value) >= 1e21) {
    const text = BigInt(value).toString();
    return digits === 0 ? text : `${text}.${'0'.repeat(digits)}`;
  }
  // toFixed rounds exact halves up, C to even.
  const exact = value.toFixed(Math.min(100, digits + 60));
  const cut = exact.length - Math.min(100 - digits, 60);
  const kept = digits === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut);
  const even = '02468'.includes(kept[kept.length - 1] as string);
  return even && /^50*$/.test(exact.slice(cut)) ? kept : value.toFixed(digits);
}

function toNumber(source: string, template: string): Decimal | null {
  const scanned = scanNumber(source, template);
  if (scanned === undefined) return null;
  const value = parseNumeric(scanned.text.trim() === '' ? '' : scanned.text);
  const precision = Math.min(1000, scanned.precision);
  const fitted = applyNumericTypmod(value, numericTypmod(precision, scanned.scale));
  if (scanned.multi === 0) return fitted;
  return fitted.mul(
    new Decimal(1, Math.max(scanned.multi, 16)).mul(Decimal.of(10n ** BigInt(Math.max(16 - scanned.multi, 0)), 0)),
  );
}

const numberToChar =
  <V>(sourceOf: (value: V) => NumberSource) =>
  (value: V, template: string): string =>
    template === '' ? '' : formatNumber(sourceOf(value), template);

export const formatFunctions: Implementations = {
  timestamp_to_char: timestampToChar,
  timestamptz_to_char: contextual(timestamptzToChar),
  interval_to_char: intervalToChar,
  to_date: toDate,
  to_timestamp: contextual(toTimestamp),
  numeric_to_char: numberToChar(decimalSource),
  // The product wraps around for integer and is checked for bigint.
  int4_to_char: numberToChar((value: number) => integerSource(value, (a, factor) => Math.imul(a as number, factor))),
  int8_to_char: numberToChar((value: Int8) => integerSource(value, int8mul)),
  float4_to_char: numberToChar((value: number) => floatSource(value, 6)),
  float8_to_char: numberToChar((value: number) => floatSource(value, 15)),
  numeric_to_number: toNumber,
};
