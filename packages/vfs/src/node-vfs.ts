/**
 * The real disk: Node's synchronous file calls, and the sync threads of `sync-thread.ts`.
 *
 * Costs (ext4, 2 cores): a cached read of 4 KiB 1.2 us, a write of 256 B into the page cache 2 us, a sync round trip 8 to
 * 46 us above what the drive takes.
 *
 * What the platforms promise, and what is done about it:
 *   Linux    fdatasync reaches the platter and covers the length of the file; names need syncDir; rename goes over open files.
 *   macOS    libuv turns both sync calls into fcntl(F_FULLFSYNC), which empties the drive's cache; otherwise as Linux.
 *   Windows  FlushFileBuffers; there is no call that syncs a directory (NTFS logs its own metadata), and a file that is
 *            open cannot be renamed over: capabilities say so and the code above adapts.
 *
 * Left out: O_DIRECT (alignment cannot be had from JavaScript, and it measured no faster), fallocate (Node has none).
 */
import * as fs from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { PhantomError, SqlState, ioError } from '@phantom/base';
import { LOCK_FILE_NAME, lockDirectory } from './directory-lock.js';
import { LaneRequest, type SyncLane, syncLane } from './sync-thread.js';
import type { DirectoryLock, LockHolder, OpenOptions, Vfs, VfsCapabilities, VfsFile } from './vfs.js';

/** Bytes one prefetch reads at most, and how many may be under way: a hint must not fill libuv's pool. */
const PREFETCH_BYTES_MAX = 256 * 1024;
const PREFETCHES_MAX = 2;
/** Files from this size on are given back by the sync thread: of 256 MB the removal took ext4 16 to 81 ms. */
const LARGE_FILE_BYTES = 16 * 1024 * 1024;

export interface NodeVfsOptions {
  /** How long `lock` waits for a holder's answer before it refuses. Default 2,000 ms. */
  readonly lockTimeoutMs?: number;
  /** For tests of other platforms' code: what `capabilities` says. */
  readonly capabilities?: VfsCapabilities;
}

/** The disk of this machine. Stateless: any number may exist, and they share the process' two sync threads. */
export function createNodeVfs(options: NodeVfsOptions = {}): Vfs {
  return new NodeVfs(options);
}

const OPEN_FLAGS = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
  'create-new': fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
} as const;

function attempt<T>(operation: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw ioError(operation, path, error);
  }
}

class NodeVfs implements Vfs {
  readonly capabilities: VfsCapabilities;
  readonly isShared = true;
  private readonly lockTimeoutMs: number;
  private readonly prefetches = { underWay: 0 };

  constructor(options: NodeVfsOptions) {
    const posix = process.platform !== 'win32';
    this.capabilities = options.capabilities ?? { directorySync: posix, renameOverOpen: posix, fullSync: true };
    this.lockTimeoutMs = options.lockTimeoutMs ?? 2000;
  }

  open(path: string, options: OpenOptions): VfsFile {
    const descriptor = attempt('open', path, () => fs.openSync(path, OPEN_FLAGS[options.mode], 0o600));
    const lane = syncLane(options.syncLane ?? 'data');
    return new NodeFile(path, descriptor, lane, this.prefetches, this.capabilities);
  }

  lock(directory: string, holder: LockHolder): Promise<DirectoryLock> {
    // Whoever holds a directory writes to it, and has nothing else to do until the lock is had.
    syncLane('data').warm();
    return lockDirectory(directory, holder, { timeoutMs: this.lockTimeoutMs });
  }

