/**
 * The face of the store: one write path, one log under many engines. See store.ts for the story and the invariants.
 */
import type { Checksums, Clock, Identity, Logger, Metrics, Tracer } from '@phantom/base';
import type {
  ArenaTree,
  AttachedView,
  BatchReader,
  ByteSlot,
  EngineCode,
  EngineStats,
  Finding,
  KeyRange,
  KvCursor,
  KvEngine,
  SalvageReport,
  SalvagedEngine,
  Seq,
  SortedRunRef,
  SpaceId,
  SpilledWrites,
  ViewShare,
  WriteBatch,
} from '@phantom/kv';
import type { Durability, Wal, WalOptions, WalStats } from '@phantom/wal';
import type { LockHolder, MendedVfs, Vfs } from '@phantom/vfs';
import type { BulkLoad } from './bulk-load.js';
import type { ChangeFeed, ChangeFeedOptions } from './change-feed.js';
import type { ScrubPass } from './scrub-state.js';
import type { ScrubFacts } from './scrubber.js';
import type { EngineAdvice } from './engine-advice.js';
import type { SpaceEvidence } from './engine-costs.js';
import type { LoadRecord } from './load-record.js';
import type { SpaceMove, SpacePair } from './space-move.js';
import type { SpilledCommit } from './spilled-commit.js';

/** What an engine is given to live with. It never sees the log, the other engines or the store. */
export interface EngineContext {
  readonly vfs: Vfs;
  /** A directory of the engine's own, present and durable; a volatile engine's is not made. */
  readonly directory: string;
  readonly checksums: Checksums;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where spans of flushes, merges and compactions go; undefined: nowhere. */
  readonly tracer?: Tracer | undefined;
  /** Share of the page or block cache. */
  readonly cacheBytes: number;
  /** Bytes of active and frozen deltas past which admit waits. */
  readonly deltaBytesMax: number;
  readonly readOnly: boolean;
  /** The least meta or manifest generation that may be opened: an older one is corruption. 0 for a new engine. */
  readonly generationMin: number;
  /**
   * The store's identity: in every meta page and manifest that is written. Undefined in a store of a release that had none,
   * opened read-only.
   */
  readonly identity: Identity | undefined;
  /** What counts of the files carries the identity. False until that was recorded: then they may carry none. */
  readonly isIdentified: boolean;
  /**
   * Makes `generation` the least acceptable one, durably; only then may what older ones needed be freed. Its files carry the
   * identity. At most one generation is ever ahead of what is recorded.
   */
  recordGeneration(generation: number): Promise<void>;
  /** As recordGeneration, on this thread: for an engine that must flush inside admitNow. */
  recordGenerationNow(generation: number): void;
  /**
   * Waits until the log has everything that was applied, durably, where it promises to. To be awaited before files with a new
   * flushedSeq count: so they are never ahead of the log, and where they are, an older log was put beside them.
   */
  syncLog(): Promise<unknown>;
  /** As syncLog, on this thread. */
  syncLogNow(): void;
  /** Called when background work failed for good: the store takes no more writes. */
  fail(error: Error): void;
  /** Who holds a view of that seq, in words for the error that takes it away; undefined when nobody has said. */
  readerOf?(seq: Seq): string | undefined;
  /**
   * Called when files have taken the place of others that say the same: views that are kept for reuse are let go, as they
   * would hold on to the old ones. Returns the visible seq, below which no view will be asked for; undefined while the
   * store is being opened.
   */
  renewViews?(): Seq | undefined;
}

/** What an engine is given to read what can be read of its files. */
export interface SalvageContext {
  readonly vfs: MendedVfs;
  /** The engine's. */
  readonly directory: string;
  readonly checksums: Checksums;
  /** The least generation that was durable; 0 when nobody knows. */
  readonly generationMin: number;
  /** The store's; files of another one are not taken. Undefined when nobody knows. */
  readonly identity: Identity | undefined;
  /** Files that the log hands over, with the seq of their commit, oldest first; their paths are names in the directory. */
  readonly loads: readonly { readonly files: readonly SortedRunRef[]; readonly seq: Seq }[];
  /** Told of everything that is wrong, when it is met. */
  readonly report: SalvageReport;
}

