/**
 * Walks a level whose runs are disjoint and in order, as if it were one run: at most one of them is open at a time, and of
 * runs outside the range none is ever touched.
 */
import { ByteSlot, type CursorBatch, type KeyRange, type Seq } from '@phantom/kv';
import type { LayerCursor } from '@phantom/runs';
import type { RunFile } from './run-file.js';
import type { Level } from './version.js';

const Place = { Nowhere: 0, Inside: 1, BehindEnd: 2, BeforeStart: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

export class LevelCursor implements LayerCursor {
  key: ByteSlot = new ByteSlot();
  value: ByteSlot = new ByteSlot();
  private readonly level: Level;
  private readonly range: KeyRange;
  private readonly seq: Seq;
  /** Runs that reach into the range are [from, to). */
  private readonly from: number;
  private readonly to: number;
  /** The open run; meaningless while `inner` is undefined. */
  private at = 0;
  private inner: LayerCursor | undefined = undefined;
  private place: Place = Place.Nowhere;

  constructor(level: Level, range: KeyRange, seq: Seq) {
    this.level = level;
    this.range = range;
    this.seq = seq;
    this.from = level.firstIn(range);
    this.to = level.endIn(range);
  }

  get removed(): boolean {
    return (this.inner as LayerCursor).removed;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    if (this.from >= this.to) return this.stop(Place.BehindEnd);
    const at = this.level.find(key, start, end);
    if (at >= this.to) return this.stop(Place.BehindEnd);
    if (at < this.from) return this.forwardFrom(this.from);
    return this.open(at).seek(key, start, end) ? this.show() : this.forwardFrom(at + 1);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    if (this.from >= this.to) return this.stop(Place.BeforeStart);
    const at = this.level.find(key, start, end);
    if (at < this.from) return this.stop(Place.BeforeStart);
    if (at >= this.to) return this.backwardFrom(this.to - 1);
    return this.open(at).seekBefore(key, start, end) ? this.show() : this.backwardFrom(at - 1);
  }

  next(): boolean {
    if (this.place === Place.Inside) {
      return (this.inner as LayerCursor).next() ? this.show() : this.forwardFrom(this.at + 1);
    }
    return this.place === Place.BehindEnd ? false : this.forwardFrom(this.from);
  }

  prev(): boolean {
    if (this.place === Place.Inside) {
      return (this.inner as LayerCursor).prev() ? this.show() : this.backwardFrom(this.at - 1);
    }
    return this.place === Place.BeforeStart ? false : this.backwardFrom(this.to - 1);
  }

  fillBefore(batch: CursorBatch, limit: ByteSlot | undefined): void {
    (this.inner as LayerCursor).fillBefore(batch, limit);
  }

  close(): void {
    this.inner?.close();
    this.inner = undefined;
    this.place = Place.BehindEnd;
  }

  /** To the first entry of the run at an index or of those behind it. */
  private forwardFrom(index: number): boolean {
    for (let at = index; at < this.to; at++) if (this.openAnew(at).next()) return this.show();
    return this.stop(Place.BehindEnd);
  }

  /** To the last entry of the run at an index or of those before it. */
  private backwardFrom(index: number): boolean {
    for (let at = index; at >= this.from; at--) if (this.openAnew(at).prev()) return this.show();
    return this.stop(Place.BeforeStart);
  }

  private open(at: number): LayerCursor {
    return this.inner !== undefined && this.at === at ? this.inner : this.openAnew(at);
  }

  /** A cursor that stands nowhere. */
  private openAnew(at: number): LayerCursor {
    this.inner?.close();
    const file = this.level.files[at] as RunFile;
    file.seekCount.seeks++;
    this.at = at;
    this.inner = file.run.cursor(this.range, this.seq);
    return this.inner;
  }

  private show(): boolean {
    const { key, value } = this.inner as LayerCursor;
    this.key = key;
    this.value = value;
    this.place = Place.Inside;
    return true;
  }

  private stop(place: Place): boolean {
    this.place = place;
    return false;
  }
}
