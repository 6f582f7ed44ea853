/**
 * Powers of ten and digit counts: what scaled-integer arithmetic needs and nothing else. Powers up to 10^22 are exact as
 * doubles, up to 10^15 as safe integers; larger ones are bigints, made once and kept (bounded, the rest is computed).
 */

/** 10^n for n = 0..22, each exact as a double. */
export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, n) => Number(`1e${n}`));

const BIG_POWERS_MAX = 2048;
const bigPowers: bigint[] = [1n];

/** 10^n as a bigint. */
export function bigPowerOfTen(n: number): bigint {
  if (n >= BIG_POWERS_MAX) return 10n ** BigInt(n);
  for (let have = bigPowers.length; have <= n; have++) bigPowers.push((bigPowers[have - 1] as bigint) * 10n);
  return bigPowers[n] as bigint;
}

/** Decimal digits of a non-negative safe integer; zero has one. */
export function digitsOfNumber(value: number): number {
  let digits = 1;
  while (digits < 16 && value >= (POWERS_OF_TEN[digits] as number)) digits++;
  return digits;
}

/** Decimal digits of an integer of either form, sign aside; zero has one. */
export function digitsOf(value: number | bigint): number {
  if (typeof value === 'number') return digitsOfNumber(Math.abs(value));
  const magnitude = value < 0n ? -value : value;
  // 16 hexadecimal digits are cheaper than decimal ones; the estimate is off by one at most.
  const bits = magnitude.toString(16).length * 4;
  let digits = Math.floor((bits - 4) * 0.3010299956639812) + 1;
  while (magnitude >= bigPowerOfTen(digits)) digits++;
  return digits;
}

/** The one form of an integer: a number while it is safe, else a bigint. */
export function canonicalInteger(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** Quotient of two bigints rounded half away from zero; the divisor is positive. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const remainder = dividend - quotient * divisor;
  const twice = (remainder < 0n ? -remainder : remainder) * 2n;
  if (twice < divisor) return quotient;
  return dividend < 0n ? quotient - 1n : quotient + 1n;
}
