/** Arithmetic of dates, timestamps and intervals over canonical values; errors are 22008. */
import { PhantomError, isPhantomError } from '@phantom/base';
import { Interval, MICROS_PER_DAY, canonicalInteger } from '@phantom/codec';
import {
  DATE_MAX,
  DATE_MIN,
  addIntegers,
  dateFromDays,
  daysFromDate,
  daysInMonth,
  isTimestampInRange,
  joinTimestamp,
  splitTimestamp,
} from '../types/calendar.js';
import { type TimeZone, sessionZone } from '../types/time-zones.js';
import type { Int8 } from './integers.js';

/** A timestamp: microseconds since 2000, or an infinity. */
export type Timestamp = number | bigint;

export function timestampOutOfRange(): PhantomError {
  return new PhantomError('22008', 'timestamp out of range');
}

export function dateOutOfRange(): PhantomError {
  return new PhantomError('22008', 'date out of range');
}

export function intervalOutOfRange(): PhantomError {
  return new PhantomError('22008', 'interval out of range');
}

export function isInfinite(value: Timestamp): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

export function checkTimestamp(value: Timestamp): Timestamp {
  if (!isTimestampInRange(value)) throw timestampOutOfRange();
  return value;
}

export function checkDate(days: number): number {
  if (Number.isFinite(days) && (days < DATE_MIN || days > DATE_MAX)) throw dateOutOfRange();
  return days;
}

/** Midnight of a date. */
export function timestampOfDate(days: number): Timestamp {
  if (!Number.isFinite(days)) return days;
  const timestamp = joinTimestamp(days, 0);
  if (!isTimestampInRange(timestamp)) throw new PhantomError('22008', 'date out of range for timestamp');
  return timestamp;
}

/** Day of a timestamp. */
export function dateOfTimestamp(timestamp: Timestamp): number {
  return isInfinite(timestamp) ? (timestamp as number) : splitTimestamp(timestamp).days;
}

/** Instant at which the zone's clocks show a local time. */
export function instantOf(local: Timestamp, zone: TimeZone): Timestamp {
  if (isInfinite(local)) return local;
  const { days, micros } = splitTimestamp(local);
  const offset = zone.offsetOfLocal(days * 86400 + Math.floor(micros / 1_000_000));
  return checkTimestamp(joinTimestamp(days, micros - offset * 1_000_000));
}

/** What the zone's clocks show at an instant. */
export function localOf(instant: Timestamp, zone: TimeZone): Timestamp {
  if (isInfinite(instant)) return instant;
  const { days, micros } = splitTimestamp(instant);
  const offset = zone.offsetAt(days * 86400 + Math.floor(micros / 1_000_000));
  return checkTimestamp(joinTimestamp(days, micros + offset * 1_000_000));
}

/** As instantOf, in the session's zone. */
export function instantOfLocal(local: Timestamp, zoneName: string): Timestamp {
  return instantOf(local, sessionZone(zoneName));
}

/** Later than every timestamp, earlier than infinity. */
const BEYOND_RANGE = 9.3e18;

/** As instantOfLocal, for comparisons: what lies past the range sorts there. */
export function instantForOrder(local: Timestamp, zoneName: string): Timestamp {
  try {
    return instantOfLocal(local, zoneName);
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return local > 0 ? BEYOND_RANGE : -BEYOND_RANGE;
  }
}

/** As timestampOfDate, for comparisons: what lies past the range sorts there. */
export function timestampForOrder(days: number): Timestamp {
  if (!Number.isFinite(days)) return days;
  const timestamp = joinTimestamp(days, 0);
  if (isTimestampInRange(timestamp)) return timestamp;
  return days > 0 ? BEYOND_RANGE : -BEYOND_RANGE;
}

/** As localOf, in the session's zone. */
export function localOfInstant(instant: Timestamp, zoneName: string): Timestamp {
  return localOf(instant, sessionZone(zoneName));
}

const INT32_MAX = 2147483647;

function within32(value: number): number {
  if (value > INT32_MAX || value < -INT32_MAX - 1) throw intervalOutOfRange();
  return value === 0 ? 0 : value;
}

function within64(value: bigint): Int8 {
  if (BigInt.asIntN(64, value) !== value) throw intervalOutOfRange();
  return canonicalInteger(value);
}

