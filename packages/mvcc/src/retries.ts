/**
 * Running a piece of work again that has lost a race. A transaction that locks nothing while people think may lose on a row
 * that everybody writes, and again, and again. So what an attempt has lost on, the next one locks before it takes its snapshot:
 * it waits its turn in a fair queue, sees what the others have left, and nobody can write that row until it commits. Each
 * further loss is on another key, so there are not many, and nobody starves.
 *
 *   attempt 1   snapshot ── work ── commit: lost on k
 *   attempt 2   lock k ── snapshot ── work ── commit
 *
 * Whoever drives the attempts may let all but the first read ahead, since what one is shown is told to nobody before its end: then
 * those who queue for k pass it on when their commits are in the log, and one sync serves many.
 *
 * An attempt is as old as the first one (retryOf), so that deadlocks do not end the same work twice while others have not lost.
 */
import { compareBytes, isPhantomError } from '@phantom/base';
import { lostKeyOf } from './errors.js';
import { LockStrength, type MvccTransaction } from './types.js';

/** Attempts after the first, unless told otherwise. */
export const RETRIES_MAX_DEFAULT = 10;
/** Keys that an attempt locks at its beginning; those lost on first are the likeliest to be lost on again. */
const LOST_KEYS_MAX = 16;

export class Retries {
  /** Id of the first attempt's transaction, for the next one; undefined before the first. */
  retryOf: number | undefined = undefined;
  private readonly retriesMax: number;
  private count = 0;
  /** In order, so that those who lock several do not wait for each other. */
  private readonly keys: Uint8Array[] = [];

  constructor(retriesMax: number = RETRIES_MAX_DEFAULT) {
    this.retriesMax = retriesMax;
  }

  /** True when the work may be run again after this error of an attempt: it lost a race, and not too often. */
  again(error: unknown, transactionId: number): boolean {
    this.retryOf ??= transactionId;
    if (!isPhantomError(error) || !error.retryable || this.count >= this.retriesMax) return false;
    this.count++;
    const key = lostKeyOf(error);
    if (key !== undefined) this.addKey(key);
    return true;
  }

  /**
   * Locks what earlier attempts have lost on. For a transaction that has done nothing yet. Undefined: nothing had to be waited
   * for. Rejects as MvccTransaction.lock does.
   */
  lockLost(transaction: MvccTransaction): Promise<void> | undefined {
    for (let i = 0; i < this.keys.length && !transaction.readOnly; i++) {
      const wait = this.lockKey(transaction, i);
      if (wait !== undefined) return this.lockRest(transaction, i, wait);
    }
    return undefined;
  }

  private async lockRest(transaction: MvccTransaction, index: number, first: Promise<void>): Promise<void> {
    await first;
    for (let i = index + 1; i < this.keys.length; i++) await this.lockKey(transaction, i);
  }

  private lockKey(transaction: MvccTransaction, index: number): Promise<void> | undefined {
    const key = this.keys[index] as Uint8Array;
    const wait = transaction.lock(key, 0, key.length, LockStrength.NoKeyUpdate, 'wait');
    return wait instanceof Promise ? wait : undefined;
  }

  private addKey(key: Uint8Array): void {
    let place = 0;
    for (; place < this.keys.length; place++) {
      const other = this.keys[place] as Uint8Array;
      const order = compareBytes(key, 0, key.length, other, 0, other.length);
      if (order === 0) return;
      if (order < 0) break;
    }
    if (this.keys.length < LOST_KEYS_MAX) this.keys.splice(place, 0, key);
  }
}
