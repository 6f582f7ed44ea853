/** The files of a disk in memory. */
import type { MemoryVfs } from '@phantom/vfs/testing';

/** Paths of all files in a directory and in those below it. */
export function filesBelow(vfs: MemoryVfs, directory: string): string[] {
  return vfs.list(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    try {
      return filesBelow(vfs, path);
    } catch {
      return [path];
    }
  });
}
