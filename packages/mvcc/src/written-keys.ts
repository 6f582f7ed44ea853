/**
 * The keys that a commit has written, in a form that can be held against what others have read: the keys of its batch with
 * their hashes, and the ranges it has removed. While the commit is queued it borrows the batch's bytes; `keep` copies the
 * keys, without their values, for as long as somebody may still have to know.
 */
import { BatchReader, type KeyRange, OperationKind } from '@phantom/kv';
import { keyHash } from './key-hash.js';

const ENTRY_BYTES = 16;

interface RemovedRange {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
}

export class WrittenKeys {
  bytes: Uint8Array;
  /** Start and end of each key in `bytes`. */
  readonly starts: Int32Array;
  readonly hashes: Float64Array;
  readonly count: number;
  readonly ranges: readonly RemovedRange[];

  /** Borrows the finished bytes of a batch. Keys of what was put aside are known by ranges that hold them (`touched`). */
  constructor(batch: Uint8Array, touched: readonly KeyRange[] = []) {
    const reader = new BatchReader().setBatch(batch);
    const starts = new Int32Array(2 * reader.count);
    const hashes = new Float64Array(reader.count);
    const ranges: RemovedRange[] = touched.map(({ lower, upper }) => ({ lower, upper: upper as Uint8Array }));
    let count = 0;
    while (reader.next()) {
      const { keyStart, keyEnd } = reader;
      if (reader.kind === OperationKind.RemoveRange) {
        ranges.push({ lower: batch.slice(keyStart, keyEnd), upper: batch.slice(reader.valueStart, reader.valueEnd) });
        continue;
      }
      starts[2 * count] = keyStart;
      starts[2 * count + 1] = keyEnd;
      hashes[count++] = keyHash(batch, keyStart, keyEnd);
    }
    this.bytes = batch;
    this.starts = starts;
    this.hashes = hashes;
    this.count = count;
    this.ranges = ranges;
  }

  /** Memory it takes once kept. */
  get bytesKept(): number {
    let bytes = this.count * ENTRY_BYTES;
    for (let i = 0; i < this.count; i++) bytes += (this.starts[2 * i + 1] as number) - (this.starts[2 * i] as number);
    return bytes;
  }

  /** Copies the keys out of the borrowed bytes. */
  keep(): void {
    const { starts, count } = this;
    const kept = new Uint8Array(this.bytesKept - count * ENTRY_BYTES);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const start = starts[2 * i] as number;
      const end = starts[2 * i + 1] as number;
      kept.set(this.bytes.subarray(start, end), at);
      starts[2 * i] = at;
      at += end - start;
      starts[2 * i + 1] = at;
    }
    this.bytes = kept;
  }

  key(index: number): Uint8Array {
    return this.bytes.slice(this.starts[2 * index], this.starts[2 * index + 1]);
  }
}