/** Months first (the day is cut to the month's end), then days, then microseconds, all in local time. */
export function addInterval(timestamp: Timestamp, span: Interval): Timestamp {
  if (isInfinite(timestamp)) return timestamp;
  let { days, micros } = splitTimestamp(timestamp);
  if (span.months !== 0) days = addMonths(days, span.months);
  days += span.days;
  if (typeof span.micros === 'number' && Math.abs(span.micros) < 1e15) {
    micros += span.micros;
    return checkTimestamp(joinTimestamp(days, micros));
  }
  return checkTimestamp(addIntegers(checkTimestamp(joinTimestamp(days, micros)), span.micros));
}

/** A day some months on, cut to the end of its month. */
export function addMonths(days: number, months: number): number {
  const date = dateFromDays(days);
  const index = date.year * 12 + (date.month - 1) + months;
  const year = Math.floor(index / 12);
  const month = index - year * 12 + 1;
  return daysFromDate(year, month, Math.min(date.day, daysInMonth(year, month)));
}

/** Months and days move local time in the zone; microseconds move the instant. */
export function addIntervalInZone(instant: Timestamp, span: Interval, zone: TimeZone): Timestamp {
  if (isInfinite(instant)) return instant;
  let moved = instant;
  if (span.months !== 0 || span.days !== 0) {
    const { days, micros } = splitTimestamp(localOf(moved, zone));
    const day = span.months === 0 ? days : addMonths(days, span.months);
    moved = instantOf(checkTimestamp(joinTimestamp(day + span.days, micros)), zone);
  }
  return checkTimestamp(addIntegers(moved, span.micros));
}

/** Days and microseconds between two timestamps; whole days are days. */
export function subtractTimestamps(a: Timestamp, b: Timestamp): Interval {
  if (isInfinite(a) || isInfinite(b)) throw new PhantomError('22008', 'cannot subtract infinite timestamps');
  return justifyHours(new Interval(0, 0, within64(BigInt(a) - BigInt(b))));
}

export function addIntervals(a: Interval, b: Interval): Interval {
  return new Interval(
    within32(a.months + b.months),
    within32(a.days + b.days),
    within64(BigInt(a.micros) + BigInt(b.micros)),
  );
}

export function negateInterval(a: Interval): Interval {
  return new Interval(within32(0 - a.months), within32(0 - a.days), within64(-BigInt(a.micros)));
}

export function subtractIntervals(a: Interval, b: Interval): Interval {
  return new Interval(
    within32(a.months - b.months),
    within32(a.days - b.days),
    within64(BigInt(a.micros) - BigInt(b.micros)),
  );
}

/** Rounded to six decimals of a second: interval.c's TSROUND, which keeps 1e-7 noise of doubles out. */
function roundSeconds(value: number): number {
  return roundToEven(value * 1e6) / 1e6;
}

/** C's rint. */
export function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Product with a double: fractions of months become days, fractions of days become time. */
export function multiplyInterval(span: Interval, factor: number): Interval {
  const months = span.months * factor;
  const days = span.days * factor;
  checkDouble(months);
  checkDouble(days);
  const wholeMonths = Math.trunc(months);
  let wholeDays = Math.trunc(days);
  let monthDays = roundSeconds((months - wholeMonths) * 30);
  const daySeconds = roundSeconds((days - wholeDays + monthDays - Math.trunc(monthDays)) * 86400);
  let seconds = daySeconds;
  if (Math.abs(seconds) >= 86400) {
    wholeDays += Math.trunc(seconds / 86400);
    seconds -= Math.trunc(seconds / 86400) * 86400;
  }
  monthDays = Math.trunc(monthDays);
  const micros = roundToEven(Number(span.micros) * factor + seconds * 1e6);
  return finishScaled(wholeMonths, wholeDays + monthDays, micros, span, factor);
}

function finishScaled(months: number, days: number, micros: number, span: Interval, factor: number): Interval {
  if (!(Math.abs(micros) < 9223372036854775808)) throw intervalOutOfRange();
  // Past 2^53 a double is no longer exact; whole factors can be.
  if (!Number.isSafeInteger(micros) && Number.isInteger(factor)) {
    return new Interval(within32(months), within32(days), within64(BigInt(span.micros) * BigInt(factor)));
  }
  return new Interval(within32(months), within32(days), within64(BigInt(micros)));
}

