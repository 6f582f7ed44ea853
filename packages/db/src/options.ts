/** Options of `open`, each with its default. */
import { type Clock, type Logger, type Metrics, type Tracer, optionNames } from '@phantom/base';
import type { JsOptions } from '@phantom/sql';
import type { DeadlockPolicy, WaitingMode } from '@phantom/mvcc';
import type { ArchiveOptions } from '@phantom/store';
import type { LockHolder } from '@phantom/vfs';
import type { Durability } from '@phantom/wal';

/** How values and results are shown to the caller. */
export interface ResultOptions extends JsOptions {
  /** False for a database in memory: that its commits survive nothing is what was asked for. */
  readonly tellsDurability: boolean;
}

export interface DatabaseOptions {
  /** Database of the store to work in; made on first use of a new store. Default `phantom`. */
  readonly database?: string;
  /** Role to act as. Default: the store's first superuser. */
  readonly user?: string;
  /** What a commit survives once it is acknowledged. Default `fsync`: a power cut. */
  readonly durability?: Durability;
  /** Memory for pages read from files; where there are column indexes, as much again for their values. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Memory for filters and indexes of sorted runs, about 2 bytes a row of an LSM table. Default 256 MiB. */
  readonly filterBytesMax?: number;
  /** Memory for writes that are in the log and not yet in files. Default 64 MiB. */
  readonly deltaBytesMax?: number;
  /**
   * Working memory of one query (sorts, hash tables, stages of pipelines); what does not fit goes to scratch files, or is refused (53200).
   * Default 256 MiB.
   */
  readonly memoryLimitBytes?: number;
  /**
   * Threads for costly reads: one runs a read whole, or several share in one with this thread; 0: none, with the same answers. Each has
   * a cache of half of `cacheBytes`, or less, so that all of them have no more than it, and working memory of `memoryLimitBytes` of
   * its own. Default: one less than there are processors, at least 1
   * and at most 4.
   */
  readonly queryWorkersMax?: number;
  /** Estimated cost, in row visits, from which on a read is for such a thread. Default 5,000,000: some 100 ms. */
  readonly queryWorkerCostMin?: number;
  /** Working memory of all queries together; a query that finds it used up does as at its own limit. Default four times `memoryLimitBytes`. */
  readonly queriesMemoryBytesMax?: number;
  /** Scratch files of all queries together, in the folder `scratch` of the directory; past it 53100. Default 16 GiB. */
  readonly scratchBytesMax?: number;
  /** Memory of one transaction's writes; what is more is put aside on disk. Default half of `cacheBytes`, from 64 to 128 MiB. */
  readonly writeSetBytesMax?: number;
  /** What all transactions together may have put aside; past it 53100. Default 16 GiB. */
  readonly spillBytesMax?: number;
  /** Log since the last checkpoint from which on the next one begins, every half second at most. Default 4 MiB. */
  readonly checkpointBytesMin?: number;
  /** Log since the last checkpoint at which writers wait for the next one: bounds recovery. Default 64 MiB. */
  readonly checkpointBytesMax?: number;
  /**
   * Log kept after checkpoints, so that who follows changes (`collection.watch`) can go on after a restart. Default 16 MiB; in memory 0.
   */
  readonly changesKeepBytes?: number;
  /**
   * Archives every commit beside whole copies in a directory of its own, so that `restore` can bring any moment back. Default: nothing is
   * archived. To be given at every opening: what is committed without it may leave a gap.
   */
  readonly archive?: ArchiveOptions;
  /** What the scrubber reads of the files at most, in bytes a second. Default 4 MiB. */
  readonly scrubBytesPerSecond?: number;
  /**
   * The scrubber reads all files once in so many hours, in the background and past the caches, and tells of damage; 0: it does not.
   * Default 168: once a week.
   */
  readonly scrubEveryHours?: number;
  /** Who of a deadlock loses. Default `youngest`; `priority` goes by the setting `phantom.deadlock_priority`. */
  readonly deadlockPolicy?: DeadlockPolicy;
  /** What becomes of a wait for a lock: deadlocks are found and broken (`detect`, the default), or never arise. */
  readonly waiting?: WaitingMode;
  /** Transactions that wait for their second phase (`max_prepared_transactions`); one more is 53200. Default 1000; 0: none. */
  readonly preparedMax?: number;
  /** Prepared transactions older than this are rolled back. Default 0: never. */
  readonly preparedTimeoutMs?: number;
  /** Refuses every write, and leaves the directory as it is. Default false. */
  readonly readOnly?: boolean;
  /** Make the store when there is none. Default true. */
  readonly create?: boolean;
  /** How bigint columns come out: as numbers while they are safe integers, or always as bigint. Default `auto`. */
  readonly bigint?: 'auto' | 'always';
  /** How timestamptz columns come out: as Date (milliseconds), or as text with all microseconds. Default `date`. */
  readonly timestamps?: 'date' | 'text';
  /**
   * Statements that take at least so many milliseconds are told to the logger, without their values, where nobody sets
   * log_min_duration_statement otherwise; 0: all of them. Default -1: none.
   */
  readonly logMinDurationMs?: number;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Where spans go: a tracer of `@opentelemetry/api`, or whatever has its shape. Default: nothing is traced. */
  readonly tracer?: Tracer;
  /** Whether spans tell the texts of statements, which come without their constants. Default true. */
  readonly traceTexts?: boolean;
  readonly clock?: Clock;
  /** What a second opener of the directory is told about this one. */
  readonly holder?: LockHolder;
  /** Seed of random() in new sessions; for simulation. Default: the clock and the process. */
  readonly seed?: number;
}

