/** Dates as text: `%` formats, written and read, and what is read without a format. Text without a zone is in the one that is given. */
import { badArgument } from '../errors.js';
import { type TimeZone, UTC, fixedOffsetMs } from './time-zone.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MONTHS = 'January February March April May June July August September October November December'.split(' ');

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

export const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / DAY_MS) + 1;

/** Week and year by ISO 8601. */
export function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

/** Weeks that begin on Sunday; the days before the first Sunday of the year lie in week 0. */
export const week = (date: Date): number => Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7);

/** The day of a year of ISO weeks, at midnight; days and weeks past the end carry over. The fourth of January lies in the first week. */
export function isoDay(year: number, weekNumber: number, weekday: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, 0, 4);
  date.setUTCDate(4 - (date.getUTCDay() || 7) + 7 * (weekNumber - 1) + weekday);
  return date;
}

/** What each letter writes, of a date in its zone and that zone's offset. */
const WRITERS: Readonly<Record<string, (local: Date, offsetMinutes: number) => string>> = {
  Y: (local) => pad(local.getUTCFullYear(), 4),
  m: (local) => pad(local.getUTCMonth() + 1, 2),
  d: (local) => pad(local.getUTCDate(), 2),
  b: (local) => (MONTHS[local.getUTCMonth()] as string).slice(0, 3),
  B: (local) => MONTHS[local.getUTCMonth()] as string,
  H: (local) => pad(local.getUTCHours(), 2),
  M: (local) => pad(local.getUTCMinutes(), 2),
  S: (local) => pad(local.getUTCSeconds(), 2),
  L: (local) => pad(local.getUTCMilliseconds(), 3),
  j: (local) => pad(dayOfYear(local), 3),
  u: (local) => String(local.getUTCDay() || 7),
  w: (local) => String(local.getUTCDay() + 1),
  U: (local) => pad(week(local), 2),
  G: (local) => pad(isoWeek(local).year, 4),
  V: (local) => pad(isoWeek(local).week, 2),
  z: (_, offset) => {
    const size = Math.abs(offset);
    return `${offset < 0 ? '-' : '+'}${pad(Math.floor(size / 60), 2)}${pad(size % 60, 2)}`;
  },
  Z: (_, offset) => (offset < 0 ? String(offset) : `+${offset}`),
  '%': () => '%',
};

/** The date as the zone's clocks show it; without a format as ISO 8601 has it. */
export function writeDate(date: Date, format: string | undefined, zone: TimeZone): string {
  const local = zone.local(date);
  const offsetMinutes = Math.trunc(zone.offsetMs(date.getTime()) / MINUTE_MS);
  return (format ?? `%Y-%m-%dT%H:%M:%S.%L${zone.isUtc ? 'Z' : ''}`).replace(/%(.?)/gs, (_, letter: string) => {
    const write = Object.hasOwn(WRITERS, letter) ? WRITERS[letter] : undefined;
    if (write === undefined) throw badArgument(`$dateToString knows no %${letter}`);
    return write(local, offsetMinutes);
  });
}

const PATTERNS: Readonly<Record<string, string>> = {
  Y: '\\d{4}',
  m: '\\d{1,2}',
  d: '\\d{1,2}',
  b: MONTHS.map((month) => month.slice(0, 3)).join('|'),
  B: MONTHS.join('|'),
  H: '\\d{1,2}',
  M: '\\d{1,2}',
  S: '\\d{1,2}',
  L: '\\d{1,3}',
  j: '\\d{1,3}',
  u: '[1-7]',
  G: '\\d{4}',
  V: '\\d{1,2}',
  z: 'Z|[+-]\\d{2}(?::?\\d{2})?',
  Z: '[+-]?\\d{1,4}',
};

const FORMATS_KEPT_MAX = 256;
const readers = new Map<string, { readonly pattern: RegExp; readonly letters: readonly string[] }>();

function readerOf(format: string): { readonly pattern: RegExp; readonly letters: readonly string[] } {
  const known = readers.get(format);
  if (known !== undefined) return known;
  const letters: string[] = [];
  const source = format.replace(/%(.?)|[$()*+.?[\\\]^{|}]/gs, (found, letter: string | undefined) => {
    if (letter === undefined) return `\\${found}`;
    if (letter === '%') return '%';
    const pattern = Object.hasOwn(PATTERNS, letter) ? PATTERNS[letter] : undefined;
    if (pattern === undefined) throw badArgument(`$dateFromString knows no %${letter}`);
    letters.push(letter);
    return `(${pattern})`;
  });
  if (readers.size >= FORMATS_KEPT_MAX) readers.clear();
  const reader = { pattern: new RegExp(`^${source}$`, 'is'), letters };
  readers.set(format, reader);
  return reader;
}

