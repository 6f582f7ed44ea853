/**
 * Any value of any storage type to bytes and back: what variable columns, array items and record fields share. The bytes
 * carry no type; whoever reads them knows it. Recursion follows the type, never the data, so no bytes can make it deep.
 */
import { type ByteWriter, assert, copyBytes, readU16, readU32, writeU16, writeU32 } from '@phantom/base';
import type { Decimal } from './decimal.js';
import { writeSelfContained } from './document-copy.js';
import { isSelfContained } from './document-format.js';
import type { Interval, TimeTz } from './interval.js';
import { Jsonb } from './jsonb.js';
import { appendMultirange, appendRange, readMultirange, readRange } from './range-bytes.js';
import { type EnumLabels, type StorageType, StorageKind, corruptValue, fixedBytes } from './storage.js';
import { type TextBytes, readUtf8, utf8Bytes, utf8BytesMax, writeUtf8 } from './text-bytes.js';
import {
  decimalBytesMax,
  readDate,
  readDecimal,
  readF32,
  readF64,
  readI16,
  readI32,
  readI64,
  readInterval,
  readTimeTz,
  readTimestamp,
  readUuid,
  writeDate,
  writeDecimal,
  writeF32,
  writeF64,
  writeI64,
  writeInterval,
  writeTimeTz,
  writeTimestamp,
  writeUuid,
} from './value-bytes.js';
import { Json, SqlArray, type SqlMultirange, type SqlRange, SqlRecord } from './value.js';

/** Beyond this a text's exact size is worth counting: reserving three bytes for each character would waste memory. */
const RESERVE_CHARS_MAX = 4096;

/** Writes a value of a fixed-width kind at `at`; the room is the caller's to have made. */
export function writeFixed(bytes: Uint8Array, at: number, type: StorageType, value: unknown): void {
  switch (type.kind) {
    case StorageKind.Bool:
      bytes[at] = value === true ? 1 : 0;
      return;
    case StorageKind.Int16:
      writeU16(bytes, at, value as number);
      return;
    case StorageKind.Int32:
    case StorageKind.UInt32:
      writeU32(bytes, at, value as number);
      return;
    case StorageKind.Int64:
    case StorageKind.Time:
      writeI64(bytes, at, value as number | bigint);
      return;
    case StorageKind.Float32:
      writeF32(bytes, at, value as number);
      return;
    case StorageKind.Float64:
      writeF64(bytes, at, value as number);
      return;
    case StorageKind.Date:
      writeDate(bytes, at, value as number);
      return;
    case StorageKind.Timestamp:
      writeTimestamp(bytes, at, value as number | bigint);
      return;
    case StorageKind.TimeTz:
      writeTimeTz(bytes, at, value as TimeTz);
      return;
    case StorageKind.Interval:
      writeInterval(bytes, at, value as Interval);
      return;
    case StorageKind.Uuid:
      writeUuid(bytes, at, value as string);
      return;
    default:
      assert(type.kind === StorageKind.Enum, 'a fixed-width kind');
      writeU32(bytes, at, enumLabels(type).idOf(value as string));
  }
}

/** Value of a fixed-width kind at `at`; the caller has checked that its bytes are there. */
export function readFixed(bytes: Uint8Array, at: number, type: StorageType): unknown {
  switch (type.kind) {
    case StorageKind.Bool:
      return bytes[at] !== 0;
    case StorageKind.Int16:
      return readI16(bytes, at);
    case StorageKind.Int32:
      return readI32(bytes, at);
    case StorageKind.UInt32:
      return readU32(bytes, at);
    case StorageKind.Int64:
    case StorageKind.Time:
      return readI64(bytes, at);
    case StorageKind.Float32:
      return readF32(bytes, at);
    case StorageKind.Float64:
      return readF64(bytes, at);
    case StorageKind.Date:
      return readDate(bytes, at);
    case StorageKind.Timestamp:
      return readTimestamp(bytes, at);
    case StorageKind.TimeTz:
      return readTimeTz(bytes, at);
    case StorageKind.Interval:
      return readInterval(bytes, at);
    case StorageKind.Uuid:
      return readUuid(bytes, at);
    default:
      return readEnum(bytes, at, enumLabels(type));
  }
}

/** Label whose number stands at `at`. */
export function readEnum(bytes: Uint8Array, at: number, labels: EnumLabels): string {
  const label = labels.labelOf(readU32(bytes, at));
  if (label === undefined) throw corruptValue('an enum number without a label');
  return label;
}

function enumLabels(type: StorageType): EnumLabels {
  const labels = type.labels;
  assert(labels !== undefined, 'an enum has labels');
  return labels;
}

/** Appends UTF-8. */
export function appendText(writer: ByteWriter, text: string): void {
  const at = writer.reserve(text.length > RESERVE_CHARS_MAX ? utf8Bytes(text) + 3 : utf8BytesMax(text));
  writer.length = writeUtf8(writer.buffer, at, text);
}

