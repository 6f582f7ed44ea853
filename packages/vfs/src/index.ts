/** @phantom/vfs: the disk as an interface, and the real one. Doubles for tests are in @phantom/vfs/testing. */
export { directoryIdentity } from './directory-lock.js';
export type { Fault, Injector, VfsOp, VfsOperation } from './injector.js';
export { MendedVfs } from './mended-vfs.js';
export { type NodeVfsOptions, createNodeVfs } from './node-vfs.js';
export { makeDirectoryDurable } from './make-directory.js';
export { parentPath, replaceFile, replaceFileNow } from './replace-file.js';
export {
  type DirectoryLock,
  type LockHolder,
  type OpenOptions,
  type Vfs,
  type VfsCapabilities,
  type VfsFile,
  joinPath,
} from './vfs.js';
