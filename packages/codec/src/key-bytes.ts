/**
 * Order-preserving bytes of single values (docs/formats/key.md): comparing the bytes as unsigned compares the values, equal
 * values have equal bytes, and no value's bytes are the beginning of another's. A key is such bytes one after the other.
 *
 *   integers    size byte 80+n (positive) or 80-n (negative), then n bytes, big-endian; a negative number -m as 256^n-1-m.
 *               All integer types, dates, times and timestamps share it; 00 and ff are the infinities, n <= 16
 *   floats      8 bytes: sign bit flipped, negatives inverted; -0 is 0, every NaN ff..ff
 *   decimals    class byte 01 -inf, 02 negative, 03 zero, 04 positive, 05 inf, 06 NaN; then the decimal exponent as an integer,
 *               then digits in pairs, each pair + 1, then 00; for negatives all bytes behind the class inverted
 *   text, bytes the bytes, 00 as 00 ff, then 00 00; padded text without its trailing blanks
 *   bool        00 or 01       uuid   its 16 bytes       enum   its order number as a float
 *   interval    its span in microseconds as an integer; timetz: UTC microseconds, then seconds west, both as integers
 */
import type { ByteWriter } from '@phantom/base';
import { canonicalInteger, digitsOf } from './decimal-digits.js';
import { Decimal } from './decimal.js';
import { Interval, MICROS_PER_SECOND, TimeTz } from './interval.js';
import { corruptValue } from './storage.js';
import { readUtf8, utf8Bytes, utf8BytesMax, writeUtf8 } from './text-bytes.js';
import { readF64, readUuid, writeF64, writeUuid } from './value-bytes.js';

const SIZE_ZERO = 0x80;
const INTEGER_BYTES_MAX = 16;
const NEGATIVE_INFINITY = 0x00;
const INFINITY = 0xff;

/** Appends an integer, or an infinity. */
export function appendKeyInteger(writer: ByteWriter, value: number | bigint): void {
  if (typeof value === 'bigint') {
    appendBigInteger(writer, value);
    return;
  }
  const start = writer.reserve(9);
  const buffer = writer.buffer;
  if (value === 0) {
    buffer[start] = SIZE_ZERO;
    writer.length = start + 1;
    return;
  }
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    buffer[start] = value > 0 ? INFINITY : NEGATIVE_INFINITY;
    writer.length = start + 1;
    return;
  }
  const negative = value < 0;
  const magnitude = negative ? -value : value;
  let bytes = 1;
  for (let limit = 256; magnitude >= limit && bytes < 7; limit *= 256) bytes++;
  const flip = negative ? 0xff : 0;
  let rest = magnitude;
  for (let i = bytes; i > 0; i--) {
    const low = rest % 256;
    buffer[start + i] = low ^ flip;
    rest = (rest - low) / 256;
  }
  buffer[start] = negative ? SIZE_ZERO - bytes : SIZE_ZERO + bytes;
  writer.length = start + 1 + bytes;
}

function appendBigInteger(writer: ByteWriter, value: bigint): void {
  const negative = value < 0n;
  const hex = (negative ? -value : value).toString(16);
  const bytes = (hex.length + 1) >> 1;
  if (bytes > INTEGER_BYTES_MAX) throw new RangeError('an integer key has at most 16 bytes');
  const start = writer.reserve(1 + bytes);
  const padded = hex.padStart(2 * bytes, '0');
  writer.buffer[start] = negative ? SIZE_ZERO - bytes : SIZE_ZERO + bytes;
  for (let i = 0; i < bytes; i++) {
    const byte = Number.parseInt(padded.slice(2 * i, 2 * i + 2), 16);
    writer.buffer[start + 1 + i] = negative ? byte ^ 0xff : byte;
  }
  writer.length = start + 1 + bytes;
}

/**
 * Reads keys front to back. `flip` is 0xff inside a descending column. Bytes that no writer made raise XX001; what is
 * read past the end is an error, not undefined.
 */
