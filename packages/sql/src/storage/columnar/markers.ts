/** Markers: which rows are not as their segments have them (format.ts). */
import { ByteWriter, PhantomError, compareBytes } from '@phantom/base';
import { KEY_BYTES_MAX, SPACE_BYTES, type ByteSlot, type KvCursor } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { ColumnIndex } from './column-index.js';
import { MARKER_SUFFIX_BYTES, PART_BYTES, Part, beginKey } from './format.js';

const NO_BYTES = new Uint8Array(0);
const TWO_POWER_32 = 0x1_0000_0000;
/** Where all markers are put together: no call leaves anything there for another. */
const marker = new ByteWriter();

/** Snapshot in the markers that catching up writes: no writer has it. */
export const CATCH_UP_SNAPSHOT = 0;

/** Marks a row, whose key begins with the table's space. */
export function markRow(
  transaction: MvccTransaction,
  { index, prefix }: ColumnIndex,
  rowKey: Uint8Array,
  rowKeyBytes: number,
  snapshotSeq: number,
): void {
  beginKey(marker, prefix, Part.Marker);
  marker.bytes(rowKey, SPACE_BYTES, rowKeyBytes);
  marker.u32BE(Math.floor(snapshotSeq / TWO_POWER_32));
  marker.u32BE(snapshotSeq % TWO_POWER_32);
  if (marker.length > KEY_BYTES_MAX) {
    throw new PhantomError(
      '54000',
      `index row size ${marker.length} exceeds maximum ${KEY_BYTES_MAX} for index "${index.name}"`,
    );
  }
  transaction.put(marker.buffer, 0, marker.length, NO_BYTES, 0, 0);
}

/** Walks the marked rows of a snapshot in the order of their keys, each once, however many markers it has. */
export class MarkedRows {
  /** The key of the marked row, without its space; valid until `next`. */
  readonly rowKey = new ByteWriter();
  /** False behind the last one. */
  found = false;
  /** Markers passed. */
  count = 0;
  private readonly cursor: KvCursor;
  private isBegun = false;

  /** The cursor is over the markers, or a part of them; it is this one's to close. */
  constructor(cursor: KvCursor) {
    this.cursor = cursor;
  }

  /** Moves to the next marked row. */
  next(): boolean {
    const { cursor, rowKey } = this;
    let more = cursor.next();
    while (more) {
      this.count++;
      if (!this.isBegun || !isOf(cursor.key, rowKey)) break;
      more = cursor.next();
    }
    this.found = more;
    if (!more) return false;
    this.isBegun = true;
    const { buffer, start, end } = cursor.key;
    rowKey.reset();
    rowKey.bytes(buffer, start + PART_BYTES, end - MARKER_SUFFIX_BYTES);
    return true;
  }

  /** True while it stands on a row before the bound; undefined is the end of all keys. */
  isBefore(bound: Uint8Array | undefined): boolean {
    if (!this.found || bound === undefined) return this.found;
    const { rowKey } = this;
    return compareBytes(rowKey.buffer, 0, rowKey.length, bound, 0, bound.length) < 0;
  }

  close(): void {
    this.cursor.close();
  }
}

function isOf({ buffer, start, end }: ByteSlot, rowKey: ByteWriter): boolean {
  return compareBytes(buffer, start + PART_BYTES, end - MARKER_SUFFIX_BYTES, rowKey.buffer, 0, rowKey.length) === 0;
}
