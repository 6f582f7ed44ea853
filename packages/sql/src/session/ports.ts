/**
 * What the SQL engine asks of the storage under it, besides transactions. A port, because SQL knows neither engines nor
 * the log: the composition (`db`) hands in a store behind this face.
 */
import type { StorageReads } from '../exec/storage-work.js';
import type { KeyRange, KvView, RangeEstimate, Seq, SpaceId } from '@phantom/kv';
import type { RemoteOutcome, RemoteRead } from './remote-read.js';

/** The newest committed state, pinned until released. Cheap: it is shared while nothing is committed in between. */
export interface ReadView extends KvView {
  /** One more release is due. */
  retain(): ReadView;
}

/** Threads that run reads beside this one. */
export interface ReadWorkers {
  /** Estimated cost, in row visits, from which on a read is for them. */
  readonly costMin: number;
  readonly threadsMax: number;
  /**
   * Begins a read of what the view shows, which is held until it is over; undefined where no thread is free for it. A promise:
   * it is not known yet, ask again.
   */
  begin(read: RemoteRead, view: ReadView): RemoteRows | Promise<void> | undefined;
  /** The same for a read that several threads share: as many as are free, and at most so many. None: there is none. */
  beginAll(read: RemoteRead, view: ReadView, threadsMax: number): readonly RemoteRows[] | Promise<void>;
  /** Resolves when a thread has become free, or nobody knows when one will. */
  whenFree(): Promise<void>;
}

/** The rows of a read in another thread, in blocks (exec/row-block.ts). */
export interface RemoteRows {
  /** The next block; a promise: it is not there yet, ask again; undefined at the end. Throws, or rejects with, what ended the read. */
  next(): Uint8Array | Promise<void> | undefined;
  /** How many slices of time the thread has worked on it. */
  readonly slices: number;
  /** Once it has ended well. */
  readonly outcome: RemoteOutcome | undefined;
  /** The thread is gone, and what it has not handed over. */
  readonly isLost: boolean;
  /** Called once it has ended. */
  onEnd: () => void;
  /** Nobody wants more: the read is stopped if it is still under way. */
  close(): void;
}

/** Engines a table may ask for with WITH (engine = ...). */
export type TableEngine = 'btree' | 'lsm' | 'memory';

/** Spaces on their way under other ones, of another engine; their owner keeps definitions away from both meanwhile. */
export interface SpaceMove {
  /** True once every key has been copied; later commits are still followed. */
  readonly isCopied: boolean;
  /** True when the new spaces hold what the old ones hold. */
  readonly isCaughtUp: boolean;
  /** Snapshots of before this cannot read the new spaces. */
  readonly seq: Seq;
  /** Goes a step further. When it rejects, the move can only be ended. */
  step(): Promise<void>;
  stepNow(): void;
  /** Everything that was submitted so far is in the new spaces. */
  settle(): Promise<void>;
  end(): void;
}

/** Entries of a space that nobody reads yet, on their way into files: past log and memory, durable with their commit. */
export interface SpaceLoad {
  /** Keys ascend. The bytes are copied. 53100, 58030 from the disk. */
  put(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void;
  /** A commit of its own, whatever becomes of the transaction around it. */
  commit(): Promise<Seq>;
  commitNow(): Seq;
  /** Gives it up; no effect on what is committed. Never throws. */
  discard(): void;
}

/** Which engine suits a table, from how it was used, with the figures that say so. */
export interface TableAdvice {
  readonly engine: TableEngine;
  readonly reason: string;
  readonly gets: number;
  readonly scans: number;
  readonly writes: number;
  readonly bytesWritten: number;
  /** Estimated cost of all that in either engine, in microseconds, and bytes written again for each byte. */
  readonly btreeCostUs: number;
  readonly lsmCostUs: number;
  readonly btreeWriteAmplification: number;
  readonly lsmWriteAmplification: number;
}

/** Counts since the store was opened. */
export interface StorageWork {
  readonly checkpoints: number;
  readonly logRecords: number;
  readonly logBytes: number;
  readonly logWrites: number;
  readonly logSyncs: number;
  /** Undefined where nothing is archived. */
  readonly archive: ArchiveWork | undefined;
}

export interface ArchiveWork {
  /** Of the last commit that is durable in the archive; 0 before there is one. */
  readonly lastSeq: Seq;
  /** When that was committed, in milliseconds since 1970; undefined where nobody knows any more. */
  readonly lastMs: number | undefined;
  readonly failures: number;
}

/** Commits that one sync of the log has served. Times as performance.now() had them; all 0 before the first. */
export interface SyncGroup {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly commits: number;
}

export interface StoragePort {
  view(): ReadView;
  /** Since the engines were opened; all rise, but for what leaves with a file. */
  reads(): StorageReads;
  /** What has been done since the store was opened. */
  work(): StorageWork;
  estimate(range: KeyRange): RangeEstimate;
  /** The keys that lie where a file is damaged; undefined when nobody can tell. */
  locate(file: string, offset: number | undefined): KeyRange | undefined;
  /** Cuts a range into at most `parts` ranges of about equal size that together cover it. */
  split(range: KeyRange, parts: number): readonly KeyRange[];
  /** A space that was never used before, in the engine; 0A000 when the store has no such engine. */
  allocateSpace(engine: TableEngine): SpaceId;
  /** Begins to fill spaces with what other spaces hold. */
  moveSpaces(pairs: readonly { readonly from: SpaceId; readonly to: SpaceId }[]): SpaceMove;
  /** Begins to load entries into files of an engine; undefined where it has none, or where somebody follows the log, which has nothing of them. */
  beginLoad(engine: TableEngine): SpaceLoad | undefined;
  /** Advice for a table of an engine that lies in these spaces, indexes included; undefined for a table in memory. */
  advise(spaces: readonly SpaceId[]): TableAdvice | undefined;
  /** Finishes every commit that waits for its sync, on this thread; true when there was one. */
  finishQueuedNow(): boolean;
  /** The last group of commits that was synced. */
  readonly lastSync: SyncGroup;
  /** Writes deltas to files and gives log space back. */
  checkpoint(): Promise<void>;
  /** Gives the last commit a name in the archive, durable on return, and returns its seq; undefined where nothing is archived. */
  createRestorePoint(name: string): Seq | undefined;
  /** Copies everything there is into a directory. What `onProgress` throws, now and then, ends it. */
  backup(directory: string, onProgress: () => void): Promise<BackupFacts>;
}

/** What a backup holds. */
export interface BackupFacts {
  /** The last commit in it. */
  readonly seq: Seq;
  readonly entries: number;
  /** Of keys and values. */
  readonly bytes: number;
}
