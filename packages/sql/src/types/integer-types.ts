/** Integer types: smallint, integer, bigint, oid and the other unsigned ones. */
import type { ByteWriter, PhantomError } from '@phantom/base';
import { StorageKind, canonicalInteger } from '@phantom/codec';
import { builtinType, compareScalars } from './base-type.js';
import { invalidText, textOutOfRange } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes, getI16, getI32, getI64, getU32, putI16, putI32, putI64 } from './wire.js';

const INTEGER_SYNTAX = /^[ \t\n\r\f\v]*([+-]?\d+)[ \t\n\r\f\v]*$/;

/** Digits that always make a safe integer. */
export const PLAIN_DIGITS_MAX = 15;

/** Digits alone, perhaps behind a minus, in one pass; NaN for every other text, and for what is too long to be safe. */
function readPlainInteger(text: string, start: number, end: number): number {
  const isNegative = start < end && text.charCodeAt(start) === 45;
  const first = isNegative ? start + 1 : start;
  if (first === end || end - first > PLAIN_DIGITS_MAX) return Number.NaN;
  let value = 0;
  for (let i = first; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return isNegative && value !== 0 ? -value : value;
}

/** Integer text as a number; NaN when it is none, an infinity when it lies beyond the safe integers. */
function parseSmall(text: string): number {
  const plain = readPlainInteger(text, 0, text.length);
  if (!Number.isNaN(plain)) return plain;
  const match = INTEGER_SYNTAX.exec(text);
  if (match === null) return Number.NaN;
  const value = Number(match[1]);
  if (value === 0) return 0;
  return Number.isSafeInteger(value) ? value : value < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function parseWithin(text: string, typeName: string, min: number, max: number): number {
  const value = parseSmall(text);
  if (Number.isNaN(value)) throw notInteger(text, typeName, min, max);
  if (value < min || value > max) throw textOutOfRange(typeName, text);
  return value;
}

/** Too many digits are noticed before what follows them is looked at. */
function notInteger(text: string, typeName: string, min: number | bigint, max: number | bigint): PhantomError {
  const digits = /^\s*([+-]?\d+)/.exec(text)?.[1];
  if (digits !== undefined && (BigInt(digits) < min || BigInt(digits) > max)) return textOutOfRange(typeName, text);
  return invalidText(typeName, text);
}

/** Text of a bigint column: 22P02 or 22003, else in canonical form. */
export function parseInt8(text: string): number | bigint {
  const value = parseSmall(text);
  if (Number.isNaN(value)) throw notInteger(text, 'bigint', -9223372036854775808n, 9223372036854775807n);
  if (Number.isFinite(value)) return value;
  const big = BigInt(text.trim());
  if (BigInt.asIntN(64, big) !== big) throw textOutOfRange('bigint', text);
  return canonicalInteger(big);
}

/** Text of an integer column. */
export function parseInt4(text: string): number {
  return parseWithin(text, 'integer', -2147483648, 2147483647);
}

/** Text of a smallint column. */
export function parseInt2(text: string): number {
  return parseWithin(text, 'smallint', -32768, 32767);
}

/** Unsigned 32 bits as C's strtoul reads them: a minus sign wraps around. */
export function parseUnsigned(text: string, typeName: string): number {
  const value = parseSmall(text);
  if (Number.isNaN(value)) throw invalidText(typeName, text);
  if (value < -4294967295 || value > 4294967295) throw textOutOfRange(typeName, text);
  return value >>> 0;
}

export const int2Type: SqlType = builtinType<number>(TypeOid.int2, {
  storage: { kind: StorageKind.Int16 },
  input: parseInt2,
  receive: (bytes, start, end) => {
    expectBytes(start, end, 2);
    return getI16(bytes, start, end);
  },
  send: (value, writer) => putI16(writer, value),
  compare: compareScalars,
});

export const int4Type: SqlType = builtinType<number>(TypeOid.int4, {
  storage: { kind: StorageKind.Int32 },
  input: parseInt4,
  receive: (bytes, start, end) => {
    expectBytes(start, end, 4);
    return getI32(bytes, start, end);
  },
  send: (value, writer) => putI32(writer, value),
  compare: compareScalars,
});

export const int8Type: SqlType = builtinType<number | bigint>(TypeOid.int8, {
  storage: { kind: StorageKind.Int64 },
  input: parseInt8,
  receive: (bytes, start, end) => {
    expectBytes(start, end, 8);
    return getI64(bytes, start, end);
  },
  send: (value, writer) => putI64(writer, value),
  compare: compareScalars,
});

/** Transaction and command numbers as C's strtoul reads them: what is no number is zero, what is too large the largest. */
function parseLenient(text: string): number {
  const value = BigInt(/^\s*([+-]?\d+)/.exec(text)?.[1]?.replace('+', '') ?? '0');
  return value > UINT64_MAX || value < -UINT64_MAX ? 4294967295 : Number(BigInt.asUintN(32, value));
}

const UINT64_MAX = 18446744073709551615n;

/** oid, xid, cid and the like: 32 bits without a sign. */
export function unsignedType(
  oid: number,
  typeName: string,
  input: (text: string) => number = (text) => parseUnsigned(text, typeName),
): SqlType {
  return builtinType<number>(oid, {
    storage: { kind: StorageKind.UInt32 },
    input,
    receive: (bytes, start, end) => {
      expectBytes(start, end, 4);
      return getU32(bytes, start, end);
    },
    send: (value, writer: ByteWriter) => writer.u32BE(value),
    compare: compareScalars,
  });
}

export const integerTypes: readonly SqlType[] = [
  int2Type,
  int4Type,
  int8Type,
  unsignedType(TypeOid.oid, 'oid'),
  unsignedType(TypeOid.xid, 'xid', parseLenient),
  unsignedType(TypeOid.cid, 'cid', parseLenient),
];
