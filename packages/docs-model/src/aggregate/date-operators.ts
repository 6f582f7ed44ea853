/** Date operators, in UTC or the time zone that they are given. Where a date is asked for, an ObjectId is the second it was made in. */
import { ObjectId } from '@phantom/codec';
import { badArgument } from '../errors.js';
import { isObject, typeName } from '../order.js';
import { dayOfYear, isoDay, isoWeek, readDate, readFormat, week, writeDate } from './date-text.js';
import { addUnits, truncate, unitsBetween, weekdayOf } from './date-units.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';
import { integerOf, named, textOf } from './operands.js';
import { zoneArgument } from './time-zone.js';

type Parts = ReadonlyMap<string, Evaluate>;

function dateOf(operator: string, value: unknown): Date | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return objectIdDate(value);
  throw badArgument(`${operator} needs a date, not ${typeName(value)}`);
}

/** When an ObjectId was made, to the second. */
export function objectIdDate(id: ObjectId): Date {
  return new Date(Buffer.from(id.bytes).readUInt32BE(0) * 1000);
}

/** A part of a date: the operand is the date, or { date, timezone }. */
function part(name: string, read: (local: Date) => unknown): OperatorMaker {
  return (operand, compiler) => {
    const whole = isObject(operand) && Object.hasOwn(operand, 'date');
    const parts = whole ? named(name, operand, compiler, ['date'], ['timezone']) : undefined;
    const value = parts?.get('date') ?? compiler.operands(operand)[0];
    if (value === undefined) throw badArgument(`${name} needs a date`);
    const zoneOf = zoneArgument(name, parts?.get('timezone'));
    return (root, variables) => {
      const zone = zoneOf(root, variables);
      const date = dateOf(name, value(root, variables));
      return date === null || zone === null ? null : read(zone.local(date));
    };
  };
}

/** The argument as text; null where it is null or missing. */
function textArgument(
  operator: string,
  argument: Evaluate | undefined,
  otherwise: string,
): (...of: Parameters<Evaluate>) => string | null {
  if (argument === undefined) return () => otherwise;
  return (root, variables) => {
    const value = argument(root, variables);
    return value === null || value === undefined ? null : textOf(operator, value);
  };
}

const dateToString: OperatorMaker = (operand, compiler) => {
  const name = '$dateToString';
  const parts: Parts = named(name, operand, compiler, ['date'], ['format', 'timezone', 'onNull']);
  const zoneOf = zoneArgument(name, parts.get('timezone'));
  const formatOf = parts.get('format');
  return (root, variables) => {
    const date = dateOf(name, (parts.get('date') as Evaluate)(root, variables));
    if (date === null) return parts.get('onNull')?.(root, variables) ?? null;
    const zone = zoneOf(root, variables);
    const format = formatOf?.(root, variables);
    if (zone === null || (formatOf !== undefined && (format === null || format === undefined))) return null;
    return writeDate(date, format === undefined ? undefined : textOf(name, format), zone);
  };
};

const dateFromString: OperatorMaker = (operand, compiler) => {
  const name = '$dateFromString';
  const parts: Parts = named(name, operand, compiler, ['dateString'], ['format', 'timezone', 'onNull', 'onError']);
  const zoneOf = zoneArgument(name, parts.get('timezone'));
  const formatOf = parts.get('format');
  return (root, variables) => {
    const value = (parts.get('dateString') as Evaluate)(root, variables);
    if (value === null || value === undefined) return parts.get('onNull')?.(root, variables) ?? null;
    const zone = zoneOf(root, variables);
    const format = formatOf?.(root, variables);
    if (zone === null || (formatOf !== undefined && (format === null || format === undefined))) return null;
    const given = parts.has('timezone') ? zone : undefined;
    const otherwise = parts.get('onError');
    if (typeof value === 'string' || otherwise === undefined) {
      const text = textOf(name, value);
      const date = format === undefined ? readDate(text, given) : readFormat(text, textOf(name, format), given);
      if (date !== undefined) return date;
    }
    if (otherwise === undefined) throw badArgument(`$dateFromString cannot read "${String(value)}"`);
    return otherwise(root, variables);
  };
};

function shift(name: string, sign: 1 | -1): OperatorMaker {
  return (operand, compiler) => {
    const parts: Parts = named(name, operand, compiler, ['startDate', 'unit', 'amount'], ['timezone']);
    const zoneOf = zoneArgument(name, parts.get('timezone'));
    return (root, variables) => {
      const [start, unit, amount] = ['startDate', 'unit', 'amount'].map((key) =>
        (parts.get(key) as Evaluate)(root, variables),
      );
      const zone = zoneOf(root, variables);
      const date = dateOf(name, start);
      if (
        date === null ||
        zone === null ||
        unit === null ||
        unit === undefined ||
        amount === null ||
        amount === undefined
      )
        return null;
      return addUnits(date, textOf(name, unit), sign * integerOf(name, amount), zone);
    };
  };
}

