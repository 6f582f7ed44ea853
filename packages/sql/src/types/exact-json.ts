/**
 * JSON whose numbers keep every digit, in both directions.
 *
 * JSON.parse rounds a number to a double before anybody sees it, and hands out the text it stood for only in newer Nodes. So the text is
 * looked through once: a number that its double does not give back becomes a text with a mark that nobody else knows, and is told from
 * other texts by the mark once all is parsed. A text without such numbers, which is nearly every one, is parsed as it is.
 *
 *   9007199254740993    NumberText     3, 0.1, 1e3        number
 *   0.10, 1e400         NumberText     1.0, 1.5e3         number
 */
import { randomBytes } from 'node:crypto';
import { Json } from '@phantom/codec';

/** A number as it was written, where its double would be another, or would be written otherwise. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

const MARK = randomBytes(8).toString('base64url');
const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const NUMBER = /-?\d[\d.eE+-]*/y;
/** So many digits of a decimal fraction a double gives back, whichever they are. */
const DIGITS_HELD = 15;

/** JSON.parse, but for numbers that it would round: those are NumberText. SyntaxError for what is no JSON. */
export function parseExactJson(text: string): unknown {
  const plain = JSON.parse(text) as unknown;
  const marked = markNumbers(text);
  if (marked === undefined) return plain;
  return JSON.parse(marked, (_key, part: unknown) =>
    typeof part === 'string' && part.startsWith(MARK) ? new NumberText(part.slice(MARK.length)) : part,
  );
}

/** A text of JSON with marks for the numbers that a double does not hold; undefined when it has none. */
function markNumbers(text: string): string | undefined {
  let marked: string | undefined;
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === MINUS || (code >= 48 && code <= 57)) {
      NUMBER.lastIndex = at;
      const number = (NUMBER.exec(text) as RegExpExecArray)[0];
      if (!isHeld(number)) {
        marked = `${marked ?? ''}${text.slice(copied, at)}"${MARK}${number}"`;
        copied = at + number.length;
      }
      at += number.length;
    } else at++;
  }
  return marked === undefined ? undefined : marked + text.slice(copied);
}

/** Behind the quote that ends the string which begins there. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
}

/** Whether a double says all that the number says. A whole number may be written in any way but with a negative power, which a double may take for 0. */
function isHeld(number: string): boolean {
  const double = Number(number);
  if (String(double) === number) return true;
  return (
    Number.isSafeInteger(double) && (/^-?\d+$/.test(number) || (number.length <= DIGITS_HELD && !/[eE]-/.test(number)))
  );
}

/**
 * A value as JSON: of what JSON does not know bigints, NaN and infinities are texts, bytes are \x and hex digits, and what has a JSON of its
 * own (`toJSON`) is that. Json and NumberText are written as they are, on one line.
 */
export function exactJsonText(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : `"${value}"`;
    case 'bigint':
      return `"${value}"`;
    case 'object':
      return value === null ? 'null' : objectText(value);
    default:
      return JSON.stringify(value);
  }
}

function objectText(value: object): string {
  if (value instanceof NumberText) return value.text;
  // A line break of JSON stands between its parts, never in a text.
  if (value instanceof Json) return value.text.replaceAll(/[\n\r]/g, ' ');
  if (Array.isArray(value)) return `[${value.map(exactJsonText).join(',')}]`;
  if (value instanceof Uint8Array) return JSON.stringify(`\\x${Buffer.from(value).toString('hex')}`);
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === 'function') return JSON.stringify(value);
  const members = Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}:${exactJsonText(part)}`);
  return `{${members.join(',')}}`;
}
