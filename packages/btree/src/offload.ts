/**
 * The background work on the engine's files, in threads of their own where that is possible and pays; otherwise in slices
 * on this one. One thread for flushes and one for merges in a process, because a flush must not queue behind a merge.
 *
 * The thread writes runs and pages, this one makes them durable. While a thread merges into the pages nobody else takes any
 * (there is one merge at a time); pages that views give back meanwhile are added to the free ones and not missed.
 */
import { ByteReader } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import {
  type Delta,
  DeltaCopies,
  type Wait,
  type WorkerCall,
  WorkerThread,
  resultOf,
  syncOf,
  syncWritten,
} from '@phantom/runs';
import {
  type RunTarget,
  type Slices,
  mergePages,
  removeQuietly,
  runName,
  writeDelta,
  writeMergedRun,
} from './file-jobs.js';
import { type TreeRoot, rootOf } from './format.js';
import type { FreelistEntry, RunEntry } from './meta-page.js';
import { PageList, PageRanges } from './page-ranges.js';
import { PageWriter } from './page-writer.js';
import { estimateTouchedPages } from './range-estimate.js';
import { NO_FREELIST, type RunHandle, type TreeFiles } from './tree-files.js';
import type { FlushInput, MergePagesInput, MergePagesOutput, MergeRunsInput } from './worker-main.js';
import { WORKER_SOURCE } from './worker-source.js';

/** Shared by all trees of the process; started by the first job that is worth it. */
export const threads = {
  flush: new WorkerThread('btree-flush', WORKER_SOURCE),
  merge: new WorkerThread('btree-merge', WORKER_SOURCE),
};

/** What the thread for flushes reads, of all trees of the process. */
export const deltaCopies = new DeltaCopies();

export interface OffloadOptions {
  readonly slices: Slices;
  /** Work on fewer bytes stays on this thread. */
  readonly workerBytesMin: number;
}

/** What a merge into the pages made: synced, not yet named by a meta. */
export interface MergedTree {
  readonly root: TreeRoot;
  /** Pages that the present meta needs and the new one does not, the old freelist's included. */
  readonly freed: PageList;
  readonly freelist: FreelistEntry;
  readonly bytesWritten: number;
}

export class Offload {
  /** Jobs that a worker thread did. */
  count = 0;
  private readonly files: TreeFiles;
  private readonly options: OffloadOptions;

  constructor(files: TreeFiles, options: OffloadOptions) {
    this.files = files;
    this.options = options;
  }

  /** Writes a frozen delta as a run: synced, not yet named by a meta. The caller holds the run. */
  *flush(delta: Delta, viewSeqs: readonly Seq[]): Generator<Wait, RunHandle> {
    const { files } = this;
    const target = this.newRun();
    const { directory } = files.context;
    const local = (): Generator<Wait, RunEntry> =>
      writeDelta(files.context, target, delta, viewSeqs, this.options.slices);
    if (!this.pays(delta.bytes)) return this.opened(yield* local());
    const { descriptor, buffer } = yield* deltaCopies.make(delta.descriptor());
    const input: FlushInput = { directory, target, delta: descriptor, viewSeqs };
    const release = (): void => deltaCopies.giveBack(buffer);
    const call = threads.flush.call<RunEntry>('flush', input, release);
    return this.opened(yield* this.runOf(call, target, local));
  }

  /** Merges runs that lie side by side into one. The caller holds the new run. */
  *mergeRuns(merged: readonly RunHandle[]): Generator<Wait, RunHandle> {
    const { files } = this;
    const target = this.newRun();
    const { directory } = files.context;
    const readers = merged.map(({ run }) => run);
    const local = (): Generator<Wait, RunEntry> => writeMergedRun(files.context, target, readers, this.options.slices);
    if (!this.pays(bytesOf(merged))) return this.opened(yield* local());
    const input: MergeRunsInput = { directory, target, runs: merged.map(({ entry }) => entry) };
    const call = threads.merge.call<RunEntry>('mergeRuns', input);
    return this.opened(yield* this.runOf(call, target, local));
  }

