/**
 * Reading documents in place: where a field, an element, a node ends; the value of a node. Every function takes the bytes, a
 * node's offset and the end of its document, checks what it steps over, and raises XX001 for bytes that no writer made, and for
 * structures that nobody knows.
 */
import { readU16, readU32, readVarint, varintBytes } from '@phantom/base';
import type { Decimal } from './decimal.js';
import {
  DOCUMENT_DEPTH_MAX,
  type NodeKind,
  Tag,
  hasEntries,
  hasStructure,
  isSelfContained,
  kindOfTag,
} from './document-format.js';
import { type DocumentStructure, STRUCTURE_NAME_BYTES, structureAt } from './document-structure.js';
import { ObjectId, Uuid } from './document-values.js';
import { corruptValue } from './storage.js';
import { readUtf8 } from './text-bytes.js';
import { checkedVarint, readDecimal, readF64, readI16, readI32, readI64, readUuid } from './value-bytes.js';

/** A decoded document. Objects are Maps (field order kept whatever the keys) or plain objects, as the reader is asked. */
export type DocumentValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Decimal
  | Uint8Array
  | Date
  | Uuid
  | ObjectId
  | DocumentValue[]
  | Map<string, DocumentValue>
  | { [key: string]: DocumentValue };

const UTF8 = new TextEncoder();

/** Kind of the node at `at`. */
export function nodeKind(bytes: Uint8Array, at: number, end: number): NodeKind {
  const kind = at < end ? kindOfTag(bytes[at] as number) : undefined;
  if (kind === undefined) throw corruptValue('an unknown document tag');
  return kind;
}

/** How many entries the array or object at `at` has. */
export function nodeCount(bytes: Uint8Array, at: number, end: number): number {
  const tag = bytes[at] as number;
  if (!hasEntries(tag)) throw corruptValue('a document node without entries');
  const count = hasStructure(tag) ? structureAt(bytes, at, end).keys.length : checkedVarint(bytes, at + 1, end);
  const width = (tag & 1) === 0 ? 2 : 4;
  if (tableOf(bytes, at, count) + count * width > end) throw corruptValue('a document node shorter than its offsets');
  return count;
}

/** Offset of the end table of the container at `at`, whose count is known. */
function tableOf(bytes: Uint8Array, at: number, count: number): number {
  return at + 1 + (hasStructure(bytes[at] as number) ? STRUCTURE_NAME_BYTES : varintBytes(count));
}

function entryEnd(bytes: Uint8Array, table: number, width: number, data: number, index: number, end: number): number {
  const to = data + (width === 2 ? readU16(bytes, table + 2 * index) : readU32(bytes, table + 4 * index));
  if (to > end) throw corruptValue('a document entry ends outside its document');
  return to;
}

/** Offset behind the node at `at`. */
export function nodeEnd(bytes: Uint8Array, at: number, end: number): number {
  const size = nodeSize(bytes, at, end);
  if (at + size > end) throw corruptValue('a document node ends outside its document');
  return at + size;
}

function nodeSize(bytes: Uint8Array, at: number, end: number): number {
  const tag = at < end ? (bytes[at] as number) : Tag.ArrayOverWide + 1;
  if (tag >= Tag.SmallInteger) return 1;
  if (tag >= Tag.ShortString && tag < Tag.Structured) return 1 + tag - Tag.ShortString;
  switch (tag) {
    case Tag.Null:
    case Tag.False:
    case Tag.True:
      return 1;
    case Tag.Int8:
      return 2;
    case Tag.Int16:
      return 3;
    case Tag.Int32:
      return 5;
    case Tag.Float64:
    case Tag.Int64:
    case Tag.Date:
      return 9;
    case Tag.Uuid:
      return 17;
    case Tag.ObjectId:
      return 13;
    case Tag.Decimal:
    case Tag.String:
    case Tag.Binary: {
      const length = checkedVarint(bytes, at + 1, end);
      return 1 + varintBytes(length) + length;
    }
    default: {
      const count = nodeCount(bytes, at, end);
      const width = (tag & 1) === 0 ? 2 : 4;
      const table = tableOf(bytes, at, count);
      const data = table + count * width;
      return (count === 0 ? data : entryEnd(bytes, table, width, data, count - 1, end)) - at;
    }
  }
}

