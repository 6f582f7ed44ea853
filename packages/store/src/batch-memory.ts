/**
 * Memory for batches that are filled one after the other: what a committed batch had, the next one gets. Each would otherwise
 * have bytes of its own, and V8 walks the whole heap of the process again for so many bytes outside of it that come and go.
 */

/** Buffers kept: who fills batches mostly has one under way, or a few. */
const SPARE_MAX = 4;
/** Room for writes that a batch begins with when there is nothing to hand on. */
const BEGIN_BYTES_MIN = 256;
/** Nothing larger is kept, nor made before it is needed. */
const KEPT_BYTES_MAX = 1024 * 1024;

export class BatchMemory {
  private readonly spare: Uint8Array[] = [];
  private beginBytes = BEGIN_BYTES_MIN;

  /** For a new batch: memory, or how many bytes of it to begin with, which is somewhat more than the last one needed. */
  take(): number | Uint8Array {
    return this.spare.pop() ?? this.beginBytes;
  }

  /** The memory of a batch that is committed, and nobody's now; `bytes` of it were in use. */
  giveBack(memory: Uint8Array, bytes: number): void {
    this.beginBytes = Math.min(Math.ceil(bytes * 1.25) + BEGIN_BYTES_MIN, KEPT_BYTES_MAX);
    if (memory.length <= KEPT_BYTES_MAX && this.spare.length < SPARE_MAX) this.spare.push(memory);
  }
}
