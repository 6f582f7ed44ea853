/**
 * macaddr and macaddr8: addresses of network interfaces, of six and of eight octets. A value is its hexadecimal digits, small,
 * so that texts order as addresses do. Forms that are read are PostgreSQL's, but for digits that it passes over: an address
 * of eight octets with something behind it is refused.
 */
import { PhantomError } from '@phantom/base';
import { TEXT_STORAGE, builtinType, compareTexts } from './base-type.js';
import { invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes } from './wire.js';

/** Octets with a mark between them, each of as many digits as are needed. */
const MARKED = /^\s*([0-9a-f]+)([:-])([0-9a-f]+)\2([0-9a-f]+)\2([0-9a-f]+)\2([0-9a-f]+)\2([0-9a-f]+)\s*$/i;
/** Twelve digits: in halves, in thirds, or in one. */
const GROUPED = [
  /^\s*([0-9a-f]{6})[:-]([0-9a-f]{6})\s*$/i,
  /^\s*([0-9a-f]{4})([.-])([0-9a-f]{4})\2([0-9a-f]{4})\s*$/i,
  /^\s*([0-9a-f]{12})\s*$/i,
];
/** Pairs of digits, with a mark between some of them. */
const PAIRED = /^\s*[0-9a-f]{2}(?:[:.-]?[0-9a-f]{2})*\s*$/i;
const MARKS = /[:.-]/g;
const NOT_HEX = /[^0-9a-f]/gi;

/** What an address of six octets has in its middle when it is written with eight. */
export const MIDDLE = 'fffe';

function readMac(text: string): string {
  if (GROUPED.some((form) => form.test(text))) return text.replace(NOT_HEX, '').toLowerCase();
  const match = MARKED.exec(text);
  if (match === null) throw invalidText('macaddr', text);
  const octets = [match[1], ...match.slice(3)].map((digits) => Number.parseInt(digits as string, 16));
  if (octets.some((octet) => octet > 255))
    throw new PhantomError('22003', `invalid octet value in "macaddr" value: "${text}"`);
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join('');
}

function readMac8(text: string): string {
  const marks = new Set(text.match(MARKS));
  const digits = PAIRED.test(text) && marks.size <= 1 ? text.replace(NOT_HEX, '').toLowerCase() : '';
  if (digits.length === 12) return widened(digits);
  if (digits.length !== 16) throw invalidText('macaddr8', text);
  return digits;
}

/** Six octets as eight. */
export function widened(value: string): string {
  return value.slice(0, 6) + MIDDLE + value.slice(6);
}

function macType(oid: number, octets: 6 | 8, input: (text: string) => string): SqlType {
  return builtinType<string>(oid, {
    storage: TEXT_STORAGE,
    input,
    output: (value) => value.replace(/..(?=.)/g, '$&:'),
    compare: compareTexts,
    receive: (bytes, start, end) => {
      const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('hex');
      if (octets === 8 && hex.length === 12) return widened(hex);
      expectBytes(start, end, octets);
      return hex;
    },
    send: (value, writer) => writer.bytes(Buffer.from(value, 'hex')),
  });
}

export const macaddrType: SqlType = macType(TypeOid.macaddr, 6, readMac);
export const macaddr8Type: SqlType = macType(TypeOid.macaddr8, 8, readMac8);
