/**
 * Text of ranges and multiranges: `[1,10)`, `(,"a b"]`, `empty`; `{[1,3),[5,7)}`. A bound in quotes or with a backslash may
 * hold what would otherwise end it; a bound of no characters is none.
 */
import { PhantomError } from '@phantom/base';
import { byPieces } from './text-pieces.js';

/** A range as it is written, its bounds still text. */
export interface RangeText {
  readonly empty: boolean;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
}

const SPACE = /[ \t\n\r\f\v]/;
const EMPTY_TEXT: RangeText = {
  empty: true,
  lower: null,
  upper: null,
  lowerInclusive: false,
  upperInclusive: false,
};

function malformed(text: string, detail: string): PhantomError {
  return new PhantomError('22P02', `malformed range literal: "${text}"`, { detail });
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (SPACE.test(text[at] ?? '')) at++;
  return at;
}

/** Reads a bound at `from`; the offset behind it and its text, null for none. */
function parseBound(text: string, from: number): { readonly value: string | null; readonly at: number } {
  let at = from;
  if (/[,)\]]/.test(text[at] ?? '')) return { value: null, at };
  let value = '';
  let quoted = false;
  while (quoted || !/[,)\]]/.test(text[at] ?? '')) {
    const character = text[at++];
    if (character === undefined) throw malformed(text, 'Unexpected end of input.');
    if (character === '\\') {
      if (at >= text.length) throw malformed(text, 'Unexpected end of input.');
      value += text[at++] as string;
    } else if (character !== '"') {
      value += character;
    } else if (quoted && text[at] === '"') {
      value += '"';
      at++;
    } else {
      quoted = !quoted;
    }
  }
  return { value, at };
}

/** Reads a range; 22P02 says what is wrong with it. */
export function parseRange(text: string): RangeText {
  let at = skipSpace(text, 0);
  if (text.slice(at, at + 5).toLowerCase() === 'empty') {
    if (skipSpace(text, at + 5) < text.length) throw malformed(text, 'Junk after "empty" key word.');
    return EMPTY_TEXT;
  }
  const open = text[at];
  if (open !== '[' && open !== '(') throw malformed(text, 'Missing left parenthesis or bracket.');
  const lower = parseBound(text, at + 1);
  if (text[lower.at] !== ',') throw malformed(text, 'Missing comma after lower bound.');
  const upper = parseBound(text, lower.at + 1);
  const close = text[upper.at];
  if (close === ',') throw malformed(text, 'Too many commas.');
  at = skipSpace(text, upper.at + 1);
  if (at < text.length) throw malformed(text, 'Junk after right parenthesis or bracket.');
  return {
    empty: false,
    lower: lower.value,
    upper: upper.value,
    lowerInclusive: open === '[',
    upperInclusive: close === ']',
  };
}

const NEEDS_QUOTES = /^$|["\\()[\],\s]/;

function formatBound(text: string | null): string {
  if (text === null) return '';
  return NEEDS_QUOTES.test(text) ? `"${byPieces(text, (piece) => piece.replace(/["\\]/g, '$&$&'))}"` : text;
}

/** Writes a range. */
export function formatRange(range: RangeText): string {
  if (range.empty) return 'empty';
  const open = range.lowerInclusive ? '[' : '(';
  const close = range.upperInclusive ? ']' : ')';
  return `${open}${formatBound(range.lower)},${formatBound(range.upper)}${close}`;
}

/** Texts of the ranges of a multirange; 22P02 says what is wrong with it. */
export function splitMultirange(text: string): string[] {
  const refuse = (detail: string): PhantomError =>
    new PhantomError('22P02', `malformed multirange literal: "${text}"`, { detail });
  let at = skipSpace(text, 0);
  if (text[at] !== '{') throw refuse('Missing left brace.');
  at = skipSpace(text, at + 1);
  const ranges: string[] = [];
  let closed = text[at] === '}';
  while (!closed) {
    const end = endOfRange(text, at, refuse);
    ranges.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (at >= text.length) throw refuse('Unexpected end of input.');
    if (text[at] !== ',' && text[at] !== '}') throw refuse('Expected comma or end of multirange.');
    closed = text[at] === '}';
    if (!closed) at = skipSpace(text, at + 1);
  }
  if (skipSpace(text, at + 1) < text.length) throw refuse('Junk after closing right brace.');
  return ranges;
}

/** The offset behind the range that begins at `from`. */
function endOfRange(text: string, from: number, refuse: (detail: string) => PhantomError): number {
  if (from >= text.length) throw refuse('Unexpected end of input.');
  if (text.slice(from, from + 5).toLowerCase() === 'empty') return from + 5;
  if (text[from] !== '[' && text[from] !== '(') throw refuse('Expected range start.');
  let quoted = false;
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === ']' || character === ')')) return at + 1;
  }
  throw refuse('Unexpected end of input.');
}
