/**
 * Keeps the event loop turning for a moment after an answer, so that the next request finds a thread that is awake. To sleep in
 * the kernel and be woken costs more than most requests do (on a virtual machine without work the processor itself is given back),
 * and a client that waits for each answer before it asks again makes the thread sleep once a request.
 *
 *   messages handled -> rests -> looks at sockets, again and again, for up to the window -> handles the next | gives up
 *
 * The idea is that of Linux's busy polling of sockets and of its haltpoll governor: wait awake where waits have been short, and stop
 * where they were not. What is learned here is how many short waits in a row are wanted before one is spent awake: each that was
 * spent in vain doubles the number, each that was worth it halves it.
 *
 * Invariants:
 *   1. Between two waits awake in vain lie at least STREAK_MIN waits of at most twice the window, so the cost in vain is at most
 *      an eighth of the window a message, and tends to a thousandth where clients are always a little too slow. Clients that ask
 *      less often than every two windows cost nothing.
 *   2. A processor is left for others: none is taken while as many connections work as there are others besides this thread's, since
 *      each may have a thread at work (a sync, a long read). With one processor nothing is ever polled.
 *   3. A turn that took long was somebody else's: the machine has other work, and waiting awake has to be earned again.
 */
import { performance } from 'node:perf_hooks';
import type { Metrics } from '@phantom/base';

/** Short waits in a row before one is spent awake. */
const STREAK_MIN = 8;
const STREAK_MAX = 1024;
/** The same after a wait in which somebody else had the processor, at the least. */
const STREAK_SHARED = 128;
/** A turn of a loop without work takes a hundredth of this; whoever finds it longer did not have the processor. */
const TURN_MS_MAX = 0.5;

/** Where time and turns of the event loop come from. */
export interface LoopTurns {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls after the sockets have been looked at, without sleeping. */
  next(turned: () => void): void;
}

export interface LoopPollOptions {
  /** Longest wait awake; 0: none. */
  readonly pollMicros: number;
  /** Threads that can run at once on this machine. */
  readonly processors: number;
  readonly metrics: Metrics;
  readonly turns?: LoopTurns;
}

const eventLoop: LoopTurns = {
  now: () => performance.now(),
  next: (turned) => void setImmediate(turned),
};

export class LoopPoll {
  private readonly windowMs: number;
  private readonly workingMax: number;
  private readonly turns: LoopTurns;
  private readonly waits;
  private readonly hits;
  /** Connections whose messages are being handled. */
  private working = 0;
  /** Since when nobody has begun; undefined when somebody has. */
  private restedMs: number | undefined;
  /** Until when this wait is spent awake; undefined when it is not. */
  private untilMs: number | undefined;
  private turnedMs = 0;
  private isTurning = false;
  private streak = 0;
  private streakWanted = STREAK_MIN;

  constructor({ pollMicros, processors, metrics, turns = eventLoop }: LoopPollOptions) {
    this.windowMs = pollMicros / 1000;
    // One is this thread's, another that of whoever asks.
    this.workingMax = processors - 2;
    this.turns = turns;
    this.waits = metrics.counter('phantom_polls_total', 'Waits for the next message spent awake.');
    this.hits = metrics.counter('phantom_poll_hits_total', 'Waits spent awake in which a message came.');
  }

  /** A connection that rested has a message to handle since `nowMs`, by the clock of `turns`. */
  began(nowMs: number): void {
    this.working++;
    const { restedMs, windowMs } = this;
    if (restedMs === undefined) return;
    this.restedMs = undefined;
    if (this.untilMs !== undefined) {
      this.untilMs = undefined;
      this.hits.value++;
      this.streakWanted = Math.max(this.streakWanted >> 1, STREAK_MIN);
    }
    // Woken from sleep it hears of a message late: what took up to twice the window may have come within it.
    if (nowMs - restedMs <= 2 * windowMs) this.streak++;
    else this.streak = 0;
  }

  /** A connection has handled all messages that it had, at `nowMs`. */
  rested(nowMs: number): void {
    this.working--;
    if (this.windowMs === 0 || this.working > this.workingMax) return;
    this.restedMs = nowMs;
    if (this.streak < this.streakWanted) return;
    this.waits.value++;
    this.turnedMs = nowMs;
    this.untilMs = nowMs + this.windowMs;
    if (this.isTurning) return;
    this.isTurning = true;
    this.turns.next(this.turned);
  }

  private readonly turned = (): void => {
    const { untilMs } = this;
    if (untilMs === undefined) {
      this.isTurning = false;
      return;
    }
    const nowMs = this.turns.now();
    if (nowMs - this.turnedMs > TURN_MS_MAX) this.gaveUp(STREAK_SHARED);
    else if (nowMs >= untilMs) this.gaveUp(0);
    this.turnedMs = nowMs;
    this.turns.next(this.turned);
  };

  private gaveUp(streakLeast: number): void {
    this.untilMs = undefined;
    this.streak = 0;
    this.streakWanted = Math.min(Math.max(this.streakWanted * 2, streakLeast), STREAK_MAX);
  }
}
