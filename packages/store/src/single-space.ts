/**
 * A store for one set of keys: an engine alone on a directory of its own, with the log, the durability and the recovery of
 * a store under it. This is the face that the trees share when they are used without the rest: `openLsm`, `openBtree`.
 *
 * Reads are synchronous. Writes return a promise that resolves when they are durable and visible (writers that wait at the
 * same time share a sync), and have twins ending in Sync that return when they are. Whoever has a promise from an earlier
 * call, awaited or not, finds writes committed in the order of the calls.
 */
import { PhantomError, SqlState, eventLoop, unsupportedError } from '@phantom/base';
import { ByteSlot, type Finding, type Seq } from '@phantom/kv';
import { type Vfs, createNodeVfs } from '@phantom/vfs';
import type { Durability } from '@phantom/wal';
import { BatchMemory } from './batch-memory.js';
import { CopyPool } from './copy-pool.js';
import { openStore } from './open-store.js';
import { SpaceBatch, type SpaceOperation } from './space-batch.js';
import { type RangeOptions, SpaceKeys } from './space-keys.js';
import { type SpaceEntries, loadEntries } from './space-load.js';
import { type SpaceEntry, SpaceScan } from './space-scan.js';
import type {
  CommitListener,
  CommitResult,
  EngineFactory,
  Store,
  StoreOptions,
  StoreStats,
  StoreView,
} from './types.js';

export interface SingleSpaceOptions extends Omit<StoreOptions, 'vfs' | 'engines'> {
  /** Default: the real disk. */
  readonly vfs?: Vfs;
}

/** The names of these options, for whoever adds some of their own (base's `optionNames`). */
export const SINGLE_SPACE_OPTIONS: Record<keyof SingleSpaceOptions, true> = {
  vfs: true,
  durability: true,
  cacheBytes: true,
  deltaBytesMax: true,
  checkpointBytesMin: true,
  checkpointBytesMax: true,
  changesKeepBytes: true,
  segmentBytes: true,
  scrubBytesPerSecond: true,
  scrubEveryHours: true,
  readOnly: true,
  create: true,
  holder: true,
  clock: true,
  logger: true,
  metrics: true,
  tracer: true,
  log: true,
};

export interface ScanOptions extends RangeOptions {
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
  /** Entries at most. Default: all. */
  readonly limit?: number | undefined;
}

export interface WriteOptions {
  /** What this write is to survive before it counts, if that is less than the store's own. */
  readonly durability?: 'fsync' | 'os' | undefined;
}

/** What both a space and a snapshot of it can be asked. */
export interface SpaceReader {
  /** The value, a copy; undefined when there is none. */
  get(key: Uint8Array): Uint8Array | undefined;
  has(key: Uint8Array): boolean;
  /** Walks a range; of a space it shows the state at its first step, whatever is written meanwhile. */
  scan(options?: ScanOptions): IterableIterator<SpaceEntry>;
}

/** The space as it was at one moment, until it is closed. */
export interface SpaceSnapshot extends SpaceReader {
  /** Seq of the last write that it shows. */
  readonly seq: Seq;
  /** Lets go of what it pins; safe to call twice. Scans that have begun go on to their end. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Batches kept for single writes; more are made when more wait. Large ones are not kept. */
const SPARE_BATCHES_MAX = 64;
const SPARE_BATCH_BYTES_MAX = 64 * 1024;

/**
 * Opens a space in a directory, making it where there is none. Rejects as `openStore` does: 55006 in use, 0A000 newer
 * format, 58P01 nothing there, XX001 corruption, 22023 settings.
 */
export async function openSingleSpace(
  directory: string,
  factory: EngineFactory,
  options: SingleSpaceOptions = {},
): Promise<SingleSpace> {
  const vfs = options.vfs ?? createNodeVfs();
  return new SingleSpace(await openStore(directory, { ...options, vfs, engines: [factory] }), factory);
}

export class SingleSpace implements SpaceReader {
  /** What it stands on, for those who want more. */
  readonly store: Store;
  private readonly factory: EngineFactory;
  private readonly keys: SpaceKeys;
  private readonly slot = new ByteSlot();
  private readonly spare: SpaceBatch[] = [];
  private readonly memory = new BatchMemory();
  /** Resolves when the last write that had to wait for room is submitted: later ones stand behind it. */
  private line: Promise<void> | undefined = undefined;

  constructor(store: Store, factory: EngineFactory) {
    this.store = store;
    this.factory = factory;
    this.keys = new SpaceKeys(factory.code);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const view = this.store.view();
    try {
      return getFrom(view, this.keys, this.slot, key);
    } finally {
      view.release();
    }
  }

  has(key: Uint8Array): boolean {
    const view = this.store.view();
    try {
      this.keys.set(key);
      return view.get(this.keys.buffer, 0, this.keys.length, this.slot);
    } finally {
      view.release();
    }
  }

  scan(options: ScanOptions = {}): IterableIterator<SpaceEntry> {
    return scanOf(() => this.store.view(), this.keys, options);
  }

