/** Writes the values of a column of some rows as a chunk, in the form that takes the least room and reads the fastest. */
import { ByteWriter, writeU16, writeU32 } from '@phantom/base';
import { Decimal, type StorageType, StorageKind, rowCodec, rowLayout } from '@phantom/codec';
import type { Value } from '../../types/type.js';
import { ChunkFlag, Encoding } from './format.js';

/** Most different values of a dictionary: their numbers have two bytes. */
const DICTIONARY_MAX = 0x1_0000;
/** Decimals that have no dictionary of so many are kept as integers: those are read nearly as fast. */
const DECIMAL_DICTIONARY_MAX = 256;
/** A dictionary must be this much smaller than the column that it is for. */
const ROWS_FOR_ENTRY = 4;
/** But some values may always be different. */
const DICTIONARY_ENTRIES_FREE = 16;

const UTF8 = new TextEncoder();
/** The bytes of the values of one chunk, behind their ends; used again. */
const payload = new ByteWriter();

export class ChunkWriter {
  private readonly storage: StorageType;
  private readonly encodeValue: (value: Value, writer: ByteWriter) => void;

  constructor(storage: StorageType) {
    this.storage = storage;
    const codec = rowCodec(rowLayout(0, [storage]));
    const row: Value[] = [null];
    this.encodeValue = (value, writer) => {
      row[0] = value;
      codec.encode(row, writer);
    };
  }

  /** Appends the chunk of the values; null is SQL NULL. */
  write(values: readonly Value[], writer: ByteWriter): void {
    let nulls = 0;
    for (let i = 0; i < values.length; i++) if (values[i] === null) nulls++;
    const start = writer.length;
    writer.u8(Encoding.Empty);
    writer.u8(nulls > 0 ? ChunkFlag.Nulls : 0);
    writer.u32(values.length);
    if (nulls > 0) writeNulls(values, writer);
    if (nulls === values.length) return;
    const encoding = this.writeValues(values, writer);
    writer.buffer[start] = encoding;
    if (encoding === Encoding.Texts && isAscii(payload)) writer.buffer[start + 1]! |= ChunkFlag.Ascii;
  }

  private writeValues(values: readonly Value[], writer: ByteWriter): number {
    if (values.every(isPlainInteger)) {
      writeIntegers(values as readonly (number | null)[], writer);
      return Encoding.Integers;
    }
    const { kind } = this.storage;
    if (kind === StorageKind.Float64 || kind === StorageKind.Float32) {
      writeFloats(values as readonly (number | null)[], writer);
      return Encoding.Floats;
    }
    const dictionary = dictionaryOf(values, kind);
    if (dictionary !== undefined) {
      this.writeDictionary(values, dictionary, writer);
      return Encoding.Dictionary;
    }
    const scale = commonScale(values);
    if (scale !== undefined) {
      writer.u16(scale);
      const unscaled = values.map((value) => (value === null ? null : ((value as Decimal).unscaled as number)));
      writeIntegers(unscaled, writer);
      return Encoding.Decimals;
    }
    if (kind === StorageKind.Text || kind === StorageKind.PaddedText) {
      writeTexts(values as readonly (string | null)[], writer);
      return Encoding.Texts;
    }
    this.writeEach(values, writer);
    return Encoding.Values;
  }

  private writeDictionary(values: readonly Value[], numbers: ReadonlyMap<unknown, number>, writer: ByteWriter): void {
    const entries: Value[] = [];
    const codes = values.map((value) => {
      if (value === null) return 0;
      const code = numbers.get(dictionaryKey(value)) as number;
      entries[code] = value;
      return code;
    });
    writer.u32(entries.length);
    this.writeEach(entries, writer);
    for (const code of codes) {
      if (entries.length <= 256) writer.u8(code);
      else writer.u16(code);
    }
  }

  private writeEach(values: readonly Value[], writer: ByteWriter): void {
    writeWithEnds(values.length, writer, (i) => {
      if (values[i] !== null) this.encodeValue(values[i], payload);
    });
  }
}

/** An integer that a double holds exactly; -0 is none. A null fits everywhere. */
function isPlainInteger(value: Value): boolean {
  return value === null || (Number.isSafeInteger(value) && !Object.is(value, -0));
}

