/**
 * The operations of a write set on keys that it had written before: each with the one before it on its key, in order of offset.
 *
 *   row   [ offset | entry of the key | offset of the operation before ]
 */
import { NONE } from '@phantom/kv';

const ROW_WORDS = 3;
const ROWS_MIN = 16;

export class OlderOperations {
  private rows = new Int32Array(0);
  private count = 0;

  /** The operation at an offset, which lies behind all others, is not the first on the key of an entry. */
  add(offset: number, entry: number, before: number): void {
    const at = this.count++ * ROW_WORDS;
    if (at === this.rows.length) {
      const grown = new Int32Array(Math.max(this.rows.length * 2, ROWS_MIN * ROW_WORDS));
      grown.set(this.rows);
      this.rows = grown;
    }
    this.rows[at] = offset;
    this.rows[at + 1] = entry;
    this.rows[at + 2] = before;
  }

  /** Offset of the operation on the same key before the one at an offset; NONE when that was its first. */
  before(offset: number): number {
    const { rows } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((rows[middle * ROW_WORDS] as number) < offset) low = middle + 1;
      else high = middle;
    }
    const at = low * ROW_WORDS;
    return low < this.count && rows[at] === offset ? (rows[at + 2] as number) : NONE;
  }

  /** Forgets the operations from an offset on, the newest first; `undo` is told what came before each on the key of its entry. */
  truncate(offset: number, undo: (entry: number, before: number) => void): void {
    const { rows } = this;
    for (; this.count > 0; this.count--) {
      const at = (this.count - 1) * ROW_WORDS;
      if ((rows[at] as number) < offset) return;
      undo(rows[at + 1] as number, rows[at + 2] as number);
    }
  }

  clear(): void {
    this.count = 0;
  }
}
