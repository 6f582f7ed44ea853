/**
 * The transaction that document operations run in: the storage transaction, the catalog as it sees it, and checks owed before the
 * commit. It is the same one that SQL statements run in, so rows and documents are one commit.
 */
import { PhantomError } from '@phantom/base';
import type { ProviderTransaction } from '@phantom/catalog';

export interface DocumentTransaction extends ProviderTransaction {
  /** Throws 57014 where the time of what runs in it is over, for work that no timer interrupts; absent: it has no limit. */
  readonly checkTime?: (() => void) | undefined;
}

/** Throws where what runs in a transaction must not go on: its time is over, or it has ended. */
export function checkRunning(transaction: DocumentTransaction): void {
  transaction.checkTime?.();
  if (transaction.storage.status !== 'active') throw new PhantomError('25P01', 'the cursor outlived its transaction');
}

/** A caller's open transaction: what `{ tx }` takes. Operations on it run one after the other; one that need not wait is done on return. */
export interface TransactionHost {
  documents<T>(work: (transaction: DocumentTransaction) => T | Promise<T>): T | Promise<T>;
}

/** Every operation takes it: the transaction to run in; without one it commits by itself. */
export interface OperationOptions {
  readonly tx?: TransactionHost;
}

/** What reads in any order takes it, too. */
export interface ReadOptions extends OperationOptions {
  /** False: what does not fit into memory is refused (53200) and not put into files. Default true. */
  readonly allowDiskUse?: boolean;
}
