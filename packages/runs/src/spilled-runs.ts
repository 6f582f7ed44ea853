/**
 * Spilled writes (kv/spilled-writes.ts) in sorted runs: a version's seq is the place of its operation, so runs bring what is
 * needed with them: filters, versions up to a limit, range tombstones, cursors in both directions.
 *
 * A run that is in order (spilled-run.ts) is written as the engine writes those of a bulk load, with one seq for all, and is handed
 * over as it is unless something else was written among its keys.
 *
 * The files lie in the directory of the engine whose disk and cache they use, under names by which the next opening removes
 * them. They are read and checked like any run, and never synced.
 */
import { type Checksums, type Logger, assert, compareBytes, compareKeys } from '@phantom/base';
import {
  type ByteSlot,
  type EngineCode,
  type KeyRange,
  type KvCursor,
  type ReadyRun,
  type SpillWriter,
  type SpilledEntries,
  type SpilledWrites,
  Written,
  engineOfKey,
  keyAfter,
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
import { RunWriter, type RunWriterOptions } from './run-writer.js';
import { LOAD_PREFIX } from './sorted-files.js';
import { SpilledRun } from './spilled-run.js';

export interface SpilledRunsOptions {
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  readonly logger: Logger;
  readonly cache: BlockCache;
  /** The engine's. */
  readonly directory: string;
  /** No other spill or load of the engine has it, ever. */
  readonly name: string;
  readonly engine: EngineCode;
  /** How the engine writes its runs. */
  readonly style?: Pick<RunWriterOptions, 'blockBytes' | 'filterBitsPerKey' | 'compression'>;
}

const ALL_KEYS: KeyRange = { lower: new Uint8Array(0), upper: undefined };
/** Runs that are handed over as they are, each of them a file: of more all are merged. */
const READY_RUNS_MAX = 48;

export class SpilledRuns implements SpilledWrites {
  readonly engine: EngineCode;
  private readonly options: SpilledRunsOptions;
  /** Newest first. */
  private readonly parts: SpilledRun[] = [];
  private readonly hash = new KeyHash();
  private made = 0;
  /** No key that was put aside is greater, and no removed range reaches beyond it; undefined while nothing is there. */
  private greatest: Uint8Array | undefined = undefined;

  constructor(options: SpilledRunsOptions) {
    this.options = options;
    this.engine = options.engine;
  }

  get bytes(): number {
    return this.parts.reduce((sum, { run }) => sum + run.bytes, 0);
  }

  get runs(): number {
    return this.parts.length;
  }

  begin(from: number, to: number, isInOrder = false): SpillWriter {
    assert(from < to && from >= (this.parts[0]?.to ?? 0), 'runs of spilled writes follow each other');
    const { vfs, checksums, logger, cache, directory, name, style } = this.options;
    const path = joinPath(directory, `${LOAD_PREFIX}${name}-spill-${this.made++}`);
    const identity = ingestedNumber(checksums, path);
    const writer = new RunWriter({ vfs, path, checksums, identity, seqBase: from, ...(isInOrder ? style : undefined) });
    const end = (): void => {
      const run = new Run({ vfs, path, checksums, cache, identity, logger });
      run.removeWhenReleased();
      this.parts.unshift(new SpilledRun(run, from, to, isInOrder ? writer : undefined, logger));
      this.findGreatest();
    };
    return new RunFiller(writer, isInOrder ? from : undefined, end, () => this.remove(path));
  }

  isBehind(key: Uint8Array, start: number, end: number): boolean {
    const { greatest } = this;
    return greatest !== undefined && compareBytes(key, start, end, greatest, 0, greatest.length) > 0;
  }

  lookup(key: Uint8Array, start: number, end: number, limit: number, value: ByteSlot): Written {
    // Ascending inserts ask for each key before they write it.
    if (this.isBehind(key, start, end)) return Written.Unknown;
    const { hash } = this;
    hash.set(key, start, end);
    for (const part of this.parts) {
      if (part.from >= limit || part.isBehind(key, start, end, limit)) continue;
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
      sources.push({ cursor: part.run.cursor(part.rangeBefore(limit, range), seq), hidden: intervalsOf(above) });
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
      const seq = part.seqBefore(part.to);
      if (part.run.rangeTombstones(seq).some((tombstone) => overlaps(tombstone, range))) return true;
      const cursor = part.run.cursor(part.rangeBefore(part.to, range), seq);
      const isThere = cursor.next();
      cursor.close();
      if (isThere) return true;
    }
    return false;
  }

  takeReady(): readonly ReadyRun[] {
    const { parts, engine } = this;
    const ready = parts.filter((part) => {
      if (!part.isWhole || engineOfKey(part.run.smallestKey, 0) !== engine) return false;
      return (
        engineOfKey(part.run.largestKey, 0) === engine && !parts.some((other) => part !== other && meet(part, other))
      );
    });
    if (ready.length > READY_RUNS_MAX) return [];
    for (const part of ready) part.isTaken = true;
    return ready.reverse();
  }

  entries(): SpilledEntries {
    const sources: VersionSource[] = [];
    const above: RangeTombstone[] = [];
    for (const part of this.parts) {
      if (part.isTaken) continue;
      const { run } = part;
      const seq = part.seqBefore(part.to);
      const range = part.rangeBefore(part.to, ALL_KEYS);
      const isAll = run.seqMax <= seq && range === ALL_KEYS;
      const versions = isAll ? run.versions(false) : new LayerVersions(run.cursor(range, seq));
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
    while (parts[0] !== undefined && parts[0].from >= place) (parts.shift() as SpilledRun).release();
    if (parts[0] !== undefined) parts[0].to = Math.min(parts[0].to, place);
    this.findGreatest();
  }

  close(): void {
    for (const part of this.parts.splice(0)) part.release();
  }

  private findGreatest(): void {
    let greatest: Uint8Array | undefined;
    for (const { run } of this.parts) {
      if (run.entries > 0) greatest = greaterOf(run.largestKey, greatest);
      for (const { upper } of run.rangeTombstones(Number.MAX_SAFE_INTEGER)) greatest = greaterOf(upper, greatest);
    }
    this.greatest = greatest;
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
  /** Of every version; undefined: each has its place. */
  private readonly seq: number | undefined;
  private readonly ended: () => void;
  private readonly discarded: () => void;
  private isOpen = true;

  /** The one or the other is called once the file is whole, or closed. */
  constructor(writer: RunWriter, seq: number | undefined, ended: () => void, discarded: () => void) {
    this.writer = writer;
    this.seq = seq;
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
    this.writer.add(key, keyStart, keyEnd, this.seq ?? place, VersionKind.Put, value, valueStart, valueEnd);
  }

  remove(key: Uint8Array, keyStart: number, keyEnd: number, place: number): void {
    this.writer.add(key, keyStart, keyEnd, place, VersionKind.Remove, key, 0, 0);
  }

  removeRange(lower: Uint8Array, upper: Uint8Array, place: number): void {
    this.writer.addRangeTombstone({ lower, upper, seq: place });
  }

  end(): void {
    this.writer.finish();
    // What may be handed over will be synced.
    if (this.seq === undefined) this.writer.close();
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

/** Whether the one has a key, or removes a range, within the span of the other's keys. */
function meet({ run }: SpilledRun, other: SpilledRun): boolean {
  const span: KeyRange = { lower: run.smallestKey, upper: keyAfter(run.largestKey) };
  const { smallestKey, largestKey, entries } = other.run;
  if (entries > 0 && overlaps({ lower: smallestKey, upper: keyAfter(largestKey) }, span)) return true;
  return other.run.rangeTombstones(Number.MAX_SAFE_INTEGER).some((tombstone) => overlaps(tombstone, span));
}

function greaterOf(key: Uint8Array, other: Uint8Array | undefined): Uint8Array {
  return other !== undefined && compareKeys(other, key) > 0 ? other : key;
}

function intervalsOf(tombstones: readonly RangeTombstone[]): KeyIntervals | undefined {
  return tombstones.length === 0 ? undefined : unionOf(tombstones);
}
