/**
 * The waist at which tables of SQL and collections of documents meet: tables whose rows another model keeps. SQL reads them as it
 * reads its own, for their rows are in its format; every write goes to the model that provides them, which checks it by its rules
 * and keeps its indexes.
 */
import type { MvccTransaction } from '@phantom/mvcc';
import type { CatalogTransaction } from './catalog-transaction.js';
import type { Oid, TableDescriptor } from './descriptors.js';

/** The transaction that a provider works in: the one of the statement that asks. */
export interface ProviderTransaction {
  readonly storage: MvccTransaction;
  readonly objects: CatalogTransaction;
  /**
   * Runs before the commit, in order of registration; what it throws ends the transaction. A check that gives a promise is called
   * again when that has resolved.
   */
  beforeCommit(check: () => Promise<void> | undefined): void;
}

/**
 * Writes rows of one table in one transaction. A promise: wait for it and call again; nothing has been written. Keys and rows are as
 * they are stored; the caller holds the rows that it changes.
 */
export interface ProvidedWriter {
  insert(values: readonly unknown[]): Promise<void> | undefined;
  update(key: Uint8Array, row: Uint8Array, values: readonly unknown[]): Promise<void> | undefined;
  remove(key: Uint8Array, row: Uint8Array): Promise<void> | undefined;
}

/** Where an object is made. */
export interface ObjectPlace {
  readonly databaseOid: Oid;
  readonly schemaOid: Oid;
  readonly ownerOid: Oid;
}

/** A model that keeps tables of its own. */
export interface TableProvider {
  writer(table: TableDescriptor, transaction: ProviderTransaction): ProvidedWriter;
  /** CREATE COLLECTION; the caller has locked the name and knows it to be free. A promise: wait and call again. */
  create(
    place: ObjectPlace,
    name: string,
    schema: string | undefined,
    options: ReadonlyMap<string, string>,
    transaction: ProviderTransaction,
  ): Promise<void> | undefined;
}
