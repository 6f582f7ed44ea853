/** Date operators, in UTC; any other time zone is 0A000. */
import { unsupportedError } from '@phantom/base';
import { badArgument } from '../errors.js';
import { isObject, typeName } from '../order.js';
import { integerOf, named, textOf } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';

const DAY_MS = 86_400_000;

function dateOf(operator: string, value: unknown): Date | null {
  if (value === null || value === undefined) return null;
  if (!(value instanceof Date)) throw badArgument(`${operator} needs a date, not ${typeName(value)}`);
  return value;
}

function checkZone(value: unknown): void {
  if (value !== undefined && value !== null && value !== 'UTC' && value !== 'GMT' && value !== '+00:00') {
    throw unsupportedError(`time zone ${String(value)} in date operators`);
  }
}

/** A part of a date: the operand is the date, or { date, timezone }. */
function part(name: string, read: (date: Date) => unknown): OperatorMaker {
  return (operand, compiler) => {
    const whole = isObject(operand) && Object.hasOwn(operand, 'date');
    const parts = whole ? named(name, operand, compiler, ['date'], ['timezone']) : undefined;
    const value = parts?.get('date') ?? compiler.operands(operand)[0];
    if (value === undefined) throw badArgument(`${name} needs a date`);
    return (root, variables) => {
      checkZone(parts?.get('timezone')?.(root, variables));
      const date = dateOf(name, value(root, variables));
      return date === null ? null : read(date);
    };
  };
}

const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;

/** Week and year by ISO 8601. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

const week = (date: Date): number => Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7);

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

const FORMATS: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => pad(date.getUTCFullYear(), 4),
  m: (date) => pad(date.getUTCMonth() + 1, 2),
  d: (date) => pad(date.getUTCDate(), 2),
  H: (date) => pad(date.getUTCHours(), 2),
  M: (date) => pad(date.getUTCMinutes(), 2),
  S: (date) => pad(date.getUTCSeconds(), 2),
  L: (date) => pad(date.getUTCMilliseconds(), 3),
  j: (date) => pad(dayOfYear(date), 3),
  u: (date) => String(date.getUTCDay() || 7),
  w: (date) => String(date.getUTCDay() + 1),
  U: (date) => pad(week(date), 2),
  G: (date) => pad(isoWeek(date).year, 4),
  V: (date) => pad(isoWeek(date).week, 2),
  z: () => '+0000',
  Z: () => '0',
  '%': () => '%',
};

const dateToString: OperatorMaker = (operand, compiler) => {
  const parts = named('$dateToString', operand, compiler, ['date'], ['format', 'timezone', 'onNull']);
  return (root, variables) => {
    checkZone(parts.get('timezone')?.(root, variables));
    const date = dateOf('$dateToString', (parts.get('date') as Evaluate)(root, variables));
    if (date === null) return parts.get('onNull')?.(root, variables) ?? null;
    const format = parts.get('format')?.(root, variables) ?? '%Y-%m-%dT%H:%M:%S.%LZ';
    return textOf('$dateToString', format).replace(/%(.)/g, (_, letter: string) => {
      const write = Object.hasOwn(FORMATS, letter) ? FORMATS[letter] : undefined;
      if (write === undefined) throw badArgument(`$dateToString knows no %${letter}`);
      return write(date);
    });
  };
};

const dateFromString: OperatorMaker = (operand, compiler) => {
  const parts = named('$dateFromString', operand, compiler, ['dateString'], ['onNull', 'onError']);
  return (root, variables) => {
    const value = (parts.get('dateString') as Evaluate)(root, variables);
    if (value === null || value === undefined) return parts.get('onNull')?.(root, variables) ?? null;
    const date = new Date(textOf('$dateFromString', value));
    if (!Number.isNaN(date.getTime())) return date;
    const otherwise = parts.get('onError');
    if (otherwise === undefined) throw badArgument(`$dateFromString cannot read "${String(value)}"`);
    return otherwise(root, variables);
  };
};

const UNIT_MS: Readonly<Record<string, number>> = {
  week: 7 * DAY_MS,
  day: DAY_MS,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};
const UNIT_MONTHS: Readonly<Record<string, number>> = { year: 12, quarter: 3, month: 1 };

function addUnits(date: Date, unit: string, amount: number): Date {
  if (Object.hasOwn(UNIT_MS, unit)) return new Date(date.getTime() + amount * (UNIT_MS[unit] as number));
  if (!Object.hasOwn(UNIT_MONTHS, unit)) throw badArgument(`unknown unit of time: ${unit}`);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + amount * (UNIT_MONTHS[unit] as number);
  const year = Math.floor(months / 12);
  const month = months - year * 12;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const moved = new Date(date);
  moved.setUTCFullYear(year, month, Math.min(date.getUTCDate(), lastDay));
  return moved;
}

function shift(name: string, sign: 1 | -1): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['startDate', 'unit', 'amount'], ['timezone']);
    return (root, variables) => {
      checkZone(parts.get('timezone')?.(root, variables));
      const [start, unit, amount] = ['startDate', 'unit', 'amount'].map((key) =>
        (parts.get(key) as Evaluate)(root, variables),
      );
      const date = dateOf(name, start);
      if (date === null || unit === null || amount === null || amount === undefined) return null;
      return addUnits(date, textOf(name, unit), sign * integerOf(name, amount));
    };
  };
}

/** Boundaries of the unit between the dates. */
const dateDiff: OperatorMaker = (operand, compiler) => {
  const parts = named('$dateDiff', operand, compiler, ['startDate', 'endDate', 'unit'], ['timezone']);
  return (root, variables) => {
    checkZone(parts.get('timezone')?.(root, variables));
    const from = dateOf('$dateDiff', (parts.get('startDate') as Evaluate)(root, variables));
    const to = dateOf('$dateDiff', (parts.get('endDate') as Evaluate)(root, variables));
    const unit = (parts.get('unit') as Evaluate)(root, variables);
    if (from === null || to === null) return null;
    return unitNumber(to, textOf('$dateDiff', unit)) - unitNumber(from, textOf('$dateDiff', unit));
  };
};

