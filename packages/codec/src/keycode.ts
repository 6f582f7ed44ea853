/**
 * Keys: tuples of values as bytes that sort as the tuples do. A definition is compiled once; encoding then appends to a
 * writer without allocating for the common kinds.
 *
 *   key     = column column ...
 *   column  = [marker] value        the marker only where the column may be null
 *   marker  = nulls first: 00 null, 01 value;  nulls last: 01 value, 02 null      (not inverted in descending columns)
 *   value   = as key-bytes.ts has it, every byte inverted in a descending column
 *
 * Laws, proven by property tests: the order of bytes is the order of values; equal values have equal bytes; no key of a
 * definition is a proper prefix of another; a decoded key is equal to the encoded one. Equal is not always same: a key does
 * not keep a decimal's scale, char(n)'s blanks, the sign of zero or an interval's parts (`exactKey`).
 */
import { ByteWriter, assert, copyBytes, isCorruption } from '@phantom/base';
import { appendKeyDocument, readKeyDocument } from './document-key.js';
import { Jsonb } from './jsonb.js';
import {
  KeyReader,
  appendKeyBool,
  appendKeyBytes,
  appendKeyDecimal,
  appendKeyFloat,
  appendKeyInteger,
  appendKeyInterval,
  appendKeyPadded,
  appendKeyText,
  appendKeyTimeTz,
  appendKeyUuid,
  invert,
} from './key-bytes.js';
import { appendKeyMultirange, appendKeyRange, readKeyMultirange, readKeyRange } from './range-bytes.js';
import { type StorageType, StorageKind, corruptValue } from './storage.js';
import { SqlArray, type SqlMultirange, type SqlRange, SqlRecord } from './value.js';

export interface KeyColumn {
  readonly storage: StorageType;
  readonly descending: boolean;
  readonly nullable: boolean;
  readonly nullsFirst: boolean;
  /** Where the value stands in the arrays given to `encode`; its position in the key unless said otherwise. */
  readonly position?: number;
}

/** A bound of a range over one column. */
export interface KeyBound {
  readonly value: unknown;
  readonly inclusive: boolean;
}

/** Keys from `lower` on, before `upper` (undefined: to the end of the space). */
export interface EncodedRange {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array | undefined;
}

export interface KeyCode {
  readonly columns: readonly KeyColumn[];
  /** Appends the key of `values`. */
  encode(values: readonly unknown[], writer: ByteWriter): void;
  /** Appends the first `count` columns of a key, values by column and not by position. */
  encodePrefix(values: readonly unknown[], count: number, writer: ByteWriter): void;
  /** Puts each column's value into `into` at its position; returns the offset behind the key. XX001 for corrupt bytes. */
  decode(buffer: Uint8Array, start: number, end: number, into: unknown[]): number;
  /**
   * The leading columns of bytes that may end before the key does, as the bounds of ranges do, into `into` by column; how many there
   * are. A column of which only a part is there is left out.
   */
  decodePrefix(buffer: Uint8Array, start: number, end: number, into: unknown[]): number;
  /** The offset behind the key, as `decode` returns it, without its values. */
  skip(buffer: Uint8Array, start: number, end: number): number;
  /**
   * Range of the keys that begin with `prefix` (bytes: a space), have `equal` in the first columns, and whose next column
   * lies between the bounds, in the column's own order of values; `nulls` includes its nulls too. Without bounds and
   * with `nulls` it is every key with the equal part.
   */
  range(
    prefix: Uint8Array,
    equal: readonly unknown[],
    bounds?: { readonly lower?: KeyBound; readonly upper?: KeyBound; readonly nulls?: boolean },
  ): EncodedRange;
}

/** True when values of the storage type can stand in a key. */
export function hasKey(type: StorageType): boolean {
  if (type.kind === StorageKind.Json) return false;
  if (type.element !== undefined) return hasKey(type.element.storage);
  if (type.range !== undefined) return hasKey(type.range.bound);
  if (type.multirange !== undefined) return hasKey(type.multirange.range);
  return type.record === undefined || type.record.fields.every(hasKey);
}

/** True when a decoded key value is the same as the encoded one, not only equal to it. */
export function exactKey(type: StorageType): boolean {
  switch (type.kind) {
    case StorageKind.Decimal:
    case StorageKind.PaddedText:
    case StorageKind.FoldedText:
    case StorageKind.Float32:
    case StorageKind.Float64:
    case StorageKind.Interval:
    case StorageKind.Json:
    case StorageKind.Jsonb:
      return false;
    case StorageKind.Array:
      return type.element === undefined || exactKey(type.element.storage);
    case StorageKind.Record:
      return type.record === undefined || type.record.fields.every(exactKey);
    case StorageKind.Range:
      return exactKey(boundOf(type).bound);
    case StorageKind.Multirange:
      return exactKey(rangesOf(type).range);
    default:
      return true;
  }
}

