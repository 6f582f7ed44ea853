/** Operators and functions of smallint, integer and bigint, and casts among numbers. */
import { PhantomError, isPhantomError } from '@phantom/base';
import { Decimal } from '@phantom/codec';
import { outOfRange } from '../types/sql-errors.js';
import { roundToEven } from './date-time-arithmetic.js';
import { type Implementation, type Implementations, setOf } from './implementation.js';
import {
  type Int8,
  int2,
  int4,
  int4OfInt8,
  int8,
  int8abs,
  int8add,
  int8div,
  int8mod,
  int8mul,
  int8neg,
  int8sub,
  remainder,
  truncatedQuotient,
} from './integers.js';

type Small = (value: number) => number;

/** + - * / of two small integers whose result is checked. */
function arithmetic(prefix: string, check: Small): Record<string, Implementation> {
  return {
    [`${prefix}pl`]: (a: number, b: number) => check(a + b),
    [`${prefix}mi`]: (a: number, b: number) => check(a - b),
    [`${prefix}mul`]: (a: number, b: number) => check(a * b + 0),
    [`${prefix}div`]: (a: number, b: number) => check(truncatedQuotient(a, b)),
  };
}

/** + - * / where one side is a bigint. */
function bigArithmetic(prefix: string): Record<string, Implementation> {
  return {
    [`${prefix}pl`]: int8add,
    [`${prefix}mi`]: int8sub,
    [`${prefix}mul`]: int8mul,
    [`${prefix}div`]: int8div,
  };
}

function smallFunctions(prefix: string, check: Small): Record<string, Implementation> {
  return {
    ...arithmetic(prefix, check),
    [`${prefix}mod`]: remainder,
    [`${prefix}um`]: (a: number) => check(0 - a),
    [`${prefix}up`]: (a: number) => a,
    [`${prefix}abs`]: (a: number) => check(Math.abs(a)),
    [`${prefix}and`]: (a: number, b: number) => a & b,
    [`${prefix}or`]: (a: number, b: number) => a | b,
    [`${prefix}xor`]: (a: number, b: number) => a ^ b,
    [`${prefix}not`]: (a: number) => ~a,
  };
}

