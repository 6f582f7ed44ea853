/** A cursor whose moves are counted: one scan of several that stands for the others. */
import type { ByteSlot, CursorBatch, KvCursor } from '@phantom/kv';

export class FollowedCursor implements KvCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly cursor: KvCursor;
  private readonly use: { rowsScanned: number };
  private readonly weight: number;

  /** Adds `weight` to the use for each row that the cursor comes to. */
  constructor(cursor: KvCursor, use: { rowsScanned: number }, weight: number) {
    this.cursor = cursor;
    this.key = cursor.key;
    this.value = cursor.value;
    this.use = use;
    this.weight = weight;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    return this.counted(this.cursor.seek(key, start, end));
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    return this.counted(this.cursor.seekBefore(key, start, end));
  }

  next(): boolean {
    return this.counted(this.cursor.next());
  }

  prev(): boolean {
    return this.counted(this.cursor.prev());
  }

  fill(batch: CursorBatch): number {
    const count = this.cursor.fill(batch);
    this.use.rowsScanned += count * this.weight;
    return count;
  }

  close(): void {
    this.cursor.close();
  }

  private counted(isThere: boolean): boolean {
    if (isThere) this.use.rowsScanned += this.weight;
    return isThere;
  }
}