  /** The present state, for reading at leisure. Close it: it pins memory and files. */
  snapshot(): SpaceSnapshot {
    return new Snapshot(this.store.view(), this.keys);
  }

  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<CommitResult> {
    return this.single((batch) => batch.put(key, value), options);
  }

  putSync(key: Uint8Array, value: Uint8Array, options?: WriteOptions): CommitResult {
    return this.singleSync((batch) => batch.put(key, value), options);
  }

  /** Removes a key; no error when it is not there. */
  delete(key: Uint8Array, options?: WriteOptions): Promise<CommitResult> {
    return this.single((batch) => batch.delete(key), options);
  }

  deleteSync(key: Uint8Array, options?: WriteOptions): CommitResult {
    return this.singleSync((batch) => batch.delete(key), options);
  }

  /** Removes every key in a range; with no bounds, everything. Costs the same however many there are. */
  deleteRange(bounds: RangeOptions = {}, options?: WriteOptions): Promise<CommitResult> {
    return this.single((batch) => batch.deleteRange(bounds), options);
  }

  deleteRangeSync(bounds: RangeOptions = {}, options?: WriteOptions): CommitResult {
    return this.singleSync((batch) => batch.deleteRange(bounds), options);
  }

  /** An empty batch for `write`. */
  batch(): SpaceBatch {
    return new SpaceBatch(this.factory.code, this.memory.take());
  }

  /** Commits writes together. A batch is left alone until the promise settles; once committed it is empty. */
  async write(writes: SpaceBatch | Iterable<SpaceOperation>, options?: WriteOptions): Promise<CommitResult> {
    if (!(writes instanceof SpaceBatch)) return this.single((batch) => void addAll(batch, writes), options);
    writes.begin();
    try {
      const result = await this.commit(writes, options, false);
      this.committed(writes);
      return result;
    } finally {
      writes.end();
    }
  }

  writeSync(writes: SpaceBatch | Iterable<SpaceOperation>, options?: WriteOptions): CommitResult {
    if (!(writes instanceof SpaceBatch)) return this.singleSync((batch) => void addAll(batch, writes), options);
    writes.begin();
    try {
      const result = this.commitSync(writes, options);
      this.committed(writes);
      return result;
    } finally {
      writes.end();
    }
  }

  /**
   * Commits entries that come in the order of their keys, each key once, as files of the engine: past the log and past its
   * memory, so however many there are they take none. Whole or absent, durable once resolved; it is committed when the last
   * entry is in, and takes the place of what was written to those keys until then. 22023 for keys that do not ascend. What
   * follows changes does not see what was loaded.
   */
  async load(entries: SpaceEntries): Promise<CommitResult> {
    const load = this.store.beginLoad(this.factory.code);
    if (load === undefined) throw unsupportedError(`a bulk load into engine ${this.factory.name}`);
    const seq = await loadEntries(load, new SpaceKeys(this.factory.code), entries);
    return { seq, durability: this.store.durability };
  }

  /** Writes what is in memory to the engine's files, so that the log can begin anew. Durable once resolved. */
  flush(): Promise<void> {
    return this.store.checkpoint();
  }

  /** Walks all files and tells what is wrong; empty when nothing is. */
  async check(): Promise<Finding[]> {
    const findings: Finding[] = [];
    for await (const finding of this.store.check()) findings.push(finding);
    return findings;
  }

  stats(): StoreStats {
    return this.store.stats();
  }

