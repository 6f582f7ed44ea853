/**
 * The three kinds of background work, as generators over files: a delta becomes a run, runs become one, runs go into the
 * pages. Each leaves the files as they were when it fails, but for space, which it gives back. They know nothing of the
 * engine, so that another thread can do them (offload.ts): what they wait for is the sync of what they wrote.
 */
import { type Checksums, type Logger, commonPrefixBytes } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import {
  BlockCache,
  type Delta,
  MergingVersions,
  PAUSE,
  type RangeTombstone,
  Run,
  RunWriter,
  type VersionSource,
  type Wait,
  unionOf,
  syncOfNames,
} from '@phantom/runs';
import { type Vfs, joinPath } from '@phantom/vfs';
import { EMPTY_ROOT, type TreeRoot } from './format.js';
import { TreeMerge } from './merge.js';
import type { RunEntry } from './meta-page.js';
import type { PageList } from './page-ranges.js';
import type { PageWriter } from './page-writer.js';

const SEQ_MAX = Number.MAX_SAFE_INTEGER;
/** Index blocks of the runs that a thread reads; their data blocks are read once and not kept. */
const CACHE_BYTES = 8 * 1024 * 1024;

/** Slices of time. */
export interface Slices {
  readonly monotonicMs: () => number;
  readonly sliceMs: number;
}

/** What the work needs of the world. */
export interface JobPort {
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  readonly logger: Logger;
  readonly directory: string;
}

/** Which run is to be written. */
export interface RunTarget {
  readonly number: number;
  readonly identity: number;
}

/** Writes a frozen delta as a run: synced, not yet named by a meta. */
export function* writeDelta(
  port: JobPort,
  target: RunTarget,
  delta: Delta,
  viewSeqs: readonly Seq[],
  slices: Slices,
): Generator<Wait, RunEntry> {
  const writer = openWriter(port, target, delta.firstSeq);
  const versions = delta.versions(viewSeqs);
  try {
    for (const tombstone of delta.rangeTombstones(SEQ_MAX)) writer.addRangeTombstone(tombstone);
    return yield* finishRun(port, target, writer, versions, slices);
  } finally {
    versions.close();
  }
}

/** Merges runs that lie side by side, newest first, into one: synced, not yet named by a meta. */
export function* writeMergedRun(
  port: JobPort,
  target: RunTarget,
  merged: readonly Run[],
  slices: Slices,
): Generator<Wait, RunEntry> {
  const writer = openWriter(port, target, Math.min(...merged.map(({ seqMin }) => seqMin)));
  const versions = new MergingVersions(sourcesOf(merged), prefixOf(merged));
  try {
    for (const run of merged) {
      for (const tombstone of run.rangeTombstones(SEQ_MAX)) writer.addRangeTombstone(tombstone);
    }
    return yield* finishRun(port, target, writer, versions, slices);
  } finally {
    versions.close();
  }
}

/** What a merge into the pages made. */
export interface MergedPages {
  readonly root: TreeRoot;
  /** Pages that the old root needs and the new one does not. */
  readonly freed: PageList;
}

/** Merges runs, newest first and all down to the pages, into new pages of the writer's pager: written, not synced. */
export function* mergePages(
  out: PageWriter,
  root: TreeRoot,
  merged: readonly Run[],
  slices: Slices,
): Generator<Wait, MergedPages> {
  const { pager } = out;
  const versions = new MergingVersions(sourcesOf(merged), prefixOf(merged));
  const tombstones = merged.flatMap((run) => [...run.rangeTombstones(SEQ_MAX)]);
  const removed = tombstones.length === 0 ? undefined : unionOf(tombstones);
  let deadlineMs = slices.monotonicMs() + slices.sliceMs;
  const pause = (): boolean => slices.monotonicMs() >= deadlineMs;
  try {
    const merge = new TreeMerge({ pager, root, writes: versions, removed, out, pause });
    const run = merge.run();
    let step = run.next();
    while (step.done !== true) {
      yield PAUSE;
      deadlineMs = slices.monotonicMs() + slices.sliceMs;
      step = run.next();
    }
    return { root: step.value.id === 0 ? EMPTY_ROOT : step.value, freed: merge.freed };
  } finally {
    versions.close();
  }
}

/** Opens runs for a thread of its own; release each. */
export function openRuns({ vfs, checksums, logger, directory }: JobPort, entries: readonly RunEntry[]): Run[] {
  const cache = new BlockCache(CACHE_BYTES);
  const opened: Run[] = [];
  try {
    for (const { number, bytes, identity, seqBase } of entries) {
      const options = { vfs, checksums, logger, cache, path: joinPath(directory, runName(number)), bytes, identity };
      opened.push(new Run(seqBase === undefined ? options : { ...options, seqBase }));
    }
    return opened;
  } catch (error) {
    for (const run of opened) run.release();
    throw error;
  }
}

/** What the file of a run is called. */
export function runName(number: number): string {
  return `${String(number).padStart(16, '0')}.run`;
}

/** Removes a run that nothing names. Never throws: it is an orphan at worst, which the next opening removes. */
export function removeQuietly({ vfs, logger, directory }: JobPort, number: number): void {
  const path = joinPath(directory, runName(number));
  try {
    vfs.remove(path);
  } catch (error) {
    logger.warn('an unfinished run could not be removed', { path, reason: String(error) });
  }
}

function openWriter({ vfs, checksums, directory }: JobPort, target: RunTarget, seqBase: Seq): RunWriter {
  const path = joinPath(directory, runName(target.number));
  // What an earlier attempt left behind.
  vfs.remove(path);
  return new RunWriter({ vfs, path, checksums, identity: target.identity, seqBase });
}

function* finishRun(
  port: JobPort,
  target: RunTarget,
  writer: RunWriter,
  versions: Parameters<RunWriter['addFrom']>[0],
  slices: Slices,
): Generator<Wait, RunEntry> {
  let isDone = false;
  try {
    while (!writer.addFrom(versions, slices.monotonicMs, slices.monotonicMs() + slices.sliceMs)) yield PAUSE;
    const { bytes } = writer.finish();
    yield { sync: () => writer.sync(), syncNow: () => writer.syncNow() };
    yield syncOfNames(port.vfs, port.directory);
    isDone = true;
    return { number: target.number, identity: target.identity, bytes, seqBase: undefined };
  } finally {
    writer.close();
    if (!isDone) removeQuietly(port, target.number);
  }
}

/** The runs' newest versions, each hidden by the range tombstones of the newer ones. */
function sourcesOf(runs: readonly Run[]): VersionSource[] {
  const above: RangeTombstone[] = [];
  return runs.map((run) => {
    const hidden = above.length === 0 ? undefined : unionOf(above);
    const source = { versions: run.versions(false, undefined, hidden), hidden };
    above.push(...run.rangeTombstones(SEQ_MAX));
    return source;
  });
}

/** How many bytes all keys of the runs have in common at their beginning. */
function prefixOf(runs: readonly Run[]): number {
  const ends = runs.flatMap(({ entries, smallestKey, largestKey }) => (entries === 0 ? [] : [smallestKey, largestKey]));
  const [first, ...others] = ends;
  if (first === undefined) return 0;
  return Math.min(first.length, ...others.map((key) => commonPrefixBytes(first, 0, first.length, key, 0, key.length)));
}
