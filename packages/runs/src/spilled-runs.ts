/**
 * Spilled writes (kv/spilled-writes.ts) in sorted runs: a version's seq is the place of its operation, so runs bring what is
 * needed with them: filters, versions up to a limit, range tombstones, cursors in both directions.
 *
 * The files lie in the directory of the engine whose disk and cache they use, under names by which the next opening removes
 * them. They are read and checked like any run, and never synced.
 */
import { type Checksums, type Logger, assert } from '@phantom/base';
import {
  type ByteSlot,
  type KeyRange,
  type KvCursor,
  type SpillWriter,
  type SpilledEntries,
  type SpilledWrites,
  Written,
} from '@phantom/kv';
import { type Vfs, joinPath } from '@phantom/vfs';
import type { BlockCache } from './block-cache.js';
import { CursorLayer } from './cursor-layer.js';
import { KeyHash } from './filter.js';
import { ingestedNumber } from './ingested-number.js';
import { LayerVersions } from './layer-versions.js';
import { type RangeTombstone, type VersionCursor, VersionKind } from './layer.js';
import { MergingCursor, type MergeSource } from './merging-cursor.js';
import { MergingVersions, type VersionSource } from './merging-versions.js';
import { type KeyIntervals, overlaps, unionOf } from './range-cover.js';
import { Run } from './run-reader.js';
import { RunWriter } from './run-writer.js';
import { LOAD_PREFIX } from './sorted-files.js';

export interface SpilledRunsOptions {
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  readonly logger: Logger;
  readonly cache: BlockCache;
  /** The engine's. */
  readonly directory: string;
  /** No other spill or load of the engine has it, ever. */
  readonly name: string;
}

const ALL_KEYS: KeyRange = { lower: new Uint8Array(0), upper: undefined };

class SpilledRun {
  readonly run: Run;
  /** Places of its operations: [from, to). What lies behind `to` is forgotten. */
  readonly from: number;
  to: number;

  constructor(run: Run, from: number, to: number) {
    this.run = run;
    this.from = from;
    this.to = to;
  }

  /** Seq at which the run is read by who sees the operations before the limit. */
  seqBefore(limit: number): number {
    return Math.min(limit, this.to) - 1;
  }
}

export class SpilledRuns implements SpilledWrites {
  private readonly options: SpilledRunsOptions;
  /** Newest first. */
  private readonly parts: SpilledRun[] = [];
  private readonly hash = new KeyHash();
  private made = 0;

  constructor(options: SpilledRunsOptions) {
    this.options = options;
  }

  get bytes(): number {
    return this.parts.reduce((sum, { run }) => sum + run.bytes, 0);
  }

  get runs(): number {
    return this.parts.length;
  }

  begin(from: number, to: number): SpillWriter {
    assert(from < to && from >= (this.parts[0]?.to ?? 0), 'runs of spilled writes follow each other');
    const { vfs, checksums, logger, cache, directory, name } = this.options;
    const path = joinPath(directory, `${LOAD_PREFIX}${name}-spill-${this.made++}`);
    const identity = ingestedNumber(checksums, path);
    const writer = new RunWriter({ vfs, path, checksums, identity, seqBase: from });
    const end = (): void => {
      const run = new Run({ vfs, path, checksums, cache, identity, logger });
      run.removeWhenReleased();
      this.parts.unshift(new SpilledRun(run, from, to));
    };
    return new RunFiller(writer, end, () => this.remove(path));
  }

  lookup(key: Uint8Array, start: number, end: number, limit: number, value: ByteSlot): Written {
    const { hash } = this;
    hash.set(key, start, end);
    for (const part of this.parts) {
      if (part.from >= limit) continue;
      // A lookup in a layer and what is written of a key are told in the same numbers.
      const found: Written = part.run.getHashed(key, start, end, hash, part.seqBefore(limit), value);
      if (found !== Written.Unknown) return found;
    }
    return Written.Unknown;
  }

