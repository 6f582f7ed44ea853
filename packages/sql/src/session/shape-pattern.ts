/**
 * The texts of one shape, told without cutting them into tokens: a text is of a shape when it is the shape's pieces with a literal
 * of the right type between each two of them.
 *
 *   shape    select v from t where id = $1 and k < $2
 *   pieces   "select v from t where id = "    int4    " and k < "    unknown    ""
 *
 * That is enough, since tokens are cut from left to right and a literal ends where its characters do: what stands before the first
 * one is the same, so it begins where the shape's did, and so on behind it. Everything that decided on the literals lies in the pieces.
 */
import type { Oid } from '@phantom/catalog';
import { TypeOid } from '../types/type-oids.js';

const QUOTE = 39;
const POINT = 46;

export class ShapePattern {
  private readonly pieces: readonly string[];
  private readonly types: readonly Oid[];

  /** `types`: those of the literals between the pieces, 0 for a string. */
  constructor(pieces: readonly string[], types: readonly Oid[]) {
    this.pieces = pieces;
    this.types = types;
  }

  /** The values that a text has for the literals, as text; undefined when it is of another shape. */
  match(text: string): string[] | undefined {
    const { pieces, types } = this;
    if (!text.startsWith(pieces[0]!)) return undefined;
    let at = pieces[0]!.length;
    const values: string[] = [];
    for (let i = 0; i < types.length; i++) {
      const isString = text.charCodeAt(at) === QUOTE;
      const end = isString ? stringEnd(text, at) : numberEnd(text, at);
      if (end === at) return undefined;
      const token = text.slice(at, end);
      if ((isString ? 0 : typeOfNumber(token)) !== types[i]) return undefined;
      values.push(isString ? textOfString(token) : token);
      const behind = pieces[i + 1]!;
      if (!text.startsWith(behind, end)) return undefined;
      at = end + behind.length;
    }
    return at === text.length ? values : undefined;
  }
}

/**
 * A number that all texts of a shape share, and few others: of the characters before the first number or string, which is a literal
 * or part of the first piece.
 */
export function headOf(text: string): number {
  let head = 0;
  let inName = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE || (isDigit(code) && !inName)) return head;
    inName = isInName(code);
    head = (Math.imul(head, 31) + code) | 0;
  }
  return head;
}

/** The smallest integer and bigint without their signs: a minus in front of the literal decides what type it has. */
const SIGN_DECIDES: ReadonlySet<bigint> = new Set([2n ** 31n, 2n ** 63n]);

/** The type that a number has as a literal; undefined where what stands before it has a say. */
export function typeOfNumber(token: string): Oid | undefined {
  if (token.includes('.')) return TypeOid.numeric;
  if (token.length <= 9) return TypeOid.int4;
  const value = BigInt(token);
  if (SIGN_DECIDES.has(value)) return undefined;
  if (value < 2n ** 31n) return TypeOid.int4;
  return value < 2n ** 63n ? TypeOid.int8 : TypeOid.numeric;
}

/** What a string says, given with its quotes. */
export function textOfString(token: string): string {
  const text = token.slice(1, -1);
  return text.includes("''") ? text.replaceAll("''", "'") : text;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isInName(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || isDigit(code) || code === 95 || code >= 0x80;
}

/** Behind the number at a place; the place itself where there is none. */
function numberEnd(text: string, start: number): number {
  const end = digitsEnd(text, start);
  if (end === start || text.charCodeAt(end) !== POINT) return end;
  const fractionEnd = digitsEnd(text, end + 1);
  return fractionEnd === end + 1 ? end : fractionEnd;
}

function digitsEnd(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  return end;
}

/** Behind the string that begins at a place; the place itself where it does not end. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf("'", start + 1); quote !== -1; quote = text.indexOf("'", quote + 2)) {
    if (text.charCodeAt(quote + 1) !== QUOTE) return quote + 1;
  }
  return start;
}
