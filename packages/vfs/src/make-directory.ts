/** Directories that are there after a crash. */
import { parentPath } from './replace-file.js';
import type { Vfs } from './vfs.js';

/**
 * Makes a directory and its missing parents, durably: level by level, each entry synced before the next one is made. What is
 * there already may have been made by a process that was killed before it could sync the entry, so that is synced, too,
 * where the directory above may be opened at all. The directory is there once this returns, and durable once it has resolved.
 */
export async function makeDirectoryDurable(vfs: Vfs, path: string): Promise<void> {
  const missing: string[] = [];
  let at = path;
  for (; !vfs.exists(at) && parentPath(at) !== at; at = parentPath(at)) missing.push(at);
  if (missing.length === 0) {
    try {
      await vfs.syncDirLater(parentPath(path));
    } catch {
      // Somebody else's directory, in which this one has been for long.
    }
    return;
  }
  vfs.syncDir(parentPath(at));
  for (const directory of missing.reverse()) {
    vfs.makeDir(directory);
    vfs.syncDir(parentPath(directory));
  }
}
