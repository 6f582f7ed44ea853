/**
 * Putting aside what a transaction has written when it is more than its memory should hold (writeSetBytesMax). The write set
 * becomes a run on disk that only its transaction reads (kv's SpilledWrites), and an empty one goes on above it:
 *
 *   reads      batch, then runs, then the snapshot; a cursor merges them           write-set.ts, open-cursors.ts
 *   going back to a place in a run: it ends there                                   write-set.ts
 *   conflicts  decided now, since commit could not look through all of it in one turn; from now on the keys count as locked
 *   locks      of what is put aside need no records any more                        unrecorded-locks.ts
 *   commit     merged into files that the engines take over by one log record      commit-process.ts
 *
 * A statement that runs in slices puts aside between two of them what is most of its memory, and others have their turns
 * (putAsideInTurns). Where no such place comes, the write that finds memory full does it at one go (putAside).
 *
 * While somebody follows changes memory takes as much as a batch can be, since the log has nothing of what was put aside.
 *
 * So a transaction that has put writes aside excludes others from those keys as if it had locked them, also where it is
 * optimistic: whoever wrote one of them first wins, and it loses at once instead of at its commit.
 */
import { PhantomError, SLICE_MS, SqlState, assert, eventLoop, isPhantomError } from '@phantom/base';
import { BATCH_BYTES_MAX, ByteSlot, type SpilledWrites } from '@phantom/kv';
import { HashTable } from './hash-table.js';
import type { TransactionRegistry } from './registry.js';
import type { UnrecordedHolder } from './unrecorded-locks.js';
import type { TransactionStatus } from './types.js';
import { type Candidate, firstKeyNotFree, validateWritten } from './validation.js';
import { WriteSet } from './write-set.js';

/** The record of a prepared transaction is a batch with its writes in it, and what else it has to say. */
const PREPARED_BYTES_MAX = BATCH_BYTES_MAX - 64 * 1024 * 1024;

/** Records of locks from which on it pays to look for those that are not needed any more. */
const FORGOTTEN_MIN = 1024;

const SLOT = new ByteSlot();

/**
 * Puts the candidate's writes aside and returns the write set in which it goes on, which has room for so many bytes. 53200 when
 * no engine has files, 54000 when not even a batch holds that, 53100 and 58030 from the disk, 40001 and 23505 when the candidate
 * has lost: nothing has changed then. Locks of its own that were taken since the record `lockHead` are not needed any more where
 * the keys are those put aside.
 */
export function putAside(
  registry: TransactionRegistry,
  candidate: Candidate & UnrecordedHolder,
  writes: WriteSet,
  bytes: number,
  lockHead: number,
): WriteSet {
  const { store, options } = registry;
  // Who follows changes reads them from the log, which has what is in memory only.
  if (store.isFollowed && writes.batch.bytes + bytes <= BATCH_BYTES_MAX) return writes;
  if (bytes > BATCH_BYTES_MAX) throw tooLongError(bytes);
  const spilled = writes.spilled ?? store.spill(writes.batch.engines);
  if (spilled === undefined) throw tooLargeError(options.writeSetBytesMax);
  if (writes.batch.count === 0) return writes;
  const steps = puttingAside(registry, candidate, writes, spilled, () => lockHead);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** A transaction that goes on in another write set. */
interface Relieved extends Candidate, UnrecordedHolder {
  readonly status: TransactionStatus;
  writes: WriteSet | undefined;
}

/** Share of its memory from which on a write set is put aside when there is time. */
const RELIEVED_SHARE = 3 / 4;

/** True when memory is mostly taken by what was written. */
export function fillsMemory({ options }: TransactionRegistry, writes: WriteSet): boolean {
  const { bytes } = writes.batch;
  if (bytes < options.orderedBytesMax * RELIEVED_SHARE) return false;
  return bytes >= options.writeSetBytesMax * RELIEVED_SHARE || writes.continuesInOrder;
}

/**
 * Puts aside, in turns of the event loop, what the transaction has written. Gives up, with nothing changed, where `putAside`
 * would not do it or is refused (whoever writes until memory is full is told why), and when the transaction writes or ends
 * meanwhile.
 */
export async function putAsideInTurns(
  registry: TransactionRegistry,
  transaction: Relieved,
  writes: WriteSet,
  lockHead: () => number,
): Promise<void> {
  const { store } = registry;
  const spilled = store.isFollowed ? undefined : (writes.spilled ?? store.spill(writes.batch.engines));
  if (spilled === undefined) return;
  const { place, truncations } = writes;
  const isLeftAlone = (): boolean =>
    transaction.status === 'active' &&
    transaction.writes === writes &&
    writes.place === place &&
    writes.truncations === truncations;
  const steps = puttingAside(registry, transaction, writes, spilled, lockHead);
  try {
    let beganMs = performance.now();
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) {
        transaction.writes = step.value;
        return;
      }
      const elapsedMs = performance.now() - beganMs;
      if (elapsedMs < SLICE_MS) continue;
      await eventLoop.giveWay(elapsedMs);
      if (!isLeftAlone()) return;
      beganMs = performance.now();
    }
  } catch (error) {
    if (!isPhantomError(error)) throw error;
  } finally {
    steps.return(writes);
  }
}

