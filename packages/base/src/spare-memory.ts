/**
 * Large memory that one writer has done with and the next one grows into. Were it made anew each time, the system would clear
 * every page of it again, and V8 walks the whole heap for every 64 MB outside of it that have come and gone. Nothing is held
 * back: what nobody has taken when V8 next walks the heap is freed by that.
 */

/** Less is made anew: it costs little then, and what is spare is for those who need much. */
const SPARE_BYTES_MIN = 128 * 1024;

export class SpareMemory {
  private spare: WeakRef<Uint8Array> | undefined;

  /** Memory of so many bytes or more, the caller's from now on, with anything in it; undefined when there is none. */
  take(bytes: number): Uint8Array | undefined {
    if (bytes < SPARE_BYTES_MIN) return undefined;
    const memory = this.spare?.deref();
    if (memory === undefined || memory.length < bytes) return undefined;
    this.spare = undefined;
    return memory;
  }

  /** Takes over what nobody reads or writes any more. The larger one stays of two. */
  giveBack(memory: Uint8Array): void {
    if (memory.length < SPARE_BYTES_MIN || memory.length <= (this.spare?.deref()?.length ?? 0)) return;
    this.spare = new WeakRef(memory);
  }
}
