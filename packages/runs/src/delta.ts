/**
 * The delta: what an engine has applied and not yet written to a file. Both trees have one in front of their files, so a
 * commit touches memory only, and what reaches the disk is sorted (the C0 of O'Neil et al., "The Log-Structured
 * Merge-Tree", 1996, for both of them).
 *
 * The bytes of a batch are copied once, as they are, into an append-only arena (or are it, where they are many). An arena tree over the keys points into
 * them; nothing is encoded again, and there is no JavaScript object per entry.
 *
 *   arena    | batch 7: put k 1, put m 2 | batch 8: remove k | batch 9: put k 3 | ...
 *   tree     k -> [ key offset, key bytes, operation, seq - firstSeq, older ]      five words, the newest version
 *   older    [ operation, seq - firstSeq, older ]                                  three words for each one before
 *
 * A view at seq s takes the first version of the chain with version seq <= s. Versions of one batch replace each other:
 * nobody can look between them. Range removals lie beside (range-tombstones.ts) and hide operations that lie before
 * theirs in the arena.
 *
 * The tree that a large transaction has made over the keys of its batch is taken over, where the delta holds little beside it: copied with
 * its numbers moved, and what was here is inserted among it, instead of a descent for each of its keys.
 *
 * Batches of a recovery wait in the arena until somebody needs what they hold in the tree (waiting-batches.ts).
 *
 * A delta is active, then frozen on a batch boundary, then written as a sorted run (`versions`) and dropped. Worker threads
 * read copies: `descriptor` names its tables, and delta-copies.ts puts them into shared memory.
 *
 * Invariants:
 *   1. Batches come in strictly rising seq, each whole in one delta.
 *   2. The arena is append-only and offsets never change, so what a cursor or get handed out stays as it was.
 *   3. Order of operations in the arena is order of time.
 *
 * Sketch per put of 16 + 100 bytes: 119 bytes of arena, 20 of row, about 13 of node; measured in the README.
 */
import { assert, readVarint, varintBytes } from '@phantom/base';
import {
  ArenaTree,
  type ArenaTreeDescriptor,
  BatchReader,
  ByteArena,
  type ByteSlot,
  type EngineCode,
  type KeyRange,
  NONE,
  OperationKind,
  type RangeEstimate,
  SEQ_NONE,
  type Seq,
  engineOfKey,
} from '@phantom/kv';
import { DeltaCursor } from './delta-cursor.js';
import { OLDER_WORDS, PAYLOAD_WORDS, ROW_OLDER, ROW_OPERATION, ROW_SEQ } from './delta-row.js';
import { DeltaFilter } from './delta-filter.js';
import { DeltaVersions } from './delta-versions.js';
import { KeyHash } from './filter.js';
import { type Layer, type LayerCursor, Lookup, type RangeTombstone, type VersionCursor } from './layer.js';
import { type PlacedTombstone, RangeTombstones } from './range-tombstones.js';
import { WaitingBatches } from './waiting-batches.js';

const OLDER_MIN = 16;
/** Little: each tree of a database has one, and all of it is counted (`like`), used or not. */
const CAPACITY_BYTES_DEFAULT = 64 * 1024;
const KEYS_DEFAULT = 64;
/** Of a delta that begins, over what the one before had: without it most would double once, for a few batches at their end. */
const HEADROOM = 1.25;
/** Over what it will have when it is full, known but for its last batch. */
const HEADROOM_FULL = 1.0625;
/** Where one got so far on its way to being full before it froze, the next may well become full. */
const LARGE_SHARE = 1 / 8;
/** A batch of this size that nobody needs any more becomes the arena of an empty delta, uncopied. */
const ADOPTED_BYTES_MIN = 1024 * 1024;
/** A batch has so many times the keys that the delta has where its tree is taken over: those of the delta are inserted again. */
const TAKEN_OVER_SHARE_MIN = 4;
/** Keys of a tree that is taken over, and keys that the delta has then, at the most: it is one turn, of a few milliseconds. */
const TAKEN_OVER_KEYS_MAX = 256 * 1024;
const INSERTED_AGAIN_KEYS_MAX = 8 * 1024;
/** What an operation that waits will need in the tables: counted before it is there. */
const WAITING_OPERATION_BYTES = 33;
/** Seqs are kept relative to the first one, as positive 32-bit numbers. */
const SEQ_SPAN_MAX = 0x7fff_ffff;

const keyHash = new KeyHash();

