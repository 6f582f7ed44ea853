/**
 * A disk in memory that can lose its power: what tests stand on, and what a store on ':memory:' writes to.
 *
 * It keeps every promise of `vfs.ts` and no other. `crashClone(seed)` is the disk after a power cut, within what those
 * promises allow: unsynced writes are lost in any order and across files, torn at 512 bytes; names are lost without
 * syncDir; files come back extended with zeros or showing what a recycled file held; what a failed sync covered reads
 * fine until the crash takes it. The same seed gives the same disk. The original is not touched, so a sweep can cut the
 * power after every operation of one run (see `onOperation`), thousands of times.
 */
import { PhantomError, Random, SqlState, ioError } from '@phantom/base';
import type { VfsOp, VfsOperation } from '../injector.js';
import { MemoryDirectoryNode, type MemoryNode, PendingNames, copyTree, crashTree } from './memory-directory-node.js';
import { type CrashMode, MemoryFileNode } from './memory-file-node.js';
import type { DirectoryLock, LockHolder, OpenOptions, Vfs, VfsCapabilities, VfsFile } from '../vfs.js';

export interface MemoryVfsOptions {
  /** Default: as Linux. With `directorySync: false` names are durable at once. */
  readonly capabilities?: VfsCapabilities;
  /** Bytes of all files together past which writes throw 53100. Default: no limit. May be changed later. */
  readonly capacityBytes?: number;
  /** Turns of the event loop that an awaited sync takes. Default 0: it ends in a microtask. */
  readonly syncTurns?: number;
  /** False for a disk that is never crashed: it then keeps no record of what is unsynced. Default true. */
  readonly losesPower?: boolean;
}

const CRASH_MODES: readonly CrashMode[] = ['none', 'all', 'moment', 'prefix', 'sectors', 'sectors', 'sectors'];
/** Sweeps ask for the same few paths millions of times. */
const PATHS_KNOWN_MAX = 1000;
const POSIX: VfsCapabilities = { directorySync: true, renameOverOpen: true, fullSync: true };

export class MemoryVfs implements Vfs {
  readonly capabilities: VfsCapabilities;
  /** Bytes of all files together past which writes throw 53100. */
  capacityBytes: number;
  readonly syncTurns: number;
  private readonly losesPower: boolean;
  /** Operations done so far, in all and by kind. */
  operations = 0;
  readonly counts = new Map<VfsOperation, number>();
  /** Called after each operation has taken effect (a sync: when it is durable and before its caller is told). */
  onOperation: ((op: VfsOp) => void) | undefined;
  private root = new MemoryDirectoryNode();
  private names = new PendingNames();
  private usedBytes = 0;
  /** Names in paths that were taken apart before; shared by clones. */
  private paths = new Map<string, string[]>();
  private readonly locks = new Map<string, LockHolder>();

  constructor(options: MemoryVfsOptions = {}) {
    this.capabilities = options.capabilities ?? POSIX;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.syncTurns = options.syncTurns ?? 0;
    this.losesPower = options.losesPower ?? true;
  }

  open(path: string, options: OpenOptions): VfsFile {
    const { directory, name } = this.place(path, 'open');
    let node = directory.entries.get(name);
    if (node === undefined) {
      if (options.mode === 'read' || options.mode === 'write') throw errno('open', path, 'ENOENT');
      node = new MemoryFileNode(this.losesPower);
      this.changeName(node, undefined, { directory, name });
    } else {
      if (node.kind === 'directory') throw errno('open', path, 'EISDIR');
      if (options.mode === 'create-new') throw errno('open', path, 'EEXIST');
    }
    this.done('open', path);
    return new MemoryFile(this, path, node, options.mode !== 'read');
  }

  async lock(directory: string, holder: LockHolder): Promise<DirectoryLock> {
    const path = this.segments(directory).join('/');
    this.directory(directory, 'lock');
    const held = this.locks.get(path);
    if (held !== undefined) throw inUse(directory, held);
    this.locks.set(path, holder);
    this.done('lock', directory);
    return new MemoryLock(this.locks, path, directory);
  }

  list(directory: string): string[] {
    const names = [...this.directory(directory, 'list').entries.keys()].sort();
    this.done('list', directory);
    return names;
  }

  exists(path: string): boolean {
    this.done('exists', path);
    return this.find(path) !== undefined;
  }

  makeDir(path: string): void {
    let directory = this.root;
    for (const name of this.segments(path)) {
      let node = directory.entries.get(name);
      if (node === undefined) {
        node = new MemoryDirectoryNode();
        this.changeName(node, undefined, { directory, name });
      }
      if (node.kind === 'file') throw errno('make directory', path, 'ENOTDIR');
      directory = node;
    }
    this.done('makeDir', path);
  }