/** What two values of a column have in common when they are alike in every respect. */
function dictionaryKey(value: Value): unknown {
  return value instanceof Decimal ? `${value.scale}:${value.unscaled}` : value;
}

/** Numbers for the different values, in the order of their first rows; undefined where they are too many, or have no identity. */
function dictionaryOf(values: readonly Value[], kind: StorageKind): ReadonlyMap<unknown, number> | undefined {
  const most = kind === StorageKind.Decimal ? DECIMAL_DICTIONARY_MAX : DICTIONARY_MAX;
  const limit = Math.min(most, DICTIONARY_ENTRIES_FREE + values.length / ROWS_FOR_ENTRY);
  const numbers = new Map<unknown, number>();
  for (const value of values) {
    if (value === null) continue;
    if (typeof value === 'object' && !(value instanceof Decimal)) return undefined;
    const key = dictionaryKey(value);
    if (numbers.has(key)) continue;
    if (numbers.size >= limit) return undefined;
    numbers.set(key, numbers.size);
  }
  return numbers;
}

/** The scale of all decimals among the values; undefined when they have several, or a value is not safe, or no decimal. */
function commonScale(values: readonly Value[]): number | undefined {
  let scale: number | undefined;
  for (const value of values) {
    if (value === null) continue;
    if (!(value instanceof Decimal) || !Number.isSafeInteger(value.unscaled)) return undefined;
    scale ??= value.scale;
    if (scale !== value.scale) return undefined;
  }
  return scale;
}

function writeNulls(values: readonly Value[], writer: ByteWriter): void {
  const bytes = (values.length + 7) >> 3;
  const at = writer.reserve(bytes);
  writer.buffer.fill(0, at, at + bytes);
  for (let i = 0; i < values.length; i++) if (values[i] === null) writer.buffer[at + (i >> 3)]! |= 1 << (i & 7);
  writer.length = at + bytes;
}

function writeIntegers(values: readonly (number | null)[], writer: ByteWriter): void {
  let least = Infinity;
  let greatest = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const width = widthOf(greatest - least);
  writeDouble(least, writer);
  writer.u8(width);
  const at = writer.reserve(values.length * width);
  const { buffer } = writer;
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? least;
    if (width === 1) buffer[at + i] = value - least;
    else if (width === 2) writeU16(buffer, at + 2 * i, value - least);
    else if (width === 4) writeU32(buffer, at + 4 * i, value - least);
    else if (width === 8) view.setFloat64(at + 8 * i, value, true);
  }
  writer.length = at + values.length * width;
}

function widthOf(range: number): 0 | 1 | 2 | 4 | 8 {
  if (range === 0) return 0;
  if (range < 0x100) return 1;
  if (range < 0x1_0000) return 2;
  return range < 0x1_0000_0000 ? 4 : 8;
}

function writeFloats(values: readonly (number | null)[], writer: ByteWriter): void {
  for (const value of values) writeDouble(value ?? 0, writer);
}

function writeDouble(value: number, writer: ByteWriter): void {
  const at = writer.reserve(8);
  new DataView(writer.buffer.buffer, writer.buffer.byteOffset).setFloat64(at, value, true);
  writer.length = at + 8;
}

function writeTexts(values: readonly (string | null)[], writer: ByteWriter): void {
  writeWithEnds(values.length, writer, (i) => {
    const value = values[i];
    if (value === null || value === undefined || value === '') return;
    const at = payload.reserve(value.length * 3);
    payload.length = at + UTF8.encodeInto(value, payload.buffer.subarray(at)).written;
  });
}

/** Writes the ends of values and then what `append` puts into the payload for each of them. */
function writeWithEnds(count: number, writer: ByteWriter, append: (index: number) => void): void {
  payload.reset();
  const ends = writer.reserve(4 * count);
  writer.length = ends + 4 * count;
  for (let i = 0; i < count; i++) {
    append(i);
    writeU32(writer.buffer, ends + 4 * i, payload.length);
  }
  writer.bytes(payload.buffer, 0, payload.length);
}

function isAscii({ buffer, length }: ByteWriter): boolean {
  for (let i = 0; i < length; i++) if (buffer[i]! >= 0x80) return false;
  return true;
}
