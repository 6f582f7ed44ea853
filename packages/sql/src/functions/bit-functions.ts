/** Functions, operators and casts of bit strings. A value is a string of 0 and 1; see types/bit-types.ts. */
import { PhantomError } from '@phantom/base';
import { checkBitLength } from '../types/bit-types.js';
import { outOfRange } from '../types/sql-errors.js';
import { byPieces } from '../types/text-pieces.js';
import { type Implementations, aggregate, scalar } from './implementation.js';
import { type Int8, int8 } from './integers.js';

type Operate = (a: boolean, b: boolean) => boolean;

/** Two strings of one length, bit by bit. */
function combine(name: string, a: string, b: string, operate: Operate): string {
  if (a.length !== b.length) throw new PhantomError('22026', `cannot ${name} bit strings of different sizes`);
  let at = 0;
  return byPieces(a, (piece) => {
    let bits = '';
    for (const bit of piece) bits += operate(bit === '1', b[at++] === '1') ? '1' : '0';
    return bits;
  });
}

const and = (a: string, b: string): string => combine('AND', a, b, (x, y) => x && y);
const or = (a: string, b: string): string => combine('OR', a, b, (x, y) => x || y);
const xor = (a: string, b: string): string => combine('XOR', a, b, (x, y) => x !== y);

function complement(bits: string): string {
  return byPieces(bits, (piece) => {
    let result = '';
    for (const bit of piece) result += bit === '1' ? '0' : '1';
    return result;
  });
}

function shiftLeft(bits: string, places: number): string {
  if (places < 0) return shiftRight(bits, -places);
  return bits.slice(Math.min(places, bits.length)).padEnd(bits.length, '0');
}

function shiftRight(bits: string, places: number): string {
  if (places < 0) return shiftLeft(bits, -places);
  return bits.slice(0, Math.max(0, bits.length - places)).padStart(bits.length, '0');
}

/** Positions count from 1; a part outside the string is no part of the result. */
function substring(bits: string, from: number, length: number | undefined): string {
  if (length !== undefined && length < 0) throw new PhantomError('22011', 'negative substring length not allowed');
  const end = length === undefined ? bits.length : Math.min(bits.length, from - 1 + length);
  return bits.slice(Math.max(0, from - 1), Math.max(0, end));
}

function overlay(bits: string, part: string, from: number, length: number): string {
  if (from <= 0) throw new PhantomError('22011', 'negative substring length not allowed');
  if (from + length > 2147483647) throw outOfRange('integer');
  return substring(bits, 1, from - 1) + part + substring(bits, from + length, undefined);
}

/** Lowest bits of a two's complement; beyond its width the sign is repeated. */
function fromInteger(value: Int8, length: number): string {
  const bits = length < 1 ? 1 : length;
  checkBitLength(bits);
  const low = BigInt.asUintN(Math.min(bits, 64), BigInt(value)).toString(2).padStart(Math.min(bits, 64), '0');
  return low.padStart(bits, value < 0 ? '1' : '0');
}

function toInteger(bits: string, width: number, typeName: string): bigint {
  if (bits.length > width) throw outOfRange(typeName);
  return bits === '' ? 0n : BigInt.asIntN(width, BigInt(`0b${bits}`));
}

function checkIndex(bits: string, at: number): void {
  if (at < 0 || at >= bits.length) {
    throw new PhantomError('2202E', `bit index ${at} out of valid range (0..${bits.length - 1})`);
  }
}

function setBit(bits: string, at: number, bit: number): string {
  checkIndex(bits, at);
  if (bit !== 0 && bit !== 1) throw new PhantomError('22023', 'new bit must be 0 or 1');
  return bits.slice(0, at) + String(bit) + bits.slice(at + 1);
}

interface Folded {
  bits: string | undefined;
}

const foldBits = (operate: (a: string, b: string) => string) =>
  aggregate<Folded, [string]>({
    init: () => ({ bits: undefined }),
    step: (state, value) => {
      state.bits = state.bits === undefined ? value : operate(state.bits, value);
      return state;
    },
    final: (state) => state.bits ?? null,
  });

const concatenate = (a: string, b: string): string => {
  checkBitLength(a.length + b.length);
  return a + b;
};

/** bit(n)'s own length coercion: explicit ones cut and pad, assignments insist. */
function fitBit(bits: string, length: number, explicit: boolean): string {
  if (length <= 0 || bits.length === length) return bits;
  if (explicit) return bits.slice(0, length).padEnd(length, '0');
  throw new PhantomError('22026', `bit string length ${bits.length} does not match type bit(${length})`);
}

function fitVarbit(bits: string, length: number, explicit: boolean): string {
  if (length <= 0 || bits.length <= length) return bits;
  if (explicit) return bits.slice(0, length);
  throw new PhantomError('22001', `bit string too long for type bit varying(${length})`);
}

function comparisons(): Implementations {
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return {
    biteq: scalar((a: string, b: string) => a === b, {}),
    bitne: scalar((a: string, b: string) => a !== b, {}),
    bitlt: (a: string, b: string) => a < b,
    bitle: (a: string, b: string) => a <= b,
    bitgt: (a: string, b: string) => a > b,
    bitge: (a: string, b: string) => a >= b,
    bitcmp: compare,
  };
}

export const bitFunctions: Implementations = {
  ...comparisons(),
  bit_and: and,
  bit_or: or,
  bitxor: xor,
  bitnot: complement,
  bitshiftleft: shiftLeft,
  bitshiftright: shiftRight,
  bitcat: concatenate,
  bitsubstr: substring,
  bitsubstr_no_len: (bits: string, from: number) => substring(bits, from, undefined),
  bitoverlay: overlay,
  bitoverlay_no_len: (bits: string, part: string, from: number) => overlay(bits, part, from, part.length),
  bitlength: (bits: string) => bits.length,
  bitoctetlength: (bits: string) => (bits.length + 7) >> 3,
  bitfromint4: fromInteger,
  bitfromint8: fromInteger,
  bittoint4: (bits: string) => Number(toInteger(bits, 32, 'integer')),
  bittoint8: (bits: string) => int8(toInteger(bits, 64, 'bigint')),
  bitposition: (bits: string, part: string) => (bits === '' ? 0 : bits.indexOf(part) + 1),
  bitgetbit: (bits: string, at: number) => {
    checkIndex(bits, at);
    return Number(bits[at]);
  },
  bitsetbit: setBit,
  bit: fitBit,
  varbit: fitVarbit,
  bit_bit_count: (bits: string) => bits.replaceAll('0', '').length,
  'bit_and:bit': foldBits(and),
  'bit_or:bit': foldBits(or),
  'bit_xor:bit': foldBits(xor),
};