export interface EngineFactory {
  readonly code: EngineCode;
  /** Lower-case letters, digits and hyphens, at most 14: also the name of its directory. */
  readonly name: string;
  /**
   * True when its content shall end with the store's closing: recovery gives it nothing, and it never holds the log.
   * Default: true for EngineCode.Memory, false for every other.
   */
  readonly volatile?: boolean;
  open(context: EngineContext): Promise<KvEngine>;
  /** Reads damaged files; never throws for what they hold. Absent where there are no files. */
  salvage?(context: SalvageContext): SalvagedEngine;
  /** For a thread that reads what views of another one's engine share. Absent where none can be shared. */
  attach?(context: AttachContext): ViewAttacher;
}

/** What a thread needs to read the views of another one. */
export interface AttachContext {
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  /** Cache of blocks and pages, for this engine in this thread alone. */
  readonly cacheBytes: number;
}

/** Pages and blocks that a cache had, and those that came from files, with their bytes there. */
export type EngineReads = Pick<EngineStats, 'cacheHits' | 'pagesRead' | 'bytesRead'>;

/** Opens views that an engine of the same kind shares, one after the other. */
export interface ViewAttacher {
  /** `descriptor` is a ViewShare's, which is released behind the view. */
  open(descriptor: unknown): AttachedView;
  /** What has been read so far; all rise, but for what leaves with a file. */
  reads(): EngineReads;
  /** No view is open, and none is expected soon: lets go of files. */
  rest(): void;
  close(): void;
}

/** Opens the log a store writes to. The default is the file log of `@phantom/wal`; a replicated one can stand in its place. */
export type LogFactory = (options: WalOptions) => Promise<Wal>;

export interface StoreOptions {
  readonly vfs: Vfs;
  readonly engines: readonly EngineFactory[];
  /** Default `fsync`. */
  readonly durability?: Durability;
  /** Total cache over all engines. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Total of active and frozen deltas over all engines. Default 64 MiB. */
  readonly deltaBytesMax?: number;
  /** Log since the last checkpoint from which on the next one begins, every half second at most. Default 4 MiB. */
  readonly checkpointBytesMin?: number;
  /** The log since the last flush is bounded by this: writers wait for a checkpoint. Default 64 MiB. */
  readonly checkpointBytesMax?: number;
  /** Log kept although no engine needs it, so that who follows changes can go on after a restart. Default 0: what happens to be left. */
  readonly changesKeepBytes?: number;
  readonly segmentBytes?: number;
  /** What the scrubber reads of the files at most, in bytes a second. Default 4 MiB. */
  readonly scrubBytesPerSecond?: number;
  /** Hours from the end of one reading of everything to the next; 0: none begins by itself. Default 168. */
  readonly scrubEveryHours?: number;
  readonly readOnly?: boolean;
  /** Make the directory and a new store when there is none. Default true. */
  readonly create?: boolean;
  readonly holder?: LockHolder;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Where spans of checkpoints and of the engines' work on files go. Default: nowhere. */
  readonly tracer?: Tracer | undefined;
  /** Default: `openWal`. */
  readonly log?: LogFactory;
}

/** Commits that one sync of the log has served, for whoever wants to know what a commit has waited for. */
export interface SyncGroup {
  /** As performance.now() had it, 0 before the first. */
  readonly beganMs: number;
  readonly endedMs: number;
  readonly commits: number;
}

/** What a committed batch is told. */
export interface CommitResult {
  readonly seq: Seq;
  /** What this commit survives. */
  readonly durability: Durability;
}

/** Called back when a submitted batch is published or its outcome can no longer be known. Exactly one is called, once. */
export interface CommitListener {
  published(seq: Seq): void;
  /** `error` is 08007 outcome unknown (after the append), never a plain failure. */
  unknown(error: Error): void;
}