  cursorOver(below: KvCursor, range: KeyRange, limit: number): KvCursor {
    const seen = this.parts.filter(({ from }) => from < limit);
    if (seen.length === 0) return below;
    const sources: MergeSource[] = [];
    const above: RangeTombstone[] = [];
    for (const part of seen) {
      const seq = part.seqBefore(limit);
      part.run.retain();
      sources.push({ cursor: part.run.cursor(range, seq), hidden: intervalsOf(above) });
      above.push(...part.run.rangeTombstones(seq));
    }
    const lowest = new CursorLayer(below, () => {
      for (const { run } of seen) run.release();
    });
    sources.push({ cursor: lowest, hidden: intervalsOf(above) });
    return new MergingCursor(sources);
  }

  touches(range: KeyRange): boolean {
    for (const part of this.parts) {
      const seq = part.to - 1;
      if (part.run.rangeTombstones(seq).some((tombstone) => overlaps(tombstone, range))) return true;
      const cursor = part.run.cursor(range, seq);
      const isThere = cursor.next();
      cursor.close();
      if (isThere) return true;
    }
    return false;
  }

  entries(): SpilledEntries {
    const sources: VersionSource[] = [];
    const above: RangeTombstone[] = [];
    for (const { run, to } of this.parts) {
      const seq = to - 1;
      const versions = run.seqMax <= seq ? run.versions(false) : new LayerVersions(run.cursor(ALL_KEYS, seq));
      sources.push({ versions, hidden: intervalsOf(above) });
      above.push(...run.rangeTombstones(seq));
    }
    return new MergedEntries(new MergingVersions(sources));
  }

  removedRanges(): readonly { readonly lower: Uint8Array; readonly upper: Uint8Array }[] {
    const { lowers, uppers } = unionOf(this.parts.flatMap(({ run, to }) => run.rangeTombstones(to - 1)));
    return lowers.map((lower, i) => ({ lower, upper: uppers[i] as Uint8Array }));
  }

  truncate(place: number): void {
    const { parts } = this;
    while (parts[0] !== undefined && parts[0].from >= place) (parts.shift() as SpilledRun).run.release();
    if (parts[0] !== undefined) parts[0].to = Math.min(parts[0].to, place);
  }

  close(): void {
    for (const { run } of this.parts.splice(0)) run.release();
  }

  /** Of a run that could not be written. */
  private remove(path: string): void {
    const { vfs, logger } = this.options;
    try {
      vfs.remove(path);
    } catch (error) {
      logger.warn('a file of spilled writes could not be removed', { path, reason: String(error) });
    }
  }
}

class RunFiller implements SpillWriter {
  private readonly writer: RunWriter;
  private readonly ended: () => void;
  private readonly discarded: () => void;
  private isOpen = true;

  /** The one or the other is called once the file is closed. */
  constructor(writer: RunWriter, ended: () => void, discarded: () => void) {
    this.writer = writer;
    this.ended = ended;
    this.discarded = discarded;
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    place: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.writer.add(key, keyStart, keyEnd, place, VersionKind.Put, value, valueStart, valueEnd);
  }

  remove(key: Uint8Array, keyStart: number, keyEnd: number, place: number): void {
    this.writer.add(key, keyStart, keyEnd, place, VersionKind.Remove, key, 0, 0);
  }

  removeRange(lower: Uint8Array, upper: Uint8Array, place: number): void {
    this.writer.addRangeTombstone({ lower, upper, seq: place });
  }

  end(): void {
    this.writer.finish();
    this.writer.close();
    this.ended();
    this.isOpen = false;
  }

  discard(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.writer.close();
    this.discarded();
  }
}

class MergedEntries implements SpilledEntries {
  readonly key: ByteSlot;
  readonly value: ByteSlot;
  private readonly versions: VersionCursor;

  constructor(versions: VersionCursor) {
    this.versions = versions;
    this.key = versions.key;
    this.value = versions.value;
  }

  get isRemoved(): boolean {
    return this.versions.kind === VersionKind.Remove;
  }

  next(): boolean {
    return this.versions.next();
  }

  close(): void {
    this.versions.close();
  }
}

function intervalsOf(tombstones: readonly RangeTombstone[]): KeyIntervals | undefined {
  return tombstones.length === 0 ? undefined : unionOf(tombstones);
}
