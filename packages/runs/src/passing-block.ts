/**
 * A block that one lookup looks into and nobody keeps: it lies where it was read or decompressed, and no table of its keys is
 * made (block.ts), which costs more than one search saves. The restart points themselves are searched.
 */
import { compareBytes, corruptionError, readU32 } from '@phantom/base';
import { EntryHeader } from './entry-header.js';
import { type FoundVersion, type Payload, findBetween } from './block.js';

const NO_BYTES = new Uint8Array(0);
/** Restart points and entries, counted. */
const END_BYTES = 8;
const header = new EntryHeader();

/** Reused; what it has is borrowed until the next block is read. */
export class PassingBlock implements Payload {
  /** Begins with the payload. */
  payload: Uint8Array = NO_BYTES;
  private path = '';
  private offset = 0;
  private restartCount = 0;
  /** Where the entries end and the restart points begin. */
  private entriesEnd = 0;

  /** Becomes the block whose payload lies at the head of these bytes. Throws a corruption error when that is none. */
  read(payload: Uint8Array, bytes: number, path: string, offset: number): void {
    this.payload = payload;
    this.path = path;
    this.offset = offset;
    this.restartCount = bytes < END_BYTES ? 0 : readU32(payload, bytes - END_BYTES);
    this.entriesEnd = bytes - END_BYTES - this.restartCount * 4;
    if (this.restartCount === 0 || this.entriesEnd <= 0) {
      throw corruptionError('a block has a malformed end', { file: path, offset });
    }
  }

  /** As findVersion (block.ts). */
  find(key: Uint8Array, start: number, end: number, seqMax: number, found: FoundVersion): boolean {
    let low = 0;
    let high = this.restartCount;
    // The last interval that begins with a key <= the given one is in [low, high), or the first one is.
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.beginsAtMost(middle, key, start, end)) low = middle;
      else high = middle;
    }
    const limit = low + 1 < this.restartCount ? this.restart(low + 1) : this.entriesEnd;
    return findBetween(this, this.restart(low), limit, key, start, end, seqMax, found);
  }

  malformed(at: number): Error {
    return corruptionError('an entry of a block is malformed', { file: this.path, offset: this.offset + at });
  }

  private beginsAtMost(index: number, key: Uint8Array, start: number, end: number): boolean {
    const { payload, entriesEnd } = this;
    const at = header.read(payload, this.restart(index), entriesEnd);
    // At a restart point a key shares nothing with the one before.
    if (header.shared !== 0 || !(header.end(at) <= entriesEnd)) throw this.malformed(at);
    return compareBytes(payload, at, at + header.suffixBytes, key, start, end) <= 0;
  }

  private restart(index: number): number {
    const at = readU32(this.payload, this.entriesEnd + index * 4);
    if (at >= this.entriesEnd) throw this.malformed(at);
    return at;
  }
}
