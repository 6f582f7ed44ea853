/**
 * The scanner: text to tokens by PostgreSQL's lexical rules, written by hand because they are not regular where it
 * matters (nested comments, dollar quotes, operators, strings that go on in the next line).
 *
 *   identifiers   letter, _ or non-ASCII, then also digits and $; ASCII letters fold to lower case, cut to 63 bytes
 *   "..."         quoted identifiers, "" is one quote; U&"..." with escapes
 *   '...'         strings, '' is one quote; a string, a line break and another string are one; E'' U&'' N'' B'' X''.
 *                 Backslashes are data, but for a client that switched standard_conforming_strings off
 *   $tag$...$tag$ strings without escapes
 *   numbers       12, 1.5, .5, 1e10; 0x1F, 0o17, 0b11 and 1_000 of SQL:2023; $1 is a parameter
 *   operators     the longest run of + - * / < > = ~ ! @ # % ^ & | ` ? in which no comment begins; it ends in + or -
 *                 only if it also holds one of ~ ! @ # % ^ & | ` ?
 *   comments      -- to the end of the line, and nested ones between slash-star and star-slash
 *
 * A lexical error does not throw at once: PostgreSQL scans as it parses, so an earlier syntax error is told first. The
 * last token is then of type `Invalid`, and the error is handed out beside the tokens. Text that is not well-formed
 * UTF-16, or holds a NUL, is refused as a whole (22021).
 */
import type { PhantomError } from '@phantom/base';
import { decodeEscapes, decodeUnicode } from './string-literals.js';
import { errorAt, syntaxErrorNear } from './syntax-error.js';
import { keywordType, otherType, type SymbolText, Token } from './tokens.js';

/** What the scanner makes of a text; `error` is set when the last token is of type `Invalid`. */
export interface Scan {
  readonly tokens: Token[];
  readonly error: PhantomError | undefined;
  /** Of each plain string that held an escape, the character behind its first backslash. */
  readonly plainEscapes: readonly string[];
}

/** Longest name in bytes of UTF-8, as PostgreSQL's NAMEDATALEN - 1. */
export const NAME_BYTES_MAX = 63;

const SPACE = 1;
const LETTER = 2;
const DIGIT = 3;
const OPERATOR = 4;
const SELF = 5;
const CLASS = new Uint8Array(128);
for (const char of ' \t\n\r\f\v') CLASS[char.charCodeAt(0)] = SPACE;
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_') CLASS[char.charCodeAt(0)] = LETTER;
for (const char of '0123456789') CLASS[char.charCodeAt(0)] = DIGIT;
for (const char of '~!@#^&|`?+-*/%<>=') CLASS[char.charCodeAt(0)] = OPERATOR;
for (const char of ',()[].;:') CLASS[char.charCodeAt(0)] = SELF;

const IDENTIFIER = otherType('Identifier');
const STRING = otherType('String');
const INTEGER = otherType('Integer');
const DECIMAL = otherType('Decimal');
const PARAMETER = otherType('Parameter');
const OPERATOR_TOKEN = otherType('Operator');
const INVALID = otherType('Invalid');
const SYMBOL_TYPES = new Map(
  (
    [
      '(',
      ')',
      '[',
      ']',
      ',',
      ';',
      ':',
      '.',
      '+',
      '-',
      '*',
      '/',
      '%',
      '^',
      '<',
      '>',
      '=',
      '<=',
      '>=',
      '<>',
      '=>',
    ] as const
  ).map((symbol: SymbolText) => [symbol as string, otherType(symbol)]),
);
const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const DOLLAR = 36;
const PARAMETER_MAX = 65_535;

function isLetter(code: number): boolean {
  return code >= 128 || CLASS[code] === LETTER;
}
function isWordPart(code: number): boolean {
  return code >= 128 || CLASS[code] === LETTER || CLASS[code] === DIGIT || code === DOLLAR;
}
function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Cuts a name to 63 bytes of UTF-8, never inside a character. */
export function truncateName(name: string): string {
  if (name.length * 3 <= NAME_BYTES_MAX) return name;
  let bytes = 0;
  for (let i = 0; i < name.length;) {
    const code = name.codePointAt(i) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > NAME_BYTES_MAX) return name.slice(0, i);
    i += code < 0x10000 ? 1 : 2;
  }
  return name;
}

