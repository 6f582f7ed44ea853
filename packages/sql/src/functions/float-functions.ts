/**
 * Operators and functions of real and double precision. A result that leaves the range although its operands were in it is
 * an error (22003), which plain arithmetic would not notice.
 */
import { PhantomError } from '@phantom/base';
import type { Decimal } from '@phantom/codec';
import { exponentialText, formatFloat4, formatFloat8 } from '../types/float-types.js';
import { parseNumeric } from '../types/numeric-type.js';
import { floatOverflow, floatUnderflow } from '../types/sql-errors.js';
import { roundToEven } from './date-time-arithmetic.js';
import { checkProduct, checkQuotient, checkSum } from './float-checks.js';
import { type Implementation, type Implementations, contextual } from './implementation.js';
import type { Int8 } from './integers.js';
import type { EvaluationContext } from './registry.js';

/** Result of a function of finite arguments. */
function checkFinite(result: number, ...args: readonly number[]): number {
  if (!Number.isFinite(result) && !Number.isNaN(result) && args.every(Number.isFinite)) throw floatOverflow();
  return result;
}

type Round = (value: number) => number;
const identity: Round = (value) => value;

function arithmetic(prefix: string, round: Round): Record<string, Implementation> {
  return {
    [`${prefix}pl`]: (a: number, b: number) => checkSum(round(a + b), a, b),
    [`${prefix}mi`]: (a: number, b: number) => checkSum(round(a - b), a, b),
    [`${prefix}mul`]: (a: number, b: number) => checkProduct(round(a * b), a, b),
    [`${prefix}div`]: (a: number, b: number) => checkQuotient(round(a / b), a, b),
  };
}

function unary(prefix: string): Record<string, Implementation> {
  return {
    [`${prefix}um`]: (a: number) => -a,
    [`${prefix}up`]: (a: number) => a,
    [`${prefix}abs`]: (a: number) => Math.abs(a),
  };
}

function inputOutOfRange(): PhantomError {
  return new PhantomError('22003', 'input is out of range');
}

/** A trigonometric function: infinities are out of range. */
const circular = (compute: Round) => (a: number) => {
  if (Number.isNaN(a)) return a;
  if (!Number.isFinite(a)) throw inputOutOfRange();
  return compute(a);
};

/** Inverse functions over -1..1. */
const inverse = (compute: Round) => (a: number) => {
  if (Number.isNaN(a)) return a;
  if (a < -1 || a > 1) throw inputOutOfRange();
  return compute(a);
};

const DEGREE = Math.PI / 180;

/** Exact at multiples of 30 and 45 degrees, as PostgreSQL makes its degree functions. */
function sinDegrees(given: number): number {
  let a = given % 360;
  let sign = 1;
  if (a < 0) {
    a = -a;
    sign = -sign;
  }
  if (a > 180) {
    a = 360 - a;
    sign = -sign;
  }
  if (a > 90) a = 180 - a;
  return sign * (a <= 30 ? sinFirst(a) : a >= 90 ? 1 : cosFirst(90 - a));
}

function cosDegrees(given: number): number {
  let a = Math.abs(given % 360);
  let sign = 1;
  if (a > 180) a = 360 - a;
  if (a > 90) {
    a = 180 - a;
    sign = -1;
  }
  return sign * cosFirst(a);
}

/** sin of 0..30 degrees, scaled so that 30 gives exactly a half. */
function sinFirst(a: number): number {
  return (Math.sin(a * DEGREE) / Math.sin(30 * DEGREE)) * 0.5;
}

/** cos of 0..90 degrees, exact at 60 and 90. */
function cosFirst(a: number): number {
  if (a <= 60) return 1 - ((1 - Math.cos(a * DEGREE)) / (1 - Math.cos(60 * DEGREE))) * 0.5;
  return sinFirst(90 - a);
}

function tanDegrees(a: number): number {
  const folded = Math.abs(a % 180);
  if (folded === 90) return Number.POSITIVE_INFINITY * (a % 360 > 0 === Math.abs(a % 360) < 180 ? 1 : -1);
  const quotient = sinDegrees(a) / cosDegrees(a) / (sinDegrees(45) / cosDegrees(45));
  return quotient === 0 ? 0 : quotient;
}

