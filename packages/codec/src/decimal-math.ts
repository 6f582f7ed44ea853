/**
 * Square root, exponential, logarithms and powers of Decimal, with the result scales of PostgreSQL's numeric.c (the
 * functions numeric_sqrt, numeric_exp, estimate_ln_dweight, numeric_ln, log_var, power_var, power_var_int).
 *
 * The arithmetic is fixed point over bigints: an argument is reduced until its series converges in few terms, the series
 * is summed with guard digits, and the result is rounded once. PostgreSQL's own last digit of such results is a rounding of
 * a slightly inexact value too; both are within one unit of the true value at eight guard digits, so they agree.
 */
import { PhantomError } from '@phantom/base';
import { bigPowerOfTen, divideRounded } from './decimal-digits.js';
import {
  DECIMAL_DIGITS_MAX,
  DECIMAL_RESULT_SCALE_MAX,
  DECIMAL_SIGNIFICANT_MIN,
  Decimal,
  decimalLeadingDigit,
  decimalWeight,
} from './decimal.js';

const LOG10_E = 0.434294481903252;
const LN_10 = 2.302585092994046;
const RESULT_MAX = 2000;
/** Decimal weight past which a power is refused without being computed. */
const POWER_WEIGHT_MAX = 3 * 32767 * 4;

function overflow(): PhantomError {
  return new PhantomError('22003', 'value overflows numeric format');
}

function resultScale(...candidates: number[]): number {
  return Math.min(Math.max(0, ...candidates), DECIMAL_RESULT_SCALE_MAX);
}

/** Floor of the square root of a non-negative bigint, by Newton from above. */
export function integerSquareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  const bits = value.toString(16).length * 4;
  let guess = 1n << BigInt((bits + 1) >> 1);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** Square root to `scale` digits after the point, half away from zero. */
export function decimalSqrtTo(value: Decimal, scale: number): Decimal {
  // One digit more than asked for decides the rounding: the root of a decimal is never exactly on the half unless it ends there.
  const shift = 2 * (scale + 1) - value.scale;
  const unscaled = BigInt(value.unscaled);
  const root = integerSquareRoot(shift >= 0 ? unscaled * bigPowerOfTen(shift) : unscaled / bigPowerOfTen(-shift));
  return Decimal.of(divideRounded(root, 10n), scale);
}

/** sqrt(): 2201F for negative arguments. */
export function decimalSqrt(value: Decimal): Decimal {
  if (value.isNaN() || value === Decimal.Infinity || value.unscaled === Number.POSITIVE_INFINITY) return value;
  if (value.sign() < 0) throw new PhantomError('2201F', 'cannot take square root of a negative number');
  const scale = resultScale(DECIMAL_SIGNIFICANT_MIN - (decimalWeight(value) * 2 + 1), value.scale);
  return decimalSqrtTo(value, scale);
}

/** exp(x) in fixed point: argument and result are integers over 10^digits. */
function exponential(argument: bigint, digits: number): bigint {
  const one = bigPowerOfTen(digits);
  // Halve until below 2^-8, sum the series, square back.
  let halvings = 0;
  let reduced = argument;
  const small = one >> 8n;
  while ((reduced < 0n ? -reduced : reduced) > small) {
    reduced >>= 1n;
    halvings++;
  }
  let term = one;
  let sum = one;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = (term * reduced) / (one * n);
    sum += term;
  }
  for (let i = 0; i < halvings; i++) sum = (sum * sum) / one;
  return sum;
}

/** exp() to `scale` digits; the caller has bounded the argument. */
function exponentialTo(value: Decimal, scale: number): Decimal {
  const approximate = value.toNumber() * LOG10_E;
  const weight = Math.max(0, Math.ceil(approximate));
  // Each squaring doubles the relative error: 10^15 leaves room for the 21 of the largest argument and the digits before the point.
  const digits = scale + weight + 16;
  const argument = fixedPoint(value, digits);
  return Decimal.of(divideRounded(exponential(argument, digits), bigPowerOfTen(digits - scale)), scale);
}

