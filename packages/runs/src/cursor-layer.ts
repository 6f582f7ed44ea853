/** The cursor of a whole view as the lowest layer of a merge. What it fills it copies, since its own references end with its next move. */
import { ByteWriter } from '@phantom/base';
import type { ByteSlot, CursorBatch, KvCursor } from '@phantom/kv';
import type { LayerCursor } from './layer.js';

const CHUNK_BYTES = 64 * 1024;

export class CursorLayer implements LayerCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  readonly removed = false;
  private readonly cursor: KvCursor;
  private closed: (() => void) | undefined;
  /** Copied entries; whoever was given them keeps a full one alive. */
  private chunk = new ByteWriter(0);

  /** When it is closed it closes the cursor, and says so once. */
  constructor(cursor: KvCursor, closed: () => void) {
    this.cursor = cursor;
    this.closed = closed;
    this.key = cursor.key;
    this.value = cursor.value;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    return this.cursor.seek(key, start, end);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    return this.cursor.seekBefore(key, start, end);
  }

  next(): boolean {
    return this.cursor.next();
  }

  prev(): boolean {
    return this.cursor.prev();
  }

  fillBefore(batch: CursorBatch, _limit: ByteSlot | undefined): void {
    const { key, value } = this;
    const bytes = key.end - key.start + value.end - value.start;
    if (this.chunk.length + bytes > this.chunk.buffer.length) this.chunk = new ByteWriter(Math.max(CHUNK_BYTES, bytes));
    const { chunk } = this;
    const keyStart = chunk.length;
    chunk.bytes(key.buffer, key.start, key.end);
    const valueStart = chunk.length;
    chunk.bytes(value.buffer, value.start, value.end);
    const i = batch.count++;
    batch.keyBuffers[i] = chunk.buffer;
    batch.keyStarts[i] = keyStart;
    batch.keyEnds[i] = valueStart;
    batch.valueBuffers[i] = chunk.buffer;
    batch.valueStarts[i] = valueStart;
    batch.valueEnds[i] = chunk.length;
  }

  close(): void {
    this.cursor.close();
    this.closed?.();
    this.closed = undefined;
  }
}
