/** bytea operators and functions, encodings, and digests. */
import { createHash } from 'node:crypto';
import { PhantomError } from '@phantom/base';
import { decodeHex, encodeHex } from '../types/simple-types.js';
import { invalidParameter } from '../types/sql-errors.js';
import { TextPieces } from '../types/text-pieces.js';
import { bytesIn, converted, textIn } from './encodings.js';
import type { Implementations } from './implementation.js';
import { like } from './like.js';

const BYTES_MAX = 1073741823;

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function substring(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (length < 0) throw new PhantomError('22011', 'negative substring length not allowed');
  const from = Math.max(start, 1);
  return bytes.slice(from - 1, Math.max(from - 1, start + length - 1));
}

function overlay(bytes: Uint8Array, part: Uint8Array, start: number, length: number): Uint8Array {
  if (start <= 0) throw new PhantomError('22011', 'negative substring length not allowed');
  return concatenate(concatenate(bytes.slice(0, start - 1), part), bytes.slice(Math.max(0, start + length - 1)));
}

function position(bytes: Uint8Array, part: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(part) + 1;
}

function trim(bytes: Uint8Array, set: Uint8Array, atStart: boolean, atEnd: boolean): Uint8Array {
  let start = 0;
  let end = bytes.length;
  if (atStart) while (start < end && set.includes(bytes[start] as number)) start++;
  if (atEnd) while (end > start && set.includes(bytes[end - 1] as number)) end--;
  return bytes.slice(start, end);
}

function checkIndex(index: number | bigint, count: number): number {
  if (index < 0 || index >= count) {
    throw new PhantomError('2202E', `index ${index} out of valid range, 0..${count - 1}`);
  }
  return Number(index);
}

function setByte(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[checkIndex(index, bytes.length)] = value & 0xff;
  return copy;
}

function getBit(bytes: Uint8Array, index: number | bigint): number {
  const at = checkIndex(index, bytes.length * 8);
  return ((bytes[at >> 3] as number) >> (at & 7)) & 1;
}

function setBit(bytes: Uint8Array, index: number | bigint, bit: number): Uint8Array {
  const at = checkIndex(index, bytes.length * 8);
  if (bit !== 0 && bit !== 1) throw invalidParameter('new bit must be 0 or 1');
  const copy = bytes.slice();
  const byte = copy[at >> 3] as number;
  copy[at >> 3] = bit === 1 ? byte | (1 << (at & 7)) : byte & ~(1 << (at & 7));
  return copy;
}

const BASE64_LINE = 76;
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function encodeBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  let lines = '';
  for (let at = 0; at < text.length; at += BASE64_LINE) {
    lines += (at === 0 ? '' : '\n') + text.slice(at, at + BASE64_LINE);
  }
  return lines;
}

/** Strict about symbols and padding, blind to white space. */
function decodeBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(3 * Math.ceil(text.length / 4));
  let length = 0;
  let buffer = 0;
  let position = 0;
  let end = 0;
  for (const symbol of text) {
    if (symbol === ' ' || symbol === '\t' || symbol === '\n' || symbol === '\r') continue;
    let bits = 0;
    if (symbol === '=') {
      if (end === 0) {
        if (position === 2) end = 1;
        else if (position === 3) end = 2;
        else throw invalidParameter('unexpected "=" while decoding base64 sequence');
      }
    } else {
      bits = BASE64.indexOf(symbol);
      if (bits < 0) throw invalidParameter(`invalid symbol "${symbol}" found while decoding base64 sequence`);
    }
    buffer = (buffer << 6) | bits;
    if (++position === 4) {
      bytes[length++] = (buffer >> 16) & 255;
      if (end === 0 || end > 1) bytes[length++] = (buffer >> 8) & 255;
      if (end === 0 || end > 2) bytes[length++] = buffer & 255;
      buffer = 0;
      position = 0;
    }
  }
  if (position !== 0) {
    throw invalidParameter(
      'invalid base64 end sequence',
      'Input data is missing padding, is truncated, or is otherwise corrupted.',
    );
  }
  return bytes.slice(0, length);
}

