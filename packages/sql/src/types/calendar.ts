/**
 * The proleptic Gregorian calendar in days since 2000-01-01 and microseconds of a day, as PostgreSQL counts: years have no
 * zero in text, but do here (0 is 1 BC). The day-number formulas are the classic ones (Julian day by integer arithmetic).
 */
import { MICROS_PER_DAY, canonicalInteger } from '@phantom/codec';

/** Julian day of 2000-01-01. */
export const JULIAN_2000 = 2451545;
/** Days from 1970-01-01 to 2000-01-01. */
export const DAYS_1970_TO_2000 = 10957;

/** First and last day of type date: 4713-01-01 BC, and 5874897-12-31. */
export const DATE_MIN = -2451545;
export const DATE_MAX = 2145031948;
/** First microsecond of timestamps (4713-01-01 BC), and the first one behind the last (294277-01-01). */
export const TIMESTAMP_MIN = -211813488000000000n;
export const TIMESTAMP_END = 9223371331200000000n;

const MONTH_DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days of a month, 1..12. */
export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (MONTH_DAYS[month - 1] as number);
}

/** Julian day of a date; any year, month 1..12, any day. */
export function julianDay(year: number, month: number, day: number): number {
  const shifted = month > 2;
  const y = year + 4800 - (shifted ? 0 : 1);
  const m = month + (shifted ? 1 : 13);
  const century = Math.floor(y / 100);
  let julian = y * 365 - 32167;
  julian += Math.floor(y / 4) - century + Math.floor(century / 4);
  julian += Math.trunc((7834 * m) / 256) + day;
  return julian;
}

/** Days since 2000-01-01. */
export function daysFromDate(year: number, month: number, day: number): number {
  return julianDay(year, month, day) - JULIAN_2000;
}

export interface CalendarDate {
  year: number;
  month: number;
  day: number;
}

/** Year (0 is 1 BC), month and day of a Julian day number. */
export function dateFromJulian(julian: number): CalendarDate {
  // Shifted to 0000-03-01 as day 0: leap days then end their years.
  const z = julian - 1721120;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}

/** Year, month and day of days since 2000-01-01. */
export function dateFromDays(days: number): CalendarDate {
  return dateFromJulian(days + JULIAN_2000);
}

/** Sunday is 0. */
export function dayOfWeek(days: number): number {
  return (((days + 6) % 7) + 7) % 7;
}

/** Monday is 1, Sunday 7. */
export function isoDayOfWeek(days: number): number {
  return dayOfWeek(days) || 7;
}

/** Day of the first Monday-based week of an ISO year, in days since 2000. */
export function isoYearStart(year: number): number {
  const fourth = daysFromDate(year, 1, 4);
  return fourth - (isoDayOfWeek(fourth) - 1);
}

/** ISO 8601 year of a day. */
export function isoYear(days: number): number {
  const { year } = dateFromDays(days);
  if (days < isoYearStart(year)) return year - 1;
  return days >= isoYearStart(year + 1) ? year + 1 : year;
}

/** ISO 8601 week of a day. */
export function isoWeek(days: number): number {
  return Math.floor((days - isoYearStart(isoYear(days))) / 7) + 1;
}

/** 1 for January 1. */
export function dayOfYear(days: number): number {
  return days - daysFromDate(dateFromDays(days).year, 1, 1) + 1;
}

/** A time stamp taken apart: a day since 2000 and the microseconds of that day. */
export interface SplitTimestamp {
  days: number;
  micros: number;
}

/** Takes a finite timestamp apart. */
export function splitTimestamp(timestamp: number | bigint): SplitTimestamp {
  if (typeof timestamp === 'number') {
    let micros = timestamp % MICROS_PER_DAY;
    if (micros < 0) micros += MICROS_PER_DAY;
    return { days: (timestamp - micros) / MICROS_PER_DAY, micros: micros === 0 ? 0 : micros };
  }
  const day = BigInt(MICROS_PER_DAY);
  let micros = timestamp % day;
  if (micros < 0n) micros += day;
  return { days: Number((timestamp - micros) / day), micros: Number(micros) };
}

/** Puts a timestamp together; the parts may be of any size. */
export function joinTimestamp(days: number, micros: number): number | bigint {
  const joined = days * MICROS_PER_DAY + micros;
  if (Number.isSafeInteger(joined) && Math.abs(days) < 100_000) return joined;
  return canonicalInteger(BigInt(days) * BigInt(MICROS_PER_DAY) + BigInt(micros));
}

/** True when a finite timestamp lies in the range of the type. */
export function isTimestampInRange(timestamp: number | bigint): boolean {
  return timestamp >= TIMESTAMP_MIN && timestamp < TIMESTAMP_END;
}

/** Sum of two integers in canonical form. */
export function addIntegers(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return canonicalInteger(BigInt(a) + BigInt(b));
}
