/** json and jsonb behind one face, for functions that read either: values made of their parts. */
import { Json, Jsonb } from '@phantom/codec';
import { formatJson, parseJson } from '../../types/json-text.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import { type JsonSpan, jsonSpans, spanField, spanText } from './json-spans.js';
import { jsonbText } from './jsonb-functions.js';

export interface JsonView {
  readonly kind: 'object' | 'array' | 'scalar' | 'null';
  /** A string is what the JSON value was. */
  readonly isString: boolean;
  /** As `->>` shows it; null for JSON's null. */
  text(): string | null;
  items(): readonly JsonView[];
  field(key: string): JsonView | undefined;
  /** The part itself, as json or jsonb. */
  value(oid: number): Value;
}

class TextView implements JsonView {
  private readonly source: string;
  private readonly span: JsonSpan;

  constructor(source: string, span: JsonSpan) {
    this.source = source;
    this.span = span;
  }

  get kind(): JsonView['kind'] {
    const { kind } = this.span;
    return kind === 'object' || kind === 'array' || kind === 'null' ? kind : 'scalar';
  }

  get isString(): boolean {
    return this.span.kind === 'string';
  }

  text(): string | null {
    return spanText(this.source, this.span);
  }

  items(): readonly JsonView[] {
    return this.span.items.map((span) => new TextView(this.source, span));
  }

  field(key: string): JsonView | undefined {
    const span = spanField(this.span, key);
    return span === undefined ? undefined : new TextView(this.source, span);
  }

  value(oid: number): Value {
    const text = this.source.slice(this.span.start, this.span.end);
    return oid === TypeOid.json ? new Json(text) : Jsonb.of(parseJson(text));
  }
}

class DocumentView implements JsonView {
  private readonly document: Jsonb;

  constructor(document: Jsonb) {
    this.document = document;
  }

  get kind(): JsonView['kind'] {
    const { kind } = this.document;
    return kind === 'object' || kind === 'array' || kind === 'null' ? kind : 'scalar';
  }

  get isString(): boolean {
    return this.document.kind === 'string';
  }

  text(): string | null {
    return jsonbText(this.document);
  }

  items(): readonly JsonView[] {
    return Array.from({ length: this.document.count }, (_, i) => new DocumentView(this.document.element(i) as Jsonb));
  }

  field(key: string): JsonView | undefined {
    const found = this.document.field(key);
    return found === undefined ? undefined : new DocumentView(found);
  }

  value(oid: number): Value {
    return oid === TypeOid.jsonb ? this.document : new Json(formatJson(this.document.value()));
  }
}

/** The view of a json or jsonb value. */
export function jsonView(value: Json | Jsonb): JsonView {
  return value instanceof Json ? new TextView(value.text, jsonSpans(value.text)) : new DocumentView(value);
}
