/**
 * Decoding of string literals with escapes: E'...' and U&'...'. Positions in errors are offsets in the whole text.
 *
 * \ooo and \xhh of E'...' are bytes of UTF-8, and several of them may make up one character; they are collected and
 * decoded together, strictly (22021). \0 is refused, since PostgreSQL's text has no such character.
 */
import type { PhantomError } from '@phantom/base';
import { errorAt, SYNTAX_ERROR, syntaxErrorNear } from './syntax-error.js';

const INVALID_ESCAPE = '22025';
const INVALID_BYTES = '22021';
const CONTROL_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

/** True when `count` hexadecimal digits stand at `at`. */
function hexDigits(body: string, at: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (!isHex(body.charCodeAt(at + i))) return false;
  return true;
}

/** Puts surrogate escapes together and appends code points. `index` is where the piece begins, for errors. */
class CodePoints {
  private out = '';
  private high = 0;
  private readonly failPair: (index: number) => PhantomError;

  constructor(failPair: (index: number) => PhantomError) {
    this.failPair = failPair;
  }
  text(piece: string, index: number): void {
    if (this.high !== 0) throw this.failPair(index);
    this.out += piece;
  }
  /** False when the code point does not exist. */
  codePoint(value: number, index: number): boolean {
    if (value === 0 || value > 0x10ffff) return false;
    const low = value >= 0xdc00 && value <= 0xdfff;
    if ((this.high !== 0) !== low) throw this.failPair(index);
    if (low) {
      this.out += String.fromCharCode(this.high, value);
      this.high = 0;
    } else if (value >= 0xd800 && value <= 0xdbff) this.high = value;
    else this.out += String.fromCodePoint(value);
    return true;
  }
  end(index: number): string {
    if (this.high !== 0) throw this.failPair(index);
    return this.out;
  }
}

function decodeBytes(bytes: readonly number[], text: string, at: number): string {
  const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;
  if (!bytes.includes(0)) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    } catch {
      // Told below, with the bytes.
    }
  }
  const shown = bytes.includes(0) ? '0x00' : bytes.map(hex).join(' ');
  throw errorAt(INVALID_BYTES, `invalid byte sequence for encoding "UTF8": ${shown}`, text, at);
}

const HEX_ESCAPE = /\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}/y;

/** The value of the inside of an E'...' literal, its quotes removed but '' still double; `at` is where it begins. */
export function decodeEscapes(text: string, body: string, at: number): string {
  const near = (message: string, index: number): PhantomError => {
    HEX_ESCAPE.lastIndex = at + index;
    const escape = HEX_ESCAPE.exec(text)?.[0];
    return syntaxErrorNear(message, text, at + index, at + index + (escape?.length ?? 1));
  };
  const out = new CodePoints((index) => near('invalid Unicode surrogate pair', index));
  let bytes: number[] = [];
  let i = 0;
  const flush = (): void => {
    if (bytes.length > 0) out.text(decodeBytes(bytes, text, at), i);
    bytes = [];
  };
  while (i < body.length) {
    const char = body[i] as string;
    if (char !== '\\') {
      flush();
      out.text(char, i);
      i += char === "'" ? 2 : 1;
      continue;
    }
    const next = body[i + 1];
    const octal = /^[0-7]{1,3}/.exec(body.slice(i + 1, i + 4));
    const hexadecimal = next === 'x' ? /^[0-9a-fA-F]{1,2}/.exec(body.slice(i + 2, i + 4)) : null;
    if (octal !== null || hexadecimal !== null) {
      const digits = (octal ?? hexadecimal) as RegExpExecArray;
      bytes.push(octal === null ? parseInt(digits[0], 16) : parseInt(digits[0], 8) & 255);
      i += digits[0].length + (octal === null ? 2 : 1);
      continue;
    }
    flush();
    if (next === 'u' || next === 'U') {
      const count = next === 'u' ? 4 : 8;
      if (!hexDigits(body, i + 2, count)) {
        const hint = 'Unicode escapes must be \\uXXXX or \\UXXXXXXXX.';
        throw errorAt(INVALID_ESCAPE, 'invalid Unicode escape', text, at + i, { hint });
      }
      if (!out.codePoint(parseInt(body.slice(i + 2, i + 2 + count), 16), i)) {
        throw near('invalid Unicode escape value', i);
      }
      i += 2 + count;
    } else {
      out.text(next === undefined ? '' : (CONTROL_ESCAPES[next] ?? next), i);
      i += 2;
    }
  }
  flush();
  return out.end(i);
}

/** The value of U&'...' or U&"..." (quotes removed and undoubled), with its escape character; it begins at `at`. */
export function decodeUnicode(text: string, value: string, escape: string, at: number): string {
  const fail = (message: string, index: number, hint?: string): PhantomError =>
    errorAt(SYNTAX_ERROR, message, text, at + index, { hint });
  if (!value.includes(escape)) return value;
  const out = new CodePoints((index) => fail('invalid Unicode surrogate pair', index));
  let i = 0;
  while (i < value.length) {
    if (value[i] !== escape) {
      out.text(value[i] as string, i);
      i++;
      continue;
    }
    if (value[i + 1] === escape) {
      out.text(escape, i);
      i += 2;
      continue;
    }
    const long = value[i + 1] === '+';
    const from = long ? i + 2 : i + 1;
    const count = long ? 6 : 4;
    if (!hexDigits(value, from, count)) {
      throw fail('invalid Unicode escape', i, 'Unicode escapes must be \\XXXX or \\+XXXXXX.');
    }
    if (!out.codePoint(parseInt(value.slice(from, from + count), 16), i)) throw fail('invalid Unicode escape value', i);
    i = from + count;
  }
  return out.end(i);
}
