/**
 * What a transaction has written so far: the bytes of its commit, and an index over them.
 *
 * The operations lie in a WriteBatch, in the order in which they were made, so committing encodes nothing again. A place
 * in that log is an offset, and offsets are the command ids: a statement sees the operations before the offset at which it
 * began, a savepoint is the offset to truncate back to, a cursor shows what lay before the offset at which it was opened.
 *
 *   batch   | put a | put b | remove a | put c | put a | ...
 *   index     key -> offset of its newest operation        (up to 8 operations: looked through one by one;
 *                                                           then an arena tree whose keys are the batch's own bytes,
 *                                                           but none for ascending puts until somebody looks among them)
 *   older     (offset, entry, offset of the one before)    only for keys that were written again, in order of offset
 *
 * Range removals are kept in a list beside: they are rare and few.
 *
 * Most large transactions put ascending keys, each once. Such a write set is put aside sooner than others, as a file that an engine
 * can take over as it is, and its memory is used again for what comes next: so a load of any size needs little of it. What
 * else there is before (a table that is emptied, rows of another one) becomes a run of its own.
 *
 * What memory should not hold is put aside on disk (kv's SpilledWrites), and the transaction goes on in another write set
 * over it. To the outside offsets go on, too: a place is an offset behind all that was put aside.
 *
 *   places   8 ──────── put aside ──────── base + 8 ──── batch ──── place
 *
 * Invariants:
 *   1. After truncate(mark) every answer is what it was when the mark was taken.
 *   2. A write set that was put aside is not changed any more, since cursors may still show it; only where nobody was ever shown
 *      anything of it is its memory used again.
 */
import { type SpareMemory, compareBytes, equalBytes, readVarint, varintBytes } from '@phantom/base';
import {
  ArenaTree,
  type ByteSlot,
  ArenaTreeCursor,
  BATCH_HEADER_BYTES,
  BatchMark,
  BatchReader,
  type KeyRange,
  NONE,
  OperationKind,
  type SpillWriter,
  type SpilledWrites,
  type ValueSource,
  WriteBatch,
  Written,
} from '@phantom/kv';
import type { HashTable } from './hash-table.js';
import { keyHash } from './key-hash.js';
import { OlderOperations } from './older-operations.js';

/** Operations that are looked through one by one; a tree costs more than it saves below that. */
const SCANNED_MAX = 8;
/** Operations that a tree has room for at first, where nobody expects more. */
const TREE_CAPACITY = 4 * SCANNED_MAX;
/** Operations from which on an engine is offered the tree. */
const TREE_OPERATIONS_MIN = 1024;
/** Keys that are put aside between two looks at the clock. */
const KEYS_PER_YIELD = 128;
/** Write sets whose buffers are larger are not kept whole for the next transaction. */
const KEPT_BYTES_MAX = 64 * 1024;
/** Buffers above this are given to the store, where an engine may keep them as they are; others are lent to it. */
const LENT_BYTES_MAX = 64 * 1024 * 1024;
/** Of a write set whose tail is in order what may lie before the tail: that is put aside by itself. */
const FRONT_SHARE_MAX = 1 / 4;
/** Place behind every operation: sees everything. */
export const EVERYTHING = Number.MAX_SAFE_INTEGER;
/** Place before every operation: sees nothing. */
export const NOTHING = BATCH_HEADER_BYTES;
const NO_RANGES: readonly KeyRange[] = [];

export interface RangeRemoval {
  readonly offset: number;
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
}

/** A place to go back to; `mark` fills it. */
export class WriteMark {
  place: number = NOTHING;
  readonly batch = new BatchMark();
}

