/** Operators and casts of dates, times and intervals. Fields (extract), truncation and formats have files of their own. */
import { PhantomError } from '@phantom/base';
import { Interval, MICROS_PER_DAY, TimeTz } from '@phantom/codec';
import {
  addIntegers,
  dateFromDays,
  daysFromDate,
  daysInMonth,
  joinTimestamp,
  splitTimestamp,
} from '../types/calendar.js';
import { applyIntervalTypmod } from '../types/date-time-types.js';
import { invalidParameter } from '../types/sql-errors.js';
import { findTimeZone, offsetText, sessionZone, timeZone } from '../types/time-zones.js';
import {
  type Timestamp,
  addInterval,
  addIntervalInZone,
  addIntervals,
  calendarAge,
  checkDate,
  dateOfTimestamp,
  dateOutOfRange,
  divideInterval,
  instantOf,
  instantOfLocal,
  isInfinite,
  justifyDays,
  justifyHours,
  justifyInterval,
  localOf,
  localOfInstant,
  multiplyInterval,
  negateInterval,
  subtractIntervals,
  subtractTimestamps,
  timestampOfDate,
  timestampOutOfRange,
} from './date-time-arithmetic.js';
import { type Implementation, type Implementations, contextual, setOf } from './implementation.js';
import type { EvaluationContext } from './registry.js';

/** Microseconds wrapped into one day. */
function clock(micros: number | bigint): number {
  const day = BigInt(MICROS_PER_DAY);
  if (typeof micros === 'bigint') {
    const rest = micros % day;
    return Number(rest < 0n ? rest + day : rest);
  }
  const rest = micros % MICROS_PER_DAY;
  return rest < 0 ? rest + MICROS_PER_DAY : rest + 0;
}

function addDays(date: number, days: number): number {
  if (!Number.isFinite(date)) return date;
  return checkDate(date + days);
}

function dateDifference(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) throw new PhantomError('22008', 'cannot subtract infinite dates');
  return a - b;
}

/** Local day and clock of an instant in the session's zone. */
function local(instant: Timestamp, context: EvaluationContext): Timestamp {
  return localOfInstant(instant, context.timeZone);
}

function timetzOfInstant(instant: Timestamp, context: EvaluationContext): TimeTz | null {
  if (isInfinite(instant)) return null;
  const { days, micros } = splitTimestamp(instant);
  const offset = sessionZone(context.timeZone).offsetAt(days * 86400 + Math.floor(micros / 1_000_000));
  return new TimeTz(clock(micros + offset * 1_000_000), 0 - offset);
}

/** The zone of an interval: only time, no months or days. Seconds east. */
function offsetOfInterval(span: Interval): number {
  if (span.months !== 0 || span.days !== 0) {
    throw invalidParameter('interval time zone must not include months or days');
  }
  return Math.trunc(Number(span.micros) / 1_000_000);
}

function moveTimeTz(value: TimeTz, offsetSeconds: number): TimeTz {
  return new TimeTz(clock(value.micros + (value.offsetSeconds + offsetSeconds) * 1_000_000), 0 - offsetSeconds);
}

function shift(timestamp: Timestamp, seconds: number): Timestamp {
  const { days, micros } = splitTimestamp(timestamp);
  return joinTimestamp(days, micros + seconds * 1_000_000);
}

function* series(
  start: Timestamp,
  stop: Timestamp,
  step: Interval,
  add: (timestamp: Timestamp, step: Interval) => Timestamp,
): Iterable<Timestamp> {
  const direction = step.span();
  if (direction === 0) throw invalidParameter('step size cannot equal zero');
  const up = direction > 0;
  if (isInfinite(start)) throw new PhantomError('22008', 'timestamp out of range');
  for (let value = start; up ? value <= stop : value >= stop; value = add(value, step)) yield value;
}

function makeDate(given: number, month: number, day: number): number {
  const year = given < 0 ? given + 1 : given;
  if (given === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    throw new PhantomError(
      '22008',
      `date field value out of range: ${given}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`,
    );
  }
  const days = daysFromDate(year, month, day);
  if (days < -2451545 || days > 2145031948)
    throw new PhantomError(
      '22008',
      `date out of range: ${given}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`,
    );
  return days;
}

function makeTime(hour: number, minute: number, second: number): number {
  const micros = Math.round(second * 1_000_000);
  const total = hour * 3_600_000_000 + minute * 60_000_000 + micros;
  if (
    hour < 0 ||
    hour > 24 ||
    minute < 0 ||
    minute > 59 ||
    !(second >= 0) ||
    micros > 60_000_000 ||
    total > MICROS_PER_DAY
  ) {
    const two = (value: number): string => String(value).padStart(2, '0');
    throw new PhantomError(
      '22008',
      `time field value out of range: ${hour}:${two(minute)}:${second < 10 ? '0' : ''}${second}`,
    );
  }
  return total;
}

