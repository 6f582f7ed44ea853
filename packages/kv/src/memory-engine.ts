/**
 * An engine in memory, with nothing on disk: for temporary tables, for `:memory:` databases and for tests of the floors
 * above. It keeps every invariant of the contract but durability: what is applied counts as flushed at once, so that it
 * never holds the log.
 *
 * Snapshots are real: old versions stay while a view may need them (versioned-map.ts). Range removals are carried out key
 * by key when they are applied; there are no files below that would have to be hidden. Dead bytes are collected by
 * copying what lives into a fresh arena, at the end of a batch, once they are half of all: each byte is then copied
 * about once per time it is overwritten. Cursors notice and find their key again.
 *
 * `bytesMax` bounds the bytes in use when a batch is admitted, counting twice the batch's own size. A batch of very small
 * operations takes more than that (up to eleven times its bytes) and may overrun the limit once; the next is refused. A
 * sixteenth on top is kept for batches that only remove, so that a full engine can be emptied.
 */
import { PhantomError, SqlState, assert, compareBytes, unsupportedError } from '@phantom/base';
import { ArenaTreeCursor } from './arena-tree-cursor.js';
import { NONE } from './arena-node.js';
import { ByteSlot, type CursorBatch, type EngineStats, type Finding, type KvCursor, type KvEngine } from './engine.js';
import type { KvView, RangeEstimate, SortedRunRef } from './engine.js';
import type { KeyRange } from './key-range.js';
import { SEQ_NONE, type Seq } from './seq.js';
import { EngineCode, engineOfKey } from './space.js';
import { type VersionHorizon, VersionedMap } from './versioned-map.js';
import { type BatchReader, OperationKind } from './write-batch.js';

export interface MemoryEngineOptions {
  /** Whose spaces it keeps. Default EngineCode.Memory; tests let it stand in for another engine. */
  readonly code?: EngineCode;
  /** Default `memory`. */
  readonly name?: string;
  /** Bytes in use past which `admit` refuses with 53200. Default 256 MiB. */
  readonly bytesMax?: number;
}

const BYTES_MAX_DEFAULT = 256 * 1024 * 1024;
/** Fewer dead bytes than this are not worth a copy. */
const COLLECT_BYTES_MIN = 64 * 1024;
/** What a batch is expected to take for each byte of its room: itself, and as much again in tables. */
const ADMIT_FACTOR = 2;
/** The share of bytesMax that is kept for batches that only remove. */
const RESERVE_DIVISOR = 16;

export class MemoryEngine implements KvEngine {
  readonly name: string;
  private readonly code: EngineCode;
  private readonly bytesMax: number;
  private map = new VersionedMap(0);
  private applied: Seq = SEQ_NONE;
  /** The seq of the batch that is being applied in slices, SEQ_NONE between batches. */
  private applying: Seq = SEQ_NONE;
  private reservedBytes = 0;
  /** Seqs of live views, ascending. */
  private readonly viewSeqs: Seq[] = [];
  /** Released views may have left versions that only a collection finds. */
  private releasedViews = false;
  /** What the last collection left though it is not shown any more: views hold it. */
  private pinnedBytes = 0;
  private collections = 0;
  private collectedBytes = 0;
  /** Which versions must stay. One object, so that applying allocates nothing. */
  private readonly horizon: { floor: Seq; readonly viewSeqs: readonly Seq[] };

  constructor(options: MemoryEngineOptions = {}) {
    this.name = options.name ?? 'memory';
    this.code = options.code ?? EngineCode.Memory;
    this.bytesMax = options.bytesMax ?? BYTES_MAX_DEFAULT;
    this.horizon = { floor: SEQ_NONE, viewSeqs: this.viewSeqs };
  }

  get appliedSeq(): Seq {
    return this.applied;
  }

  /** The present map; replaced by a collection. */
  get current(): VersionedMap {
    return this.map;
  }

  admit(room: number, usesReserve = false): Promise<void> | undefined {
    const refusal = this.reserve(room, usesReserve);
    return refusal === undefined ? undefined : Promise.reject(refusal);
  }