/** Boundaries of the unit between the dates. */
const dateDiff: OperatorMaker = (operand, compiler) => {
  const name = '$dateDiff';
  const parts: Parts = named(name, operand, compiler, ['startDate', 'endDate', 'unit'], ['timezone', 'startOfWeek']);
  const zoneOf = zoneArgument(name, parts.get('timezone'));
  const unitOf = textArgument(name, parts.get('unit'), '');
  const startOfWeek = textArgument(name, parts.get('startOfWeek'), 'sunday');
  return (root, variables) => {
    const from = dateOf(name, (parts.get('startDate') as Evaluate)(root, variables));
    const to = dateOf(name, (parts.get('endDate') as Evaluate)(root, variables));
    const [unit, zone] = [unitOf(root, variables), zoneOf(root, variables)];
    const weekday = unit === 'week' ? startOfWeek(root, variables) : 'sunday';
    if (from === null || to === null || unit === null || zone === null || weekday === null) return null;
    return unitsBetween(from, to, unit, zone, weekdayOf(name, weekday));
  };
};

const dateTrunc: OperatorMaker = (operand, compiler) => {
  const name = '$dateTrunc';
  const parts: Parts = named(name, operand, compiler, ['date', 'unit'], ['binSize', 'timezone', 'startOfWeek']);
  const zoneOf = zoneArgument(name, parts.get('timezone'));
  const unitOf = textArgument(name, parts.get('unit'), '');
  const binSizeOf = parts.get('binSize');
  const startOfWeek = textArgument(name, parts.get('startOfWeek'), 'sunday');
  return (root, variables) => {
    const date = dateOf(name, (parts.get('date') as Evaluate)(root, variables));
    const [unit, zone] = [unitOf(root, variables), zoneOf(root, variables)];
    const binSize = binSizeOf === undefined ? 1 : binSizeOf(root, variables);
    const weekday = unit === 'week' ? startOfWeek(root, variables) : 'sunday';
    if (date === null || unit === null || zone === null || weekday === null) return null;
    if (binSize === null || binSize === undefined) return null;
    const size = integerOf(name, binSize);
    if (size < 1) throw badArgument(`${name} needs a binSize above zero`);
    return truncate(date, unit, size, zone, weekdayOf(name, weekday));
  };
};

const dateToParts: OperatorMaker = (operand, compiler) => {
  const name = '$dateToParts';
  const parts: Parts = named(name, operand, compiler, ['date'], ['timezone', 'iso8601']);
  const zoneOf = zoneArgument(name, parts.get('timezone'));
  return (root, variables) => {
    const zone = zoneOf(root, variables);
    const date = dateOf(name, (parts.get('date') as Evaluate)(root, variables));
    if (date === null || zone === null) return null;
    const local = zone.local(date);
    const { year: isoWeekYear, week: isoWeekNumber } = isoWeek(local);
    const day =
      parts.get('iso8601')?.(root, variables) === true
        ? { isoWeekYear, isoWeek: isoWeekNumber, isoDayOfWeek: local.getUTCDay() || 7 }
        : { year: local.getUTCFullYear(), month: local.getUTCMonth() + 1, day: local.getUTCDate() };
    const [hour, minute, second] = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()];
    return { ...day, hour, minute, second, millisecond: local.getUTCMilliseconds() };
  };
};

const DAY_PARTS = ['month', 'day'];
const ISO_DAY_PARTS = ['isoWeek', 'isoDayOfWeek'];
const TIME_PARTS = ['hour', 'minute', 'second', 'millisecond'];

/** From a year, or a year of ISO weeks. Parts past their end carry over into the next larger one. */
const dateFromParts: OperatorMaker = (operand, compiler) => {
  const name = '$dateFromParts';
  const isIso = isObject(operand) && Object.hasOwn(operand, 'isoWeekYear');
  const yearName = isIso ? 'isoWeekYear' : 'year';
  const dayNames = isIso ? ISO_DAY_PARTS : DAY_PARTS;
  const parts: Parts = named(name, operand, compiler, [yearName], [...dayNames, ...TIME_PARTS, 'timezone']);
  const zoneOf = zoneArgument(name, parts.get('timezone'));
  return (root, variables) => {
    const zone = zoneOf(root, variables);
    const given = (part: string, otherwise: number): unknown => {
      const value = parts.get(part);
      return value === undefined ? otherwise : value(root, variables);
    };
    const values = [yearName, ...dayNames]
      .map((part) => given(part, 1))
      .concat(TIME_PARTS.map((part) => given(part, 0)));
    if (zone === null || values.some((value) => value === null || value === undefined)) return null;
    const numbers = values.map((value) => integerOf(name, value));
    const [year, second, third, ...time] = numbers as [number, number, number, number, number, number, number];
    if (year < 1 || year > 9999) throw badArgument('$dateFromParts needs a year from 1 to 9999');
    const local = isIso ? isoDay(year, second, third) : new Date(new Date(0).setUTCFullYear(year, second - 1, third));
    return zone.instant(local.setUTCHours(...time));
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
