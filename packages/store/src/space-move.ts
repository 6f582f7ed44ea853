/**
 * Moving spaces: every key of a space is written again under another space, of another engine if need be, while readers
 * and writers of the old one go on. A table's `SET (engine = ...)` stands on it.
 *
 *      old space   a b c d e f | g h i j k ...          new space   a b c d e f
 *                   copied ────┘└── not yet
 *
 *   copy      the next stretch of keys is read from a view of this moment and committed to the new space
 *   follow    a commit that touches a copied key is written down here when it is published, and committed to the new
 *             space right after; one that touches a later key is not, since the view of that key's stretch will show it
 *
 * The first stretch of a space is a commit like any other; what a large space has beyond goes into files that the engine
 * takes over whole (bulk-load.ts), in keys' order as it comes, past log and memory. While such a file grows everything that
 * is written to copied keys waits for it; it ends early when that becomes much.
 *
 * So no view is held for long and the log is not held back at all. What is written down is bounded: past
 * MOVE_PENDING_BYTES_MAX `admit` lets writers wait until the copy has caught up. The copies are commits like any other,
 * but nobody waits for their sync: log order makes them durable with whatever commit follows them. Nobody may read the
 * new space before such a commit says so; that commit, and clearing away half-made copies after a crash, are the owner's
 * affair.
 *
 * Invariants:
 *   1. Between two steps the new spaces, with the open file and what is written down, hold exactly the copied part of the old
 *      ones as of visibleSeq.
 *   2. A stretch is submitted, or the file that has it, before anything that was written down after its view was taken.
 */
import { assert, compareBytes, copyBytes } from '@phantom/base';
import {
  BatchReader,
  type EngineCode,
  OperationKind,
  SPACE_BYTES,
  type Seq,
  type SpaceId,
  WriteBatch,
  engineOfSpace,
  spaceOfKey,
  spaceRange,
  writeSpace,
} from '@phantom/kv';
import type { BulkLoad } from './bulk-load.js';
import { type LoadRecord, touchesRange } from './load-record.js';
import { MOVE_FILE_BYTES, MOVE_PENDING_BYTES_MAX, MOVE_STRETCH_BYTES } from './options.js';
import type { StoreView } from './types.js';

/** A space and the one that takes its place. */
export interface SpacePair {
  readonly from: SpaceId;
  readonly to: SpaceId;
}

/** A move under way. Its owner keeps others from removing ranges in the old spaces, and from writing to the new ones. */
export interface SpaceMove {
  /** True once every key has been copied; later commits are still followed. */
  readonly isCopied: boolean;
  /** True when the new spaces hold what the old ones hold as of visibleSeq. */
  readonly isCaughtUp: boolean;
  /** Bytes committed to the new spaces so far. */
  readonly bytesCopied: number;
  /** The store's visibleSeq: what the new spaces hold once all is caught up. */
  readonly seq: Seq;
  /**
   * Copies one stretch and what was written down; resolves when both are published. Rejects as `admit` and `submit` do;
   * the move can then only be ended.
   */
  step(): Promise<void>;
  /** As step, on this thread. */
  stepNow(): void;
  /** Goes on until the new spaces hold everything that was submitted before the call. */
  settle(): Promise<void>;
  /** Follows no more. The new spaces stay as they are. Safe to call twice. */
  end(): void;
}

/** What a move asks of its store. */
export interface MoveHost {
  readonly visibleSeq: Seq;
  view(): StoreView;
  /** Resolves when everything submitted so far is published. */
  drain(): Promise<void>;
  /** Commits, and resolves when that is published. The batch may be used again then. */
  commit(batch: WriteBatch): Promise<void>;
  commitNow(batch: WriteBatch): void;
  /** Undefined for an engine that has no files. */
  beginLoad(code: EngineCode): BulkLoad | undefined;
  ended(move: SpaceMover): void;
}

export class SpaceMover implements SpaceMove {
  bytesCopied = 0;
  private readonly host: MoveHost;
  private readonly pairs: readonly SpacePair[];
  /** Place of an old space in `pairs`. */
  private readonly places = new Map<SpaceId, number>();
  private readonly engines: number;
  /** Pairs before this one are copied whole. */
  private place = 0;
  /** Last key copied of the present pair's old space; undefined before the first. */
  private position: Uint8Array | undefined = undefined;
  private readonly stretch = new WriteBatch();
  private readonly reader = new BatchReader();
  /** Files that the rest of the present pair goes to. */
  private load: BulkLoad | undefined = undefined;
  private pending = new WriteBatch();
  private following = new WriteBatch();
  private key = new Uint8Array(256);
  private whenRoom: (() => void)[] = [];
  private isEnded = false;
  /** The pair from which on everything is to be copied again. */
  private againFrom: number | undefined = undefined;