/** Appends a decimal. */
export function appendDecimal(writer: ByteWriter, value: Decimal): void {
  const at = writer.reserve(decimalBytesMax(value));
  writer.length = writeDecimal(writer.buffer, at, value);
}

/** Appends bytes as they are. */
export function appendBytes(writer: ByteWriter, value: Uint8Array): void {
  const at = writer.reserve(value.length);
  writer.length = copyBytes(value, 0, value.length, writer.buffer, at);
}

/** Appends a document's bytes, made self-contained: what is kept as a value depends on nothing else. */
export function appendJsonb(writer: ByteWriter, value: Jsonb): void {
  if (!isSelfContained(value.bytes[value.start] as number)) {
    writeSelfContained(writer, value.bytes, value.start, value.end);
    return;
  }
  const at = writer.reserve(value.end - value.start);
  writer.length = copyBytes(value.bytes, value.start, value.end, writer.buffer, at);
}

/** Appends the bytes of a value (never null) of any storage type. */
export function appendValue(writer: ByteWriter, type: StorageType, value: unknown): void {
  switch (type.kind) {
    case StorageKind.Text:
    case StorageKind.PaddedText:
    case StorageKind.FoldedText:
      if (typeof value === 'string') appendText(writer, value);
      else (value as TextBytes).append(writer);
      return;
    case StorageKind.Decimal:
      appendDecimal(writer, value as Decimal);
      return;
    case StorageKind.Bytes:
      appendBytes(writer, value as Uint8Array);
      return;
    case StorageKind.Json:
      appendText(writer, (value as Json).text);
      return;
    case StorageKind.Jsonb:
      appendJsonb(writer, value as Jsonb);
      return;
    case StorageKind.Array:
      appendArray(writer, type, value as SqlArray);
      return;
    case StorageKind.Record:
      appendRecord(writer, type, value as SqlRecord);
      return;
    case StorageKind.Range: {
      const { bound } = type.range as NonNullable<StorageType['range']>;
      appendRange(writer, value as SqlRange, (into, part) => appendValue(into, bound, part));
      return;
    }
    case StorageKind.Multirange: {
      const { range } = type.multirange as NonNullable<StorageType['multirange']>;
      appendMultirange(writer, value as SqlMultirange, (into, part) => appendValue(into, range, part));
      return;
    }
    default: {
      const bytes = fixedBytes(type.kind);
      const at = writer.reserve(bytes);
      writeFixed(writer.buffer, at, type, value);
      writer.length = at + bytes;
    }
  }
}

/** Value whose bytes are exactly [start, end). Texts are decoded; bytes and documents are copied, so they may be kept. */
export function readValue(bytes: Uint8Array, start: number, end: number, type: StorageType): unknown {
  switch (type.kind) {
    case StorageKind.Text:
    case StorageKind.PaddedText:
    case StorageKind.FoldedText:
      return readUtf8(bytes, start, end);
    case StorageKind.Decimal:
      return readDecimal(bytes, start, end);
    case StorageKind.Bytes:
      return bytes.slice(start, end);
    case StorageKind.Json:
      return new Json(readUtf8(bytes, start, end));
    case StorageKind.Jsonb:
      return Jsonb.copyOf(bytes, start, end);
    case StorageKind.Array:
      return readArray(bytes, start, end, type);
    case StorageKind.Record:
      return readRecord(bytes, start, end, type);
    case StorageKind.Range: {
      const { typeOid, bound } = type.range as NonNullable<StorageType['range']>;
      return readRange(bytes, start, end, typeOid, (from, first, last) => readValue(from, first, last, bound));
    }
    case StorageKind.Multirange: {
      const { typeOid, range } = type.multirange as NonNullable<StorageType['multirange']>;
      return readMultirange(bytes, start, end, typeOid, (from, first, last) => readValue(from, first, last, range));
    }
    default:
      if (end - start !== fixedBytes(type.kind)) throw corruptValue('a fixed-width value of another width');
      return readFixed(bytes, start, type);
  }
}

const DIMENSIONS_MAX = 6;
const HAS_NULLS = 1;

function appendArray(writer: ByteWriter, type: StorageType, array: SqlArray): void {
  const element = type.element;
  assert(element !== undefined, 'an array has an element type');
  const items = array.items;
  const dimensions = array.dimensions.length;
  const nulls = items.includes(null);
  const bitmapBytes = nulls ? (items.length + 7) >> 3 : 0;
  let at = writer.reserve(2 + 8 * dimensions + bitmapBytes);
  const buffer = writer.buffer;
  buffer[at++] = dimensions;
  buffer[at++] = nulls ? HAS_NULLS : 0;
  for (let i = 0; i < dimensions; i++) {
    writeU32(buffer, at, array.dimensions[i] as number);
    writeU32(buffer, at + 4, array.lowerBounds[i] as number);
    at += 8;
  }
  if (nulls) writeBitmap(buffer, at, items);
  writer.length = at + bitmapBytes;
  const width = fixedBytes(element.storage.kind);
  if (width > 0) {
    at = writer.reserve(width * items.length);
    writer.buffer.fill(0, at, at + width * items.length);
    for (let i = 0; i < items.length; i++) {
      if (items[i] !== null) writeFixed(writer.buffer, at + i * width, element.storage, items[i]);
    }
    writer.length = at + width * items.length;
  } else {
    const types = element.storage;
    appendWithEnds(writer, items, () => types);
  }
}

