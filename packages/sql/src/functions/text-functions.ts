/** String functions and operators. Positions and lengths count characters (code points), not UTF-16 units. */
import { quoteIdentifier } from '../types/reg-types.js';
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import {
  characterLength,
  formatChar,
  offsetOfCharacter,
  parseChar,
  trimPadding,
  truncateName,
} from '../types/text-types.js';
import { byPieces, replaceEach, reversed } from '../types/text-pieces.js';
import { invalidParameter } from '../types/sql-errors.js';
import { type Implementations, scalar } from './implementation.js';
import { initcap, lower, upper } from './letter-case.js';
import { like, likeEscape } from './like.js';
import type { CallTypes, EvaluationContext } from './registry.js';
import type { Value } from '../types/type.js';

/** Longest text a function makes: PostgreSQL's limit of one gigabyte. */
const TEXT_BYTES_MAX = 1073741823;

function tooLong(): PhantomError {
  return new PhantomError('54000', 'requested length too large');
}

/** The characters from `start` (1 is the first), at most `length` of them; either may lie outside the text. */
function substring(text: string, start: number, length: number): string {
  const from = Math.max(start, 1);
  const end = Math.max(from, start + length);
  const at = offsetOfCharacter(text, from - 1);
  if (end - from >= text.length - at) return text.slice(at);
  return text.slice(at, at + offsetOfCharacter(text.slice(at), end - from));
}

/** substring(text from start for length); a negative length is 22011. */
export function textSubstring(text: string, start: number, length: number): string {
  if (length < 0) throw new PhantomError('22011', 'negative substring length not allowed');
  return substring(text, start, length);
}

function left(text: string, count: number): string {
  const wanted = count < 0 ? characterLength(text) + count : count;
  return wanted <= 0 ? '' : text.slice(0, offsetOfCharacter(text, wanted));
}

function right(text: string, count: number): string {
  const total = characterLength(text);
  const skip = count < 0 ? -count : total - count;
  return skip >= total ? '' : text.slice(offsetOfCharacter(text, Math.max(skip, 0)));
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** Position of the first occurrence in characters, from 1; 0 when there is none. */
export function textPosition(text: string, part: string): number {
  const at = text.indexOf(part);
  return at < 0 ? 0 : characterLength(text.slice(0, at)) + 1;
}

function pad(text: string, width: number, fill: string, atStart: boolean): string {
  const length = characterLength(text);
  if (width <= length) return width <= 0 ? '' : text.slice(0, offsetOfCharacter(text, width));
  if (fill === '') return text;
  if (width > TEXT_BYTES_MAX / 4) throw tooLong();
  const missing = width - length;
  const fillLength = characterLength(fill);
  const whole = fill.repeat(Math.floor(missing / fillLength));
  const padding = whole + fill.slice(0, offsetOfCharacter(fill, missing % fillLength));
  return atStart ? padding + text : text + padding;
}

/** Cuts characters of the set from the start and/or the end. */
function trim(text: string, set: string, atStart: boolean, atEnd: boolean): string {
  if (set === ' ') {
    let start = 0;
    let end = text.length;
    if (atStart) while (start < end && text.charCodeAt(start) === 32) start++;
    if (atEnd) while (end > start && text.charCodeAt(end - 1) === 32) end--;
    return text.slice(start, end);
  }
  const unwanted = new Set(set);
  let start = 0;
  let end = text.length;
  if (atStart) {
    while (start < end) {
      const character = String.fromCodePoint(text.codePointAt(start) as number);
      if (!unwanted.has(character)) break;
      start += character.length;
    }
  }
  if (atEnd) {
    while (end > start) {
      const isPair = NOT_ASCII.test(text[end - 1] as string) && (text.codePointAt(end - 2) ?? 0) > 0xffff;
      const from = isPair ? end - 2 : end - 1;
      if (!unwanted.has(text.slice(from, end))) break;
      end = from;
    }
  }
  return text.slice(start, end);
}

function repeat(text: string, count: number): string {
  if (count <= 0) return '';
  if (text.length * count > TEXT_BYTES_MAX) throw tooLong();
  return text.repeat(count);
}

function translate(text: string, from: string, to: string): string {
  const source = [...from];
  const target = [...to];
  const map = new Map<string, string>();
  source.forEach((character, i) => {
    if (!map.has(character)) map.set(character, target[i] ?? '');
  });
  return byPieces(text, (piece) => {
    let result = '';
    for (const character of piece) result += map.get(character) ?? character;
    return result;
  });
}

function overlay(text: string, part: string, start: number, length: number): string {
  if (start <= 0) throw new PhantomError('22011', 'negative substring length not allowed');
  if (start + length > 2147483647) throw new PhantomError('22003', 'integer out of range');
  return textSubstring(text, 1, start - 1) + part + substring(text, start + length, TEXT_BYTES_MAX);
}

function splitPart(text: string, separator: string, field: number): string {
  if (field === 0) throw invalidParameter('field position must not be zero');
  if (text === '') return '';
  if (separator === '') return field === 1 || field === -1 ? text : '';
  return field > 0 ? fieldFromStart(text, separator, field) : fieldFromEnd(text, separator, -field);
}

function fieldFromStart(text: string, separator: string, field: number): string {
  let start = 0;
  for (let number = 1; ; number++) {
    const end = text.indexOf(separator, start);
    if (number === field) return text.slice(start, end < 0 ? text.length : end);
    if (end < 0) return '';
    start = end + separator.length;
  }
}

/** Where separators may lie over one another they count from the start, so those are counted first. */
function fieldFromEnd(text: string, separator: string, field: number): string {
  let fields = 1;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + separator.length)) fields++;
  return field > fields ? '' : fieldFromStart(text, separator, fields - field + 1);
}

