/** extract, date_part, date_trunc and date_bin: fields of dates, times and intervals, by timestamp.c's rules. */
import { PhantomError } from '@phantom/base';
import { Decimal, Interval, type TimeTz, canonicalInteger } from '@phantom/codec';
import {
  dateFromDays,
  dayOfWeek,
  dayOfYear,
  daysFromDate,
  isoDayOfWeek,
  isoWeek,
  isoYear,
  isoYearStart,
  joinTimestamp,
  splitTimestamp,
} from '../types/calendar.js';
import { splitInterval } from '../types/date-time-format.js';
import { dateWord, timeUnit } from '../types/date-time-tokens.js';
import { type TimeZone, sessionZone, timeZone } from '../types/time-zones.js';
import {
  type Timestamp,
  checkTimestamp,
  instantOf,
  isInfinite,
  localOf,
  timestampOfDate,
} from './date-time-arithmetic.js';
import { type Implementations, contextual } from './implementation.js';
import type { EvaluationContext } from './registry.js';

/** A field's value: an integer, or a number of microseconds over a unit. */
type Field = Decimal | null;

const integer = (value: number): Decimal => new Decimal(value === 0 ? 0 : value, 0);

/** Microseconds as a decimal with `scale` digits after the point. */
const scaled = (micros: number | bigint, scale: number): Decimal => Decimal.of(micros, scale);

function unitName(field: string): string {
  const word = field.toLowerCase();
  const unit = timeUnit(word);
  if (unit !== undefined) return unit;
  const special = dateWord(word);
  if (special?.kind === 'unit' || special?.kind === 'reserved') return String(special.value);
  return word;
}

const KNOWN: ReadonlySet<string> = new Set([
  ...'microsecond millisecond second minute hour day week month quarter year decade century millennium'.split(' '),
  ...'timezone timezone_hour timezone_minute dow isodow doy isoyear julian epoch'.split(' '),
]);

function notSupported(field: string, typeName: string, truncating = false): PhantomError {
  const known = truncating ? timeUnit(field.toLowerCase()) !== undefined : KNOWN.has(unitName(field));
  return new PhantomError(
    known ? '0A000' : '22023',
    known
      ? `unit "${field.toLowerCase()}" not supported for type ${typeName}`
      : `unit "${field.toLowerCase()}" not recognized for type ${typeName}`,
    { family: 'input' },
  );
}

/** hour, minute, second and below of a clock; undefined for other units. */
function clockField(unit: string, micros: number): Decimal | undefined {
  switch (unit) {
    case 'microsecond':
      return integer(micros % 60_000_000);
    case 'millisecond':
      return scaled(micros % 60_000_000, 3);
    case 'second':
      return scaled(micros % 60_000_000, 6);
    case 'minute':
      return integer(Math.floor(micros / 60_000_000) % 60);
    case 'hour':
      return integer(Math.floor(micros / 3_600_000_000));
    default:
      return undefined;
  }
}

function centuryOf(year: number): number {
  return year > 0 ? Math.trunc((year + 99) / 100) : -Math.trunc((99 - (year - 1)) / 100);
}

function millenniumOf(year: number): number {
  return year > 0 ? Math.trunc((year + 999) / 1000) : -Math.trunc((999 - (year - 1)) / 1000);
}

/** Day and above of a day; undefined for other units. */
function dayField(unit: string, days: number): Decimal | undefined {
  const { year, month, day } = dateFromDays(days);
  switch (unit) {
    case 'day':
      return integer(day);
    case 'month':
      return integer(month);
    case 'quarter':
      return integer(Math.floor((month - 1) / 3) + 1);
    case 'week':
      return integer(isoWeek(days));
    case 'year':
      return integer(year > 0 ? year : year - 1);
    case 'decade':
      return integer(year >= 0 ? Math.floor(year / 10) : -Math.floor((8 - (year - 1)) / 10));
    case 'century':
      return integer(centuryOf(year));
    case 'millennium':
      return integer(millenniumOf(year));
    case 'isoyear': {
      const iso = isoYear(days);
      return integer(iso > 0 ? iso : iso - 1);
    }
    case 'dow':
      return integer(dayOfWeek(days));
    case 'isodow':
      return integer(isoDayOfWeek(days));
    case 'doy':
      return integer(dayOfYear(days));
    default:
      return undefined;
  }
}

