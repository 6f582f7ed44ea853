/** Scratch files in memory, with counts of what was written and what is still open. */
import type { Scratch, ScratchFile } from '@phantom/base';

export class MemoryScratch implements Scratch {
  bytesInUse = 0;
  /** Files made, by purpose. */
  readonly made: string[] = [];
  open = 0;

  create(purpose: string): ScratchFile {
    this.made.push(purpose);
    this.open++;
    return new MemoryScratchFile(this);
  }
}

class MemoryScratchFile implements ScratchFile {
  bytes = 0;
  private content = new Uint8Array(1024);
  private readonly owner: MemoryScratch;
  private isClosed = false;

  constructor(owner: MemoryScratch) {
    this.owner = owner;
  }

  append(bytes: Uint8Array, start: number, end: number): number {
    const at = this.bytes;
    this.bytes += end - start;
    if (this.bytes > this.content.length) {
      const grown = new Uint8Array(this.bytes * 2);
      grown.set(this.content.subarray(0, at));
      this.content = grown;
    }
    this.content.set(bytes.subarray(start, end), at);
    this.owner.bytesInUse += end - start;
    return at;
  }

  readAt(offset: number, into: Uint8Array): number {
    const found = this.content.subarray(offset, Math.min(offset + into.length, this.bytes));
    into.set(found);
    return found.length;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.owner.open--;
    this.owner.bytesInUse -= this.bytes;
  }
}
