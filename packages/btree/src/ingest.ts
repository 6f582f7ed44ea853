/**
 * Files that another writer prepared and that are taken over whole. The log record that names them comes first, then they
 * are renamed into the engine's directory, then a meta names them. After a crash in between replay hands the same files
 * over again; so a file's number, which is its identity too, is made from its name, and a file that is no longer where the
 * record says is looked for under that number.
 */
import { PhantomError, SqlState } from '@phantom/base';
import type { Seq, SortedRunRef } from '@phantom/kv';
import { Run, ingestedNumber } from '@phantom/runs';
import { META_RUNS_MAX } from './format.js';
import type { RunHandle, TreeFiles } from './tree-files.js';

/** Opens the files as runs whose entries all have the given seq; of files that overlap the later one wins. Newest first. */
export function openIngested(files: TreeFiles, refs: readonly SortedRunRef[], seq: Seq): RunHandle[] {
  if (refs.length * 2 > META_RUNS_MAX) {
    throw new PhantomError(SqlState.ProgramLimitExceeded, `${refs.length} files cannot be taken over at once`);
  }
  const { vfs, checksums, logger } = files.context;
  const opened: RunHandle[] = [];
  try {
    for (const { path, bytes } of refs) {
      const number = ingestedNumber(checksums, path);
      const present = vfs.exists(path) ? path : files.runPath(number);
      const entry = { number, bytes, identity: number, seqBase: seq };
      const run = new Run({ vfs, path: present, checksums, logger, cache: files.cache, ...entry });
      opened.unshift({ run, entry });
    }
  } catch (error) {
    for (const { run } of opened) run.release();
    throw error;
  }
  return opened;
}