/** Folds ASCII letters only, as PostgreSQL does in UTF-8 databases. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Thrown inside the scanner, caught by `scan`: what is wrong, and the text from `start` on is the bad token. */
class LexicalError {
  readonly error: PhantomError;
  readonly start: number;

  constructor(error: PhantomError, start: number) {
    this.error = error;
    this.start = start;
  }
}

class Scanner {
  readonly tokens: Token[] = [];
  readonly plainEscapes: string[] = [];
  private readonly text: string;
  /** Backslashes in plain strings are escapes, as in E'...'. */
  private readonly escapes: boolean;
  private position = 0;

  constructor(text: string, escapes: boolean) {
    this.text = text;
    this.escapes = escapes;
  }

  run(): void {
    const text = this.text;
    const end = text.length;
    while (this.position < end) {
      const start = this.position;
      const code = text.charCodeAt(start);
      const kind = code >= 128 ? LETTER : (CLASS[code] as number);
      if (kind === SPACE) this.position++;
      else if (kind === LETTER) this.word(start, code);
      else if (kind === DIGIT) this.number(start);
      else if (kind === SELF) this.self(start, code);
      else if (kind === OPERATOR) this.operator(start, code);
      else if (code === QUOTE) this.push(STRING, start, this.plainLiteral(start + 1, start));
      else if (code === DOUBLE_QUOTE) this.quotedName(start, this.quotedBody(start + 1, start));
      else if (code === DOLLAR) this.dollar(start);
      else this.fail(start, 'syntax error', start + 1);
    }
  }

  private push(type: Token['tokenType'], start: number, value: string, quoted = false): void {
    this.tokens.push(new Token(type, this.text, start, this.position, value, quoted));
  }

  private fail(start: number, message: string, end: number = this.text.length): never {
    throw new LexicalError(syntaxErrorNear(message, this.text, start, end), start);
  }

  // ------------------------------------------------------------------------------------------ words and symbols

  private word(start: number, first: number): void {
    const text = this.text;
    const second = text.charCodeAt(start + 1);
    if (second === QUOTE && this.prefixedString(start, first)) return;
    if (second === 38 && (first | 32) === 117 && this.unicodeLiteral(start)) return;
    let end = start;
    let code = first;
    let upper = false;
    let ascii = true;
    do {
      if (code >= 65 && code <= 90) upper = true;
      else if (code >= 128) ascii = false;
      code = text.charCodeAt(++end);
    } while (isWordPart(code));
    this.position = end;
    const written = text.slice(start, end);
    const name = upper ? (ascii ? written.toLowerCase() : foldName(written)) : written;
    const keyword = keywordType(name);
    if (keyword === undefined) this.push(IDENTIFIER, start, truncateName(name));
    else this.push(keyword, start, keyword.name);
  }

  /** E'', N'', B'' and X''. False when the letter has no such meaning and begins a word. */
  private prefixedString(start: number, first: number): boolean {
    const letter = first | 32;
    if (letter === 101) {
      const body = this.escapeBody(start + 2, start);
      this.push(STRING, start, decodeEscapes(this.text, body, start + 2));
    } else if (letter === 110) {
      // N'x' reads NCHAR 'x'.
      const nchar = keywordType('nchar') as Token['tokenType'];
      this.tokens.push(new Token(nchar, this.text, start, start + 1, 'nchar', false));
      this.push(STRING, start + 1, this.plainLiteral(start + 2, start));
    } else if (letter === 98) {
      const digits = this.bitDigits(start, 'unterminated bit string literal');
      this.push(otherType('BitString'), start, digits);
    } else if (letter === 120) {
      const digits = this.bitDigits(start, 'unterminated hexadecimal string literal');
      this.push(otherType('HexString'), start, digits);
    } else return false;
    return true;
  }

  private self(start: number, code: number): void {
    const next = this.text.charCodeAt(start + 1);
    if (code === 46 && isDigit(next)) return this.number(start);
    let symbol: SymbolText = this.text[start] as SymbolText;
    if (code === 58 && next === 58) symbol = '::';
    else if (code === 58 && next === 61) symbol = ':=';
    else if (code === 46 && next === 46) symbol = '..';
    this.position = start + symbol.length;
    this.push(
      symbol.length === 1 ? (SYMBOL_TYPES.get(symbol) as Token['tokenType']) : otherType(symbol),
      start,
      symbol,
    );
  }

