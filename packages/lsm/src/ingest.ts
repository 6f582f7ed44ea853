/**
 * Files that another writer prepared and that are taken over whole. The log record that names them comes first, then they
 * are renamed into the engine's directory, then the manifest names them. After a crash in between replay hands the same
 * files over again; so a file's number, which is its identity too, is made from its name, and a file that is no longer where
 * the record says is looked for under that number.
 */
import { PhantomError, SqlState } from '@phantom/base';
import type { Seq, SortedRunRef } from '@phantom/kv';
import { Run, ingestedNumber } from '@phantom/runs';
import type { LsmFiles } from './lsm-files.js';
import { RunFile } from './run-file.js';

/** Files of one hand-over: each is a descriptor. */
const INGESTED_FILES_MAX = 1024;

/** Opens the files as runs whose entries all have the given seq; of files that overlap the later one wins. Newest first. */
export function openIngested(files: LsmFiles, refs: readonly SortedRunRef[], seq: Seq): RunFile[] {
  if (refs.length > INGESTED_FILES_MAX) {
    throw new PhantomError(SqlState.ProgramLimitExceeded, `${refs.length} files cannot be taken over at once`, {
      detail: `At most ${INGESTED_FILES_MAX} can.`,
    });
  }
  const { vfs, checksums, logger } = files.context;
  const { cache, counters } = files;
  const opened: RunFile[] = [];
  try {
    for (const { path, bytes } of refs) {
      const number = ingestedNumber(checksums, path);
      const present = vfs.exists(path) ? path : files.runPath(number);
      const entry = { number, bytes, identity: number, seqBase: seq };
      const run = new Run({ vfs, path: present, checksums, logger, cache, counters, ...entry });
      opened.unshift(new RunFile({ ...entry, level: 0, age: 0 }, run));
    }
  } catch (error) {
    for (const { run } of opened) run.release();
    throw error;
  }
  return opened;
}
