/** Batches of copies, where a cursor's entries are gone before the batch is full. */
import type { ByteWriter } from '@phantom/base';
import type { CursorBatch, KvCursor } from '@phantom/kv';

/** Bytes of copies after which a batch is handed over, however few its entries are. */
export const COPIED_BYTES_MAX = 64 * 1024;

/** Adds what a cursor stands on to a batch, as far as its reader looks at it. */
export function copyEntry(
  batch: CursorBatch,
  { key, value }: Pick<KvCursor, 'key' | 'value'>,
  copies: ByteWriter,
): void {
  const at = batch.count++;
  const keyStart = copies.length;
  if (!batch.keyless) copies.bytes(key.buffer, key.start, key.end);
  const valueStart = copies.length;
  if (!batch.valueless) copies.bytes(value.buffer, value.start, value.end);
  // A buffer that was too small for the next entry stays that of those before.
  batch.keyBuffers[at] = batch.valueBuffers[at] = copies.buffer;
  batch.keyStarts[at] = keyStart;
  batch.keyEnds[at] = batch.valueStarts[at] = valueStart;
  batch.valueEnds[at] = copies.length;
}