function boundOf(type: StorageType): NonNullable<StorageType['range']> {
  assert(type.range !== undefined, 'a range has bounds');
  return type.range;
}

function rangesOf(type: StorageType): NonNullable<StorageType['multirange']> {
  assert(type.multirange !== undefined, 'a multirange has ranges');
  return type.multirange;
}

type Append = (writer: ByteWriter, value: never) => void;

function appender(type: StorageType): (writer: ByteWriter, value: unknown) => void {
  return chooseAppender(type) as (writer: ByteWriter, value: unknown) => void;
}

function chooseAppender(type: StorageType): Append {
  switch (type.kind) {
    case StorageKind.Bool:
      return appendKeyBool;
    case StorageKind.Float32:
    case StorageKind.Float64:
      return appendKeyFloat;
    case StorageKind.Decimal:
      return appendKeyDecimal;
    case StorageKind.Text:
      return (writer: ByteWriter, value: string) => appendKeyText(writer, value);
    case StorageKind.PaddedText:
      return appendKeyPadded;
    case StorageKind.FoldedText: {
      const { fold } = type;
      assert(fold !== undefined, 'a folded text says how');
      return (writer: ByteWriter, value: string) => appendKeyText(writer, fold(value));
    }
    case StorageKind.Bytes:
      return (writer: ByteWriter, value: Uint8Array) => appendKeyBytes(writer, value);
    case StorageKind.TimeTz:
      return appendKeyTimeTz;
    case StorageKind.Interval:
      return appendKeyInterval;
    case StorageKind.Uuid:
      return appendKeyUuid;
    case StorageKind.Enum: {
      const labels = type.labels;
      assert(labels !== undefined, 'an enum has labels');
      return (writer: ByteWriter, value: string) => appendKeyFloat(writer, labels.orderOf(value));
    }
    case StorageKind.Jsonb:
      return (writer: ByteWriter, value: Jsonb) => appendKeyDocument(writer, value.bytes, value.start, value.end);
    case StorageKind.Array:
      return arrayAppender(type);
    case StorageKind.Record:
      return recordAppender(type);
    case StorageKind.Range: {
      const append = appender(boundOf(type).bound);
      return (writer: ByteWriter, value: SqlRange) => appendKeyRange(writer, value, append);
    }
    case StorageKind.Multirange: {
      const append = appender(rangesOf(type).range);
      return (writer: ByteWriter, value: SqlMultirange) => appendKeyMultirange(writer, value, append);
    }
    default:
      assert(type.kind !== StorageKind.Json, 'json has no order, so no key');
      return appendKeyInteger;
  }
}

const END = 0x00;
const VALUE = 0x01;
const NULL_LAST = 0x02;
const NULL_FIRST = 0x00;

/** Items with markers (nulls last), an end, then what decides between equal items: dimensions, lengths, lower bounds. */
function arrayAppender(type: StorageType): Append {
  const element = type.element;
  assert(element !== undefined, 'an array has an element type');
  const append = appender(element.storage);
  return (writer: ByteWriter, array: SqlArray) => {
    const { items, dimensions, lowerBounds } = array;
    for (let i = 0; i < items.length; i++) {
      if (items[i] === null) {
        writer.u8(NULL_LAST);
      } else {
        writer.u8(VALUE);
        append(writer, items[i]);
      }
    }
    writer.u8(END);
    writer.u8(dimensions.length);
    for (let i = 0; i < dimensions.length; i++) appendKeyInteger(writer, dimensions[i] as number);
    for (let i = 0; i < dimensions.length; i++) appendKeyInteger(writer, lowerBounds[i] as number);
  };
}

function recordAppender(type: StorageType): Append {
  const record = type.record;
  assert(record !== undefined, 'a record has field types');
  const appenders = record.fields.map(appender);
  return (writer: ByteWriter, value: SqlRecord) => {
    for (let i = 0; i < appenders.length; i++) {
      const field = value.fields[i];
      if (field === null) {
        writer.u8(NULL_LAST);
      } else {
        writer.u8(VALUE);
        (appenders[i] as (writer: ByteWriter, value: unknown) => void)(writer, field);
      }
    }
  };
}

