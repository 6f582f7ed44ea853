/**
 * A disk that fails where an injector says so, around any other disk.
 *
 * A failed operation has no effect, with two exceptions that real disks have: a write may be short (`Fault.writtenBytes`
 * of it arrive), and a failed sync leaves the data readable but lost to the next crash (where the inner disk can do that:
 * MemoryVfs). A failed sync is sticky, as invariant 4 of `vfs.ts` demands of every disk.
 */
import type { PhantomError } from '@phantom/base';
import type { Fault, Injector, VfsOp, VfsOperation } from '../injector.js';
import type { DirectoryLock, LockHolder, OpenOptions, Vfs, VfsCapabilities, VfsFile } from '../vfs.js';

/** A file whose disk can be told that a sync has failed. */
interface LosingFile extends VfsFile {
  loseUnsynced(): void;
}

export class FaultyVfs implements Vfs {
  readonly inner: Vfs;
  /** May be exchanged at any time. */
  injector: Injector;

  constructor(inner: Vfs, injector: Injector) {
    this.inner = inner;
    this.injector = injector;
  }

  get capabilities(): VfsCapabilities {
    return this.inner.capabilities;
  }

  /** What the injector says of an operation; for the file handles. */
  faultOf(operation: VfsOperation, path: string, offset?: number, bytes?: number): Fault | undefined {
    const op: VfsOp = {
      operation,
      path,
      ...(offset === undefined ? {} : { offset }),
      ...(bytes === undefined ? {} : { bytes }),
    };
    return this.injector.maybeFault(op);
  }

  private check(operation: VfsOperation, path: string): void {
    const fault = this.faultOf(operation, path);
    if (fault !== undefined) throw fault.error;
  }

  open(path: string, options: OpenOptions): VfsFile {
    this.check('open', path);
    return new FaultyFile(this, this.inner.open(path, options));
  }

  async lock(directory: string, holder: LockHolder): Promise<DirectoryLock> {
    this.check('lock', directory);
    return this.inner.lock(directory, holder);
  }

  list(directory: string): string[] {
    this.check('list', directory);
    return this.inner.list(directory);
  }

  exists(path: string): boolean {
    this.check('exists', path);
    return this.inner.exists(path);
  }

  makeDir(path: string): void {
    this.check('makeDir', path);
    this.inner.makeDir(path);
  }

  rename(from: string, to: string): void {
    this.check('rename', from);
    this.inner.rename(from, to);
  }

  remove(path: string): void {
    this.check('remove', path);
    this.inner.remove(path);
  }

  syncDir(path: string): void {
    this.check('syncDir', path);
    this.inner.syncDir(path);
  }

  async syncDirLater(path: string): Promise<void> {
    this.check('syncDir', path);
    await this.inner.syncDirLater(path);
  }
}

class FaultyFile implements VfsFile {
  private readonly disk: FaultyVfs;
  private readonly inner: VfsFile;
  private failure: PhantomError | undefined;

  constructor(disk: FaultyVfs, inner: VfsFile) {
    this.disk = disk;
    this.inner = inner;
  }

  get path(): string {
    return this.inner.path;
  }

  readAt(offset: number, into: Uint8Array, bytes = into.length): number {
    const fault = this.disk.faultOf('read', this.path, offset, bytes);
    if (fault !== undefined) throw fault.error;
    return this.inner.readAt(offset, into, bytes);
  }

  prefetch(offset: number, bytes: number): void {
    this.inner.prefetch(offset, bytes);
  }

  writeAt(offset: number, from: Uint8Array): void {
    const fault = this.disk.faultOf('write', this.path, offset, from.length);
    if (fault === undefined) {
      this.inner.writeAt(offset, from);
      return;
    }
    const written = Math.min(fault.writtenBytes ?? 0, from.length);
    if (written > 0) this.inner.writeAt(offset, from.subarray(0, written));
    throw fault.error;
  }

  async fill(offset: number, bytes: number): Promise<void> {
    const fault = this.disk.faultOf('write', this.path, offset, bytes);
    if (fault === undefined) return this.inner.fill(offset, bytes);
    const written = Math.min(fault.writtenBytes ?? 0, bytes);
    if (written > 0) await this.inner.fill(offset, written);
    throw fault.error;
  }

  size(): number {
    const fault = this.disk.faultOf('size', this.path);
    if (fault !== undefined) throw fault.error;
    return this.inner.size();
  }

  isInPlace(): boolean {
    return this.inner.isInPlace();
  }

  truncate(bytes: number): void {
    const fault = this.disk.faultOf('truncate', this.path, bytes);
    if (fault !== undefined) throw fault.error;
    this.inner.truncate(bytes);
  }

  async sync(): Promise<void> {
    this.checkSync();
    await this.inner.sync();
    // A sync that was asked for earlier may have failed meanwhile; nobody who waited behind it may be told "durable".
    if (this.failure !== undefined) throw this.failure;
  }

  syncNow(): void {
    this.checkSync();
    this.inner.syncNow();
  }

  close(): void {
    const fault = this.disk.faultOf('close', this.path);
    this.inner.close();
    if (fault !== undefined) throw fault.error;
  }

  discard(path: string): void {
    const fault = this.disk.faultOf('remove', path);
    if (fault === undefined) {
      this.inner.discard(path);
      return;
    }
    this.inner.close();
    throw fault.error;
  }

  private checkSync(): void {
    if (this.failure !== undefined) throw this.failure;
    const fault = this.disk.faultOf('sync', this.path);
    if (fault === undefined) return;
    this.failure = fault.error;
    if (losesUnsynced(this.inner)) this.inner.loseUnsynced();
    throw fault.error;
  }
}

function losesUnsynced(file: VfsFile): file is LosingFile {
  return 'loseUnsynced' in file;
}
