/**
 * A disk that is only read, with bits put right on the way: whoever knows by a checksum what some bytes should be asks for them to be
 * mended, and from then on every reader of the file sees them as they were. Nothing is written. So readers that know nothing of damage
 * read a damaged file, where one bit of a piece has rotted, which is the commonest damage there is.
 */
import { PhantomError, SqlState, turnOneBit } from '@phantom/base';
import type { DirectoryLock, LockHolder, OpenOptions, Vfs, VfsFile } from './vfs.js';

/** Longer pieces are not tried: each try costs a checksum over the piece, and there are eight for each byte. */
const PIECE_BYTES_MAX = 32 * 1024;
/** So many pieces that cannot be mended are tried, at a quarter of a second each; then it is not rot of single bits. */
const FAILURES_MAX = 64;

interface Patch {
  readonly offset: number;
  readonly mask: number;
}

export class MendedVfs implements Vfs {
  readonly capabilities: Vfs['capabilities'];
  private readonly vfs: Vfs;
  private readonly patches = new Map<string, Patch[]>();
  private failures = 0;

  constructor(vfs: Vfs) {
    this.vfs = vfs;
    this.capabilities = vfs.capabilities;
  }

  /**
   * Looks for the one bit of [offset, offset + bytes) with which `isWhole` is true of the piece, and has it so from now on. Returns
   * the offset of its byte in the file; undefined when no bit does it, or the piece is too long to try.
   */
  mend(path: string, offset: number, bytes: number, isWhole: (piece: Uint8Array) => boolean): number | undefined {
    if (bytes > PIECE_BYTES_MAX || this.failures >= FAILURES_MAX) return undefined;
    const piece = new Uint8Array(bytes);
    const file = this.open(path, { mode: 'read' });
    try {
      if (file.readAt(offset, piece) < bytes) return undefined;
    } finally {
      file.close();
    }
    const turned = turnOneBit(piece, 0, bytes, () => isWhole(piece));
    if (turned === undefined) {
      this.failures++;
      return undefined;
    }
    const patch = { offset: offset + turned.at, mask: turned.mask };
    const patches = this.patches.get(path);
    if (patches === undefined) this.patches.set(path, [patch]);
    else patches.push(patch);
    return patch.offset;
  }

  open(path: string, options: OpenOptions): VfsFile {
    if (options.mode !== 'read') throw readOnlyError(path);
    return new MendedFile(this.vfs.open(path, options), () => this.patches.get(path));
  }

  lock(directory: string, holder: LockHolder): Promise<DirectoryLock> {
    return this.vfs.lock(directory, holder);
  }

  list(directory: string): string[] {
    return this.vfs.list(directory);
  }

  exists(path: string): boolean {
    return this.vfs.exists(path);
  }

  makeDir(path: string): void {
    throw readOnlyError(path);
  }

  rename(from: string): void {
    throw readOnlyError(from);
  }

  remove(path: string): void {
    throw readOnlyError(path);
  }

  syncDir(path: string): void {
    throw readOnlyError(path);
  }

  syncDirLater(path: string): Promise<void> {
    return Promise.reject(readOnlyError(path));
  }
}

class MendedFile implements VfsFile {
  readonly path: string;
  private readonly file: VfsFile;
  private readonly patches: () => readonly Patch[] | undefined;

  constructor(file: VfsFile, patches: () => readonly Patch[] | undefined) {
    this.file = file;
    this.path = file.path;
    this.patches = patches;
  }

  readAt(offset: number, into: Uint8Array, bytes = into.length): number {
    const count = this.file.readAt(offset, into, bytes);
    for (const patch of this.patches() ?? []) {
      const at = patch.offset - offset;
      if (at >= 0 && at < count) into[at] = (into[at] as number) ^ patch.mask;
    }
    return count;
  }

  prefetch(offset: number, bytes: number): void {
    this.file.prefetch(offset, bytes);
  }

  size(): number {
    return this.file.size();
  }

  isInPlace(): boolean {
    return this.file.isInPlace();
  }

  close(): void {
    this.file.close();
  }

  writeAt(): void {
    throw readOnlyError(this.path);
  }

  truncate(): void {
    throw readOnlyError(this.path);
  }

  fill(): Promise<void> {
    return Promise.reject(readOnlyError(this.path));
  }

  sync(): Promise<void> {
    return Promise.reject(readOnlyError(this.path));
  }

  syncNow(): void {
    throw readOnlyError(this.path);
  }

  discard(): void {
    throw readOnlyError(this.path);
  }
}

function readOnlyError(path: string): PhantomError {
  return new PhantomError(SqlState.ReadOnlyTransaction, `"${path}" is only read`);
}