  rename(from: string, to: string): void {
    const source = this.place(from, 'rename');
    const target = this.place(to, 'rename');
    const node = source.directory.entries.get(source.name);
    if (node === undefined) throw errno('rename', from, 'ENOENT');
    const replaced = target.directory.entries.get(target.name);
    if (replaced !== undefined && replaced !== node) {
      if (replaced.kind === 'directory') throw errno('rename', from, 'ENOTEMPTY');
      if (replaced.openHandles > 0 && !this.capabilities.renameOverOpen) throw errno('rename', from, 'EPERM');
      this.usedBytes -= replaced.size;
    }
    if (replaced !== node) this.changeName(node, source, target);
    this.done('rename', from);
  }

  remove(path: string): void {
    const { directory, name } = this.place(path, 'remove');
    const node = directory.entries.get(name);
    if (node !== undefined) {
      if (node.kind === 'directory') throw errno('remove', path, 'EISDIR');
      this.usedBytes -= node.size;
      this.changeName(node, { directory, name }, undefined);
    }
    this.done('remove', path);
  }

  syncDir(path: string): void {
    const directory = this.directory(path, 'sync directory');
    if (this.capabilities.directorySync) this.names.synced(directory);
    this.done('syncDir', path);
  }

  async syncDirLater(path: string): Promise<void> {
    await turns(this.syncTurns);
    this.syncDir(path);
  }

  /** The disk as a power cut at this moment could leave it, chosen by the seed. Nothing is open or locked in it. */
  crashClone(seed: number): MemoryVfs {
    const random = new Random(seed);
    const mode = random.pick(CRASH_MODES);
    const moment = random.below(this.operations + 1);
    const survivors = this.names.survivors(random, mode, moment);
    const clone = this.emptyClone();
    clone.root = crashTree(this.root, survivors, (file) => file.crashClone(random, mode, moment));
    clone.usedBytes = sizeOf(clone.root);
    return clone;
  }

  /**
   * The disk as `kill -9` of the process leaves it: all that was written, synced or not, and nothing open or locked. What
   * was not durable is not durable in it either.
   */
  killClone(): MemoryVfs {
    const clone = this.emptyClone();
    const { root, names } = copyTree(this.root, this.names);
    clone.root = root;
    clone.names = names;
    clone.usedBytes = sizeOf(root);
    clone.operations = this.operations;
    return clone;
  }

  /** A file's whole content as reads see it. */
  readFile(path: string): Uint8Array {
    const node = this.find(path);
    if (node?.kind !== 'file') throw errno('open', path, 'ENOENT');
    const bytes = new Uint8Array(node.size);
    node.read(0, bytes);
    return bytes;
  }

  /** Puts bytes at an offset of a file behind everybody's back and durably: a flipped bit, a misdirected write. */
  corrupt(path: string, offset: number, bytes: Uint8Array): void {
    const node = this.find(path);
    if (node?.kind !== 'file') throw errno('open', path, 'ENOENT');
    node.overwrite(offset, bytes);
  }

  /** For the file handles: whether the path leads to this file. */
  leadsTo(path: string, node: MemoryFileNode): boolean {
    return this.find(path) === node;
  }

  /** For the file handles: counts the operation and calls the hook. */
  done(operation: VfsOperation, path: string, offset?: number, bytes?: number): void {
    this.operations++;
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1);
    if (this.onOperation === undefined) return;
    this.onOperation({
      operation,
      path,
      ...(offset === undefined ? {} : { offset }),
      ...(bytes === undefined ? {} : { bytes }),
    });
  }

  /** For the file handles: takes room for a file that grows or gives it back; 53100 when the disk is full. */
  grow(path: string, bytes: number): void {
    if (bytes > 0 && this.usedBytes + bytes > this.capacityBytes) throw errno('write', path, 'ENOSPC');
    this.usedBytes += bytes;
  }

  private emptyClone(): MemoryVfs {
    const clone = new MemoryVfs({
      capabilities: this.capabilities,
      capacityBytes: this.capacityBytes,
      syncTurns: this.syncTurns,
      losesPower: this.losesPower,
    });
    clone.paths = this.paths;
    return clone;
  }

  private changeName(
    node: MemoryNode,
    from: { directory: MemoryDirectoryNode; name: string } | undefined,
    to: { directory: MemoryDirectoryNode; name: string } | undefined,
  ): void {
    this.names.change(this.operations, node, from, to);
    if (!this.capabilities.directorySync || !this.losesPower) this.names.allSynced();
  }

  private segments(path: string): string[] {
    const known = this.paths.get(path);
    if (known !== undefined) return known;
    const segments: string[] = [];
    for (const segment of path.split('/')) {
      if (segment === '..') segments.pop();
      else if (segment !== '' && segment !== '.') segments.push(segment);
    }
    if (this.paths.size >= PATHS_KNOWN_MAX) this.paths.clear();
    this.paths.set(path, segments);
    return segments;
  }

  private find(path: string): MemoryNode | undefined {
    const segments = this.segments(path);
    return this.findSegments(segments, segments.length);
  }

  private findSegments(segments: readonly string[], count: number): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.root;
    for (let i = 0; i < count; i++) {
      if (node?.kind !== 'directory') return undefined;
      node = node.entries.get(segments[i] as string);
    }
    return node;
  }

  private directory(path: string, operation: string): MemoryDirectoryNode {
    const node = this.find(path);
    if (node === undefined) throw errno(operation, path, 'ENOENT');
    if (node.kind === 'file') throw errno(operation, path, 'ENOTDIR');
    return node;
  }

  private place(path: string, operation: string): { directory: MemoryDirectoryNode; name: string } {
    const segments = this.segments(path);
    const name = segments.at(-1);
    if (name === undefined) throw errno(operation, path, 'EISDIR');
    const node = this.findSegments(segments, segments.length - 1);
    if (node === undefined) throw errno(operation, path, 'ENOENT');
    if (node.kind === 'file') throw errno(operation, path, 'ENOTDIR');
    return { directory: node, name };
  }
}