export class KeyReader {
  private bytes: Uint8Array;
  private end: number;
  offset: number;
  flip = 0;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
  }

  setBuffer(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
    this.flip = 0;
  }

  byte(): number {
    if (this.offset >= this.end) throw corruptValue('a key ends inside a value');
    return (this.bytes[this.offset++] as number) ^ this.flip;
  }

  integer(): number | bigint {
    const size = this.byte();
    if (size === SIZE_ZERO) return 0;
    if (size === INFINITY) return Number.POSITIVE_INFINITY;
    if (size === NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
    const negative = size < SIZE_ZERO;
    const bytes = negative ? SIZE_ZERO - size : size - SIZE_ZERO;
    if (bytes > INTEGER_BYTES_MAX) throw corruptValue('an integer key of unknown size');
    const flip = negative ? 0xff : 0;
    if (bytes <= 6) {
      let value = 0;
      for (let i = 0; i < bytes; i++) value = value * 256 + (this.byte() ^ flip);
      return negative ? -value : value;
    }
    let value = 0n;
    for (let i = 0; i < bytes; i++) value = (value << 8n) | BigInt(this.byte() ^ flip);
    return canonicalInteger(negative ? -value : value);
  }

  /** Passes by a value of the kind `integer` reads. */
  skipInteger(): void {
    const size = this.byte();
    if (size === INFINITY || size === NEGATIVE_INFINITY) return;
    this.skip(size < SIZE_ZERO ? SIZE_ZERO - size : size - SIZE_ZERO);
  }

  /** Passes by so many bytes. */
  skip(bytes: number): void {
    this.offset += bytes;
    if (this.offset > this.end) throw corruptValue('a key ends inside a value');
  }

  /** Passes by escaped bytes and their terminator. */
  skipEscaped(): void {
    for (;;) {
      while (this.byte() !== 0);
      const next = this.byte();
      if (next === 0) return;
      if (next !== 0xff) throw corruptValue('an escape in a key');
    }
  }

  float(): number {
    const bytes = scratch;
    for (let i = 0; i < 8; i++) bytes[i] = this.byte();
    const negative = (bytes[0] as number) < 0x80;
    for (let i = 0; i < 8; i++) reversed[7 - i] = negative ? (bytes[i] as number) ^ 0xff : (bytes[i] as number);
    if (!negative) reversed[7] = (reversed[7] as number) ^ 0x80;
    return readF64(reversed, 0);
  }

  decimal(): Decimal {
    const kind = this.byte();
    if (kind === DECIMAL_ZERO) return Decimal.Zero;
    if (kind === DECIMAL_NAN) return Decimal.NaN;
    if (kind === DECIMAL_INFINITY) return Decimal.Infinity;
    if (kind === DECIMAL_NEGATIVE_INFINITY) return Decimal.NegativeInfinity;
    if (kind !== DECIMAL_NEGATIVE && kind !== DECIMAL_POSITIVE) throw corruptValue('a decimal key of unknown class');
    const negative = kind === DECIMAL_NEGATIVE;
    const outer = this.flip;
    if (negative) this.flip ^= 0xff;
    const exponent = Number(this.integer());
    let digits = '';
    for (let pair = this.byte(); pair !== 0; pair = this.byte()) {
      if (pair > 100) throw corruptValue('a digit pair beyond 99');
      digits += pair <= 10 ? `0${pair - 1}` : String(pair - 1);
    }
    this.flip = outer;
    const value = Decimal.parse(`${negative ? '-' : ''}0.${digits}e${exponent}`);
    if (value === undefined || digits === '') throw corruptValue('a decimal key without digits');
    return value.normalize();
  }

  /** As many bytes as asked for. */
  fixed(bytes: number): Uint8Array {
    const value = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) value[i] = this.byte();
    return value;
  }

  /** Escaped bytes up to their terminator. */
  escaped(): Uint8Array {
    const bytes: number[] = [];
    for (;;) {
      const byte = this.byte();
      if (byte === 0) {
        const next = this.byte();
        if (next === 0) return Uint8Array.from(bytes);
        if (next !== 0xff) throw corruptValue('an escape in a key');
      }
      bytes.push(byte);
    }
  }

  text(): string {
    const bytes = this.escaped();
    return readUtf8(bytes, 0, bytes.length);
  }

  uuid(): string {
    for (let i = 0; i < 16; i++) scratch[i] = this.byte();
    return readUuid(scratch, 0);
  }

  timeTz(): TimeTz {
    const utc = Number(this.integer());
    const offset = Number(this.integer());
    return new TimeTz(utc - offset * MICROS_PER_SECOND, offset);
  }

  interval(): Interval {
    return intervalOfSpan(this.integer());
  }
}

const scratch = new Uint8Array(16);
const reversed = new Uint8Array(8);

/** An interval of that span; equal to, though perhaps not the same as, the one that was written. */
function intervalOfSpan(span: number | bigint): Interval {
  if (typeof span === 'number' || BigInt.asIntN(64, span) === span) return new Interval(0, 0, span);
  const day = 86_400_000_000n;
  const days = span / day;
  const months = days / 30n;
  return new Interval(Number(months), Number(days - months * 30n), Number(span - days * day));
}

/** Appends a double. */
export function appendKeyFloat(writer: ByteWriter, value: number): void {
  const start = writer.reserve(8);
  const buffer = writer.buffer;
  writer.length = start + 8;
  if (Number.isNaN(value)) {
    for (let i = 0; i < 8; i++) buffer[start + i] = 0xff;
    return;
  }
  writeF64(reversed, 0, value === 0 ? 0 : value);
  const flip = (reversed[7] as number) >= 0x80 ? 0xff : 0;
  for (let i = 0; i < 8; i++) buffer[start + i] = (reversed[7 - i] as number) ^ flip;
  if (flip === 0) buffer[start] = (buffer[start] as number) | 0x80;
}

const DECIMAL_NEGATIVE_INFINITY = 1;
const DECIMAL_NEGATIVE = 2;
const DECIMAL_ZERO = 3;
const DECIMAL_POSITIVE = 4;
const DECIMAL_INFINITY = 5;
const DECIMAL_NAN = 6;