/** Number of the unit that a date lies in. Weeks begin on Sunday; 1970 began on a Thursday. */
function unitNumber(date: Date, unit: string): number {
  if (Object.hasOwn(UNIT_MS, unit)) {
    const offset = unit === 'week' ? 4 * DAY_MS : 0;
    return Math.floor((date.getTime() + offset) / (UNIT_MS[unit] as number));
  }
  if (!Object.hasOwn(UNIT_MONTHS, unit)) throw badArgument(`unknown unit of time: ${unit}`);
  return Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / (UNIT_MONTHS[unit] as number));
}

const dateTrunc: OperatorMaker = (operand, compiler) => {
  const parts = named('$dateTrunc', operand, compiler, ['date', 'unit'], ['timezone']);
  return (root, variables) => {
    checkZone(parts.get('timezone')?.(root, variables));
    const date = dateOf('$dateTrunc', (parts.get('date') as Evaluate)(root, variables));
    if (date === null) return null;
    const unit = textOf('$dateTrunc', (parts.get('unit') as Evaluate)(root, variables));
    const number = unitNumber(date, unit);
    if (Object.hasOwn(UNIT_MS, unit)) {
      return new Date(number * (UNIT_MS[unit] as number) - (unit === 'week' ? 4 * DAY_MS : 0));
    }
    const month = number * (UNIT_MONTHS[unit] as number);
    return new Date(Date.UTC(Math.floor(month / 12), month % 12, 1));
  };
};

