/**
 * Which keys were touched, in bounded memory: ranges that together hold all of them. Keys come in their order; so many in a
 * row are one range, and whenever there are too many ranges, neighbours of the same space become one and rows get longer.
 */
import { copyBytes } from '@phantom/base';
import { type KeyRange, keyAfter, spaceOfKey } from '@phantom/kv';

/** Ranges that are kept, one for each space if there are more of those: whoever writes meanwhile is held against each. */
const RANGES_MAX = 64;
/** Keys in a row that are one range, at first. */
const KEYS_PER_RANGE_MIN = 64;

interface Row {
  readonly lower: Uint8Array;
  /** Its last key; of the last row, `last` has it. */
  upper: Uint8Array;
  keys: number;
}

export class TouchedRanges {
  private readonly removed: KeyRange[] = [];
  private rows: Row[] = [];
  private keysPerRange = KEYS_PER_RANGE_MIN;
  private last = new Uint8Array(256);
  private lastBytes = 0;

  /** A range that was touched whole, in any order. */
  addRange(lower: Uint8Array, upper: Uint8Array): void {
    this.removed.push({ lower, upper });
  }

  /** The next key. */
  addKey(key: Uint8Array, start: number, end: number): void {
    const row = this.rows.at(-1);
    if (row !== undefined && row.keys < this.keysPerRange && spaceOfKey(row.lower, 0) === spaceOfKey(key, start)) {
      row.keys++;
    } else {
      this.endRow();
      const lower = key.slice(start, end);
      this.rows.push({ lower, upper: lower, keys: 1 });
      if (this.rows.length > RANGES_MAX) this.join();
    }
    const bytes = end - start;
    if (bytes > this.last.length) this.last = new Uint8Array(bytes * 2);
    this.lastBytes = copyBytes(key, start, end, this.last, 0);
  }

  ranges(): readonly KeyRange[] {
    this.endRow();
    return [...this.removed, ...this.rows.map(({ lower, upper }) => ({ lower, upper: keyAfter(upper) }))];
  }

  private endRow(): void {
    const row = this.rows.at(-1);
    if (row !== undefined && this.lastBytes > 0) row.upper = this.last.slice(0, this.lastBytes);
  }

  /** Makes pairs of neighbours one, but for those of two spaces. */
  private join(): void {
    const joined: Row[] = [];
    for (const row of this.rows) {
      const before = joined.at(-1);
      const isPair = before !== undefined && before.keys + row.keys <= 2 * this.keysPerRange;
      if (isPair && spaceOfKey(before.lower, 0) === spaceOfKey(row.lower, 0)) {
        before.upper = row.upper;
        before.keys += row.keys;
      } else {
        joined.push(row);
      }
    }
    this.rows = joined;
    this.keysPerRange *= 2;
  }
}