  private operator(start: number, first: number): void {
    const text = this.text;
    const second = text.charCodeAt(start + 1);
    if (first === 45 && second === 45) return this.lineComment(start);
    if (first === 47 && second === 42) return this.blockComment(start);
    let end = start + 1;
    // Characters that let an operator end in + or -: ~ ! @ # % ^ & | ` ?
    let special = '~!@#%^&|`?'.includes(text[start] as string);
    for (let code = second; code < 128 && CLASS[code] === OPERATOR; code = text.charCodeAt(++end)) {
      const next = text.charCodeAt(end + 1);
      if ((code === 45 && next === 45) || (code === 47 && next === 42)) break;
      if ('~!@#%^&|`?'.includes(text[end] as string)) special = true;
    }
    if (!special) while (end - start > 1 && (text[end - 1] === '+' || text[end - 1] === '-')) end--;
    const written = text.slice(start, end);
    if (written.length > NAME_BYTES_MAX) this.fail(start, 'operator too long', end);
    const symbol = written === '!=' ? '<>' : written;
    this.position = end;
    this.push(SYMBOL_TYPES.get(symbol) ?? OPERATOR_TOKEN, start, symbol);
  }

  private lineComment(start: number): void {
    this.position = this.endOfLine(start);
  }

  private endOfLine(from: number): number {
    for (let i = from; i < this.text.length; i++) {
      const code = this.text.charCodeAt(i);
      if (code === 10 || code === 13) return i;
    }
    return this.text.length;
  }

  private blockComment(start: number): void {
    const text = this.text;
    let depth = 1;
    let i = start + 2;
    while (depth > 0) {
      if (i >= text.length) this.fail(start, 'unterminated /* comment');
      const code = text.charCodeAt(i);
      const next = text.charCodeAt(i + 1);
      if (code === 47 && next === 42) {
        depth++;
        i += 2;
      } else if (code === 42 && next === 47) {
        depth--;
        i += 2;
      } else i++;
    }
    this.position = i;
  }

  // ---------------------------------------------------------------------------------------------------- numbers

  private digits(from: number): number {
    let i = from;
    while (
      isDigit(this.text.charCodeAt(i)) ||
      (this.text[i] === '_' && i > from && isDigit(this.text.charCodeAt(i + 1)))
    )
      i++;
    return i;
  }

  private number(start: number): void {
    const text = this.text;
    if (text[start] === '0' && /[xob]/i.test(text[start + 1] ?? '')) return this.radixNumber(start);
    let decimal = false;
    let end = this.digits(start);
    if (text[end] === '.' && text[end + 1] !== '.') {
      decimal = true;
      end = this.digits(end + 1);
    }
    if (text[end] === 'e' || text[end] === 'E') {
      const sign = text[end + 1] === '+' || text[end + 1] === '-' ? 2 : 1;
      if (!isDigit(text.charCodeAt(end + sign))) this.fail(start, 'trailing junk after numeric literal', end + sign);
      decimal = true;
      end = this.digits(end + sign);
    }
    this.endNumber(start, end, decimal ? DECIMAL : INTEGER, text.slice(start, end));
  }

  private radixNumber(start: number): void {
    const letter = (this.text[start + 1] as string).toLowerCase();
    const pattern = letter === 'x' ? /(?:_?[0-9a-fA-F])*/y : letter === 'o' ? /(?:_?[0-7])*/y : /(?:_?[01])*/y;
    pattern.lastIndex = start + 2;
    const digits = (pattern.exec(this.text) as RegExpExecArray)[0];
    const kind = letter === 'x' ? 'hexadecimal' : letter === 'o' ? 'octal' : 'binary';
    if (digits === '') this.fail(start, `invalid ${kind} integer`, start + 2);
    const value = BigInt(`0${letter}${digits.replaceAll('_', '')}`);
    this.endNumber(start, start + 2 + digits.length, INTEGER, value.toString());
  }

