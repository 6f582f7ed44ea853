/** What a transaction tells: views ask for its state, listeners hear of its end. */
import type { Clock, Logger } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { LockParty } from './lock-owner.js';
import type { LockTable } from './lock-table.js';
import type { ReadSet } from './read-set.js';
import type { MvccTransaction, TransactionInfo } from './types.js';
import type { WriteSet } from './write-set.js';

interface Reported extends MvccTransaction {
  readonly label: string | undefined;
  readonly statement: string | undefined;
  readonly priority: number;
  readonly party: LockParty;
  readonly startedMs: number;
  readonly writes: WriteSet | undefined;
  readonly reads: ReadSet | undefined;
  readonly lockCount: number;
  readonly cursorCount: number;
  readonly began: string | undefined;
}

export function transactionInfo(transaction: Reported, locks: LockTable, clock: Clock): TransactionInfo {
  const { id, label, statement, isolation, readOnly, concurrency, status, priority, party, startedMs } = transaction;
  return {
    id,
    label,
    statement,
    isolation,
    readOnly,
    concurrency,
    status,
    priority,
    session: party.session,
    startedMs,
    ageMs: clock.monotonicMs() - startedMs,
    snapshotSeq: transaction.snapshotSeq,
    writeSetBytes: transaction.writes?.bytes ?? 0,
    readSetBytes: transaction.reads?.bytes ?? 0,
    locks: transaction.lockCount,
    cursors: transaction.cursorCount,
    began: transaction.began,
    waitsFor: Array.from(locks.blockersOf(party), (blocker) => blocker.id),
  };
}

/** The stack of who is beginning a transaction, without this package's own lines. */
export function callers(): string {
  const lines = (new Error('begin').stack ?? '').split('\n');
  // The error's own line, this function, the transaction and begin().
  return lines.slice(4).join('\n');
}

/** The transaction has ended as it has; a listener that throws cannot change that. */
export function tellListeners(
  listeners: readonly ((seq: Seq | undefined) => void)[],
  seq: Seq | undefined,
  transaction: number,
  logger: Logger,
): void {
  for (const listener of listeners) {
    try {
      listener(seq);
    } catch (error) {
      logger.error('a listener to the end of a transaction failed', {
        transaction,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