export class WriteSet {
  readonly batch: WriteBatch;
  readonly ranges: RangeRemoval[] = [];
  /** Reads single operations: where `aim` has stood it. */
  readonly found = new BatchReader();
  /** What has to be added to an offset in the batch to have its place. */
  base = 0;
  /** What was put aside before; its places lie before those of the batch. */
  spilled: SpilledWrites | undefined = undefined;
  /** How often something was forgotten: places are given again then. */
  truncations = 0;
  /** From this offset on there is nothing but puts without notes, each of a greater key than all before it. */
  private orderedFrom = NOTHING;
  /** Somebody may have been handed out bytes of the batch. */
  private wasShown = false;
  /** Ranges that hold every key of what was put aside, once that is known: when it is about to be committed. */
  touched: readonly KeyRange[] = NO_RANGES;
  /** Offsets of point operations while there are few. */
  private readonly scanned = new Int32Array(SCANNED_MAX);
  private scannedCount = 0;
  /** The last of more operations than those, where all are in order and nobody has needed a tree yet; NONE otherwise. */
  private lastInRow = NONE;
  /** Where the key of that one lies. */
  private lastKeyStart = 0;
  private lastKeyEnd = 0;
  private tree: ArenaTree | undefined;
  /** A tree whose memory is used again once one is needed. */
  private spareTree: ArenaTree | undefined;
  /** Operations that a tree has room for when it is made. */
  private treeCapacity = TREE_CAPACITY;
  private readonly older = new OlderOperations();

  /** Grows into what is spare. */
  constructor(spare?: SpareMemory) {
    this.batch = new WriteBatch(undefined, spare);
  }

  /** Of the batch, and of what was put aside. */
  get bytes(): number {
    return this.batch.bytes + (this.spilled?.bytes ?? 0);
  }

  /** Where the next operation goes. */
  get place(): number {
    return this.base + this.batch.bytes;
  }

  get isEmpty(): boolean {
    return this.batch.count === 0 && this.spilled === undefined;
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    note?: Uint8Array,
  ): void {
    if (note !== undefined) this.endRow();
    const offset = this.batch.put(key, keyStart, keyEnd, value, valueStart, valueEnd, note);
    this.index(offset, keyEnd - keyStart, note === undefined);
    if (note !== undefined) this.orderedFrom = this.batch.bytes;
  }

  /** As put of the value that `source` writes. False when the batch would have more than `bytesMax` bytes: nothing has changed then. */
  putFrom(key: Uint8Array, keyStart: number, keyEnd: number, source: ValueSource, bytesMax: number): boolean {
    const offset = this.batch.putFrom(key, keyStart, keyEnd, source, bytesMax);
    if (offset === NONE) return false;
    this.index(offset, keyEnd - keyStart, true);
    return true;
  }

  /** So many operations are to come, of so many bytes: makes room for them at once. */
  expect(bytes: number, operations: number): void {
    this.batch.makeRoom(bytes);
    this.treeCapacity = Math.max(TREE_CAPACITY, this.batch.count + operations);
    this.tree?.makeRoom(operations);
  }

  remove(key: Uint8Array, start: number, end: number, note?: Uint8Array): void {
    this.endRow();
    this.index(this.batch.remove(key, start, end, note), end - start, false);
    this.orderedFrom = this.batch.bytes;
  }

  removeRange(lower: Uint8Array, upper: Uint8Array): void {
    this.endRow();
    const offset = this.batch.removeRange(lower, upper);
    this.orderedFrom = this.batch.bytes;
    this.ranges.push({ offset, lower: lower.slice(), upper: upper.slice() });
  }

  /** What the operations before the place `limit` say about a key; on Written.Put, `value` refers to what was put. */
  lookup(key: Uint8Array, start: number, end: number, limit: number, value: ByteSlot): Written {
    const offsetLimit = limit - this.base;
    const offset = this.offsetOf(key, start, end, offsetLimit);
    if (this.ranges.length > 0 && this.isInRemovedRange(key, start, end, offset, offsetLimit)) return Written.Removed;
    if (offset !== NONE) {
      if (this.aim(offset) !== OperationKind.Put) return Written.Removed;
      this.wasShown = true;
      value.set(this.batch.buffer, this.found.valueStart, this.found.valueEnd);
      return Written.Put;
    }
    return this.spilled === undefined ? Written.Unknown : this.spilled.lookup(key, start, end, limit, value);
  }

  /** Shows a copy of the key's newest value; false when it was removed. Only for a key that was written. */
  show(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    if (this.lookup(key, start, end, EVERYTHING, value) !== Written.Put) return false;
    const copy = value.copy();
    value.set(copy, 0, copy.length);
    return true;
  }