  list(directory: string): string[] {
    return attempt('list', directory, () => fs.readdirSync(directory))
      .filter((name) => name !== LOCK_FILE_NAME)
      .sort();
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  makeDir(path: string): void {
    attempt('make directory', path, () => fs.mkdirSync(path, { recursive: true, mode: 0o700 }));
  }

  rename(from: string, to: string): void {
    attempt('rename', from, () => fs.renameSync(from, to));
  }

  remove(path: string): void {
    // The room of a file is given back when nobody has it open any more, which takes the system a while where it is much.
    const descriptor = this.capabilities.renameOverOpen ? openLarge(path) : undefined;
    try {
      removeFile(path);
    } finally {
      // Nobody can be told of an error, and nothing is lost by it.
      if (descriptor !== undefined) syncLane('data').submit(descriptor, () => undefined, LaneRequest.Close);
    }
  }

  syncDir(path: string): void {
    if (!this.capabilities.directorySync) return;
    attempt('sync directory', path, () => {
      const descriptor = fs.openSync(path, fs.constants.O_RDONLY);
      try {
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  async syncDirLater(path: string): Promise<void> {
    if (!this.capabilities.directorySync) return;
    const descriptor = attempt('sync directory', path, () => fs.openSync(path, fs.constants.O_RDONLY));
    try {
      const errno = await new Promise<number>((resolve) => {
        syncLane('data').submit(descriptor, resolve, LaneRequest.SyncDirectory);
      });
      if (errno !== 0) throw ioError('sync directory', path, laneError(errno));
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/** A descriptor of a file that is large; undefined for others, and for what cannot be opened. */
function openLarge(path: string): number | undefined {
  try {
    const bytes = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes < LARGE_FILE_BYTES) return undefined;
    return fs.openSync(path, fs.constants.O_RDONLY);
  } catch {
    // It is removed all the same, on this thread.
    return undefined;
  }
}

/** Not `rmSync`, which comes with the code that removes trees and takes two milliseconds the first time. */
function removeFile(path: string): void {
  attempt('remove', path, () => {
    try {
      fs.unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  });
}

function laneError(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${code}: it failed on the sync thread`), { code });
}

class NodeFile implements VfsFile {
  readonly path: string;
  private readonly descriptor: number;
  private readonly lane: SyncLane;
  private readonly prefetches: { underWay: number };
  private readonly capabilities: VfsCapabilities;
  /** The first failed sync: final for this handle. */
  private failure: PhantomError | undefined;
  /** The sync that is under way, and the one that will begin when it ends and covers everyone who called meanwhile. */
  private running: Promise<void> | undefined;
  private queued: Promise<void> | undefined;
  /** Requests to the lane that have not ended: the descriptor stays open for them. */
  private requestsUnderWay = 0;
  private closed = false;
  /** It has no name any more: closing gives its room back. */
  private removed = false;

  constructor(
    path: string,
    descriptor: number,
    lane: SyncLane,
    prefetches: { underWay: number },
    capabilities: VfsCapabilities,
  ) {
    this.path = path;
    this.descriptor = descriptor;
    this.lane = lane;
    this.prefetches = prefetches;
    this.capabilities = capabilities;
  }

  readAt(offset: number, into: Uint8Array, bytes = into.length): number {
    this.checkOpen();
    let count = 0;
    try {
      while (count < bytes) {
        const read = fs.readSync(this.descriptor, into, count, bytes - count, offset + count);
        if (read === 0) break;
        count += read;
      }
    } catch (error) {
      throw ioError('read', this.path, error);
    }
    return count;
  }

  prefetch(offset: number, bytes: number): void {
    if (this.closed || this.prefetches.underWay >= PREFETCHES_MAX) return;
    // Reading is the only way Node has to fill the page cache. A descriptor closed (and reused) meanwhile is harmless:
    // what is read is thrown away.
    const scratch = Buffer.allocUnsafe(Math.min(bytes, PREFETCH_BYTES_MAX));
    this.prefetches.underWay++;
    fs.read(this.descriptor, scratch, 0, scratch.length, offset, () => {
      this.prefetches.underWay--;
    });
  }

  writeAt(offset: number, from: Uint8Array): void {
    this.checkOpen();
    let count = 0;
    try {
      while (count < from.length) {
        count += fs.writeSync(this.descriptor, from, count, from.length - count, offset + count);
      }
    } catch (error) {
      throw ioError('write', this.path, error);
    }
  }

  async fill(offset: number, bytes: number): Promise<void> {
    this.checkOpen();
    this.requestsUnderWay++;
    const errno = await new Promise<number>((resolve) => {
      this.lane.submit(this.descriptor, resolve, LaneRequest.Fill, offset, bytes);
    });
    this.laneEnded();
    if (errno !== 0) throw ioError('write', this.path, laneError(errno));
  }

  size(): number {
    this.checkOpen();
    return attempt('read the size of', this.path, () => fs.fstatSync(this.descriptor).size);
  }

  isInPlace(): boolean {
    this.checkOpen();
    try {
      const there = fs.statSync(this.path, { bigint: true, throwIfNoEntry: false });
      const { dev, ino } = fs.fstatSync(this.descriptor, { bigint: true });
      return there !== undefined && there.dev === dev && there.ino === ino;
    } catch {
      // A directory that may not be looked into says nothing of what is in it.
      return true;
    }
  }

  truncate(bytes: number): void {
    this.checkOpen();
    attempt('truncate', this.path, () => fs.ftruncateSync(this.descriptor, bytes));
  }

  sync(): Promise<void> {
    try {
      this.checkSyncable();
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.running === undefined) return this.begin();
    if (this.queued === undefined) {
      const queued = this.running.then(() => {
        this.queued = undefined;
        return this.begin();
      });
      this.queued = queued;
      // Whoever called sync() gets this promise and its error; when it fails, nothing may be queued behind it.
      queued.catch(() => {
        this.queued = undefined;
      });
    }
    return this.queued;
  }

  syncNow(): void {
    this.checkSyncable();
    if (this.requestsUnderWay === 0 && this.queued === undefined) this.syncHere();
    else {
      this.requestsUnderWay++;
      this.lane.submitAndWait(this.descriptor, (errno) => this.syncEnded(errno));
    }
    // A sync under way before this one may have been the one that failed; it has ended by now.
    if (this.failure !== undefined) throw this.failure;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.requestsUnderWay === 0 && this.queued === undefined) this.closeDescriptor();
  }

  discard(path: string): void {
    // Who lets an open file be renamed over lets it be removed.
    if (this.closed || !this.capabilities.renameOverOpen) {
      this.close();
      removeFile(path);
      return;
    }
    try {
      removeFile(path);
      this.removed = true;
    } finally {
      this.close();
    }
  }

  /** On this thread: nobody else has this descriptor now, and two threads that wake each other cost more than a quick disk takes. */
  private syncHere(): void {
    try {
      fs.fdatasyncSync(this.descriptor);
    } catch (error) {
      this.failure = ioError('sync', this.path, error);
    }
  }

  private begin(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const running = new Promise<void>((resolve, reject) => {
      this.requestsUnderWay++;
      this.lane.submit(this.descriptor, (errno) => {
        this.running = undefined;
        this.syncEnded(errno);
        if (this.failure === undefined) resolve();
        else reject(this.failure);
      });
    });
    this.running = running;
    return running;
  }

  private syncEnded(errno: number): void {
    if (errno !== 0 && this.failure === undefined) {
      this.failure = ioError('sync', this.path, laneError(errno));
    }
    this.laneEnded();
  }

  /** A request to the lane has ended. A queued sync begins in a later microtask and still needs the descriptor. */
  private laneEnded(): void {
    this.requestsUnderWay--;
    if (this.closed && this.requestsUnderWay === 0 && (this.queued === undefined || this.failure !== undefined)) {
      this.closeDescriptor();
    }
  }

  private closeDescriptor(): void {
    if (this.removed) {
      // Nobody can be told of an error, and nothing is lost by it.
      syncLane('data').submit(this.descriptor, () => undefined, LaneRequest.Close);
      return;
    }
    attempt('close', this.path, () => fs.closeSync(this.descriptor));
  }

  private checkOpen(): void {
    if (this.closed) throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `file "${this.path}" is closed`);
  }

  private checkSyncable(): void {
    this.checkOpen();
    if (this.failure !== undefined) throw this.failure;
  }
}