/** Of `open`. */
export const DATABASE_OPTIONS = optionNames<DatabaseOptions>({
  database: true,
  user: true,
  durability: true,
  cacheBytes: true,
  filterBytesMax: true,
  deltaBytesMax: true,
  memoryLimitBytes: true,
  queryWorkersMax: true,
  queryWorkerCostMin: true,
  queriesMemoryBytesMax: true,
  scratchBytesMax: true,
  writeSetBytesMax: true,
  spillBytesMax: true,
  checkpointBytesMin: true,
  checkpointBytesMax: true,
  changesKeepBytes: true,
  archive: true,
  scrubBytesPerSecond: true,
  scrubEveryHours: true,
  deadlockPolicy: true,
  waiting: true,
  preparedMax: true,
  preparedTimeoutMs: true,
  readOnly: true,
  create: true,
  bigint: true,
  timestamps: true,
  logMinDurationMs: true,
  logger: true,
  metrics: true,
  tracer: true,
  traceTexts: true,
  clock: true,
  holder: true,
  seed: true,
});

export const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;
export const DEFAULT_DELTA_BYTES_MAX = 64 * 1024 * 1024;
const DEFAULT_WRITE_SET_BYTES_MIN = 64 * 1024 * 1024;
const DEFAULT_WRITE_SET_BYTES_MAX = 128 * 1024 * 1024;
export const DEFAULT_QUERY_WORKER_COST_MIN = 5_000_000;
export const DEFAULT_PREPARED_MAX = 1000;
export const DEFAULT_CHANGES_KEEP_BYTES = 16 * 1024 * 1024;
export const DEFAULT_SCRUB_BYTES_PER_SECOND = 4 * 1024 * 1024;
export const DEFAULT_SCRUB_EVERY_HOURS = 168;
export const DEFAULT_MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;
export const DEFAULT_SCRATCH_BYTES_MAX = 16 * 1024 * 1024 * 1024;
/** Texts whose syntax trees and plans are kept. */
export const STATEMENT_CACHE_ENTRIES_MAX = 2048;
/** Where the store of a database in memory believes to be. */
export const MEMORY_DIRECTORY = ':memory:';

/** What holds where an option is left out, as far as it does not follow from others or from the machine. */
export const OPTION_DEFAULTS: DatabaseOptions = {
  durability: 'fsync',
  cacheBytes: DEFAULT_CACHE_BYTES,
  deltaBytesMax: DEFAULT_DELTA_BYTES_MAX,
  memoryLimitBytes: DEFAULT_MEMORY_LIMIT_BYTES,
  queryWorkerCostMin: DEFAULT_QUERY_WORKER_COST_MIN,
  scratchBytesMax: DEFAULT_SCRATCH_BYTES_MAX,
  changesKeepBytes: DEFAULT_CHANGES_KEEP_BYTES,
  preparedMax: DEFAULT_PREPARED_MAX,
  scrubBytesPerSecond: DEFAULT_SCRUB_BYTES_PER_SECOND,
  scrubEveryHours: DEFAULT_SCRUB_EVERY_HOURS,
  preparedTimeoutMs: 0,
  logMinDurationMs: -1,
  traceTexts: true,
  readOnly: false,
  bigint: 'auto',
  timestamps: 'date',
};

/** What a transaction's writes may take of memory. A commit that fits is one write of the log; one that does not is read and written again. */
export function writeSetBytes({ writeSetBytesMax, cacheBytes = DEFAULT_CACHE_BYTES }: DatabaseOptions): number {
  const share = Math.min(Math.max(cacheBytes / 2, DEFAULT_WRITE_SET_BYTES_MIN), DEFAULT_WRITE_SET_BYTES_MAX);
  return writeSetBytesMax ?? share;
}
