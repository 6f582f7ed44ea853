/**
 * Zones that are named for their hours (PST8PDT, CET) and stand for no place: before they agreed on daylight saving they had
 * no local time and no local rules. Intl takes each for a city's, which agrees with the rules from some year on; up to that
 * year the rules are here, as the time zone database had them and PostgreSQL has.
 */
import { daysFromDate } from './calendar.js';

const HOUR = 3600;

/** Seconds since 2000 of a day at an hour, at Greenwich. */
function secondsOf(year: number, month: number, day: number, hour: number): number {
  return daysFromDate(year, month, day) * 86400 + hour * HOUR;
}

/** Local days and hours between which the United States saved daylight: wars. */
const UNITED_STATES: readonly (readonly [from: number, to: number])[] = [
  [secondsOf(1918, 3, 31, 2), secondsOf(1918, 10, 27, 1)],
  [secondsOf(1919, 3, 30, 2), secondsOf(1919, 10, 26, 1)],
  [secondsOf(1942, 2, 9, 2), secondsOf(1945, 9, 30, 1)],
];

/** Central Europe, in its standard time. */
const CENTRAL_EUROPE: readonly (readonly [from: number, to: number])[] = [
  [secondsOf(1916, 4, 30, 23), secondsOf(1916, 10, 1, 0)],
  [secondsOf(1917, 4, 16, 2), secondsOf(1917, 9, 17, 2)],
  [secondsOf(1918, 4, 15, 2), secondsOf(1918, 9, 16, 2)],
  [secondsOf(1940, 4, 1, 2), secondsOf(1942, 11, 2, 2)],
  [secondsOf(1943, 3, 29, 2), secondsOf(1943, 10, 4, 2)],
  [secondsOf(1944, 4, 3, 2), secondsOf(1944, 10, 2, 2)],
  [secondsOf(1945, 4, 2, 2), secondsOf(1945, 9, 16, 2)],
];

const EUROPE_FROM = 1977;
const EUROPE_UNTIL = 1997;

/** The day of the last Sunday on or before a day. */
function sundayUpTo(year: number, month: number, day: number): number {
  const days = daysFromDate(year, month, day);
  // 2000-01-01 was a Saturday.
  return days - ((((days - 1) % 7) + 7) % 7);
}

/** What all of Europe keeps, at one in the morning at Greenwich. */
function europeanSummers(): (readonly [from: number, to: number])[] {
  const summers: (readonly [number, number])[] = [];
  for (let year = EUROPE_FROM; year < EUROPE_UNTIL; year++) {
    const begin = year < 1981 ? sundayUpTo(year, 4, 7) : sundayUpTo(year, 3, 31);
    let end = year < 1996 ? sundayUpTo(year, 9, 30) : sundayUpTo(year, 10, 31);
    if (year === 1978) end = daysFromDate(1978, 10, 1);
    summers.push([begin * 86400 + HOUR, end * 86400 + HOUR]);
  }
  return summers;
}

export class ZoneHistory {
  /** From this instant on Intl is right. */
  readonly until: number;
  readonly standardSeconds: number;
  private readonly summers: readonly (readonly [from: number, to: number])[];

  /** Summers are instants. */
  constructor(standardSeconds: number, until: number, summers: readonly (readonly [from: number, to: number])[]) {
    this.standardSeconds = standardSeconds;
    this.until = until;
    this.summers = summers;
  }

  /** Offset at an instant before `until`, in seconds east. */
  offsetAt(utcSeconds: number): number {
    for (const [from, to] of this.summers)
      if (utcSeconds >= from && utcSeconds < to) return this.standardSeconds + HOUR;
    return this.standardSeconds;
  }
}

/** Instants of local times. */
function atOffset(
  local: readonly (readonly [from: number, to: number])[],
  standardSeconds: number,
): (readonly [from: number, to: number])[] {
  return local.map(([from, to]) => [from - standardSeconds, to - standardSeconds]);
}

function american(hours: number): ZoneHistory {
  return new ZoneHistory(hours * HOUR, secondsOf(1967, 1, 1, 0), atOffset(UNITED_STATES, hours * HOUR));
}

function european(hours: number, before: readonly (readonly [from: number, to: number])[] = []): ZoneHistory {
  const summers = [...atOffset(before, hours * HOUR), ...europeanSummers()];
  return new ZoneHistory(hours * HOUR, secondsOf(EUROPE_UNTIL, 1, 1, 0), summers);
}

const HISTORIES: Readonly<Record<string, () => ZoneHistory>> = {
  EST5EDT: () => american(-5),
  CST6CDT: () => american(-6),
  MST7MDT: () => american(-7),
  PST8PDT: () => american(-8),
  WET: () => european(0),
  CET: () => european(1, CENTRAL_EUROPE),
  MET: () => european(1, CENTRAL_EUROPE),
  EET: () => european(2),
};

/** Zones named for an offset that never changes, in seconds east. */
export const UNCHANGING_ZONES: Readonly<Record<string, number>> = { EST: -5 * HOUR, MST: -7 * HOUR, HST: -10 * HOUR };

/** The history of a zone that stands for no place, by its IANA name. */
export function zoneHistory(name: string): ZoneHistory | undefined {
  return HISTORIES[name]?.();
}
