/**
 * Large memory that one writer has done with and the next one grows into. Were it made anew each time, the system would clear
 * every page of it again, and V8 walks the whole heap for every 64 MB outside of it that have come and gone: its helpers then
 * take the processors from the writer.
 *
 *   given back ──── held for seconds ───── left to V8, which frees it when it next walks the heap ────►
 *                   └──────────── a writer may take it, as long as it is there ────────────┘
 *
 * It is held, since whoever writes much makes garbage enough for such a walk between two writers; and for some seconds only, in
 * which a loader has its next batch ready: a process that has loaded something once gives the memory back.
 */

/** Less is made anew: it costs little then, and what is spare is for those who need much. */
const SPARE_BYTES_MIN = 128 * 1024;
/** How long memory is held that nobody takes. */
const HELD_MS = 5000;

export class SpareMemory {
  private held: Uint8Array | undefined;
  /** What was held for long enough. */
  private left: WeakRef<Uint8Array> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Memory of so many bytes or more, the caller's from now on, with anything in it; undefined when there is none. */
  take(bytes: number): Uint8Array | undefined {
    if (bytes < SPARE_BYTES_MIN) return undefined;
    const { memory } = this;
    if (memory === undefined || memory.length < bytes) return undefined;
    this.held = this.left = undefined;
    return memory;
  }

  /** Takes over what nobody reads or writes any more. The larger one stays of two. */
  giveBack(memory: Uint8Array): void {
    if (memory.length < SPARE_BYTES_MIN || memory.length <= (this.memory?.length ?? 0)) return;
    this.held = memory;
    this.left = undefined;
    if (this.timer === undefined) this.timer = setTimeout(() => this.letGo(), HELD_MS).unref();
    else this.timer.refresh();
  }

  private get memory(): Uint8Array | undefined {
    return this.held ?? this.left?.deref();
  }

  private letGo(): void {
    if (this.held !== undefined) this.left = new WeakRef(this.held);
    this.held = undefined;
    this.timer = undefined;
  }
}
