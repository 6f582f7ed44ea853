/** Integer arithmetic that is exact or an error: what the operators of smallint, integer and bigint are made of. */
import { canonicalInteger } from '@phantom/codec';
import { divisionByZero, outOfRange } from '../types/sql-errors.js';

/** A bigint column's value: a number while safe, else a bigint. */
export type Int8 = number | bigint;

export function int2(value: number): number {
  if (value > 32767 || value < -32768) throw outOfRange('smallint');
  return value;
}

export function int4(value: number): number {
  if (value > 2147483647 || value < -2147483648) throw outOfRange('integer');
  return value;
}

/** A bigint of any size as an int8. */
export function int8(value: bigint): Int8 {
  if (BigInt.asIntN(64, value) !== value) throw outOfRange('bigint');
  return canonicalInteger(value);
}

/** An Int8 that must fit an integer. */
export function int4OfInt8(value: Int8): number {
  if (value > 2147483647 || value < -2147483648) throw outOfRange('integer');
  return value as number;
}

export function int8add(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (sum <= Number.MAX_SAFE_INTEGER && sum >= -Number.MAX_SAFE_INTEGER) return sum;
  }
  return int8(BigInt(a) + BigInt(b));
}

export function int8sub(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (difference <= Number.MAX_SAFE_INTEGER && difference >= -Number.MAX_SAFE_INTEGER) return difference;
  }
  return int8(BigInt(a) - BigInt(b));
}

export function int8mul(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    if (product <= Number.MAX_SAFE_INTEGER && product >= -Number.MAX_SAFE_INTEGER) return product === 0 ? 0 : product;
  }
  return int8(BigInt(a) * BigInt(b));
}

export function int8div(a: Int8, b: Int8): Int8 {
  if (b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') {
    const quotient = (a - (a % b)) / b;
    return quotient === 0 ? 0 : quotient;
  }
  return int8(BigInt(a) / BigInt(b));
}

export function int8mod(a: Int8, b: Int8): Int8 {
  if (b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') {
    const remainder = a % b;
    return remainder === 0 ? 0 : remainder;
  }
  return int8(BigInt(a) % BigInt(b));
}

export function int8neg(a: Int8): Int8 {
  if (typeof a === 'number') return a === 0 ? 0 : -a;
  return int8(-a);
}

export function int8abs(a: Int8): Int8 {
  return a < 0 ? int8neg(a) : a;
}

/** Quotient of two small integers towards zero. */
export function truncatedQuotient(a: number, b: number): number {
  if (b === 0) throw divisionByZero();
  const quotient = Math.trunc(a / b);
  return quotient === 0 ? 0 : quotient;
}

/** Remainder of two small integers; the sign is the dividend's. */
export function remainder(a: number, b: number): number {
  if (b === 0) throw divisionByZero();
  const rest = a % b;
  return rest === 0 ? 0 : rest;
}