  /**
   * Puts everything aside, and yields now and then; `check` is called before it counts. Returns the write set in which its
   * transaction goes on. Throws what the disk or the check refuses it with; then, and where it is not taken to its end,
   * nothing has changed. The hashes of the keys go into the table, if there is one.
   */
  *puttingAside(spilled: SpilledWrites, hashes: HashTable | undefined, check: () => void): Generator<void, WriteSet> {
    if (this.tree === undefined && this.lastInRow === NONE) this.plant();
    const { base, place, tailFrom } = this;
    const runs: SpillWriter[] = [];
    try {
      if (tailFrom > NOTHING) runs.push(spilled.begin(base + NOTHING, base + tailFrom));
      if (base + tailFrom < place) runs.push(spilled.begin(base + tailFrom, place, true));
      yield* this.writingTo(runs[0] as SpillWriter, runs.at(-1) as SpillWriter, tailFrom, hashes);
      check();
      endAll(runs, () => spilled.truncate(base + NOTHING));
    } finally {
      for (const run of runs) run.discard();
    }
    const next = new WriteSet();
    next.base = this.place - NOTHING;
    next.spilled = spilled;
    if (!this.wasShown) next.inherit(this);
    return next;
  }

  /** True when most of it would become a file that an engine can take over: its keys ascend, and lie behind all that was put aside. */
  get continuesInOrder(): boolean {
    const { spilled, batch, tailFrom } = this;
    if ((this.tree === undefined && this.lastInRow === NONE) || tailFrom === batch.bytes) return false;
    if (spilled === undefined) return true;
    const keyStart = keyStartAt(batch.buffer, tailFrom);
    return spilled.isBehind(batch.buffer, keyStart, keyStart + keyBytesAt(batch.buffer, tailFrom));
  }

  /** Where the tail begins that is put aside in order: the end where that is too little of it all. */
  private get tailFrom(): number {
    const { orderedFrom, batch } = this;
    return orderedFrom === NOTHING || orderedFrom < batch.bytes * FRONT_SHARE_MAX ? orderedFrom : batch.bytes;
  }

  /** Goes on in the memory of one that nobody reads any more. */
  private inherit(other: WriteSet): void {
    this.batch.adopt(other.batch.surrender());
    this.spareTree = other.tree ?? other.spareTree;
    this.spareTree?.clear();
    other.tree = undefined;
  }

  /** Frees what is on disk; nothing reads it any more. */
  close(): void {
    this.spilled?.close();
    this.spilled = undefined;
  }

  /** Writes again into another write set what was written here to keys of the range. */
  copyInto(target: WriteSet, range: KeyRange): void {
    const bytes = this.batch.finish();
    const reader = this.found.setBatch(bytes);
    while (reader.next()) {
      const { kind, keyStart, keyEnd, valueStart, valueEnd } = reader;
      if (kind === OperationKind.RemoveRange)
        target.removeRange(bytes.subarray(keyStart, keyEnd), bytes.subarray(valueStart, valueEnd));
      else if (!isInRange(bytes, keyStart, keyEnd, range)) continue;
      else if (kind === OperationKind.Put) target.put(bytes, keyStart, keyEnd, bytes, valueStart, valueEnd);
      else target.remove(bytes, keyStart, keyEnd);
    }
  }

  /** Stands `found` on the operation at an offset and returns its kind. */
  aim(offset: number): OperationKind {
    this.found.readAt(this.batch.buffer, offset, this.batch.bytes);
    return this.found.kind;
  }

  /** True when a range removal of the batch between two offsets covers the key: it came after `from` and before `limit`. */
  isInRemovedRange(key: Uint8Array, start: number, end: number, from: number, limit: number): boolean {
    for (const range of this.ranges) {
      if (range.offset <= from || range.offset >= limit) continue;
      if (compareBytes(key, start, end, range.lower, 0, range.lower.length) < 0) continue;
      if (compareBytes(key, start, end, range.upper, 0, range.upper.length) < 0) return true;
    }
    return false;
  }

  /** True when any operation touches a key of the range. */
  touches(range: KeyRange): boolean {
    const { lower, upper } = range;
    for (const removed of this.ranges) {
      const endsBefore = compareBytes(removed.upper, 0, removed.upper.length, lower, 0, lower.length) <= 0;
      const beginsBehind =
        upper !== undefined && compareBytes(removed.lower, 0, removed.lower.length, upper, 0, upper.length) >= 0;
      if (!endsBefore && !beginsBehind) return true;
    }
    return this.touchesInBatch(range) || this.spilled?.touches(range) === true;
  }