function chr(code: number): string {
  if (code === 0) throw new PhantomError('54000', 'null character not permitted');
  if (code < 0) throw new PhantomError('22023', 'character number must be positive');
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new PhantomError('54000', `requested character too large for encoding: ${code}`);
  }
  return String.fromCodePoint(code);
}

/** A text as a literal; backslashes make it an E'' one. */
export function quoteLiteral(text: string): string {
  const quoted = `'${replaceEach(replaceEach(text, "'", "''"), '\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}`.trimStart() : quoted;
}

/** A value of any type as its text. */
export function textOf(value: Value, type: TypeRef | undefined, context: EvaluationContext): string {
  const found = type === undefined ? undefined : context.types.byOid(type.oid);
  if (found === undefined) throw new PhantomError('42704', `type with OID ${type?.oid ?? 0} does not exist`);
  return found.output(value, context);
}

/** A value as its cast to text has it: boolean alone is written otherwise than its output. */
function castToText(value: Value, type: TypeRef | undefined, context: EvaluationContext): string {
  return typeof value === 'boolean' ? String(value) : textOf(value, type, context);
}

/** name has operators of its own, with the same code. */
function patternAliases(): Implementations {
  return {
    namelike: like,
    namenlike: (text: string, pattern: string) => !like(text, pattern),
    nameiclike: (text: string, pattern: string) => like(lower(text), lower(pattern)),
    nameicnlike: (text: string, pattern: string) => !like(lower(text), lower(pattern)),
  };
}

export const textFunctions: Implementations = {
  textcat: scalar((a: string, b: string) => a + b, { inline: ([a, b]) => `${a} + ${b}` }),
  textlen: characterLength,
  bpcharlen: (a: string) => characterLength(trimPadding(a)),
  textoctetlen: (a: string) => Buffer.byteLength(a),
  bpcharoctetlen: (a: string) => Buffer.byteLength(a),
  byteaoctetlen: (a: Uint8Array) => a.length,
  'bit_length:text': (a: string) => Buffer.byteLength(a) * 8,
  'bit_length:bytea': (a: Uint8Array) => a.length * 8,
  upper,
  lower,
  initcap,
  text_substr: textSubstring,
  text_substr_no_len: (text: string, start: number) => substring(text, start, TEXT_BYTES_MAX),
  text_left: left,
  text_right: right,
  text_reverse: reversed,
  textpos: textPosition,
  lpad: (text: string, width: number, fill: string) => pad(text, width, fill, true),
  rpad: (text: string, width: number, fill: string) => pad(text, width, fill, false),
  'lpad:text,int4': (text: string, width: number) => pad(text, width, ' ', true),
  'rpad:text,int4': (text: string, width: number) => pad(text, width, ' ', false),
  ltrim: (text: string, set: string) => trim(text, set, true, false),
  ltrim1: (text: string) => trim(text, ' ', true, false),
  rtrim: (text: string, set: string) => trim(text, set, false, true),
  rtrim1: (text: string) => trim(text, ' ', false, true),
  btrim: (text: string, set: string) => trim(text, set, true, true),
  btrim1: (text: string) => trim(text, ' ', true, true),
  repeat,
  replace_text: (text: string, from: string, to: string) => (from === '' ? text : replaceEach(text, from, to)),
  translate,
  textoverlay: overlay,
  textoverlay_no_len: (text: string, part: string, start: number) => overlay(text, part, start, characterLength(part)),
  split_part: splitPart,
  ascii: (text: string) => text.codePointAt(0) ?? 0,
  chr,
  text_starts_with: (text: string, start: string) => text.startsWith(start),
  textlike: like,
  textnlike: (text: string, pattern: string) => !like(text, pattern),
  texticlike: (text: string, pattern: string) => like(lower(text), lower(pattern)),
  texticnlike: (text: string, pattern: string) => !like(lower(text), lower(pattern)),
  like_escape: likeEscape,
  ...patternAliases(),
  'textanycat:text,anynonarray': scalar(
    (a: string, b: Value, context: EvaluationContext, types: CallTypes) =>
      a + castToText(b, types.arguments[1], context),
    { context: true, types: true },
  ),
  'anytextcat:anynonarray,text': scalar(
    (a: Value, b: string, context: EvaluationContext, types: CallTypes) =>
      castToText(a, types.arguments[0], context) + b,
    { context: true, types: true },
  ),
  'quote_literal:anyelement': scalar(
    (a: Value, context: EvaluationContext, types: CallTypes) =>
      quoteLiteral(castToText(a, types.arguments[0], context)),
    { context: true, types: true },
  ),
  'quote_nullable:anyelement': scalar(
    (a: Value, context: EvaluationContext, types: CallTypes) =>
      a === null ? 'NULL' : quoteLiteral(castToText(a, types.arguments[0], context)),
    { context: true, types: true },
  ),
  quote_ident: quoteIdentifier,
  quote_literal: quoteLiteral,
  quote_nullable: (text: string | null) => (text === null ? 'NULL' : quoteLiteral(text)),
  // Casts among the string types.
  text_name: truncateName,
  name_text: (a: string) => a,
  bpchar_name: (a: string) => truncateName(trimPadding(a)),
  name_bpchar: (a: string) => a,
  text_char: parseChar,
  char_text: formatChar,
  char_bpchar: formatChar,
};