/** Fields that grow with time are infinite for an infinite time; others are null. */
const MONOTONIC: ReadonlySet<string> = new Set('year decade century millennium julian isoyear epoch'.split(' '));

function infiniteField(field: string, sign: number, typeName: string): Field {
  const unit = unitName(field);
  if (MONOTONIC.has(unit)) return sign > 0 ? Decimal.Infinity : Decimal.NegativeInfinity;
  if (!KNOWN.has(unit)) throw notSupported(field, typeName);
  return null;
}

const EPOCH_DAYS = 10957;

function epochOf(timestamp: Timestamp): Decimal {
  return scaled(canonicalInteger(BigInt(timestamp) + BigInt(EPOCH_DAYS) * 86_400_000_000n), 6);
}

/** Whole days, or with the part of the day, as numeric_div shows it. */
function julianOf(days: number, micros: number): Decimal {
  const whole = integer(days + 2451545);
  return micros === 0 && days === Math.trunc(days)
    ? whole.add(integer(0).div(integer(86_400_000_000)))
    : whole.add(Decimal.of(micros, 0).div(integer(86_400_000_000)));
}

function fromTimestamp(field: string, timestamp: Timestamp): Field {
  const typeName = 'timestamp without time zone';
  if (isInfinite(timestamp)) return infiniteField(field, Number(timestamp), typeName);
  const unit = unitName(field);
  if (unit === 'epoch') return epochOf(timestamp);
  const { days, micros } = splitTimestamp(timestamp);
  if (unit === 'julian') return julianOf(days, micros);
  const value = clockField(unit, micros) ?? dayField(unit, days);
  if (value === undefined) throw notSupported(field, typeName);
  return value;
}

function zoneField(unit: string, offsetSeconds: number): Decimal | undefined {
  switch (unit) {
    case 'timezone':
      return integer(offsetSeconds);
    case 'timezone_hour':
      return integer(Math.trunc(offsetSeconds / 3600));
    case 'timezone_minute':
      return integer(Math.trunc((offsetSeconds % 3600) / 60));
    default:
      return undefined;
  }
}

function fromTimestampTz(field: string, timestamp: Timestamp, context: EvaluationContext): Field {
  const typeName = 'timestamp with time zone';
  if (isInfinite(timestamp)) return infiniteField(field, Number(timestamp), typeName);
  const unit = unitName(field);
  if (unit === 'epoch') return epochOf(timestamp);
  const utc = splitTimestamp(timestamp);
  const zone = sessionZone(context.timeZone);
  const offset = zone.offsetAt(utc.days * 86400 + Math.floor(utc.micros / 1_000_000));
  const { days, micros } = splitTimestamp(joinTimestamp(utc.days, utc.micros + offset * 1_000_000));
  if (unit === 'julian') return julianOf(days, micros);
  const value = clockField(unit, micros) ?? dayField(unit, days) ?? zoneField(unit, offset);
  if (value === undefined) throw notSupported(field, typeName);
  return value;
}

function fromDate(field: string, days: number): Field {
  const unit = unitName(field);
  if (clockField(unit, 0) !== undefined) throw notSupported(field, 'date');
  if (!Number.isFinite(days)) return infiniteField(field, days, 'date');
  if (unit === 'epoch') return Decimal.of(BigInt(days + EPOCH_DAYS) * 86400n, 0);
  if (unit === 'julian') return integer(days + 2451545);
  const value = dayField(unit, days);
  if (value === undefined) throw notSupported(field, 'date');
  return value;
}

function fromTime(field: string, micros: number): Field {
  const unit = unitName(field);
  const value = unit === 'epoch' ? scaled(micros, 6) : clockField(unit, micros);
  if (value === undefined) throw notSupported(field, 'time without time zone');
  return value;
}