function fixedPoint(value: Decimal, digits: number): bigint {
  return value.scale <= digits
    ? value.scaledTo(digits)
    : divideRounded(BigInt(value.unscaled), bigPowerOfTen(value.scale - digits));
}

/** exp(): 22003 when the result is too large. */
export function decimalExp(value: Decimal): Decimal {
  if (!value.isFinite()) return value.sign() < 0 ? Decimal.Zero : value;
  const weight = value.toNumber() * LOG10_E;
  if (Math.abs(value.toNumber()) >= RESULT_MAX * 3) {
    if (value.sign() > 0) throw overflow();
    return new Decimal(0, DECIMAL_RESULT_SCALE_MAX);
  }
  const bounded = Math.min(Math.max(weight, -RESULT_MAX), RESULT_MAX);
  return exponentialTo(value, resultScale(DECIMAL_SIGNIFICANT_MIN - Math.trunc(bounded), value.scale));
}

const NINE_TENTHS = new Decimal(9, 1);
const ELEVEN_TENTHS = new Decimal(11, 1);

/** numeric.c's estimate of the decimal weight of ln(value). */
function logarithmWeight(value: Decimal): number {
  if (value.sign() <= 0) return 0;
  if (value.compare(NINE_TENTHS) >= 0 && value.compare(ELEVEN_TENTHS) <= 0) {
    const difference = value.sub(Decimal.One);
    if (difference.isZero()) return 0;
    return decimalWeight(difference) * 4 + Math.trunc(Math.log10(decimalLeadingDigit(difference)));
  }
  const weight = decimalWeight(value);
  let leading = decimalLeadingDigit(value);
  let shift = weight * 4;
  const rest = value.abs().sub(Decimal.of(leading).mul(powerOfTen(shift)));
  if (!rest.isZero()) {
    leading = leading * 10000 + (decimalWeight(rest) === weight - 1 ? decimalLeadingDigit(rest) : 0);
    shift -= 4;
  }
  return Math.trunc(Math.log10(Math.abs(Math.log(leading) + shift * LN_10)));
}

function powerOfTen(exponent: number): Decimal {
  return exponent >= 0 ? Decimal.of(bigPowerOfTen(exponent), 0) : new Decimal(1, -exponent);
}

const lnTenByDigits = new Map<number, bigint>();
const LN_TEN_CACHE_MAX = 64;

/** atanh series: 2 * (y + y^3/3 + ...) for y = numerator / denominator, in fixed point. */
function logarithmSeries(numerator: bigint, denominator: bigint, one: bigint): bigint {
  const ratio = (numerator * one) / denominator;
  const square = (ratio * ratio) / one;
  let power = ratio;
  let sum = ratio;
  for (let n = 3n; power !== 0n && power !== -1n; n += 2n) {
    power = (power * square) / one;
    sum += power / n;
  }
  return sum * 2n;
}

function lnTen(digits: number): bigint {
  let value = lnTenByDigits.get(digits);
  if (value === undefined) {
    const one = bigPowerOfTen(digits + 4);
    // ln 10 = 3 ln 2 + ln 1.25, both by atanh of small ratios.
    value = divideRounded(3n * logarithmSeries(1n, 3n, one) + logarithmSeries(1n, 9n, one), 10000n);
    if (lnTenByDigits.size >= LN_TEN_CACHE_MAX) lnTenByDigits.clear();
    lnTenByDigits.set(digits, value);
  }
  return value;
}