function checkDouble(value: number): void {
  if (!(value <= INT32_MAX && value >= -INT32_MAX - 1)) throw intervalOutOfRange();
}

/** Quotient by a double, as multiplyInterval. */
export function divideInterval(span: Interval, divisor: number): Interval {
  if (divisor === 0) throw new PhantomError('22012', 'division by zero');
  const months = Math.trunc(span.months / divisor);
  let days = Math.trunc(span.days / divisor);
  let monthDays = roundSeconds((span.months / divisor - months) * 30);
  let seconds = roundSeconds((span.days / divisor - days + monthDays - Math.trunc(monthDays)) * 86400);
  if (Math.abs(seconds) >= 86400) {
    days += Math.trunc(seconds / 86400);
    seconds -= Math.trunc(seconds / 86400) * 86400;
  }
  monthDays = Math.trunc(monthDays);
  checkDouble(months);
  checkDouble(days + monthDays);
  const micros = roundToEven(Number(span.micros) / divisor + seconds * 1e6);
  if (!(Math.abs(micros) < 9223372036854775808)) throw intervalOutOfRange();
  return new Interval(within32(months), within32(days + monthDays), within64(BigInt(micros)));
}

/** Every 24 hours become a day; days and time get one sign. */
export function justifyHours(span: Interval): Interval {
  const day = BigInt(MICROS_PER_DAY);
  let micros = BigInt(span.micros);
  let days = span.days + Number(micros / day);
  micros %= day;
  if (days > 0 && micros < 0n) {
    micros += day;
    days--;
  } else if (days < 0 && micros > 0n) {
    micros -= day;
    days++;
  }
  return new Interval(span.months, within32(days), canonicalInteger(micros));
}

/** Every 30 days become a month; months and days get one sign. */
export function justifyDays(span: Interval): Interval {
  let months = span.months + Math.trunc(span.days / 30);
  let days = span.days % 30;
  if (months > 0 && days < 0) {
    days += 30;
    months--;
  } else if (months < 0 && days > 0) {
    days -= 30;
    months++;
  }
  return new Interval(within32(months), within32(days), span.micros);
}

/** Both, and one sign for all parts. */
export function justifyInterval(span: Interval): Interval {
  const day = BigInt(MICROS_PER_DAY);
  let { months, days } = span;
  let micros = BigInt(span.micros);
  if ((days > 0 && micros > 0n) || (days < 0 && micros < 0n)) {
    months += Math.trunc(days / 30);
    days %= 30;
  }
  days += Number(micros / day);
  micros %= day;
  months += Math.trunc(days / 30);
  days %= 30;
  if (months > 0 && (days < 0 || (days === 0 && micros < 0n))) {
    days += 30;
    months--;
  } else if (months < 0 && (days > 0 || (days === 0 && micros > 0n))) {
    days -= 30;
    months++;
  }
  if (days > 0 && micros < 0n) {
    micros += day;
    days--;
  } else if (days < 0 && micros > 0n) {
    micros -= day;
    days++;
  }
  return new Interval(within32(months), within32(days), canonicalInteger(micros));
}

/** Years, months, days and time between two local times, counted by the calendar: age(). */
export function calendarAge(a: Timestamp, b: Timestamp): Interval {
  if (isInfinite(a) || isInfinite(b)) throw new PhantomError('22008', 'timestamp out of range');
  const later = a >= b;
  const end = splitTimestamp(later ? a : b);
  const start = splitTimestamp(later ? b : a);
  const to = dateFromDays(end.days);
  const from = dateFromDays(start.days);
  let micros = end.micros - start.micros;
  let days = to.day - from.day;
  let months = to.year * 12 + to.month - (from.year * 12 + from.month);
  if (micros < 0) {
    micros += MICROS_PER_DAY;
    days--;
  }
  if (days < 0) {
    // Borrow the month that the subtrahend's day lies in when counting forward, as PostgreSQL does.
    days += daysInMonth(from.year, from.month);
    months--;
  }
  const span = new Interval(months, days, micros);
  return later ? span : negateInterval(span);
}
