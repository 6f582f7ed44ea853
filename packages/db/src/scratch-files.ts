/**
 * Scratch files of queries, in the folder `scratch` of the database's directory. They are never synced, and a process that
 * ends without having removed them leaves them to the next one, which does so before it opens anything.
 */
import { PhantomError, type Scratch, type ScratchFile } from '@phantom/base';
import type { Vfs, VfsFile } from '@phantom/vfs';

/** Where the database's own thread has them; others have a folder each. */
export const SCRATCH_FOLDER = 'scratch';

export class ScratchFiles implements Scratch {
  bytesInUse = 0;
  private readonly vfs: Vfs;
  private readonly folder: string;
  private readonly bytesMax: number;
  private made = 0;

  /** `bytesMax` bounds all open files together. Removes what another process has left behind in the folder. */
  constructor(vfs: Vfs, directory: string, bytesMax: number, folder = SCRATCH_FOLDER) {
    this.vfs = vfs;
    this.folder = `${directory}/${folder}`;
    this.bytesMax = bytesMax;
    if (!vfs.exists(this.folder)) return;
    for (const name of vfs.list(this.folder)) vfs.remove(`${this.folder}/${name}`);
  }

  create(purpose: string): ScratchFile {
    if (this.made === 0) this.vfs.makeDir(this.folder);
    const file = this.vfs.open(`${this.folder}/${purpose}-${++this.made}`, { mode: 'create-new' });
    return new OpenScratchFile(this, this.vfs, file);
  }

  /** Counts bytes; 53100 past the limit. */
  take(bytes: number): void {
    if (this.bytesInUse + bytes > this.bytesMax) {
      throw new PhantomError('53100', `queries would need more than ${this.bytesMax} bytes of scratch files`, {
        hint: 'Raise scratchBytesMax or memoryLimitBytes, or make the queries keep fewer rows.',
        data: { scratchBytesMax: this.bytesMax, bytesInUse: this.bytesInUse },
      });
    }
    this.bytesInUse += bytes;
  }

  give(bytes: number): void {
    this.bytesInUse -= bytes;
  }
}

class OpenScratchFile implements ScratchFile {
  bytes = 0;
  private readonly owner: ScratchFiles;
  private readonly vfs: Vfs;
  private readonly file: VfsFile;
  private isClosed = false;

  constructor(owner: ScratchFiles, vfs: Vfs, file: VfsFile) {
    this.owner = owner;
    this.vfs = vfs;
    this.file = file;
  }

  append(bytes: Uint8Array, start: number, end: number): number {
    const at = this.bytes;
    this.owner.take(end - start);
    this.bytes += end - start;
    this.file.writeAt(at, bytes.subarray(start, end));
    return at;
  }

  readAt(offset: number, into: Uint8Array): number {
    return this.file.readAt(offset, into);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.owner.give(this.bytes);
    this.file.close();
    this.vfs.remove(this.file.path);
  }
}
