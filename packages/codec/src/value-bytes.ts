/**
 * Bytes of one value, for each storage kind: the words from which rows, arrays and records are written (docs/formats/row.md).
 *
 *   Bool       1  0 or 1
 *   Int16..    little-endian two's complement; Int64 is a number while safe, else a bigint
 *   Date       4  days; 0x7fffffff and 0x80000000 are the infinities          Timestamp  8  likewise at the ends of int64
 *   TimeTz    12  micros int64, offset int32        Interval  16  micros int64, days int32, months int32
 *   Uuid      16  in the order of its text          Enum  4  the label's number
 *   Decimal    n  head: bit 7 sign; bits 0..6 scale 0..119, or 120: scale in the next 2 bytes, 125 NaN, 126 and 127 infinities;
 *                 then the magnitude, little-endian, as few bytes as it needs (none for zero)
 *   Text, PaddedText, Json, Bytes   n  the bytes;   Jsonb  n  a document
 *   Array      n  dimensions u8, flags u8 (1: holds nulls), per dimension { length u32, lower bound i32 }, then, if it holds nulls,
 *                 a bitmap, then the items; a variable item has its length before it (varint)
 *   Record     n  fields u16, null bitmap, then the fields as array items are
 */
import { readU16, readU32, readVarint, varintBytes, writeU16, writeU32 } from '@phantom/base';
import { Decimal } from './decimal.js';
import { Interval, TimeTz } from './interval.js';
import { corruptValue } from './storage.js';

const HIGH = 4294967296;

/** Signed 32-bit at `at`. */
export function readI32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Signed 16-bit at `at`. */
export function readI16(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) << 16) >> 16;
}

