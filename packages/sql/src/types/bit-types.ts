/**
 * bit(n) and bit varying(n). A value is its digits, a string of 0 and 1: it orders as PostgreSQL orders bit strings (bit by
 * bit, the shorter one first where it is a prefix), hashes as it is and is stored as text. A byte a bit is what that costs.
 *
 * The type modifier is the length in bits; `bit` alone is written bit(1) by the parser, so -1 means any length.
 */
import { PhantomError } from '@phantom/base';
import { TEXT_STORAGE, builtinType, compareScalars } from './base-type.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { getI32, putI32 } from './wire.js';

/** Most bits a value may have, which is PostgreSQL's limit of a field (1 GB) in bits. */
const BITS_MAX = 83_886_080;

/** 54000 for a value that nobody wants to hold. */
export function checkBitLength(bits: number): void {
  if (bits > BITS_MAX) throw new PhantomError('54000', `bit string length exceeds the maximum allowed (${BITS_MAX})`);
}

/** Digits of a bit string literal or input: `0101`, `b0101` or `xF0`. 22P02 for other digits. */
export function parseBits(text: string): string {
  const mark = text[0];
  const hexadecimal = mark === 'x' || mark === 'X';
  const digits = hexadecimal || mark === 'b' || mark === 'B' ? text.slice(1) : text;
  const wrong = (hexadecimal ? /[^0-9a-f]/iu : /[^01]/u).exec(digits);
  if (wrong !== null) {
    const kind = hexadecimal ? 'hexadecimal' : 'binary';
    throw new PhantomError('22P02', `"${wrong[0]}" is not a valid ${kind} digit`);
  }
  checkBitLength(digits.length);
  if (!hexadecimal) return digits;
  let bits = '';
  for (const digit of digits) bits += Number.parseInt(digit, 16).toString(2).padStart(4, '0');
  return bits;
}

function lengthMismatch(bits: number, typmod: number): PhantomError {
  return new PhantomError('22026', `bit string length ${bits} does not match type bit(${typmod})`);
}

function tooLong(typmod: number): PhantomError {
  return new PhantomError('22001', `bit string too long for type bit varying(${typmod})`);
}

function parseLength(typeName: string, modifiers: readonly (number | string)[]): number {
  const length = Number(modifiers[0]);
  if (modifiers.length !== 1 || !Number.isInteger(length)) throw new PhantomError('22023', 'invalid type modifier');
  if (length < 1) throw new PhantomError('22023', `length for type ${typeName} must be at least 1`);
  if (length > BITS_MAX) throw new PhantomError('22023', `length for type ${typeName} cannot exceed ${BITS_MAX}`);
  return length;
}

const shared = {
  storage: TEXT_STORAGE,
  compare: compareScalars as unknown as (a: string, b: string) => number,
  formatTypmod: (typmod: number) => `(${typmod})`,
  send: (value: string, writer: Parameters<SqlType['send']>[1]) => {
    putI32(writer, value.length);
    for (let at = 0; at < value.length; at += 8) {
      writer.u8(Number.parseInt(value.slice(at, at + 8).padEnd(8, '0'), 2));
    }
  },
};

function receiveBits(bytes: Uint8Array, start: number, end: number): string {
  const length = getI32(bytes, start, end);
  if (length < 0 || end - start - 4 !== (length + 7) >> 3) {
    throw new PhantomError('22P03', 'invalid length in external bit string');
  }
  let bits = '';
  for (let at = start + 4; at < end; at++) bits += (bytes[at] as number).toString(2).padStart(8, '0');
  return bits.slice(0, length);
}

export const bitType: SqlType = builtinType<string>(TypeOid.bit, {
  ...shared,
  input: (text, typmod) => exactLength(parseBits(text), typmod),
  receive: (bytes, start, end, typmod) => exactLength(receiveBits(bytes, start, end), typmod),
  coerceTypmod: (value, typmod, explicit) =>
    explicit ? value.slice(0, typmod).padEnd(typmod, '0') : exactLength(value, typmod),
  parseTypmod: (modifiers) => parseLength('bit', modifiers),
});

function exactLength(bits: string, typmod: number): string {
  if (typmod >= 0 && bits.length !== typmod) throw lengthMismatch(bits.length, typmod);
  return bits;
}

export const varbitType: SqlType = builtinType<string>(TypeOid.varbit, {
  ...shared,
  input: (text, typmod) => atMost(parseBits(text), typmod),
  receive: (bytes, start, end, typmod) => atMost(receiveBits(bytes, start, end), typmod),
  coerceTypmod: (value, typmod, explicit) => (explicit ? value.slice(0, typmod) : atMost(value, typmod)),
  parseTypmod: (modifiers) => parseLength('varbit', modifiers),
});

function atMost(bits: string, typmod: number): string {
  if (typmod >= 0 && bits.length > typmod) throw tooLong(typmod);
  return bits;
}