  private touchesInBatch(range: KeyRange): boolean {
    const { lower } = range;
    const { batch } = this;
    if (this.lastInRow !== NONE) {
      if (this.isBehindRow(lower, 0, lower.length)) return false;
      this.plant();
    }
    const { tree } = this;
    if (tree === undefined) {
      for (let i = 0; i < this.scannedCount; i++) {
        this.aim(this.scanned[i] as number);
        if (isInRange(batch.buffer, this.found.keyStart, this.found.keyEnd, range)) return true;
      }
      return false;
    }
    const cursor = new ArenaTreeCursor(tree);
    if (!cursor.seek(lower, 0, lower.length)) return false;
    return isInRange(batch.buffer, tree.keyStart(cursor.entry), tree.keyEnd(cursor.entry), range);
  }

  /** Where it ends now, into `mark`. */
  mark(mark = new WriteMark()): WriteMark {
    mark.place = this.place;
    this.batch.mark(mark.batch);
    return mark;
  }

  /** Forgets everything written since the mark. */
  truncate({ place, batch }: WriteMark): void {
    this.truncations++;
    if (place - batch.length === this.base) this.truncateBatch(batch);
    else this.goBackInto(place);
  }

  /** The mark was taken before what it marked was put aside: of that the front stays. */
  private goBackInto(place: number): void {
    const spilled = this.spilled as SpilledWrites;
    this.empty();
    this.base = place - NOTHING;
    spilled.truncate(place);
    if (spilled.runs === 0) this.close();
  }

  private truncateBatch(mark: BatchMark): void {
    this.endRow();
    const { tree, ranges } = this;
    while (ranges.length > 0 && (ranges.at(-1) as RangeRemoval).offset >= mark.length) ranges.pop();
    if (tree === undefined) {
      while (this.scannedCount > 0 && (this.scanned[this.scannedCount - 1] as number) >= mark.length)
        this.scannedCount--;
    } else {
      this.older.truncate(mark.length, (entry, before) => tree.setPayload(entry, before));
      // Entries are numbered in the order of their keys' places in the batch; those behind the mark are the youngest.
      let count = tree.count;
      while (count > 0 && tree.keyStart(count - 1) >= mark.length) count--;
      tree.truncate(count);
    }
    this.batch.truncate(mark);
    this.orderedFrom = Math.min(this.orderedFrom, this.batch.bytes);
  }

  /** True when others may write into its memory once its transaction has ended: until then the store has it on loan. */
  get isLent(): boolean {
    return this.batch.buffer.length <= LENT_BYTES_MAX;
  }

  /** The tree over all keys of the batch, where there are so many that an engine may rather copy it than make its own. */
  get worthwhileTree(): ArenaTree | undefined {
    return this.batch.count >= TREE_OPERATIONS_MIN && this.ranges.length === 0 ? this.tree : undefined;
  }

  /** True when another transaction may have it as it is afterwards; of a larger one that is lent the memory is worth keeping. */
  get isReusable(): boolean {
    return this.base === 0 && this.batch.buffer.length <= KEPT_BYTES_MAX;
  }

  /** Ready for another transaction. It must be reusable. */
  reset(): void {
    this.empty();
  }

  private empty(): void {
    this.batch.reset();
    this.ranges.length = 0;
    this.scannedCount = 0;
    this.lastInRow = NONE;
    this.tree = undefined;
    this.treeCapacity = TREE_CAPACITY;
    this.older.clear();
    this.orderedFrom = NOTHING;
    this.wasShown = false;
  }

  /** The tree once there is one; for cursors. */
  get entries(): ArenaTree | undefined {
    this.wasShown = true;
    this.endRow();
    return this.tree;
  }