/** A date by its format; undefined where the text does not fit it, or tells no whole date. 22023 for what is no format. */
export function readFormat(text: string, format: string, zone: TimeZone | undefined): Date | undefined {
  const { pattern, letters } = readerOf(format);
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const parts = new Map(letters.map((letter, i) => [letter, match[i + 1] as string]));
  const number = (letter: string): number | undefined => (parts.has(letter) ? Number(parts.get(letter)) : undefined);
  const day = readDay(parts, number);
  if (day === undefined) return undefined;
  const time = [number('H') ?? 0, number('M') ?? 0, number('S') ?? 0] as const;
  const millisecond = Number((parts.get('L') ?? '').padEnd(3, '0'));
  const minutes = number('Z');
  const offset = parts.has('z')
    ? offsetOf(parts.get('z') as string)
    : minutes === undefined
      ? undefined
      : minutes * MINUTE_MS;
  return atTime(day, time, millisecond, offset, zone);
}

function readDay(parts: ReadonlyMap<string, string>, number: (letter: string) => number | undefined): Date | undefined {
  const isoYear = number('G');
  if (isoYear !== undefined) {
    const [weekNumber, weekday] = [number('V'), number('u')];
    if (weekNumber === undefined || weekday === undefined || weekNumber < 1 || weekNumber > 53) return undefined;
    return isoDay(isoYear, weekNumber, weekday);
  }
  const year = number('Y');
  if (year === undefined) return undefined;
  const ofYear = number('j');
  if (ofYear !== undefined) return ofYear < 1 ? undefined : wholeDay(year, 1, ofYear, ofYear <= 365 || isLeap(year));
  const name = (parts.get('b') ?? parts.get('B'))?.slice(0, 3).toLowerCase();
  const month = number('m') ?? MONTHS.findIndex((known) => known.slice(0, 3).toLowerCase() === name) + 1;
  const day = number('d');
  return day === undefined ? undefined : wholeDay(year, month, day, day <= daysOf(year, month));
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysOf = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

function wholeDay(year: number, month: number, day: number, isInside: boolean): Date | undefined {
  if (!isInside || month < 1 || month > 12 || day < 1) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}

const offsetOf = (text: string): number | undefined => (/^(?:z|utc|gmt)$/i.test(text) ? 0 : fixedOffsetMs(text));

/** The instant of a day and its time; undefined for a time that no clock shows, and where text and caller both name a zone. */
function atTime(
  day: Date,
  [hour, minute, second]: readonly [number, number, number],
  millisecond: number,
  offset: number | undefined,
  zone: TimeZone | undefined,
): Date | undefined {
  if (hour > 23 || minute > 59 || second > 59 || (offset !== undefined && zone !== undefined)) return undefined;
  const local = day.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
  return offset === undefined ? (zone ?? UTC).instant(local) : new Date(local - offset);
}

const ISO =
  /^([+-]\d{6}|\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i;
/** Ends like a zone: `Z`, `GMT+2`, `EST`, `+0100`, `(CET)`. */
const HAS_ZONE = /(?:\bz|[a-z]\)|\b(?:utc?|gmt|[ecmp][sd]t)|:\d{2}\s*(?:utc|gmt)?[+-]\d{1,2}:?(?:\d{2})?)$/i;

/** A date as people write it, ISO 8601 first; undefined for what is none. Without a zone in it or given it is in UTC. */
export function readDate(text: string, zone?: TimeZone): Date | undefined {
  const trimmed = text.trim();
  const match = ISO.exec(trimmed);
  if (match !== null) {
    const [, year, month, day = '1', hour = '0', minute = '0', second = '0', fraction = '', offset] = match;
    const numbers = [Number(year), Number(month), Number(day)] as const;
    const date = wholeDay(...numbers, numbers[2] <= daysOf(numbers[0], numbers[1]));
    const time = [Number(hour), Number(minute), Number(second)] as const;
    const millisecond = Number(fraction.slice(0, 3).padEnd(3, '0'));
    return date && atTime(date, time, millisecond, offset === undefined ? undefined : offsetOf(offset), zone);
  }
  const hasZone = HAS_ZONE.test(trimmed);
  if (hasZone && zone !== undefined) return undefined;
  const date = new Date(hasZone ? trimmed : `${trimmed} UTC`);
  if (Number.isNaN(date.getTime())) return undefined;
  return zone === undefined ? date : zone.instant(date.getTime());
}