function asinDegrees(a: number): number {
  if (a < 0) return 0 - asinDegrees(-a);
  if (a <= 0.5) return (Math.asin(a) / Math.asin(0.5)) * 30;
  return 90 - (Math.acos(a) / Math.acos(0.5)) * 60;
}

function acosDegrees(a: number): number {
  if (a < 0) return 90 + asinDegrees(-a);
  if (a <= 0.5) return 90 - (Math.asin(a) / Math.asin(0.5)) * 30;
  return (Math.acos(a) / Math.acos(0.5)) * 60;
}

const atanDegrees: Round = (a) => (Math.atan(a) / Math.atan(1)) * 45;

function power(a: number, b: number): number {
  if (Number.isNaN(a)) return b === 0 ? 1 : a;
  if (Number.isNaN(b)) return a === 1 ? 1 : b;
  if (a === 1) return 1;
  if (a === 0 && b < 0) throw new PhantomError('2201F', 'zero raised to a negative power is undefined');
  if (a < 0 && Number.isFinite(b) && !Number.isInteger(b)) {
    throw new PhantomError('2201F', 'a negative number raised to a non-integer power yields a complex result');
  }
  if (Math.abs(a) === 1 && !Number.isFinite(b)) return 1;
  const result = a ** b;
  if (Number.isFinite(a) && Number.isFinite(b)) {
    if (!Number.isFinite(result)) throw floatOverflow();
    if (result === 0 && a !== 0) throw floatUnderflow();
  }
  return result;
}

function exponential(a: number): number {
  const result = Math.exp(a);
  if (Number.isFinite(a)) {
    if (!Number.isFinite(result)) throw floatOverflow();
    if (result === 0) throw floatUnderflow();
  }
  return result;
}

const logarithm = (compute: Round) => (a: number) => {
  if (a === 0) throw new PhantomError('2201E', 'cannot take logarithm of zero');
  if (a < 0) throw new PhantomError('2201E', 'cannot take logarithm of a negative number');
  return compute(a);
};

function single(value: number): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded) && Number.isFinite(value)) throw floatOverflow();
  if (rounded === 0 && value !== 0) throw floatUnderflow();
  return rounded;
}

function bucket(operand: number, low: number, high: number, count: number): number {
  if (count <= 0) throw new PhantomError('2201G', 'count must be greater than zero');
  if (Number.isNaN(operand) || Number.isNaN(low) || Number.isNaN(high)) {
    throw new PhantomError('2201G', 'operand, lower bound, and upper bound cannot be NaN');
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new PhantomError('2201G', 'lower and upper bounds must be finite');
  }
  if (low === high) throw new PhantomError('2201G', 'lower bound cannot equal upper bound');
  const [from, to, at] = low < high ? [low, high, operand] : [-low, -high, -operand];
  let result: number;
  if (at < from) result = 0;
  else if (at >= to) result = count + 1;
  else result = Math.floor((count * (at - from)) / (to - from)) + 1;
  if (result > 2147483647) throw new PhantomError('22003', 'integer out of range');
  return result;
}

/** The rows of a text float's digits as a numeric: 15 significant digits of a double, 6 of a real. */
function decimalOf(value: number, digits: number): Decimal {
  return parseNumeric(Number.isFinite(value) ? exponentialText(value, digits - 1) : String(value)).normalize();
}

