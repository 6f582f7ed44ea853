/**
 * Values to document bytes (document-format.ts). A container's offset table is written after its entries are known: room
 * for 16-bit offsets is left, and when the entries outgrow them they are moved once by two bytes each. That is linear in the
 * size at every level; encoding again would double at each.
 */
import { type ByteWriter, PhantomError, copyBytes, writeU16, writeU32 } from '@phantom/base';
import { Decimal } from './decimal.js';
import { DOCUMENT_DEPTH_MAX, SHORT_STRING_MAX, Tag } from './document-format.js';
import type { DocumentValue } from './document-reader.js';
import { ObjectId, Uuid } from './document-values.js';
import { utf8Bytes, writeUtf8 } from './text-bytes.js';
import { decimalBytesMax, writeDecimal, writeF64, writeI64, writeUuid } from './value-bytes.js';

export interface DocumentWriteOptions {
  /** Sort fields by key length, then bytes, as jsonb does; otherwise their order is kept. */
  readonly sorted: boolean;
}

/** Appends the value's node. Raises 54001 past the depth limit and 22023 for what a document cannot hold. */
export function writeNode(writer: ByteWriter, value: DocumentValue, options: DocumentWriteOptions, depth = 0): void {
  switch (typeof value) {
    case 'string':
      writeString(writer, value);
      return;
    case 'number':
      writeNumber(writer, value);
      return;
    case 'boolean':
      writer.u8(value ? Tag.True : Tag.False);
      return;
    case 'bigint':
      writeLong(writer, value);
      return;
    case 'object':
      if (Array.isArray(value)) writeArrayNode(writer, value, options, depth);
      else if (value instanceof Map) writeFields(writer, [...value.keys()], value, options, depth);
      else writeOther(writer, value, options, depth);
      return;
    default:
      throw new PhantomError('22023', `a document cannot hold a value of type ${typeof value}`);
  }
}

type OtherObject = null | Decimal | Date | Uint8Array | Uuid | ObjectId | { [key: string]: DocumentValue };

function writeOther(writer: ByteWriter, value: OtherObject, options: DocumentWriteOptions, depth: number): void {
  if (value === null) {
    writer.u8(Tag.Null);
  } else if (value instanceof Decimal) {
    writer.u8(Tag.Decimal);
    const bytes = new Uint8Array(decimalBytesMax(value));
    writer.lengthPrefixed(bytes, 0, writeDecimal(bytes, 0, value));
  } else if (value instanceof Date) {
    writeDate(writer, value);
  } else if (value instanceof Uint8Array) {
    writer.u8(Tag.Binary);
    writer.lengthPrefixed(value);
  } else if (value instanceof Uuid) {
    const at = writer.reserve(17);
    writer.buffer[at] = Tag.Uuid;
    writeUuid(writer.buffer, at + 1, value.text);
    writer.length = at + 17;
  } else if (value instanceof ObjectId) {
    writer.u8(Tag.ObjectId);
    writer.bytes(value.bytes);
  } else {
    writeFields(writer, Object.keys(value), value as { [key: string]: DocumentValue }, options, depth);
  }
}

function checkDepth(depth: number): void {
  if (depth >= DOCUMENT_DEPTH_MAX) {
    throw new PhantomError('54001', 'stack depth limit exceeded', {
      detail: `A document can be nested ${DOCUMENT_DEPTH_MAX} levels deep.`,
      data: { depthMax: DOCUMENT_DEPTH_MAX },
    });
  }
}

function writeString(writer: ByteWriter, text: string): void {
  const length = utf8Bytes(text);
  if (length <= SHORT_STRING_MAX) {
    writer.u8(Tag.ShortString + length);
  } else {
    writer.u8(Tag.String);
    writer.varint(length);
  }
  const at = writer.reserve(length + 3);
  writer.length = writeUtf8(writer.buffer, at, text);
}

/**
 * Appends text that is short and ASCII, as most is; false, and nothing is appended, for any other. Two to three times faster than asking
 * native code for its length first, and small enough to be compiled into its callers.
 */
export function writeShortText(writer: ByteWriter, text: string): boolean {
  const { length } = text;
  if (length > SHORT_STRING_MAX) return false;
  const at = writer.reserve(length + 1);
  const { buffer } = writer;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    buffer[at + 1 + i] = code;
  }
  buffer[at] = Tag.ShortString + length;
  writer.length = at + 1 + length;
  return true;
}

