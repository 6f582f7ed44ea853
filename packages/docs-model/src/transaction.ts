/**
 * The transaction that document operations run in: the storage transaction, the catalog as it sees it, and checks owed before the
 * commit. It is the same one that SQL statements run in, so rows and documents are one commit.
 */
import type { ProviderTransaction } from '@phantom/catalog';

export type DocumentTransaction = ProviderTransaction;

/** A caller's open transaction: what `{ tx }` takes. Operations on it run one after the other; one that need not wait is done on return. */
export interface TransactionHost {
  documents<T>(work: (transaction: DocumentTransaction) => T | Promise<T>): T | Promise<T>;
}

/** Every operation takes it: the transaction to run in; without one it commits by itself. */
export interface OperationOptions {
  readonly tx?: TransactionHost;
}
