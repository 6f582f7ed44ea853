/**
 * The waist at which tables of SQL and collections of documents meet: tables whose rows another model keeps. SQL reads them as it
 * reads its own, for their rows are in its format; every write goes to the model that provides them, which checks it by its rules
 * and keeps its indexes.
 */
import type { KeyRange } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { CatalogTransaction } from './catalog-transaction.js';
import type { DocumentParents } from './cross-references.js';
import type { DocumentIndexDescriptor, IndexDescriptor, Oid, TableDescriptor } from './descriptors.js';

/** The transaction that a provider works in: the one of the statement that asks. */
export interface ProviderTransaction {
  readonly storage: MvccTransaction;
  readonly objects: CatalogTransaction;
  /** The role that asks. */
  readonly roleOid: Oid;
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
  /**
   * Key of a row that a new one would meet on one of these unique indexes (none named: on any), in the newest state; undefined where there
   * is none, and the key stays free for the transaction.
   */
  conflict(values: readonly unknown[], indexOids: readonly Oid[]): Promise<void> | Uint8Array | undefined;
  update(key: Uint8Array, row: Uint8Array, values: readonly unknown[]): Promise<void> | undefined;
  remove(key: Uint8Array, row: Uint8Array): Promise<void> | undefined;
}

/** What a value at a path of a document must be, or an element of an array there, by MongoDB's operators. */
export interface PathCondition {
  /** Dotted. */
  readonly path: string;
  readonly operator: '$eq' | '$in' | '$gt' | '$gte' | '$lt' | '$lte' | '$exists';
  readonly value: unknown;
}

/** Entries of a document index: those of the documents looked for, and perhaps others. An entry's value is its row's key without the space. */
export interface IndexRanges {
  /** In key order. */
  readonly ranges: readonly KeyRange[];
  /** While this key is there, a document may have several of the entries; undefined: none ever has. */
  readonly repeatMark: Uint8Array | undefined;
}

/** A collection with another definition, and how many of its documents and references it finds fault with. */
export interface AlteredCollection {
  readonly table: TableDescriptor;
  readonly invalid: number;
  readonly dangling: number;
}

/** Where an object is made. */
export interface ObjectPlace {
  readonly databaseOid: Oid;
  readonly schemaOid: Oid;
  readonly ownerOid: Oid;
}

/** A model that keeps tables of its own. */
export interface TableProvider extends DocumentParents {
  writer(table: TableDescriptor, transaction: ProviderTransaction): ProvidedWriter;
  /** Where a document index has the documents that satisfy all the conditions, by values that are no arrays; undefined when it does not help. */
  indexRanges(index: IndexDescriptor, conditions: readonly PathCondition[]): IndexRanges | undefined;
  /**
   * CREATE INDEX over paths of documents; the caller holds the table, and puts what is returned. What it yields is to be waited for;
   * undefined: others may have a turn.
   */
  createIndex(
    table: TableDescriptor,
    index: { readonly name: string; readonly unique: boolean; readonly document: DocumentIndexDescriptor },
    transaction: ProviderTransaction,
  ): Generator<Promise<void> | undefined, TableDescriptor, void>;
  /**
   * REINDEX of a document index, as createIndex: the caller holds the table, puts what is returned, and removes what the index had.
   */
  refillIndex(
    table: TableDescriptor,
    index: IndexDescriptor,
    transaction: ProviderTransaction,
  ): Generator<Promise<void> | undefined, IndexDescriptor, void>;
  /**
   * ALTER COLLECTION: another schema (null: none; undefined: the one there is) or other options; the caller holds the table, and puts
   * what is returned. It yields as createIndex does.
   */
  alter(
    table: TableDescriptor,
    schema: string | null | undefined,
    options: ReadonlyMap<string, string>,
    transaction: ProviderTransaction,
  ): Generator<Promise<void> | undefined, AlteredCollection, void>;
  /** CREATE COLLECTION; the caller has locked the name and knows it to be free. A promise: wait and call again. */
  create(
    place: ObjectPlace,
    name: string,
    schema: string | undefined,
    options: ReadonlyMap<string, string>,
    transaction: ProviderTransaction,
  ): Promise<void> | undefined;
}
