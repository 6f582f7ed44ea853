/**
 * A run in its place: what the manifest says of it, its reader, and the range of keys that it speaks of. A run that moves
 * to another level gets a new RunFile over the same reader; whoever shows a run to readers retains the reader.
 */
import { compareKeys } from '@phantom/base';
import { keyAfter } from '@phantom/kv';
import type { RangeTombstone, Run } from '@phantom/runs';
import type { RunEntry } from './manifest-codec.js';

const NO_BYTES = new Uint8Array(0);

/** Counts how often cursors had to look into a run; shared by all RunFiles over one reader. */
export interface SeekCount {
  seeks: number;
}

export class RunFile {
  readonly entry: RunEntry;
  readonly run: Run;
  /** Its keys and its range tombstones lie in [lower, upper). */
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
  /** All of them, whatever their seq. */
  readonly tombstones: readonly RangeTombstone[];
  readonly seekCount: SeekCount;

  constructor(entry: RunEntry, run: Run, seekCount: SeekCount = { seeks: 0 }) {
    this.entry = entry;
    this.run = run;
    this.seekCount = seekCount;
    this.tombstones = run.rangeTombstones(Number.MAX_SAFE_INTEGER);
    let lower = run.entries === 0 ? undefined : run.smallestKey;
    let upper = run.entries === 0 ? undefined : keyAfter(run.largestKey);
    for (const tombstone of this.tombstones) {
      if (lower === undefined || compareKeys(tombstone.lower, lower) < 0) lower = tombstone.lower;
      if (upper === undefined || compareKeys(tombstone.upper, upper) > 0) upper = tombstone.upper;
    }
    this.lower = lower ?? NO_BYTES;
    this.upper = upper ?? NO_BYTES;
  }

  get number(): number {
    return this.entry.number;
  }

  get bytes(): number {
    return this.entry.bytes;
  }

  get entries(): number {
    return this.run.entries;
  }

  get removals(): number {
    return this.run.removals;
  }

  get seeks(): number {
    return this.seekCount.seeks;
  }

  /** The same run in another level. */
  inLevel(level: number): RunFile {
    return new RunFile({ ...this.entry, level, age: 0 }, this.run, this.seekCount);
  }
}