/** ln(value) to `scale` digits, for a positive finite value. */
export function decimalLnTo(value: Decimal, scale: number): Decimal {
  const digits = scale + 12 + Math.max(0, String(Math.abs(value.exponent())).length);
  const one = bigPowerOfTen(digits);
  const exponent = value.exponent();
  let shift = exponent;
  // mantissa in [1, 10), or the value itself near 1, where nothing may be lost to cancellation.
  if (value.compare(NINE_TENTHS) >= 0 && value.compare(ELEVEN_TENTHS) <= 0) shift = 0;
  const mantissa = fixedPoint(Decimal.of(value.unscaled, 0), 0);
  const at = value.scale + shift;
  let x = at <= digits ? mantissa * bigPowerOfTen(digits - at) : divideRounded(mantissa, bigPowerOfTen(at - digits));
  // Square roots bring the mantissa near 1, where the series needs few terms.
  let roots = 0;
  const near = one / 10n;
  const extra = bigPowerOfTen(8);
  let scaled = one;
  if (x - one > near || one - x > near) {
    x *= extra;
    scaled = one * extra;
    const limit = scaled / 64n;
    while (x - scaled > limit || scaled - x > limit) {
      x = integerSquareRoot(x * scaled);
      roots++;
    }
  } else {
    x *= extra;
    scaled = one * extra;
  }
  let result = logarithmSeries(x - scaled, x + scaled, scaled) << BigInt(roots);
  result = divideRounded(result, extra) + BigInt(shift) * lnTen(digits);
  return Decimal.of(divideRounded(result, bigPowerOfTen(digits - scale)), scale);
}

function checkLogarithm(value: Decimal): void {
  if (value.isNaN()) return;
  if (value.sign() < 0) throw new PhantomError('2201E', 'cannot take logarithm of a negative number');
  if (value.isZero()) throw new PhantomError('2201E', 'cannot take logarithm of zero');
}

/** ln(): 2201E for zero and below. */
export function decimalLn(value: Decimal): Decimal {
  checkLogarithm(value);
  if (!value.isFinite()) return value;
  return decimalLnTo(value, resultScale(DECIMAL_SIGNIFICANT_MIN - logarithmWeight(value), value.scale));
}

/** log(base, value). */
export function decimalLog(base: Decimal, value: Decimal): Decimal {
  if (base.isNaN() || value.isNaN()) return Decimal.NaN;
  checkLogarithm(base);
  checkLogarithm(value);
  if (!base.isFinite()) return value.isFinite() ? Decimal.Zero : Decimal.NaN;
  if (!value.isFinite()) return Decimal.Infinity;
  const baseWeight = logarithmWeight(base);
  const valueWeight = logarithmWeight(value);
  const weight = valueWeight - baseWeight;
  const scale = resultScale(DECIMAL_SIGNIFICANT_MIN - weight, base.scale, value.scale);
  const lnBase = decimalLnTo(base, Math.max(scale + weight - baseWeight + 8, 0));
  const lnValue = decimalLnTo(value, Math.max(scale + weight - valueWeight + 8, 0));
  return lnValue.divideTo(lnBase, scale, true);
}

/** Exact integer power by squaring, cut to `digits` significant digits on the way. */
function integerPower(base: Decimal, exponent: number, digits: number): Decimal {
  let result = Decimal.One;
  let square = base;
  let rest = exponent;
  const cut = (value: Decimal): Decimal => {
    const surplus = value.exponent() + 1 + value.scale - digits;
    return surplus > 0 && value.scale > 0 ? value.round(Math.max(0, value.scale - surplus)) : value;
  };
  for (;;) {
    if (rest % 2 === 1) result = cut(result.mul(square));
    rest = Math.floor(rest / 2);
    if (rest === 0) return result;
    square = cut(square.mul(square));
    if (square.exponent() > DECIMAL_DIGITS_MAX) throw overflow();
  }
}

function powerInteger(base: Decimal, exponent: number): Decimal {
  const scale = resultScale(DECIMAL_SIGNIFICANT_MIN, base.scale);
  if (exponent === 0) return Decimal.One.withScale(scale);
  if (exponent === 1) return base.withScale(scale);
  if (base.isZero()) {
    if (exponent < 0) throw new PhantomError('22012', 'division by zero');
    return new Decimal(0, scale);
  }
  if (exponent === -1) return Decimal.One.divideTo(base, scale, true);
  if (exponent === 2) return base.mul(base).withScale(scale);
  const weight = exponent * decimalLog10(base.abs());
  if (weight > POWER_WEIGHT_MAX) throw overflow();
  if (weight + 1 < -scale) return new Decimal(0, scale);
  const digits = Math.max(1 + scale + Math.trunc(weight), 0) + Math.trunc(Math.log(Math.abs(exponent))) + 20;
  if (exponent < 0) {
    const inverseDigits = digits + 8;
    return Decimal.One.divideTo(integerPower(base, -exponent, inverseDigits), scale, true);
  }
  return integerPower(base, exponent, digits).withScale(scale);
}

