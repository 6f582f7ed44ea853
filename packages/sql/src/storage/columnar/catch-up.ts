/**
 * Takes rows into a column index: all of a table when the index is made, and the marked ones when it catches up. Catching up
 * writes the segment of the first marked row anew, with the rows that its keys have by then, and removes their markers: one
 * segment with what has joined it at a time, each in a transaction of its own, so it can stop after any of them. Where little is left of
 * a segment, those behind it that fit in with it are written anew, too, as one: many deletes leave few segments.
 *
 * It never waits for who writes the table, nor they for it: it reads a snapshot, and removes the markers that the snapshot shows.
 * A row that is written meanwhile has a marker that it does not know of, and keeps it.
 */
import { ByteWriter } from '@phantom/base';
import { type KeyRange, type KvCursor, prefixEnd } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { TimeSlice, Yielded } from '../../exec/runtime.js';
import type { TypeContext, Value } from '../../types/type.js';
import type { ColumnIndex } from './column-index.js';
import { Part, ROW_KEYS_PLACE, beginKey, chunkKey } from './format.js';
import { CATCH_UP_SNAPSHOT, MarkedRows, markRow } from './markers.js';
import type { RowKeys } from './row-keys.js';
import { type Segment, SegmentReader, nextSegment, segmentAround } from './segments.js';
import { SegmentWriter } from './segment-writer.js';
import { ColumnCache } from './column-cache.js';

/** Rows between two looks at the clock. */
const ROWS_BETWEEN_CHECKS = 256;
/** Segments that one transaction fills at most. */
const SEGMENTS_MAX = 4;
/** Segments that are made one, and how full that may be for sure: what was changed and is still there comes on top. */
const MERGED_SEGMENTS_MAX = 16;
const MERGED_SHARE_MAX = 0.5;

/** What the work needs of its session. */
export interface TakingIn {
  readonly evaluation: TypeContext;
  readonly slice: TimeSlice;
}

/** Writes the segments of a table whose index is new. The cursor is over its rows; nobody else writes it. */
export function* takeTable(
  transaction: MvccTransaction,
  index: ColumnIndex,
  cursor: KvCursor,
  session: TakingIn,
): Generator<Yielded, void, void> {
  const writer = new SegmentWriter(transaction, index, 1);
  yield* takeRows(index, cursor, writer, session, Infinity);
  writer.finish();
}

/**
 * Takes in the marked rows around the first one from a row key on. Gives the key where the next call goes on; undefined when there is
 * nothing behind it. The transaction is at a snapshot of its own (repeatable read) and has the table locked against changes of its
 * definition; committing is the caller's.
 */
export function* catchUpSome(
  transaction: MvccTransaction,
  index: ColumnIndex,
  from: Uint8Array,
  session: TakingIn,
): Generator<Yielded, Uint8Array | undefined, void> {
  const first = firstMarked(transaction, index, from);
  if (first === undefined) return undefined;
  const { segments, upper } = segmentsAround(transaction, index, first);
  const { lower } = segments[0] as Segment;
  const reader = new SegmentReader(transaction, index, new ColumnCache(0));
  // What no segment owns has a place among them, but no chunks.
  const written = segments.filter(({ rows }) => rows > 0);
  const keys = written.map((segment) => reader.rowKeys(segment));
  const next = nextSegment(transaction, index);
  for (const segment of written) removeSegment(transaction, index, segment);
  const cursor = transaction.cursor(rowsBetween(index, lower, upper));
  const writer = new SegmentWriter(transaction, index, next, lower);
  let stoppedAt: Uint8Array | undefined;
  try {
    stoppedAt = yield* takeRows(index, cursor, writer, session, SEGMENTS_MAX * index.segmentRows);
  } finally {
    cursor.close();
  }
  writer.finish();
  removeMarkers(transaction, index, lower, stoppedAt ?? upper);
  if (stoppedAt !== undefined) for (const gone of keys) markFrom(transaction, index, gone, stoppedAt);
  return stoppedAt ?? upper;
}

/** The segment that owns a row key, and those behind it that are to be one with it. */
function segmentsAround(
  transaction: MvccTransaction,
  index: ColumnIndex,
  rowKey: Uint8Array,
): { readonly segments: readonly Segment[]; readonly upper: Uint8Array | undefined } {
  let { segment, upper } = segmentAround(transaction, index, rowKey);
  const segments = [segment];
  let left = unmarkedRows(transaction, index, segment, upper);
  while (upper !== undefined && segments.length < MERGED_SEGMENTS_MAX) {
    const lower: Uint8Array = upper;
    ({ segment, upper } = segmentAround(transaction, index, lower));
    left += unmarkedRows(transaction, index, segment, upper);
    if (left > index.segmentRows * MERGED_SHARE_MAX) return { segments, upper: lower };
    segments.push(segment);
  }
  return { segments, upper };
}

