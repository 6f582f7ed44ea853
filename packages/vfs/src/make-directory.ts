/** Directories that are there after a crash. */
import { parentPath } from './replace-file.js';
import type { Vfs } from './vfs.js';

/** Makes a directory and its missing parents, durably: every directory that got a new entry is synced. */
export async function makeDirectoryDurable(vfs: Vfs, path: string): Promise<void> {
  const changed: string[] = [];
  for (let at = path; !vfs.exists(at); at = parentPath(at)) changed.push(parentPath(at));
  if (changed.length === 0) return;
  vfs.makeDir(path);
  // The outermost first: an entry in a directory that is not durable itself is worth nothing.
  for (const directory of changed.reverse()) vfs.syncDir(directory);
}