export interface DeltaOptions {
  /** Bytes of arena to begin with, untouched until they are used; it doubles when it must. Default 64 KiB. */
  readonly capacityBytes?: number;
  /** Keys to make room for at the start. Default 64. */
  readonly keys?: number;
}

/** The tables of a delta, as far as they are in use: what it takes to read it in another thread. */
export interface DeltaDescriptor {
  readonly arena: Uint8Array;
  readonly tree: ArenaTreeDescriptor;
  readonly older: Int32Array;
  readonly firstSeq: Seq;
  readonly lastSeq: Seq;
  readonly tombstones: readonly PlacedTombstone[];
}

export class Delta implements Layer {
  /** Seq of the first batch, SEQ_NONE while there is none. */
  firstSeq: Seq = SEQ_NONE;
  /** Seq of the last complete batch. */
  lastSeq: Seq = SEQ_NONE;
  readonly tombstones = new RangeTombstones();
  tree: ArenaTree;
  private readonly arena: ByteArena;
  private older: Int32Array = new Int32Array(OLDER_MIN * OLDER_WORDS);
  private olderCount = 0;
  private isFrozen = false;
  /** Seq of a batch that is being applied in slices, SEQ_NONE between batches. */
  private applying: Seq = SEQ_NONE;
  /** From offsets in the present batch to offsets in the arena, when it was copied whole. */
  private shift = 0;
  private copied = false;
  private readonly waiting = new WaitingBatches();
  private readonly filter = new DeltaFilter();

  constructor(options: DeltaOptions = {}) {
    const { capacityBytes = CAPACITY_BYTES_DEFAULT, keys: capacity = KEYS_DEFAULT } = options;
    this.arena = new ByteArena(capacityBytes);
    this.tree = new ArenaTree(this.arena.buffer, { payloadWords: PAYLOAD_WORDS, capacity });
  }

  /**
   * An empty one with room for what another holds, and some more: a delta becomes about as large as the one before, or, where that
   * was large, as it may become at all (`fullBytes`). Each doubling would be paid for twice: the bytes are copied, and V8, which counts
   * what was allocated outside its heap, marks that heap once in some 60 MB of it, however little of it is touched.
   */
  static like(other: Delta, fullBytes: number): Delta {
    const { bytes, arena, entries } = other;
    const isLarge = bytes >= fullBytes * LARGE_SHARE;
    const factor = isLarge ? HEADROOM_FULL * Math.max(1, fullBytes / bytes) : HEADROOM;
    // One that had to freeze early says little of the next: room is given up by halves.
    const wantedBytes = Math.max(Math.ceil(arena.length * factor), arena.buffer.length >>> 1);
    const keys = Math.ceil(entries * (wantedBytes / Math.max(1, arena.length)));
    return new Delta({ capacityBytes: Math.max(CAPACITY_BYTES_DEFAULT, wantedBytes), keys });
  }

  /** A delta of another thread as it was when it was described, for reading. It reads the tables where they lie. */
  static attach(descriptor: DeltaDescriptor): Delta {
    const delta = new Delta({ capacityBytes: 0 });
    delta.arena.buffer = descriptor.arena;
    delta.arena.length = descriptor.arena.length;
    delta.tree = ArenaTree.attach(descriptor.arena, descriptor.tree);
    delta.older = descriptor.older;
    delta.olderCount = descriptor.older.length / OLDER_WORDS;
    delta.firstSeq = descriptor.firstSeq;
    delta.lastSeq = descriptor.lastSeq;
    for (const { lower, upper, seq, operation } of descriptor.tombstones) {
      delta.tombstones.add(lower, upper, seq, operation);
    }
    delta.isFrozen = true;
    return delta;
  }

  /** Distinct keys, removed ones included; at most so many while batches wait, or where a tree was taken over. */
  get entries(): number {
    return this.tree.count + this.waiting.operations;
  }

  /** True when it holds nothing at all. */
  get isEmpty(): boolean {
    return this.firstSeq === SEQ_NONE;
  }

  get frozen(): boolean {
    return this.isFrozen;
  }

  /** Bytes in use: arena, tables, filter and range removals. What is allocated is up to twice as much. */
  get bytes(): number {
    const { arena, tree, olderCount, tombstones, waiting, filter } = this;
    const tables =
      tree.bytes + filter.bytes + olderCount * OLDER_WORDS * 4 + waiting.operations * WAITING_OPERATION_BYTES;
    return arena.length + tables + tombstones.bytes;
  }

