/** Texts in JSON values that text search reads: strings, and where they are asked for keys, numbers and booleans, in their order. */
import { Decimal, type DocumentValue } from '@phantom/codec';
import { formatJson } from '../types/json-text.js';
import type { JsonParts } from './documents.js';

/** The texts of a jsonb value. */
export function* jsonbParts(node: DocumentValue, parts: JsonParts): Generator<string, void, void> {
  if (Array.isArray(node)) {
    for (const item of node) yield* jsonbParts(item, parts);
  } else if (node instanceof Map) {
    for (const [key, value] of node) {
      if (parts.keys) yield key;
      yield* jsonbParts(value, parts);
    }
  } else if (typeof node === 'string') {
    if (parts.strings) yield node;
  } else if (typeof node === 'boolean') {
    if (parts.booleans) yield String(node);
  } else if (typeof node === 'number' || typeof node === 'bigint' || node instanceof Decimal) {
    if (parts.numbers) yield formatJson(node);
  }
}

/** A string and whether it is a key, a number or a word of JSON text that was checked. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[^\s,\]}]*)|(true|false)/g;

/** The texts of a json value: as it is written, doubled keys too. */
export function* jsonTextParts(text: string, parts: JsonParts): Generator<string, void, void> {
  for (const [, string, colon, number, boolean] of text.matchAll(TOKEN)) {
    if (string !== undefined) {
      if (colon === undefined ? parts.strings : parts.keys) yield JSON.parse(string) as string;
    } else if (number !== undefined) {
      if (parts.numbers) yield number;
    } else if (boolean !== undefined && parts.booleans) yield boolean;
  }
}
