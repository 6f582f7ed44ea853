/**
 * Reading intervals: `1 day 02:03:04`, `@ 1 minute ago`, `1-2`, `P1Y2M`. After DecodeInterval and DecodeISO8601Interval of
 * PostgreSQL's datetime.c: fields are read from right to left, so that a unit is known before its number.
 */
import { PhantomError } from '@phantom/base';
import { Interval, canonicalInteger } from '@phantom/codec';
import { DateTimeFailure, type Field, type TimeUnit, splitFields, timeUnit } from './date-time-tokens.js';
import { fractionMicros } from './date-time-decode.js';

/** Bits of interval typmods, as PostgreSQL numbers them. */
export const INTERVAL_MONTH = 1 << 1;
export const INTERVAL_YEAR = 1 << 2;
export const INTERVAL_DAY = 1 << 3;
export const INTERVAL_HOUR = 1 << 10;
export const INTERVAL_MINUTE = 1 << 11;
export const INTERVAL_SECOND = 1 << 12;
export const INTERVAL_FULL_RANGE = 0x7fff;
export const INTERVAL_FULL_PRECISION = 0xffff;

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;
const DAY_MICROS = 86_400_000_000;

const UNIT_MICROS: Readonly<Partial<Record<TimeUnit, number>>> = {
  microsecond: 1,
  millisecond: 1000,
  second: 1_000_000,
  minute: 60_000_000,
  hour: 3_600_000_000,
};
const UNIT_YEARS: Readonly<Partial<Record<TimeUnit, number>>> = { year: 1, decade: 10, century: 100, millennium: 1000 };

/** Years, months, days and microseconds being added up; each checked against its type's range. */
class IntervalSum {
  private years = 0;
  months = 0;
  days = 0;
  micros = 0n;

  addMonths(value: number): void {
    this.months = within32(this.months + value);
  }

  private addYears(value: number): void {
    this.years = within32(this.years + value);
  }

  addDays(value: number): void {
    this.days = within32(this.days + value);
  }

  addMicros(value: bigint): void {
    this.micros += value;
    if (BigInt.asIntN(64, this.micros) !== this.micros) throw new DateTimeFailure('overflow');
  }

  /** Microseconds of a fraction of a unit, rounded half away from zero. */
  addFractionMicros(fraction: number, unitMicros: number): void {
    if (fraction === 0) return;
    const exact = fraction * unitMicros;
    let whole = Math.trunc(exact);
    const rest = exact - whole;
    if (rest > 0.5) whole++;
    else if (rest < -0.5) whole--;
    this.addMicros(BigInt(whole));
  }

  addFractionDays(fraction: number, unitDays: number): void {
    if (fraction === 0) return;
    const exact = fraction * unitDays;
    const whole = Math.trunc(exact);
    this.addDays(whole);
    this.addFractionMicros(exact - whole, DAY_MICROS);
  }

  addFractionYears(fraction: number, years: number): void {
    this.addMonths(roundToEven(fraction * years * 12));
  }

  add(unit: TimeUnit, exact: number | bigint, fraction: number): void {
    const micros = UNIT_MICROS[unit];
    const years = UNIT_YEARS[unit];
    const value = Number(exact);
    if (micros !== undefined) {
      this.addMicros(BigInt(exact) * BigInt(micros));
      this.addFractionMicros(fraction, micros);
    } else if (years !== undefined) {
      this.addYears(within32(value * years));
      this.addFractionYears(fraction, years);
    } else if (unit === 'day') {
      this.addDays(value);
      this.addFractionMicros(fraction, DAY_MICROS);
    } else if (unit === 'week') {
      this.addDays(value * 7);
      this.addFractionDays(fraction, 7);
    } else if (unit === 'month') {
      this.addMonths(value);
      this.addFractionDays(fraction, 30);
    } else {
      throw new DateTimeFailure('format');
    }
  }

  negate(): void {
    if (this.years === INT32_MIN || this.months === INT32_MIN || this.days === INT32_MIN) {
      throw new DateTimeFailure('overflow');
    }
    this.years = 0 - this.years;
    this.months = 0 - this.months;
    this.days = 0 - this.days;
    this.micros = -this.micros;
    if (BigInt.asIntN(64, this.micros) !== this.micros) throw new DateTimeFailure('overflow');
  }

  result(): Interval {
    const months = this.years * 12 + this.months;
    if (months < INT32_MIN || months > INT32_MAX) throw new PhantomError('22008', 'interval out of range');
    return new Interval(months, this.days, canonicalInteger(this.micros));
  }
}