  /** Bytes of batches. */
  get arenaBytes(): number {
    return this.arena.length;
  }

  /**
   * Applies at most `operationsMax` operations from the reader's position; true once the batch is complete. Operations of
   * other engines' spaces are skipped. The bytes are copied. A reader begins at the start of its batch and is moved by
   * nobody else until the batch is complete. A batch that is given and removes no ranges is only laid down, if all of it may be
   * applied, and put into the tree when somebody needs it there.
   */
  apply(reader: BatchReader, seq: Seq, operationsMax: number, engineCode: EngineCode): boolean {
    assert(!this.isFrozen, 'a frozen delta takes no batches');
    if (this.applying === SEQ_NONE) {
      const waits = reader.isGiven && !reader.mayRemoveRanges && operationsMax >= reader.count;
      if (!waits) this.settle();
      this.begin(reader, seq, engineCode);
      if (waits && this.copied) return this.layDown(reader, seq);
      if (this.copied && reader.index !== undefined && this.isTakenOver(reader.index))
        return this.takeOver(reader.index, seq);
    }
    assert(this.applying === seq, 'a batch was begun before the last one was complete');
    const relative = seq - this.firstSeq;
    if (this.copied) this.applyCopied(reader, relative, operationsMax);
    else this.applyOthers(reader, relative, operationsMax, engineCode);
    if (reader.position < reader.count) return false;
    this.applying = SEQ_NONE;
    this.lastSeq = seq;
    return true;
  }

  /** Copies a batch before it may be applied, where it will be copied whole: see KvEngine.foresee. */
  foresee({ bytes, base, length, engines, isGiven }: BatchReader, engineCode: EngineCode): void {
    if (engines === 1 << engineCode && !isGiven) this.arena.foresee(bytes, base, base + length);
  }

  /** Takes no more batches from now on. On a batch boundary only. */
  freeze(): void {
    assert(this.applying === SEQ_NONE, 'a delta freezes between batches');
    this.settle();
    this.isFrozen = true;
  }

  /**
   * Its tables where they lie. Of a delta that is not frozen the tree changes with the next batch; the other tables, as far as
   * they are named, stay as they are, so views of up to now can be read from them.
   */
  descriptor(): DeltaDescriptor {
    this.settle();
    const { firstSeq, lastSeq, older } = this;
    const { buffer, length } = this.arena;
    return {
      arena: buffer.subarray(0, length),
      tree: this.tree.descriptor(),
      older: older.subarray(0, this.olderCount * OLDER_WORDS),
      firstSeq,
      lastSeq,
      tombstones: [...this.tombstones.placed()],
    };
  }

  get(key: Uint8Array, start: number, end: number, seq: Seq, value: ByteSlot): Lookup {
    keyHash.set(key, start, end);
    return this.getHashed(key, start, end, keyHash, seq, value);
  }

  getHashed(key: Uint8Array, start: number, end: number, hash: KeyHash, seq: Seq, value: ByteSlot): Lookup {
    const { waiting, tree, tombstones } = this;
    if (!waiting.isEmpty && waiting.mayHave(this.arena.buffer, key, start, end)) this.settle();
    const entry = this.filter.mayHave(tree, hash) ? tree.find(key, start, end) : NONE;
    const operation = entry === NONE ? NONE : this.operationAt(entry, seq);
    if (tombstones.count > 0 && tombstones.newestOperation(key, start, end, seq) > operation) return Lookup.Removed;
    if (operation === NONE) return Lookup.Absent;
    return this.readValue(operation, end - start, value) ? Lookup.Found : Lookup.Removed;
  }

  cursor(range: KeyRange, seq: Seq): LayerCursor {
    const { waiting } = this;
    if (!waiting.isEmpty && waiting.mayHaveIn(this.arena.buffer, range)) this.settle();
    return new DeltaCursor(this, range, seq);
  }

  rangeTombstones(seq: Seq): readonly RangeTombstone[] {
    return this.tombstones.list(seq);
  }

  /**
   * The versions to write when this delta is flushed, for views at the given seqs (ascending) and for those to come,
   * which all lie at or above `lastSeq`. The delta must be frozen, and stays in use until the cursor is closed.
   */
  versions(viewSeqs: readonly Seq[]): VersionCursor {
    assert(this.isFrozen, 'only a frozen delta is flushed');
    return new DeltaVersions(this, viewSeqs);
  }