class MemoryLock implements DirectoryLock {
  readonly directory: string;
  private readonly locks: Map<string, LockHolder>;
  private readonly path: string;
  private held = true;

  constructor(locks: Map<string, LockHolder>, path: string, directory: string) {
    this.locks = locks;
    this.path = path;
    this.directory = directory;
  }

  describe(holder: LockHolder): void {
    if (this.held) this.locks.set(this.path, holder);
  }

  async release(): Promise<void> {
    if (this.held) this.locks.delete(this.path);
    this.held = false;
  }
}

/** A handle. FaultyVfs looks for `loseUnsynced`, to say that a sync failed. */
class MemoryFile implements VfsFile {
  readonly path: string;
  private readonly disk: MemoryVfs;
  private readonly node: MemoryFileNode;
  private readonly writable: boolean;
  private closed = false;

  constructor(disk: MemoryVfs, path: string, node: MemoryFileNode, writable: boolean) {
    this.disk = disk;
    this.path = path;
    this.node = node;
    this.writable = writable;
    node.openHandles++;
  }

  readAt(offset: number, into: Uint8Array, bytes = into.length): number {
    this.checkOpen();
    const count = this.node.read(offset, bytes === into.length ? into : into.subarray(0, bytes));
    this.disk.done('read', this.path, offset, count);
    return count;
  }

  prefetch(): void {
    // Memory is never cold.
  }

  writeAt(offset: number, from: Uint8Array): void {
    this.checkWritable('write');
    const growth = offset + from.length - this.node.size;
    if (from.length > 0 && growth > 0) this.disk.grow(this.path, growth);
    this.node.write(offset, from, this.disk.operations);
    this.disk.done('write', this.path, offset, from.length);
  }

  async fill(offset: number, bytes: number): Promise<void> {
    this.writeAt(offset, new Uint8Array(bytes));
    await turns(this.disk.syncTurns);
  }

  size(): number {
    this.checkOpen();
    this.disk.done('size', this.path);
    return this.node.size;
  }

  isInPlace(): boolean {
    this.checkOpen();
    return this.disk.leadsTo(this.path, this.node);
  }

  truncate(bytes: number): void {
    this.checkWritable('truncate');
    this.disk.grow(this.path, bytes - this.node.size);
    this.node.resize(bytes, this.disk.operations);
    this.disk.done('truncate', this.path, bytes);
  }

  async sync(): Promise<void> {
    this.checkOpen();
    const mark = this.node.mark();
    await turns(this.disk.syncTurns);
    this.node.synced(mark);
    this.disk.done('sync', this.path);
  }

  syncNow(): void {
    this.checkOpen();
    this.node.synced(this.node.mark());
    this.disk.done('sync', this.path);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.node.openHandles--;
    this.disk.done('close', this.path);
  }

  discard(path: string): void {
    this.close();
    this.disk.remove(path);
  }

  /** What a failed sync does to the disk: the unsynced content reads on, is never written again, and a crash takes it. */
  loseUnsynced(): void {
    this.node.syncFailed(this.disk.operations);
  }

  private checkOpen(): void {
    if (this.closed) throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `file "${this.path}" is closed`);
  }

  private checkWritable(operation: string): void {
    this.checkOpen();
    if (!this.writable) throw errno(operation, this.path, 'EBADF');
  }
}

/** How long the sync thread takes. */
async function turns(count: number): Promise<void> {
  if (count === 0) await undefined;
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

function sizeOf(directory: MemoryDirectoryNode): number {
  let bytes = 0;
  for (const node of directory.entries.values()) bytes += node.kind === 'file' ? node.size : sizeOf(node);
  return bytes;
}

function inUse(directory: string, holder: LockHolder): PhantomError {
  return new PhantomError(SqlState.ObjectInUse, `directory "${directory}" is in use`, {
    detail: `It is held by process ${holder.pid} (${holder.description}).`,
    data: { holder },
  });
}

const ERRNO_TEXT = {
  ENOENT: 'no such file or directory',
  EEXIST: 'file already exists',
  EISDIR: 'illegal operation on a directory',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
  EBADF: 'bad file descriptor',
  ENOSPC: 'no space left on device',
} as const;

function errno(operation: string, path: string, code: keyof typeof ERRNO_TEXT): PhantomError {
  return ioError(operation, path, Object.assign(new Error(`${code}: ${ERRNO_TEXT[code]}`), { code }));
}
