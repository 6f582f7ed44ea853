/**
 * Bulk loads for the archive. The log names their files, which engines merge and remove; so what is archived is what their ranges
 * hold in a view: everything in them goes, and what the view shows takes its place. With the view of the load's own commit that is the load.
 * With a later one it has later commits in it as well, which are archived again behind it: right again from there on.
 */
import { WriteBatch, CursorBatch, keyAfter } from '@phantom/kv';
import type { LoadRecord } from '../load-record.js';
import type { StoreView } from '../types.js';

/** Entries of a view read at once. */
const BATCH_ENTRIES = 128;
/** A part of a load: what a restore has in memory of it. */
const PART_BYTES = 256 * 1024;

/** The loads as batches, at least one; the bytes are valid until the next one. */
export function* loadBatches(
  loads: readonly LoadRecord[],
  view: StoreView,
): Generator<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  const entries = new CursorBatch(BATCH_ENTRIES);
  const batch = new WriteBatch();
  for (const { firstKey, lastKey } of loads) batch.removeRange(firstKey, keyAfter(lastKey));
  for (const { firstKey, lastKey } of loads) {
    const cursor = view.cursor({ lower: firstKey, upper: keyAfter(lastKey) });
    try {
      while (cursor.fill(entries) > 0) {
        for (let i = 0; i < entries.count; i++) put(batch, entries, i);
        if (batch.bytes < PART_BYTES) continue;
        yield { bytes: batch.finish(), isLast: false };
        batch.reset();
      }
    } finally {
      cursor.close();
    }
  }
  yield { bytes: batch.finish(), isLast: true };
}

function put(
  batch: WriteBatch,
  { keyBuffers, keyStarts, keyEnds, valueBuffers, valueStarts, valueEnds }: CursorBatch,
  i: number,
): void {
  batch.put(
    keyBuffers[i] as Uint8Array,
    keyStarts[i] as number,
    keyEnds[i] as number,
    valueBuffers[i] as Uint8Array,
    valueStarts[i] as number,
    valueEnds[i] as number,
  );
}
