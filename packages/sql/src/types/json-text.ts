/** JSON as text: strict reading with PostgreSQL's errors, and writing in its two styles. Numbers keep every digit. */
import { PhantomError } from '@phantom/base';
import { DOCUMENT_DEPTH_MAX, Decimal, type DocumentValue, ObjectId, Uuid } from '@phantom/codec';
import { TextPieces, byPieces } from './text-pieces.js';

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const JUNK = /[A-Za-z0-9_+.\u0080-\uffff-]*/y;

export type JsonObject = Map<string, DocumentValue>;

/** One pass over a JSON text. */
class JsonTextParser {
  private readonly text: string;
  private readonly checkOnly: boolean;
  private at = 0;

  constructor(text: string, checkOnly: boolean) {
    this.text = text;
    this.checkOnly = checkOnly;
  }

  parse(): DocumentValue {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) this.expected('end of input');
    return value;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  private value(depth: number): DocumentValue {
    this.space();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  private enter(depth: number): void {
    if (depth >= DOCUMENT_DEPTH_MAX) {
      throw new PhantomError('54001', 'stack depth limit exceeded', {
        hint: `JSON can be nested ${DOCUMENT_DEPTH_MAX} levels deep.`,
      });
    }
    this.at++;
    this.space();
  }

  private object(depth: number): DocumentValue {
    this.enter(depth);
    const object: JsonObject = new Map();
    if (this.text[this.at] === '}') {
      this.at++;
      return object;
    }
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.expected(object.size === 0 ? 'string or "}"' : 'string');
      const key = this.string();
      this.space();
      if (this.text[this.at] !== ':') this.expected('":"');
      this.at++;
      const value = this.value(depth + 1);
      // The last of equal keys stays, as in jsonb.
      object.set(key, value);
      this.space();
      const next = this.text[this.at];
      if (next !== ',' && next !== '}') this.expected('"," or "}"');
      this.at++;
      if (next === '}') return object;
    }
  }

  private array(depth: number): DocumentValue {
    this.enter(depth);
    const items: DocumentValue[] = [];
    if (this.text[this.at] === ']') {
      this.at++;
      return items;
    }
    for (;;) {
      items.push(this.value(depth + 1));
      this.space();
      const next = this.text[this.at];
      if (next !== ',' && next !== ']') this.expected('"," or "]"');
      this.at++;
      if (next === ']') return items;
    }
  }

  private word(word: string, value: boolean | null): DocumentValue {
    JUNK.lastIndex = this.at;
    const found = JUNK.exec(this.text)?.[0];
    if (found !== word) this.invalidToken();
    this.at += word.length;
    return value;
  }

  private number(): DocumentValue {
    NUMBER.lastIndex = this.at;
    const text = NUMBER.exec(this.text)?.[0];
    JUNK.lastIndex = this.at;
    const whole = JUNK.exec(this.text)?.[0];
    if (text === undefined) {
      if (whole === undefined || whole === '') this.expected('JSON value');
      this.invalidToken();
    }
    if (whole !== text) this.invalidToken();
    this.at += text.length;
    return this.checkOnly ? 0 : jsonNumber(text);
  }