/** A table of end offsets (u32), then the values; null takes no bytes. */
function appendWithEnds(writer: ByteWriter, values: readonly unknown[], typeAt: (index: number) => StorageType): void {
  const ends = writer.reserve(4 * values.length);
  const data = ends + 4 * values.length;
  writer.length = data;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== null) appendValue(writer, typeAt(i), value);
    writeU32(writer.buffer, ends + 4 * i, writer.length - data);
  }
}

function writeBitmap(buffer: Uint8Array, at: number, values: readonly unknown[]): void {
  buffer.fill(0, at, at + ((values.length + 7) >> 3));
  for (let i = 0; i < values.length; i++) {
    if (values[i] === null) buffer[at + (i >> 3)] = (buffer[at + (i >> 3)] as number) | (1 << (i & 7));
  }
}

function readArray(bytes: Uint8Array, start: number, end: number, type: StorageType): SqlArray {
  const element = type.element;
  assert(element !== undefined, 'an array has an element type');
  if (end - start < 2) throw corruptValue('an array without a head');
  const count = bytes[start] as number;
  const flags = bytes[start + 1] as number;
  if (count > DIMENSIONS_MAX || flags > HAS_NULLS || start + 2 + 8 * count > end) throw corruptValue('an array head');
  let at = start + 2;
  let length = count === 0 ? 0 : 1;
  const dimensions: number[] = [];
  const lowerBounds: number[] = [];
  for (let i = 0; i < count; i++) {
    const size = readU32(bytes, at);
    dimensions.push(size);
    lowerBounds.push(readI32(bytes, at + 4));
    length *= size;
    at += 8;
  }
  const bitmap = flags === HAS_NULLS ? at : -1;
  if (bitmap >= 0) at += (length + 7) >> 3;
  const width = fixedBytes(element.storage.kind);
  if (length > end - start || at + length * (width || 4) > end) throw corruptValue('an array shorter than its items');
  const items = new Array<unknown>(length);
  if (width > 0) {
    for (let i = 0; i < length; i++) {
      items[i] = isNullAt(bytes, bitmap, i) ? null : readFixed(bytes, at + i * width, element.storage);
    }
  } else {
    const types = element.storage;
    readWithEnds(bytes, at, end, items, bitmap, () => types);
  }
  return new SqlArray(element.oid, dimensions, lowerBounds, items);
}

function isNullAt(bytes: Uint8Array, bitmap: number, index: number): boolean {
  return bitmap >= 0 && ((bytes[bitmap + (index >> 3)] as number) & (1 << (index & 7))) !== 0;
}

function readWithEnds(
  bytes: Uint8Array,
  ends: number,
  end: number,
  into: unknown[],
  bitmap: number,
  typeAt: (index: number) => StorageType,
): void {
  const data = ends + 4 * into.length;
  let from = data;
  for (let i = 0; i < into.length; i++) {
    const to = data + readU32(bytes, ends + 4 * i);
    if (to < from || to > end) throw corruptValue('an item ends outside its value');
    into[i] = isNullAt(bytes, bitmap, i) ? null : readValue(bytes, from, to, typeAt(i));
    from = to;
  }
}

function appendRecord(writer: ByteWriter, type: StorageType, record: SqlRecord): void {
  const storage = type.record;
  assert(storage !== undefined, 'a record has field types');
  const fields = record.fields;
  assert(fields.length === storage.fields.length, 'a record has the fields of its type');
  const at = writer.reserve(2 + ((fields.length + 7) >> 3));
  writeU16(writer.buffer, at, fields.length);
  writeBitmap(writer.buffer, at + 2, fields);
  writer.length = at + 2 + ((fields.length + 7) >> 3);
  appendWithEnds(writer, fields, (index) => storage.fields[index] as StorageType);
}

function readRecord(bytes: Uint8Array, start: number, end: number, type: StorageType): SqlRecord {
  const storage = type.record;
  assert(storage !== undefined, 'a record has field types');
  const count = start + 2 <= end ? readU16(bytes, start) : -1;
  const bitmap = start + 2;
  const ends = bitmap + ((count + 7) >> 3);
  // A type may have gained fields since the value was written: the missing ones are null.
  if (count < 0 || count > storage.fields.length || ends + 4 * count > end) throw corruptValue('a record head');
  const fields = new Array<unknown>(count);
  readWithEnds(bytes, ends, end, fields, bitmap, (index) => storage.fields[index] as StorageType);
  for (let i = count; i < storage.fields.length; i++) fields.push(null);
  return new SqlRecord(storage.typeOid, fields, storage);
}