/** log10 of a positive finite value as a double, good to about 15 digits. */
function decimalLog10(value: Decimal): number {
  const exponent = value.exponent();
  const leading = Number(value.unscaled.toString().slice(0, 17));
  const digits = Math.min(17, value.exponent() + value.scale + 1);
  return Math.log10(leading) - (digits - 1) + exponent;
}

/** power(base, exponent) as numeric_power has it, special values included. */
export function decimalPower(base: Decimal, exponent: Decimal): Decimal {
  if (!base.isFinite() || !exponent.isFinite()) return powerSpecial(base, exponent);
  const whole = exponent.minScale() === 0;
  if (base.isZero() && exponent.sign() < 0)
    throw new PhantomError('2201F', 'zero raised to a negative power is undefined');
  if (base.sign() < 0 && !whole) {
    throw new PhantomError('2201F', 'a negative number raised to a non-integer power yields a complex result');
  }
  if (whole) {
    const integer = exponent.trunc(0).unscaled;
    if (typeof integer === 'number' && integer >= -2147483648 && integer <= 2147483647)
      return powerInteger(base, integer);
  }
  if (base.isZero()) return new Decimal(0, DECIMAL_SIGNIFICANT_MIN);
  const negative = base.sign() < 0 && BigInt(exponent.trunc(0).unscaled) % 2n !== 0n;
  const magnitude = base.abs();
  const lnWeight = logarithmWeight(magnitude);
  const rough = decimalLnTo(magnitude, Math.max(8 - lnWeight, 0))
    .mul(exponent)
    .toNumber();
  if (Math.abs(rough) > RESULT_MAX * 3.01) {
    if (rough > 0) throw overflow();
    return new Decimal(0, DECIMAL_RESULT_SCALE_MAX);
  }
  const weight = Math.trunc(rough * LOG10_E);
  const scale = resultScale(DECIMAL_SIGNIFICANT_MIN - weight, base.scale, exponent.scale);
  const significant = Math.max(scale + weight, 0);
  const ln = decimalLnTo(magnitude, Math.max(significant - lnWeight + 8, 0));
  const result = exponentialTo(ln.mul(exponent), scale);
  return negative ? result.negate() : result;
}

function powerSpecial(base: Decimal, exponent: Decimal): Decimal {
  if (base.isNaN()) return exponent.isZero() ? Decimal.One : Decimal.NaN;
  if (exponent.isNaN()) return base.equals(Decimal.One) ? Decimal.One : Decimal.NaN;
  if (base.isZero() && exponent.sign() < 0)
    throw new PhantomError('2201F', 'zero raised to a negative power is undefined');
  if (base.sign() < 0 && exponent.isFinite() && exponent.minScale() > 0) {
    throw new PhantomError('2201F', 'a negative number raised to a non-integer power yields a complex result');
  }
  if (base.equals(Decimal.One)) return Decimal.One;
  if (exponent.isZero()) return Decimal.One;
  if (base.isZero()) return Decimal.Zero;
  if (!exponent.isFinite()) {
    const size = base.abs().compare(Decimal.One);
    if (size === 0) return Decimal.One;
    return size > 0 === exponent.sign() > 0 ? Decimal.Infinity : Decimal.Zero;
  }
  if (exponent.sign() < 0) return Decimal.Zero;
  const odd = BigInt(exponent.trunc(0).unscaled) % 2n !== 0n && exponent.minScale() === 0;
  return base.sign() < 0 && odd ? Decimal.NegativeInfinity : Decimal.Infinity;
}