  constructor(host: MoveHost, pairs: readonly SpacePair[]) {
    this.host = host;
    this.pairs = pairs;
    let engines = 0;
    pairs.forEach(({ from }, place) => {
      this.places.set(from, place);
      engines |= 1 << engineOfSpace(from);
    });
    this.engines = engines;
  }

  get isCopied(): boolean {
    return this.place === this.pairs.length && this.againFrom === undefined;
  }

  get isCaughtUp(): boolean {
    return this.isCopied && this.pending.count === 0 && this.load === undefined;
  }

  async step(): Promise<void> {
    const load = this.copyStretch();
    if (load !== undefined) {
      await load.commit();
      this.load = undefined;
    }
    for (const batch of this.batches()) {
      await this.host.commit(batch);
      this.copied(batch);
    }
    this.stepped();
  }

  stepNow(): void {
    const load = this.copyStretch();
    if (load !== undefined) {
      load.commitNow();
      this.load = undefined;
    }
    for (const batch of this.batches()) {
      this.host.commitNow(batch);
      this.copied(batch);
    }
    this.stepped();
  }

  async settle(): Promise<void> {
    await this.host.drain();
    while (!this.isCaughtUp) await this.step();
  }

  get seq(): Seq {
    return this.host.visibleSeq;
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.load?.discard();
    this.load = undefined;
    this.pending.reset();
    this.host.ended(this);
    this.letWritersGo();
  }

  /** What writers of the store must wait for: undefined unless too much is written down while there is more to copy. */
  stall(): Promise<void> | undefined {
    if (!this.isAhead) return undefined;
    return new Promise((resolve) => this.whenRoom.push(resolve));
  }

  /** A commit is being published: writes down what it does to copied keys. The reader stands before its first operation. */
  observe(reader: BatchReader): void {
    if ((reader.engines & this.engines) === 0) return;
    while (reader.next()) {
      const place = this.places.get(spaceOfKey(reader.bytes, reader.keyStart));
      if (reader.kind === OperationKind.RemoveRange) this.followRange(reader);
      else if (place !== undefined && this.hasCopied(place, reader))
        this.follow(reader, (this.pairs[place] as SpacePair).to);
    }
  }

  /**
   * Bulk loads are being published: which of the copied keys they touch is in no batch, so the first pair that has any is
   * copied again, with those behind it.
   */
  observeLoads(loads: readonly LoadRecord[]): void {
    const touched = this.pairs.findIndex(({ from }) => loads.some((load) => touchesRange(load, spaceRange(from))));
    const isCopied = touched < this.place || (touched === this.place && this.position !== undefined);
    if (touched >= 0 && isCopied) this.againFrom = Math.min(this.againFrom ?? touched, touched);
  }

  private copied(batch: WriteBatch): void {
    this.bytesCopied += batch.bytes;
    batch.reset();
  }

  /** Writers outrun the copy. Once that is complete nobody is held up any more: its owner may be waiting for them. */
  private get isAhead(): boolean {
    return !this.isEnded && !this.isCopied && this.pending.bytes >= MOVE_PENDING_BYTES_MAX;
  }

  private letWritersGo(): void {
    if (this.isAhead) return;
    for (const resolve of this.whenRoom.splice(0)) resolve();
  }

  private takePending(): WriteBatch {
    const { pending } = this;
    this.pending = this.following;
    this.following = pending;
    return pending;
  }

