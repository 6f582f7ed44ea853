/** Dates and times inside paths: what .datetime() makes, how they compare, how they are shown. */
import { PhantomError } from '@phantom/base';
import { TimeTz } from '@phantom/codec';
import { joinTimestamp } from '../../types/calendar.js';
import { formatClock, formatDate } from '../../types/date-time-format.js';
import { sessionZone } from '../../types/time-zones.js';
import type { TypeContext } from '../../types/type.js';
import { instantOf, timestampOfDate } from '../date-time-arithmetic.js';
import { scanDateTime } from '../format/date-from-char.js';
import { dateTemplate } from '../format/template.js';

type MomentKind = 'date' | 'time' | 'timetz' | 'timestamp' | 'timestamptz';

const TYPE_NAMES: Readonly<Record<MomentKind, string>> = {
  date: 'date',
  time: 'time without time zone',
  timetz: 'time with time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
};

const ISO = { dateStyle: 'ISO', dateOrder: 'YMD' } as unknown as TypeContext;

export class PathMoment {
  readonly kind: MomentKind;
  /** Days since 2000-01-01 of the local date, and microseconds of its day. */
  readonly days: number;
  readonly micros: number;
  /** Seconds east, of the kinds with a zone. */
  readonly offsetSeconds: number;

  constructor(kind: MomentKind, days: number, micros: number, offsetSeconds: number) {
    this.kind = kind;
    this.days = days;
    this.micros = micros;
    this.offsetSeconds = offsetSeconds;
  }

  get typeName(): string {
    return TYPE_NAMES[this.kind];
  }

  toString(): string {
    const date = formatDate(this.days, ISO);
    const clock = formatClock(this.micros);
    switch (this.kind) {
      case 'date':
        return date;
      case 'time':
        return clock;
      case 'timetz':
        return clock + isoOffset(this.offsetSeconds);
      case 'timestamp':
        return `${date}T${clock}`;
      case 'timestamptz':
        return `${date}T${clock}${isoOffset(this.offsetSeconds)}`;
    }
  }
}

function isoOffset(offsetSeconds: number): string {
  const size = Math.abs(offsetSeconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}:${two(Math.floor(size / 60) % 60)}`;
}

const DATE = String.raw`(\d{4})-(\d{1,2})-(\d{1,2})`;
const CLOCK = String.raw`(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?`;
const ZONE = String.raw`\s*([+-])(\d{1,2})(?::(\d{1,2}))?`;
const ISO_MOMENT = new RegExp(`^(?:${DATE})?(?:([ T])?${CLOCK}(?:${ZONE})?)?$`);

/** ISO 8601 without a template, else as the template says; undefined when the text does not fit. */
export function readMoment(text: string, template: string | undefined): PathMoment | undefined {
  return template === undefined ? readIso(text) : readByTemplate(text, template);
}

function readIso(text: string): PathMoment | undefined {
  const match = ISO_MOMENT.exec(text);
  if (match === null || text === '') return undefined;
  const hasDate = match[1] !== undefined;
  const hasTime = match[5] !== undefined;
  if (hasDate && hasTime && match[4] === undefined) return undefined;
  if (!hasDate && match[4] !== undefined) return undefined;
  const date = hasDate ? `${match[1]}-${match[2]}-${match[3]}` : '2000-01-01';
  const { days } = scanDateTime(date, 'YYYY-MM-DD');
  if (!hasTime) return hasDate ? new PathMoment('date', days, 0, 0) : undefined;
  const [hour, minute, second] = [Number(match[5]), Number(match[6]), Number(match[7])];
  if (hour > 23 || minute > 59 || second > 59) {
    throw new PhantomError('22008', `date/time field value out of range: "${text}"`);
  }
  const fraction = match[8] === undefined ? 0 : Math.round(Number(match[8]) * 1e6);
  const micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
  const zoned = match[9] !== undefined;
  const size = zoned ? Number(match[10]) * 3600 + Number(match[11] ?? 0) * 60 : 0;
  const offset = match[9] === '-' ? 0 - size : size;
  if (hasDate) return new PathMoment(zoned ? 'timestamptz' : 'timestamp', days, micros, offset);
  return new PathMoment(zoned ? 'timetz' : 'time', 0, micros, offset);
}

const DATE_WORDS = /^(?:A\.?D\.?|B\.?C\.?|CC|DAY|DDD|DD|DY|D|I.*|J|MM|MONTH|MON|Q|RM|WW|W|Y.*)$/;
const ZONE_WORDS = /^TZ/;

function readByTemplate(text: string, template: string): PathMoment {
  let hasDate = false;
  let hasTime = false;
  let zoned = false;
  for (const part of dateTemplate(template)) {
    if (part.kind !== 'keyword') continue;
    const word = part.text.toUpperCase();
    if (DATE_WORDS.test(word)) hasDate = true;
    else if (ZONE_WORDS.test(word)) zoned = true;
    else if (word !== 'FX') hasTime = true;
  }
  const scanned = scanDateTime(text, template);
  const offset = scanned.offsetSeconds ?? 0;
  const kind = hasDate ? (hasTime ? (zoned ? 'timestamptz' : 'timestamp') : 'date') : zoned ? 'timetz' : 'time';
  return new PathMoment(kind, hasDate ? scanned.days : 0, hasTime ? scanned.micros : 0, offset);
}

function needsZone(left: PathMoment, right: PathMoment, zone: string | undefined): string {
  if (zone === undefined) {
    throw new PhantomError('0A000', `cannot convert value from ${left.kind} to ${right.kind} without time zone usage`, {
      hint: 'Use *_tz() function for time zone support.',
      family: 'input',
    });
  }
  return zone;
}

const hasZone = (moment: PathMoment): boolean => moment.kind === 'timetz' || moment.kind === 'timestamptz';

/** Order of two moments; undefined where a time of day meets a date. */
export function compareMoments(left: PathMoment, right: PathMoment, timeZone: string | undefined): number | undefined {
  const times = (moment: PathMoment): boolean => moment.kind === 'time' || moment.kind === 'timetz';
  if (times(left) !== times(right)) return undefined;
  const mixed = hasZone(left) !== hasZone(right);
  if (times(left)) {
    const zoneOf = (moment: PathMoment): number => {
      if (hasZone(moment) || !mixed) return moment.offsetSeconds;
      const zone = hasZone(left) ? needsZone(right, left, timeZone) : needsZone(left, right, timeZone);
      return sessionZone(zone).offsetAt(0);
    };
    const a = new TimeTz(left.micros, 0 - zoneOf(left));
    const b = new TimeTz(right.micros, 0 - zoneOf(right));
    return a.compare(b);
  }
  const instant = (moment: PathMoment): number | bigint => {
    const local = moment.kind === 'date' ? timestampOfDate(moment.days) : joinTimestamp(moment.days, moment.micros);
    if (hasZone(moment)) return joinTimestamp(moment.days, moment.micros - moment.offsetSeconds * 1_000_000);
    if (!mixed) return local;
    const zone = hasZone(left) ? needsZone(right, left, timeZone) : needsZone(left, right, timeZone);
    return instantOf(local, sessionZone(zone));
  };
  const a = instant(left);
  const b = instant(right);
  return a < b ? -1 : a > b ? 1 : 0;
}