function reader(type: StorageType): (from: KeyReader) => unknown {
  switch (type.kind) {
    case StorageKind.Bool:
      return (from) => from.byte() !== 0;
    case StorageKind.Float32:
    case StorageKind.Float64:
      return (from) => from.float();
    case StorageKind.Decimal:
      return (from) => from.decimal();
    case StorageKind.Text:
    case StorageKind.PaddedText:
    case StorageKind.FoldedText:
      return (from) => from.text();
    case StorageKind.Bytes:
      return (from) => from.escaped();
    case StorageKind.TimeTz:
      return (from) => from.timeTz();
    case StorageKind.Interval:
      return (from) => from.interval();
    case StorageKind.Uuid:
      return (from) => from.uuid();
    case StorageKind.Enum:
      return (from) => {
        const label = type.labels?.labelAt(from.float());
        if (label === undefined) throw corruptValue('an enum order without a label');
        return label;
      };
    case StorageKind.Jsonb:
      return (from) => Jsonb.of(readKeyDocument(from));
    case StorageKind.Array:
      return arrayReader(type);
    case StorageKind.Record:
      return recordReader(type);
    case StorageKind.Range: {
      const { typeOid, bound } = boundOf(type);
      const read = reader(bound);
      return (from) => readKeyRange(from, typeOid, read);
    }
    case StorageKind.Multirange: {
      const { typeOid, range } = rangesOf(type);
      const read = reader(range);
      return (from) => readKeyMultirange(from, typeOid, read);
    }
    default:
      return (from) => from.integer();
  }
}

/** Passes by a value; where that is no easier than reading it, it is read. */
function skipper(type: StorageType): (from: KeyReader) => void {
  switch (type.kind) {
    case StorageKind.Bool:
      return (from) => from.skip(1);
    case StorageKind.Float32:
    case StorageKind.Float64:
    case StorageKind.Enum:
      return (from) => from.skip(8);
    case StorageKind.Uuid:
      return (from) => from.skip(16);
    case StorageKind.Text:
    case StorageKind.PaddedText:
    case StorageKind.FoldedText:
    case StorageKind.Bytes:
      return (from) => from.skipEscaped();
    case StorageKind.Interval:
      return (from) => from.skipInteger();
    case StorageKind.Decimal:
    case StorageKind.TimeTz:
    case StorageKind.Jsonb:
    case StorageKind.Array:
    case StorageKind.Record:
    case StorageKind.Range:
    case StorageKind.Multirange:
      return reader(type);
    default:
      return (from) => from.skipInteger();
  }
}

const DIMENSIONS_MAX = 6;

function arrayReader(type: StorageType): (from: KeyReader) => SqlArray {
  const element = type.element;
  assert(element !== undefined, 'an array has an element type');
  const read = reader(element.storage);
  return (from) => {
    const items: unknown[] = [];
    for (let marker = from.byte(); marker !== END; marker = from.byte()) {
      if (marker > NULL_LAST) throw corruptValue('an array marker in a key');
      items.push(marker === NULL_LAST ? null : read(from));
    }
    const count = from.byte();
    if (count > DIMENSIONS_MAX) throw corruptValue('array dimensions in a key');
    const dimensions = Array.from({ length: count }, () => Number(from.integer()));
    const lowerBounds = Array.from({ length: count }, () => Number(from.integer()));
    return new SqlArray(element.oid, dimensions, lowerBounds, items);
  };
}

function recordReader(type: StorageType): (from: KeyReader) => SqlRecord {
  const record = type.record;
  assert(record !== undefined, 'a record has field types');
  const readers = record.fields.map(reader);
  return (from) => {
    const fields = readers.map((read) => (from.byte() === VALUE ? read(from) : null));
    return new SqlRecord(record.typeOid, fields, record);
  };
}

