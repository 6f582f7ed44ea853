/**
 * The engine contract: what the B+tree, the LSM-tree and the memory engine each are to the store above them.
 *
 * An engine is a delta in memory over immutable files. `apply` only touches memory; a full delta freezes and is written
 * in the background; the log may go once `flushedSeq` has passed it. There is one engine instance per store and kind: it
 * keeps ONE ordered space of byte keys, and tables and indexes are key prefixes (space.ts).
 *
 * Invariants, proven by the conformance suite in ./testing on every implementation:
 *   1. apply(batch, seq) is called in strictly rising seq; it never waits, reads no file, and cannot fail once admitted.
 *   2. A view taken when `appliedSeq` was s shows exactly the effects of batches with seq <= s, until it is released,
 *      whatever is applied, frozen, flushed or merged meanwhile.
 *   3. A batch is seen whole or not at all: views are taken between batches.
 *   4. The files alone hold the effects up to flushedSeq() and nothing later; applying a batch whose seq is at or below
 *      flushedSeq() changes nothing (replay is idempotent).
 *   5. The bytes a cursor or get hands out stay valid until its next move (cursor) or the next get with the same slot,
 *      though batches are applied in between. Callers never write into them.
 *   6. Later batches win: within one batch, later operations win over earlier ones. A range tombstone hides what earlier
 *      operations wrote inside [start, end), not what later ones write there.
 *   7. The store publishes a batch before it applies the next one. So a view's seq is never below that of an earlier view,
 *      nor below what appliedSeq was before the last completed apply or advance; versions older than both may go.
 */
import type { BatchReader } from './write-batch.js';
import type { KeyRange } from './key-range.js';
import type { Seq } from './seq.js';
import type { SpilledWrites } from './spilled-writes.js';

const NO_BYTES = new Uint8Array(0);

/** A reference into bytes somebody else owns. Reused: get and cursors fill it in place, nothing is allocated per key. */
export class ByteSlot {
  buffer: Uint8Array;
  start = 0;
  end = 0;

  constructor() {
    this.buffer = NO_BYTES;
  }

  set(buffer: Uint8Array, start: number, end: number): void {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
  }

  /** A copy owned by the caller. */
  copy(): Uint8Array {
    return this.buffer.slice(this.start, this.end);
  }
}

/** References of a batch of cursor entries, filled by KvCursor.fill; arrays are parallel, the first `count` are valid. */
export class CursorBatch {
  readonly keyBuffers: Uint8Array[];
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly valueBuffers: Uint8Array[];
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  /** Most entries to be filled in; what it was made for, or less. */
  capacity: number;
  count = 0;
  /** The reader looks at no key: what stands in the arrays for keys may be anything. */
  keyless = false;
  /** The reader only counts: what stands in any of the arrays may be anything. */
  valueless = false;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.keyBuffers = Array.from({ length: capacity }, () => NO_BYTES);
    this.valueBuffers = Array.from({ length: capacity }, () => NO_BYTES);
    this.keyStarts = new Int32Array(capacity);
    this.keyEnds = new Int32Array(capacity);
    this.valueStarts = new Int32Array(capacity);
    this.valueEnds = new Int32Array(capacity);
  }

  /** One entry and no other, by reference; its number. */
  setOne(key: ByteSlot, value: ByteSlot): number {
    this.keyBuffers[0] = key.buffer;
    this.keyStarts[0] = key.start;
    this.keyEnds[0] = key.end;
    this.valueBuffers[0] = value.buffer;
    this.valueStarts[0] = value.start;
    this.valueEnds[0] = value.end;
    this.count = 1;
    return 1;
  }
}

/**
 * Moves over the live entries of a view inside its range, in key order. It begins before the first entry: call `next`
 * (or `prev` for a walk from the end), `seek` or `seekBefore` first. One shape for forward and reverse. After a move that
 * returned false it stands behind that end: the same move is false again, the opposite one returns to the entry there.
 */