  /** Copies the next stretch; the files that are complete with it, if any are: they are to be committed at once. */
  private copyStretch(): BulkLoad | undefined {
    if (this.againFrom !== undefined) {
      this.beginAgain(this.againFrom);
      return undefined;
    }
    const { load, place } = this;
    this.readStretch();
    if (load === undefined) return undefined;
    const { stretch, reader } = this;
    reader.setBatch(stretch.finish());
    while (reader.next()) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = reader;
      load.put(bytes, keyStart, keyEnd, bytes, valueStart, valueEnd);
    }
    this.copied(stretch);
    const isPressed = this.pending.bytes * 2 >= MOVE_PENDING_BYTES_MAX;
    return this.place > place || isPressed || load.bytes >= MOVE_FILE_BYTES ? load : undefined;
  }

  /** Removes what was copied from a pair on, behind what is written down; the next step copies its first stretch. */
  private beginAgain(place: number): void {
    this.load?.discard();
    this.load = undefined;
    for (const { to } of this.pairs.slice(place)) {
      const { lower, upper } = spaceRange(to);
      this.pending.removeRange(lower, upper as Uint8Array);
    }
    this.place = place;
    this.position = undefined;
    this.againFrom = undefined;
  }

  /** What is to be committed as it is, in this order. */
  private *batches(): Iterable<WriteBatch> {
    if (this.stretch.count > 0) yield this.stretch;
    if (this.load !== undefined) return;
    const pending = this.takePending();
    if (pending.count > 0) yield pending;
  }

  /** Begins files when the present pair has more than a stretch. */
  private stepped(): void {
    if (this.load === undefined && this.position !== undefined) {
      this.load = this.host.beginLoad(engineOfSpace((this.pairs[this.place] as SpacePair).to));
    }
    this.letWritersGo();
  }

  /** Reads the next stretch from a view of this moment into the batch; from here on its keys count as copied. */
  private readStretch(): void {
    const { stretch, pairs, place, load } = this;
    assert(!this.isEnded, 'a move that has ended goes no further');
    if (this.isCopied) return;
    const view = this.host.view();
    try {
      // Files are of one pair.
      const isWanted = (): boolean => !this.isCopied && (load === undefined || this.place === place);
      while (isWanted() && stretch.bytes < MOVE_STRETCH_BYTES) this.copyFrom(view, pairs[this.place] as SpacePair);
    } finally {
      view.release();
    }
  }

  private copyFrom(view: StoreView, { from, to }: SpacePair): void {
    const { stretch } = this;
    const cursor = view.cursor(spaceRange(from));
    try {
      let hasKey = this.position === undefined ? cursor.next() : this.seekBehind(cursor, this.position);
      for (; hasKey; hasKey = cursor.next()) {
        const { key, value } = cursor;
        const length = this.translate(key.buffer, key.start, key.end, to);
        stretch.put(this.key, 0, length, value.buffer, value.start, value.end);
        if (stretch.bytes >= MOVE_STRETCH_BYTES) {
          this.position = key.copy();
          return;
        }
      }
    } finally {
      cursor.close();
    }
    this.place++;
    this.position = undefined;
  }

  private seekBehind(cursor: ReturnType<StoreView['cursor']>, position: Uint8Array): boolean {
    if (!cursor.seek(position, 0, position.length)) return false;
    const { buffer, start, end } = cursor.key;
    return compareBytes(buffer, start, end, position, 0, position.length) > 0 || cursor.next();
  }

  private hasCopied(place: number, { bytes, keyStart, keyEnd }: BatchReader): boolean {
    if (place !== this.place) return place < this.place;
    const { position } = this;
    return position !== undefined && compareBytes(bytes, keyStart, keyEnd, position, 0, position.length) <= 0;
  }

  private follow(reader: BatchReader, to: SpaceId): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = reader;
    const length = this.translate(bytes, keyStart, keyEnd, to);
    if (reader.kind === OperationKind.Put) this.pending.put(this.key, 0, length, bytes, valueStart, valueEnd);
    else this.pending.remove(this.key, 0, length);
  }

  /** A range may cover a part of an old space, or several; keys not copied yet are not there to be removed. */
  private followRange(reader: BatchReader): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = reader;
    for (const { from, to } of this.pairs) {
      const space = spaceRange(from);
      const upper = space.upper as Uint8Array;
      const startsInside = compareBytes(bytes, keyStart, keyEnd, space.lower, 0, SPACE_BYTES) > 0;
      const endsInside = compareBytes(bytes, valueStart, valueEnd, upper, 0, upper.length) < 0;
      if (startsInside && compareBytes(bytes, keyStart, keyEnd, upper, 0, upper.length) >= 0) continue;
      if (endsInside && compareBytes(bytes, valueStart, valueEnd, space.lower, 0, SPACE_BYTES) <= 0) continue;
      const target = spaceRange(to);
      const first = startsInside ? this.translated(bytes, keyStart, keyEnd, to) : target.lower;
      const last = endsInside ? this.translated(bytes, valueStart, valueEnd, to) : (target.upper as Uint8Array);
      this.pending.removeRange(first, last);
    }
  }

  private translated(bytes: Uint8Array, start: number, end: number, to: SpaceId): Uint8Array {
    return this.key.slice(0, this.translate(bytes, start, end, to));
  }

  /** The key under another space, into `key`; returns its length. */
  private translate(bytes: Uint8Array, start: number, end: number, to: SpaceId): number {
    const length = end - start;
    if (length > this.key.length) this.key = new Uint8Array(length * 2);
    copyBytes(bytes, start, end, this.key, 0);
    writeSpace(this.key, 0, to);
    return length;
  }
}