function gcdNumber(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

function gcdBig(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

const bitwise = (operate: (a: bigint, b: bigint) => bigint) => (a: Int8, b: Int8) =>
  int8(operate(BigInt(a), BigInt(b)));

/** Shifts take the count modulo the width, as the machine does. */
const shift64 = (a: Int8, count: number): Int8 => int8(BigInt.asIntN(64, BigInt(a) << BigInt(count & 63)));

/** A double as an integer, rounded half to even; out of range is an error. */
function integerOfDouble(value: number, typeName: string, min: number, max: number): number {
  const rounded = roundToEven(value);
  if (!(rounded >= min && rounded <= max)) throw outOfRange(typeName);
  return rounded === 0 ? 0 : rounded;
}

function int8OfDouble(value: number): Int8 {
  const rounded = roundToEven(value);
  if (!(rounded >= -9223372036854775808 && rounded < 9223372036854775808)) throw outOfRange('bigint');
  return int8(BigInt(rounded));
}

function finiteInteger(value: Decimal, typeName: string): Int8 {
  if (!value.isFinite()) {
    const what = value.isNaN() ? 'NaN' : 'infinity';
    throw new PhantomError('0A000', `cannot convert ${what} to ${typeName}`);
  }
  return value.toInteger();
}

/** numeric to bigint. */
export function int8OfDecimal(value: Decimal): Int8 {
  return int8(BigInt(finiteInteger(value, 'bigint')));
}

/** numeric to integer. */
export function int4OfDecimal(value: Decimal): number {
  return int4OfInt8(finiteInteger(value, 'integer'));
}

function int2OfInt8(value: Int8): number {
  if (value > 32767 || value < -32768) throw outOfRange('smallint');
  return value as number;
}

function* seriesOfNumbers(start: Int8, stop: Int8, step: Int8): Iterable<Int8> {
  if (step === 0) throw new PhantomError('22023', 'step size cannot equal zero');
  const up = step > 0;
  for (let value = start; up ? value <= stop : value >= stop;) {
    yield value;
    const next = typeof value === 'number' && typeof step === 'number' ? value + step : BigInt(value) + BigInt(step);
    // Past the end of the type the series simply ends.
    if (typeof next === 'bigint') {
      if (BigInt.asIntN(64, next) !== next) return;
      value = int8(next);
    } else {
      value = Number.isSafeInteger(next) ? next : int8(BigInt(value) + BigInt(step));
    }
  }
}

function* seriesOfDecimals(start: Decimal, stop: Decimal, step: Decimal): Iterable<Decimal> {
  for (const [name, value] of [
    ['start', start],
    ['stop', stop],
    ['step size', step],
  ] as const) {
    if (!value.isFinite()) {
      throw new PhantomError(
        '22023',
        `${name}${name === 'step size' ? '' : ' value'} cannot be ${value.isNaN() ? 'NaN' : 'infinity'}`,
      );
    }
  }
  if (step.isZero()) throw new PhantomError('22023', 'step size cannot equal zero');
  const up = step.sign() > 0;
  for (let value = start; up ? value.compare(stop) <= 0 : value.compare(stop) >= 0;) {
    yield value;
    try {
      value = value.add(step);
    } catch (error) {
      // No stop lies beyond what a numeric can hold.
      if (isPhantomError(error)) return;
      throw error;
    }
  }
}

const ONE = Decimal.One;

export const integerFunctions: Implementations = {
  ...smallFunctions('int2', int2),
  ...smallFunctions('int4', int4),
  ...arithmetic('int24', int4),
  ...arithmetic('int42', int4),
  ...bigArithmetic('int8'),
  ...bigArithmetic('int28'),
  ...bigArithmetic('int82'),
  ...bigArithmetic('int48'),
  ...bigArithmetic('int84'),
  int8mod,
  int8um: int8neg,
  int8up: (a: Int8) => a,
  int8abs,
  int8and: bitwise((a, b) => a & b),
  int8or: bitwise((a, b) => a | b),
  int8xor: bitwise((a, b) => a ^ b),
  int8not: (a: Int8) => int8(~BigInt(a)),
  int4inc: (a: number) => int4(a + 1),
  int8inc: (a: Int8) => int8add(a, 1),
  int8dec: (a: Int8) => int8sub(a, 1),
  int2shl: (a: number, count: number) => ((a << (count & 31)) << 16) >> 16,
  int2shr: (a: number, count: number) => a >> (count & 31),
  int4shl: (a: number, count: number) => a << count,
  int4shr: (a: number, count: number) => a >> count,
  int8shl: shift64,
  int8shr: (a: Int8, count: number) => int8(BigInt(a) >> BigInt(count & 63)),
  int4gcd: (a: number, b: number) => int4(gcdNumber(a, b)),
  int8gcd: (a: Int8, b: Int8) => int8(gcdBig(BigInt(a), BigInt(b))),
  int4lcm: (a: number, b: number) => (a === 0 || b === 0 ? 0 : int4(Math.abs((a / gcdNumber(a, b)) * b))),
  int8lcm: (a: Int8, b: Int8) => {
    const [x, y] = [BigInt(a), BigInt(b)];
    if (x === 0n || y === 0n) return 0;
    const multiple = (x / gcdBig(x, y)) * y;
    return int8(multiple < 0n ? -multiple : multiple);
  },
  // Casts. Widening ones have nothing to do: the canonical forms agree.
  i2toi4: (a: number) => a,
  i4toi2: int2,
  int28: (a: number) => a,
  int48: (a: number) => a,
  int82: int2OfInt8,
  int84: int4OfInt8,
  dtoi2: (a: number) => integerOfDouble(a, 'smallint', -32768, 32767),
  dtoi4: (a: number) => integerOfDouble(a, 'integer', -2147483648, 2147483647),
  dtoi8: int8OfDouble,
  ftoi2: (a: number) => integerOfDouble(a, 'smallint', -32768, 32767),
  ftoi4: (a: number) => integerOfDouble(a, 'integer', -2147483648, 2147483647),
  ftoi8: int8OfDouble,
  numeric_int2: (a: Decimal) => int2OfInt8(finiteInteger(a, 'smallint')),
  numeric_int4: int4OfDecimal,
  numeric_int8: int8OfDecimal,
  i8tooid: (a: Int8) => {
    if (a < 0 || a > 4294967295) throw new PhantomError('22003', 'OID out of range');
    return a;
  },
  oidtoi8: (a: number) => a,
  int4_bool: (a: number) => a !== 0,
  bool_int4: (a: boolean) => (a ? 1 : 0),
  i4tochar: (a: number) => {
    if (a < -128 || a > 127) throw new PhantomError('22003', '"char" out of range');
    return a === 0 ? '' : String.fromCharCode(a & 0xff);
  },
  chartoi4: (a: string) => {
    const byte = a === '' ? 0 : a.charCodeAt(0);
    return byte > 127 ? byte - 256 : byte;
  },
  // Series.
  generate_series_int4: setOf((start: number, stop: number) => seriesOfNumbers(start, stop, 1)),
  generate_series_step_int4: setOf(function* series(start: number, stop: number, step: number): Iterable<number> {
    for (const value of seriesOfNumbers(start, stop, step)) {
      if (value > 2147483647 || value < -2147483648) return;
      yield value as number;
    }
  }),
  generate_series_int8: setOf((start: Int8, stop: Int8) => seriesOfNumbers(start, stop, 1)),
  generate_series_step_int8: setOf(seriesOfNumbers),
  generate_series_numeric: setOf((start: Decimal, stop: Decimal) => seriesOfDecimals(start, stop, ONE)),
  generate_series_step_numeric: setOf(seriesOfDecimals),
  to_hex32: (a: number) => (a >>> 0).toString(16),
  to_hex64: (a: Int8) => BigInt.asUintN(64, BigInt(a)).toString(16),
  booltext: (a: boolean) => (a ? 'true' : 'false'),
};
