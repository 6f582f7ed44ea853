/**
 * json (not jsonb) keeps its text: a part of it is a piece of that text, blanks and duplicate keys and all. This reader
 * finds where the parts lie; the text is known to be valid JSON.
 */
import { parseJson } from '../../types/json-text.js';

/** A value's place in the text, and the places of its parts. */
export interface JsonSpan {
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';
  readonly start: number;
  readonly end: number;
  /** Of an array. */
  readonly items: readonly JsonSpan[];
  /** Of an object, in order, duplicates included. */
  readonly fields: readonly { readonly key: string; readonly value: JsonSpan }[];
}

const NONE: readonly never[] = [];

class SpanReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(): JsonSpan {
    this.space();
    const start = this.at;
    switch (this.text[start]) {
      case '{': {
        const fields = this.fields();
        return { kind: 'object', start, end: this.at, items: NONE, fields };
      }
      case '[': {
        const items = this.items();
        return { kind: 'array', start, end: this.at, items, fields: NONE };
      }
      case '"':
        this.string();
        return { kind: 'string', start, end: this.at, items: NONE, fields: NONE };
      default: {
        const word = /[^\s,\]}:]+/y;
        word.lastIndex = start;
        const found = word.exec(this.text)?.[0] ?? '';
        this.at += Math.max(found.length, 1);
        const kind = found === 'null' ? 'null' : found === 'true' || found === 'false' ? 'boolean' : 'number';
        return { kind, start, end: this.at, items: NONE, fields: NONE };
      }
    }
  }

  private space(): void {
    while (/[ \t\n\r]/.test(this.text[this.at] ?? '')) this.at++;
  }

  private string(): string {
    const start = this.at++;
    while (this.at < this.text.length && this.text[this.at] !== '"') this.at += this.text[this.at] === '\\' ? 2 : 1;
    this.at++;
    return this.text.slice(start, this.at);
  }

  private items(): JsonSpan[] {
    const items: JsonSpan[] = [];
    this.at++;
    this.space();
    if (this.text[this.at] === ']') {
      this.at++;
      return items;
    }
    while (this.at < this.text.length) {
      items.push(this.read());
      this.space();
      if (this.text[this.at++] !== ',') break;
    }
    return items;
  }

  private fields(): { key: string; value: JsonSpan }[] {
    const fields: { key: string; value: JsonSpan }[] = [];
    this.at++;
    this.space();
    if (this.text[this.at] === '}') {
      this.at++;
      return fields;
    }
    while (this.at < this.text.length) {
      this.space();
      const key = unquoteJson(this.string());
      this.space();
      this.at++;
      fields.push({ key, value: this.read() });
      this.space();
      if (this.text[this.at++] !== ',') break;
    }
    return fields;
  }
}

/** The places of a JSON text's parts. */
export function jsonSpans(text: string): JsonSpan {
  return new SpanReader(text).read();
}

/** A JSON string literal as text. */
export function unquoteJson(literal: string): string {
  return literal.includes('\\') ? unescape(literal) : literal.slice(1, -1);
}

/** Escapes that jsonb refuses are errors here too: the text is asked for. */
function unescape(literal: string): string {
  const value = parseJson(literal);
  return typeof value === 'string' ? value : '';
}

/** A part as `->>` shows it: strings unquoted, null as null, everything else as it stands. */
export function spanText(text: string, span: JsonSpan): string | null {
  if (span.kind === 'null') return null;
  const literal = text.slice(span.start, span.end);
  return span.kind === 'string' ? unquoteJson(literal) : literal;
}

/** The last field of that name. */
export function spanField(span: JsonSpan, key: string): JsonSpan | undefined {
  let found: JsonSpan | undefined;
  for (const field of span.fields) if (field.key === key) found = field.value;
  return found;
}

/** Element of an array; negative indexes count from the end. */
export function spanElement(span: JsonSpan, index: number): JsonSpan | undefined {
  if (span.kind !== 'array') return undefined;
  return span.items[index < 0 ? span.items.length + index : index];
}