function makeTimestamp(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): Timestamp {
  const timestamp = joinTimestamp(makeDate(year, month, day), makeTime(hour, minute, second));
  const { days } = splitTimestamp(timestamp);
  if (days > 106741034) throw timestampOutOfRange();
  return timestamp;
}

function makeInterval(
  years: number,
  months: number,
  weeks: number,
  days: number,
  hours: number,
  minutes: number,
  seconds: number,
): Interval {
  if (!Number.isFinite(seconds)) throw new PhantomError('22008', 'interval out of range');
  const micros =
    BigInt(hours) * 3_600_000_000n + BigInt(minutes) * 60_000_000n + BigInt(Math.round(seconds * 1_000_000));
  return addIntervals(
    new Interval(0, 0, 0),
    new Interval(
      years * 12 + months,
      weeks * 7 + days,
      BigInt.asIntN(64, micros) === micros ? addIntegers(0, micros) : micros,
    ),
  );
}

function overlaps<T>(less: (a: T, b: T) => boolean) {
  return (aStart: T | null, aEnd: T | null, bStart: T | null, bEnd: T | null): boolean | null => {
    const order = (start: T | null, end: T | null): [T | null, T | null] => {
      if (start === null) return [end, null];
      return end !== null && less(end, start) ? [end, start] : [start, end];
    };
    const [a, aTo] = order(aStart, aEnd);
    const [b, bTo] = order(bStart, bEnd);
    if (a === null || b === null) return null;
    if (less(b, a)) return startsInside(b, bTo, a, aTo);
    if (less(a, b)) return startsInside(a, aTo, b, bTo);
    return aTo === null || bTo === null ? null : true;

    /** Whether the later start lies before the earlier period's end. */
    function startsInside(_early: T, earlyEnd: T | null, late: T, lateEnd: T | null): boolean | null {
      if (earlyEnd === null) return null;
      if (less(late, earlyEnd)) return true;
      return lateEnd === null ? null : false;
    }
  };
}

const before = (a: Timestamp, b: Timestamp): boolean => a < b;

/** OVERLAPS where one period's end, or both, is given by its length. */
function overlapsBySpan<T>(
  name: string,
  less: (a: T, b: T) => boolean,
  add: (start: T, span: Interval, context: EvaluationContext) => T,
): Implementations {
  const table: Record<string, Implementation> = {};
  const test = overlaps(less);
  for (const [first, second] of [
    [true, true],
    [false, true],
    [true, false],
  ] as const) {
    const end = (start: T | null, given: T | Interval | null, isSpan: boolean, context: EvaluationContext): T | null =>
      !isSpan ? (given as T | null) : start === null || given === null ? null : add(start, given as Interval, context);
    const types = [name, first ? 'interval' : name, name, second ? 'interval' : name];
    table[`overlaps:${types.join(',')}`] = contextual(
      (a: T | null, b: T | Interval | null, c: T | null, d: T | Interval | null, context: EvaluationContext) =>
        test(a, end(a, b, first, context), c, end(c, d, second, context)),
    );
  }
  return table;
}

