/**
 * jsonb's B-tree order as key bytes: objects after arrays after booleans after numbers after strings after null; containers by
 * their number of entries first; object entries in stored order (keys by length), each key, then its value. The one
 * irregularity of PostgreSQL's order is kept: an empty array at the top sorts before everything. Types beyond JSON's stand
 * between text and numbers, each by itself: the id of a document is such a key, and an object id is not its text.
 *
 *   00                 an empty array at the top
 *   10 null   20 text   21 binary   22 uuid   23 object id   24 date   30 decimal   40 false   41 true
 *   50 count items     an array        60 count (text value)...   an object
 */
import type { ByteWriter } from '@phantom/base';
import { Decimal } from './decimal.js';
import { DOCUMENT_DEPTH_MAX } from './document-format.js';
import {
  type DocumentValue,
  entryKey,
  entryStart,
  entryValue,
  nodeCount,
  nodeKind,
  nodeText,
  scalarValue,
} from './document-reader.js';
import { ObjectId, Uuid } from './document-values.js';
import {
  type KeyReader,
  appendKeyBytes,
  appendKeyDecimal,
  appendKeyDecimalInteger,
  appendKeyInteger,
  appendKeyText,
  appendKeyUuid,
} from './key-bytes.js';
import { corruptValue } from './storage.js';

const EMPTY_TOP_ARRAY = 0x00;
const NULL = 0x10;
const TEXT = 0x20;
const BINARY = 0x21;
const UUID = 0x22;
const OBJECT_ID = 0x23;
const DATE = 0x24;
const NUMBER = 0x30;
/** Ten times as much is still a safe integer. */
const INTEGER_MAX = 1e14;
/** Longer texts are left to native calls. */
const PLAIN_CHARS_MAX = 40;
const FALSE = 0x40;
const TRUE = 0x41;
const ARRAY = 0x50;
const OBJECT = 0x60;

/** Appends the key of the document node at `at`. */
export function appendKeyDocument(writer: ByteWriter, bytes: Uint8Array, at: number, end: number): void {
  if (nodeKind(bytes, at, end) === 'array' && nodeCount(bytes, at, end) === 0) writer.u8(EMPTY_TOP_ARRAY);
  else appendNode(writer, bytes, at, end, 0);
}

/**
 * Appends the key of a value as `appendKeyDocument` would that of its node, for the most frequent ids: short ASCII texts and object
 * ids. False, and nothing is appended, for all others.
 */
export function appendKeyPlain(writer: ByteWriter, value: unknown): boolean {
  if (typeof value === 'string') {
    const { length } = value;
    if (length > PLAIN_CHARS_MAX) return false;
    const at = writer.reserve(length + 3);
    const { buffer } = writer;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80 || code === 0) return false;
      buffer[at + 1 + i] = code;
    }
    buffer[at] = TEXT;
    buffer[at + 1 + length] = 0;
    buffer[at + 2 + length] = 0;
    writer.length = at + 3 + length;
    return true;
  }
  if (!(value instanceof ObjectId)) return false;
  writer.u8(OBJECT_ID);
  writer.bytes(value.bytes);
  return true;
}

function appendNode(writer: ByteWriter, bytes: Uint8Array, at: number, end: number, depth: number): void {
  const kind = nodeKind(bytes, at, end);
  if (depth > DOCUMENT_DEPTH_MAX) throw corruptValue('a document nested too deep');
  if (kind === 'array') {
    const count = nodeCount(bytes, at, end);
    writer.u8(ARRAY);
    appendKeyInteger(writer, count);
    for (let i = 0; i < count; i++) {
      appendNode(writer, bytes, entryStart(bytes, at, end, count, i), end, depth + 1);
    }
    return;
  }
  if (kind === 'object') {
    const count = nodeCount(bytes, at, end);
    writer.u8(OBJECT);
    appendKeyInteger(writer, count);
    for (let i = 0; i < count; i++) {
      const entry = entryStart(bytes, at, end, count, i);
      appendKeyText(writer, entryKey(bytes, at, end, i, entry));
      appendNode(writer, bytes, entryValue(bytes, at, end, entry), end, depth + 1);
    }
    return;
  }
  if (kind === 'string') {
    writer.u8(TEXT);
    appendKeyText(writer, nodeText(bytes, at, end));
    return;
  }
  const value = scalarValue(bytes, at, end);
  if (value === null) {
    writer.u8(NULL);
  } else if (typeof value === 'boolean') {
    writer.u8(value ? TRUE : FALSE);
  } else if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal) {
    writer.u8(NUMBER);
    if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= INTEGER_MAX) {
      appendKeyDecimalInteger(writer, value);
    } else {
      appendKeyDecimal(writer, asDecimal(value));
    }
  } else {
    appendBeyondJson(writer, value);
  }
}

function appendBeyondJson(writer: ByteWriter, value: DocumentValue): void {
  if (value instanceof ObjectId) {
    writer.u8(OBJECT_ID);
    writer.bytes(value.bytes);
  } else if (value instanceof Uuid) {
    writer.u8(UUID);
    appendKeyUuid(writer, value.text);
  } else if (value instanceof Date) {
    writer.u8(DATE);
    appendKeyInteger(writer, value.getTime());
  } else {
    writer.u8(BINARY);
    appendKeyBytes(writer, value as Uint8Array);
  }
}

function asDecimal(value: number | bigint | Decimal): Decimal {
  if (value instanceof Decimal) return value;
  return typeof value === 'bigint' ? Decimal.of(value) : Decimal.fromNumber(value);
}

/** The document of a key: equal to the one that was written (numbers in shortest form). */
export function readKeyDocument(from: KeyReader, depth = 0): DocumentValue {
  const kind = from.byte();
  switch (kind) {
    case EMPTY_TOP_ARRAY:
      return [];
    case NULL:
      return null;
    case TEXT:
      return from.text();
    case NUMBER: {
      const value = from.decimal();
      const number = value.toNumber();
      return String(number) === value.toString() ? number : value;
    }
    case OBJECT_ID:
      return new ObjectId(from.fixed(12));
    case UUID:
      return new Uuid(from.uuid());
    case DATE:
      return new Date(Number(from.integer()));
    case BINARY:
      return from.escaped();
    case FALSE:
      return false;
    case TRUE:
      return true;
    default:
  }
  if ((kind !== ARRAY && kind !== OBJECT) || depth > DOCUMENT_DEPTH_MAX) throw corruptValue('a document in a key');
  const count = Number(from.integer());
  if (kind === ARRAY) {
    const items: DocumentValue[] = [];
    for (let i = 0; i < count; i++) items.push(readKeyDocument(from, depth + 1));
    return items;
  }
  const fields = new Map<string, DocumentValue>();
  for (let i = 0; i < count; i++) {
    const key = from.text();
    fields.set(key, readKeyDocument(from, depth + 1));
  }
  return fields;
}
