/**
 * real and double precision. Text out is the shortest that reads back as the same number, in C's %g shape (exponent of
 * two digits, from 1e+15 on for double, 1e+06 for real), unless extra_float_digits asks for rounding.
 */
import { PhantomError } from '@phantom/base';
import { StorageKind } from '@phantom/codec';
import { builtinType } from './base-type.js';
import { invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes, getF32, getF64, putF32, putF64 } from './wire.js';

const FLOAT_SYNTAX = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Most digits behind the point that toExponential() writes: more than decide any tie of a double or real. */
export const EXPONENTIAL_DIGITS_MAX = 100;
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
};

function floatOutOfRange(text: string, typeName: string): PhantomError {
  return new PhantomError('22003', `"${text}" is out of range for type ${typeName}`);
}

function parseFloatText(text: string, typeName: string): number {
  const trimmed = text.trim();
  if (FLOAT_SYNTAX.test(trimmed)) {
    const value = Number(trimmed);
    if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(trimmed.replace(/[eE].*$/, '')))) {
      throw floatOutOfRange(trimmed, typeName);
    }
    return value;
  }
  const special = SPECIAL[trimmed.toLowerCase()];
  if (special === undefined) throw invalidText(typeName, text);
  return special;
}

/** Text of a double precision column. */
export function parseFloat8(text: string): number {
  return parseFloatText(text, 'double precision');
}

/** Text of a real column, rounded to single precision. */
export function parseFloat4(text: string): number {
  const value = parseFloatText(text, 'real');
  const rounded = Math.fround(value);
  if ((!Number.isFinite(rounded) && Number.isFinite(value)) || (rounded === 0 && value !== 0)) {
    throw floatOutOfRange(text.trim(), 'real');
  }
  return rounded;
}

/** C's `%.*e`, but for the exponent's width: JavaScript rounds what lies exactly between two texts up, C to the even one. */
export function exponentialText(value: number, digits: number): string {
  const rounded = value.toExponential(digits);
  if (!value.toExponential(digits + 1).includes('5e')) return rounded;
  const [exact, exponent] = value.toExponential(EXPONENTIAL_DIGITS_MAX).split('e') as [string, string];
  const end = exact.indexOf('.') + 1 + digits;
  const kept = digits === 0 ? exact.slice(0, end - 1) : exact.slice(0, end);
  const even = '02468'.includes(kept[kept.length - 1] as string);
  return even && /^50*$/.test(exact.slice(end)) ? `${kept}e${exponent}` : rounded;
}

/** Digits and decimal exponent in the shape of C's %g: fixed for exponents from -4 up to `fixedBelow`. */
function shapeDigits(exponential: string, fixedBelow: number): string {
  const [mantissa, power] = exponential.split('e') as [string, string];
  const negative = mantissa.startsWith('-');
  const digits = mantissa.replace('-', '').replace('.', '').replace(/0+$/, '') || '0';
  const exponent = Number(power);
  let text: string;
  if (exponent < -4 || exponent >= fixedBelow) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    text = `${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}e${exponent < 0 ? '-' : '+'}${size}`;
  } else if (exponent < 0) {
    text = `0.${'0'.repeat(-exponent - 1)}${digits}`;
  } else if (digits.length <= exponent + 1) {
    text = digits.padEnd(exponent + 1, '0');
  } else {
    text = `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
  }
  return negative ? `-${text}` : text;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return Number.isFinite(value) ? undefined : value > 0 ? 'Infinity' : '-Infinity';
}

/** Text of a double; `extraFloatDigits` as the setting of that name. */
export function formatFloat8(value: number, extraFloatDigits = 1): string {
  const fixed = special(value);
  if (fixed !== undefined) return fixed;
  if (extraFloatDigits > 0) {
    // JavaScript writes the same digits, and without an exponent throughout this range.
    const size = Math.abs(value);
    return size >= 1e-4 && size < 1e15 ? String(value) : shapeDigits(value.toExponential(), 15);
  }
  const precision = Math.max(1, 15 + extraFloatDigits);
  return shapeDigits(exponentialText(value, precision - 1), precision);
}

/** Text of a single-precision number (given as the double that it is). */
export function formatFloat4(value: number, extraFloatDigits = 1): string {
  const fixed = special(value);
  if (fixed !== undefined) return fixed;
  if (extraFloatDigits <= 0) {
    const precision = Math.max(1, 6 + extraFloatDigits);
    return shapeDigits(exponentialText(value, precision - 1), precision);
  }
  return shapeDigits(shortestSingle(value), 6);
}

/** Fewest digits, in exponential form, that round to the same single-precision number; nine always do. */
function shortestSingle(value: number): string {
  for (let digits = 0; digits < 8; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential(8);
}

/** Total order: NaN equals itself and is greatest; zeros are equal. */
export function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return -1;
}

/** Zeros are one value in SQL, and so is every NaN (as which Maps and Sets of JavaScript treat them too). */
function floatKey(value: number): number {
  return value === 0 ? 0 : value;
}

export const float4Type: SqlType = builtinType<number>(TypeOid.float4, {
  storage: { kind: StorageKind.Float32 },
  input: parseFloat4,
  output: (value, context) => formatFloat4(value, context.extraFloatDigits),
  receive: (bytes, start, end) => {
    expectBytes(start, end, 4);
    return getF32(bytes, start, end);
  },
  send: (value, writer) => putF32(writer, value),
  compare: compareFloats,
  hashKey: floatKey,
});

export const float8Type: SqlType = builtinType<number>(TypeOid.float8, {
  storage: { kind: StorageKind.Float64 },
  input: parseFloat8,
  output: (value, context) => formatFloat8(value, context.extraFloatDigits),
  receive: (bytes, start, end) => {
    expectBytes(start, end, 8);
    return getF64(bytes, start, end);
  },
  send: (value, writer) => putF64(writer, value),
  compare: compareFloats,
  hashKey: floatKey,
});
