/**
 * tid: which row of a table, as `ctid` tells it. Rows here lie under keys and in no place of a page, so a tid is the row's key:
 *
 *   row number (tables without a primary key)   (block,offset)   the number's upper 32 and lower 16 bits
 *   primary key                                 (\x8000002a)     the bytes of the key
 *
 * A value is its digits in hexadecimal, 12 for a row number and `k` before those of a key, so that texts order as rows do.
 */
import { PhantomError } from '@phantom/base';
import { TEXT_STORAGE, builtinType, compareTexts } from './base-type.js';
import { invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes } from './wire.js';

const NUMBER_BYTES = 6;
const KEY_MARK = 'k';
const BLOCK_MAX = 0xffff_ffff;
const OFFSET_MAX = 0xffff;

/** The tid of a row number, of which there are fewer than 2^48. */
export function tidOfNumber(number: number): string {
  return number.toString(16).padStart(2 * NUMBER_BYTES, '0');
}

/** The tid of a primary key, from the key's bytes. */
export function tidOfKey(buffer: Uint8Array, start: number, end: number): string {
  return KEY_MARK + Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('hex');
}

export const tidType: SqlType = builtinType<string>(TypeOid.tid, {
  storage: TEXT_STORAGE,
  input: (text) => {
    const key = /^\s*\(\\x((?:[0-9a-f]{2})+)\)\s*$/i.exec(text);
    if (key !== null) return KEY_MARK + (key[1] as string).toLowerCase();
    const number = /^\s*\(\s*(-?\d+),\s*(\d+)\)\s*$/.exec(text);
    if (number === null) throw invalidText('tid', text);
    // A block may be written as a signed number of 32 bits: (-1,0) is (4294967295,0).
    const written = Number(number[1]);
    const block = written < 0 && written >= -(2 ** 31) ? written + 2 ** 32 : written;
    const offset = Number(number[2]);
    if (block < 0 || block > BLOCK_MAX || offset > OFFSET_MAX) throw invalidText('tid', text);
    return tidOfNumber(block * (OFFSET_MAX + 1) + offset);
  },
  output: (value) =>
    value.startsWith(KEY_MARK)
      ? `(\\x${value.slice(KEY_MARK.length)})`
      : `(${Number.parseInt(value.slice(0, 8), 16)},${Number.parseInt(value.slice(8), 16)})`,
  compare: compareTexts,
  receive: (bytes, start, end) => {
    expectBytes(start, end, NUMBER_BYTES);
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, NUMBER_BYTES).toString('hex');
  },
  send: (value, writer) => {
    if (value.startsWith(KEY_MARK)) {
      const hint = 'Ask for the text format, or for the columns of the primary key.';
      throw new PhantomError('0A000', 'the ctid of a table with a primary key has no binary form', { hint });
    }
    writer.bytes(Buffer.from(value, 'hex'));
  },
});