/** Rows that a segment has for sure: of those that are marked, it is not known. */
function unmarkedRows(
  transaction: MvccTransaction,
  index: ColumnIndex,
  { lower, rows }: Segment,
  upper: Uint8Array | undefined,
): number {
  const marked = new MarkedRows(transaction.cursor(markersBetween(index, lower, upper)));
  let count = 0;
  try {
    while (marked.next()) count++;
  } finally {
    marked.close();
  }
  return Math.max(0, rows - count);
}

/** Adds rows of the cursor to the writer; answers the key, without its space, of the first for which there was no room. */
function* takeRows(
  { table, positions }: ColumnIndex,
  cursor: KvCursor,
  writer: SegmentWriter,
  { evaluation, slice }: TakingIn,
  rowsMax: number,
): Generator<Yielded, Uint8Array | undefined, void> {
  const row: Value[] = [];
  for (let rows = 0; cursor.next(); rows++) {
    const { key, value } = cursor;
    if (rows === rowsMax) return key.buffer.slice(key.start + table.prefix.length, key.end);
    table.decodeColumns(positions, value.buffer, value.start, value.end, row, evaluation);
    writer.add(row, key.buffer, key.start, key.end, value.end - value.start);
    if (rows % ROWS_BETWEEN_CHECKS === 0 && slice.due()) yield undefined;
  }
  return undefined;
}

function firstMarked(transaction: MvccTransaction, index: ColumnIndex, from: Uint8Array): Uint8Array | undefined {
  const marked = new MarkedRows(transaction.cursor(markersBetween(index, from, undefined)));
  try {
    return marked.next() ? marked.rowKey.take() : undefined;
  } finally {
    marked.close();
  }
}

function removeSegment(transaction: MvccTransaction, { prefix, columns }: ColumnIndex, segment: Segment): void {
  const key = new ByteWriter();
  beginKey(key, prefix, Part.Directory);
  key.bytes(segment.lower);
  transaction.remove(key.buffer, 0, key.length);
  for (let place = 0; place <= columns.length; place++) {
    chunkKey(key, prefix, segment.number, place === columns.length ? ROW_KEYS_PLACE : place);
    transaction.remove(key.buffer, 0, key.length);
  }
}

/** Removes the markers that the snapshot shows of the row keys from `lower` up to `upper`. */
function removeMarkers(
  transaction: MvccTransaction,
  index: ColumnIndex,
  lower: Uint8Array,
  upper: Uint8Array | undefined,
): void {
  const cursor = transaction.cursor(markersBetween(index, lower, upper));
  try {
    while (cursor.next()) transaction.remove(cursor.key.buffer, cursor.key.start, cursor.key.end);
  } finally {
    cursor.close();
  }
}

/** Marks the rows of a segment that is gone from a key on: they are in no segment now. */
function markFrom(transaction: MvccTransaction, index: ColumnIndex, keys: RowKeys, from: Uint8Array): void {
  const rowKey = new ByteWriter();
  for (let row = keys.seek(from, from.length); row < keys.rows; row++) {
    rowKey.reset();
    rowKey.bytes(index.table.prefix);
    rowKey.bytes(keys.bytes, keys.start(row), keys.end(row));
    markRow(transaction, index, rowKey.buffer, rowKey.length, CATCH_UP_SNAPSHOT);
  }
}

/** The markers of the row keys from `lower` up to `upper`; undefined is the end of all. */
function markersBetween({ prefix, markers }: ColumnIndex, lower: Uint8Array, upper: Uint8Array | undefined): KeyRange {
  const keyOf = (rowKey: Uint8Array): Uint8Array => {
    const key = new ByteWriter();
    beginKey(key, prefix, Part.Marker);
    key.bytes(rowKey);
    return key.take();
  };
  return { lower: keyOf(lower), upper: upper === undefined ? markers.upper : keyOf(upper) };
}

/** The rows of the table with these keys. */
function rowsBetween({ table: { prefix } }: ColumnIndex, lower: Uint8Array, upper: Uint8Array | undefined): KeyRange {
  const keyOf = (rowKey: Uint8Array): Uint8Array => {
    const key = new ByteWriter();
    key.bytes(prefix);
    key.bytes(rowKey);
    return key.take();
  };
  return { lower: keyOf(lower), upper: upper === undefined ? prefixEnd(prefix) : keyOf(upper) };
}
