/**
 * Bytes of a file of the memory disk, in chunks that copies share until one of them writes. A copy costs one pointer per
 * 4 KiB, so a crash sweep can clone a disk of several MB thousands of times; zeros cost nothing until they are overwritten.
 */

/** Bytes of a chunk; also the unit that a write after a copy has to copy. */
const CHUNK_BYTES = 4096;
const ZEROS = new Uint8Array(CHUNK_BYTES);

/** True when every byte of [start, end) is zero. Compares natively, so bytes that are not zero are found at once. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += CHUNK_BYTES) {
    const count = Math.min(CHUNK_BYTES, end - at);
    if (Buffer.compare(bytes.subarray(at, at + count), ZEROS.subarray(0, count)) !== 0) return false;
  }
  return true;
}

export class ChunkedBytes {
  /** Bytes behind the size read as zeros and are zeros. */
  size = 0;
  private chunks: Uint8Array[] = [];
  /** Whether the chunk of that index belongs to this object alone. */
  private owned: boolean[] = [];

  /** A copy that shares every chunk. */
  clone(): ChunkedBytes {
    const copy = new ChunkedBytes();
    copy.size = this.size;
    copy.chunks = this.chunks.slice();
    copy.owned = copy.chunks.map(() => false);
    this.owned.fill(false);
    return copy;
  }

  /** Fills `into` as far as the size goes; returns the count. */
  read(offset: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.size - offset));
    let at = 0;
    while (at < count) {
      const position = offset + at;
      const inChunk = position % CHUNK_BYTES;
      const bytes = Math.min(CHUNK_BYTES - inChunk, count - at);
      const chunk = this.chunks[(position - inChunk) / CHUNK_BYTES] ?? ZEROS;
      into.set(chunk.subarray(inChunk, inChunk + bytes), at);
      at += bytes;
    }
    return count;
  }

  /** Writes [start, end) of `from`, or that many zeros when it is undefined, at `offset`; extends the size. */
  write(offset: number, from: Uint8Array | undefined, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const position = offset + at - start;
      const inChunk = position % CHUNK_BYTES;
      const bytes = Math.min(CHUNK_BYTES - inChunk, end - at);
      const index = (position - inChunk) / CHUNK_BYTES;
      if (from !== undefined) this.ownedChunk(index).set(from.subarray(at, at + bytes), inChunk);
      else if (bytes === CHUNK_BYTES) this.putZeros(index);
      else if ((this.chunks[index] ?? ZEROS) !== ZEROS) this.ownedChunk(index).fill(0, inChunk, inChunk + bytes);
      at += bytes;
    }
    if (offset + end - start > this.size) this.size = offset + end - start;
  }

  /** Cuts or extends with zeros. */
  resize(size: number): void {
    if (size < this.size) {
      const keep = Math.ceil(size / CHUNK_BYTES);
      this.chunks.length = Math.min(this.chunks.length, keep);
      this.owned.length = this.chunks.length;
      const inChunk = size % CHUNK_BYTES;
      if (inChunk > 0 && this.chunks.length === keep && this.chunks[keep - 1] !== ZEROS) {
        this.ownedChunk(keep - 1).fill(0, inChunk);
      }
    }
    this.size = size;
  }

  private ownedChunk(index: number): Uint8Array {
    this.fillTo(index);
    let chunk = this.chunks[index] as Uint8Array;
    if (this.owned[index] !== true) {
      chunk = chunk.slice();
      this.chunks[index] = chunk;
      this.owned[index] = true;
    }
    return chunk;
  }

  private putZeros(index: number): void {
    this.fillTo(index);
    this.chunks[index] = ZEROS;
    this.owned[index] = false;
  }

  private fillTo(index: number): void {
    while (this.chunks.length <= index) {
      this.chunks.push(ZEROS);
      this.owned.push(false);
    }
  }
}