function fromTimeTz(field: string, time: TimeTz): Field {
  const unit = unitName(field);
  const value =
    unit === 'epoch'
      ? scaled(time.utcMicros(), 6)
      : (clockField(unit, time.micros) ?? zoneField(unit, 0 - time.offsetSeconds));
  if (value === undefined) throw notSupported(field, 'time with time zone');
  return value;
}

function fromInterval(field: string, span: Interval): Field {
  const unit = unitName(field);
  const parts = splitInterval(span);
  const micros = parts.seconds * 1_000_000 + parts.micros;
  switch (unit) {
    case 'microsecond':
      return integer(micros);
    case 'millisecond':
      return scaled(micros, 3);
    case 'second':
      return scaled(micros, 6);
    case 'minute':
      return integer(parts.minutes);
    case 'hour':
      return integer(parts.hours);
    case 'day':
      return integer(parts.days);
    case 'month':
      return integer(parts.months);
    case 'quarter':
      return integer(Math.trunc(parts.months / 3) + 1);
    case 'year':
      return integer(parts.years);
    case 'decade':
      return integer(Math.trunc(parts.years / 10));
    case 'century':
      return integer(Math.trunc(parts.years / 100));
    case 'millennium':
      return integer(Math.trunc(parts.years / 1000));
    case 'epoch': {
      // A year counts 365.25 days, a month beyond whole years 30.
      const years = BigInt(Math.trunc(span.months / 12));
      const days = years * 1461n * 6n + BigInt(span.months % 12) * 30n * 24n + BigInt(span.days) * 24n;
      return Decimal.of(days * 3_600_000_000n + BigInt(span.micros), 6);
    }
    default:
      throw notSupported(field, 'interval');
  }
}

/** date_part is extract as a double. */
function asDouble(extract: (...args: never[]) => Field): (...args: never[]) => number | null {
  return (...args) => extract(...args)?.toNumber() ?? null;
}

// ---------------------------------------------------------------------------------------------------- date_trunc

/** First day of the unit that holds the day; undefined for units below a day or unknown. */
function truncateDay(unit: string, days: number): number | undefined {
  const { year, month } = dateFromDays(days);
  switch (unit) {
    case 'millennium':
      return daysFromDate(
        year > 0 ? Math.trunc((year + 999) / 1000) * 1000 - 999 : -Math.trunc((999 - (year - 1)) / 1000) * 1000 + 1,
        1,
        1,
      );
    case 'century':
      return daysFromDate(
        year > 0 ? Math.trunc((year + 99) / 100) * 100 - 99 : -Math.trunc((99 - (year - 1)) / 100) * 100 + 1,
        1,
        1,
      );
    case 'decade':
      return daysFromDate(year > 0 ? Math.trunc(year / 10) * 10 : -Math.trunc((8 - (year - 1)) / 10) * 10, 1, 1);
    case 'year':
      return daysFromDate(year, 1, 1);
    case 'quarter':
      return daysFromDate(year, Math.floor((month - 1) / 3) * 3 + 1, 1);
    case 'month':
      return daysFromDate(year, month, 1);
    case 'week':
      return isoYearStart(isoYear(days)) + (isoWeek(days) - 1) * 7;
    case 'day':
      return days;
    default:
      return undefined;
  }
}

const CLOCK_UNITS: Readonly<Record<string, number>> = {
  hour: 3_600_000_000,
  minute: 60_000_000,
  second: 1_000_000,
  millisecond: 1000,
  microsecond: 1,
};

function truncateTimestamp(field: string, timestamp: Timestamp, typeName: string): Timestamp {
  const unit = unitName(field);
  if (isInfinite(timestamp)) {
    if (CLOCK_UNITS[unit] === undefined && truncateDay(unit, 0) === undefined)
      throw notSupported(field, typeName, true);
    return timestamp;
  }
  const { days, micros } = splitTimestamp(timestamp);
  const clock = CLOCK_UNITS[unit];
  if (clock !== undefined) return joinTimestamp(days, micros - (micros % clock));
  const day = truncateDay(unit, days);
  if (day === undefined) throw notSupported(field, typeName, true);
  return checkTimestamp(joinTimestamp(day, 0));
}

