/**
 * The face of the log. Payloads are opaque bytes. The file log in this package is the default; a fenced, replicated log
 * can stand behind the same face: hence replay in batches and awaited, `syncNow` only where `caps` has it, and `lost`,
 * which fires when this process may no longer write.
 */
import type { Checksums, Clock, Identity, Logger, Metrics } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';

/** A byte position in the endless log; rises with every record; 0 is before the first. A safe integer. */
export type Lsn = number;

export interface RecordMeta {
  /** Commit sequence of the record; at least that of the record before. */
  readonly seq: number;
  /** Wall clock of the commit, milliseconds since 1970, an integer. */
  readonly commitTimeMs: number;
  /** Free for the owner of the payloads: 16 bits. Bits of the log itself (fragment, last) are not in here. */
  readonly flags: number;
}

/** A record as it is read back. The payload belongs to the reader's batch and stays valid until the next batch. */
export interface WalRecord extends RecordMeta {
  readonly lsn: Lsn;
  /** Position behind the record: replaying from here skips it. */
  readonly end: Lsn;
  /** The payload, where it lies: [payloadStart, payloadEnd) of these bytes. */
  readonly bytes: Uint8Array;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** The payload, as a view that is made for whoever asks. */
  readonly payload: Uint8Array;
}

/**
 * Records that follow each other, with the same flags and each with the next seq: for who takes tens of thousands of them and can
 * do without an object for each.
 */
export interface WalRecordRun {
  /** Of the first record. */
  readonly lsn: Lsn;
  readonly count: number;
  /** Of the first record. */
  readonly firstSeq: number;
  readonly flags: number;
  /** Of the last record. */
  readonly commitTimeMs: number;
  /** The payloads, where they lie: payload i in [ranges[2i], ranges[2i + 1]) of these bytes. */
  readonly bytes: Uint8Array;
  readonly ranges: Int32Array;
  /** Position behind the last record. */
  readonly end: Lsn;
}

export interface WalRecordBatch {
  /** Empty where there is a run. */
  readonly records: readonly WalRecord[];
  /** In place of records, for who asked for runs. */
  readonly run?: WalRecordRun;
  /** Position behind the last record of the batch. */
  readonly end: Lsn;
}

export interface ReplayOptions {
  /** Records with these flags may come as runs. */
  readonly runsOf?: number;
}

/** Keeps the log from `from` on, up to a limit; past it the retention is dropped and told so. */
export interface Retention {
  readonly name: string;
  readonly from: Lsn;
  /** True once the limit was passed: what it wanted may be gone. */
  readonly dropped: boolean;
  /** Gives back everything before `from`. */
  advance(from: Lsn): void;
  release(): void;
}

export interface Wal {
  readonly caps: { readonly syncNow: boolean };
  /** Fires, with the reason, when nothing may be written any more: a failed sync, a lost lease. */
  readonly lost: AbortSignal;
  /** Position behind the last appended record. */
  readonly end: Lsn;
  /** Everything before is durable. */
  readonly durable: Lsn;
  /** Position behind the last record that a sync has covered: what `LogOwner.end` may be. */
  readonly recordsSynced: Lsn;
  /** First position that can still be replayed. */
  readonly start: Lsn;
  /** Number of the newest segment. */
  readonly segment: number;
  /** What this opening writes under: above that of every one before. */
  readonly epoch: number;
  /**
   * Copies the payload into the log's buffer and returns the position behind the record (what `durable` must reach). Large payloads become
   * fragments of which the last decides. Never waits. Throws 53100 before anything is taken when space for it cannot be
   * had, and the reason of `lost` once that has fired.
   */
  append(payload: Uint8Array, meta: RecordMeta): Lsn;
  /** One write and one fdatasync for everything appended before the call; concurrent calls share. Resolves with `durable`. */
  sync(): Promise<Lsn>;
  /** As sync, on this thread, waiting. Only where caps.syncNow. */
  syncNow?(): Lsn;
  /** Hands what is appended to the operating system without syncing (durability `os`). */
  write(): void;
  /** Whole records from a position on, in order, up to the end as of the call. Broken records below the durable mark are corruption. */
  replay(from: Lsn, options?: ReplayOptions): AsyncIterable<WalRecordBatch>;
  /** As replay, then goes on with what is appended and durable, until the iterator is returned or the log closes. */
  follow(from: Lsn): AsyncIterable<WalRecordBatch>;
  /** Keeps records from `from`; dropped, with its name in the log port, once it holds more than bytesMax. */
  retain(name: string, from: Lsn, bytesMax: number): Retention;
  /** Recycles or removes segments that lie wholly before lsn and before every retention. */
  dropBefore(lsn: Lsn): Promise<void>;
  /** As dropBefore, on this thread. Only where caps.syncNow. */
  dropBeforeNow?(lsn: Lsn): void;
  /**
   * Goes on in a new segment, and says in it that all before is durable: an opening that needs nothing of what is before does not read
   * it, damaged or not. Throws as append and sync do. Absent where there are no segments.
   */
  nextSegment?(): Promise<void>;
  stats(): WalStats;
  /** Syncs nothing: what was appended and not synced may be lost, and its waiters are told "outcome unknown". */
  close(): Promise<void>;
}

export interface WalStats {
  readonly records: number;
  readonly bytesAppended: number;
  readonly writes: number;
  readonly syncs: number;
  readonly segments: number;
  readonly segmentsRecycled: number;
}

/** What the owner of a log remembers of it, outside of the log: see log-owner.ts. */
export interface LogOwner {
  /** Stands in all segments from now on; those of another one are refused. */
  readonly identity: Identity;
  /** Segments that begin before this position may be older than the identity and carry none. */
  readonly identifiedFrom: Lsn;
  /** The newest segment that is known to have been there, and how far the log is known to have gone; 0 when nothing is. */
  readonly segment: number;
  readonly end: Lsn;
  /** Nobody has appended anything in a later epoch; undefined when that is not known. */
  readonly epoch: number | undefined;
  /** Makes these two durable before anybody is told that records in the segment are. */
  recordHead(segment: number, end: Lsn): Promise<void>;
  /** As recordHead, on this thread. */
  recordHeadNow(segment: number, end: Lsn): void;
}

/** `fsync`: power cuts lose nothing acknowledged. `os`: a crash of the process loses nothing. `memory`: nothing is promised. */
export type Durability = 'fsync' | 'os' | 'memory';

export interface WalOptions {
  readonly directory: string;
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  /** Default `fsync`. With `os` sync() hands over to the operating system; with `memory` it resolves at once. */
  readonly durability?: Durability;
  /** Size of a segment file. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** Free segments kept for reuse. Default 4. */
  readonly recycledSegmentsMax?: number;
  /** Buffer of appended, unwritten records; past it append writes through. Default 8 MiB. */
  readonly bufferBytesMax?: number;
  /** Whose log it is. Without one the log belongs to nobody, or to whom it belonged before. */
  readonly owner?: LogOwner;
  /**
   * What lies before may be missing: the owner of the log has dropped it and remembers so, which spares the opening a search
   * for the log's own word, and most of the reading where a record begins there. Default 0.
   */
  readonly droppedBefore?: Lsn;
  readonly readOnly?: boolean;
  /** Hold the directory against other processes while open for writing. Default true; false when the owner of a directory above does. */
  readonly lockDirectory?: boolean;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
}