  /** Every operation in the order of keys, and of a key the youngest first: those before an offset to one run, the others to another. */
  private *writingTo(
    front: SpillWriter,
    tail: SpillWriter,
    tailFrom: number,
    hashes: HashTable | undefined,
  ): Iterable<void> {
    const { batch, found, base, ranges } = this;
    if (this.lastInRow !== NONE) return yield* this.writingRowTo(tail, hashes);
    for (const { offset, lower, upper } of ranges) front.removeRange(lower, upper, base + offset);
    const tree = this.tree as ArenaTree;
    const walk = new ArenaTreeCursor(tree);
    const { buffer } = batch;
    let untilYield = KEYS_PER_YIELD;
    for (let more = walk.first(); more; more = walk.next()) {
      hashes?.set(keyHash(buffer, tree.keyStart(walk.entry), tree.keyEnd(walk.entry)), 1, 0);
      for (let offset = tree.payload(walk.entry); offset !== NONE; offset = this.older.before(offset)) {
        const run = offset < tailFrom ? front : tail;
        if (this.aim(offset) === OperationKind.Put) {
          run.put(buffer, found.keyStart, found.keyEnd, base + offset, buffer, found.valueStart, found.valueEnd);
        } else {
          run.remove(buffer, found.keyStart, found.keyEnd, base + offset);
        }
      }
      if (--untilYield > 0) continue;
      untilYield = KEYS_PER_YIELD;
      yield;
    }
  }

  /** The same where all of them are in order. Whoever looks among them meanwhile does not disturb it. */
  private *writingRowTo(run: SpillWriter, hashes: HashTable | undefined): Iterable<void> {
    const { batch, found, base, lastInRow } = this;
    const { buffer } = batch;
    let untilYield = KEYS_PER_YIELD;
    for (let offset = NOTHING; offset <= lastInRow;) {
      this.aim(offset);
      const { keyStart, keyEnd, valueStart, valueEnd } = found;
      hashes?.set(keyHash(buffer, keyStart, keyEnd), 1, 0);
      run.put(buffer, keyStart, keyEnd, base + offset, buffer, valueStart, valueEnd);
      offset = valueEnd;
      if (--untilYield > 0) continue;
      untilYield = KEYS_PER_YIELD;
      yield;
    }
  }

  /** Offset of an entry's newest operation before `limit`, NONE when all came later. */
  offsetOfEntry(entry: number, limit: number): number {
    let offset = (this.tree as ArenaTree).payload(entry);
    while (offset >= limit && offset !== NONE) offset = this.older.before(offset);
    return offset;
  }

  /** Offsets of the newest operation before `limit` on each key of a small write set, in key order. */
  scannedInOrder(limit: number): number[] {
    this.wasShown = true;
    const { batch, scanned } = this;
    const offsets: number[] = [];
    for (let i = this.scannedCount - 1; i >= 0; i--) {
      const offset = scanned[i] as number;
      if (offset < limit && !offsets.some((other) => this.compareKeysAt(other, offset) === 0)) offsets.push(offset);
    }
    return batch.count === 0 ? offsets : offsets.sort((a, b) => this.compareKeysAt(a, b));
  }

  private compareKeysAt(a: number, b: number): number {
    const { buffer } = this.batch;
    const aStart = keyStartAt(buffer, a);
    const bStart = keyStartAt(buffer, b);
    return compareBytes(buffer, aStart, aStart + keyBytesAt(buffer, a), buffer, bStart, bStart + keyBytesAt(buffer, b));
  }

  private offsetOf(key: Uint8Array, start: number, end: number, limit: number): number {
    if (this.lastInRow !== NONE) {
      if (this.isBehindRow(key, start, end)) return NONE;
      this.plant();
    }
    const { tree } = this;
    if (tree !== undefined) {
      // Ascending inserts ask for each key before they write it.
      if (tree.isBehindLast(key, start, end) || tree.isInGap(key, start, end)) return NONE;
      const entry = tree.find(key, start, end);
      return entry === NONE ? NONE : this.offsetOfEntry(entry, limit);
    }
    const { buffer } = this.batch;
    for (let i = this.scannedCount - 1; i >= 0; i--) {
      const offset = this.scanned[i] as number;
      if (offset >= limit) continue;
      const keyStart = keyStartAt(buffer, offset);
      if (equalBytes(buffer, keyStart, keyStart + keyBytesAt(buffer, offset), key, start, end)) return offset;
    }
    return NONE;
  }