  admitNow(room: number, usesReserve = false): void {
    const refusal = this.reserve(room, usesReserve);
    if (refusal !== undefined) throw refusal;
  }

  unadmit(room: number): void {
    this.reservedBytes = Math.max(0, this.reservedBytes - room * ADMIT_FACTOR);
  }

  apply(batch: BatchReader, seq: Seq, operationsMax: number): boolean {
    if (seq <= this.applied) return true;
    assert(this.applying === SEQ_NONE || this.applying === seq, 'a batch was begun before the last one was complete');
    this.applying = seq;
    // Everything up to here is published by now (invariant 7 of the contract).
    this.horizon.floor = this.applied;
    for (let i = 0; i < operationsMax; i++) {
      if (!batch.next()) break;
      if (engineOfKey(batch.bytes, batch.keyStart) === this.code) this.applyOperation(batch, seq);
    }
    if (batch.position < batch.count) return false;
    this.applying = SEQ_NONE;
    this.applied = seq;
    this.unadmit(batch.room);
    const deadBytes = this.map.deadBytes - this.pinnedBytes;
    if (deadBytes > COLLECT_BYTES_MIN && deadBytes > this.map.bytes / 2) this.collect();
    return true;
  }

  advance(seq: Seq): void {
    assert(this.applying === SEQ_NONE, 'a batch was begun and not completed');
    if (seq > this.applied) {
      this.horizon.floor = this.applied;
      this.applied = seq;
    }
  }

  view(seq: Seq): KvView {
    assert(seq <= this.applied, 'a view shows what is applied');
    assert(seq >= this.horizon.floor, 'a view is never older than an earlier one, nor than what was published');
    const { viewSeqs } = this;
    viewSeqs.push(seq);
    this.horizon.floor = seq;
    return new MemoryView(this, seq);
  }

  /** Called by a view when it is released. */
  forgetView(seq: Seq): void {
    const at = this.viewSeqs.lastIndexOf(seq);
    assert(at >= 0, 'a view was released twice');
    this.viewSeqs.splice(at, 1);
    this.releasedViews = true;
  }

  sortedWriter(): undefined {
    return undefined;
  }

  spill(): undefined {
    return undefined;
  }

  ingest(_files: readonly SortedRunRef[], _seq: Seq): void {
    throw unsupportedError('bulk load of files into a memory engine');
  }

  estimate(range: KeyRange): RangeEstimate {
    const { tree, arena } = this.map;
    const share = Math.max(0, this.fraction(range.upper, 1) - this.fraction(range.lower, 0));
    return { keys: Math.round(share * tree.count), bytes: Math.round(share * arena.length) };
  }

  split(range: KeyRange, parts: number): KeyRange[] {
    const { tree } = this.map;
    const ranges: KeyRange[] = [];
    const from = this.fraction(range.lower, 0);
    const to = this.fraction(range.upper, 1);
    let lower = range.lower;
    for (let part = 1; part < parts && tree.count > 0; part++) {
      const entry = tree.entryAtFraction(from + ((to - from) * part) / parts);
      const cut = tree.keys.slice(tree.keyStart(entry), tree.keyEnd(entry));
      const inside =
        compareBytes(cut, 0, cut.length, lower, 0, lower.length) > 0 &&
        (range.upper === undefined || compareBytes(cut, 0, cut.length, range.upper, 0, range.upper.length) < 0);
      if (!inside) continue;
      ranges.push({ lower, upper: cut });
      lower = cut;
    }
    ranges.push({ lower, upper: range.upper });
    return ranges;
  }

  flushedSeq(): Seq {
    return this.applied;
  }

  flush(): Promise<Seq> {
    return Promise.resolve(this.applied);
  }

  flushNow(): Seq {
    return this.applied;
  }

  stats(): EngineStats {
    return {
      name: this.name,
      deltaBytes: this.map.bytes,
      frozenDeltas: 0,
      runs: 0,
      fileBytes: 0,
      cacheBytes: 0,
      pagesRead: 0,
      bytesRead: 0,
      cacheHits: 0,
      flushes: 0,
      merges: this.collections,
      bytesFlushed: 0,
      bytesMerged: this.collectedBytes,
      openViews: this.viewSeqs.length,
      oldestViewSeq: this.viewSeqs[0] ?? this.applied,
      damage: [],
    };
  }

