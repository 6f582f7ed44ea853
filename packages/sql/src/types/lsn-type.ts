/**
 * pg_lsn: a position in a log, 64 bits without a sign, written as two halves in hexadecimal. A value is its 16 digits, so
 * that texts order as positions do (a number would lose those above 2^53).
 */
import { TEXT_STORAGE, builtinType, compareTexts } from './base-type.js';
import { invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes } from './wire.js';

/** The canonical value of a position. */
export function encodeLsn(position: bigint): string {
  return position.toString(16).toUpperCase().padStart(16, '0');
}

/** The position of a canonical value. */
export function decodeLsn(value: string): bigint {
  return BigInt(`0x${value}`);
}

const half = (digits: string): string => digits.replace(/^0+(?=.)/, '');

export const lsnType: SqlType = builtinType<string>(TypeOid.pgLsn, {
  storage: TEXT_STORAGE,
  input: (text) => {
    const match = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(text);
    if (match === null) throw invalidText('pg_lsn', text);
    return `${(match[1] as string).padStart(8, '0')}${(match[2] as string).padStart(8, '0')}`.toUpperCase();
  },
  output: (value) => `${half(value.slice(0, 8))}/${half(value.slice(8))}`,
  compare: compareTexts,
  receive: (bytes, start, end) => {
    expectBytes(start, end, 8);
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, 8)
      .toString('hex')
      .toUpperCase();
  },
  send: (value, writer) => writer.bytes(Buffer.from(value, 'hex')),
});
