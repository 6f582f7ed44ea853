/**
 * Slows down who guesses a password: once a user has failed more than a few times from one address, logins of that user from there are heard
 * one after the other, so many connections guess no faster than one does. What is slowed down is the asking, not the answer: who gives up
 * waiting has guessed nothing.
 *
 * Counted by user and address together: one program with an old password, or somebody behind the same proxy, does not hold up the others.
 *
 * Left out: a lock-out. Whoever knows a name could shut its owner out.
 */

/** So many failures within FORGOTTEN_AFTER_MS cost nothing. */
export const FREE_FAILURES = 10;
/** From then on a login is heard so long after the one before. */
export const HEARD_EVERY_MS = 250;
/** A user who has not failed for so long has not failed. */
export const FORGOTTEN_AFTER_MS = 60_000;
/** Users by address that are remembered; beyond it those are forgotten whose first failure is the oldest. */
const USERS_MAX = 10_000;

interface Failures {
  count: number;
  lastMs: number;
  /** When the next login may be heard. */
  nextMs: number;
}

export class FailedLogins {
  private readonly byUser = new Map<string, Failures>();

  /** How long a login of the user from the address has to wait, and takes its turn. Times are of one clock that never goes back, in ms. */
  waitMs(user: string, address: string | undefined, nowMs: number): number {
    const failures = this.failuresOf(keyOf(user, address), nowMs);
    if (failures === undefined || failures.count < FREE_FAILURES) return 0;
    const turnMs = Math.max(nowMs, failures.nextMs);
    failures.nextMs = turnMs + HEARD_EVERY_MS;
    return turnMs - nowMs;
  }

  /** The user has failed to prove itself. */
  failed(user: string, address: string | undefined, nowMs: number): void {
    const key = keyOf(user, address);
    const failures = this.failuresOf(key, nowMs);
    if (failures !== undefined) {
      failures.count++;
      failures.lastMs = nowMs;
      return;
    }
    if (this.byUser.size >= USERS_MAX) this.byUser.delete(this.byUser.keys().next().value as string);
    this.byUser.set(key, { count: 1, lastMs: nowMs, nextMs: nowMs });
  }

  /** The user has proved itself: what failed before were mistakes. */
  succeeded(user: string, address: string | undefined): void {
    this.byUser.delete(keyOf(user, address));
  }

  private failuresOf(key: string, nowMs: number): Failures | undefined {
    const failures = this.byUser.get(key);
    if (failures === undefined || nowMs - failures.lastMs <= FORGOTTEN_AFTER_MS) return failures;
    this.byUser.delete(key);
    return undefined;
  }
}

function keyOf(user: string, address: string | undefined): string {
  return `${address ?? ''} ${user}`;
}