  /** Ends writes that are under way, writes what is in memory to files and frees everything. */
  async close(): Promise<void> {
    await this.line;
    await this.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private single(fill: (batch: SpaceBatch) => void, options: WriteOptions | undefined): Promise<CommitResult> {
    const batch = this.spare.pop() ?? new SpaceBatch(this.factory.code);
    try {
      fill(batch.clear());
    } catch (error) {
      this.keep(batch);
      return Promise.reject(error as Error);
    }
    return this.commit(batch, options, true);
  }

  private singleSync(fill: (batch: SpaceBatch) => void, options: WriteOptions | undefined): CommitResult {
    const batch = this.spare.pop() ?? new SpaceBatch(this.factory.code);
    try {
      fill(batch.clear());
      return this.commitSync(batch, options);
    } finally {
      this.keep(batch);
    }
  }

  private commit(batch: SpaceBatch, options: WriteOptions | undefined, isOurs: boolean): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      const commit = new Commit(this.durabilityOf(options), resolve, reject);
      const room = this.line === undefined ? this.admit(batch) : this.line.then(() => this.admit(batch));
      if (room === undefined) {
        this.submit(batch, options, commit, isOurs);
        return;
      }
      const turn = room.then(
        () => this.submit(batch, options, commit, isOurs),
        (error: Error) => this.refused(batch, commit, error, isOurs),
      );
      this.line = turn;
      void turn.then(() => {
        if (this.line === turn) this.line = undefined;
      });
    });
  }

  private commitSync(batch: SpaceBatch, options: WriteOptions | undefined): CommitResult {
    if (this.line !== undefined) {
      throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'earlier writes wait for room', {
        hint: 'Await their promises first: a synchronous write cannot.',
      });
    }
    let result: CommitResult | undefined;
    const { store } = this;
    const durability = this.durabilityOf(options);
    if (batch.length === 0) {
      store.drainNow();
      return { seq: store.visibleSeq, durability };
    }
    store.admitNow(batch.writes);
    const listener: CommitListener = {
      published: (seq) => {
        result = { seq, durability };
      },
      // drainNow throws the same error.
      unknown: () => undefined,
    };
    try {
      store.submit(batch.writes, listener, options);
    } catch (error) {
      store.unadmit(batch.writes);
      throw error;
    }
    store.drainNow();
    return result as CommitResult;
  }

  /** The next batch of the user's gets the memory of this one. */
  private committed(batch: SpaceBatch): void {
    const { bytes } = batch.writes;
    this.memory.giveBack(batch.writes.surrender(), bytes);
  }

  private admit(batch: SpaceBatch): Promise<void> | undefined {
    return batch.length === 0 ? undefined : this.store.admit(batch.writes);
  }

  private submit(batch: SpaceBatch, options: WriteOptions | undefined, commit: Commit, isOurs: boolean): void {
    const { store } = this;
    if (batch.length === 0) {
      // Nothing to write: as if it were behind everything before it.
      store.drain().then(
        () => commit.published(store.visibleSeq),
        (error: Error) => commit.unknown(error),
      );
    } else {
      try {
        // A batch of the user's is left alone until it is published; of ours the next write makes use.
        store.submit(batch.writes, commit, { durability: options?.durability, borrow: !isOurs });
      } catch (error) {
        store.unadmit(batch.writes);
        commit.unknown(error as Error);
      }
    }
    if (isOurs) this.keep(batch);
  }

  private refused(batch: SpaceBatch, commit: Commit, error: Error, isOurs: boolean): void {
    if (isOurs) this.keep(batch);
    commit.unknown(error);
  }

  private durabilityOf(options: WriteOptions | undefined): Durability {
    const { durability } = this.store;
    return durability === 'fsync' && options?.durability === 'os' ? 'os' : durability;
  }

  private keep(batch: SpaceBatch): void {
    const isSmall = batch.writes.buffer.length <= SPARE_BATCH_BYTES_MAX;
    if (isSmall && this.spare.length < SPARE_BATCHES_MAX) this.spare.push(batch);
  }
}

/** Tells a writer what became of its writes. */
class Commit implements CommitListener {
  private readonly durability: Durability;
  private readonly resolve: (result: CommitResult) => void;
  private readonly reject: (error: Error) => void;

  constructor(durability: Durability, resolve: (result: CommitResult) => void, reject: (error: Error) => void) {
    this.durability = durability;
    this.resolve = resolve;
    this.reject = reject;
  }

  published(seq: Seq): void {
    // A commit that waits for no sync is over in the turn in which it began.
    if (this.durability !== 'fsync' && eventLoop.isOverdue()) void eventLoop.nextTurn().then(() => this.answer(seq));
    else this.answer(seq);
  }

  unknown(error: Error): void {
    this.reject(error);
  }

  private answer(seq: Seq): void {
    this.resolve({ seq, durability: this.durability });
  }
}

class Snapshot implements SpaceSnapshot {
  readonly seq: Seq;
  private view: StoreView | undefined;
  private readonly keys: SpaceKeys;
  private readonly slot = new ByteSlot();

  constructor(view: StoreView, keys: SpaceKeys) {
    this.view = view;
    this.seq = view.seq;
    this.keys = keys;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return getFrom(this.open(), this.keys, this.slot, key);
  }

  has(key: Uint8Array): boolean {
    const view = this.open();
    this.keys.set(key);
    return view.get(this.keys.buffer, 0, this.keys.length, this.slot);
  }

  scan(options: ScanOptions = {}): IterableIterator<SpaceEntry> {
    return scanOf(() => this.open().retain(), this.keys, options);
  }

  close(): void {
    this.view?.release();
    this.view = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private open(): StoreView {
    if (this.view !== undefined) return this.view;
    throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the snapshot is closed');
  }
}

/** Values that were looked up, of all spaces. */
const copies = new CopyPool();

function getFrom(view: StoreView, keys: SpaceKeys, slot: ByteSlot, key: Uint8Array): Uint8Array | undefined {
  keys.set(key);
  return view.get(keys.buffer, 0, keys.length, slot) ? copies.copy(slot.buffer, slot.start, slot.end) : undefined;
}

function scanOf(view: () => StoreView, keys: SpaceKeys, options: ScanOptions): SpaceScan {
  const { reverse = false, limit = Number.POSITIVE_INFINITY } = options;
  return new SpaceScan({ view, range: keys.rangeOf(options), reverse, limit });
}

function addAll(batch: SpaceBatch, operations: Iterable<SpaceOperation>): void {
  for (const operation of operations) batch.add(operation);
}
