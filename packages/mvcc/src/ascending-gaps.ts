/**
 * Where nothing is: whoever inserts ascending keys asks for each of them whether it is taken, and the answer is no again and
 * again, through every layer of the store. After some keys in a row that were missing, one look at the key that comes next
 * answers for all before it.
 *
 *   view      ... | 17 |                                        | 90 | ...
 *   asked          18 19 20 21 ► a cursor finds 90:  22 ... 89 are not there
 *
 * A gap is what one view shows; another view makes it void. A cursor costs some lookups, so a space in which gaps turn out
 * narrow is asked less and less often: the number of keys that must ascend first doubles.
 */
import { compareBytes } from '@phantom/base';
import { type KeyRange, SPACE_BYTES, prefixEnd, spaceOfKey } from '@phantom/kv';
import type { StoreView } from '@phantom/store';

/** Ascending keys in a row before the first look at what comes next. */
const PATIENCE_MIN = 4;
const PATIENCE_MAX = 1024;
/** Keys that a gap must have answered for to have been worth its cursor. */
const SERVED_MIN = 8;
/** Spaces that are remembered: a table and its unique indexes. */
const SPACES_MAX = 16;
const NO_BYTES = new Uint8Array(0);

class Gap {
  /** What shows the gap; undefined while there is none. */
  view: StoreView | undefined = undefined;
  /** Inclusive; the exclusive end is undefined when nothing follows at all. */
  lower: Uint8Array = NO_BYTES;
  upper: Uint8Array | undefined = undefined;
  /** The last key that was missing, by which the next one ascends. */
  last: Uint8Array = NO_BYTES;
  ascending = 0;
  patience = PATIENCE_MIN;
  served = 0;
}

export class AscendingGaps {
  private readonly spaces = new Map<number, Gap>();

  /** True when the view is known not to have the key. */
  covers(view: StoreView, key: Uint8Array, start: number, end: number): boolean {
    const gap = this.spaces.get(spaceOfKey(key, start));
    if (gap === undefined || gap.view !== view) return false;
    const { lower, upper } = gap;
    if (compareBytes(key, start, end, lower, 0, lower.length) < 0) return false;
    if (upper !== undefined && compareBytes(key, start, end, upper, 0, upper.length) >= 0) return false;
    gap.served++;
    return true;
  }

  /** The view was asked for the key and does not have it. */
  missed(view: StoreView, key: Uint8Array, start: number, end: number): void {
    const gap = this.gapOf(spaceOfKey(key, start));
    const { last } = gap;
    gap.ascending = compareBytes(key, start, end, last, 0, last.length) > 0 ? gap.ascending + 1 : 0;
    if (last.length === end - start) for (let i = 0; i < last.length; i++) last[i] = key[start + i] as number;
    else gap.last = key.slice(start, end);
    if (gap.ascending < gap.patience) return;
    gap.ascending = 0;
    gap.patience = gap.served >= SERVED_MIN ? PATIENCE_MIN : Math.min(gap.patience * 2, PATIENCE_MAX);
    gap.served = 0;
    gap.view = view;
    gap.lower = key.slice(start, end);
    gap.upper = nextKey(view, {
      lower: gap.lower,
      upper: prefixEnd(key.subarray(start, start + SPACE_BYTES)),
    });
  }

  private gapOf(space: number): Gap {
    let gap = this.spaces.get(space);
    if (gap === undefined) {
      if (this.spaces.size === SPACES_MAX) this.spaces.clear();
      gap = new Gap();
      this.spaces.set(space, gap);
    }
    return gap;
  }
}

/** The first key of the range that the view has, otherwise its end. */
function nextKey(view: StoreView, range: KeyRange): Uint8Array | undefined {
  const cursor = view.cursor(range);
  try {
    return cursor.next() ? cursor.key.copy() : range.upper;
  } finally {
    cursor.close();
  }
}