export interface SubmitOptions {
  readonly durability?: 'fsync' | 'os' | undefined;
  /** The batch is not changed before the listener is told, so its bytes need not be copied. */
  readonly borrow?: boolean;
  /** The batch is never changed again, so engines may keep its bytes as they are. */
  readonly give?: boolean;
  /** See BatchReader.index; not changed either before the listener is told. For a batch that is lent or given. */
  readonly index?: ArenaTree | undefined;
}

/** A consistent picture over all engines at one seq. */
export interface StoreView {
  readonly seq: Seq;
  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean;
  /** The range lies in one engine's spaces. */
  cursor(range: KeyRange): KvCursor;
  /** Counts references: one release for each view() or retain(). */
  release(): void;
  retain(): this;
  /** Why nobody can read it any more, though it is open; undefined while all is well. */
  readonly ended?: Error | undefined;
  /**
   * What another thread opens it by (AttachedStore), but for engines whose views cannot be shared. Keep it open meanwhile. Absent
   * where it shows what is not published.
   */
  share?(): Promise<ViewShare>;
}

export interface Store {
  readonly directory: string;
  /** What tells it from every other store, backups of it included; undefined in one of an old release that is open read-only. */
  readonly identity: Identity | undefined;
  readonly readOnly: boolean;
  readonly durability: Durability;
  /** Seq of the last published commit: what a view shows. */
  readonly visibleSeq: Seq;
  /** The last group of commits that was synced; one object, changed with each sync. */
  readonly lastSync: SyncGroup;
  /** Seq of the last commit that was given one; commits between visibleSeq and this are queued. */
  readonly assignedSeq: Seq;
  /** Set once the store takes no more writes, with the reason; reads go on. */
  readonly failure: Error | undefined;
  /** The present state, pinned. While nothing is published in between, the same object is shared: it costs a count. */
  view(): StoreView;
  /**
   * Room for a batch in every engine it touches: undefined when there is room now. Rejects with 53100 (disk), 53200
   * (memory) or 25006 (read-only). The last moment at which waiting or refusing is honest.
   */
  admit(batch: WriteBatch): Promise<void> | undefined;
  admitNow(batch: WriteBatch): void;
  unadmit(batch: WriteBatch): void;
  /**
   * In one synchronous turn: gives the admitted batch its seq and appends it to the log. Log order is seq order. Copies the
   * batch's bytes, unless `borrow` promises that the batch is left alone until the listener is told. `durability: 'os'`
   * makes this commit durable only as far as that. Returns the seq. Throws what the log refuses it with (53100 when the disk
   * is full), the store's failure (nothing happened: unadmit it), or 08007.
   */
  submit(batch: WriteBatch, listener: CommitListener, options?: SubmitOptions): Seq;
  /** Finishes every queued commit on this thread: sync, apply, publish. For synchronous callers. */
  drainNow(): void;
  /** Resolves when everything submitted so far is published. */
  drain(): Promise<void>;
  /** A space number that was never handed out before and never will be; durable with the next commit that uses it. */
  allocateSpaceNumber(): number;
  /**
   * Begins to write every key of the spaces again under other ones, which are fresh; see space-move.ts for what the caller
   * has to see to. 25006, 55000 or the store's failure when nothing may be written.
   */
  moveSpaces(pairs: readonly SpacePair[]): SpaceMove;
  /** Whether a change feed is open that is given what the log has, and so nothing of bulk loads and spilled commits. */
  readonly isFollowed: boolean;
  /** Follows commits in their order: see ChangeFeed. 55000 when the log no longer has what is asked for, 22023 for a seq yet to come. */
  changes(options: ChangeFeedOptions): ChangeFeed;
  /** Tells an observer of every commit from now on. */
  observe(observer: CommitObserver): void;
  /** Calls a listener when `failure` is set, once everybody whose commit was queued has been told that its outcome is unknown. */
  onFailure(listener: () => void): void;
  /**
   * Begins a load of many entries into one engine, past log and memory: see bulk-load.ts. Undefined for an engine that has no
   * files. Throws as submit does.
   */
  beginLoad(code: EngineCode): BulkLoad | undefined;
  /**
   * Files for what a writer puts aside until it commits, best those of the engine whose bit `engines` is; undefined when no engine
   * has files. Throws as submit does.
   */
  spill(engines: number): SpilledWrites | undefined;
  /** Begins the commit of what was put aside: see spilled-commit.ts. */
  beginSpilledCommit(spilled: SpilledWrites): SpilledCommit;
  /** Writes the engines' deltas to their files and gives log segments back. */
  checkpoint(): Promise<void>;
  /** What a copy of the present state goes on from: see store-copy.ts. */
  origin(): StoreOrigin;
  /** Takes who can say which reader holds a view of a seq: limits that end a view name it. */
  nameReaders(name: (seq: Seq) => string | undefined): void;
  /** Replaces what somebody is told who tries to open the directory (a daemon learns its ports after it has opened). */
  describeHolder(holder: LockHolder): void;
  engine(code: EngineCode): KvEngine | undefined;
  /**
   * Which engine a table should have that consists of these spaces, all of one engine, from how they were used since the store
   * was opened; undefined where that engine is neither of those that can be chosen.
   */
  advise(spaces: readonly SpaceId[]): TableAdvice | undefined;
  stats(): StoreStats;
  check(): AsyncIterable<Finding>;
  /**
   * Reads everything now, for its checksums alone and past every cache, while others go on: see scrubber.ts. Rejects with the reason of
   * `signal`, or 57P01 when the store is closed meanwhile.
   */
  scrub(signal?: AbortSignal): Promise<ScrubPass>;
  /** What the scrubber knows. */
  scrubbed(): ScrubFacts;
  /** The keys that cannot be read where an error names a file and an offset; undefined when nobody can tell. */
  locate(file: string, offset: number | undefined): KeyRange | undefined;
  /** Drains, checkpoints (unless it has failed or `checkpoint: false`) and frees everything. */
  close(options?: { readonly checkpoint?: boolean }): Promise<void>;
}

