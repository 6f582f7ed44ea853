/** numeric: Decimal of @phantom/codec, with precision and scale as a type modifier. */
import { type ByteWriter, PhantomError } from '@phantom/base';
import { Decimal, StorageKind, bigPowerOfTen } from '@phantom/codec';
import { builtinType } from './base-type.js';
import { invalidBinary, invalidParameter, invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { getI16, getU16, putI16 } from './wire.js';

/** Precision of a numeric typmod. */
export function numericPrecision(typmod: number): number {
  return ((typmod - 4) >> 16) & 0xffff;
}

/** Scale of a numeric typmod; may be negative. */
export function numericScale(typmod: number): number {
  return (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
}

/** numeric(precision, scale) as a typmod. */
export function numericTypmod(precision: number, scale: number): number {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}

/** Rounds to a typmod's scale; 22003 when the precision does not hold the value. */
export function applyNumericTypmod(value: Decimal, typmod: number): Decimal {
  if (typmod < 4 || value.isNaN()) return value;
  const precision = numericPrecision(typmod);
  const scale = numericScale(typmod);
  if (!value.isFinite()) {
    throw new PhantomError('22003', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`,
    });
  }
  const rounded = value.round(scale);
  if (!rounded.isZero() && rounded.exponent() >= precision - scale) {
    const digits = precision - scale;
    throw new PhantomError('22003', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${
        digits === 0 ? '1' : `10^${digits}`
      }.`,
    });
  }
  return rounded;
}

/** Text of a numeric column without a typmod. */
export function parseNumeric(text: string): Decimal {
  const value = Decimal.parse(text);
  if (value === undefined) throw invalidText('numeric', text);
  return value;
}

function parseTypmod(modifiers: readonly (number | string)[]): number {
  const numbers = modifiers.map(Number);
  if (numbers.length > 2 || numbers.length === 0) throw invalidParameter('invalid NUMERIC type modifier');
  const [precision, scale = 0] = numbers as [number, number?];
  if (!(precision >= 1 && precision <= 1000)) {
    throw invalidParameter(`NUMERIC precision ${precision} must be between 1 and 1000`);
  }
  if (!(scale >= -1000 && scale <= 1000)) {
    throw invalidParameter(`NUMERIC scale ${scale} must be between -1000 and 1000`);
  }
  return numericTypmod(precision, scale);
}

const SIGN_NEGATIVE = 0x4000;
const SIGN_NAN = 0xc000;
const SIGN_INFINITY = 0xd000;
const SIGN_NEGATIVE_INFINITY = 0xf000;

/** The digits of a finite number to the base of 10000, without zeros at either end, and the weight of the first; of zero none, and 0. */
export function base10000(value: Decimal): { readonly digits: readonly number[]; readonly weight: number } {
  const text = value.abs().toString();
  const point = text.indexOf('.');
  const whole = point < 0 ? text : text.slice(0, point);
  const fraction = point < 0 ? '' : text.slice(point + 1);
  const padded =
    whole.padStart(Math.ceil(whole.length / 4) * 4, '0') + fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const digits: number[] = [];
  for (let i = 0; i < padded.length; i += 4) digits.push(Number(padded.slice(i, i + 4)));
  const first = digits.findIndex((digit) => digit !== 0);
  if (first < 0) return { digits: [], weight: 0 };
  const last = digits.findLastIndex((digit) => digit !== 0);
  return { digits: digits.slice(first, last + 1), weight: Math.ceil(whole.length / 4) - 1 - first };
}

/** Binary form: count of base-10000 digits, weight of the first, sign, display scale, digits. */
function sendNumeric(value: Decimal, writer: ByteWriter): void {
  if (!value.isFinite()) {
    putI16(writer, 0);
    putI16(writer, 0);
    putI16(writer, value.isNaN() ? SIGN_NAN : value.sign() > 0 ? SIGN_INFINITY : SIGN_NEGATIVE_INFINITY);
    putI16(writer, 0);
    return;
  }
  const { digits, weight } = base10000(value);
  putI16(writer, digits.length);
  putI16(writer, weight);
  putI16(writer, value.sign() < 0 ? SIGN_NEGATIVE : 0);
  putI16(writer, value.scale);
  for (const digit of digits) putI16(writer, digit);
}

function receiveNumeric(bytes: Uint8Array, start: number, end: number): Decimal {
  const count = getU16(bytes, start, end);
  const weight = getI16(bytes, start + 2, end);
  const sign = getU16(bytes, start + 4, end);
  const scale = getU16(bytes, start + 6, end);
  if (sign === SIGN_NAN) return Decimal.NaN;
  if (sign === SIGN_INFINITY) return Decimal.Infinity;
  if (sign === SIGN_NEGATIVE_INFINITY) return Decimal.NegativeInfinity;
  if (sign !== 0 && sign !== SIGN_NEGATIVE) throw invalidBinary('invalid sign in external "numeric" value');
  if (scale > 16383) throw invalidBinary('invalid scale in external "numeric" value');
  let unscaled = 0n;
  for (let i = 0; i < count; i++) {
    const digit = getU16(bytes, start + 8 + 2 * i, end);
    if (digit > 9999) throw invalidBinary('invalid digit in external "numeric" value');
    unscaled = unscaled * 10000n + BigInt(digit);
  }
  if (sign === SIGN_NEGATIVE) unscaled = -unscaled;
  const exponent = 4 * (weight + 1 - count);
  const value =
    exponent >= 0
      ? Decimal.of(unscaled * bigPowerOfTen(exponent), 0)
      : Decimal.of(unscaled, Math.min(-exponent, 16383));
  return value.scale > scale ? value.trunc(scale) : value.withScale(scale);
}

/** A string that is the same for values equal in SQL, whatever their scales. */
export function decimalKey(value: Decimal): string {
  return value.normalize().toString();
}

export const numericType: SqlType = builtinType<Decimal>(TypeOid.numeric, {
  storage: { kind: StorageKind.Decimal },
  input: (text, typmod) => applyNumericTypmod(parseNumeric(text), typmod),
  receive: (bytes, start, end, typmod) => applyNumericTypmod(receiveNumeric(bytes, start, end), typmod),
  send: sendNumeric,
  compare: (a, b) => a.compare(b),
  hashKey: decimalKey,
  coerceTypmod: applyNumericTypmod,
  parseTypmod,
  formatTypmod: (typmod) => (typmod < 4 ? '' : `(${numericPrecision(typmod)},${numericScale(typmod)})`),
});