  /** Nothing is stored, so nothing can have rotted. */
  check(): Iterable<Finding> {
    return [];
  }

  close(): Promise<void> {
    this.map = new VersionedMap(0);
    return Promise.resolve();
  }

  private applyOperation(batch: BatchReader, seq: Seq): void {
    const { map, horizon } = this;
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = batch;
    if (batch.kind === OperationKind.Put) {
      map.put(bytes, keyStart, keyEnd, bytes, valueStart, valueEnd, seq, horizon);
    } else if (batch.kind === OperationKind.Remove) {
      map.remove(bytes, keyStart, keyEnd, seq, horizon);
    } else {
      removeRange(map, batch, seq, horizon);
    }
  }

  /** Sets room aside, or says why not. */
  private reserve(bytes: number, usesReserve: boolean): PhantomError | undefined {
    const limit = usesReserve ? this.bytesMax + this.bytesMax / RESERVE_DIVISOR : this.bytesMax;
    const need = this.reservedBytes + bytes * ADMIT_FACTOR;
    const mayCollect = this.applying === SEQ_NONE && (this.releasedViews || this.map.deadBytes > this.pinnedBytes);
    if (this.map.bytes + need > limit && mayCollect) this.collect();
    if (this.map.bytes + need > limit) {
      return new PhantomError(SqlState.OutOfMemory, `the ${this.name} engine is full`, {
        detail: `A batch of ${bytes} bytes does not fit: ${this.map.bytes} of ${this.bytesMax} bytes are in use.`,
        hint: 'Remove data, release old snapshots or give the engine more memory.',
        data: { bytes, bytesInUse: this.map.bytes, bytesReserved: this.reservedBytes, bytesMax: this.bytesMax },
      });
    }
    this.reservedBytes = need;
    return undefined;
  }

  private collect(): void {
    this.map = this.map.collect(this.horizon);
    this.pinnedBytes = this.map.deadBytes;
    this.releasedViews = false;
    this.collections++;
    this.collectedBytes += this.map.bytes;
  }

  private fraction(bound: Uint8Array | undefined, open: number): number {
    return bound === undefined ? open : this.map.tree.fractionBelow(bound, 0, bound.length);
  }
}

/** Removes what the map holds inside the batch's present range, key by key. */
function removeRange(map: VersionedMap, batch: BatchReader, seq: Seq, horizon: VersionHorizon): void {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd } = batch;
  const { tree } = map;
  const at = tree.descend(bytes, keyStart, keyEnd);
  let slot = at >= 0 ? at : ~at;
  for (let leaf = tree.descentLeaf; leaf !== NONE; leaf = tree.nextLeaf(leaf), slot = 0) {
    for (const count = tree.leafCount(leaf); slot < count; slot++) {
      const entry = tree.entryAt(leaf, slot);
      const start = tree.keyStart(entry);
      if (compareBytes(tree.keys, start, tree.keyEnd(entry), bytes, valueStart, valueEnd) >= 0) return;
      map.removeEntry(entry, seq, horizon);
    }
  }
}

class MemoryView implements KvView {
  readonly seq: Seq;
  private readonly engine: MemoryEngine;
  private released = false;

  constructor(engine: MemoryEngine, seq: Seq) {
    this.engine = engine;
    this.seq = seq;
  }

  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    assert(!this.released, 'a released view is read');
    const map = this.engine.current;
    const entry = map.tree.find(key, start, end);
    if (entry === NONE) return false;
    const version = map.versionAt(entry, this.seq);
    if (version === NONE) return false;
    value.set(map.arena.buffer, map.valueStart(version), map.valueEnd(version));
    return true;
  }

  cursor(range: KeyRange): KvCursor {
    assert(!this.released, 'a released view is read');
    return new MemoryCursor(this.engine, this.seq, range);
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    this.engine.forgetView(this.seq);
  }
}