/** The escape encoding: zero and high bytes as \nnn, a backslash doubled. */
function encodeEscape(bytes: Uint8Array): string {
  const text = new TextPieces();
  for (const byte of bytes) {
    if (byte === 0 || byte > 127) text.add(`\\${byte.toString(8).padStart(3, '0')}`);
    else if (byte === 92) text.add('\\\\');
    else text.add(String.fromCharCode(byte));
  }
  return text.text();
}

function decodeEscape(text: string): Uint8Array {
  const source = Buffer.from(text, 'utf8');
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let i = 0; i < source.length;) {
    const byte = source[i] as number;
    const octal = source.toString('latin1', i + 1, i + 4);
    if (byte !== 92) {
      bytes[length++] = byte;
      i++;
    } else if (/^[0-3][0-7][0-7]$/.test(octal)) {
      bytes[length++] = Number.parseInt(octal, 8);
      i += 4;
    } else if (source[i + 1] === 92) {
      bytes[length++] = 92;
      i += 2;
    } else {
      throw new PhantomError('22P02', 'invalid input syntax for type bytea');
    }
  }
  return bytes.slice(0, length);
}

function encode(bytes: Uint8Array, format: string): string {
  switch (format.toLowerCase()) {
    case 'hex':
      return encodeHex(bytes);
    case 'base64':
      return encodeBase64(bytes);
    case 'escape':
      return encodeEscape(bytes);
    default:
      throw invalidParameter(`unrecognized encoding: "${format}"`);
  }
}

function decode(text: string, format: string): Uint8Array {
  switch (format.toLowerCase()) {
    case 'hex':
      return decodeHex(text);
    case 'base64':
      return decodeBase64(text);
    case 'escape':
      return decodeEscape(text);
    default:
      throw invalidParameter(`unrecognized encoding: "${format}"`);
  }
}

function digest(algorithm: string): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => new Uint8Array(createHash(algorithm).update(bytes).digest());
}

const md5 = (data: Uint8Array | string): string => createHash('md5').update(data).digest('hex');

function bitCount(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

export const binaryFunctions: Implementations = {
  byteacat: concatenate,
  bytea_substr: substring,
  bytea_substr_no_len: (bytes: Uint8Array, start: number) => substring(bytes, start, BYTES_MAX),
  byteaoverlay: overlay,
  byteaoverlay_no_len: (bytes: Uint8Array, part: Uint8Array, start: number) => overlay(bytes, part, start, part.length),
  byteapos: position,
  byteatrim: (bytes: Uint8Array, set: Uint8Array) => trim(bytes, set, true, true),
  bytealtrim: (bytes: Uint8Array, set: Uint8Array) => trim(bytes, set, true, false),
  byteartrim: (bytes: Uint8Array, set: Uint8Array) => trim(bytes, set, false, true),
  byteaGetByte: (bytes: Uint8Array, index: number) => bytes[checkIndex(index, bytes.length)] as number,
  byteaSetByte: setByte,
  byteaGetBit: getBit,
  byteaSetBit: setBit,
  bytea_bit_count: bitCount,
  bytealike: (bytes: Uint8Array, pattern: Uint8Array) => like(latin1(bytes), latin1(pattern)),
  byteanlike: (bytes: Uint8Array, pattern: Uint8Array) => !like(latin1(bytes), latin1(pattern)),
  binary_encode: encode,
  binary_decode: decode,
  md5_text: md5,
  md5_bytea: md5,
  sha224_bytea: digest('sha224'),
  sha256_bytea: digest('sha256'),
  sha384_bytea: digest('sha384'),
  sha512_bytea: digest('sha512'),
  pg_convert_to: (text: string, encoding: string) => bytesIn(encoding, text),
  pg_convert_from: (bytes: Uint8Array, encoding: string) => textIn(encoding, bytes),
  pg_convert: converted,
  length_in_encoding: (bytes: Uint8Array, encoding: string) => [...textIn(encoding, bytes)].length,
};