export interface KvCursor {
  /** The current entry; valid while the last move returned true. */
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  /** To the first entry with key >= the given one (clamped into the range); false when there is none. */
  seek(key: Uint8Array, start: number, end: number): boolean;
  /** To the last entry with key < the given one (clamped into the range); false when there is none. */
  seekBefore(key: Uint8Array, start: number, end: number): boolean;
  /** To the following entry, or to the first one of the range from the starting position. */
  next(): boolean;
  /** To the preceding entry, or to the last one of the range from the starting position. */
  prev(): boolean;
  /**
   * Fills the batch with the entries that follow (the same as next() repeated) and returns their number, 0 at the end.
   * The references stay valid until the next move of this cursor. May return fewer than capacity before the end (at page
   * boundaries); only 0 means the end. Afterwards the cursor stands on the last entry handed out.
   */
  fill(batch: CursorBatch): number;
  /** Frees what the cursor holds; safe to call twice. */
  close(): void;
}

/** A consistent picture of one moment. Cheap to make; pins what it shows until released. */
export interface KvView {
  readonly seq: Seq;
  /** True and `value` filled when the key is there. */
  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean;
  cursor(range: KeyRange): KvCursor;
  /** Unpins. Safe to call twice; reading afterwards is a defect of the caller. */
  release(): void;
  /** Why nobody can read it any more, though it is open: its files were taken back. Undefined while all is well. */
  readonly ended?: Error | undefined;
  /**
   * What another thread needs to open the same view (`EngineFactory.attach` of the store's): files by name, and copies in shared
   * memory of what is in none. Keep the view open until that thread is done. Absent where another thread cannot read.
   */
  share?(): Promise<ViewShare>;
}

/** A view on its way to another thread. */
export interface ViewShare {
  /** Plain data and shared memory: a message can carry it. */
  readonly descriptor: unknown;
  /** Nobody reads by it any more. Call it once. */
  release(): void;
}

/** A view of another thread's. */
export interface AttachedView extends KvView {
  /** As KvEngine.estimate. */
  estimate(range: KeyRange): RangeEstimate;
}

/** What an engine tells the operator and the store; all counters rise, bytes are current. */
export interface EngineStats {
  readonly name: string;
  /** Live and frozen deltas, in bytes of arena. */
  readonly deltaBytes: number;
  readonly frozenDeltas: number;
  readonly runs: number;
  readonly fileBytes: number;
  readonly cacheBytes: number;
  /** Pages and blocks read from files, their bytes there, and reads that a cache answered. */
  readonly pagesRead: number;
  readonly bytesRead: number;
  readonly cacheHits: number;
  readonly flushes: number;
  readonly merges: number;
  readonly bytesFlushed: number;
  readonly bytesMerged: number;
  readonly openViews: number;
  readonly oldestViewSeq: Seq;
  /** What merges have met in files and leave alone until it is gone or can be read after all. */
  readonly damage: readonly Finding[];
}

/** Something `check` found. `severity: 'corruption'` means that data may be lost; 'leak' that space is. */
export interface Finding {
  readonly severity: 'corruption' | 'leak' | 'note';
  readonly file: string;
  readonly offset?: number;
  readonly message: string;
}