/** Where a cursor stands. */
const Place = { Fresh: 0, Entry: 1, Before: 2, Behind: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

class MemoryCursor implements KvCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  private readonly engine: MemoryEngine;
  private readonly seq: Seq;
  private readonly lower: Uint8Array;
  private readonly upper: Uint8Array | undefined;
  private map: VersionedMap;
  private walk: ArenaTreeCursor;
  private place: Place = Place.Fresh;

  constructor(engine: MemoryEngine, seq: Seq, range: KeyRange) {
    this.engine = engine;
    this.seq = seq;
    this.lower = range.lower;
    this.upper = range.upper;
    this.map = engine.current;
    this.walk = new ArenaTreeCursor(this.map.tree);
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    this.follow();
    const { lower } = this;
    const isBelow = compareBytes(key, start, end, lower, 0, lower.length) < 0;
    const found = isBelow ? this.walk.seek(lower, 0, lower.length) : this.walk.seek(key, start, end);
    return this.settleForward(found);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    this.follow();
    const { upper } = this;
    const isAbove = upper !== undefined && compareBytes(key, start, end, upper, 0, upper.length) > 0;
    const found = isAbove ? this.walk.seekBefore(upper, 0, upper.length) : this.walk.seekBefore(key, start, end);
    return this.settleBackward(found);
  }

  next(): boolean {
    if (this.place === Place.Behind) return false;
    if (this.place !== Place.Entry) return this.seek(this.lower, 0, this.lower.length);
    this.follow();
    return this.settleForward(this.walk.next());
  }

  prev(): boolean {
    if (this.place === Place.Before) return false;
    if (this.place === Place.Entry) {
      this.follow();
      return this.settleBackward(this.walk.prev());
    }
    if (this.upper !== undefined) return this.seekBefore(this.upper, 0, this.upper.length);
    this.follow();
    return this.settleBackward(this.walk.last());
  }

  fill(batch: CursorBatch): number {
    let count = 0;
    while (count < batch.capacity && this.next()) {
      batch.keyBuffers[count] = this.key.buffer;
      batch.keyStarts[count] = this.key.start;
      batch.keyEnds[count] = this.key.end;
      batch.valueBuffers[count] = this.value.buffer;
      batch.valueStarts[count] = this.value.start;
      batch.valueEnds[count] = this.value.end;
      count++;
    }
    // The walk looked one step too far: back to the last entry that was handed out.
    if (count > 0 && this.place === Place.Behind) this.prev();
    batch.count = count;
    return count;
  }

  close(): void {
    this.place = Place.Behind;
  }

  /** After a collection the entries have other ids in another tree: goes to the same key there. */
  private follow(): void {
    const map = this.engine.current;
    if (map === this.map) return;
    this.map = map;
    this.walk = new ArenaTreeCursor(map.tree);
    if (this.place === Place.Entry) this.walk.seek(this.key.buffer, this.key.start, this.key.end);
  }

  /** From where the walk stands to the first entry that this view shows. */
  private settleForward(found: boolean): boolean {
    const { walk, upper } = this;
    const { tree } = walk;
    for (let more = found; more; more = walk.next()) {
      const { entry } = walk;
      if (upper !== undefined) {
        if (compareBytes(tree.keys, tree.keyStart(entry), tree.keyEnd(entry), upper, 0, upper.length) >= 0) break;
      }
      if (this.show(entry)) return true;
    }
    this.place = Place.Behind;
    return false;
  }

  private settleBackward(found: boolean): boolean {
    const { walk, lower } = this;
    const { tree } = walk;
    for (let more = found; more; more = walk.prev()) {
      const { entry } = walk;
      if (compareBytes(tree.keys, tree.keyStart(entry), tree.keyEnd(entry), lower, 0, lower.length) < 0) break;
      if (this.show(entry)) return true;
    }
    this.place = Place.Before;
    return false;
  }

  private show(entry: number): boolean {
    const { map } = this;
    const version = map.versionAt(entry, this.seq);
    if (version === NONE) return false;
    const { buffer } = map.arena;
    this.key.set(buffer, map.tree.keyStart(entry), map.tree.keyEnd(entry));
    this.value.set(buffer, map.valueStart(version), map.valueEnd(version));
    this.place = Place.Entry;
    return true;
  }
}