  private endNumber(start: number, end: number, type: Token['tokenType'], value: string): void {
    if (isLetter(this.text.charCodeAt(end))) this.fail(start, 'trailing junk after numeric literal', end + 1);
    this.position = end;
    this.push(type, start, value.includes('_') ? value.replaceAll('_', '') : value);
  }

  // ---------------------------------------------------------------------------------------------------- strings

  /** Parameters and dollar quotes. */
  private dollar(start: number): void {
    const text = this.text;
    if (isDigit(text.charCodeAt(start + 1))) {
      let end = start + 1;
      while (isDigit(text.charCodeAt(end))) end++;
      if (isLetter(text.charCodeAt(end))) this.fail(start, 'trailing junk after parameter', end + 1);
      this.position = end;
      const index = text.slice(start + 1, end);
      if (Number(index) > PARAMETER_MAX) this.failParameter(start, index);
      return this.push(PARAMETER, start, index);
    }
    const opening = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
    opening.lastIndex = start;
    const tag = opening.exec(text)?.[0];
    if (tag === undefined) this.fail(start, 'syntax error', start + 1);
    const close = text.indexOf(tag, start + tag.length);
    if (close < 0) this.fail(start, 'unterminated dollar-quoted string');
    this.position = close + tag.length;
    this.push(STRING, start, text.slice(start + tag.length, close));
  }

  private failParameter(start: number, index: string): never {
    throw new LexicalError(errorAt('42P02', `there is no parameter $${index}`, this.text, start), start);
  }

  /** The value of '...', whatever backslashes in it mean now. */
  private plainLiteral(from: number, start: number): string {
    if (!this.escapes) return this.plainString(from, start, 'unterminated quoted string');
    const body = this.escapeBody(from, start);
    const escape = body.indexOf('\\');
    if (escape >= 0) this.plainEscapes.push(body.charAt(escape + 1));
    return decodeEscapes(this.text, body, from);
  }

  /** Text up to the closing quote, '' made one, with its continuations; leaves `position` behind it. */
  private plainString(from: number, start: number, complaint: string): string {
    const text = this.text;
    let value = '';
    let piece = from;
    for (;;) {
      const quote = text.indexOf("'", piece);
      if (quote < 0) this.fail(start, complaint);
      value += text.slice(piece, quote);
      if (text.charCodeAt(quote + 1) === QUOTE) {
        value += "'";
        piece = quote + 2;
        continue;
      }
      piece = this.continuation(quote + 1);
      if (piece < 0) {
        this.position = quote + 1;
        return value;
      }
    }
  }

  /** The digits of B'...' and X'...' with their continuations; a quote always ends them. */
  private bitDigits(start: number, complaint: string): string {
    let digits = '';
    for (let piece = start + 2; ;) {
      const quote = this.text.indexOf("'", piece);
      if (quote < 0) this.fail(start, complaint);
      digits += this.text.slice(piece, quote);
      piece = this.continuation(quote + 1);
      if (piece < 0) {
        this.position = quote + 1;
        return digits;
      }
    }
  }

  /** The inside of E'...' with its escapes, and its continuations. */
  private escapeBody(from: number, start: number): string {
    const text = this.text;
    let body = '';
    let piece = from;
    for (let i = from; ;) {
      if (i >= text.length) this.fail(start, 'unterminated quoted string');
      const code = text.charCodeAt(i);
      if (code === 92 || (code === QUOTE && text.charCodeAt(i + 1) === QUOTE)) i += 2;
      else if (code !== QUOTE) i++;
      else {
        body += text.slice(piece, i);
        piece = this.continuation(i + 1);
        if (piece < 0) {
          this.position = i + 1;
          return body;
        }
        i = piece;
      }
    }
  }

