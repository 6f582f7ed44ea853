/** Reads a chunk into a vector. What is read owns its memory: the chunk's bytes may go. */
import { readU16, readU32 } from '@phantom/base';
import { type Decimal, type StorageType, StorageKind, rowCodec, rowLayout } from '@phantom/codec';
import type { Value } from '../../types/type.js';
import { CHUNK_HEAD_BYTES, ChunkFlag, Encoding, corruptColumns, valuesOffset } from './format.js';
import { type ColumnValues, DecimalValues, DecimalVector } from './vectors.js';

const INT32_MIN = -0x8000_0000;
const INT32_MAX = 0x7fff_ffff;

/** Encodings that decimals never have. */
const OTHERS_ONLY: ReadonlySet<number> = new Set([Encoding.Integers, Encoding.Floats, Encoding.Texts]);

/** A chunk on its way to a vector. */
interface Chunk {
  readonly buffer: Uint8Array;
  readonly view: DataView;
  /** Where the values begin. */
  readonly at: number;
  readonly end: number;
  readonly rows: number;
  readonly isAscii: boolean;
  /** Where the null bitmap begins; undefined: no value is null. */
  readonly nullsAt: number | undefined;
}

export class ChunkReader {
  private readonly isDecimal: boolean;
  private readonly decodeValue: (buffer: Uint8Array, start: number, end: number) => Value;

  constructor(storage: StorageType) {
    this.isDecimal = storage.kind === StorageKind.Decimal;
    const codec = rowCodec(rowLayout(0, [storage]));
    this.decodeValue = (buffer, start, end) => codec.readColumn(buffer, start, end, 0);
  }

  /** The values of the chunk at [start, end), which must be those of so many rows. */
  read(buffer: Uint8Array, start: number, end: number, rows: number): ColumnValues {
    const values = this.readValues(buffer, start, end, rows);
    if (!this.isDecimal || values instanceof DecimalVector) return values;
    return new DecimalValues(values as readonly (Decimal | null)[]);
  }

  private readValues(buffer: Uint8Array, start: number, end: number, rows: number): ColumnValues {
    if (end - start < CHUNK_HEAD_BYTES || readU32(buffer, start + 2) !== rows)
      throw corruptColumns('a chunk of other rows');
    const encoding = buffer[start]!;
    const flags = buffer[start + 1]!;
    const at = start + valuesOffset(rows, flags);
    if (at > end) throw corruptColumns('a chunk that is cut off');
    const chunk: Chunk = {
      buffer,
      view: new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength),
      at,
      end,
      rows,
      isAscii: (flags & ChunkFlag.Ascii) !== 0,
      nullsAt: (flags & ChunkFlag.Nulls) === 0 ? undefined : start + CHUNK_HEAD_BYTES,
    };
    if (this.isDecimal && OTHERS_ONLY.has(encoding)) throw corruptColumns('other values in a column of decimals');
    switch (encoding) {
      case Encoding.Empty:
        return nulls(rows);
      case Encoding.Integers:
        return withNulls(chunk, readIntegers(chunk, at));
      case Encoding.Decimals:
        return this.readDecimals(chunk);
      case Encoding.Floats:
        return withNulls(chunk, readFloats(chunk));
      case Encoding.Dictionary:
        return this.readDictionary(chunk);
      case Encoding.Texts:
        return withNulls(chunk, readTexts(chunk));
      case Encoding.Values:
        return this.readEach(chunk, at, rows).values;
      default:
        throw corruptColumns(`a chunk of an unknown encoding, ${encoding}`);
    }
  }

  private readDecimals(chunk: Chunk): ColumnValues {
    if (!this.isDecimal) throw corruptColumns('decimals in a column of another type');
    const { nullsAt, rows, buffer } = chunk;
    const integers = readIntegers(chunk, chunk.at + 2);
    const unscaled = integers instanceof Float64Array ? integers : Float64Array.from(integers);
    if (nullsAt !== undefined) for (let i = 0; i < rows; i++) if (isNull(buffer, nullsAt, i)) unscaled[i] = Number.NaN;
    return new DecimalVector(unscaled, readU16(buffer, chunk.at));
  }

  private readDictionary(chunk: Chunk): ColumnValues {
    const { buffer, rows, nullsAt, end } = chunk;
    const count = readU32(buffer, chunk.at);
    const { values: entries, end: codes } = this.readEach({ ...chunk, nullsAt: undefined }, chunk.at + 4, count);
    const wide = count > 256;
    if (codes + rows * (wide ? 2 : 1) > end) throw corruptColumns('a chunk that is cut off');
    const values = new Array<Value>(rows).fill(null);
    for (let i = 0; i < rows; i++) {
      if (nullsAt !== undefined && isNull(buffer, nullsAt, i)) continue;
      const code = wide ? readU16(buffer, codes + 2 * i) : buffer[codes + i]!;
      if (code >= count) throw corruptColumns('a number beyond its dictionary');
      values[i] = entries[code];
    }
    return values;
  }

  private readEach(chunk: Chunk, at: number, count: number): { readonly values: Value[]; readonly end: number } {
    const { buffer, nullsAt, end } = chunk;
    const data = at + 4 * count;
    if (data > end) throw corruptColumns('a chunk that is cut off');
    const values: Value[] = [];
    let from = data;
    for (let i = 0; i < count; i++) {
      const to = data + readU32(buffer, at + 4 * i);
      if (to < from || to > end) throw corruptColumns('a value that ends outside its chunk');
      values.push(nullsAt !== undefined && isNull(buffer, nullsAt, i) ? null : this.decodeValue(buffer, from, to));
      from = to;
    }
    return { values, end: from };
  }
}

