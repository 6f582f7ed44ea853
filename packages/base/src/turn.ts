/**
 * Turns of the event loop. What is awaited is often ready at once: a cached row, a commit that waits for no sync. A loop of
 * such awaits goes from microtask to microtask, and timers, sockets, syncs and checkpoints wait until it ends. So whoever
 * answers such a call asks `isOverdue` first and waits for the next turn once the present one has lasted long enough.
 *
 * Asking costs a look at the clock, and the first one in a turn a setImmediate, by which the end of the turn is noticed.
 *
 * Long work, such as a query over a whole table, runs in slices and gives way after each. One turn between two slices would be
 * worth little to the others: each client of a server gets one answer in a turn, so that eight of them would have eight answers
 * for each slice, however many they ask for. So others have turns until one of them has nothing to do, or they have had
 * OTHERS_SHARE times as long as the slice took.
 *
 *   slice | turn turn turn turn | slice | turn | slice | turn | slice       (others are busy, then rest)
 */

/** How long a turn may last before answers wait for the next one. */
const TURN_MS_MAX = 4;
/** How long work that can stop in between goes on before it gives way. A turn costs some microseconds. */
export const SLICE_MS = 2;
/** Time that others have between two slices, if they need it: long work keeps at least a fifth of a busy thread. */
const OTHERS_SHARE = 4;
/** A turn shorter than this answered nobody: an empty one takes 1 to 5 us. */
const QUIET_TURN_MS = 0.02;

class EventLoop {
  private beganMs = 0;
  private isWatched = false;
  private next: Promise<void> | undefined = undefined;
  /** Time that slices of long work have taken so far. */
  private slicedMs = 0;
  private readonly end = (): void => {
    this.isWatched = false;
  };

  /** True when the present turn has lasted longer than it should, counted from when somebody first asked in it. */
  isOverdue(): boolean {
    const nowMs = performance.now();
    if (this.isWatched) return nowMs - this.beganMs >= TURN_MS_MAX;
    this.isWatched = true;
    this.beganMs = nowMs;
    setImmediate(this.end);
    return false;
  }

  /** Resolves when others have had their share of the thread, after a slice of long work that took `sliceMs`. */
  async giveWay(sliceMs: number): Promise<void> {
    this.slicedMs += sliceMs;
    let othersMs = 0;
    for (let beganMs = performance.now(); othersMs < OTHERS_SHARE * sliceMs;) {
      const slicedBeforeMs = this.slicedMs;
      await this.nextTurn();
      const nowMs = performance.now();
      // Slices of other long work are none of those that it makes room for.
      const turnMs = nowMs - beganMs - (this.slicedMs - slicedBeforeMs);
      if (turnMs < QUIET_TURN_MS) return;
      othersMs += turnMs;
      beganMs = nowMs;
    }
  }

  /**
   * Resolves in the next turn: timers and sockets have had theirs by then. For all who ask in one turn at once: microtasks are run
   * after each setImmediate, so callers who had one each would never again be found side by side, sharing a write or a sync.
   */
  nextTurn(): Promise<void> {
    this.next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.next = undefined;
        resolve();
      });
    });
    return this.next;
  }
}

/** The thread has one. */
export const eventLoop = new EventLoop();
