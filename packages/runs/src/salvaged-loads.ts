/**
 * Files that the log hands over to an engine, as salvage finds them: whole runs that a bulk load wrote, under the name that the log knows
 * or, once the engine has taken them, under that of a run. The commit that hands one over gives its entries their seq.
 */
import type { Checksums } from '@phantom/base';
import type { Seq, SortedRunRef } from '@phantom/kv';
import { type Vfs, joinPath } from '@phantom/vfs';
import { ingestedNumber } from './ingested-number.js';

/** What is known of the loads of an engine. */
export interface SalvagedLoads {
  readonly vfs: Pick<Vfs, 'exists'>;
  /** The engine's. */
  readonly directory: string;
  readonly checksums: Checksums;
  /** By the seq of their commit, oldest first; paths are names in the directory. */
  readonly loads: readonly { readonly files: readonly SortedRunRef[]; readonly seq: Seq }[];
}

/** What the log says of a file that it hands over. */
export interface LoadedRun {
  readonly bytes: number;
  readonly identity: number;
  readonly seqBase: Seq;
}

/** Opens those that the engine's own files do not name yet, newest first. `runName` is what the engine calls a run of its own. */
export function openLoads<R>(
  { vfs, directory, checksums, loads }: SalvagedLoads,
  flushedSeq: Seq,
  runName: (number: number) => string,
  open: (name: string, recorded: LoadedRun) => R,
): R[] {
  const opened: R[] = [];
  for (const { files, seq } of loads) {
    if (seq <= flushedSeq) continue;
    for (const { path, bytes } of files) {
      const number = ingestedNumber(checksums, path);
      const name = vfs.exists(joinPath(directory, path)) ? path : runName(number);
      opened.unshift(open(name, { bytes, identity: number, seqBase: seq }));
    }
  }
  return opened;
}

/** The seq of the commit that hands over the file with this number; undefined when the log knows of none. */
export function loadedAt(
  { loads, checksums }: Pick<SalvagedLoads, 'loads' | 'checksums'>,
  number: number,
): Seq | undefined {
  return loads.find(({ files }) => files.some(({ path }) => ingestedNumber(checksums, path) === number))?.seq;
}