function within32(value: number): number {
  if (!(value >= INT32_MIN && value <= INT32_MAX)) throw new DateTimeFailure('overflow');
  return value === 0 ? 0 : value;
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** A signed 64-bit number; a bigint only where a double does not hold it. */
function integer64(digits: string, sign: number): number | bigint {
  if (digits.length < 16) return Number(digits) * sign;
  const value = BigInt(digits) * BigInt(sign);
  if (BigInt.asIntN(64, value) !== value) throw new DateTimeFailure('overflow');
  return canonicalInteger(value);
}

/** hh:mm, hh:mm:ss, mm:ss.fff; with a MINUTE TO SECOND typmod hh:mm is mm:ss. */
function addTime(text: string, range: number, sign: number, sum: IntervalSum): void {
  const match = /^(\d+):(\d*)(?::(\d*))?(\.\d*)?$/.exec(text);
  if (match === null) throw new DateTimeFailure('format');
  let hours = BigInt(match[1] as string);
  let minutes = Number(match[2] || '0');
  let seconds = Number(match[3] || '0');
  const micros = match[4] === undefined ? 0 : fractionMicros(match[4]);
  const minutesFirst = match[4] !== undefined || range === (INTERVAL_MINUTE | INTERVAL_SECOND);
  if (match[3] === undefined && minutesFirst) {
    seconds = minutes;
    minutes = Number(hours);
    hours = 0n;
  }
  if (minutes > 59 || seconds > 60 || micros > 1_000_000) throw new DateTimeFailure('overflow');
  const total = ((hours * 60n + BigInt(minutes)) * 60n + BigInt(seconds)) * 1_000_000n + BigInt(micros);
  sum.addMicros(sign < 0 ? -total : total);
}

/** Unit of a number without one, by the typmod's range. */
function defaultUnit(range: number): TimeUnit {
  switch (range) {
    case INTERVAL_YEAR:
      return 'year';
    case INTERVAL_MONTH:
    case INTERVAL_YEAR | INTERVAL_MONTH:
      return 'month';
    case INTERVAL_DAY:
      return 'day';
    case INTERVAL_HOUR:
    case INTERVAL_DAY | INTERVAL_HOUR:
      return 'hour';
    case INTERVAL_MINUTE:
    case INTERVAL_HOUR | INTERVAL_MINUTE:
    case INTERVAL_DAY | INTERVAL_HOUR | INTERVAL_MINUTE:
      return 'minute';
    default:
      return 'second';
  }
}

/** Fields that may occur once; times are hour, minute and second together. */
const TIME_FIELDS = ['hour', 'minute', 'second', 'millisecond', 'microsecond'];
const SUB_SECONDS = ['second', 'millisecond', 'microsecond'];

class IntervalDecoder {
  private readonly fields: readonly Field[];
  private readonly range: number;
  private readonly sum = new IntervalSum();
  private readonly seen = new Set<string>();
  private unit: TimeUnit | undefined;
  private unitWaits = false;
  private ago = false;
  private readonly negative: boolean;

  constructor(fields: readonly Field[], range: number, sqlStandard: boolean) {
    this.fields = fields;
    this.range = range;
    // The standard lets a leading minus govern all fields, unless others have signs of their own.
    this.negative =
      sqlStandard &&
      (fields[0]?.text.startsWith('-') ?? false) &&
      !fields.slice(1).some((field) => field.text.startsWith('-') || field.text.startsWith('+'));
  }

  decode(): Interval {
    for (let i = this.fields.length - 1; i >= 0; i--) this.field(this.fields[i] as Field);
    if (this.seen.size === 0 || this.unitWaits) throw new DateTimeFailure('format');
    if (this.ago) this.sum.negate();
    return this.sum.result();
  }

  private mark(names: readonly string[]): void {
    for (const name of names) {
      if (this.seen.has(name)) throw new DateTimeFailure('format');
    }
    for (const name of names) this.seen.add(name);
  }

  private field(field: Field): void {
    const { kind, text } = field;
    if (kind === 'time') {
      this.time(text, this.negative ? -1 : 1);
    } else if (kind === 'zone' && text.includes(':')) {
      this.time(text.slice(1), text.startsWith('-') || this.negative ? -1 : 1);
    } else if (kind === 'string' || kind === 'special') {
      this.word(text);
    } else {
      this.number(text);
    }
  }

  private time(text: string, sign: number): void {
    this.mark(['hour', 'minute', ...SUB_SECONDS]);
    addTime(text, this.range, sign, this.sum);
    this.unit = 'day';
    this.unitWaits = false;
  }

  private word(text: string): void {
    if (text === 'ago') {
      if (this.unitWaits) throw new DateTimeFailure('format');
      this.ago = true;
      return;
    }
    if (this.unitWaits) throw new DateTimeFailure('format');
    const unit = timeUnit(text);
    if (unit === undefined) throw new DateTimeFailure('format');
    this.unit = unit;
    this.unitWaits = true;
  }

  private number(text: string): void {
    this.unit ??= defaultUnit(this.range);
    const match = /^([+-]?)(\d*)(?:(-)(\d*)|(\.\d*))?(.*)$/.exec(text) as RegExpExecArray;
    const minus = match[1] === '-' || this.negative ? -1 : 1;
    const value = integer64(match[2] || '0', minus);
    if (match[3] !== undefined) {
      // years-months
      const months = Number(match[4]);
      if (months >= 12) throw new DateTimeFailure('overflow');
      if (match[6] !== '') throw new DateTimeFailure('format');
      this.unit = 'month';
      this.sum.addMonths(within32(Number(value) * 12 + months * minus));
      this.mark(['month']);
    } else {
      if (match[6] !== '') throw new DateTimeFailure('format');
      const fraction = match[5] === undefined ? 0 : Number(`0${match[5]}`) * minus;
      this.sum.add(this.unit, value, fraction);
      this.mark(this.unit === 'second' && fraction !== 0 ? SUB_SECONDS : [this.unit]);
      if (TIME_FIELDS.includes(this.unit) && this.unit === 'hour') this.unit = 'day';
    }
    this.unitWaits = false;
  }
}

/** ISO 8601: PnYnMnWnDTnHnMnS, and the alternative form P2001-02-03T04:05:06. */
function decodeIso8601(text: string): Interval {
  const sum = new IntervalSum();
  const number = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?/;
  let rest = text.slice(1);
  let datePart = true;
  let haveField = false;
  if (!text.startsWith('P') || rest === '') throw new DateTimeFailure('format');
  const read = (): { value: number; fraction: number } => {
    const match = number.exec(rest);
    if (match === null || (match[2] === '' && (match[3] ?? '') === '')) throw new DateTimeFailure('format');
    rest = rest.slice(match[0].length);
    const whole = Number(match[0]);
    if (!Number.isFinite(whole) || Math.abs(whole) > 1e15) throw new DateTimeFailure('overflow');
    const value = Math.trunc(whole);
    return { value, fraction: whole - value };
  };
  while (rest !== '') {
    if (rest.startsWith('T')) {
      datePart = false;
      haveField = false;
      rest = rest.slice(1);
      continue;
    }
    const fieldStart = rest;
    const { value, fraction } = read();
    const unit = rest[0] ?? '';
    if (datePart) {
      if (unit === 'Y' || unit === 'M' || unit === 'W' || unit === 'D') {
        rest = rest.slice(1);
        sum.add(({ Y: 'year', M: 'month', W: 'week', D: 'day' } as const)[unit], value, fraction);
      } else if ((unit === '' || unit === 'T') && !haveField && /^\d{8}$/.test(fieldStart.replace(/T.*$/, ''))) {
        sum.add('year', Math.floor(value / 10000), 0);
        sum.add('month', Math.floor(value / 100) % 100, 0);
        sum.add('day', value % 100, 0);
      } else if (unit === '-' || unit === '' || unit === 'T') {
        if (haveField) throw new DateTimeFailure('format');
        sum.add('year', value, fraction);
        for (const next of ['month', 'day'] as const) {
          if (!rest.startsWith('-')) break;
          rest = rest.slice(1);
          const part = read();
          sum.add(next, part.value, part.fraction);
        }
        if (rest !== '' && !rest.startsWith('T')) throw new DateTimeFailure('format');
      } else {
        throw new DateTimeFailure('format');
      }
    } else if (unit === 'H' || unit === 'M' || unit === 'S') {
      rest = rest.slice(1);
      sum.add(({ H: 'hour', M: 'minute', S: 'second' } as const)[unit], value, fraction);
    } else if (unit === '' && !haveField && /^\d{6}$/.test(fieldStart)) {
      sum.add('hour', Math.floor(value / 10000), 0);
      sum.add('minute', Math.floor(value / 100) % 100, 0);
      sum.add('second', value % 100, fraction);
    } else if (unit === ':' || unit === '') {
      if (haveField) throw new DateTimeFailure('format');
      sum.add('hour', value, fraction);
      for (const next of ['minute', 'second'] as const) {
        if (!rest.startsWith(':')) break;
        rest = rest.slice(1);
        const part = read();
        sum.add(next, part.value, part.fraction);
      }
      if (rest !== '') throw new DateTimeFailure('format');
    } else {
      throw new DateTimeFailure('format');
    }
    haveField = true;
  }
  if (!haveField) throw new DateTimeFailure('format');
  return sum.result();
}

/** Text of an interval; faults are thrown as DateTimeFailure. `range` is the typmod's, INTERVAL_FULL_RANGE without one. */
export function decodeInterval(text: string, range: number, sqlStandard: boolean): Interval {
  try {
    return new IntervalDecoder(splitFields(text), range, sqlStandard).decode();
  } catch (error) {
    if (!(error instanceof DateTimeFailure) || error.fault !== 'format') throw error;
    return decodeIso8601(text.trim());
  }
}
