/**
 * What worker threads hand back to a job. They never sync: a sync of a file covers what every descriptor has written to it,
 * and reports an error that nobody was told of yet.
 */
import type { Logger } from '@phantom/base';
import { type Vfs, type VfsFile, joinPath } from '@phantom/vfs';
import type { Wait } from './job.js';
import { syncOf, syncOfNames } from './sync-waits.js';
import type { WorkerCall } from './worker-thread.js';

/** What a task returned; undefined when the thread was lost: whoever wants it does the work without. Throws what the task threw. */
export function* resultOf<R>(call: WorkerCall<R>, logger: Logger): Generator<Wait, R | undefined> {
  try {
    yield call;
  } catch (error) {
    if (!call.isLost) throw error;
    logger.warn('a worker thread was lost; its work is done without it', { task: call.task });
    return undefined;
  }
  return call.value;
}

/** Makes files that another thread has written durable, and their names in the directory. */
export function* syncWritten(vfs: Vfs, directory: string, names: readonly string[]): Generator<Wait, void> {
  const files: VfsFile[] = [];
  try {
    for (const name of names) files.push(vfs.open(joinPath(directory, name), { mode: 'write' }));
    yield syncOf(...files);
    yield syncOfNames(vfs, directory);
  } finally {
    for (const file of files) file.close();
  }
}
