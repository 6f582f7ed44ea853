/**
 * Ranges and multiranges as bytes, in rows and in keys. How a bound is written is the caller's to say, since it knows the
 * type of the bounds.
 *
 *   row    range        flags u8: 1 empty, 2 lower inclusive, 4 upper inclusive, 8 no lower bound, 16 no upper bound; then, where
 *                       both bounds are there, the bytes of the lower one as u32; then the bytes of the bounds that are there
 *          multirange   number of ranges u32, then for each its bytes as u32 and the range
 *   key    range        00 empty; else 01, the lower bound, the upper bound
 *          lower bound  00 none; 01, its key, 00 inclusive or 01 exclusive
 *          upper bound  01, its key, 00 exclusive or 01 inclusive; 02 none
 *          multirange   01 before each range, 00 behind the last
 *
 * The order of the keys is PostgreSQL's order of ranges: the empty one first, then by the lower bound, then by the upper one;
 * and that of multiranges: range by range, the shorter one first.
 */
import { type ByteWriter, readU32, writeU32 } from '@phantom/base';
import type { KeyReader } from './key-bytes.js';
import { corruptValue } from './storage.js';
import { SqlMultirange, SqlRange } from './value.js';

const EMPTY = 1;
const LOWER_INCLUSIVE = 2;
const UPPER_INCLUSIVE = 4;
const LOWER_INFINITE = 8;
const UPPER_INFINITE = 16;
const FLAGS = 31;

type Append = (writer: ByteWriter, value: unknown) => void;
type Read = (bytes: Uint8Array, start: number, end: number) => unknown;

function flagsOf(range: SqlRange): number {
  if (range.empty) return EMPTY;
  return (
    (range.lowerInclusive ? LOWER_INCLUSIVE : 0) |
    (range.upperInclusive ? UPPER_INCLUSIVE : 0) |
    (range.lower === null ? LOWER_INFINITE : 0) |
    (range.upper === null ? UPPER_INFINITE : 0)
  );
}

/** Appends the row bytes of a range. */
export function appendRange(writer: ByteWriter, range: SqlRange, append: Append): void {
  writer.u8(flagsOf(range));
  if (range.lower !== null && range.upper !== null) {
    appendSized(writer, () => append(writer, range.lower));
    append(writer, range.upper);
  } else if (range.lower !== null) {
    append(writer, range.lower);
  } else if (range.upper !== null) {
    append(writer, range.upper);
  }
}

/** What `write` appends, behind the number of its bytes. */
function appendSized(writer: ByteWriter, write: () => void): void {
  const size = writer.reserve(4);
  writer.length = size + 4;
  write();
  writeU32(writer.buffer, size, writer.length - size - 4);
}

/** The range whose row bytes are exactly [start, end). XX001 for bytes that no writer made. */
export function readRange(bytes: Uint8Array, start: number, end: number, typeOid: number, read: Read): SqlRange {
  const flags = start < end ? (bytes[start] as number) : FLAGS + 1;
  if (flags > FLAGS) throw corruptValue('a range head');
  if ((flags & EMPTY) !== 0) return SqlRange.none(typeOid);
  const hasLower = (flags & LOWER_INFINITE) === 0;
  const hasUpper = (flags & UPPER_INFINITE) === 0;
  let at = start + 1;
  let middle = hasLower ? end : at;
  if (hasLower && hasUpper) {
    const size = at + 4 <= end ? readU32(bytes, at) : end;
    at += 4;
    middle = at + size;
    if (middle > end) throw corruptValue('a bound ends outside its range');
  }
  return new SqlRange(
    typeOid,
    false,
    hasLower ? read(bytes, at, middle) : null,
    hasUpper ? read(bytes, middle, end) : null,
    (flags & LOWER_INCLUSIVE) !== 0,
    (flags & UPPER_INCLUSIVE) !== 0,
  );
}

/** Appends the row bytes of a multirange; `append` writes one range. */
export function appendMultirange(writer: ByteWriter, value: SqlMultirange, append: Append): void {
  writer.u32(value.ranges.length);
  for (const range of value.ranges) appendSized(writer, () => append(writer, range));
}

/** The multirange whose row bytes are exactly [start, end). XX001 for bytes that no writer made. */
export function readMultirange(
  bytes: Uint8Array,
  start: number,
  end: number,
  typeOid: number,
  read: Read,
): SqlMultirange {
  const count = start + 4 <= end ? readU32(bytes, start) : -1;
  // Each range has a size and a head, so no count can ask for more memory than the bytes hold.
  if (count < 0 || count * 5 > end - start) throw corruptValue('a multirange head');
  const ranges: SqlRange[] = [];
  let at = start + 4;
  for (let i = 0; i < count; i++) {
    const from = at + 4;
    const to = from <= end ? from + readU32(bytes, at) : end + 1;
    if (to > end) throw corruptValue('a range ends outside its multirange');
    ranges.push(read(bytes, from, to) as SqlRange);
    at = to;
  }
  return new SqlMultirange(typeOid, ranges);
}

const NONE_BEFORE = 0;
const HERE = 1;
const NONE_BEHIND = 2;

/** Appends the key of a range. */
export function appendKeyRange(writer: ByteWriter, range: SqlRange, append: Append): void {
  if (range.empty) {
    writer.u8(NONE_BEFORE);
    return;
  }
  writer.u8(HERE);
  if (range.lower === null) {
    writer.u8(NONE_BEFORE);
  } else {
    writer.u8(HERE);
    append(writer, range.lower);
    writer.u8(range.lowerInclusive ? 0 : 1);
  }
  if (range.upper === null) {
    writer.u8(NONE_BEHIND);
  } else {
    writer.u8(HERE);
    append(writer, range.upper);
    writer.u8(range.upperInclusive ? 1 : 0);
  }
}

/** Reads the key of a range. */
export function readKeyRange(from: KeyReader, typeOid: number, read: (from: KeyReader) => unknown): SqlRange {
  if (from.byte() === NONE_BEFORE) return SqlRange.none(typeOid);
  const hasLower = from.byte() === HERE;
  const lower = hasLower ? read(from) : null;
  const lowerInclusive = hasLower && from.byte() === 0;
  const hasUpper = from.byte() === HERE;
  const upper = hasUpper ? read(from) : null;
  const upperInclusive = hasUpper && from.byte() === 1;
  return new SqlRange(typeOid, false, lower, upper, lowerInclusive, upperInclusive);
}

/** Appends the key of a multirange; `append` writes the key of one range. */
export function appendKeyMultirange(writer: ByteWriter, value: SqlMultirange, append: Append): void {
  for (const range of value.ranges) {
    writer.u8(HERE);
    append(writer, range);
  }
  writer.u8(NONE_BEFORE);
}

/** Reads the key of a multirange. */
export function readKeyMultirange(from: KeyReader, typeOid: number, read: (from: KeyReader) => unknown): SqlMultirange {
  const ranges: SqlRange[] = [];
  while (from.byte() === HERE) ranges.push(read(from) as SqlRange);
  return new SqlMultirange(typeOid, ranges);
}
