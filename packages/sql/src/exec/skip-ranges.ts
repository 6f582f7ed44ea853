/**
 * Ranges of a key below each value of its first column, found one after another as they are read:
 *
 *      a1 [ ... | b = 1 |   ...   ] a2 [ ... | b = 1 |   ...   ] a3 ...
 *      ^ a search for what is behind the last value finds the next one
 */
import { ByteWriter } from '@phantom/base';
import { keyCode, keyPrefixEnd } from '@phantom/codec';
import { type KeyRange, type KvCursor, SPACE_BYTES } from '@phantom/kv';
import type { ReadSource } from './runtime.js';
import { type KeySpace, wholeRange } from './table-access.js';

/** The key from its second column on, as a space without a head: its ranges begin where the first column ends. */
export function behindFirst({ keyCode: { columns } }: KeySpace): KeySpace {
  return { prefix: new Uint8Array(0), keyCode: keyCode(columns.slice(1)) };
}

/** The ranges of `behindFirst`, ascending, below each value of the first column. */
export function* skipRanges(
  read: ReadSource,
  { prefix, keyCode: { columns } }: KeySpace,
  ranges: readonly KeyRange[],
): Generator<KeyRange, void, void> {
  if (ranges.length === 0) return;
  const first = keyCode(columns.slice(0, 1));
  const { upper: end } = wholeRange(prefix);
  let cursor: KvCursor | undefined;
  try {
    for (let lower: Uint8Array | undefined = prefix; lower !== undefined;) {
      // Where what is read is remembered, a cursor of its own passes over the keys up to the next value and no others.
      if (cursor === undefined || read.tracksReads === true) {
        cursor?.close();
        cursor = read.cursor({ lower, upper: end });
      }
      if (!cursor.seek(lower, 0, lower.length)) return;
      const { buffer, start, end: keyEnd } = cursor.key;
      const head = buffer.slice(start, first.skip(buffer, start + SPACE_BYTES, keyEnd));
      const headEnd = keyPrefixEnd(head);
      for (const range of ranges) {
        yield {
          lower: joined(head, range.lower),
          upper: range.upper === undefined ? headEnd : joined(head, range.upper),
        };
      }
      lower = headEnd;
    }
  } finally {
    cursor?.close();
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const writer = new ByteWriter(head.length + tail.length);
  writer.bytes(head);
  writer.bytes(tail);
  return writer.take();
}
