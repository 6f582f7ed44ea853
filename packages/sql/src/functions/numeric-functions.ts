/** Operators and functions of numeric. */
import { PhantomError } from '@phantom/base';
import {
  DECIMAL_DIGITS_MAX,
  DECIMAL_SCALE_MAX,
  Decimal,
  decimalExp,
  decimalLn,
  decimalLog,
  decimalPower,
  decimalSqrt,
} from '@phantom/codec';
import { applyNumericTypmod } from '../types/numeric-type.js';
import type { Implementations } from './implementation.js';
import { type Int8, int4OfInt8 } from './integers.js';

const TEN = new Decimal(10, 0);
/** Scales that round and trunc heed at most, before or after the point; rounding may carry into one more digit. */
function clampScale(scale: number, before: number): number {
  return Math.max(-before, Math.min(DECIMAL_SCALE_MAX, scale));
}

function bigGcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function gcd(a: Decimal, b: Decimal): Decimal {
  if (!a.isFinite() || !b.isFinite()) return Decimal.NaN;
  const scale = Math.max(a.scale, b.scale);
  return Decimal.of(bigGcd(a.scaledTo(scale), b.scaledTo(scale)), scale);
}

function lcm(a: Decimal, b: Decimal): Decimal {
  if (!a.isFinite() || !b.isFinite()) return Decimal.NaN;
  const scale = Math.max(a.scale, b.scale);
  if (a.isZero() || b.isZero()) return new Decimal(0, scale);
  const x = a.scaledTo(scale);
  const y = b.scaledTo(scale);
  const multiple = (x / bigGcd(x, y)) * y;
  return Decimal.of(multiple < 0n ? -multiple : multiple, scale);
}

/** Largest argument of factorial whose result numeric can hold. */
const FACTORIAL_MAX = 32177;

function factorial(value: Int8): Decimal {
  if (value < 0) throw new PhantomError('22003', 'factorial of a negative number is undefined');
  if (value > FACTORIAL_MAX) throw new PhantomError('22003', 'value overflows numeric format');
  let result = 1n;
  for (let i = 2n; i <= BigInt(value); i++) result *= i;
  return Decimal.of(result, 0);
}

function widthBucket(operand: Decimal, low: Decimal, high: Decimal, count: number): number {
  if (count <= 0) throw new PhantomError('2201G', 'count must be greater than zero');
  if (operand.isNaN() || low.isNaN() || high.isNaN()) {
    throw new PhantomError('2201G', 'operand, lower bound, and upper bound cannot be NaN');
  }
  if (!low.isFinite() || !high.isFinite()) {
    throw new PhantomError('2201G', 'lower and upper bounds must be finite');
  }
  const order = low.compare(high);
  if (order === 0) throw new PhantomError('2201G', 'lower bound cannot equal upper bound');
  if (order < 0 ? operand.compare(low) < 0 : operand.compare(low) > 0) return 0;
  if (order < 0 ? operand.compare(high) >= 0 : operand.compare(high) <= 0) {
    return int4OfInt8(count + 1);
  }
  const scale = Math.max(operand.scale, low.scale, high.scale);
  const part = operand.scaledTo(scale) - low.scaledTo(scale);
  const whole = high.scaledTo(scale) - low.scaledTo(scale);
  return Number((part * BigInt(count)) / whole) + 1;
}

/** log10 with numeric_log's base. */
function log10(value: Decimal): Decimal {
  return decimalLog(TEN, value);
}

export const numericFunctions: Implementations = {
  numeric_add: (a: Decimal, b: Decimal) => a.add(b),
  numeric_sub: (a: Decimal, b: Decimal) => a.sub(b),
  numeric_mul: (a: Decimal, b: Decimal) => a.mul(b),
  numeric_div: (a: Decimal, b: Decimal) => a.div(b),
  numeric_div_trunc: (a: Decimal, b: Decimal) => a.divTrunc(b),
  numeric_mod: (a: Decimal, b: Decimal) => a.mod(b),
  numeric_uminus: (a: Decimal) => a.negate(),
  numeric_uplus: (a: Decimal) => a,
  numeric_abs: (a: Decimal) => a.abs(),
  numeric_sign: (a: Decimal) => (a.isNaN() ? a : new Decimal(a.sign(), 0)),
  numeric_inc: (a: Decimal) => a.add(Decimal.One),
  numeric_power: decimalPower,
  numeric_sqrt: decimalSqrt,
  numeric_exp: decimalExp,
  numeric_ln: decimalLn,
  numeric_log: decimalLog,
  'log:numeric': log10,
  'log10:numeric': log10,
  'round:numeric': (a: Decimal) => a.round(0),
  'trunc:numeric': (a: Decimal) => a.trunc(0),
  numeric_round: (a: Decimal, scale: number) => a.round(clampScale(scale, DECIMAL_DIGITS_MAX + 1)),
  numeric_trunc: (a: Decimal, scale: number) => a.trunc(clampScale(scale, DECIMAL_DIGITS_MAX)),
  numeric_ceil: (a: Decimal) => (a.isFinite() ? a.ceil() : a),
  numeric_floor: (a: Decimal) => (a.isFinite() ? a.floor() : a),
  numeric_scale: (a: Decimal) => (a.isFinite() ? a.scale : null),
  numeric_min_scale: (a: Decimal) => (a.isFinite() ? a.minScale() : null),
  numeric_trim_scale: (a: Decimal) => a.normalize(),
  numeric_gcd: gcd,
  numeric_lcm: lcm,
  numeric_fac: factorial,
  width_bucket_numeric: widthBucket,
  int2_numeric: (a: number) => new Decimal(a, 0),
  int4_numeric: (a: number) => new Decimal(a, 0),
  int8_numeric: (a: Int8) => new Decimal(a, 0),
  // numeric(numeric, int4): the cast that applies a typmod.
  numeric: (a: Decimal, typmod: number) => applyNumericTypmod(a, typmod),
};
