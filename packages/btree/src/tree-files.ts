/**
 * The files of one engine and which of them count: the tree file with its metas, and the runs that the present meta names.
 *
 * A commit of files, in this order, is the only way from one meta to the next:
 *
 *   1 pages and runs written and synced, the directory too; the log, too, when they hold newer commits
 *   2 meta of generation g + 1 written to the other slot, synced
 *   3 generation g + 1 recorded by the store as the least that may ever be opened
 *   4 present = g + 1; views of the past keep what they hold; what only g needed is retired and removed
 *
 * Up to 3 a crash, or a meta that rots, leads back to g, which is whole. From 3 on nobody opens g again, so 4 may take
 * from it. Opening takes the newest meta that is whole; one that the store does not know yet is made durable first. Pages wait in the pager until no view reaches them, run files until nobody holds them.
 */
import { PhantomError, SqlState, assert, corruptionError, identityText, isPhantomError, readU32 } from '@phantom/base';
import type { Finding, Seq } from '@phantom/kv';
import {
  BlockCache,
  type Delta,
  EntryCache,
  INGESTED_NUMBER_MIN,
  Job,
  Run,
  type Wait,
  isLoadFile,
  syncOf,
} from '@phantom/runs';
import type { EngineContext } from '@phantom/store';
import { type VfsFile, joinPath } from '@phantom/vfs';
import { EMPTY_ROOT, type TreeRoot, firstPage } from './format.js';
import { type FreelistEntry, type Meta, type RunEntry, encodeMeta, metaOffset, readMeta } from './meta-page.js';
import { runName } from './file-jobs.js';
import type { ResolvedBtreeOptions } from './options.js';
import { Pager } from './pager.js';

export const TREE_FILE = 'tree.db';
/** A run's identity is a safe integer: 21 bits of the tree's number and 32 of its own. */
export const TREE_MODULUS = 2 ** 21;
/** Nothing is free. */
export const NO_FREELIST: FreelistEntry = { id: 0, bytes: 0, checksumLow: 0, checksumHigh: 0 };
export const RUN_NAME = /^(\d{16})\.run$/;

/** A run that counts: its meta entry and its reader. */
export interface RunHandle {
  readonly entry: RunEntry;
  readonly run: Run;
}

/** What a commit changes; what is left out stays. */
export interface FilesChange {
  readonly runs: readonly RunHandle[];
  readonly flushedSeq?: Seq;
  /** What the flushed files differ in from those before, where it was a delta. */
  readonly flushed?: Delta;
  /** A new root comes with the number of pages and the freelist as they are with it. */
  readonly root?: TreeRoot;
  readonly pageCount?: number;
  readonly freelist?: FreelistEntry;
}

export class TreeFiles {
  readonly context: EngineContext;
  readonly cache: BlockCache;
  /** What was found in the present runs and pages. */
  readonly entries: EntryCache;
  readonly pager: Pager;
  /** Newest first. */
  runs: readonly RunHandle[];
  private metaNow: Meta;
  private nextRunNumber: number;
  private readonly file: VfsFile;
  private isCommitting = false;

  private constructor(context: EngineContext, file: VfsFile, meta: Meta, cache: BlockCache) {
    this.context = context;
    this.file = file;
    this.cache = cache;
    this.entries = new EntryCache(cache);
    this.metaNow = meta;
    this.nextRunNumber = meta.nextRunNumber;
    const { checksums } = context;
    const { pageBytes, tree, pageCount } = meta;
    this.pager = new Pager({ file, checksums, cache, pageBytes, tree, pageCount });
    this.runs = [];
  }

