/** Settings of the engine. Its share of cache and delta comes with the context it is opened in. */
import { PhantomError, SLICE_MS, SqlState } from '@phantom/base';
import type { SharedMemory } from '@phantom/runs';
import { PAGE_BYTES_MAX, PAGE_BYTES_MIN } from './format.js';

const GIB = 1024 * 1024 * 1024;

export interface BtreeOptions {
  /** Size of a page of a new tree: a power of two from 8192 to 32768. An existing tree keeps its own. Default 8192. */
  readonly pageBytes?: number;
  /** Runs past which they are merged whatever it costs. Default 8. */
  readonly runsMax?: number;
  /** Runs are merged into the pages after so long without a write, so that the engine is a plain tree again. Default 500. */
  readonly idleMergeMs?: number;
  /** Bytes of files that are kept for views alone; past it the oldest view ends with 72000. Default 16 GiB. */
  readonly pinnedBytesMax?: number;
  /** Background work lets others run after so long. Default 2. */
  readonly sliceMs?: number;
  /**
   * Flushes and merges of at least so many bytes run in worker threads, when the files are on a real disk; smaller ones in
   * slices of `sliceMs` on this thread. Pages that a merge reads and writes count. Infinity: all of them. Default 1 MiB.
   */
  readonly workerBytesMin?: number;
  /** Cache and delta shared with the other engines of the store. Default: a part of what the store has for each engine. */
  readonly memory?: SharedMemory;
}

export interface ResolvedBtreeOptions {
  readonly pageBytes: number;
  readonly runsMax: number;
  readonly idleMergeMs: number;
  readonly pinnedBytesMax: number;
  readonly sliceMs: number;
  readonly workerBytesMin: number;
  readonly memory: SharedMemory | undefined;
}

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: BtreeOptions): ResolvedBtreeOptions {
  const { pageBytes = 8192, runsMax = 8, idleMergeMs = 500, pinnedBytesMax = 16 * GIB, sliceMs = SLICE_MS } = options;
  const { workerBytesMin = 1024 * 1024 } = options;
  const isPower = Number.isInteger(Math.log2(pageBytes));
  if (!isPower || pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) {
    throw invalid(`pageBytes is a power of two from ${PAGE_BYTES_MIN} to ${PAGE_BYTES_MAX}`, pageBytes);
  }
  if (!Number.isInteger(runsMax) || runsMax < 1 || runsMax > 48)
    throw invalid('runsMax lies between 1 and 48', runsMax);
  if (!(idleMergeMs >= 0)) throw invalid('idleMergeMs is a number of milliseconds', idleMergeMs);
  if (!(pinnedBytesMax >= 0)) throw invalid('pinnedBytesMax is a number of bytes', pinnedBytesMax);
  if (!(workerBytesMin >= 0)) throw invalid('workerBytesMin is a number of bytes', workerBytesMin);
  if (!(sliceMs >= 0)) throw invalid('sliceMs is a number of milliseconds', sliceMs);
  return { pageBytes, runsMax, idleMergeMs, pinnedBytesMax, sliceMs, workerBytesMin, memory: options.memory };
}

function invalid(message: string, found: number): PhantomError {
  return new PhantomError(SqlState.InvalidParameterValue, `${message}, not ${found}`);
}