export const dateTimeFunctions: Implementations = {
  // Dates.
  date_pli: addDays,
  date_mii: (a: number, days: number) => addDays(a, -days),
  'integer_pl_date:int4,date': (days: number, a: number) => addDays(a, days),
  date_mi: dateDifference,
  date_pl_interval: (a: number, span: Interval) => addInterval(timestampOfDate(a), span),
  date_mi_interval: (a: number, span: Interval) => addInterval(timestampOfDate(a), negateInterval(span)),
  datetime_timestamp: (a: number, time: number) => shiftMicros(timestampOfDate(a), time),
  datetimetz_timestamptz: (a: number, time: TimeTz) => shiftMicros(timestampOfDate(a), time.utcMicros()),
  date_timestamp: timestampOfDate,
  date_timestamptz: contextual((a: number, context: EvaluationContext) => {
    if (!Number.isFinite(a)) return a;
    return instantOfLocal(timestampOfDate(a), context.timeZone);
  }),
  timestamp_date: dateOfTimestamp,
  timestamptz_date: contextual((a: Timestamp, context: EvaluationContext) => dateOfTimestamp(local(a, context))),
  date_finite: (a: number) => Number.isFinite(a),
  make_date: makeDate,
  // Times.
  time_pl_interval: (a: number, span: Interval) => clock(addIntegers(a, span.micros)),
  time_mi_interval: (a: number, span: Interval) => clock(addIntegers(a, negateInterval(span).micros)),
  time_mi_time: (a: number, b: number) => new Interval(0, 0, a - b),
  timetz_pl_interval: (a: TimeTz, span: Interval) =>
    new TimeTz(clock(addIntegers(a.micros, span.micros)), a.offsetSeconds),
  timetz_mi_interval: (a: TimeTz, span: Interval) =>
    new TimeTz(clock(addIntegers(a.micros, negateInterval(span).micros)), a.offsetSeconds),
  time_interval: (a: number) => new Interval(0, 0, a),
  interval_time: (a: Interval) => clock(a.micros),
  timestamp_time: (a: Timestamp) => (isInfinite(a) ? null : splitTimestamp(a).micros),
  timestamptz_time: contextual((a: Timestamp, context: EvaluationContext) =>
    isInfinite(a) ? null : splitTimestamp(local(a, context)).micros,
  ),
  timestamptz_timetz: contextual(timetzOfInstant),
  time_timetz: contextual((a: number, context: EvaluationContext) => {
    const now = splitTimestamp(context.transactionMicros);
    const seconds = now.days * 86400 + Math.floor(a / 1_000_000);
    return new TimeTz(a, 0 - sessionZone(context.timeZone).offsetOfLocal(seconds));
  }),
  timetz_time: (a: TimeTz) => a.micros,
  make_time: makeTime,
  // Timestamps.
  timestamp_mi: subtractTimestamps,
  timestamp_pl_interval: addInterval,
  timestamp_mi_interval: (a: Timestamp, span: Interval) => addInterval(a, negateInterval(span)),
  timestamptz_pl_interval: contextual((a: Timestamp, span: Interval, context: EvaluationContext) =>
    addIntervalInZone(a, span, sessionZone(context.timeZone)),
  ),
  timestamptz_mi_interval: contextual((a: Timestamp, span: Interval, context: EvaluationContext) =>
    addIntervalInZone(a, negateInterval(span), sessionZone(context.timeZone)),
  ),
  timestamp_timestamptz: contextual((a: Timestamp, context: EvaluationContext) => instantOfLocal(a, context.timeZone)),
  timestamptz_timestamp: contextual(local),
  timestamp_finite: (a: Timestamp) => !isInfinite(a),
  timestamp_age: calendarAge,
  timestamptz_age: contextual((a: Timestamp, b: Timestamp, context: EvaluationContext) =>
    calendarAge(local(a, context), local(b, context)),
  ),
  'age:timestamp': contextual((a: Timestamp, context: EvaluationContext) => calendarAge(midnight(context), a)),
  'age:timestamptz': contextual((a: Timestamp, context: EvaluationContext) =>
    calendarAge(midnight(context), local(a, context)),
  ),
  make_timestamp: makeTimestamp,
  make_timestamptz: contextual(
    (y: number, mo: number, d: number, h: number, mi: number, s: number, context: EvaluationContext) =>
      instantOfLocal(makeTimestamp(y, mo, d, h, mi, s), context.timeZone),
  ),
  make_timestamptz_at_timezone: (y: number, mo: number, d: number, h: number, mi: number, s: number, zone: string) => {
    const numeric = /^[+-]/.test(zone)
      ? findTimeZone(zone.replace(/^./, (sign) => (sign === '+' ? '-' : '+')))
      : undefined;
    return instantOf(makeTimestamp(y, mo, d, h, mi, s), numeric ?? timeZone(zone));
  },
  float8_timestamptz: (seconds: number) => {
    if (Number.isNaN(seconds)) throw new PhantomError('22008', 'timestamp cannot be NaN');
    if (!Number.isFinite(seconds)) return seconds;
    if (seconds < -210866803200 || seconds >= 9224318016000) {
      throw new PhantomError('22008', `timestamp out of range: "${seconds}"`);
    }
    const micros = (seconds - 946684800) * 1_000_000;
    return Number.isSafeInteger(Math.round(micros)) ? Math.round(micros) : addIntegers(0, BigInt(Math.round(micros)));
  },
  // Zones.
  timestamp_zone: (zone: string, a: Timestamp) => instantOf(a, timeZone(zone)),
  timestamptz_zone: (zone: string, a: Timestamp) => localOf(a, timeZone(zone)),
  timestamp_izone: (zone: Interval, a: Timestamp) => (isInfinite(a) ? a : shift(a, 0 - offsetOfInterval(zone))),
  timestamptz_izone: (zone: Interval, a: Timestamp) => (isInfinite(a) ? a : shift(a, offsetOfInterval(zone))),
  timetz_zone: contextual((zone: string, a: TimeTz, context: EvaluationContext) => {
    const now = splitTimestamp(context.transactionMicros);
    return moveTimeTz(a, timeZone(zone).offsetAt(now.days * 86400 + Math.floor(now.micros / 1_000_000)));
  }),
  timetz_izone: (zone: Interval, a: TimeTz) => moveTimeTz(a, offsetOfInterval(zone)),
  // Intervals.
  interval_pl: addIntervals,
  interval_mi: subtractIntervals,
  interval_um: negateInterval,
  interval_mul: multiplyInterval,
  mul_d_interval: (factor: number, span: Interval) => multiplyInterval(span, factor),
  interval_div: divideInterval,
  interval_justify_hours: justifyHours,
  interval_justify_days: justifyDays,
  interval_justify_interval: justifyInterval,
  interval_finite: () => true,
  interval_scale: (span: Interval, typmod: number) => applyIntervalTypmod(span, typmod),
  make_interval: {
    kind: 'scalar',
    call: makeInterval,
    needsContext: false,
    needsTypes: false,
    inline: undefined,
    defaults: [0, 0, 0, 0, 0, 0, 0],
  },
  // The operators with interval first.
  'interval_pl_date:interval,date': (span: Interval, a: number) => addInterval(timestampOfDate(a), span),
  'interval_pl_time:interval,time': (span: Interval, a: number) => clock(addIntegers(a, span.micros)),
  'interval_pl_timetz:interval,timetz': (span: Interval, a: TimeTz) =>
    new TimeTz(clock(addIntegers(a.micros, span.micros)), a.offsetSeconds),
  'interval_pl_timestamp:interval,timestamp': (span: Interval, a: Timestamp) => addInterval(a, span),
  'interval_pl_timestamptz:interval,timestamptz': contextual(
    (span: Interval, a: Timestamp, context: EvaluationContext) =>
      addIntervalInZone(a, span, sessionZone(context.timeZone)),
  ),
  'timedate_pl:time,date': (time: number, a: number) => shiftMicros(timestampOfDate(a), time),
  'timetzdate_pl:timetz,date': (time: TimeTz, a: number) => shiftMicros(timestampOfDate(a), time.utcMicros()),
  // Now.
  now: contextual((context: EvaluationContext) => context.transactionMicros),
  statement_timestamp: contextual((context: EvaluationContext) => context.statementMicros),
  clock_timestamp: contextual((context: EvaluationContext) => context.clockMicros()),
  timeofday: contextual((context: EvaluationContext) => timeOfDay(context)),
  // Series and overlaps.
  generate_series_timestamp: setOf((start: Timestamp, stop: Timestamp, step: Interval) =>
    series(start, stop, step, addInterval),
  ),
  generate_series_timestamptz: setOf(
    (start: Timestamp, stop: Timestamp, step: Interval, context: EvaluationContext) => {
      const zone = sessionZone(context.timeZone);
      return series(start, stop, step, (value, by) => addIntervalInZone(value, by, zone));
    },
    { context: true },
  ),
  overlaps_time: overlaps<number>((a, b) => a < b),
  overlaps_timestamp: overlaps<Timestamp>(before),
  overlaps_timetz: overlaps<TimeTz>((a, b) => a.compare(b) < 0),
  ...overlapsBySpan<Timestamp>('timestamp', before, addInterval),
  ...overlapsBySpan<Timestamp>('timestamptz', before, (start, span, context) =>
    addIntervalInZone(start, span, sessionZone(context.timeZone)),
  ),
  ...overlapsBySpan<number>(
    'time',
    (a, b) => a < b,
    (start, span) => clock(addIntegers(start, span.micros)),
  ),
};

function shiftMicros(timestamp: Timestamp, micros: number): Timestamp {
  if (isInfinite(timestamp)) return timestamp;
  const { days } = splitTimestamp(timestamp);
  if (days > 106751991) throw dateOutOfRange();
  return addIntegers(timestamp, micros);
}

/** Today's beginning in the session's zone, as local time. */
function midnight(context: EvaluationContext): Timestamp {
  return timestampOfDate(dateOfTimestamp(local(context.transactionMicros, context)));
}

function timeOfDay(context: EvaluationContext): string {
  const now = local(context.clockMicros(), context);
  const { days, micros } = splitTimestamp(now);
  const { year, month, day } = dateFromDays(days);
  const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(micros / 1_000_000);
  const clockText = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const zone = sessionZone(context.timeZone);
  const utc = splitTimestamp(context.transactionMicros);
  const name = zone.abbreviationAt(utc.days * 86400 + Math.floor(utc.micros / 1_000_000));
  const weekday = weekdays[(((days + 6) % 7) + 7) % 7] as string;
  return `${weekday} ${names[month - 1] as string} ${two(day)} ${clockText}.${String(micros % 1_000_000).padStart(6, '0')} ${year} ${name || offsetText(0)}`;
}