  /** About how many keys, and bytes of operations, a range holds. */
  estimate(range: KeyRange): RangeEstimate {
    const { tree, waiting, arena } = this;
    const keysWaiting = waiting.estimate(arena.buffer, range);
    if (keysWaiting === undefined) this.settle();
    const { lower, upper } = range;
    const from = tree.fractionBelow(lower, 0, lower.length);
    const to = upper === undefined ? 1 : tree.fractionBelow(upper, 0, upper.length);
    const keys = Math.round(Math.max(0, to - from) * tree.count) + (keysWaiting ?? 0);
    const share = keys / Math.max(1, this.entries);
    return { keys, bytes: Math.round(share * arena.length) };
  }

  /** Keys of this delta that cut a range into at most `parts` parts of about the same size, ascending, owned by the caller. */
  cuts(range: KeyRange, parts: number): Uint8Array[] {
    this.settle();
    const { tree } = this;
    const { lower, upper } = range;
    const from = tree.fractionBelow(lower, 0, lower.length);
    const to = upper === undefined ? 1 : tree.fractionBelow(upper, 0, upper.length);
    const cuts: Uint8Array[] = [];
    for (let part = 1; part < parts; part++) {
      const cut = this.keyAtFraction(from + ((to - from) * part) / parts);
      if (cut !== undefined) cuts.push(cut);
    }
    return cuts;
  }

  /** A key of this delta that cuts it at a fraction between 0 and 1, owned by the caller; undefined when it is empty. */
  keyAtFraction(fraction: number): Uint8Array | undefined {
    this.settle();
    const { tree } = this;
    if (tree.count === 0) return undefined;
    const entry = tree.entryAtFraction(fraction);
    return tree.keys.slice(tree.keyStart(entry), tree.keyEnd(entry));
  }

  /** Arena offset of the operation that a reader at `seq` sees of an entry, NONE when all are younger. */
  operationAt(entry: number, seq: Seq): number {
    const { entries, entryWords } = this.tree;
    const row = entry * entryWords;
    const relative = seq - this.firstSeq;
    if ((entries[row + ROW_SEQ] as number) <= relative) return entries[row + ROW_OPERATION] as number;
    const { older } = this;
    for (let version = entries[row + ROW_OLDER] as number; version !== NONE;) {
      const at = version * OLDER_WORDS;
      if ((older[at + 1] as number) <= relative) return older[at] as number;
      version = older[at + 2] as number;
    }
    return NONE;
  }

  /** Table of overwritten versions, for the cursor that flushes. */
  get olderVersions(): Int32Array {
    return this.older;
  }

  /** Fills the slot with the value of a put; false for a removal. */
  readValue(operation: number, keyBytes: number, value: ByteSlot): boolean {
    const { keys } = this.tree;
    if (keys[operation] === OperationKind.Remove) {
      value.set(keys, 0, 0);
      return false;
    }
    const at = operation + 1 + varintBytes(keyBytes) + keyBytes;
    const valueBytes = readVarint(keys, at, keys.length);
    const start = at + varintBytes(valueBytes);
    value.set(keys, start, start + valueBytes);
    return true;
  }

  /** Puts what waits into the tree. */
  private settle(): void {
    const { waiting } = this;
    if (waiting.isEmpty) return;
    const reader = new BatchReader();
    const { buffer } = this.arena;
    this.tree.setKeys(buffer);
    this.shift = 0;
    for (let batch = waiting.first; batch !== undefined; batch = waiting.first) {
      // What is broken stays and is found broken again: applied twice, a batch is what it is applied once.
      reader.setBatch(buffer, batch.start, batch.end);
      this.applyCopied(reader, batch.seq - this.firstSeq, Number.POSITIVE_INFINITY);
      waiting.removeFirst();
    }
  }

  /** The batch that has begun lies at the end of the arena and waits there. */
  private layDown(reader: BatchReader, seq: Seq): boolean {
    const { length } = this.arena;
    this.waiting.add({ start: length - reader.length, end: length, seq, operations: reader.count });
    this.applying = SEQ_NONE;
    this.lastSeq = seq;
    return true;
  }

  private isTakenOver({ count }: ArenaTree): boolean {
    const held = this.tree.count;
    return held <= INSERTED_AGAIN_KEYS_MAX && count >= held * TAKEN_OVER_SHARE_MIN && count <= TAKEN_OVER_KEYS_MAX;
  }