/** Offset of element `index` of the array at `at`; -1 when there is none (or it is no array). */
export function arrayElement(bytes: Uint8Array, at: number, end: number, index: number): number {
  if (kindOfTag(bytes[at] as number) !== 'array') return -1;
  const count = nodeCount(bytes, at, end);
  if (index < 0 || index >= count) return -1;
  return entryStart(bytes, at, end, count, index);
}

/** Offset of entry `index` of the container at `at`. */
export function entryStart(bytes: Uint8Array, at: number, end: number, count: number, index: number): number {
  const width = ((bytes[at] as number) & 1) === 0 ? 2 : 4;
  const table = tableOf(bytes, at, count);
  const data = table + count * width;
  return index === 0 ? data : entryEnd(bytes, table, width, data, index - 1, end);
}

/** Below zero, zero or above: the key of the entry at `entry` against `key`, by length, then bytes. */
function compareKeyAt(bytes: Uint8Array, entry: number, end: number, key: Uint8Array): number {
  const length = checkedVarint(bytes, entry, end);
  if (length !== key.length) return length - key.length;
  const from = entry + varintBytes(length);
  if (from + length > end) throw corruptValue('a document key ends outside its document');
  for (let i = 0; i < length; i++) {
    const difference = (bytes[from + i] as number) - (key[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Offset of the value of field `key` (its UTF-8) in the object at `at`; -1 when there is none (or it is no object). */
export function objectField(bytes: Uint8Array, at: number, end: number, key: Uint8Array): number {
  const tag = bytes[at] as number;
  if (hasStructure(tag)) {
    const position = structureAt(bytes, at, end).positionOf(key);
    return position < 0 ? -1 : entryStart(bytes, at, end, nodeCount(bytes, at, end), position);
  }
  if (kindOfTag(tag) !== 'object') return -1;
  const count = nodeCount(bytes, at, end);
  const skip = varintBytes(key.length) + key.length;
  if (tag === Tag.Sorted || tag === Tag.SortedWide) {
    let low = 0;
    let high = count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const entry = entryStart(bytes, at, end, count, middle);
      const order = compareKeyAt(bytes, entry, end, key);
      if (order === 0) return entry + skip;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
  for (let i = 0; i < count; i++) {
    const entry = entryStart(bytes, at, end, count, i);
    if (compareKeyAt(bytes, entry, end, key) === 0) return entry + skip;
  }
  return -1;
}

/** Offset of the value of the field of this name, as objectField. */
export function namedField(bytes: Uint8Array, at: number, end: number, name: string): number {
  if (!hasStructure(bytes[at] as number)) return objectField(bytes, at, end, UTF8.encode(name));
  const position = structureAt(bytes, at, end).positionNamed(name);
  return position < 0 ? -1 : entryStart(bytes, at, end, nodeCount(bytes, at, end), position);
}

/** Key of the object entry at `entry`, which is the one of this index in the object at `at`. */
export function entryKey(bytes: Uint8Array, at: number, end: number, index: number, entry: number): string {
  if (hasStructure(bytes[at] as number)) return structureAt(bytes, at, end).names[index] as string;
  return storedKey(bytes, entry, end);
}

/** Key that stands at `entry`, in an object without a structure. */
export function storedKey(bytes: Uint8Array, entry: number, end: number): string {
  const length = checkedVarint(bytes, entry, end);
  const from = entry + varintBytes(length);
  if (from + length > end) throw corruptValue('a document key ends outside its document');
  return readUtf8(bytes, from, from + length);
}

/** Offset of the node of the object entry at `entry`, in the object at `at`. */
export function entryValue(bytes: Uint8Array, at: number, end: number, entry: number): number {
  let value = entry;
  if (!hasStructure(bytes[at] as number)) {
    const length = checkedVarint(bytes, entry, end);
    value += varintBytes(length) + length;
  }
  if (value >= end) throw corruptValue('a document field without a value');
  return value;
}

/** Hands out the structures that the node at `at` names, those of its parts after it, each as often as it is named. */
export function eachStructure(
  bytes: Uint8Array,
  at: number,
  end: number,
  take: (structure: DocumentStructure) => void,
  depth = 0,
): void {
  const to = nodeEnd(bytes, at, end);
  if (isSelfContained(bytes[at] as number)) return;
  if (depth >= DOCUMENT_DEPTH_MAX) throw corruptValue('a document nested too deep');
  if (hasStructure(bytes[at] as number)) take(structureAt(bytes, at, to));
  const count = nodeCount(bytes, at, to);
  const isObject = nodeKind(bytes, at, to) === 'object';
  for (let i = 0; i < count; i++) {
    const entry = entryStart(bytes, at, to, count, i);
    eachStructure(bytes, isObject ? entryValue(bytes, at, to, entry) : entry, to, take, depth + 1);
  }
}

/** Offset of the first byte of a string, binary or decimal node's content; its end is the node's. */
export function contentStart(bytes: Uint8Array, at: number, end: number): number {
  const tag = bytes[at] as number;
  if (tag >= Tag.ShortString) return at + 1;
  const length = readVarint(bytes, at + 1, end);
  return at + 1 + varintBytes(Number.isNaN(length) ? 0 : length);
}

/** Text of the string node at `at`. */
export function nodeText(bytes: Uint8Array, at: number, end: number): string {
  return readUtf8(bytes, contentStart(bytes, at, end), nodeEnd(bytes, at, end));
}

/** Value of a node that has no entries. */
export function scalarValue(bytes: Uint8Array, at: number, end: number): DocumentValue {
  const to = nodeEnd(bytes, at, end);
  const tag = bytes[at] as number;
  if (tag >= Tag.SmallInteger) return tag - Tag.SmallInteger;
  if (tag >= Tag.ShortString) return readUtf8(bytes, at + 1, to);
  switch (tag) {
    case Tag.Null:
      return null;
    case Tag.False:
      return false;
    case Tag.True:
      return true;
    case Tag.Int8:
      return ((bytes[at + 1] as number) << 24) >> 24;
    case Tag.Int16:
      return readI16(bytes, at + 1);
    case Tag.Int32:
      return readI32(bytes, at + 1);
    case Tag.Float64:
      return readF64(bytes, at + 1);
    case Tag.Int64:
      return BigInt(readI64(bytes, at + 1));
    case Tag.Decimal:
      return readDecimal(bytes, contentStart(bytes, at, end), to);
    case Tag.String:
      return readUtf8(bytes, contentStart(bytes, at, end), to);
    case Tag.Binary:
      return bytes.slice(contentStart(bytes, at, end), to);
    case Tag.Date:
      return new Date(Number(readI64(bytes, at + 1)));
    case Tag.Uuid:
      return new Uuid(readUuid(bytes, at + 1));
    case Tag.ObjectId:
      return new ObjectId(bytes.slice(at + 1, at + 13));
    default:
      throw corruptValue('an unknown document tag');
  }
}

/** The node at `at` as a value; objects as Maps or, for callers outside, as plain objects (`__proto__` is a field like others). */
export function nodeValue(
  bytes: Uint8Array,
  at: number,
  end: number,
  objects: 'map' | 'plain',
  depth = 0,
): DocumentValue {
  const kind = nodeKind(bytes, at, end);
  if (kind !== 'array' && kind !== 'object') return scalarValue(bytes, at, end);
  if (depth >= DOCUMENT_DEPTH_MAX) throw corruptValue('a document nested too deep');
  const to = nodeEnd(bytes, at, end);
  const count = nodeCount(bytes, at, to);
  if (kind === 'array') {
    const items: DocumentValue[] = [];
    for (let i = 0; i < count; i++) {
      items.push(nodeValue(bytes, entryStart(bytes, at, to, count, i), to, objects, depth + 1));
    }
    return items;
  }
  const map = new Map<string, DocumentValue>();
  const plain: { [key: string]: DocumentValue } = {};
  for (let i = 0; i < count; i++) {
    const entry = entryStart(bytes, at, to, count, i);
    const key = entryKey(bytes, at, to, i, entry);
    const value = nodeValue(bytes, entryValue(bytes, at, to, entry), to, objects, depth + 1);
    if (objects === 'map') map.set(key, value);
    else if (key === '__proto__') {
      Object.defineProperty(plain, key, { value, enumerable: true, writable: true, configurable: true });
    } else plain[key] = value;
  }
  return objects === 'map' ? map : plain;
}
