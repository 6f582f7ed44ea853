/** What jobs wait for most: that files and names are durable. In a worker thread nothing of it happens; its caller does it. */
import type { Vfs, VfsFile } from '@phantom/vfs';
import type { Wait } from './job.js';

/** Until the bytes of these files are durable. */
export function syncOf(...files: readonly VfsFile[]): Wait {
  return {
    sync: () => Promise.all(files.map((file) => file.sync())),
    syncNow: () => {
      for (const file of files) file.syncNow();
    },
  };
}

/** Until the names in a directory are durable. */
export function syncOfNames(vfs: Vfs, directory: string): Wait {
  return { sync: () => vfs.syncDirLater(directory), syncNow: () => vfs.syncDir(directory) };
}
