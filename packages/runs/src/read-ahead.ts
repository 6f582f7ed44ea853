/**
 * Reads a file front to back in pieces that are larger than its blocks. A merge or a scan walks hundreds of thousands of blocks
 * of which each would cost a system call: more than half of what it costs to read one. Takes memory with its first read.
 */
import type { VfsFile } from '@phantom/vfs';

const AHEAD_BYTES = 64 * 1024;

export class ReadAhead {
  private bytes: Uint8Array | undefined = undefined;
  /** What it has of the file: [from, to). */
  private from = 0;
  private to = 0;

  /** As VfsFile.readAt, of a file that does not change; always the same one. */
  readAt(file: VfsFile, offset: number, into: Uint8Array, bytes: number): number {
    if (bytes > AHEAD_BYTES) return file.readAt(offset, into, bytes);
    if (offset < this.from || offset + bytes > this.to) {
      this.bytes ??= new Uint8Array(AHEAD_BYTES);
      this.from = this.to = offset;
      this.to += file.readAt(offset, this.bytes);
    }
    const start = offset - this.from;
    const found = Math.min(bytes, this.to - offset);
    into.set((this.bytes as Uint8Array).subarray(start, start + found));
    return found;
  }
}
