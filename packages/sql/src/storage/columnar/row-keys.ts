/**
 * The keys of a segment's rows, in order: where a marked row stands among them.
 *
 *   chunk value   u32 end of each key, then the keys without their space
 */
import { type ByteWriter, compareBytes, readU32, writeU32 } from '@phantom/base';
import { corruptColumns } from './format.js';

/** Appends the chunk of keys that stand one behind the other, each up to its end. */
export function writeRowKeys(keys: ByteWriter, ends: readonly number[], writer: ByteWriter): void {
  const at = writer.reserve(4 * ends.length);
  for (let i = 0; i < ends.length; i++) writeU32(writer.buffer, at + 4 * i, ends[i]!);
  writer.length = at + 4 * ends.length;
  writer.bytes(keys.buffer, 0, keys.length);
}

export class RowKeys {
  readonly rows: number;
  readonly bytes: Uint8Array;
  private readonly dataAt: number;

  /** Takes a chunk of so many rows over. */
  constructor(bytes: Uint8Array, rows: number) {
    this.bytes = bytes;
    this.rows = rows;
    this.dataAt = 4 * rows;
    if (this.dataAt > bytes.length || this.dataAt + this.endOf(rows - 1) > bytes.length)
      throw corruptColumns('keys of other rows');
  }

  /** Where a key begins and ends in `bytes`. */
  start(row: number): number {
    return this.dataAt + this.endOf(row - 1);
  }

  end(row: number): number {
    return this.dataAt + this.endOf(row);
  }

  /** The first row whose key is not less than the given one; `rows` when there is none. */
  seek(key: Uint8Array, keyEnd: number): number {
    let low = 0;
    let high = this.rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, key, keyEnd) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The row of the key; -1 when there is none. */
  find(key: Uint8Array, keyEnd: number): number {
    const row = this.seek(key, keyEnd);
    return row < this.rows && this.compare(row, key, keyEnd) === 0 ? row : -1;
  }

  private compare(row: number, key: Uint8Array, keyEnd: number): number {
    return compareBytes(this.bytes, this.start(row), this.end(row), key, 0, keyEnd);
  }

  private endOf(row: number): number {
    return row < 0 ? 0 : readU32(this.bytes, 4 * row);
  }
}
