/**
 * Slows writers before they would stall (the idea of RocksDB's write controller, and what Balmau et al., "SILK", ATC 2019,
 * ask of it: a little latency for everybody instead of a long one for somebody).
 *
 * Compactions that lag behind press, and memory that fills while a flush is under way: who waits for that flush to end
 * waits for all of it.
 *
 * With pressure p (0 none, 1 as much as may be) writers together are let in at rateMax * (rateMin / rateMax)^p bytes a
 * millisecond. Each batch books its time on one clock; whoever is booked more than a little ahead waits for it. So many
 * small batches are held up now and then, by a millisecond or two, and a large one for as long as it is large.
 */

/** Bytes per millisecond: about what one thread merges when it has nothing else to do. */
const RATE_MAX = 64 * 1024;
/** Even at full pressure a small commit waits for no longer than a sync takes. */
const RATE_MIN = 1024;
/** Waits shorter than this are not worth a timer; they are booked and come due later. */
const DELAY_MS_MIN = 1;
/** Nobody waits longer for pace alone. */
const DELAY_MS_MAX = 50;

/** Of the memory for deltas: from here on writers are slowed, so that the flush under way ends before there is no room. */
const FULLNESS_SLOW = 0.75;

/** The pressure of memory that is so full, 0 to 1. */
export function memoryPressure(fullness: number): number {
  return Math.min(1, Math.max(0, (fullness - FULLNESS_SLOW) / (1 - FULLNESS_SLOW)));
}

export class Pacer {
  /** Until when time is booked. */
  private bookedMs = 0;
  /** Milliseconds that writers were told to wait, in all. */
  delayedMs = 0;

  /** Books a batch and returns for how many milliseconds its writer should wait; 0 nearly always. */
  book(bytes: number, pressure: number, nowMs: number): number {
    if (pressure <= 0) return 0;
    const rate = RATE_MAX * (RATE_MIN / RATE_MAX) ** pressure;
    this.bookedMs = Math.max(this.bookedMs, nowMs) + bytes / rate;
    const delayMs = this.bookedMs - nowMs;
    if (delayMs < DELAY_MS_MIN) return 0;
    if (delayMs > DELAY_MS_MAX) {
      this.bookedMs = nowMs + DELAY_MS_MAX;
      this.delayedMs += DELAY_MS_MAX;
      return DELAY_MS_MAX;
    }
    this.delayedMs += delayMs;
    return delayMs;
  }
}