  /** Where a string that ended before `from` goes on: white space with a line break, then a quote. -1 if it does not. */
  private continuation(from: number): number {
    const text = this.text;
    let broken = false;
    for (let i = from; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 10 || code === 13) broken = true;
      else if (code === QUOTE) return broken ? i + 1 : -1;
      else if (code === 45 && text.charCodeAt(i + 1) === 45) i = this.endOfLine(i) - 1;
      else if (code >= 128 || CLASS[code] !== SPACE) return -1;
    }
    return -1;
  }

  private quotedBody(from: number, start: number): string {
    const text = this.text;
    let value = '';
    let piece = from;
    for (;;) {
      const quote = text.indexOf('"', piece);
      if (quote < 0) this.fail(start, 'unterminated quoted identifier');
      value += text.slice(piece, quote);
      if (text.charCodeAt(quote + 1) !== DOUBLE_QUOTE) {
        this.position = quote + 1;
        return value;
      }
      value += '"';
      piece = quote + 2;
    }
  }

  private quotedName(start: number, name: string): void {
    if (name === '') this.fail(start, 'zero-length delimited identifier', this.position);
    this.push(IDENTIFIER, start, truncateName(name), true);
  }

  /** U&'...' and U&"..." with their UESCAPE. False when no quote follows. */
  private unicodeLiteral(start: number): boolean {
    const quote = this.text.charCodeAt(start + 2);
    if (quote !== QUOTE && quote !== DOUBLE_QUOTE) return false;
    if (quote === QUOTE && this.escapes) {
      const unsafe = errorAt('0A000', 'unsafe use of string constant with Unicode escapes', this.text, start, {
        detail: 'String constants with Unicode escapes cannot be used when standard_conforming_strings is off.',
      });
      throw new LexicalError(unsafe, start);
    }
    const body =
      quote === QUOTE
        ? this.plainString(start + 3, start, 'unterminated quoted string')
        : this.quotedBody(start + 3, start);
    const end = this.position;
    const value = decodeUnicode(this.text, body, this.uescape(end), start + 3);
    if (quote === QUOTE) this.push(STRING, start, value);
    else this.quotedName(start, value);
    return true;
  }

  /** Reads UESCAPE 'c' behind a Unicode literal, if it is there. */
  private uescape(from: number): string {
    const rest = /(?:\s|--[^\n\r]*|\/\*(?:[^*]|\*(?!\/))*\*\/)*/y;
    const skip = (at: number): number => {
      rest.lastIndex = at;
      rest.exec(this.text);
      return rest.lastIndex;
    };
    const word = skip(from);
    if (!/^uescape$/i.test(this.text.slice(word, word + 7)) || isWordPart(this.text.charCodeAt(word + 7))) return '\\';
    const literal = skip(word + 7);
    if (this.text.charCodeAt(literal) !== QUOTE) {
      this.fail(literal, 'UESCAPE must be followed by a simple string literal', literal + 1);
    }
    const escape = this.plainString(literal + 1, literal, 'unterminated quoted string');
    if (escape.length !== 1 || /[0-9a-fA-F+'"\s]/.test(escape)) {
      this.fail(literal, 'invalid Unicode escape character', this.position);
    }
    return escape;
  }

  /** Closes the token list with an `Invalid` token at the place of the error. */
  invalid(start: number): void {
    this.position = this.text.length;
    this.push(INVALID, start, '');
  }
}

const ILL_FORMED = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|\0/;

/** Refuses what no UTF-8 text of PostgreSQL can hold: unpaired surrogates and NUL. */
function badCharacter(text: string): PhantomError | undefined {
  const found = ILL_FORMED.exec(text);
  if (found === null) return undefined;
  const code = found[0].charCodeAt(0);
  const message =
    code === 0
      ? 'invalid byte sequence for encoding "UTF8": 0x00'
      : `unpaired surrogate U+${code.toString(16).toUpperCase()} in the text of a statement`;
  return errorAt('22021', message, text, found.index);
}

/** Scans a whole text; with `escapes`, backslashes in plain strings are escapes. Never throws. */
export function scan(text: string, escapes = false): Scan {
  const scanner = new Scanner(text, escapes);
  const { tokens } = scanner;
  const bad = badCharacter(text);
  if (bad !== undefined) {
    scanner.invalid(0);
    return { tokens, error: bad, plainEscapes: [] };
  }
  try {
    scanner.run();
  } catch (thrown) {
    const failure = thrown instanceof LexicalError ? thrown : undefined;
    const error = failure?.error ?? (thrown as PhantomError);
    if (error.name !== 'PhantomError') throw thrown;
    scanner.invalid(failure?.start ?? tokens.at(-1)?.endOffset ?? 0);
    return { tokens, error, plainEscapes: scanner.plainEscapes };
  }
  return { tokens, error: undefined, plainEscapes: scanner.plainEscapes };
}