  /** Opens the files of a directory, or makes them. Throws corruption for a meta older than the context's minimum. */
  static async open(context: EngineContext, options: ResolvedBtreeOptions): Promise<TreeFiles> {
    if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
      throw new PhantomError(SqlState.FeatureNotSupported, 'a B+tree on a big-endian machine is not supported');
    }
    const path = joinPath(context.directory, TREE_FILE);
    const file = context.vfs.open(path, { mode: context.readOnly ? 'read' : 'create' });
    try {
      const meta = readMeta(file, context) ?? create(context, file, options);
      // The file's name may be of a process that never made it durable, too.
      if (meta.generation > context.generationMin && !context.readOnly) await confirm(context, file, meta);
      const files = new TreeFiles(context, file, meta, options.memory?.cache ?? new BlockCache(context.cacheBytes));
      files.load(meta);
      // A release without identities wrote it: the next meta has one, and none without is taken any more.
      if (meta.identity === undefined && !context.readOnly)
        await new Job(files.commit({ runs: files.runs }, () => undefined)).ended;
      return files;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get root(): TreeRoot {
    return this.metaNow.root;
  }

  get generation(): number {
    return this.metaNow.generation;
  }

  get flushedSeq(): Seq {
    return this.metaNow.flushedSeq;
  }

  get freelist(): FreelistEntry {
    return this.metaNow.freelist;
  }

  /** Bytes of the tree file and of all runs that count. */
  get bytes(): number {
    let bytes = this.pager.pageCount * this.pager.pageBytes;
    for (const { entry } of this.runs) bytes += entry.bytes;
    return bytes;
  }

  /** A number that no run of this engine ever had, once the meta that holds it is committed. */
  takeRunNumber(): number {
    return this.nextRunNumber++;
  }

  /** What the engine's run of a number is called in all its checksums: its blocks do not pass in a run of another tree. */
  identityOf(number: number): number {
    return (this.metaNow.tree % TREE_MODULUS) * 4294967296 + number;
  }

  runPath(number: number): string {
    return joinPath(this.context.directory, runName(number));
  }

  /** Opens a run that was written. The caller holds it. */
  openRun(entry: RunEntry): RunHandle {
    const { vfs, checksums, logger } = this.context;
    const { bytes, identity, seqBase } = entry;
    const options = { vfs, checksums, logger, cache: this.cache, path: this.runPath(entry.number), bytes, identity };
    return { entry, run: new Run(seqBase === undefined ? options : { ...options, seqBase }) };
  }

  /**
   * Commits. Everything the change names is durable already. `installed` runs in the same turn as the switch; it retires
   * the pages that the new root does not reach.
   */
  *commit(change: FilesChange, installed: () => void): Generator<Wait, void> {
    assert(!this.isCommitting, 'one commit of files at a time');
    this.isCommitting = true;
    try {
      if (change.flushed !== undefined) yield* this.entries.leaveOut(change.flushed);
      const { context } = this;
      // Until no file can be ahead of the log.
      if (change.flushedSeq !== undefined) yield { sync: () => context.syncLog(), syncNow: () => context.syncLogNow() };
      const before = this.metaNow;
      const meta: Meta = {
        pageBytes: before.pageBytes,
        identity: context.identity,
        tree: before.tree,
        generation: before.generation + 1,
        flushedSeq: change.flushedSeq ?? before.flushedSeq,
        root: change.root ?? before.root,
        pageCount: change.pageCount ?? before.pageCount,
        freelist: change.freelist ?? before.freelist,
        nextRunNumber: this.nextRunNumber,
        runs: change.runs.map(({ entry }) => entry),
      };
      this.file.writeAt(metaOffset(meta.generation), encodeMeta(meta, context.checksums));
      yield syncOf(this.file);
      yield {
        sync: () => context.recordGeneration(meta.generation),
        syncNow: () => context.recordGenerationNow(meta.generation),
      };
      const removed = this.runs.filter((handle) => !change.runs.includes(handle));
      this.metaNow = meta;
      this.runs = change.runs;
      if (change.flushedSeq !== undefined) this.entries.renew();
      installed();
      for (const { run } of removed) {
        run.removeWhenReleased();
        run.release();
      }
    } finally {
      this.isCommitting = false;
      this.entries.stay();
    }
  }

  /** Gives space behind the last page back to the file system, once a durable meta says that nothing is there. */
  truncate(): void {
    const bytes = this.metaNow.pageCount * this.pager.pageBytes;
    if (this.pager.pageCount === this.metaNow.pageCount && this.file.size() > bytes) this.file.truncate(bytes);
  }

  /**
   * Removes run files that no meta names: the engine's own, which only an unfinished commit can have left behind, or those
   * that were handed over, which the log may still want, but for the `kept` ones.
   */
  removeOrphans(whose: 'own' | 'ingested', kept: readonly RunHandle[]): void {
    const { vfs, directory } = this.context;
    const named = new Set([...this.runs, ...kept].map(({ entry }) => entry.number));
    const loaded = new Set(kept.map(({ run }) => run.path));
    for (const name of vfs.list(directory)) {
      const path = joinPath(directory, name);
      if (whose === 'ingested' && isLoadFile(name) && !loaded.has(path)) vfs.remove(path);
      const number = Number(RUN_NAME.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(number) || named.has(number)) continue;
      if (number >= INGESTED_NUMBER_MIN === (whose === 'ingested')) vfs.remove(path);
    }
  }

  /** Reads every run again and yields what is wrong. */
  *checkRuns(): Iterable<Finding> {
    for (const { run } of this.runs) yield* run.check();
  }

  close(): void {
    for (const { run } of this.runs) run.release();
    this.runs = [];
    this.pager.close();
  }

  private load(meta: Meta): void {
    if (meta.freelist.id !== 0) this.pager.loadFree(meta.freelist, meta.freelist.bytes);
    const opened: RunHandle[] = [];
    try {
      for (const entry of meta.runs) opened.push(this.openNamed(entry));
    } catch (error) {
      for (const { run } of opened) run.release();
      throw error;
    }
    this.runs = opened;
  }

  private openNamed(entry: RunEntry): RunHandle {
    try {
      return this.openRun(entry);
    } catch (error) {
      if (!isPhantomError(error) || error.code !== SqlState.UndefinedFile) throw error;
      const fields = { file: this.runPath(entry.number), expected: entry.bytes, found: 0, cause: error };
      throw corruptionError('a run is gone', fields);
    }
  }
}

/** The first meta of a new tree, not written yet. */
function create(context: EngineContext, file: VfsFile, options: ResolvedBtreeOptions): Meta {
  if (context.readOnly) throw new PhantomError(SqlState.UndefinedFile, `there is no tree in ${context.directory}`);
  const { pageBytes } = options;
  const meta: Meta = {
    pageBytes,
    generation: 1,
    identity: context.identity,
    tree: treeNumber(context),
    flushedSeq: 0,
    root: EMPTY_ROOT,
    pageCount: firstPage(pageBytes),
    freelist: NO_FREELIST,
    nextRunNumber: 1,
    runs: [],
  };
  // Something may lie here that was never finished.
  file.truncate(0);
  return meta;
}

/**
 * Makes a meta that the store does not know durable: it may have been written by a process that never synced it, or whose
 * sync failed. So it is written again, which changes nothing; should that be torn, the one before is still whole.
 */
async function confirm(context: EngineContext, file: VfsFile, meta: Meta): Promise<void> {
  file.writeAt(metaOffset(meta.generation), encodeMeta(meta, context.checksums));
  await file.sync();
  await context.vfs.syncDirLater(context.directory);
  await context.recordGeneration(meta.generation);
}

/** 48 bits that another tree does not have: from the store, the place and the time. */
function treeNumber(context: EngineContext): number {
  const { identity, directory, clock } = context;
  const text = new TextEncoder().encode(`${identityText(identity)} ${directory} ${clock.nowMs()}`);
  const hash = new Uint8Array(8);
  new DataView(hash.buffer).setBigUint64(0, context.checksums.h64(text, 0, text.length), true);
  return readU32(hash, 0) * 65536 + (readU32(hash, 4) >>> 16);
}