  /** Merges the oldest runs, all down to the pages, into new pages. With no runs it only tidies the freelist. */
  *mergeIntoTree(merged: readonly RunHandle[]): Generator<Wait, MergedTree> {
    const { files } = this;
    const { pager, root } = files;
    const generation = files.generation + 1;
    const out = new PageWriter(pager, generation, root.id === 0);
    let adopted = new PageRanges();
    try {
      let pages = { root, freed: new PageList() };
      let bytesWritten = 0;
      let isMerged = merged.length === 0;
      if (!isMerged && this.pays(bytesOf(merged) + this.pageBytesTouched())) {
        const output = yield* this.mergeInThread(merged, generation);
        if (output !== undefined) {
          adopted = PageRanges.decode(new ByteReader(output.allocated, pager.file.path));
          pager.adopt(adopted, output.pageCount, output.pagesRead, output.pagesWritten);
          pages = { root: rootOf(output.root, output.root.level), freed: PageList.of(output.freed) };
          ({ bytesWritten } = output);
          isMerged = true;
          this.count++;
        }
      }
      if (!isMerged) {
        const readers = merged.map(({ run }) => run);
        pages = yield* mergePages(out, root, readers, this.options.slices);
      }
      const freelist = this.writeFreelist(out, pages.freed);
      out.flush();
      yield syncOf(pager.file);
      return { ...pages, freelist, bytesWritten: bytesWritten + out.bytesWritten };
    } catch (error) {
      pager.giveBack(adopted);
      pager.giveBack(out.allocated.toRanges());
      throw error;
    }
  }

  /** Bytes of pages that all runs, merged, would have read and written: a few scattered entries touch a page each. */
  private pageBytesTouched(): number {
    const { files } = this;
    return 2 * estimateTouchedPages(files) * files.pager.pageBytes;
  }

  private *mergeInThread(
    merged: readonly RunHandle[],
    generation: number,
  ): Generator<Wait, MergePagesOutput | undefined> {
    const { pager, root, context } = this.files;
    const { pageBytes, tree, pageCount, free, file } = pager;
    const runs = merged.map(({ entry }) => entry);
    const { directory } = context;
    const place = { directory, file: file.path, pageBytes, tree, pageCount };
    const input: MergePagesInput = { ...place, free: free.encode(), generation, root, runs };
    return yield* resultOf(threads.merge.call<MergePagesOutput>('mergePages', input), context.logger);
  }

  /** The run is synced in the end, or removed. */
  private *runOf(
    call: WorkerCall<RunEntry>,
    target: RunTarget,
    local: () => Generator<Wait, RunEntry>,
  ): Generator<Wait, RunEntry> {
    const { context } = this.files;
    let isDone = false;
    try {
      let entry = yield* resultOf(call, context.logger);
      if (entry === undefined) {
        entry = yield* local();
      } else {
        yield* syncWritten(context.vfs, context.directory, [runName(target.number)]);
        this.count++;
      }
      isDone = true;
      return entry;
    } finally {
      if (!isDone) removeQuietly(context, target.number);
    }
  }

  private opened(entry: RunEntry): RunHandle {
    try {
      return this.files.openRun(entry);
    } catch (error) {
      removeQuietly(this.files.context, entry.number);
      throw error;
    }
  }

  private newRun(): RunTarget {
    const number = this.files.takeRunNumber();
    return { number, identity: this.files.identityOf(number) };
  }

  private pays(bytes: number): boolean {
    const { vfs } = this.files.context;
    return vfs.isShared === true && bytes >= this.options.workerBytesMin && threads.flush.isAvailable;
  }

  /** Writes the list of all pages that the new meta does not need. Adds the old list's pages to the freed ones. */
  private writeFreelist(out: PageWriter, freed: PageList): FreelistEntry {
    const { pager, freelist: old } = this.files;
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
}

function bytesOf(runs: readonly RunHandle[]): number {
  let bytes = 0;
  for (const { entry } of runs) bytes += entry.bytes;
  return bytes;
}