  /** `isPut`: it is a put without a note. */
  private index(offset: number, keyBytes: number, isPut: boolean): void {
    const keyStart = offset + 1 + varintBytes(keyBytes);
    if (this.tree === undefined) {
      if (this.scannedCount < SCANNED_MAX) {
        this.scanned[this.scannedCount++] = offset;
        return;
      }
      if (isPut && this.continuesRow(offset, keyStart, keyStart + keyBytes)) return;
      this.plant();
    }
    this.indexInTree(this.tree as unknown as ArenaTree, offset, keyStart, keyBytes);
  }

  private indexInTree(tree: ArenaTree, offset: number, keyStart: number, keyBytes: number): void {
    tree.setKeys(this.batch.buffer);
    const entry = tree.insert(keyStart, keyBytes);
    if (!tree.inserted) this.older.add(offset, entry, tree.payload(entry));
    if (!(tree.inserted && tree.isLast(entry))) this.orderedFrom = this.batch.bytes;
    tree.setPayload(entry, offset);
  }

  /** Takes in a put whose key sorts behind those of all operations before it, where these are in order; false where it is not so. */
  private continuesRow(offset: number, keyStart: number, keyEnd: number): boolean {
    const isFirst = this.lastInRow === NONE;
    if (!(isFirst ? this.beginsRow(offset) : this.isBehindRow(this.batch.buffer, keyStart, keyEnd))) return false;
    this.lastInRow = offset;
    this.lastKeyStart = keyStart;
    this.lastKeyEnd = keyEnd;
    return true;
  }

  /** As continuesRow, of the first operation that is one more than are looked through. */
  private beginsRow(offset: number): boolean {
    if (this.orderedFrom !== NOTHING) return false;
    const { scanned } = this;
    for (let i = 1; i < SCANNED_MAX; i++) if (this.compareKeysAt(scanned[i]!, scanned[i - 1]!) <= 0) return false;
    return this.compareKeysAt(offset, scanned[SCANNED_MAX - 1]!) > 0;
  }

  /** As ArenaTree.isBehindLast where there is no tree because all operations are in order. */
  private isBehindRow(key: Uint8Array, start: number, end: number): boolean {
    return compareBytes(key, start, end, this.batch.buffer, this.lastKeyStart, this.lastKeyEnd) > 0;
  }

  /** Makes the tree if there is none only because all operations are in order. */
  private endRow(): void {
    if (this.lastInRow !== NONE) this.plant();
  }

  /** Makes the tree out of the operations so far. */
  private plant(): void {
    const { batch, found, lastInRow } = this;
    const { buffer } = batch;
    const tree = this.spareTree ?? new ArenaTree(buffer, { capacity: this.treeCapacity });
    this.tree = tree;
    this.spareTree = undefined;
    this.lastInRow = NONE;
    for (let offset = NOTHING; offset <= lastInRow; offset = found.valueEnd) {
      this.aim(offset);
      this.indexInTree(tree, offset, found.keyStart, found.keyEnd - found.keyStart);
    }
    if (lastInRow !== NONE) return;
    for (let i = 0; i < this.scannedCount; i++) {
      const offset = this.scanned[i] as number;
      this.indexInTree(tree, offset, keyStartAt(buffer, offset), keyBytesAt(buffer, offset));
    }
  }
}

function keyBytesAt(buffer: Uint8Array, offset: number): number {
  return readVarint(buffer, offset + 1, buffer.length);
}

function keyStartAt(buffer: Uint8Array, offset: number): number {
  return offset + 1 + varintBytes(keyBytesAt(buffer, offset));
}

/** True when the key lies in the range. */
export function isInRange(bytes: Uint8Array, start: number, end: number, range: KeyRange): boolean {
  const { lower, upper } = range;
  if (compareBytes(bytes, start, end, lower, 0, lower.length) < 0) return false;
  return upper === undefined || compareBytes(bytes, start, end, upper, 0, upper.length) < 0;
}

/** Ends one run after the other; `undo` when not all of them can be. */
function endAll(runs: readonly SpillWriter[], undo: () => void): void {
  try {
    for (const run of runs) run.end();
  } catch (error) {
    undo();
    throw error;
  }
}
