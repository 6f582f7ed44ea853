/** Settings of the engine. Its share of cache and delta comes with the context it is opened in. */
import { PhantomError, SLICE_MS, SqlState } from '@phantom/base';
import type { Compression, SharedMemory } from '@phantom/runs';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export interface LsmOptions {
  /** Runs of level 0 from which on they are merged with each other or into the level below. Default 4. */
  readonly level0RunsMin?: number;
  /** Runs of level 0 from which on writers are slowed, more and more. Default 16. */
  readonly level0RunsSlow?: number;
  /** Runs of level 0 at which a flush waits for a compaction. Default 40. */
  readonly level0RunsMax?: number;
  /** Bytes of the topmost level below 0 before a level is put above it. Default twice deltaBytesMax. */
  readonly levelBytes?: number;
  /** How much larger a level is than the one above. Default 10. */
  readonly levelFactor?: number;
  /** Runs that a compaction writes end at this size. Default 16 MiB. */
  readonly runBytesMax?: number;
  /** Size of a block before compression. Default 4 KiB: what a get that misses the cache costs grows with it. */
  readonly blockBytes?: number;
  /** Default 10: a filter lets one absent key in a hundred pass. */
  readonly filterBitsPerKey?: number;
  /** Memory for filters and indexes of runs, about 2 bytes a record; past it they are read again. Default 256 MiB. */
  readonly filterBytesMax?: number;
  /** Of all runs but those in the bottom level. Default `lz4`. */
  readonly compression?: Compression;
  /** Of runs in the bottom level, where most bytes lie. Default: as `compression`. */
  readonly bottomCompression?: Compression;
  /** Bytes of files that are kept for views alone; past it the oldest view ends with 72000. Default 16 GiB. */
  readonly pinnedBytesMax?: number;
  /** Background work lets others run after so long. Default 2. */
  readonly sliceMs?: number;
  /**
   * Flushes and compactions of at least so many bytes run in worker threads, when the files are on a real disk; smaller ones
   * in slices of `sliceMs` on this thread. Infinity: all of them. Default 1 MiB.
   */
  readonly workerBytesMin?: number;
  /** Cache and delta shared with the other engines of the store. Default: a part of what the store has for each engine. */
  readonly memory?: SharedMemory;
}

export interface ResolvedLsmOptions {
  readonly level0RunsMin: number;
  readonly level0RunsSlow: number;
  readonly level0RunsMax: number;
  /** Undefined: twice deltaBytesMax. */
  readonly levelBytes: number | undefined;
  readonly levelFactor: number;
  readonly runBytesMax: number;
  readonly blockBytes: number;
  readonly filterBitsPerKey: number;
  readonly filterBytesMax: number;
  readonly compression: Compression;
  readonly bottomCompression: Compression;
  readonly pinnedBytesMax: number;
  readonly sliceMs: number;
  readonly workerBytesMin: number;
  readonly memory: SharedMemory | undefined;
}

const COMPRESSIONS: readonly unknown[] = ['none', 'lz4', 'deflate'];

/** Checks the options and fills in the defaults; 22023 for what cannot be. */
export function resolveOptions(options: LsmOptions): ResolvedLsmOptions {
  const { level0RunsMin = 4, level0RunsSlow = 16, level0RunsMax = 40, levelBytes, levelFactor = 10 } = options;
  const { runBytesMax = 16 * MIB, blockBytes = 4 * KIB, filterBitsPerKey = 10, sliceMs = SLICE_MS } = options;
  const { compression = 'lz4', bottomCompression = compression, pinnedBytesMax = 16 * GIB } = options;
  const { workerBytesMin = MIB, filterBytesMax = 256 * MIB } = options;
  const wholes = { level0RunsMin, level0RunsSlow, level0RunsMax, runBytesMax, blockBytes };
  for (const [name, value] of Object.entries(wholes)) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalid(`${name} is a whole number above zero`, value);
  }
  if (level0RunsMin > level0RunsSlow || level0RunsSlow > level0RunsMax) {
    throw invalid('level0RunsMin, level0RunsSlow and level0RunsMax ascend', level0RunsSlow);
  }
  if (levelBytes !== undefined && !(levelBytes > 0)) throw invalid('levelBytes is above zero', levelBytes);
  if (!(levelFactor >= 2)) throw invalid('levelFactor is at least 2', levelFactor);
  if (!(filterBitsPerKey >= 0 && filterBitsPerKey <= 64)) {
    throw invalid('filterBitsPerKey lies between 0 and 64', filterBitsPerKey);
  }
  if (!(filterBytesMax >= 0)) throw invalid('filterBytesMax is a number of bytes', filterBytesMax);
  if (!(pinnedBytesMax >= 0)) throw invalid('pinnedBytesMax is a number of bytes', pinnedBytesMax);
  if (!(workerBytesMin >= 0)) throw invalid('workerBytesMin is a number of bytes', workerBytesMin);
  if (!(sliceMs >= 0)) throw invalid('sliceMs is a number of milliseconds', sliceMs);
  for (const name of [compression, bottomCompression]) {
    if (!COMPRESSIONS.includes(name)) throw invalid('compression is none, lz4 or deflate', name);
  }
  return {
    level0RunsMin,
    level0RunsSlow,
    level0RunsMax,
    levelBytes,
    levelFactor,
    runBytesMax,
    blockBytes,
    filterBitsPerKey,
    filterBytesMax,
    compression,
    bottomCompression,
    pinnedBytesMax,
    sliceMs,
    workerBytesMin,
    memory: options.memory,
  };
}

function invalid(message: string, found: unknown): PhantomError {
  return new PhantomError(SqlState.InvalidParameterValue, `${message}, not ${String(found)}`);
}