/** Appends the node of a number: an integer in the fewest bytes that hold it. */
export function writeNumber(writer: ByteWriter, value: number): void {
  const at = writer.reserve(9);
  const { buffer } = writer;
  const integer = value | 0;
  if (integer !== value || Object.is(value, -0)) {
    buffer[at] = Tag.Float64;
    writeF64(buffer, at + 1, value);
    writer.length = at + 9;
  } else if (integer >= 0 && integer < 128) {
    buffer[at] = Tag.SmallInteger + integer;
    writer.length = at + 1;
  } else if (integer >= -128 && integer < 0) {
    buffer[at] = Tag.Int8;
    buffer[at + 1] = integer;
    writer.length = at + 2;
  } else if (integer >= -32768 && integer < 32768) {
    buffer[at] = Tag.Int16;
    writeU16(buffer, at + 1, integer);
    writer.length = at + 3;
  } else {
    buffer[at] = Tag.Int32;
    writeU32(buffer, at + 1, integer);
    writer.length = at + 5;
  }
}

function writeLong(writer: ByteWriter, value: bigint): void {
  if (BigInt.asIntN(64, value) !== value) {
    throw new PhantomError('22003', `integer ${value} is outside the range of 64 bits`);
  }
  writeTagged64(writer, Tag.Int64, value);
}

function writeDate(writer: ByteWriter, value: Date): void {
  const millis = value.getTime();
  if (Number.isNaN(millis)) throw new PhantomError('22007', 'a document cannot hold an invalid Date');
  writeTagged64(writer, Tag.Date, millis);
}

function writeTagged64(writer: ByteWriter, tag: number, value: number | bigint): void {
  const at = writer.reserve(9);
  writer.buffer[at] = tag;
  writeI64(writer.buffer, at + 1, value);
  writer.length = at + 9;
}

function writeArrayNode(
  writer: ByteWriter,
  items: readonly DocumentValue[],
  options: DocumentWriteOptions,
  depth: number,
): void {
  checkDepth(depth);
  const container = beginContainer(writer, Tag.Array, items.length);
  for (let i = 0; i < items.length; i++) {
    writeNode(writer, items[i] as DocumentValue, options, depth + 1);
    container.ends[i] = writer.length - container.data;
  }
  endContainer(writer, container);
}

/** An array or object being written: the ends of its entries, counted from `data`. */
export interface Container {
  readonly start: number;
  readonly data: number;
  readonly ends: number[];
}

/** Writes tag and count and leaves room for 16-bit ends. */
export function beginContainer(writer: ByteWriter, tag: number, count: number): Container {
  const start = writer.length;
  writer.u8(tag);
  writer.varint(count);
  const table = writer.reserve(2 * count);
  writer.length = table + 2 * count;
  return { start, data: writer.length, ends: new Array<number>(count) };
}

/** Writes the ends, wide ones if need be: the entries are moved then. */
export function endContainer(writer: ByteWriter, container: Container): void {
  const { start, data, ends } = container;
  const count = ends.length;
  const bytes = writer.length - data;
  const table = data - 2 * count;
  if (bytes <= 0xffff) {
    for (let i = 0; i < count; i++) writeU16(writer.buffer, table + 2 * i, ends[i] as number);
    return;
  }
  writer.reserve(2 * count);
  writer.buffer.copyWithin(data + 2 * count, data, data + bytes);
  writer.length += 2 * count;
  writer.buffer[start] = (writer.buffer[start] as number) | 1;
  for (let i = 0; i < count; i++) writeU32(writer.buffer, table + 4 * i, ends[i] as number);
}

function writeFields(
  writer: ByteWriter,
  keys: string[],
  fields: Map<string, DocumentValue> | { [key: string]: DocumentValue },
  options: DocumentWriteOptions,
  depth: number,
): void {
  checkDepth(depth);
  if (options.sorted) keys.sort(compareObjectKeys);
  const container = beginContainer(writer, options.sorted ? Tag.Sorted : Tag.Object, keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const length = utf8Bytes(key);
    writer.varint(length);
    const at = writer.reserve(length + 3);
    writer.length = writeUtf8(writer.buffer, at, key);
    const value = fields instanceof Map ? fields.get(key) : fields[key];
    writeNode(writer, value as DocumentValue, options, depth + 1);
    container.ends[i] = writer.length - container.data;
  }
  endContainer(writer, container);
}

/** jsonb's order of keys: shorter (in UTF-8) first, then by bytes. */
export function compareObjectKeys(a: string, b: string): number {
  const aBytes = utf8Bytes(a);
  const bBytes = utf8Bytes(b);
  if (aBytes !== bBytes) return aBytes - bBytes;
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

/** Appends a node that exists already, bytes [start, end). */
export function writeRawNode(writer: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  const at = writer.reserve(end - start);
  writer.length = copyBytes(bytes, start, end, writer.buffer, at);
}
