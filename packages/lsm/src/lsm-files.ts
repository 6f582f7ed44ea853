/**
 * The files of one engine and which of them count: the manifest and the runs of the present version.
 *
 * A commit of files, in this order, is the only way from one version to the next:
 *
 *   1 runs written and synced, the directory too; the log, too, when they hold newer commits
 *   2 edit of generation g + 1 in the manifest, synced
 *   3 generation g + 1 recorded by the store as the least that may ever be opened
 *   4 version = g + 1; views of the past keep what they hold; runs that only g needed go with their last holder
 *
 * Up to 3 a crash, or an edit that rots, leads back to g, which is whole. From 3 on nobody opens g again.
 */
import { SqlState, assert, corruptionError, isPhantomError } from '@phantom/base';
import type { Finding, Seq } from '@phantom/kv';
import {
  BlockCache,
  type Delta,
  EntryCache,
  INGESTED_NUMBER_MIN,
  Job,
  Run,
  type RunCounters,
  type Wait,
  isLoadFile,
  newRunCounters,
  prepareLz4,
} from '@phantom/runs';
import type { EngineContext } from '@phantom/store';
import { joinPath } from '@phantom/vfs';
import { RUN_NUMBER_MAX, numberOfRun, runName } from './format.js';
import { Manifest } from './manifest.js';
import type { Edit, RunEntry } from './manifest-codec.js';
import type { ResolvedLsmOptions } from './options.js';
import { RunFile } from './run-file.js';
import { Version, type VersionChange } from './version.js';

/** What a commit changes; what is left out stays. */
export interface FilesChange extends VersionChange {
  readonly flushedSeq?: Seq;
  /** What the flushed files differ in from those before, where it was a delta. */
  readonly flushed?: Delta;
}

export class LsmFiles {
  readonly context: EngineContext;
  readonly options: ResolvedLsmOptions;
  readonly cache: BlockCache;
  /** What was found in the runs of the present version. */
  readonly entries: EntryCache;
  /** Reads of all runs there ever were. */
  readonly counters: RunCounters = newRunCounters();
  version: Version = Version.empty();
  generation = 0;
  flushedSeq: Seq = 0;
  private readonly manifest: Manifest;
  private nextNumber: number;
  /** Files with numbers below are what earlier processes left. */
  private orphansEnd = 0;
  private isCommitting = false;

  private constructor(context: EngineContext, options: ResolvedLsmOptions, manifest: Manifest, nextNumber: number) {
    this.context = context;
    this.options = options;
    this.manifest = manifest;
    this.nextNumber = nextNumber;
    this.cache = options.memory?.cache ?? new BlockCache(context.cacheBytes, options.filterBytesMax);
    this.entries = new EntryCache(this.cache);
  }

  /**
   * Opens the files of a directory, or makes them. Throws corruption when the newest whole state is older than the store
   * knows, or when a run is missing or another one; 0A000 for a newer format. Nothing is changed before all that is known.
   */
  static async open(context: EngineContext, options: ResolvedLsmOptions): Promise<LsmFiles> {
    const { manifest, state, isInDoubt } = Manifest.open(context);
    const files = new LsmFiles(context, options, manifest, state.nextNumber);
    const { compression, bottomCompression } = options;
    // Compiled while the runs are opened and the log is replayed.
    if (state.runs.size > 0 && (compression === 'lz4' || bottomCompression === 'lz4')) prepareLz4();
    try {
      files.load([...state.runs.values()]);
      files.generation = state.generation;
      files.flushedSeq = state.flushedSeq;
      if (!context.readOnly) {
        files.skipOrphans();
        if (isInDoubt) await files.confirm();
      }
      return files;
    } catch (error) {
      files.close();
      throw error;
    }
  }

  /** Nobody knows which of two states the next opening will find. */
  get isInDoubt(): boolean {
    return this.manifest.isInDoubt;
  }

  /** Of the engine's own runs; unlike that of any other engine's. */
  identityOf(number: number): number {
    return this.manifest.engine * RUN_NUMBER_MAX + number;
  }

  /** The first of so many numbers that no run of this engine ever had, once an edit that knows them is committed. */
  takeNumbers(count: number): number {
    const first = this.nextNumber;
    assert(first + count <= RUN_NUMBER_MAX, 'run numbers are used up');
    this.nextNumber += count;
    return first;
  }

  runPath(number: number): string {
    return joinPath(this.context.directory, runName(number));
  }

  /** Opens a run that was written. The caller holds its reader. */
  openRun(entry: RunEntry): RunFile {
    const { vfs, checksums, logger } = this.context;
    const { bytes, identity, seqBase } = entry;
    const { cache, counters } = this;
    const options = { vfs, checksums, logger, cache, counters, path: this.runPath(entry.number), bytes, identity };
    return new RunFile(entry, new Run(seqBase === undefined ? options : { ...options, seqBase }));
  }

