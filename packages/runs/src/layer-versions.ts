/** What one view of a layer shows, as versions for a merge: of each key the newest that it sees. Their seqs are not told. */
import type { ByteSlot, Seq } from '@phantom/kv';
import { type LayerCursor, type VersionCursor, VersionKind } from './layer.js';

export class LayerVersions implements VersionCursor {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  readonly seq: Seq = 0;
  readonly firstOfKey = true;
  private readonly cursor: LayerCursor;

  constructor(cursor: LayerCursor) {
    this.cursor = cursor;
    this.key = cursor.key;
    this.value = cursor.value;
  }

  get kind(): VersionKind {
    return this.cursor.removed ? VersionKind.Remove : VersionKind.Put;
  }

  next(): boolean {
    return this.cursor.next();
  }

  close(): void {
    this.cursor.close();
  }
}
