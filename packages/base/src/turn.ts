/**
 * Turns of the event loop. What is awaited is often ready at once: a cached row, a commit that waits for no sync. A loop of
 * such awaits goes from microtask to microtask, and timers, sockets, syncs and checkpoints wait until it ends. So whoever
 * answers such a call asks `isOverdue` first and waits for the next turn once the present one has lasted long enough.
 *
 * Asking costs a look at the clock, and the first one in a turn a setImmediate, by which the end of the turn is noticed.
 */

/** How long a turn may last before answers wait for the next one. */
const TURN_MS_MAX = 4;

class EventLoop {
  private beganMs = 0;
  private isWatched = false;
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

  /** Resolves in the next turn: timers and sockets have had theirs by then. */
  nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** The thread has one. */
export const eventLoop = new EventLoop();