/** Appends a decimal; values that are equal at different scales have the same bytes. */
export function appendKeyDecimal(writer: ByteWriter, value: Decimal): void {
  const unscaled = value.unscaled;
  if (unscaled === 0) {
    writer.u8(DECIMAL_ZERO);
    return;
  }
  if (!value.isFinite()) {
    writer.u8(value.isNaN() ? DECIMAL_NAN : unscaled > 0 ? DECIMAL_INFINITY : DECIMAL_NEGATIVE_INFINITY);
    return;
  }
  const negative = unscaled < 0;
  writer.u8(negative ? DECIMAL_NEGATIVE : DECIMAL_POSITIVE);
  const start = writer.length;
  // 0.d1d2d3... times 10^exponent, d1 not zero.
  appendKeyInteger(writer, digitsOf(unscaled) - value.scale);
  const digits = (negative ? -unscaled : unscaled).toString();
  let last = digits.length;
  while (digits.charCodeAt(last - 1) === 48) last--;
  let at = writer.reserve((last >> 1) + 2);
  const buffer = writer.buffer;
  for (let i = 0; i < last; i += 2) {
    const low = i + 1 < last ? digits.charCodeAt(i + 1) - 48 : 0;
    buffer[at++] = (digits.charCodeAt(i) - 48) * 10 + low + 1;
  }
  buffer[at++] = 0;
  writer.length = at;
  if (negative) invert(buffer, start, at);
}

/** As appendKeyDecimal for a safe integer, without making a decimal of it. */
export function appendKeyDecimalInteger(writer: ByteWriter, value: number): void {
  if (value === 0) {
    writer.u8(DECIMAL_ZERO);
    return;
  }
  const negative = value < 0;
  writer.u8(negative ? DECIMAL_NEGATIVE : DECIMAL_POSITIVE);
  const start = writer.length;
  let digits = 0;
  let rest = negative ? -value : value;
  // Trailing zeros belong to the exponent alone.
  let zeros = 0;
  while (rest % 10 === 0) {
    rest /= 10;
    zeros++;
  }
  for (let power = rest; power >= 1; power = Math.floor(power / 10)) digits++;
  appendKeyInteger(writer, digits + zeros);
  const pairs = (digits + 1) >> 1;
  const at = writer.reserve(pairs + 1);
  const { buffer } = writer;
  let left = digits % 2 === 1 ? rest * 10 : rest;
  for (let i = pairs - 1; i >= 0; i--) {
    const pair = left % 100;
    buffer[at + i] = pair + 1;
    left = (left - pair) / 100;
  }
  buffer[at + pairs] = 0;
  writer.length = at + pairs + 1;
  if (negative) invert(buffer, start, writer.length);
}

/** Inverts the bytes [start, end): turns an ascending key into a descending one. */
export function invert(buffer: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) buffer[i] = (buffer[i] as number) ^ 0xff;
}

/** Appends bytes, escaped and terminated. */
export function appendKeyBytes(writer: ByteWriter, bytes: Uint8Array, start = 0, end: number = bytes.length): void {
  let at = writer.reserve(2 * (end - start) + 2);
  const buffer = writer.buffer;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    buffer[at++] = byte;
    if (byte === 0) buffer[at++] = 0xff;
  }
  buffer[at] = 0;
  buffer[at + 1] = 0;
  writer.length = at + 2;
}

const LOOP_CHARS_MAX = 64;

/** Appends the first `length` UTF-16 units of a text as UTF-8, escaped and terminated. */
export function appendKeyText(writer: ByteWriter, text: string, length: number = text.length): void {
  if (length <= LOOP_CHARS_MAX) {
    const start = writer.reserve(length + 2);
    const buffer = writer.buffer;
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80 || code === 0) break;
      buffer[start + i] = code;
    }
    if (i === length) {
      buffer[start + i] = 0;
      buffer[start + i + 1] = 0;
      writer.length = start + i + 2;
      return;
    }
  }
  const part = length === text.length ? text : text.slice(0, length);
  const bytes = new Uint8Array(part.length < 1024 ? utf8BytesMax(part) : utf8Bytes(part) + 3);
  appendKeyBytes(writer, bytes, 0, writeUtf8(bytes, 0, part));
}

/** Appends a text without its trailing blanks, which do not count in char(n). */
export function appendKeyPadded(writer: ByteWriter, text: string): void {
  let length = text.length;
  while (length > 0 && text.charCodeAt(length - 1) === 32) length--;
  appendKeyText(writer, text, length);
}

export function appendKeyBool(writer: ByteWriter, value: boolean): void {
  writer.u8(value ? 1 : 0);
}

export function appendKeyUuid(writer: ByteWriter, value: string): void {
  const at = writer.reserve(16);
  writeUuid(writer.buffer, at, value);
  writer.length = at + 16;
}

export function appendKeyInterval(writer: ByteWriter, value: Interval): void {
  appendKeyInteger(writer, value.span());
}

export function appendKeyTimeTz(writer: ByteWriter, value: TimeTz): void {
  appendKeyInteger(writer, value.utcMicros());
  appendKeyInteger(writer, value.offsetSeconds);
}
