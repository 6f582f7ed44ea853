/** Character types: text, varchar(n), char(n), name, "char", cstring, unknown. */
import { PhantomError } from '@phantom/base';
import { StorageKind, compareText } from '@phantom/codec';
import { TEXT_STORAGE, builtinType, compareTexts } from './base-type.js';
import { invalidParameter } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';

/** Most characters of char(n) and varchar(n). */
const LENGTH_MAX = 10485760;
/** Typmods of char(n), varchar(n) and numeric are 4 above what was written: PostgreSQL counts a length word in. */
const HEADER = 4;
/** Set in the typmod of `char(n octets)` and `varchar(n octets)`, above all lengths: the limit is one of UTF-8 bytes. */
const OCTETS = 1 << 24;
/** Bytes of a name. */
const NAME_BYTES_MAX = 63;

/** First half of a character that UTF-16 needs two units for. */
const HIGH_SURROGATE = /[\ud800-\udbff]/;
/** Longer texts are asked by the expression first: one that holds Latin-1 alone answers without being looked through. */
const COUNTED_UNITS_MAX = 16;

/** Characters (code points) of a text. */
export function characterLength(text: string): number {
  const units = text.length;
  if (units > COUNTED_UNITS_MAX && !HIGH_SURROGATE.test(text)) return units;
  let count = units;
  for (let i = 0; i < units; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00) count--;
  }
  return count;
}

/** UTF-16 offset behind the first `count` characters; the text's length when it has fewer. */
export function offsetOfCharacter(text: string, count: number): number {
  let at = 0;
  for (let left = count; left > 0 && at < text.length; left--) {
    const code = text.charCodeAt(at);
    at += code >= 0xd800 && code < 0xdc00 ? 2 : 1;
  }
  return at;
}

/** What a typmod allows: characters, or octets. */
export function lengthOf(typmod: number): number {
  return (typmod & ~OCTETS) - HEADER;
}

/** True when a typmod counts octets. */
export function countsOctets(typmod: number): boolean {
  return typmod >= OCTETS;
}

/** Length of a text as a typmod counts it. */
function measure(text: string, typmod: number): number {
  return countsOctets(typmod) ? Buffer.byteLength(text) : characterLength(text);
}

/** UTF-16 offset behind the characters that lie whole within the first `count` octets. */
function offsetOfOctet(text: string, count: number): number {
  let at = 0;
  let octets = 0;
  for (const character of text) {
    octets += Buffer.byteLength(character);
    if (octets > count) break;
    at += character.length;
  }
  return at;
}

function parseLength(typeName: string): (modifiers: readonly (number | string)[]) => number {
  return (modifiers) => {
    const length = Number(modifiers[0]);
    const octets = modifiers.length === 2 && modifiers[1] === 'octets';
    if ((modifiers.length !== 1 && !octets) || !Number.isInteger(length)) {
      throw invalidParameter('invalid type modifier');
    }
    if (length < 1) throw invalidParameter(`length for type ${typeName} must be at least 1`);
    if (length > LENGTH_MAX) throw invalidParameter(`length for type ${typeName} cannot exceed ${LENGTH_MAX}`);
    return (length + HEADER) | (octets ? OCTETS : 0);
  };
}

const formatLength = (typmod: number): string =>
  typmod < HEADER ? '' : `(${lengthOf(typmod)}${countsOctets(typmod) ? ' octets' : ''})`;

/** Cuts a text to a typmod's length; surplus other than blanks is 22001 unless the cast is explicit. */
function cut(text: string, typmod: number, explicit: boolean, typeName: string): string {
  const length = lengthOf(typmod);
  const octets = countsOctets(typmod);
  if (typmod < HEADER || (text.length <= length && !octets)) return text;
  const end = octets ? offsetOfOctet(text, length) : offsetOfCharacter(text, length);
  if (end >= text.length) return text;
  if (!explicit && !/^ *$/.test(text.slice(end))) {
    throw new PhantomError('22001', `value too long for type ${typeName}${formatLength(typmod)}`);
  }
  return text.slice(0, end);
}

/** char(n): cut like varchar(n), then padded with blanks. */
function pad(text: string, typmod: number, explicit: boolean): string {
  if (typmod < HEADER) return text;
  const fitted = cut(text, typmod, explicit, 'character');
  const missing = lengthOf(typmod) - measure(fitted, typmod);
  if (missing <= 0) return fitted;
  if (blanks.length !== missing) blanks = ' '.repeat(missing);
  return fitted + blanks;
}

/** The blanks that were wanted last: the values of a column often lack the same number. At most LENGTH_MAX of them. */
let blanks = '';

/** A char(n) value as it counts in comparisons and casts to text: without trailing blanks. */
export function trimPadding(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** A name: at most 63 bytes, cut between characters. */
export function truncateName(text: string): string {
  if (text.length * 3 <= NAME_BYTES_MAX || Buffer.byteLength(text) <= NAME_BYTES_MAX) return text;
  let end = 0;
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > NAME_BYTES_MAX) break;
    end += character.length;
  }
  return text.slice(0, end);
}

export const textType: SqlType = builtinType<string>(TypeOid.text, {
  storage: TEXT_STORAGE,
  input: (text) => text,
  compare: compareTexts,
});

export const varcharType: SqlType = builtinType<string>(TypeOid.varchar, {
  storage: TEXT_STORAGE,
  input: (text, typmod) => cut(text, typmod, false, 'character varying'),
  compare: compareTexts,
  coerceTypmod: (value, typmod, explicit) => cut(value, typmod, explicit, 'character varying'),
  parseTypmod: parseLength('varchar'),
  formatTypmod: formatLength,
});

export const bpcharType: SqlType = builtinType<string>(TypeOid.bpchar, {
  storage: { kind: StorageKind.PaddedText },
  input: (text, typmod) => pad(text, typmod, false),
  compare: (a, b) => compareText(trimPadding(a), trimPadding(b)),
  hashKey: trimPadding,
  coerceTypmod: pad,
  parseTypmod: parseLength('char'),
  formatTypmod: formatLength,
});

export const nameType: SqlType = builtinType<string>(TypeOid.name, {
  storage: TEXT_STORAGE,
  input: truncateName,
  compare: compareTexts,
});

/** "char": one byte, as the character of that code; the empty text stands for the zero byte. */
export function parseChar(text: string): string {
  const octal = /^\\([0-3][0-7][0-7])$/.exec(text);
  const byte = octal === null ? (Buffer.from(text)[0] ?? 0) : Number.parseInt(octal[1] as string, 8);
  return byte === 0 ? '' : String.fromCharCode(byte);
}

/** "char" as text: bytes beyond ASCII as `\\nnn`. */
export function formatChar(value: string): string {
  const byte = value === '' ? 0 : value.charCodeAt(0);
  return byte < 128 ? value : `\\${byte.toString(8)}`;
}

export const charType: SqlType = builtinType<string>(TypeOid.char, {
  storage: TEXT_STORAGE,
  input: parseChar,
  output: formatChar,
  receive: (bytes, start, end) =>
    end > start && bytes[start] !== 0 ? String.fromCharCode(bytes[start] as number) : '',
  send: (value, writer) => writer.u8(value === '' ? 0 : value.charCodeAt(0)),
  compare: compareTexts,
});

export const textTypes: readonly SqlType[] = [
  textType,
  varcharType,
  bpcharType,
  nameType,
  charType,
  ...[TypeOid.cstring, TypeOid.unknown, TypeOid.refcursor].map((oid) =>
    builtinType<string>(oid, { storage: TEXT_STORAGE, input: (text) => text, compare: compareTexts }),
  ),
];
