/**
 * The bytes of a column index: where its parts lie in the index's space, and how a column of some rows is written
 * (docs/formats/columns.md draws the same for readers who have no code at hand).
 *
 * The rows of the table are cut, in the order of their keys, into segments of at most `segment_rows` rows. A segment owns the row
 * keys from its lower bound up to that of the next one, rows that come later included; the first one begins before every key. Of each
 * segment a directory entry holds what a scan must know before it reads, and a chunk for each column holds the values:
 *
 *   prologue   space(4) 00                              -> u8 format version, u32 number of the next segment
 *   directory  space(4) 01 lower bound                  -> u32 segment, u32 rows, then for each column its zone
 *   chunk      space(4) 02 segment(u32BE) place(u16BE)  -> the column's values; place ffff: the row keys
 *   marker     space(4) 03 row key  writer's snapshot(u64BE) -> nothing
 *
 * A row key is that of the table without its space. A marker says that its row is not as the segment has it: it was inserted,
 * deleted, or changed in a column of the index.
 *
 * Invariants:
 *   1. In every snapshot, a row without a marker is in the table exactly as its segment has it, and is absent from the table when
 *      it is absent there. Markers are written by the transaction that writes the row, and go with the commit that takes the row
 *      into a segment: so it holds for each snapshot, at each level, and across crashes, without anybody looking at the log.
 *   2. A chunk never changes: what is written anew is a segment with a new number. Caches need no word of it.
 *   3. No writer writes a marker that another has written, or catching up has removed, for a row that both see alike: its key ends
 *      with the snapshot of its writer. So catching up is in nobody's way.
 */
import { PhantomError, type ByteWriter } from '@phantom/base';
import { SPACE_BYTES } from '@phantom/kv';

export const COLUMNS_FORMAT_VERSION = 1;

/** Rows of a segment unless the index says otherwise: so many that the work for each does not count, so few that a change costs little. */
export const SEGMENT_ROWS = 16_384;
/** A segment of long values is cut before it has that many: a chunk is one value of the store. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;

/** The byte behind the space: which part of the index a key belongs to. */
export const Part = { Prologue: 0, Directory: 1, Chunk: 2, Marker: 3 } as const;

/** Place of the chunk that holds the row keys of a segment. */
export const ROW_KEYS_PLACE = 0xffff;

/** Bytes in front of a row key in the keys of the directory and of markers. */
export const PART_BYTES = SPACE_BYTES + 1;
/** The snapshot at the end of a marker's key. */
export const MARKER_SUFFIX_BYTES = 8;

/** How the values of a chunk are written. */
export const Encoding = {
  /** Every value is null. */
  Empty: 0,
  /** Safe integers: f64 least value, u8 width (0, 1, 2, 4: what is added to it, unsigned; 8: the value as f64), the values. */
  Integers: 1,
  /** Decimals of one scale with safe unscaled values: u16 scale, then as Integers. */
  Decimals: 2,
  /** f64 each. */
  Floats: 3,
  /** u32 count, the different values as in Values, then for each row its number: u8 up to 256 of them, else u16. */
  Dictionary: 4,
  /** u32 end of each value, then their UTF-8; a null has no bytes. */
  Texts: 5,
  /** u32 end of each value, then rows of one column (docs/formats/row.md). */
  Values: 6,
} as const;

/** Flags of a chunk. */
export const ChunkFlag = {
  /** A null bitmap follows the head: bit i, least significant first, is set where value i is null. */
  Nulls: 1,
  /** Texts: every byte is ASCII. */
  Ascii: 2,
} as const;

/** u8 encoding, u8 flags, u32 rows. */
export const CHUNK_HEAD_BYTES = 6;

/** Bytes in front of the values of a chunk: its head and null bitmap. */
export function valuesOffset(rows: number, flags: number): number {
  return CHUNK_HEAD_BYTES + ((flags & ChunkFlag.Nulls) === 0 ? 0 : (rows + 7) >> 3);
}

export function corruptColumns(what: string): PhantomError {
  return new PhantomError('XX001', `a column index holds ${what}`);
}

/** Begins a key of the index: its space and the part. */
export function beginKey(writer: ByteWriter, prefix: Uint8Array, part: number): void {
  writer.reset();
  writer.bytes(prefix);
  writer.u8(part);
}

/** The key of a chunk. */
export function chunkKey(writer: ByteWriter, prefix: Uint8Array, segment: number, place: number): void {
  beginKey(writer, prefix, Part.Chunk);
  writer.u32BE(segment);
  writer.u8(place >> 8);
  writer.u8(place & 0xff);
}

/** All keys of a part. */
export function partPrefix(prefix: Uint8Array, part: number): Uint8Array {
  const key = new Uint8Array(PART_BYTES);
  key.set(prefix);
  key[SPACE_BYTES] = part;
  return key;
}