const dateToParts: OperatorMaker = (operand, compiler) => {
  const parts = named('$dateToParts', operand, compiler, ['date'], ['timezone', 'iso8601']);
  return (root, variables) => {
    checkZone(parts.get('timezone')?.(root, variables));
    const date = dateOf('$dateToParts', (parts.get('date') as Evaluate)(root, variables));
    if (date === null) return null;
    const { year: isoWeekYear, week: isoWeekNumber } = isoWeek(date);
    const day =
      parts.get('iso8601')?.(root, variables) === true
        ? { isoWeekYear, isoWeek: isoWeekNumber, isoDayOfWeek: date.getUTCDay() || 7 }
        : { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
    return { ...day, hour, minute, second, millisecond: date.getUTCMilliseconds() };
  };
};

const DAY_PARTS = ['month', 'day'];
const ISO_DAY_PARTS = ['isoWeek', 'isoDayOfWeek'];
const TIME_PARTS = ['hour', 'minute', 'second', 'millisecond'];

/** From a year, or a year of ISO weeks. Parts past their end carry over into the next larger one. */
const dateFromParts: OperatorMaker = (operand, compiler) => {
  const isIso = isObject(operand) && Object.hasOwn(operand, 'isoWeekYear');
  const yearName = isIso ? 'isoWeekYear' : 'year';
  const dayNames = isIso ? ISO_DAY_PARTS : DAY_PARTS;
  const parts = named('$dateFromParts', operand, compiler, [yearName], [...dayNames, ...TIME_PARTS, 'timezone']);
  return (root, variables) => {
    checkZone(parts.get('timezone')?.(root, variables));
    const given = (name: string, otherwise: number): unknown => {
      const value = parts.get(name);
      return value === undefined ? otherwise : value(root, variables);
    };
    const values = [yearName, ...dayNames]
      .map((name) => given(name, 1))
      .concat(TIME_PARTS.map((name) => given(name, 0)));
    if (values.some((value) => value === null || value === undefined)) return null;
    const numbers = values.map((value) => integerOf('$dateFromParts', value));
    const [year, second, third, ...time] = numbers as [number, number, number, number, number, number, number];
    if (year < 1 || year > 9999) throw badArgument('$dateFromParts needs a year from 1 to 9999');
    const date = new Date(0);
    if (isIso) {
      // The fourth of January lies in the first week.
      date.setUTCFullYear(year, 0, 4);
      date.setUTCDate(4 - (date.getUTCDay() || 7) + 7 * (second - 1) + third);
    } else {
      date.setUTCFullYear(year, second - 1, third);
    }
    date.setUTCHours(...time);
    return date;
  };
};

export const dateOperators: Readonly<Record<string, OperatorMaker>> = {
  $year: part('$year', (date) => date.getUTCFullYear()),
  $month: part('$month', (date) => date.getUTCMonth() + 1),
  $dayOfMonth: part('$dayOfMonth', (date) => date.getUTCDate()),
  $dayOfWeek: part('$dayOfWeek', (date) => date.getUTCDay() + 1),
  $dayOfYear: part('$dayOfYear', dayOfYear),
  $hour: part('$hour', (date) => date.getUTCHours()),
  $minute: part('$minute', (date) => date.getUTCMinutes()),
  $second: part('$second', (date) => date.getUTCSeconds()),
  $millisecond: part('$millisecond', (date) => date.getUTCMilliseconds()),
  $week: part('$week', week),
  $isoWeek: part('$isoWeek', (date) => isoWeek(date).week),
  $isoWeekYear: part('$isoWeekYear', (date) => isoWeek(date).year),
  $isoDayOfWeek: part('$isoDayOfWeek', (date) => date.getUTCDay() || 7),
  $dateToParts: dateToParts,
  $dateFromParts: dateFromParts,
  $dateToString: dateToString,
  $dateFromString: dateFromString,
  $dateAdd: shift('$dateAdd', 1),
  $dateSubtract: shift('$dateSubtract', -1),
  $dateDiff: dateDiff,
  $dateTrunc: dateTrunc,
};
