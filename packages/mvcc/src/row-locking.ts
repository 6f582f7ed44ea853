/**
 * Taking a row lock: the lock table says who holds the key, the window whether an optimistic commit that wrote it is on its
 * way. Such a commit counts as a lock until it is published, since whoever has the row then must see what it wrote; who reads
 * ahead sees it now.
 */
import { spaceOfKey } from '@phantom/kv';
import { SYNCHRONOUS_LOCK_HINT, lockedError } from './errors.js';
import { keyHash } from './key-hash.js';
import type { LockOwner } from './lock-owner.js';
import type { TransactionRegistry } from './registry.js';
import { LOCK_SPACE, type LockMode, LockStrength, type LockWait } from './types.js';
import type { UnrecordedHolder } from './unrecorded-locks.js';

/** As MvccTransaction.lock. */
export function lockKey(
  registry: TransactionRegistry,
  owner: LockOwner,
  key: Uint8Array,
  start: number,
  end: number,
  mode: LockMode,
  wait: LockWait,
): Promise<void> | false | undefined {
  const { locks, window, unrecorded } = registry;
  const hash = keyHash(key, start, end);
  unrecorded.grant(owner, hash, key, start, end);
  const head = owner.lockHead;
  if (locks.tryAcquire(owner, hash, mode)) {
    if (spaceOfKey(key, start) === LOCK_SPACE) {
      locks.nameKey(hash, key, start, end);
      return undefined;
    }
    const queuedSeq = owner.readsAhead ? 0 : window.queuedSeqOf(hash, key, start, end);
    if (queuedSeq === 0) return undefined;
    if (wait === 'wait') return window.whenEnded(queuedSeq);
    if (owner.lockHead !== head) locks.release(owner, head);
  } else if (wait === 'wait') {
    return waitInTurn(registry, owner, hash, key.slice(start, end), mode);
  }
  if (wait === 'skip') return false;
  throw lockedError(registry.options.names, key.slice(start, end), mode, undefined);
}

/**
 * As MvccTransaction.claim, past the locks that have records: makes sure that nobody else has the key. What is written to it
 * in the same turn is the lock.
 */
export function claimKey(
  registry: TransactionRegistry,
  owner: UnrecordedHolder,
  key: Uint8Array,
  start: number,
  end: number,
): Promise<void> | undefined {
  const { locks, window, unrecorded } = registry;
  if (!window.hasQueued && !registry.isAnythingLockedBeside(owner)) return undefined;
  const hash = keyHash(key, start, end);
  unrecorded.grant(owner, hash, key, start, end);
  if (locks.isKeptFrom(owner, hash, LockStrength.Update)) {
    return waitInTurn(registry, owner, hash, key.slice(start, end), LockStrength.Update);
  }
  const queuedSeq = owner.readsAhead ? 0 : window.queuedSeqOf(hash, key, start, end);
  return queuedSeq === 0 ? undefined : window.whenEnded(queuedSeq);
}

/** As MvccTransaction.lockNow. */
export function lockKeyNow(
  registry: TransactionRegistry,
  owner: LockOwner,
  key: Uint8Array,
  start: number,
  end: number,
  mode: LockMode,
): void {
  const { locks, window, store, options, unrecorded } = registry;
  const hash = keyHash(key, start, end);
  unrecorded.grant(owner, hash, key, start, end);
  let granted = locks.tryAcquire(owner, hash, mode);
  if (window.hasQueued && (!granted || (!owner.readsAhead && window.queuedSeqOf(hash, key, start, end) !== 0))) {
    // What is queued can be finished on this thread, and its locks are free then.
    store.drainNow();
    granted = granted || locks.tryAcquire(owner, hash, mode);
  }
  if (!granted) throw lockedError(options.names, key.slice(start, end), mode, SYNCHRONOUS_LOCK_HINT);
}

function waitInTurn(
  registry: TransactionRegistry,
  owner: LockOwner,
  hash: number,
  key: Uint8Array,
  mode: LockMode,
): Promise<void> {
  const granted = lockInTurn(registry, owner, hash, key, mode);
  // Who drops the promise (a synchronous caller) does not want to hear of a rejection either; who awaits it does.
  granted.catch(() => undefined);
  return granted;
}

async function lockInTurn(
  registry: TransactionRegistry,
  owner: LockOwner,
  hash: number,
  key: Uint8Array,
  mode: LockMode,
): Promise<void> {
  const { locks, window } = registry;
  await locks.wait(owner, hash, key, 0, key.length, mode);
  if (spaceOfKey(key, 0) === LOCK_SPACE) {
    locks.nameKey(hash, key, 0, key.length);
    return;
  }
  if (owner.readsAhead) return;
  // Whoever had the lock may have been waiting for a queued commit itself, and given up before it was published.
  const queuedSeq = window.queuedSeqOf(hash, key, 0, key.length);
  if (queuedSeq !== 0) await window.whenEnded(queuedSeq);
}
