/**
 * The disk as an interface (after SQLite's VFS, redb's StorageBackend and Pebble's vfs.FS, but twenty methods in all).
 *
 * Reads and writes are synchronous: a cached `readSync` takes 1 us where a callback takes 15. Durability is awaited:
 * `sync` runs on a thread of its own, so the event loop never waits for the disk unless somebody asked for `syncNow`.
 *
 * Invariants every implementation keeps and the conformance tests prove:
 *   1. What a writeAt has returned for is seen by every later readAt, of this and of every other handle on the file.
 *   2. After sync() resolves, the file's content as of the CALL of sync() survives a power cut, and so does its length.
 *   3. A file's NAME survives only after syncDir() of its directory; rename is atomic, and durable after syncDir().
 *   4. A failed sync is reported to every caller that waited for it, once, and the handle refuses every later sync with
 *      the same error: what the failed one covered may look written and be gone (PostgreSQL's lesson of 2018).
 *   5. No descriptor is synced from two threads at a time: while a `sync` is under way, `syncNow` goes through the same thread, and
 *      waits; otherwise it syncs where it is called.
 *   6. Errors are PhantomErrors: 53100 when the disk is full, 58P01 when a file is missing, 58030 otherwise.
 */

/** What the platform under this disk promises; the code above adapts instead of asking which system it runs on. */
export interface VfsCapabilities {
  /** True where a directory's entries become durable only by syncDir (Linux, macOS); Windows has no such call. */
  readonly directorySync: boolean;
  /** True where a file can be renamed over one that is open (POSIX). */
  readonly renameOverOpen: boolean;
  /** True where sync() reaches the platter by itself; false where the drive's cache needs a full sync (macOS F_FULLFSYNC). */
  readonly fullSync: boolean;
}

export interface OpenOptions {
  /** `read`: must exist, writes throw. `write`: must exist. `create`: made if absent, kept if present. `create-new`: must not exist. */
  readonly mode: 'read' | 'write' | 'create' | 'create-new';
  /** Which sync thread serves the file: the log never waits behind a checkpoint. Default `data`. */
  readonly syncLane?: 'log' | 'data';
}

export interface Vfs {
  readonly capabilities: VfsCapabilities;
  /** True when the same paths lead to the same files from every thread, through a Vfs of its own there. Default: no. */
  readonly isShared?: boolean;
  /** Opens a file. Paths are the platform's; every directory on the way must exist. */
  open(path: string, options: OpenOptions): VfsFile;
  /**
   * Holds the directory for this process until `release`, or until the process dies in whatever way. A second holder,
   * in this or another process, gets 55006 with the holder's description in `detail`.
   */
  lock(directory: string, holder: LockHolder): Promise<DirectoryLock>;
  /** Names (not paths) of the entries of a directory, sorted. */
  list(directory: string): string[];
  exists(path: string): boolean;
  /** Makes the directory and its parents; no error when it is there. */
  makeDir(path: string): void;
  rename(from: string, to: string): void;
  /** Removes a file; no error when it is not there. */
  remove(path: string): void;
  /** Makes the entries of a directory durable. No effect where capabilities.directorySync is false. */
  syncDir(path: string): void;
  /** As syncDir, on the thread of the `data` lane; durable once resolved, as of the call. */
  syncDirLater(path: string): Promise<void>;
}

export interface VfsFile {
  readonly path: string;
  /**
   * Fills `into`, or its first `bytes`, from the offset as far as the file goes; returns the byte count. `into` may lie in a
   * SharedArrayBuffer.
   */
  readAt(offset: number, into: Uint8Array, bytes?: number): number;
  /** A hint that the range will be read soon. May do nothing, never throws. */
  prefetch(offset: number, bytes: number): void;
  /** Writes all of `from`, extending the file as needed; a gap reads as zeros. */
  writeAt(offset: number, from: Uint8Array): void;
  size(): number;
  /** Whether its path still leads to this file; true where the system does not tell. */
  isInPlace(): boolean;
  truncate(bytes: number): void;
  /**
   * Writes zeros, extending the file as needed, on the file's sync thread; readable once resolved, and no more durable than
   * other writes. `offset` is a multiple of 4096. When it rejects, a part may have been written. Once a later syncNow has
   * returned, it has ended as well.
   */
  fill(offset: number, bytes: number): Promise<void>;
  /** Durable once resolved, as of the call. Concurrent calls may share one system call that began after the last of them. */
  sync(): Promise<void>;
  /** As sync, but this thread waits. Only for synchronous callers. */
  syncNow(): void;
  /** Frees the handle after syncs under way have ended; further use throws 55000. Safe to call twice. */
  close(): void;
  /**
   * As close, and removes the file, which has this path now. Its name is gone on return; where a platform lets open files
   * be removed, the room is given back on the thread of the `data` lane, since that takes milliseconds for each megabyte.
   */
  discard(path: string): void;
}

/** Who holds a directory, as a second opener is told. */
export interface LockHolder {
  readonly pid: number;
  readonly description: string;
  /** Endpoints at which the holder can be reached, e.g. `{ pg: '127.0.0.1:5433' }`. Read at the time of the question. */
  readonly endpoints?: Readonly<Record<string, string>>;
}

export interface DirectoryLock {
  readonly directory: string;
  /** Replaces what a second opener is told (the daemon learns its ports after it took the lock). */
  describe(holder: LockHolder): void;
  release(): Promise<void>;
}

/** Joins path segments with `/`; every supported platform's Node accepts it. */
export function joinPath(...segments: string[]): string {
  return segments
    .filter((segment) => segment.length > 0)
    .join('/')
    .replace(/\/{2,}/g, '/');
}