/** Compiles a key definition. Every column's type must have a key (`hasKey`). */
export function keyCode(columns: readonly KeyColumn[]): KeyCode {
  const appenders = columns.map((column) => columnAppender(column));
  const readers = columns.map((column) => reader(column.storage));
  const skippers = columns.map((column) => skipper(column.storage));
  const positions = columns.map((column, i) => column.position ?? i);
  const shared = new KeyReader(new Uint8Array(0));

  function encodePrefix(values: readonly unknown[], count: number, writer: ByteWriter): void {
    for (let i = 0; i < count; i++) (appenders[i] as ColumnAppend)(writer, values[i]);
  }

  function readColumn(i: number): unknown {
    const column = columns[i] as KeyColumn;
    if (column.nullable && shared.byte() !== VALUE) return null;
    shared.flip = column.descending ? 0xff : 0;
    const value = (readers[i] as (from: KeyReader) => unknown)(shared);
    shared.flip = 0;
    return value;
  }

  return {
    columns,
    encode(values, writer) {
      for (let i = 0; i < appenders.length; i++) {
        (appenders[i] as ColumnAppend)(writer, values[positions[i] as number]);
      }
    },
    encodePrefix,
    decode(buffer, start, end, into) {
      shared.setBuffer(buffer, start, end);
      for (let i = 0; i < columns.length; i++) into[positions[i] as number] = readColumn(i);
      return shared.offset;
    },
    decodePrefix(buffer, start, end, into) {
      shared.setBuffer(buffer, start, end);
      let count = 0;
      try {
        for (; count < columns.length && shared.offset < end; count++) into[count] = readColumn(count);
      } catch (error) {
        if (!isCorruption(error)) throw error;
        shared.flip = 0;
      }
      return count;
    },
    skip(buffer, start, end) {
      shared.setBuffer(buffer, start, end);
      for (let i = 0; i < columns.length; i++) {
        const column = columns[i] as KeyColumn;
        if (column.nullable && shared.byte() !== VALUE) continue;
        shared.flip = column.descending ? 0xff : 0;
        (skippers[i] as (from: KeyReader) => void)(shared);
        shared.flip = 0;
      }
      return shared.offset;
    },
    range(prefix, equal, bounds = {}) {
      if (rangeWriter.buffer.length > RANGE_BYTES_KEPT_MAX) rangeWriter = new ByteWriter();
      rangeWriter.reset();
      rangeWriter.bytes(prefix);
      encodePrefix(equal, equal.length, rangeWriter);
      return columnRange(rangeWriter, columns[equal.length], appenders[equal.length], bounds);
    },
  };
}

type ColumnAppend = (writer: ByteWriter, value: unknown) => void;

function columnAppender(column: KeyColumn): ColumnAppend {
  const append = appender(column.storage);
  const { nullable, descending } = column;
  if (!nullable && !descending) return append;
  const nullMarker = column.nullsFirst ? NULL_FIRST : NULL_LAST;
  return (writer, value) => {
    if (nullable) {
      if (value === null) {
        writer.u8(nullMarker);
        return;
      }
      writer.u8(VALUE);
    }
    const start = writer.length;
    append(writer, value);
    if (descending) invert(writer.buffer, start, writer.length);
  };
}

/** Where ranges are put together: memory of its own for each would cost more than a short scan. Given up when a long value came. */
let rangeWriter = new ByteWriter();
const RANGE_BYTES_KEPT_MAX = 64 * 1024;

function columnRange(
  writer: ByteWriter,
  column: KeyColumn | undefined,
  append: ColumnAppend | undefined,
  bounds: { readonly lower?: KeyBound; readonly upper?: KeyBound; readonly nulls?: boolean },
): EncodedRange {
  const fixed = writer.length;
  const { lower, upper } = bounds;
  if (column === undefined || append === undefined) {
    return { lower: bytesBefore(writer.buffer, fixed), upper: endBehind(writer.buffer, fixed) };
  }
  // In a descending column the greatest value comes first.
  const first = column.descending ? upper : lower;
  const last = column.descending ? lower : upper;
  const withNulls = bounds.nulls === true || !column.nullable;
  if (first !== undefined) append(writer, first.value);
  else if (!withNulls && column.nullsFirst) writer.u8(VALUE);
  const isBehindFirst = first !== undefined && !first.inclusive;
  const begin = isBehindFirst ? endBehind(writer.buffer, writer.length) : undefined;
  const from = begin ?? bytesBefore(writer.buffer, writer.length);
  writer.length = fixed;
  const isBefore = last === undefined ? !withNulls && !column.nullsFirst : !last.inclusive;
  if (last !== undefined) append(writer, last.value);
  else if (isBefore) writer.u8(NULL_LAST);
  const { buffer, length } = writer;
  return { lower: from, upper: isBefore ? bytesBefore(buffer, length) : endBehind(buffer, length) };
}

/** A copy of the first bytes. */
function bytesBefore(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copyBytes(bytes, 0, length, copy, 0);
  return copy;
}

/** As keyPrefixEnd, of the first bytes. */
function endBehind(bytes: Uint8Array, length: number): Uint8Array | undefined {
  for (let i = length - 1; i >= 0; i--) {
    if (bytes[i] === 0xff) continue;
    const end = bytesBefore(bytes, i + 1);
    end[i] = (bytes[i] as number) + 1;
    return end;
  }
  return undefined;
}

/** The smallest key greater than every key that begins with the prefix; undefined when there is none. */
export function keyPrefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  return endBehind(prefix, prefix.length);
}
