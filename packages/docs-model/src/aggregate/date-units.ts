/**
 * Units of time: how many of them, and bins of several, in a time zone. Days and what is longer follow the local calendar; hours and what
 * is shorter pass as they do on a stopwatch, with local clocks' minutes as their boundaries.
 */
import { badArgument } from '../errors.js';
import type { TimeZone } from './time-zone.js';

export const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
/** Bins are counted from the first of January 2000, a Saturday; those of weeks from the first such day of the week after it. */
const REFERENCE_MS = Date.UTC(2000, 0, 1);
const REFERENCE_DAY = REFERENCE_MS / DAY_MS;
const REFERENCE_MONTH = 2000 * 12;
const SATURDAY = 6;

const SHORT_MS: ReadonlyMap<string, number> = new Map([
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
  ['millisecond', 1],
]);
const DAYS: ReadonlyMap<string, number> = new Map([
  ['day', 1],
  ['week', WEEK_DAYS],
]);
const MONTHS: ReadonlyMap<string, number> = new Map([
  ['month', 1],
  ['quarter', 3],
  ['year', 12],
]);
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

function unknownUnit(unit: string): Error {
  return badArgument(`unknown unit of time: ${unit}`);
}

/** Number of a day of the week (Sunday is 0) by its name or the first three letters of it. */
export function weekdayOf(operator: string, name: string): number {
  const lower = name.toLowerCase();
  const day = WEEKDAYS.findIndex((weekday) => lower === weekday || lower === weekday.slice(0, 3));
  if (day < 0) throw badArgument(`${operator} knows no day of the week "${name}"`);
  return day;
}

const dayNumber = (local: Date): number => Math.floor(local.getTime() / DAY_MS);
const monthNumber = (local: Date): number => local.getUTCFullYear() * 12 + local.getUTCMonth();
/** The first day of weeks that begin on that day of the week, at or after the reference. */
const firstWeekDay = (weekday: number): number => REFERENCE_DAY + ((weekday - SATURDAY + WEEK_DAYS) % WEEK_DAYS);

/** Start of a month by its number since the year zero. */
function monthStart(month: number): Date {
  const start = new Date(0);
  start.setUTCFullYear(Math.floor(month / 12), month - Math.floor(month / 12) * 12, 1);
  return start;
}

export function addUnits(date: Date, unit: string, amount: number, zone: TimeZone): Date {
  const short = SHORT_MS.get(unit);
  if (short !== undefined) return new Date(date.getTime() + amount * short);
  const local = zone.local(date);
  const days = DAYS.get(unit);
  if (days !== undefined) return zone.instant(local.getTime() + amount * days * DAY_MS);
  const months = MONTHS.get(unit);
  if (months === undefined) throw unknownUnit(unit);
  const month = monthNumber(local) + amount * months;
  const lastDay = new Date(monthStart(month + 1).getTime() - DAY_MS).getUTCDate();
  const moved = new Date(local);
  const first = monthStart(month);
  moved.setUTCFullYear(first.getUTCFullYear(), first.getUTCMonth(), Math.min(local.getUTCDate(), lastDay));
  return zone.instant(moved.getTime());
}

/** Boundaries of the unit between the instants; weeks begin on the day of the week `weekday`. */
export function unitsBetween(from: Date, to: Date, unit: string, zone: TimeZone, weekday: number): number {
  const short = SHORT_MS.get(unit);
  if (short !== undefined) return shortNumber(to, short, zone) - shortNumber(from, short, zone);
  const [first, last] = [zone.local(from), zone.local(to)];
  const months = MONTHS.get(unit);
  if (months !== undefined) return Math.floor(monthNumber(last) / months) - Math.floor(monthNumber(first) / months);
  const days = DAYS.get(unit);
  if (days === undefined) throw unknownUnit(unit);
  const start = days === 1 ? 0 : firstWeekDay(weekday);
  return Math.floor((dayNumber(last) - start) / days) - Math.floor((dayNumber(first) - start) / days);
}

/** Number of the hour (or what is shorter) since 1970, cut where local clocks show a whole one: an hour that clocks skip is none. */
function shortNumber(date: Date, short: number, zone: TimeZone): number {
  const offset = zone.offsetMs(date.getTime());
  return Math.floor((date.getTime() + (offset - Math.floor(offset / short) * short)) / short);
}

/** Start of the bin of so many units that the instant lies in. */
export function truncate(date: Date, unit: string, binSize: number, zone: TimeZone, weekday: number): Date {
  const short = SHORT_MS.get(unit);
  if (short !== undefined) {
    const start = zone.instant(REFERENCE_MS).getTime();
    const bin = short * binSize;
    return new Date(start + Math.floor((date.getTime() - start) / bin) * bin);
  }
  const local = zone.local(date);
  const months = MONTHS.get(unit);
  if (months !== undefined) {
    const bin = months * binSize;
    const month = REFERENCE_MONTH + Math.floor((monthNumber(local) - REFERENCE_MONTH) / bin) * bin;
    return zone.instant(monthStart(month).getTime());
  }
  const days = DAYS.get(unit);
  if (days === undefined) throw unknownUnit(unit);
  const start = days === 1 ? REFERENCE_DAY : firstWeekDay(weekday);
  const bin = days * binSize;
  return zone.instant((start + Math.floor((dayNumber(local) - start) / bin) * bin) * DAY_MS);
}
