/** Operators that tell types and convert between them. Null and missing convert to null; 22018 for what does not convert. */
import { PhantomError } from '@phantom/base';
import { Decimal, ObjectId, Uuid } from '@phantom/codec';
import { badArgument } from '../errors.js';
import { isNumber, typeName } from '../order.js';
import { objectIdDate } from './date-operators.js';
import { readDate } from './date-text.js';
import { named, strict, withOperands } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';

function refused(value: unknown, target: string): PhantomError {
  return new PhantomError('22018', `cannot convert ${typeName(value)} to ${target}`);
}

function numericText(value: string, target: string): number {
  const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw refused(value, target);
  return number;
}

/** Whole numbers are read of digits alone: what `5.5` or `1e3` would be cut to is not what it says. */
const WHOLE_TEXT = /^[+-]?\d+$/;

function toNumber(value: unknown, target: string): number {
  if (isNumber(value)) return Number(value);
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') return numericText(value, target);
  if (value instanceof Date && target !== 'int') return value.getTime();
  throw refused(value, target);
}

const INT_MAX = 2147483647;
/** Characters of a text that a long is read of, leading zeros among them. */
const LONG_CHARS_MAX = 100;

function toInt(value: unknown): number {
  if (typeof value === 'string' && !WHOLE_TEXT.test(value)) throw refused(value, 'int');
  const number = Math.trunc(toNumber(value, 'int'));
  if (!(number >= -INT_MAX - 1 && number <= INT_MAX)) throw new PhantomError('22003', 'an int is out of range');
  return number;
}

function toLong(value: unknown): bigint {
  let long: bigint;
  if (typeof value === 'bigint') long = value;
  else if (value instanceof Decimal) long = BigInt(value.toInteger());
  else if (typeof value === 'string') {
    if (!WHOLE_TEXT.test(value)) throw refused(value, 'long');
    // Before it is worked out, which would take long for very long texts.
    if (value.length > LONG_CHARS_MAX) throw new PhantomError('22003', 'a long is out of range');
    long = BigInt(value.replace(/^\+/, ''));
  } else {
    const number = toNumber(value, 'long');
    if (!Number.isFinite(number)) throw new PhantomError('22003', 'a long is out of range');
    long = BigInt(Math.trunc(number));
  }
  if (BigInt.asIntN(64, long) !== long) throw new PhantomError('22003', 'a long is out of range');
  return long;
}

function toDecimal(value: unknown): Decimal {
  if (value instanceof Decimal) return value;
  if (typeof value === 'string') return Decimal.parse(value) ?? Decimal.fromNumber(numericText(value, 'decimal'));
  return typeof value === 'bigint' ? Decimal.of(value) : Decimal.fromNumber(toNumber(value, 'decimal'));
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  if (isNumber(value) || typeof value === 'boolean' || value instanceof ObjectId || value instanceof Uuid)
    return String(value);
  throw refused(value, 'string');
}

function toDate(value: unknown): Date {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return objectIdDate(value);
  const date = typeof value === 'string' ? readDate(value) : new Date(toNumber(value, 'date'));
  if (date === undefined || Number.isNaN(date.getTime())) throw refused(value, 'date');
  return date;
}

function toObjectId(value: unknown): ObjectId {
  if (value instanceof ObjectId) return value;
  if (typeof value !== 'string') throw refused(value, 'objectId');
  return ObjectId.fromHex(value);
}

const toBool = (value: unknown): boolean => (isNumber(value) ? Number(value) !== 0 : value !== false);

const CONVERSIONS: ReadonlyMap<unknown, (value: unknown) => unknown> = new Map<unknown, (value: unknown) => unknown>([
  ['int', toInt],
  [16, toInt],
  ['long', toLong],
  [18, toLong],
  ['double', (value) => toNumber(value, 'double')],
  [1, (value) => toNumber(value, 'double')],
  ['decimal', toDecimal],
  [19, toDecimal],
  ['string', toText],
  [2, toText],
  ['bool', toBool],
  [8, toBool],
  ['date', toDate],
  [9, toDate],
  ['objectId', toObjectId],
  [7, toObjectId],
]);

const convert: OperatorMaker = (operand, compiler) => {
  const parts = named('$convert', operand, compiler, ['input', 'to'], ['onError', 'onNull']);
  return (root, variables) => {
    const value = (parts.get('input') as Evaluate)(root, variables);
    if (value === null || value === undefined) return parts.get('onNull')?.(root, variables) ?? null;
    const target = (parts.get('to') as Evaluate)(root, variables);
    const apply = CONVERSIONS.get(target);
    if (apply === undefined) throw badArgument(`$convert knows no type ${String(target)}`);
    const otherwise = parts.get('onError');
    if (otherwise === undefined) return apply(value);
    try {
      return apply(value);
    } catch {
      return otherwise(root, variables);
    }
  };
};

const conversion = (name: string, target: string): OperatorMaker =>
  strict(name, 1, 1, ([value]) => (CONVERSIONS.get(target) as (value: unknown) => unknown)(value));

export const conversionOperators: Readonly<Record<string, OperatorMaker>> = {
  $type: withOperands('$type', 1, 1, ([value]) => typeName(value)),
  $isNumber: withOperands('$isNumber', 1, 1, ([value]) => isNumber(value)),
  $convert: convert,
  $toInt: conversion('$toInt', 'int'),
  $toLong: conversion('$toLong', 'long'),
  $toDouble: conversion('$toDouble', 'double'),
  $toDecimal: conversion('$toDecimal', 'decimal'),
  $toString: conversion('$toString', 'string'),
  $toBool: conversion('$toBool', 'bool'),
  $toDate: conversion('$toDate', 'date'),
  $toObjectId: conversion('$toObjectId', 'objectId'),
};