  /** The batch that has begun lies at the end of the arena, and its keys are in a tree already. */
  private takeOver(index: ArenaTree, seq: Seq): boolean {
    const { tree, shift } = this;
    const { entryWords } = tree;
    const first = tree.count;
    const twins: number[] = [];
    tree.graft(index, shift, (own, taken) => twins.push(own * entryWords, taken * entryWords));
    const { entries } = tree;
    for (let taken = 0, row = first * entryWords; taken < index.count; taken++, row += entryWords) {
      entries[row + ROW_OPERATION] = index.payload(taken) + shift;
      entries[row + ROW_SEQ] = seq - this.firstSeq;
      entries[row + ROW_OLDER] = NONE;
    }
    for (let i = 0; i < twins.length; i += 2)
      entries[(twins[i + 1] as number) + ROW_OLDER] = this.keepOlder(entries, twins[i] as number);
    this.applying = SEQ_NONE;
    this.lastSeq = seq;
    return true;
  }

  private begin(reader: BatchReader, seq: Seq, engineCode: EngineCode): void {
    assert(seq > this.lastSeq, 'batches come in rising seq');
    assert(reader.position === 0, 'a batch is applied from its first operation on');
    if (this.firstSeq === SEQ_NONE) this.firstSeq = seq;
    assert(seq - this.firstSeq <= SEQ_SPAN_MAX, 'a delta spans at most 2^31 commits');
    this.applying = seq;
    this.copied = reader.engines === 1 << engineCode;
    if (!this.copied) return;
    this.shift = this.takeBytes(reader) - reader.base;
    this.tree.setKeys(this.arena.buffer);
  }

  /** Puts the whole batch into the arena and returns where it begins. A large one that was given is the arena. */
  private takeBytes({ bytes, base, length, isGiven }: BatchReader): number {
    const { arena } = this;
    if (!isGiven || arena.length > 0 || length < ADOPTED_BYTES_MIN || base > 0 || bytes.byteOffset > 0) {
      return arena.append(bytes, base, base + length);
    }
    // With what lies behind it: its writer made room for more, which is where later batches go.
    arena.adopt(new Uint8Array(bytes.buffer), length);
    return 0;
  }

  /** Every operation is for this engine, and its bytes are in the arena already. */
  private applyCopied(reader: BatchReader, relative: number, operationsMax: number): void {
    const { shift } = this;
    for (let i = 0; i < operationsMax; i++) {
      if (!reader.next()) break;
      this.applyOperation(reader, reader.operation + shift, reader.keyStart + shift, relative);
    }
  }

  private applyOthers(reader: BatchReader, relative: number, operationsMax: number, engineCode: EngineCode): void {
    const { arena, tree } = this;
    for (let i = 0; i < operationsMax; i++) {
      if (!reader.next()) break;
      if (engineOfKey(reader.bytes, reader.keyStart) !== engineCode) continue;
      const operation = arena.append(reader.bytes, reader.operation, reader.valueEnd);
      tree.setKeys(arena.buffer);
      this.applyOperation(reader, operation, operation + reader.keyStart - reader.operation, relative);
    }
  }

  private applyOperation(reader: BatchReader, operation: number, keyStart: number, relative: number): void {
    if (reader.kind === OperationKind.RemoveRange) {
      const lower = reader.bytes.slice(reader.keyStart, reader.keyEnd);
      const upper = reader.bytes.slice(reader.valueStart, reader.valueEnd);
      this.tombstones.add(lower, upper, relative + this.firstSeq, operation);
      return;
    }
    const { tree } = this;
    const entry = tree.insert(keyStart, reader.keyEnd - reader.keyStart);
    const { entries } = tree;
    const row = entry * tree.entryWords;
    if (tree.inserted) entries[row + ROW_OLDER] = NONE;
    else if (entries[row + ROW_SEQ] !== relative) entries[row + ROW_OLDER] = this.keepOlder(entries, row);
    entries[row + ROW_OPERATION] = operation;
    entries[row + ROW_SEQ] = relative;
  }

  /** Moves the newest version of a row to the table of older ones and returns its index there. */
  private keepOlder(entries: Int32Array, row: number): number {
    const version = this.olderCount++;
    const at = version * OLDER_WORDS;
    if (at === this.older.length) this.growOlder();
    const { older } = this;
    older[at] = entries[row + ROW_OPERATION] as number;
    older[at + 1] = entries[row + ROW_SEQ] as number;
    older[at + 2] = entries[row + ROW_OLDER] as number;
    return version;
  }

  private growOlder(): void {
    const grown = new Int32Array(this.older.length * 2);
    grown.set(this.older);
    this.older = grown;
  }
}
