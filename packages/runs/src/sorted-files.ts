/**
 * Sorted files for a bulk load: entries that arrive in the order of their keys become runs, which an engine takes over whole.
 *
 *   put, put, put ... ──► load-NAME-0 | load-NAME-1 | ...      each cut at runBytesMax, all entries with seq 0: whoever
 *                                                              takes the files over gives them theirs (seqBase)
 *
 * They lie in the directory of the engine, where they will get the names of runs: so one sync of names covers both. A file's
 * identity is made from its name, as its number is; so no two loads of an engine may ever have the same one.
 */
import { type Checksums, type Logger, assert } from '@phantom/base';
import type { ReadyRun, SortedRunRef, SortedWriter } from '@phantom/kv';
import { type Vfs, joinPath } from '@phantom/vfs';
import { ingestedNumber } from './ingested-number.js';
import { VersionKind } from './layer.js';
import { RunWriter, type RunWriterOptions } from './run-writer.js';

export interface SortedFilesOptions {
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  readonly logger: Logger;
  /** The engine's. */
  readonly directory: string;
  /** Of the load. */
  readonly name: string;
  /** A file ends at this size; Infinity: all entries are in one. */
  readonly runBytesMax: number;
  readonly style?: Pick<RunWriterOptions, 'blockBytes' | 'filterBitsPerKey' | 'compression'>;
}

/** Of files that the next opening removes unless they were handed over. */
export const LOAD_PREFIX = 'load-';

/** Whether a file in an engine's directory is of a load, and not handed over or not yet named. */
export function isLoadFile(name: string): boolean {
  return name.startsWith(LOAD_PREFIX);
}

export class SortedFiles implements SortedWriter {
  private readonly options: SortedFilesOptions;
  private readonly finished: SortedRunRef[] = [];
  /** Those that are written whole; their handles are kept until they are synced. */
  private readonly writers: RunWriter[] = [];
  /** Files of others, to be handed over with them. */
  private readonly added: ReadyRun[] = [];
  private writer: RunWriter | undefined = undefined;
  private finishedBytes = 0;

  constructor(options: SortedFilesOptions) {
    this.options = options;
  }

  get bytes(): number {
    return this.finishedBytes + (this.writer?.bytes ?? 0);
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.file().add(key, keyStart, keyEnd, 0, VersionKind.Put, value, valueStart, valueEnd);
  }

  remove(key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.file().add(key, keyStart, keyEnd, 0, VersionKind.Remove, key, 0, 0);
  }

  /** All ranges are in the first file: a later one would hide the keys of those before it. */
  removeRange(lower: Uint8Array, upper: Uint8Array): void {
    assert(this.finished.length === 0 && (this.writer?.entries ?? 0) === 0, 'ranges come before the first key');
    this.writer ??= this.beginFile();
    this.writer.addRangeTombstone({ lower, upper, seq: 0 });
  }

  add(run: ReadyRun): void {
    this.added.push(run);
    this.finishedBytes += run.ref.bytes;
  }

  async finish(): Promise<readonly SortedRunRef[]> {
    const { vfs, directory } = this.options;
    this.endFile();
    if (this.isEmpty) return [];
    for (const run of this.added) await run.sync();
    for (const writer of this.writers) await writer.sync();
    await vfs.syncDirLater(directory);
    return this.handOver();
  }

  finishNow(): readonly SortedRunRef[] {
    const { vfs, directory } = this.options;
    this.endFile();
    if (this.isEmpty) return [];
    for (const run of this.added) run.syncNow();
    for (const writer of this.writers) writer.syncNow();
    vfs.syncDir(directory);
    return this.handOver();
  }

  discard(): void {
    const { vfs, logger } = this.options;
    const { writer } = this;
    try {
      writer?.close();
      this.close();
      for (const { path } of this.finished) vfs.remove(path);
      if (writer !== undefined) vfs.remove(writer.path);
    } catch (error) {
      logger.warn('files of a bulk load that was given up could not be removed', { reason: String(error) });
    }
    this.writer = undefined;
  }

  private get isEmpty(): boolean {
    return this.writers.length + this.added.length === 0;
  }

  private handOver(): readonly SortedRunRef[] {
    this.close();
    return [...this.added.map(({ ref }) => ref), ...this.finished];
  }

  /** The file that the next key goes to. */
  private file(): RunWriter {
    if (this.writer !== undefined && this.writer.bytes >= this.options.runBytesMax) this.endFile();
    return (this.writer ??= this.beginFile());
  }

  private beginFile(): RunWriter {
    const { vfs, checksums, directory, name, style } = this.options;
    const path = joinPath(directory, `${LOAD_PREFIX}${name}-${this.finished.length}`);
    return new RunWriter({ vfs, path, checksums, identity: ingestedNumber(checksums, path), ...style });
  }

  private endFile(): void {
    const { writer } = this;
    if (writer === undefined) return;
    const { path, entries, bytes } = writer.finish();
    this.writers.push(writer);
    this.finished.push({ path, entries, bytes });
    this.finishedBytes += bytes;
    this.writer = undefined;
  }

  private close(): void {
    for (const writer of this.writers.splice(0)) writer.close();
  }
}
