/**
 * Who may write now? The bytes of all deltas are bounded; a batch reserves its worst case (`room`) before the log is written,
 * and gives it back when it is applied. Those who do not fit wait in line, and nobody overtakes them.
 *
 * A batch whose worst case lies above the bound waits until memory is empty and may then overrun the bound by what it takes:
 * a batch is atomic, so it cannot be flushed in parts, and its writer holds its bytes already. Who bounds a batch is whoever
 * collects it (`writeSetBytesMax`).
 *
 * While the disk is full nothing is flushed, and what is held cannot get less. Removals then have a reserve above the bound, or a
 * disk that ran full under load, with memory full as well, could not be emptied.
 */

/** The share of the bound that removals may take above it while the disk is full. */
const RESERVE_DIVISOR = 16;

interface Waiter {
  readonly room: number;
  readonly usesReserve: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Admission {
  /** What may be in use and reserved together; it may change from one moment to the next. */
  private readonly bytesMax: () => number;
  /** Bytes of all deltas. */
  private readonly inUse: () => number;
  private readonly waiters: Waiter[] = [];
  private reservedBytes = 0;
  /** What was held when somebody last asked for room, of what may be held: 0 to 1, more only with a batch above the bound. */
  fullness = 0;

  constructor(bytesMax: () => number, inUse: () => number) {
    this.bytesMax = bytesMax;
    this.inUse = inUse;
  }

  /**
   * Reserves room; false when there is none now, or when others wait already and the caller does not overtake them, as one
   * that cannot wait must.
   */
  tryReserve(room: number, overtakes: boolean): boolean {
    if (this.waiters.length > 0 && !overtakes) return false;
    return this.reserve(room);
  }

  /** As tryReserve, for a removal while the disk is full: it waits for nobody, and has the reserve. */
  tryReserveForRemoval(room: number): boolean {
    return this.reserve(room, this.bytesMax() / RESERVE_DIVISOR);
  }

  /** Stands in line; resolves with the room reserved. */
  wait(room: number, usesReserve = false): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ room, usesReserve, resolve, reject });
    });
  }

  /** Gives a reservation back. */
  giveBack(room: number): void {
    this.reservedBytes = Math.max(0, this.reservedBytes - room);
    this.grant();
  }

  /** Lets in who fits now, in order. */
  grant(): void {
    while (this.waiters.length > 0) {
      const first = this.waiters[0] as Waiter;
      if (!this.reserve(first.room)) return;
      this.waiters.shift();
      first.resolve();
    }
  }

  /** Turns everybody away who waits. */
  refuse(error: Error): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
  }

  /** The disk is full: turns away who waits, but for removals that find room in the reserve. */
  refuseWrites(error: Error): void {
    for (const waiter of this.waiters.splice(0)) {
      if (waiter.usesReserve && this.tryReserveForRemoval(waiter.room)) waiter.resolve();
      else waiter.reject(error);
    }
  }

  /** Somebody stands in line. */
  get isAwaited(): boolean {
    return this.waiters.length > 0;
  }

  /** Bytes in use and reserved. */
  get held(): number {
    return this.inUse() + this.reservedBytes;
  }

  private reserve(room: number, above = 0): boolean {
    const { held } = this;
    const most = this.bytesMax();
    this.fullness = held / most;
    if (held > 0 && held + room > most + above) return false;
    this.reservedBytes += room;
    return true;
  }
}
