/** Settings of an archive, each with its default. */
import { type Clock, type Logger, type Metrics, PhantomError, SqlState } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import type { EngineFactory } from '../types.js';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3600 * 1000;

/** How long commits wait to be written to the archive and synced together, at most. */
export const SYNC_INTERVAL_MS = 1000;
/** Archived bytes that are not synced yet; past it following waits for a sync. */
export const UNSYNCED_BYTES_MAX = MIB;
/** Views that are held so that bulk loads can be archived as of their own commit. */
export const LOAD_VIEWS_MAX = 8;

export interface ArchiveOptions {
  /** Where the archive lies: best on another disk. Made when it is not there. One archive is of one store. */
  readonly directory: string;
  /** A file of commits is closed when it has been open for so long, so that it can be copied elsewhere. Default 60,000. */
  readonly timeoutMs?: number;
  /** Or when it has so many bytes. Default 16 MiB. */
  readonly fileBytesMax?: number;
  /** Another base is made so long after the last one: the fewer commits a restore has to bring back. 0: never. Default a day. */
  readonly baseEveryMs?: number;
  /** Bases that are kept; the oldest, and the commits before those that stay, are removed behind a new one. Default 2. */
  readonly basesKept?: number;
  /** Log that is held while it cannot be archived; past it the archive gets a gap, and a new base. Default 1 GiB. */
  readonly logBytesMax?: number;
  /** After a failure it is tried again so much later. Default 5000. */
  readonly retryMs?: number;
}

export type ResolvedArchiveOptions = Required<ArchiveOptions>;

/** What an archive needs beside its settings. */
export interface ArchivePorts {
  /** The disk that it lies on. */
  readonly vfs: Vfs;
  /** Those of the store that have files, for bases alone. */
  readonly engines: readonly EngineFactory[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** 22023 for settings that cannot be. */
export function resolveArchiveOptions(options: ArchiveOptions): ResolvedArchiveOptions {
  const {
    directory,
    timeoutMs = 60_000,
    fileBytesMax = 16 * MIB,
    baseEveryMs = DAY_MS,
    basesKept = 2,
    logBytesMax = 1024 * MIB,
    retryMs = 5000,
  } = options;
  if (directory === '') throw invalid('an archive needs a directory');
  const least = { timeoutMs: 1, fileBytesMax: 1, baseEveryMs: 0, basesKept: 1, logBytesMax: 1, retryMs: 1 };
  const resolved = { directory, timeoutMs, fileBytesMax, baseEveryMs, basesKept, logBytesMax, retryMs };
  for (const name of Object.keys(least) as (keyof typeof least)[]) {
    if (!(Number.isSafeInteger(resolved[name]) && resolved[name] >= least[name])) {
      throw invalid(`${name} of an archive is a whole number from ${least[name]} on`);
    }
  }
  return resolved;
}

function invalid(message: string): PhantomError {
  return new PhantomError(SqlState.InvalidParameterValue, message);
}