  private string(): string {
    const { text } = this;
    const start = ++this.at;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code === 34) return text.slice(start, this.at++);
      if (code === 92) return this.escaped(start);
      if (Number.isNaN(code)) this.invalidToken(start - 1);
      if (code < 32) this.controlCharacter(code);
      this.at++;
    }
  }

  private escaped(start: number): string {
    const { text } = this;
    const value = new TextPieces();
    let plainFrom = start;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code === 34) {
        value.add(text.slice(plainFrom, this.at++));
        return value.text();
      }
      if (Number.isNaN(code)) this.invalidToken(start - 1);
      if (code < 32) this.controlCharacter(code);
      if (code === 92) {
        value.add(text.slice(plainFrom, this.at));
        value.add(this.escape());
        plainFrom = this.at;
      } else {
        this.at++;
      }
    }
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? '';
    this.at += 2;
    const simple = SIMPLE_ESCAPES[letter];
    if (simple !== undefined) return simple;
    if (letter !== 'u') {
      throw invalidJson(letter === '' ? 'Token "\\" is invalid.' : `Escape sequence "\\${letter}" is invalid.`);
    }
    const unit = this.unicodeUnit();
    if (unit === 0 && !this.checkOnly) {
      throw new PhantomError('22P05', 'unsupported Unicode escape sequence', {
        detail: '\\u0000 cannot be converted to text.',
      });
    }
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit > 0xdbff) {
      if (this.checkOnly) return '';
      throw invalidJson('Unicode low surrogate must follow a high surrogate.');
    }
    if (this.text[this.at] === '\\' && this.text[this.at + 1] === 'u') {
      this.at += 2;
      const low = this.unicodeUnit();
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low);
      if (!this.checkOnly) {
        const high = low >= 0xd800 && low <= 0xdbff;
        throw invalidJson(
          high
            ? 'Unicode high surrogate must not follow a high surrogate.'
            : 'Unicode low surrogate must follow a high surrogate.',
        );
      }
      return '';
    }
    if (this.checkOnly) return '';
    throw invalidJson('Unicode low surrogate must follow a high surrogate.');
  }

  private unicodeUnit(): number {
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw invalidJson('"\\u" must be followed by four hexadecimal digits.');
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  private controlCharacter(code: number): never {
    throw invalidJson(`Character with value 0x${code.toString(16).padStart(2, '0')} must be escaped.`);
  }

  private invalidToken(from: number = this.at): never {
    JUNK.lastIndex = from;
    const word = this.text[from] === '"' ? this.text.slice(from) : JUNK.exec(this.text)?.[0];
    throw invalidJson(`Token "${word === undefined || word === '' ? (this.text[from] ?? '') : word}" is invalid.`);
  }

  private expected(what: string): never {
    if (this.at >= this.text.length) throw invalidJson('The input string ended unexpectedly.');
    JUNK.lastIndex = this.at;
    const word = JUNK.exec(this.text)?.[0];
    const shown = word === undefined || word === '' ? (this.text[this.at] as string) : word;
    throw invalidJson(`Expected ${what}, but found "${shown}".`);
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function invalidJson(detail: string): PhantomError {
  return new PhantomError('22P02', 'invalid input syntax for type json', { detail });
}

/** A JSON number: a double where its digits are exactly the double's, else a Decimal. */
export function jsonNumber(text: string): number | Decimal {
  if (text.length < 16 && /^-?\d+$/.test(text)) return Number(text) + 0;
  const exact = Decimal.fromString(text);
  return decimalAsNode(exact);
}

/** A decimal as documents keep it. */
export function decimalAsNode(exact: Decimal): number | Decimal {
  const number = exact.toNumber();
  return String(number) === exact.toString() ? number : exact;
}

/** Reads a JSON text. Of equal keys the last one stays. 22P02 with the reason as detail. */
export function parseJson(text: string): DocumentValue {
  return new JsonTextParser(text, false).parse();
}

/** Raises 22P02 unless the text is JSON. */
export function checkJson(text: string): void {
  new JsonTextParser(text, true).parse();
}

const NEEDS_ESCAPE = /["\\\p{Cc}]/u;

/** A string as JSON writes it. */
export function quoteJson(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return `"${byPieces(text, escapeJson)}"`;
}

function escapeJson(text: string): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    const code = text.charCodeAt(i);
    if (character === '"' || character === '\\') result += `\\${character}`;
    else if (code >= 32) result += character;
    else result += CONTROL_ESCAPES[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return result;
}

const CONTROL_ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** What is neither array nor object, as JSON. Types that JSON lacks are shown as strings. */
function scalarText(value: DocumentValue): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'string':
      return quoteJson(value);
    case 'number':
      return numberText(value);
    default:
  }
  if (value instanceof Decimal) return value.isFinite() ? value.toString() : quoteJson(value.toString());
  if (value instanceof Date) return quoteJson(value.toISOString());
  if (value instanceof Uint8Array) return quoteJson(Buffer.from(value).toString('base64'));
  return quoteJson(value instanceof Uuid || value instanceof ObjectId ? value.toString() : '');
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return quoteJson(String(value));
  const text = String(value);
  return text.includes('e') ? Decimal.fromString(text).toString() : text;
}

function entriesOf(value: DocumentValue): [string, DocumentValue][] {
  return value instanceof Map ? [...value] : Object.entries(value as { [key: string]: DocumentValue });
}

function isScalar(value: DocumentValue): boolean {
  return (
    value === null ||
    typeof value !== 'object' ||
    value instanceof Decimal ||
    value instanceof Date ||
    value instanceof Uint8Array ||
    value instanceof Uuid ||
    value instanceof ObjectId
  );
}

/** A document as jsonb's text: `{"a": 1, "b": [1, 2]}`. */
export function formatJson(value: DocumentValue): string {
  if (isScalar(value)) return scalarText(value);
  if (Array.isArray(value)) return `[${value.map(formatJson).join(', ')}]`;
  return `{${entriesOf(value)
    .map(([key, field]) => `${quoteJson(key)}: ${formatJson(field)}`)
    .join(', ')}}`;
}

/** As jsonb_pretty: four blanks a level. */
export function formatJsonPretty(value: DocumentValue, indent = ''): string {
  if (isScalar(value)) return scalarText(value);
  const inner = `${indent}    `;
  if (Array.isArray(value)) {
    if (value.length === 0) return `[\n${indent}]`;
    return `[\n${value.map((item) => inner + formatJsonPretty(item, inner)).join(',\n')}\n${indent}]`;
  }
  const entries = entriesOf(value);
  if (entries.length === 0) return `{\n${indent}}`;
  const lines = entries.map(([key, field]) => `${inner}${quoteJson(key)}: ${formatJsonPretty(field, inner)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
