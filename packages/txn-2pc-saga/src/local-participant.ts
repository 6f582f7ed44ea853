/** A participant in this process: transactions over byte keys, prepared and ended by what `mvcc` has for it. */
import { isPhantomError } from '@phantom/base';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import type { Branch, Ending, Participant, Vote } from './participant.js';

/** SQLSTATE of `mvcc` for an identifier under which nothing is prepared. */
const UNDEFINED_OBJECT = '42704';

export interface LocalParticipant extends Participant {
  /** The transaction as a branch of one over several participants; from its vote on it is the coordinator's to end. */
  branch(transaction: MvccTransaction): Branch;
}

/** `mvcc` was made with a space for prepared transactions, and is not the one in which the coordinator keeps its decisions. */
export function localParticipant(name: string, mvcc: Mvcc): LocalParticipant {
  return {
    name,
    commit: (gid) => ended(mvcc.commitPrepared(gid)),
    rollback: (gid) => ended(mvcc.rollbackPrepared(gid)),
    inDoubt: async () => mvcc.prepared().map(({ identifier }) => identifier),
    branch: (transaction) => ({
      participant: name,
      prepare: (gid) => prepare(transaction, gid),
      abandon: async () => {
        if (transaction.status === 'active') transaction.rollback();
      },
    }),
  };
}

async function prepare(transaction: MvccTransaction, gid: string): Promise<Vote> {
  if (!transaction.hasWrites) {
    await transaction.commit();
    return 'read-only';
  }
  await transaction.prepare(gid, '');
  return 'prepared';
}

async function ended(ending: Promise<unknown>): Promise<Ending> {
  try {
    await ending;
    return 'ended';
  } catch (error) {
    if (isPhantomError(error) && error.code === UNDEFINED_OBJECT) return 'absent';
    throw error;
  }
}