/** A part of an engine's files, read to find out whether it can be read. */
export interface ScrubStep {
  /** Where the next step goes on: for `scrub`, of this process or a later one. Undefined when all files are through. */
  readonly next: string | undefined;
  /** What was read. */
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

export interface RangeEstimate {
  readonly keys: number;
  readonly bytes: number;
}

/** A file of sorted entries that another writer prepared, to be taken over whole (bulk load). */
export interface SortedRunRef {
  readonly path: string;
  readonly entries: number;
  readonly bytes: number;
}

/** Such a file that is whole and not yet durable, and goes with whoever wrote it unless it is kept. */
export interface ReadyRun {
  readonly ref: SortedRunRef;
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
  /** Durable once resolved, but for its name. */
  sync(): Promise<void>;
  /** As sync, on this thread. */
  syncNow(): void;
  /** The log may name it: it is not its writer's to remove any more. */
  keep(): void;
}

/** Writes the files of one hand-over. Nobody sees them, and a crash leaves nothing of them that counts, before that. */
export interface SortedWriter {
  /** About what has been written so far. */
  readonly bytes: number;
  /** Keys ascend, those of removals among them. The bytes are copied. */
  put(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void;
  /** What lies under the key before the hand-over is gone then. */
  remove(key: Uint8Array, keyStart: number, keyEnd: number): void;
  /** Likewise of every key in [lower, upper); ranges come before the first key. The bytes must not change. */
  removeRange(lower: Uint8Array, upper: Uint8Array): void;
  /** Hands a file over with those that are written here. No key of it lies among theirs, nor in a removed range. */
  add(run: ReadyRun): void;
  /** The files, durable with their names once resolved: what `ingest` takes. None when nothing was put. */
  finish(): Promise<readonly SortedRunRef[]>;
  /** As finish, on this thread. */
  finishNow(): readonly SortedRunRef[];
  /** Removes what was written and will not be handed over. Never throws. */
  discard(): void;
}

export interface KvEngine {
  readonly name: string;
  /** Seq of the last batch applied (or known from files after opening). */
  readonly appliedSeq: Seq;
  /**
   * Reserves bytes of memory for a batch (WriteBatch.room); its apply gives the reservation back. Undefined when
   * there is room now; otherwise a promise that resolves when there is, or rejects with 53100 or 53200. All waiting and
   * refusing happens here, before the log is written. A batch that only removes may use a reserve, so that what is full
   * can be emptied.
   */
  admit(room: number, usesReserve?: boolean): Promise<void> | undefined;
  /** As admit, for a caller that cannot await: flushes on this thread if it must. */
  admitNow(room: number, usesReserve?: boolean): void;
  /** Gives back what admit reserved and no apply will use (the transaction did not commit after all). */
  unadmit(room: number): void;
  /**
   * Applies at most `operationsMax` operations from the reader's position and returns true once the batch is complete;
   * only then does `appliedSeq` move. Operations of other engines' spaces are skipped. The bytes are copied, so the batch
   * stays the caller's, unless the reader says that they are given. Without a limit nothing else runs on this thread for
   * long, so what is to be done by others is brought to them at once. Views never show a part: they are taken at the seq the store has published, which lies below
   * until the last slice is in. An engine freezes its delta on a batch boundary only.
   */
  apply(batch: BatchReader, seq: Seq, operationsMax: number): boolean;
  /**
   * This admitted batch is the next that is applied, if any is, and its bytes stay as they are until then; the reader stands before its
   * first operation. An engine may do before what nobody can see. Missing where that is nothing.
   */
  foresee?(batch: BatchReader): void;
  /** The batch of this seq has nothing for this engine: appliedSeq moves, so that an idle engine never holds the log. */
  advance(seq: Seq): void;
  /**
   * The store takes no more writes: whoever waits for room is turned away with the reason, and so is whoever asks for it from now on;
   * a flush ends that waits for a batch to be applied. Missing where nobody ever waits.
   */
  refuseWrites?(reason: Error): void;
  /** The state as of `seq`, which is at least that of the newest view and at most appliedSeq (the store's visibleSeq). */
  view(seq: Seq): KvView;
  /**
   * Begins sorted files for `ingest`, the way this engine likes them, in its own directory. No other load of this engine may
   * ever have had the name. Files that were not handed over are gone after the next opening. Undefined for an engine that has
   * no files. Not before recovery has ended.
   */
  sortedWriter(name: string): SortedWriter | undefined;
  /** Files for what a writer puts aside until it commits; names are given as to `sortedWriter`. Undefined likewise. */
  spill(name: string): SpilledWrites | undefined;
  /** Takes over sorted files whole, at a seq of their own; they are synced already. Queues behind the present delta. */
  ingest(files: readonly SortedRunRef[], seq: Seq): void;
  estimate(range: KeyRange): RangeEstimate;
  /** Cuts a range into at most `parts` ranges of about equal size that together cover it. */
  split(range: KeyRange, parts: number): KeyRange[];
  /** Everything at or below is in files that survive a power cut; equal to appliedSeq when the delta is empty. */
  flushedSeq(): Seq;
  /** Writes what is in memory to files and resolves, durable, with the new flushedSeq. */
  flush(): Promise<Seq>;
  /** As flush, on this thread, between batches; throws what it rejects with. */
  flushNow(): Seq;
  stats(): EngineStats;
  /** Walks all files and yields what is wrong; an empty iteration is a clean engine. */
  check(): Iterable<Finding>;
  /**
   * Reads some of the files that count, past every cache, from a place on that an earlier step has named, '' the first time, until it
   * has read so many bytes; compares checksums. Files come and go between steps: what is gone is left out. Absent where there are none.
   */
  scrub?(place: string, bytesMax: number): ScrubStep;
  /**
   * The keys that cannot be read where an error names a file of the engine's and an offset; undefined when that is no file of its own,
   * or nobody can tell. Absent where there are no files.
   */
  locate?(file: string, offset: number | undefined): KeyRange | undefined;
  /** Stops background work and frees everything, without flushing. */
  close(): Promise<void>;
}
