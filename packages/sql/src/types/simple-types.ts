/** boolean, bytea and uuid. */
import { PhantomError } from '@phantom/base';
import { StorageKind } from '@phantom/codec';
import { builtinType, compareScalars, compareTexts } from './base-type.js';
import { invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes } from './wire.js';

/** Unique beginnings of true, false, yes, no, on, off, and 1 and 0; undefined for other texts. */
export function parseBool(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (word === '') return undefined;
  if ('true'.startsWith(word) || 'yes'.startsWith(word) || word === 'on' || word === '1') return true;
  if ('false'.startsWith(word) || 'no'.startsWith(word) || word === '0') return false;
  return word === 'of' || word === 'off' ? false : undefined;
}

export const boolType: SqlType = builtinType<boolean>(TypeOid.bool, {
  storage: { kind: StorageKind.Bool },
  input: (text) => {
    const value = parseBool(text);
    if (value === undefined) throw invalidText('boolean', text);
    return value;
  },
  output: (value) => (value ? 't' : 'f'),
  receive: (bytes, start, end) => {
    expectBytes(start, end, 1);
    return bytes[start] !== 0;
  },
  send: (value, writer) => writer.u8(value ? 1 : 0),
  compare: compareScalars,
});

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Bytes of hexadecimal text (blanks between pairs allowed); 22023 as PostgreSQL words it. */
export function decodeHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  let count = 0;
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i);
    if (code === 32 || (code >= 9 && code <= 13 && code !== 11 && code !== 12)) {
      i++;
      continue;
    }
    const high = hexValue(code);
    if (high < 0) throw invalidHexDigit(text, i);
    if (i + 1 >= text.length) throw new PhantomError('22023', 'invalid hexadecimal data: odd number of digits');
    const low = hexValue(text.charCodeAt(i + 1));
    if (low < 0) throw invalidHexDigit(text, i + 1);
    bytes[count++] = (high << 4) | low;
    i += 2;
  }
  return bytes.subarray(0, count);
}

function invalidHexDigit(text: string, at: number): PhantomError {
  return new PhantomError(
    '22023',
    `invalid hexadecimal digit: "${String.fromCodePoint(text.codePointAt(at) as number)}"`,
  );
}

/** Text of a bytea: `\x` and hexadecimal, or bytes with `\nnn` and `\\` escapes. */
export function parseBytea(text: string): Uint8Array {
  if (text.startsWith('\\x')) return decodeHex(text.slice(2));
  const utf8 = Buffer.from(text, 'utf8');
  const bytes = new Uint8Array(utf8.length);
  let count = 0;
  for (let i = 0; i < utf8.length;) {
    const byte = utf8[i] as number;
    if (byte !== 92) {
      bytes[count++] = byte;
      i++;
      continue;
    }
    const octal = utf8.toString('latin1', i + 1, i + 4);
    if (utf8[i + 1] === 92) {
      bytes[count++] = 92;
      i += 2;
    } else if (/^[0-3][0-7][0-7]$/.test(octal)) {
      bytes[count++] = Number.parseInt(octal, 8);
      i += 4;
    } else {
      throw new PhantomError('22P02', 'invalid input syntax for type bytea');
    }
  }
  return bytes.subarray(0, count);
}

/** bytea in escape form: printable bytes as they are, the rest as `\nnn`. */
export function escapeBytea(value: Uint8Array): string {
  let text = '';
  for (const byte of value) {
    if (byte === 92) text += '\\\\';
    else if (byte < 32 || byte > 126) text += `\\${byte.toString(8).padStart(3, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return text;
}

/** Lower-case hexadecimal of any length. */
export function encodeHex(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
}

export const byteaType: SqlType = builtinType<Uint8Array>(TypeOid.bytea, {
  storage: { kind: StorageKind.Bytes },
  input: parseBytea,
  output: (value, context) => (context.byteaOutput === 'escape' ? escapeBytea(value) : `\\x${encodeHex(value)}`),
  receive: (bytes, start, end) => bytes.slice(start, end),
  send: (value, writer) => writer.bytes(value),
  compare: (a, b) => Buffer.compare(a, b),
  hashKey: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'),
});

const UUID_SYNTAX = /^(\{?)(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}(\}?)$/;

/** Canonical text of a uuid: 32 digits, hyphens allowed after each group of four, braces around allowed. */
export function parseUuid(text: string): string {
  const match = UUID_SYNTAX.exec(text);
  if (match === null || (match[1] === '') !== (match[2] === '')) throw invalidText('uuid', text);
  const digits = text.replace(/[{}-]/g, '').toLowerCase();
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}

export const uuidType: SqlType = builtinType<string>(TypeOid.uuid, {
  storage: { kind: StorageKind.Uuid },
  input: parseUuid,
  receive: (bytes, start, end) => {
    expectBytes(start, end, 16);
    return parseUuid(encodeHex(bytes.subarray(start, end)));
  },
  send: (value, writer) => writer.bytes(Buffer.from(value.replaceAll('-', ''), 'hex')),
  compare: compareTexts,
});
