/**
 * Writing one run: the part that flushes and compactions share. The file is synced and its name is durable once `finish`
 * has ended; if anything goes wrong before, `discard` removes it.
 */
import type { Checksums, Logger } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { type Compression, type RunSummary, RunWriter, type Wait, syncOfNames } from '@phantom/runs';
import { type Vfs, joinPath } from '@phantom/vfs';
import { runName } from './format.js';

/** What writing a run needs of the world; nothing of the engine, so that a worker can have it. */
export interface OutputPort {
  readonly vfs: Vfs;
  readonly checksums: Checksums;
  readonly logger: Logger;
  readonly directory: string;
}

/** How runs are written. */
export interface OutputStyle {
  readonly blockBytes: number;
  readonly filterBitsPerKey: number;
  readonly compression: Compression;
}

/** Slices of time for background work. */
export interface Slices {
  readonly monotonicMs: () => number;
  readonly sliceMs: number;
}

/** A run that was written: synced, not yet named by a manifest. */
export interface WrittenRun {
  readonly number: number;
  readonly identity: number;
  readonly bytes: number;
}

export class RunOutput {
  readonly writer: RunWriter;
  private readonly port: OutputPort;
  private readonly number: number;
  private isFinished = false;

  constructor(port: OutputPort, style: OutputStyle, number: number, identity: number, seqBase: Seq) {
    const { vfs, checksums, directory } = port;
    const path = joinPath(directory, runName(number));
    // What an attempt before this one left behind.
    vfs.remove(path);
    this.port = port;
    this.number = number;
    this.writer = new RunWriter({ vfs, path, checksums, identity, seqBase, ...style });
  }

  /** Ends the file and makes it durable. */
  *finish(): Generator<Wait, WrittenRun> {
    const { writer, port } = this;
    const { identity, bytes }: RunSummary = writer.finish();
    yield { sync: () => writer.sync(), syncNow: () => writer.syncNow() };
    yield syncOfNames(port.vfs, port.directory);
    writer.close();
    this.isFinished = true;
    return { number: this.number, identity, bytes };
  }

  /** Removes what is not finished. Never throws: an error is on its way already, and an orphan goes at the next opening. */
  discard(): void {
    if (!this.isFinished) removeQuietly(this.port, this.number, () => this.writer.close());
    this.isFinished = true;
  }
}

/** Removes a run that nothing names. Never throws. */
export function removeQuietly(port: OutputPort, number: number, before?: () => void): void {
  const path = joinPath(port.directory, runName(number));
  try {
    before?.();
    port.vfs.remove(path);
  } catch (error) {
    port.logger.warn('an unfinished run could not be removed', { path, reason: String(error) });
  }
}
