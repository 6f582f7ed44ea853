/**
 * The waist at which references cross between the models: fields of documents that hold keys of rows (`x-ref` to a table), and foreign
 * keys of tables whose parents are documents. Each side finds and changes its own: SQL is asked for rows (RowTables), the document model
 * for documents (DocumentParents). Keys cross as documents hold values.
 *
 *   a document is written   its references to rows   RowTables.hasRow              a row's key goes   DocumentParents.rowKeyGone
 *   a row is written        its keys of documents    DocumentParents.hasDocument   a document's key   RowTables.documentKeyGone
 *
 * A promise means: wait for it and ask again.
 */
import type { DocumentReferenceAction, Oid, RowKey, TableDescriptor } from './descriptors.js';
import type { ProviderTransaction } from './table-provider.js';

/** A foreign key of a table to a field of documents, and the key that is no longer there. */
export interface GoneDocumentKey {
  readonly parent: TableDescriptor;
  /** Of the foreign key. */
  readonly constraintOid: Oid;
  readonly childOid: Oid;
  readonly before: unknown;
  /** What the document has in its place; undefined: the document went. Null: nothing. */
  readonly after: unknown;
}

/** Row-level security of a collection, as it holds for whoever a transaction acts for. Rows are given as they are stored. */
export interface DocumentPolicies {
  /** True for a row that may be read, and be changed or removed where that is asked. */
  sees(command: 'select' | 'update' | 'delete', buffer: Uint8Array, start: number, end: number): boolean;
  /** 42501 for a row that may not be written. */
  check(command: 'insert' | 'update', buffer: Uint8Array, start: number, end: number): void;
}

/** Tables, as the document model sees them. */
export interface RowTables {
  /**
   * The key that documents may refer to: a table by its name, perhaps behind that of its schema and a dot, and a unique column of it
   * (undefined: the one of its primary key). 42P01, 42703, 42809, 42830, and 0A000 for a type that documents cannot refer to.
   */
  rowKey(table: string, column: string | undefined, transaction: ProviderTransaction): RowKey;
  /** True when there is a row with this key in the newest state; where `held`, nobody removes it until the transaction ends. */
  hasRow(key: RowKey, value: unknown, held: boolean, transaction: ProviderTransaction): Promise<void> | boolean;
  /** The policies of a collection; undefined: it is open. */
  policies(table: TableDescriptor, transaction: ProviderTransaction): DocumentPolicies | undefined;
  /** Refuses or changes the rows that still have a key of a document. 23503. */
  documentKeyGone(gone: GoneDocumentKey, transaction: ProviderTransaction): Promise<void> | undefined;
}

/** The field of documents that a foreign key refers to; without an index it is `_id`. */
export interface DocumentKey {
  readonly field: string;
  readonly indexOid: Oid;
}

/** A row's key that is no longer there, and the documents that may have it. */
export interface GoneRowKey {
  readonly parent: TableDescriptor;
  readonly child: TableDescriptor;
  readonly path: string;
  readonly key: RowKey;
  /** The values of documents that stand for the key. */
  readonly before: readonly unknown[];
  /** What stands for the key that the row has now; undefined: the row went. */
  readonly after: unknown;
  readonly action: DocumentReferenceAction;
}

/** Collections, as foreign keys of tables and rows that documents refer to see them. */
export interface DocumentParents {
  /** True when a document has one of the values as its key in the newest state; nobody removes it until the transaction ends. */
  hasDocument(
    parent: TableDescriptor,
    key: DocumentKey,
    values: readonly unknown[],
    transaction: ProviderTransaction,
  ): Promise<void> | boolean;
  /** Has the documents that refer to a row's key refused, removed or changed at the end of the transaction, unless it is back by then. */
  rowKeyGone(gone: GoneRowKey, transaction: ProviderTransaction): void;
}
