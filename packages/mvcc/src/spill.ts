/**
 * Putting aside what a transaction has written when it is more than its memory should hold (writeSetBytesMax). The write set
 * becomes a run on disk that only its transaction reads (kv's SpilledWrites), and an empty one goes on above it:
 *
 *   reads      batch, then runs, then the snapshot; a cursor merges them           write-set.ts, open-cursors.ts
 *   going back to a place in a run: it ends there                                   write-set.ts
 *   conflicts  decided now, since commit could not look through all of it in one turn; from now on the keys count as locked
 *   locks      of what is put aside need no records any more                        spilled-holders.ts
 *   commit     merged into files that the engines take over by one log record      commit-process.ts
 *
 * So a transaction that has put writes aside excludes others from those keys as if it had locked them, also where it is
 * optimistic: whoever wrote one of them first wins, and it loses at once instead of at its commit.
 */
import { PhantomError, SqlState } from '@phantom/base';
import { BATCH_BYTES_MAX, ByteSlot } from '@phantom/kv';
import type { TransactionRegistry } from './registry.js';
import type { SpilledHolder } from './spilled-holders.js';
import { type Candidate, validateWritten } from './validation.js';
import type { WriteSet } from './write-set.js';

const SLOT = new ByteSlot();

/**
 * Puts the candidate's writes aside and returns the write set in which it goes on, which has room for so many bytes. 53200 when
 * no engine has files or not even a batch holds that, 53100 and 58030 from the disk, 40001 and 23505 when the candidate has
 * lost: nothing has changed then. Locks of its own that were taken since the record `lockHead` are not needed any more where
 * the keys are those put aside.
 */
export function putAside(
  registry: TransactionRegistry,
  candidate: Candidate & SpilledHolder,
  writes: WriteSet,
  bytes: number,
  lockHead: number,
): WriteSet {
  const { spillers, store, options, locks } = registry;
  const spilled = writes.spilled ?? store.spill();
  if (spilled === undefined || bytes > BATCH_BYTES_MAX) throw tooLargeError(options.writeSetBytesMax);
  if (writes.batch.count === 0) return writes;
  validateWritten(registry, candidate, SLOT);
  let next: WriteSet;
  try {
    spillers.checkRoom(writes.batch.bytes);
    next = writes.putAside(spilled);
  } catch (error) {
    if (writes.spilled === undefined) spilled.close();
    throw error;
  }
  spillers.add(candidate);
  locks.forgetRows(candidate, lockHead, writes.hashes());
  return next;
}

function tooLargeError(writeSetBytesMax: number): PhantomError {
  return new PhantomError(SqlState.OutOfMemory, `a transaction may write ${writeSetBytesMax} bytes at the most`, {
    detail: `More is put aside where an engine has files, but not a single write of ${BATCH_BYTES_MAX} bytes.`,
    hint: 'Commit in between, or raise writeSetBytesMax.',
    data: { writeSetBytesMax },
  });
}
