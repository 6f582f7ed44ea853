/**
 * A merging cursor that follows its view's exchanges: when a delta under it has become a run, it notices before its next
 * move and goes on in the new layers from the key it stands on.
 */
import { assert } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KeyRange, type KvCursor } from '@phantom/kv';
import type { MergingCursor } from './merging-cursor.js';

/** What the cursor needs of a view. */
export interface LayeredView {
  /** Counts exchanges of layers. */
  readonly exchanges: number;
  /** A cursor over all layers as they are, with slots of its caller. */
  openCursor(range: KeyRange, key: ByteSlot, value: ByteSlot): MergingCursor;
}

const Place = { Nowhere: 0, Inside: 1, BehindEnd: 2, BeforeStart: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

export class ViewCursor implements KvCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  private readonly view: LayeredView;
  private readonly range: KeyRange;
  private merging: MergingCursor;
  private exchanges: number;
  private place: Place = Place.Nowhere;

  constructor(view: LayeredView, range: KeyRange) {
    this.view = view;
    this.range = range;
    this.exchanges = view.exchanges;
    this.merging = view.openCursor(range, this.key, this.value);
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    this.follow();
    return this.moved(this.merging.seek(key, start, end), Place.BehindEnd);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    this.follow();
    return this.moved(this.merging.seekBefore(key, start, end), Place.BeforeStart);
  }

  next(): boolean {
    if (this.place === Place.BehindEnd) return false;
    this.follow();
    return this.moved(this.merging.next(), Place.BehindEnd);
  }

  prev(): boolean {
    if (this.place === Place.BeforeStart) return false;
    this.follow();
    return this.moved(this.merging.prev(), Place.BeforeStart);
  }

  fill(batch: CursorBatch): number {
    batch.count = 0;
    if (this.place === Place.BehindEnd) return 0;
    this.follow();
    const count = this.merging.fill(batch);
    this.moved(count > 0, Place.BehindEnd);
    return count;
  }

  close(): void {
    this.merging.close();
    this.place = Place.BehindEnd;
  }

  private moved(found: boolean, otherwise: Place): boolean {
    this.place = found ? Place.Inside : otherwise;
    return found;
  }

  /** After an exchange: the same place in the new layers. Behind an end a fresh cursor is as good as the old one. */
  private follow(): void {
    if (this.exchanges === this.view.exchanges) return;
    this.exchanges = this.view.exchanges;
    const key = this.key.copy();
    this.merging.close();
    this.merging = this.view.openCursor(this.range, this.key, this.value);
    if (this.place === Place.Inside) {
      assert(this.merging.seek(key, 0, key.length), 'an entry is still there after its delta was flushed');
    }
  }
}