/** Signed 64-bit at `at`: a number while safe, else a bigint. */
export function readI64(bytes: Uint8Array, at: number): number | bigint {
  const low = readU32(bytes, at);
  const high = readI32(bytes, at + 4);
  if (high >= -0x20_0000 && high < 0x20_0000) {
    const value = high * HIGH + low;
    if (value >= -9007199254740991) return value;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Writes an integer in canonical form as 8 bytes, two's complement. */
export function writeI64(bytes: Uint8Array, at: number, value: number | bigint): void {
  if (typeof value === 'number') {
    const high = Math.floor(value / HIGH);
    writeU32(bytes, at, value - high * HIGH);
    writeU32(bytes, at + 4, high);
  } else {
    writeU32(bytes, at, Number(BigInt.asUintN(32, value)));
    writeU32(bytes, at + 4, Number(BigInt.asIntN(32, value >> 32n)));
  }
}

// Doubles pass through two 32-bit words: eight single bytes took three times as long.
const float64 = new Float64Array([1]);
const float64Words = new Uint32Array(float64.buffer);
/** Which word holds the low half: 0, but for big-endian machines. */
const LOW_WORD = float64Words[0] === 0 ? 0 : 1;
const HIGH_WORD = 1 - LOW_WORD;
const float32 = new Float32Array(1);
const float32Word = new Uint32Array(float32.buffer);

export function readF64(bytes: Uint8Array, at: number): number {
  float64Words[LOW_WORD] = readI32(bytes, at);
  float64Words[HIGH_WORD] = readI32(bytes, at + 4);
  return float64[0] as number;
}

export function writeF64(bytes: Uint8Array, at: number, value: number): void {
  float64[0] = value;
  writeU32(bytes, at, float64Words[LOW_WORD] as number);
  writeU32(bytes, at + 4, float64Words[HIGH_WORD] as number);
}

export function readF32(bytes: Uint8Array, at: number): number {
  float32Word[0] = readI32(bytes, at);
  return float32[0] as number;
}

export function writeF32(bytes: Uint8Array, at: number, value: number): void {
  float32[0] = value;
  writeU32(bytes, at, float32Word[0] as number);
}

const DATE_INFINITY = 0x7fffffff;
const DATE_NEGATIVE_INFINITY = -0x80000000;

export function readDate(bytes: Uint8Array, at: number): number {
  const days = readI32(bytes, at);
  if (days === DATE_INFINITY) return Number.POSITIVE_INFINITY;
  return days === DATE_NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : days;
}

export function writeDate(bytes: Uint8Array, at: number, days: number): void {
  if (days === Number.POSITIVE_INFINITY) writeU32(bytes, at, DATE_INFINITY);
  else writeU32(bytes, at, days === Number.NEGATIVE_INFINITY ? DATE_NEGATIVE_INFINITY : days);
}

/** The ends of int64, which stand for the infinities of timestamps. */
export const TIMESTAMP_INFINITY = 9223372036854775807n;
export const TIMESTAMP_NEGATIVE_INFINITY = -9223372036854775808n;

export function readTimestamp(bytes: Uint8Array, at: number): number | bigint {
  const micros = readI64(bytes, at);
  if (typeof micros === 'bigint') {
    if (micros === TIMESTAMP_INFINITY) return Number.POSITIVE_INFINITY;
    if (micros === TIMESTAMP_NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  }
  return micros;
}

export function writeTimestamp(bytes: Uint8Array, at: number, micros: number | bigint): void {
  if (micros === Number.POSITIVE_INFINITY) writeI64(bytes, at, TIMESTAMP_INFINITY);
  else if (micros === Number.NEGATIVE_INFINITY) writeI64(bytes, at, TIMESTAMP_NEGATIVE_INFINITY);
  else writeI64(bytes, at, micros);
}

export function readTimeTz(bytes: Uint8Array, at: number): TimeTz {
  return new TimeTz(Number(readI64(bytes, at)), readI32(bytes, at + 8));
}

export function writeTimeTz(bytes: Uint8Array, at: number, value: TimeTz): void {
  writeI64(bytes, at, value.micros);
  writeU32(bytes, at + 8, value.offsetSeconds);
}

export function readInterval(bytes: Uint8Array, at: number): Interval {
  return new Interval(readI32(bytes, at + 12), readI32(bytes, at + 8), readI64(bytes, at));
}

export function writeInterval(bytes: Uint8Array, at: number, value: Interval): void {
  writeI64(bytes, at, value.micros);
  writeU32(bytes, at + 8, value.days);
  writeU32(bytes, at + 12, value.months);
}

const HEX_PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function readUuid(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += HEX_PAIRS[bytes[at + i] as number];
  }
  return text;
}

function hexDigit(code: number): number {
  return code < 58 ? code - 48 : (code | 32) - 87;
}

export function writeUuid(bytes: Uint8Array, at: number, text: string): void {
  let from = 0;
  for (let i = 0; i < 16; i++) {
    if (text.charCodeAt(from) === 45) from++;
    bytes[at + i] = (hexDigit(text.charCodeAt(from)) << 4) | hexDigit(text.charCodeAt(from + 1));
    from += 2;
  }
}

const SCALE_WIDE = 120;
const HEAD_NAN = 125;
const HEAD_INFINITY = 126;
const HEAD_NEGATIVE_INFINITY = 127;

/** Most bytes that writeDecimal takes for a value. */
export function decimalBytesMax(value: Decimal): number {
  return typeof value.unscaled === 'number' ? 10 : 5 + (value.unscaled.toString(16).length >> 1) + 1;
}

export function writeDecimal(bytes: Uint8Array, at: number, value: Decimal): number {
  const unscaled = value.unscaled;
  if (typeof unscaled === 'number' && !Number.isFinite(unscaled)) {
    bytes[at] = Number.isNaN(unscaled) ? HEAD_NAN : unscaled > 0 ? HEAD_INFINITY : HEAD_NEGATIVE_INFINITY;
    return at + 1;
  }
  const sign = unscaled < 0 ? 0x80 : 0;
  if (value.scale < SCALE_WIDE) {
    bytes[at++] = sign | value.scale;
  } else {
    bytes[at++] = sign | SCALE_WIDE;
    writeU16(bytes, at, value.scale);
    at += 2;
  }
  if (typeof unscaled === 'number') {
    let rest = sign === 0 ? unscaled : -unscaled;
    while (rest >= HIGH) {
      const byte = rest % 256;
      bytes[at++] = byte;
      rest = (rest - byte) / 256;
    }
    for (let low = rest >>> 0; low !== 0; low >>>= 8) bytes[at++] = low;
    return at;
  }
  const hex = (sign === 0 ? unscaled : -unscaled).toString(16);
  for (let i = hex.length; i > 0; i -= 2) bytes[at++] = Number.parseInt(hex.slice(Math.max(0, i - 2), i), 16);
  return at;
}

export function readDecimal(bytes: Uint8Array, start: number, end: number): Decimal {
  if (start >= end) throw corruptValue('a decimal without a head');
  const head = bytes[start] as number;
  let scale = head & 0x7f;
  let at = start + 1;
  if (scale >= SCALE_WIDE) {
    if (head === HEAD_NAN) return Decimal.NaN;
    if (head === HEAD_INFINITY) return Decimal.Infinity;
    if (head === HEAD_NEGATIVE_INFINITY) return Decimal.NegativeInfinity;
    if (scale !== SCALE_WIDE || at + 2 > end) throw corruptValue('a decimal with an unknown head');
    scale = readU16(bytes, at);
    at += 2;
    if (scale > 16383) throw corruptValue('a decimal scale beyond 16383');
  }
  const length = end - at;
  if (length <= 6 || (length === 7 && (bytes[end - 1] as number) < 0x20)) {
    let magnitude = 0;
    for (let i = end - 1; i >= at; i--) magnitude = magnitude * 256 + (bytes[i] as number);
    return new Decimal(head >= 0x80 && magnitude !== 0 ? -magnitude : magnitude, scale);
  }
  let hex = '0x';
  for (let i = end - 1; i >= at; i--) hex += HEX_PAIRS[bytes[i] as number];
  const magnitude = BigInt(hex);
  return Decimal.of(head >= 0x80 ? -magnitude : magnitude, scale);
}

/** Varint at `at`, checked; its size is varintBytes(value). */
export function checkedVarint(bytes: Uint8Array, at: number, end: number): number {
  const value = readVarint(bytes, at, end);
  if (Number.isNaN(value) || at + varintBytes(value) > end) throw corruptValue('a length is malformed');
  return value;
}