function truncateInZone(field: string, timestamp: Timestamp, zone: TimeZone): Timestamp {
  const typeName = 'timestamp with time zone';
  if (isInfinite(timestamp)) return truncateTimestamp(field, timestamp, typeName);
  const local = truncateTimestamp(field, localOf(timestamp, zone), typeName);
  // Parts of an hour are the same in every zone of today; keeping the instant's offset avoids the hour that occurs twice.
  if (CLOCK_UNITS[unitName(field)] !== undefined) {
    const { days, micros } = splitTimestamp(timestamp);
    const offset = zone.offsetAt(days * 86400 + Math.floor(micros / 1_000_000));
    const { days: localDays, micros: localMicros } = splitTimestamp(local);
    return joinTimestamp(localDays, localMicros - offset * 1_000_000);
  }
  return instantOf(local, zone);
}

function truncateInterval(field: string, span: Interval): Interval {
  const unit = unitName(field);
  const clock = CLOCK_UNITS[unit];
  if (clock !== undefined) {
    const size = BigInt(clock);
    return new Interval(span.months, span.days, canonicalInteger((BigInt(span.micros) / size) * size));
  }
  const years = { year: 12, decade: 120, century: 1200, millennium: 12000, quarter: 3, month: 1 } as const;
  if (unit in years) {
    const months = years[unit as keyof typeof years];
    const cut = Math.trunc(span.months / months) * months;
    return new Interval(cut === 0 ? 0 : cut, 0, 0);
  }
  if (unit === 'day') return new Interval(span.months, span.days, 0);
  if (unit === 'week') {
    throw new PhantomError('0A000', `unit "${field.toLowerCase()}" not supported for type interval`, {
      detail: 'Months usually have fractional weeks.',
      family: 'input',
    });
  }
  throw notSupported(field, 'interval', true);
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

function bin(stride: Interval, timestamp: Timestamp, origin: Timestamp): Timestamp {
  if (isInfinite(timestamp)) return timestamp;
  if (isInfinite(origin)) throw new PhantomError('22008', 'origin out of range');
  if (stride.months !== 0) {
    throw new PhantomError('0A000', 'timestamps cannot be binned into intervals containing months or years', {
      family: 'input',
    });
  }
  const step = BigInt(stride.days) * 86_400_000_000n + BigInt(stride.micros);
  const distance = BigInt(timestamp) - BigInt(origin);
  if (!isInt64(step)) throw new PhantomError('22008', 'interval out of range');
  if (step <= 0n) throw new PhantomError('22008', 'stride must be greater than zero');
  if (!isInt64(distance)) throw new PhantomError('22008', 'interval out of range');
  let rest = distance % step;
  if (rest < 0n) rest += step;
  return checkTimestamp(canonicalInteger(BigInt(timestamp) - rest));
}

const truncateHere = (field: string, timestamp: Timestamp, context: EvaluationContext): Timestamp =>
  truncateInZone(field, timestamp, sessionZone(context.timeZone));

const dateAsTimestamp = (field: string, days: number): Field => fromTimestamp(field, timestampOfDate(days));

export const dateTimeFields: Implementations = {
  extract_timestamp: fromTimestamp,
  extract_timestamptz: contextual(fromTimestampTz),
  extract_date: fromDate,
  extract_time: fromTime,
  extract_timetz: fromTimeTz,
  extract_interval: fromInterval,
  timestamp_part: asDouble(fromTimestamp),
  timestamptz_part: contextual(asDouble(fromTimestampTz)),
  'date_part:text,date': asDouble(dateAsTimestamp),
  time_part: asDouble(fromTime),
  timetz_part: asDouble(fromTimeTz),
  interval_part: asDouble(fromInterval),
  timestamp_trunc: (field: string, timestamp: Timestamp) =>
    truncateTimestamp(field, timestamp, 'timestamp without time zone'),
  timestamptz_trunc: contextual(truncateHere),
  timestamptz_trunc_zone: (field: string, timestamp: Timestamp, zone: string) =>
    truncateInZone(field, timestamp, timeZone(zone)),
  interval_trunc: truncateInterval,
  timestamp_bin: bin,
  timestamptz_bin: bin,
};
