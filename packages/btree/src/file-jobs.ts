/**
 * The three kinds of background work, as generators over files: a delta becomes a run, runs become one, runs go into the
 * pages. Each leaves the files as they were when it fails, but for space, which it gives back.
 */
import type { Seq } from '@phantom/kv';
import {
  type Delta,
  MergingVersions,
  PAUSE,
  type RangeTombstone,
  RunWriter,
  type VersionSource,
  type Wait,
  unionOf,
} from '@phantom/runs';
import { EMPTY_ROOT, type TreeRoot } from './format.js';
import { TreeMerge } from './merge.js';
import type { FreelistEntry } from './meta-page.js';
import { PageWriter } from './page-writer.js';
import { PageList } from './page-ranges.js';
import { NO_FREELIST, type RunHandle, type TreeFiles } from './tree-files.js';

const SEQ_MAX = Number.MAX_SAFE_INTEGER;

/** Slices of time. */
export interface Slices {
  readonly monotonicMs: () => number;
  readonly sliceMs: number;
}

/** Writes a frozen delta as a run: synced, not yet named by a meta. The caller holds the run. */
export function* flushDelta(
  files: TreeFiles,
  delta: Delta,
  viewSeqs: readonly Seq[],
  slices: Slices,
): Generator<Wait, RunHandle> {
  const number = files.takeRunNumber();
  const writer = openWriter(files, number, delta.firstSeq);
  const versions = delta.versions(viewSeqs);
  try {
    for (const tombstone of delta.rangeTombstones(SEQ_MAX)) writer.addRangeTombstone(tombstone);
    return yield* finishRun(files, number, writer, versions, slices);
  } finally {
    versions.close();
  }
}

/** Merges runs that lie side by side into one. The caller holds the new run. */
export function* mergeRuns(files: TreeFiles, merged: readonly RunHandle[], slices: Slices): Generator<Wait, RunHandle> {
  const seqBase = Math.min(...merged.map(({ run }) => run.seqMin));
  const number = files.takeRunNumber();
  const writer = openWriter(files, number, seqBase);
  const versions = new MergingVersions(sourcesOf(merged));
  try {
    for (const { run } of merged) {
      for (const tombstone of run.rangeTombstones(SEQ_MAX)) writer.addRangeTombstone(tombstone);
    }
    return yield* finishRun(files, number, writer, versions, slices);
  } finally {
    versions.close();
  }
}

/** What a merge into the pages made: synced, not yet named by a meta. */
export interface MergedTree {
  readonly root: TreeRoot;
  /** Pages that the present meta needs and the new one does not, the old freelist's included. */
  readonly freed: PageList;
  readonly freelist: FreelistEntry;
  readonly bytesWritten: number;
}

/** Merges the oldest runs, all down to the pages, into new pages. With no runs it only tidies the freelist. */
export function* mergeIntoTree(
  files: TreeFiles,
  merged: readonly RunHandle[],
  slices: Slices,
): Generator<Wait, MergedTree> {
  const { pager, root } = files;
  const out = new PageWriter(pager, files.generation + 1, root.id === 0);
  const versions = new MergingVersions(sourcesOf(merged));
  const tombstones = merged.flatMap(({ run }) => [...run.rangeTombstones(SEQ_MAX)]);
  const removed = tombstones.length === 0 ? undefined : unionOf(tombstones);
  let deadlineMs = slices.monotonicMs() + slices.sliceMs;
  const pause = (): boolean => slices.monotonicMs() >= deadlineMs;
  try {
    let newRoot = root;
    let freed = new PageList();
    if (merged.length > 0) {
      const merge = new TreeMerge({ pager, root, writes: versions, removed, out, pause });
      const run = merge.run();
      let step = run.next();
      while (step.done !== true) {
        yield PAUSE;
        deadlineMs = slices.monotonicMs() + slices.sliceMs;
        step = run.next();
      }
      newRoot = step.value.id === 0 ? EMPTY_ROOT : step.value;
      freed = merge.freed;
    }
    const freelist = writeFreelist(files, out, freed);
    out.flush();
    yield { sync: () => pager.file.sync(), syncNow: () => pager.file.syncNow() };
    return { root: newRoot, freed, freelist, bytesWritten: out.bytesWritten };
  } catch (error) {
    pager.giveBack(out.allocated.toRanges());
    throw error;
  } finally {
    versions.close();
  }
}

/** Writes the list of all pages that the new meta does not need. Adds the old list's pages to the freed ones. */
function writeFreelist(files: TreeFiles, out: PageWriter, freed: PageList): FreelistEntry {
  const { pager, freelist: old } = files;
  // No view ever reads a freelist.
  if (old.id !== 0) freed.add(old.id, pager.extentPages(old.bytes), Number.MAX_SAFE_INTEGER);
  pager.dropTail();
  const unreached = freed.toRanges();
  const before = pager.freeForMeta(unreached);
  if (before.ranges === 0) return NO_FREELIST;
  // Its own pages are taken before the list is made: taking never adds a range.
  const pages = pager.extentPages(before.encodedBytesMax);
  const id = out.allocate(pages);
  const bytes = new Uint8Array(pages * pager.pageBytes);
  bytes.set(pager.freeForMeta(unreached).encode());
  return { ...out.writeExtent(id, bytes, 0, bytes.length), bytes: bytes.length };
}

function openWriter(files: TreeFiles, number: number, seqBase: Seq): RunWriter {
  const { vfs, checksums } = files.context;
  const path = files.runPath(number);
  // What an earlier attempt left behind.
  vfs.remove(path);
  return new RunWriter({ vfs, path, checksums, identity: files.identityOf(number), seqBase });
}

function* finishRun(
  files: TreeFiles,
  number: number,
  writer: RunWriter,
  versions: Parameters<RunWriter['addFrom']>[0],
  slices: Slices,
): Generator<Wait, RunHandle> {
  const { vfs, directory } = files.context;
  let path: string | undefined = writer.path;
  try {
    while (!writer.addFrom(versions, slices.monotonicMs, slices.monotonicMs() + slices.sliceMs)) yield PAUSE;
    const summary = writer.finish();
    yield { sync: () => writer.sync(), syncNow: () => writer.syncNow() };
    vfs.syncDir(directory);
    const { identity, bytes } = summary;
    const handle = files.openRun({ number, identity, bytes, seqBase: undefined });
    path = undefined;
    return handle;
  } finally {
    writer.close();
    if (path !== undefined) removeQuietly(files, path);
  }
}

/** An error is on its way already: a file that cannot be removed is an orphan, which the next opening removes. */
function removeQuietly(files: TreeFiles, path: string): void {
  try {
    files.context.vfs.remove(path);
  } catch (error) {
    files.context.logger.warn('an unfinished run could not be removed', { path, reason: String(error) });
  }
}

/** The runs' newest versions, each hidden by the range tombstones of the newer ones. */
function sourcesOf(runs: readonly RunHandle[]): VersionSource[] {
  const above: RangeTombstone[] = [];
  return runs.map(({ run }) => {
    const source = { versions: run.versions(false), hidden: above.length === 0 ? undefined : unionOf(above) };
    above.push(...run.rangeTombstones(SEQ_MAX));
    return source;
  });
}
