/** Dates, times, timestamps and intervals as text, in each DateStyle and IntervalStyle: the Encode functions of datetime.c. */
import type { Interval, TimeTz } from '@phantom/codec';
import { dateFromDays, dayOfWeek, splitTimestamp } from './calendar.js';
import { offsetText, sessionZone } from './time-zones.js';
import type { TypeContext } from './type.js';

const MONTHS: readonly string[] = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));

/** In two digits at least. */
export function two(value: number): string {
  return TWO_DIGITS[value] ?? (value < 10 ? `0${value}` : String(value));
}

/** Year as shown: at least four digits; BC years count from 1 and are marked behind. */
function shownYear(year: number): string {
  return year > 999 ? String(year) : String(year > 0 ? year : 1 - year).padStart(4, '0');
}

/** `hh:mm:ss` with microseconds as far as they are not zero. */
export function formatClock(micros: number): string {
  const fraction = micros % 1_000_000;
  const seconds = (micros - fraction) / 1_000_000;
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === 0 ? clock : `${clock}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
}

function formatDay(year: number, month: number, day: number, context: TypeContext): string {
  const shown = shownYear(year);
  if (context.dateStyle === 'ISO') return `${shown}-${two(month)}-${two(day)}`;
  const dayFirst = context.dateOrder === 'DMY';
  switch (context.dateStyle) {
    case 'SQL':
      return dayFirst ? `${two(day)}/${two(month)}/${shown}` : `${two(month)}/${two(day)}/${shown}`;
    case 'German':
      return `${two(day)}.${two(month)}.${shown}`;
    case 'Postgres':
      return dayFirst ? `${two(day)}-${two(month)}-${shown}` : `${two(month)}-${two(day)}-${shown}`;
  }
}

/** A date as text. */
export function formatDate(days: number, context: TypeContext): string {
  if (!Number.isFinite(days)) return days > 0 ? 'infinity' : '-infinity';
  const { year, month, day } = dateFromDays(days);
  return `${formatDay(year, month, day, context)}${year > 0 ? '' : ' BC'}`;
}

/** A local day and time, with the zone's text (offset or abbreviation) where there is one. */
function formatMoment(days: number, micros: number, offset: string, zone: string, context: TypeContext): string {
  const { year, month, day } = dateFromDays(days);
  const era = year > 0 ? '' : ' BC';
  const clock = formatClock(micros);
  const named = zone === '' ? '' : ` ${zone}`;
  if (context.dateStyle === 'ISO') return `${formatDay(year, month, day, context)} ${clock}${offset}${era}`;
  if (context.dateStyle === 'Postgres') {
    const monthDay =
      context.dateOrder === 'DMY'
        ? `${two(day)} ${MONTHS[month - 1] as string}`
        : `${MONTHS[month - 1] as string} ${two(day)}`;
    return `${WEEKDAYS[dayOfWeek(days)] as string} ${monthDay} ${clock} ${shownYear(year)}${named}${era}`;
  }
  return `${formatDay(year, month, day, context)} ${clock}${named}${era}`;
}

function infinityText(timestamp: number | bigint): string | undefined {
  if (timestamp === Number.POSITIVE_INFINITY) return 'infinity';
  return timestamp === Number.NEGATIVE_INFINITY ? '-infinity' : undefined;
}

/** A timestamp without time zone as text. */
export function formatTimestamp(timestamp: number | bigint, context: TypeContext): string {
  const infinite = infinityText(timestamp);
  if (infinite !== undefined) return infinite;
  const { days, micros } = splitTimestamp(timestamp);
  return formatMoment(days, micros, '', '', context);
}

/** Local day and time of an instant, and the zone's offset there. */
export function localMoment(
  timestamp: number | bigint,
  zoneName: string,
): { days: number; micros: number; offsetSeconds: number; utcSeconds: number } {
  const utc = splitTimestamp(timestamp);
  const utcSeconds = utc.days * 86400 + Math.floor(utc.micros / 1_000_000);
  const offsetSeconds = sessionZone(zoneName).offsetAt(utcSeconds);
  let { days } = utc;
  let micros = utc.micros + offsetSeconds * 1_000_000;
  if (micros < 0) {
    micros += 86_400_000_000;
    days--;
  } else if (micros >= 86_400_000_000) {
    micros -= 86_400_000_000;
    days++;
  }
  return { days, micros, offsetSeconds, utcSeconds };
}

/** A timestamp with time zone as text, in the session's zone. */
export function formatTimestampTz(timestamp: number | bigint, context: TypeContext): string {
  const infinite = infinityText(timestamp);
  if (infinite !== undefined) return infinite;
  const { days, micros, offsetSeconds, utcSeconds } = localMoment(timestamp, context.timeZone);
  const named = context.dateStyle === 'ISO' ? '' : sessionZone(context.timeZone).abbreviationAt(utcSeconds);
  return formatMoment(days, micros, offsetText(offsetSeconds), named, context);
}

/** A time with time zone as text. */
export function formatTimeTz(value: TimeTz): string {
  return formatClock(value.micros) + offsetText(0 - value.offsetSeconds);
}

/** An interval's parts as they are shown; all of one sign within months and within micros. */
interface IntervalParts {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  /** Shown as text when large: 64-bit microseconds make 2.5 billion hours. */
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly micros: number;
}

/** Splits towards zero, so all parts of a group have one sign. */
export function splitInterval(value: Interval): IntervalParts {
  const total = BigInt(value.micros);
  const seconds = total / 1_000_000n;
  const rest = Number(seconds % 3600n);
  return {
    years: plain(Math.trunc(value.months / 12)),
    months: plain(value.months % 12),
    days: plain(value.days),
    hours: Number(seconds / 3600n),
    minutes: plain(Math.trunc(rest / 60)),
    seconds: plain(rest % 60),
    micros: Number(total % 1_000_000n),
  };
}

function plain(value: number): number {
  return value === 0 ? 0 : value;
}

/** Seconds with their fraction, without sign. */
function secondsText(parts: IntervalParts, fill: boolean): string {
  const whole = String(Math.abs(parts.seconds));
  const text = fill ? whole.padStart(2, '0') : whole;
  if (parts.micros === 0) return text;
  return `${text}.${String(Math.abs(parts.micros)).padStart(6, '0').replace(/0+$/, '')}`;
}

function clockText(parts: IntervalParts): string {
  return `${String(Math.abs(parts.hours)).padStart(2, '0')}:${two(Math.abs(parts.minutes))}:${secondsText(parts, true)}`;
}

function timeIsNegative(parts: IntervalParts): boolean {
  return parts.hours < 0 || parts.minutes < 0 || parts.seconds < 0 || parts.micros < 0;
}

function timeIsZero(parts: IntervalParts): boolean {
  return parts.hours === 0 && parts.minutes === 0 && parts.seconds === 0 && parts.micros === 0;
}

function postgresStyle(parts: IntervalParts): string {
  const texts: string[] = [];
  let negativeBefore = false;
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    texts.push(`${negativeBefore && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`);
    negativeBefore = value < 0;
  };
  add(parts.years, 'year');
  add(parts.months, 'mon');
  add(parts.days, 'day');
  if (texts.length === 0 || !timeIsZero(parts)) {
    texts.push(`${timeIsNegative(parts) ? '-' : negativeBefore ? '+' : ''}${clockText(parts)}`);
  }
  return texts.join(' ');
}

function verboseStyle(parts: IntervalParts): string {
  let text = '@';
  let isZero = true;
  let ago = false;
  const add = (given: number, unit: string): void => {
    if (given === 0) return;
    let value = given;
    if (isZero) {
      ago = value < 0;
      value = Math.abs(value);
    } else if (ago) {
      value = -value;
    }
    text += ` ${value} ${unit}${value === 1 ? '' : 's'}`;
    isZero = false;
  };
  add(parts.years, 'year');
  add(parts.months, 'mon');
  add(parts.days, 'day');
  add(parts.hours, 'hour');
  add(parts.minutes, 'min');
  if (parts.seconds !== 0 || parts.micros !== 0) {
    text += ' ';
    if (parts.seconds < 0 || parts.micros < 0) {
      if (isZero) ago = true;
      else if (!ago) text += '-';
    } else if (ago) {
      text += '-';
    }
    text += `${secondsText(parts, false)} sec${Math.abs(parts.seconds) !== 1 || parts.micros !== 0 ? 's' : ''}`;
    isZero = false;
  }
  if (isZero) text += ' 0';
  return ago ? `${text} ago` : text;
}

function sqlStandardStyle(given: IntervalParts): string {
  let parts = given;
  const values = Object.values(given) as number[];
  const hasNegative = values.some((value) => value < 0);
  const hasPositive = values.some((value) => value > 0);
  const hasYearMonth = given.years !== 0 || given.months !== 0;
  const hasDayTime = given.days !== 0 || !timeIsZero(given);
  const standard = !(hasNegative && hasPositive) && !(hasYearMonth && hasDayTime);
  if (!hasNegative && !hasPositive) return '0';
  const hours = (): string => `${Math.abs(parts.hours)}:${two(Math.abs(parts.minutes))}:${secondsText(parts, true)}`;
  if (!standard) {
    const yearSign = parts.years < 0 || parts.months < 0 ? '-' : '+';
    const daySign = parts.days < 0 ? '-' : '+';
    const timeSign = timeIsNegative(parts) ? '-' : '+';
    return `${yearSign}${Math.abs(parts.years)}-${Math.abs(parts.months)} ${daySign}${Math.abs(parts.days)} ${timeSign}${hours()}`;
  }
  let sign = '';
  if (hasNegative) {
    sign = '-';
    parts = {
      years: -parts.years,
      months: -parts.months,
      days: -parts.days,
      hours: -parts.hours,
      minutes: -parts.minutes,
      seconds: -parts.seconds,
      micros: -parts.micros,
    };
  }
  if (hasYearMonth) return `${sign}${plain(parts.years)}-${plain(parts.months)}`;
  return parts.days === 0 ? sign + hours() : `${sign}${parts.days} ${hours()}`;
}

function isoStyle(parts: IntervalParts): string {
  let text = 'P';
  if (parts.years !== 0) text += `${parts.years}Y`;
  if (parts.months !== 0) text += `${parts.months}M`;
  if (parts.days !== 0) text += `${parts.days}D`;
  if (!timeIsZero(parts)) {
    text += 'T';
    if (parts.hours !== 0) text += `${parts.hours}H`;
    if (parts.minutes !== 0) text += `${parts.minutes}M`;
    if (parts.seconds !== 0 || parts.micros !== 0) {
      text += `${parts.seconds < 0 || parts.micros < 0 ? '-' : ''}${secondsText(parts, false)}S`;
    }
  }
  return text === 'P' ? 'PT0S' : text;
}

/** An interval as text. */
export function formatInterval(value: Interval, style: TypeContext['intervalStyle']): string {
  const parts = splitInterval(value);
  switch (style) {
    case 'postgres':
      return postgresStyle(parts);
    case 'postgres_verbose':
      return verboseStyle(parts);
    case 'sql_standard':
      return sqlStandardStyle(parts);
    case 'iso_8601':
      return isoStyle(parts);
  }
}