function* puttingAside(
  registry: TransactionRegistry,
  candidate: Candidate & UnrecordedHolder,
  writes: WriteSet,
  spilled: SpilledWrites,
  lockHead: () => number,
): Generator<void, WriteSet> {
  const { unrecorded, locks } = registry;
  const hashes = candidate.lockCount >= FORGOTTEN_MIN ? new HashTable() : undefined;
  let next: WriteSet | undefined;
  try {
    unrecorded.checkRoom(writes.batch.bytes);
    next = yield* writes.puttingAside(spilled, hashes, () => validateWritten(registry, candidate, SLOT));
  } finally {
    if (next === undefined && writes.spilled === undefined) spilled.close();
  }
  unrecorded.add(candidate);
  if (hashes !== undefined) locks.forgetRows(candidate, lockHead(), hashes);
  return next;
}

/** A transaction whose writes come back into memory. */
export interface TakingBack extends Candidate, UnrecordedHolder {
  writes: WriteSet | undefined;
  putAside(bytes: number): WriteSet;
  closeCursors(): void;
}

/**
 * Takes back into memory what is left of all that was put aside, for a transaction that is prepared: its record is one value.
 * 54000 when that cannot be. Its locks come back with it: nobody else has had them since.
 */
export function takeBack(registry: TransactionRegistry, transaction: TakingBack): void {
  const aside = transaction.putAside(0);
  transaction.writes = writesOf(aside.spilled as SpilledWrites);
  const blocked = firstKeyNotFree(registry, transaction, (hash, mode) =>
    registry.locks.tryAcquire(transaction, hash, mode),
  );
  assert(blocked === undefined, 'what was put aside is locked by whoever has written it');
  transaction.snapshots.restAgain();
  transaction.closeCursors();
  registry.unrecorded.delete(transaction);
  aside.close();
}

function writesOf(spilled: SpilledWrites): WriteSet {
  const all = new WriteSet();
  for (const { lower, upper } of spilled.removedRanges()) all.removeRange(lower, upper);
  const entries = spilled.entries();
  try {
    while (entries.next()) {
      const { key, value } = entries;
      if (all.bytes + key.end - key.start + value.end - value.start > PREPARED_BYTES_MAX) throw preparedError();
      if (entries.isRemoved) all.remove(key.buffer, key.start, key.end);
      else all.put(key.buffer, key.start, key.end, value.buffer, value.start, value.end);
    }
  } finally {
    entries.close();
  }
  return all;
}

function preparedError(): PhantomError {
  return new PhantomError(
    SqlState.ProgramLimitExceeded,
    `a transaction that is prepared writes ${PREPARED_BYTES_MAX} bytes at the most`,
  );
}

function tooLongError(bytes: number): PhantomError {
  return new PhantomError(
    SqlState.ProgramLimitExceeded,
    `a row of ${bytes} bytes with its key is too long to be written`,
    {
      detail: `A single write takes ${BATCH_BYTES_MAX} bytes at the most.`,
      data: { bytes, bytesMax: BATCH_BYTES_MAX },
    },
  );
}

function tooLargeError(writeSetBytesMax: number): PhantomError {
  return new PhantomError(SqlState.OutOfMemory, `a transaction may write ${writeSetBytesMax} bytes at the most`, {
    detail: 'More is put aside where an engine has files.',
    hint: 'Commit in between, or raise writeSetBytesMax.',
    data: { writeSetBytesMax },
  });
}
