/** Arithmetic over the three kinds of numbers: a decimal makes the result a decimal, a double a double, 64-bit integers stay exact. */
import { PhantomError } from '@phantom/base';
import { Decimal } from '@phantom/codec';
import { badArgument } from '../errors.js';
import { type NumberValue, decimalOf, isNumber, typeName } from '../order.js';
import type { OperatorMaker } from './evaluate.js';
import { strict } from './operands.js';

export type Arithmetic = 'add' | 'sub' | 'mul';

/** Sum, difference or product. 22003 where a 64-bit integer overflows. */
export function calculate(operation: Arithmetic, a: NumberValue, b: NumberValue): NumberValue {
  if (typeof a === 'number' && typeof b === 'number') return onNumbers(operation, a, b);
  if (a instanceof Decimal || b instanceof Decimal) return decimalOf(a)[operation](decimalOf(b));
  if (Number.isInteger(Number(a)) && Number.isInteger(Number(b))) {
    const result = onIntegers(operation, BigInt(a), BigInt(b));
    if (BigInt.asIntN(64, result) !== result) throw new PhantomError('22003', 'a 64-bit integer is out of range');
    return result;
  }
  return onNumbers(operation, Number(a), Number(b));
}

function onNumbers(operation: Arithmetic, a: number, b: number): number {
  if (operation === 'add') return a + b;
  return operation === 'sub' ? a - b : a * b;
}

function onIntegers(operation: Arithmetic, a: bigint, b: bigint): bigint {
  if (operation === 'add') return a + b;
  return operation === 'sub' ? a - b : a * b;
}

/** Quotient: of decimals a decimal, else a double. 22012 by zero. */
export function divide(a: NumberValue, b: NumberValue): NumberValue {
  if (Number(b) === 0) throw new PhantomError('22012', 'division by zero');
  if (a instanceof Decimal || b instanceof Decimal) return decimalOf(a).div(decimalOf(b));
  return Number(a) / Number(b);
}

/** Remainder with the dividend's sign. */
export function remainder(a: NumberValue, b: NumberValue): NumberValue {
  if (Number(b) === 0) throw new PhantomError('22012', 'division by zero');
  if (a instanceof Decimal || b instanceof Decimal) return decimalOf(a).mod(decimalOf(b));
  return typeof a === 'bigint' && typeof b === 'bigint' ? a % b : Number(a) % Number(b);
}

/** The value as a number of any kind, or 22023. */
export function numberOf(operator: string, value: unknown): NumberValue {
  if (!isNumber(value)) throw badArgument(`${operator} needs numbers, not ${typeName(value)}`);
  return value;
}

/** A function of one number, of doubles; decimals have one of their own, or go through doubles. */
export function unary(
  name: string,
  apply: (value: number) => number,
  exact?: (value: Decimal) => Decimal,
): OperatorMaker {
  return strict(name, 1, 1, ([value]) => {
    const number = numberOf(name, value);
    if (number instanceof Decimal) return exact?.(number) ?? Decimal.fromNumber(apply(number.toNumber()));
    if (typeof number === 'bigint' && exact !== undefined) return BigInt(exact(decimalOf(number)).toInteger());
    return apply(Number(number));
  });
}