/** Where the history of a store begins: at nothing, or, of a copy, where that of its original stood. */
export interface StoreOrigin {
  readonly timeline: number;
  /** The commits up to this one count as there before the first. */
  readonly seq: Seq;
  /** Space numbers below may have been handed out. */
  readonly spaceLimit: number;
}

/** What the advisor says of a table, and what it goes by: one entry for each of its spaces. */
export interface TableAdvice extends EngineAdvice {
  readonly evidence: readonly SpaceEvidence[];
}

export interface StoreStats {
  readonly commits: number;
  readonly syncs: number;
  readonly visibleSeq: Seq;
  /** Milliseconds since 1970 of the last commit that was given a seq; 0 when the log does not tell. */
  readonly commitTimeMs: number;
  readonly queuedCommits: number;
  readonly checkpoints: number;
  readonly logBytesSinceCheckpoint: number;
  readonly openViews: number;
  readonly wal: WalStats;
  readonly engines: readonly EngineStats[];
}

/** Who has to know what is written before anybody can read it: caches of what was read, say. It must not fail. */
export interface CommitObserver {
  /** The commit at `seq` is being published; the reader stands before its first operation, and is the store's again on return. */
  published(batch: BatchReader, seq: Seq): void;
  /** The same of a commit of files: what they hold stands in no batch. */
  loaded(seq: Seq): void;
}

/** A commit, as a change feed hands it out: valid until its next one. */
export interface Change {
  readonly seq: Seq;
  readonly commitTimeMs: number;
  readonly batch: BatchReader;
  /** Bulk loads, to a feed that `keeps`: what they wrote is in files, and the batch is empty. */
  readonly loads: readonly LoadRecord[] | undefined;
}