function nulls(rows: number): readonly Value[] {
  return new Array<Value>(rows).fill(null);
}

function isNull(buffer: Uint8Array, nullsAt: number, row: number): boolean {
  return (buffer[nullsAt + (row >> 3)]! & (1 << (row & 7))) !== 0;
}

/** The values with nulls in their places: an array, since typed ones have no room for them. */
function withNulls({ buffer, nullsAt, rows }: Chunk, values: Int32Array | Float64Array | Value[]): ColumnValues {
  if (nullsAt === undefined) return values;
  const all = new Array<Value>(rows).fill(null);
  for (let i = 0; i < rows; i++) if (!isNull(buffer, nullsAt, i)) all[i] = values[i];
  return all;
}

function readIntegers({ buffer, view, rows, end }: Chunk, at: number): Int32Array | Float64Array {
  if (at + 9 > end) throw corruptColumns('a chunk that is cut off');
  const least = view.getFloat64(at, true);
  const width = buffer[at + 8]!;
  const data = at + 9;
  if (data + rows * width > end) throw corruptColumns('a chunk that is cut off');
  const greatest = width === 8 ? Infinity : least + 2 ** (8 * width) - 1;
  const values = least >= INT32_MIN && greatest <= INT32_MAX ? new Int32Array(rows) : new Float64Array(rows);
  switch (width) {
    case 0:
      return values.fill(least);
    case 1:
      for (let i = 0; i < rows; i++) values[i] = least + buffer[data + i]!;
      return values;
    case 2:
      for (let i = 0; i < rows; i++) values[i] = least + readU16(buffer, data + 2 * i);
      return values;
    case 4:
      for (let i = 0; i < rows; i++) values[i] = least + readU32(buffer, data + 4 * i);
      return values;
    case 8:
      for (let i = 0; i < rows; i++) values[i] = view.getFloat64(data + 8 * i, true);
      return values;
    default:
      throw corruptColumns(`integers of ${width} bytes`);
  }
}

function readFloats({ view, at, rows, end }: Chunk): Float64Array {
  if (at + 8 * rows > end) throw corruptColumns('a chunk that is cut off');
  const values = new Float64Array(rows);
  for (let i = 0; i < rows; i++) values[i] = view.getFloat64(at + 8 * i, true);
  return values;
}

function readTexts({ buffer, at, rows, end, isAscii }: Chunk): Value[] {
  const data = at + 4 * rows;
  if (data > end) throw corruptColumns('a chunk that is cut off');
  const bytes = Buffer.from(buffer.buffer, buffer.byteOffset + data, end - data);
  // One string for all, of which the values are parts: each costs a few instructions instead of a call into the runtime.
  const all = isAscii ? bytes.toString('latin1') : '';
  const values: Value[] = [];
  let from = 0;
  for (let i = 0; i < rows; i++) {
    const to = readU32(buffer, at + 4 * i);
    if (to < from || to > bytes.length) throw corruptColumns('a value that ends outside its chunk');
    values.push(isAscii ? all.substring(from, to) : bytes.toString('utf8', from, to));
    from = to;
  }
  return values;
}