  /**
   * Commits. Everything the change names is durable already. `installed` runs in the turn of the switch. When it throws,
   * `isInDoubt` says whether the change may have happened all the same.
   */
  *commit(change: FilesChange, installed: () => void): Generator<Wait, void> {
    assert(!this.isCommitting, 'one commit of files at a time');
    this.isCommitting = true;
    const { context } = this;
    const next = this.version.changed(change);
    let isInstalled = false;
    try {
      if (change.flushed !== undefined) yield* this.entries.leaveOut(change.flushed);
      // Until no file can be ahead of the log.
      if (change.flushedSeq !== undefined) yield { sync: () => context.syncLog(), syncNow: () => context.syncLogNow() };
      const flushedSeq = change.flushedSeq ?? this.flushedSeq;
      const generation = this.generation + 1;
      const edit: Edit = {
        generation,
        flushedSeq,
        nextNumber: this.nextNumber,
        removed: change.removed.map(({ number }) => number),
        added: change.added.map(({ entry }) => entry),
      };
      const whole = (): Edit => ({ ...edit, removed: [], added: next.files().map(({ entry }) => entry) });
      yield* this.manifest.append(edit, whole);
      const before = this.version;
      this.version = next;
      this.generation = generation;
      if (change.flushedSeq !== undefined) this.entries.renew();
      this.flushedSeq = flushedSeq;
      isInstalled = true;
      installed();
      const kept = new Set(change.added.map(({ run }) => run));
      for (const { run } of change.removed) if (!kept.has(run)) run.removeWhenReleased();
      before.release();
    } finally {
      this.isCommitting = false;
      this.entries.stay();
      if (!isInstalled) next.release();
    }
  }

  /**
   * Removes run files that the manifest does not name: what unfinished work left behind. Only after replay, and never the
   * files that replay handed over, which are waiting to be named.
   */
  removeOrphans(waiting: readonly RunFile[]): void {
    const { vfs, directory, logger } = this.context;
    const named = new Set([...this.version.files(), ...waiting].map(({ number }) => number));
    const loaded = new Set(waiting.map(({ run }) => run.path));
    try {
      for (const name of vfs.list(directory)) {
        const path = joinPath(directory, name);
        if (isLoadFile(name) && !loaded.has(path)) vfs.remove(path);
        const number = numberOfRun(name);
        if (number === undefined || named.has(number)) continue;
        if (number >= INGESTED_NUMBER_MIN || number < this.orphansEnd) vfs.remove(path);
      }
    } catch (error) {
      logger.warn('files that nobody needs could not be removed', { directory, reason: String(error) });
    }
  }

  /** Reads the manifest again; one that is not what was written is written anew with the next edit. */
  proveManifest(): { readonly bytes: number; readonly findings: readonly Finding[] } {
    const { bytes, problem } = this.manifest.prove(this.generation);
    const findings: Finding[] =
      problem === undefined ? [] : [{ severity: 'corruption', file: this.manifest.path, message: problem }];
    return { bytes, findings };
  }

  /** Reads every run again and yields what is wrong. */
  *check(): Iterable<Finding> {
    const { version, manifest } = this;
    if (!manifest.isInPlace()) {
      const message = 'another file lies in its place, or none: it was removed, moved or replaced';
      yield { severity: 'corruption', file: manifest.path, message };
    }
    version.retain();
    try {
      for (const file of version.files()) yield* file.run.check();
    } finally {
      version.release();
    }
  }

  close(): void {
    this.manifest.close();
    this.version.release();
    this.version = Version.empty();
  }

  /** Numbers that a lost process had taken are not taken again: its files, if any came through, are other ones. */
  private skipOrphans(): void {
    const { vfs, directory } = this.context;
    for (const name of vfs.list(directory)) {
      const number = numberOfRun(name) ?? 0;
      if (number < INGESTED_NUMBER_MIN) this.nextNumber = Math.max(this.nextNumber, number + 1);
    }
    this.orphansEnd = this.nextNumber;
  }

  private load(entries: readonly RunEntry[]): void {
    const opened: RunFile[] = [];
    try {
      for (const entry of entries) opened.push(this.openNamed(entry));
      const before = this.version;
      this.version = before.changed({ removed: [], added: opened });
      before.release();
    } finally {
      // The version holds them now, or nobody does.
      for (const { run } of opened) run.release();
    }
  }

  private openNamed(entry: RunEntry): RunFile {
    try {
      return this.openRun(entry);
    } catch (error) {
      if (!isPhantomError(error) || error.code !== SqlState.UndefinedFile) throw error;
      throw corruptionError('a run is gone', {
        file: this.runPath(entry.number),
        expected: entry.bytes,
        found: 0,
        cause: error,
      });
    }
  }

  /**
   * The present state in a manifest of our own: what is on disk may be of a process that never synced it. Its generation stays, since
   * the store does not know it yet: an opening that is cut off again and again must not get further and further ahead.
   */
  private async confirm(): Promise<void> {
    const { generation, flushedSeq, nextNumber, version } = this;
    const added = version.files().map(({ entry }) => entry);
    const whole: Edit = { generation: Math.max(generation, 1), flushedSeq, nextNumber, removed: [], added };
    await new Job(this.manifest.append(whole, () => whole)).ended;
    this.generation = whole.generation;
  }
}
