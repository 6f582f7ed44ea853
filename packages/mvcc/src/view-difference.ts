/** Where two views of one range differ: what a constraint was told by the newer of them, and all else was not. */
import { compareBytes } from '@phantom/base';
import type { ByteSlot, KeyRange, KvView } from '@phantom/kv';

/** The first key that one of them has and the other has not, or has with another value; undefined when they are alike. */
export function firstDifference(older: KvView, newer: KvView, range: KeyRange): Uint8Array | undefined {
  const [before, after] = [older.cursor(range), newer.cursor(range)];
  try {
    for (;;) {
      const wasThere = before.next();
      const isThere = after.next();
      if (!wasThere || !isThere) {
        if (wasThere === isThere) return undefined;
        return wasThere ? before.key.copy() : after.key.copy();
      }
      const order = compareSlots(before.key, after.key);
      if (order !== 0) return order < 0 ? before.key.copy() : after.key.copy();
      if (compareSlots(before.value, after.value) !== 0) return after.key.copy();
    }
  } finally {
    before.close();
    after.close();
  }
}

function compareSlots(a: ByteSlot, b: ByteSlot): number {
  return compareBytes(a.buffer, a.start, a.end, b.buffer, b.start, b.end);
}
