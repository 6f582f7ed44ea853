/**
 * Replacing a small file whole: after a crash it holds the old bytes or the new ones, never a mixture (the order is the
 * one Pillai et al. found applications get wrong: "All File Systems Are Not Created Equal", OSDI 2014).
 */
import type { Vfs, VfsFile } from './vfs.js';

/** Directory part of a path; `.` when it has none. */
export function parentPath(path: string): string {
  const at = path.lastIndexOf('/');
  if (at < 0) return '.';
  return at === 0 ? '/' : path.slice(0, at);
}

/**
 * Makes `bytes` the content of the file at `path`, durably once resolved: written beside it, synced, renamed over it, the
 * directory synced. On an error the old file is whole; a leftover `<path>.new` is overwritten by the next attempt.
 * The bytes are borrowed until the promise settles.
 */
export async function replaceFile(vfs: Vfs, path: string, bytes: Uint8Array): Promise<void> {
  const file = writtenBeside(vfs, path, bytes);
  try {
    await file.sync();
  } finally {
    file.close();
  }
  putInPlace(vfs, path);
}

/** As replaceFile, on this thread: durable on return. */
export function replaceFileNow(vfs: Vfs, path: string, bytes: Uint8Array): void {
  const file = writtenBeside(vfs, path, bytes);
  try {
    file.syncNow();
  } finally {
    file.close();
  }
  putInPlace(vfs, path);
}

const besideOf = (path: string): string => `${path}.new`;

function writtenBeside(vfs: Vfs, path: string, bytes: Uint8Array): VfsFile {
  vfs.remove(besideOf(path));
  const file = vfs.open(besideOf(path), { mode: 'create-new' });
  try {
    file.writeAt(0, bytes);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function putInPlace(vfs: Vfs, path: string): void {
  vfs.rename(besideOf(path), path);
  vfs.syncDir(parentPath(path));
}
