/**
 * Where each column of a row lies. A layout belongs to one version of a table's columns and never changes; rows name their
 * version, so old rows stay readable after ALTER TABLE without being rewritten.
 *
 *   0        2          2+m          f                e                      d
 *   +--------+----------+------------+----------------+----------------------+
 *   | header | null     | fixed-width| end offsets of | bytes of variable    |
 *   | u16    | bitmap   | columns    | variable ones  | columns              |
 *   +--------+----------+------------+----------------+----------------------+
 *   header   bits 0..14 layout version; bit 15 set: end offsets are u32 (a row over 64 KiB), else u16; little-endian
 *   bitmap   bit i (least significant first) set: column i is null; a null fixed column's bytes are zero
 *   fixed    each at its own constant offset from the row's start, in column order, unaligned
 *   ends     where each variable column ends, counted from d; it begins where the one before ends
 *
 * So a fixed column is read by one addition, a variable one by two loads, and neither touches another column.
 */
import { PhantomError, assert, readU16, readU32 } from '@phantom/base';
import { type StorageType, corruptValue, fixedBytes } from './storage.js';

/** Versions a table can have; the header's top bit is taken. */
export const ROW_VERSION_MAX = 0x7fff;
/** Header bit: end offsets are u32. */
export const ROW_WIDE = 0x8000;
export const ROW_BITMAP_OFFSET = 2;
/** Most columns a layout can have (PostgreSQL's is 1600). */
export const ROW_COLUMNS_MAX = 1600;

export interface RowLayout {
  readonly version: number;
  readonly columns: readonly StorageType[];
  /** Offset of each column from the row's start; -1 for a variable one. */
  readonly fixedOffsets: readonly number[];
  /** Position of each column among the variable ones; -1 for a fixed one. */
  readonly variableIndexes: readonly number[];
  readonly variableCount: number;
  readonly bitmapBytes: number;
  /** Offset of the first end offset. */
  readonly endsOffset: number;
  /** Offset of the first variable byte with u16 ends. */
  readonly narrowDataOffset: number;
  /** The same with u32 ends. */
  readonly wideDataOffset: number;
}

/** The layout of columns, in order. 54011 when there are too many. */
export function rowLayout(version: number, columns: readonly StorageType[]): RowLayout {
  assert(Number.isInteger(version) && version >= 0 && version <= ROW_VERSION_MAX, 'a row layout version fits 15 bits');
  if (columns.length > ROW_COLUMNS_MAX) {
    throw new PhantomError('54011', `a row can have at most ${ROW_COLUMNS_MAX} columns`);
  }
  const bitmapBytes = (columns.length + 7) >> 3;
  const fixedOffsets: number[] = [];
  const variableIndexes: number[] = [];
  let offset = ROW_BITMAP_OFFSET + bitmapBytes;
  let variableCount = 0;
  for (const column of columns) {
    const bytes = fixedBytes(column.kind);
    fixedOffsets.push(bytes > 0 ? offset : -1);
    variableIndexes.push(bytes > 0 ? -1 : variableCount++);
    offset += bytes;
  }
  return {
    version,
    columns,
    fixedOffsets,
    variableIndexes,
    variableCount,
    bitmapBytes,
    endsOffset: offset,
    narrowDataOffset: offset + 2 * variableCount,
    wideDataOffset: offset + 4 * variableCount,
  };
}

/** Layout version of the row at `start`; a row too short for its header is corrupt. */
export function rowVersion(buffer: Uint8Array, start: number, end: number): number {
  if (end - start < ROW_BITMAP_OFFSET) throw corruptValue('a row without a header');
  return readU16(buffer, start) & ROW_VERSION_MAX;
}

/** True when column `index` is null. */
export function isNullColumn(buffer: Uint8Array, start: number, index: number): boolean {
  return ((buffer[start + ROW_BITMAP_OFFSET + (index >> 3)] as number) & (1 << (index & 7))) !== 0;
}

/** Raises corruption unless the row is long enough for its fixed part and end offsets. */
export function checkRow(buffer: Uint8Array, start: number, end: number, layout: RowLayout): void {
  const wide = (buffer[start + 1] as number) >= 0x80;
  if (end > buffer.length || end - start < (wide ? layout.wideDataOffset : layout.narrowDataOffset)) {
    throw corruptValue('a row shorter than its columns');
  }
}

/** Start of variable column number `index` of the row (an offset into the buffer). */
export function variableStart(buffer: Uint8Array, start: number, index: number, layout: RowLayout): number {
  if ((buffer[start + 1] as number) < 0x80) {
    const data = start + layout.narrowDataOffset;
    return index === 0 ? data : data + readU16(buffer, start + layout.endsOffset + 2 * index - 2);
  }
  const data = start + layout.wideDataOffset;
  return index === 0 ? data : data + readU32(buffer, start + layout.endsOffset + 4 * index - 4);
}

/** End of variable column number `index`, checked against its start and the row's end. */
export function variableEnd(
  buffer: Uint8Array,
  start: number,
  end: number,
  index: number,
  layout: RowLayout,
  from: number,
): number {
  const to =
    (buffer[start + 1] as number) < 0x80
      ? start + layout.narrowDataOffset + readU16(buffer, start + layout.endsOffset + 2 * index)
      : start + layout.wideDataOffset + readU32(buffer, start + layout.endsOffset + 4 * index);
  if (to < from || to > end) throw corruptValue('a column ends outside its row');
  return to;
}