export const floatFunctions: Implementations = {
  ...arithmetic('float8', identity),
  ...arithmetic('float48', identity),
  ...arithmetic('float84', identity),
  ...arithmetic('float4', Math.fround),
  ...unary('float4'),
  ...unary('float8'),
  dsqrt: (a: number) => {
    if (a < 0) throw new PhantomError('2201F', 'cannot take square root of a negative number');
    return Math.sqrt(a);
  },
  dcbrt: (a: number) => Math.cbrt(a),
  dpow: power,
  dexp: exponential,
  dlog1: logarithm(Math.log),
  dlog10: logarithm(Math.log10),
  dround: roundHalfEven,
  dtrunc: (a: number) => Math.trunc(a),
  dceil: (a: number) => Math.ceil(a),
  dfloor: (a: number) => Math.floor(a),
  dsign: (a: number) => (a > 0 ? 1 : a < 0 ? -1 : 0),
  dsin: circular(Math.sin),
  dcos: circular(Math.cos),
  dtan: circular(Math.tan),
  dcot: circular((a) => 1 / Math.tan(a)),
  dasin: inverse(Math.asin),
  dacos: inverse(Math.acos),
  datan: (a: number) => Math.atan(a),
  datan2: (a: number, b: number) => Math.atan2(a, b),
  dsind: circular(sinDegrees),
  dcosd: circular(cosDegrees),
  dtand: (a: number) => {
    if (!Number.isFinite(a) && !Number.isNaN(a)) throw inputOutOfRange();
    return tanDegrees(a);
  },
  dcotd: (a: number) => {
    if (!Number.isFinite(a) && !Number.isNaN(a)) throw inputOutOfRange();
    const quotient = cosDegrees(a) / sinDegrees(a) / (cosDegrees(45) / sinDegrees(45));
    return quotient === 0 ? 0 : quotient;
  },
  dasind: inverse(asinDegrees),
  dacosd: inverse(acosDegrees),
  datand: atanDegrees,
  datan2d: (a: number, b: number) => (Math.atan2(a, b) / Math.atan(1)) * 45,
  dsinh: (a: number) => Math.sinh(a),
  dcosh: (a: number) => Math.cosh(a),
  dtanh: (a: number) => Math.tanh(a),
  dasinh: (a: number) => Math.asinh(a),
  dacosh: (a: number) => {
    if (a < 1) throw inputOutOfRange();
    return Math.acosh(a);
  },
  datanh: (a: number) => {
    if (a < -1 || a > 1) throw inputOutOfRange();
    return Math.atanh(a);
  },
  dpi: () => Math.PI,
  degrees: (a: number) => checkFinite(a / DEGREE, a),
  radians: (a: number) => a * DEGREE,
  drandom: contextual((context: EvaluationContext) => context.random()),
  setseed: contextual((seed: number, context: EvaluationContext) => {
    if (!(seed >= -1 && seed <= 1))
      throw new PhantomError('22023', `setseed parameter ${formatFloat8(seed)} is out of allowed range [-1,1]`);
    context.seedRandom(seed);
    return '';
  }),
  width_bucket_float8: bucket,
  i2tod: (a: number) => a,
  i4tod: (a: number) => a,
  i8tod: (a: Int8) => Number(a),
  i2tof: (a: number) => a,
  i4tof: (a: number) => Math.fround(a),
  i8tof: (a: Int8) => Math.fround(Number(a)),
  ftod: (a: number) => a,
  dtof: single,
  numeric_float8: (a: Decimal) => doubleOf(a),
  numeric_float4: (a: Decimal) => {
    const value = Math.fround(a.toNumber());
    const lost = value === 0 && a.sign() !== 0;
    if ((!Number.isFinite(value) && a.isFinite()) || lost)
      throw new PhantomError('22003', `"${a}" is out of range for type real`);
    return value;
  },
  float8_numeric: (a: number) => decimalOf(a, 15),
  float4_numeric: (a: number) => decimalOf(a, 6),
  float4out: (a: number) => formatFloat4(a),
  float8out: (a: number) => formatFloat8(a),
};

function roundHalfEven(a: number): number {
  const rounded = Number.isFinite(a) ? roundToEven(a) : a;
  return rounded === 0 && (a < 0 || Object.is(a, -0)) ? -0 : rounded;
}

/** numeric to double precision; 22003 past its range. */
export function doubleOf(value: Decimal): number {
  const result = value.toNumber();
  if ((!Number.isFinite(result) && value.isFinite()) || (result === 0 && !value.isZero())) {
    throw new PhantomError('22003', `"${value}" is out of range for type double precision`);
  }
  return result;
}
