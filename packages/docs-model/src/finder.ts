/**
 * Finders: what gives updates and deletes their documents, one after the other, by the statement's snapshot. The one behind an `_id` needs
 * no plan and no scan; a reader finds all others.
 */
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import { fieldBytes } from './field-names.js';
import { IdFilter } from './filter/id-filter.js';
import type { PlainObject } from './order.js';
import type { DocumentPorts } from './ports.js';
import { type Query, Reader } from './reader.js';
import { documentKey, possibleKey } from './references/settling.js';
import { isSeen } from './row-security.js';
import type { DocumentTransaction } from './transaction.js';

export interface Finder {
  /** The next document, undefined at the end. A promise where others need a turn first. */
  next(): Promise<PlainObject | undefined> | PlainObject | undefined;
  /** Key of the document that `next` gave, owned by the caller. */
  key(document: PlainObject): Uint8Array;
  /** Its row, borrowed until anybody waits; undefined where it is no longer at hand. */
  readonly row: ByteSlot | undefined;
  close(): void;
}

/** The finder of a query's documents; of those with an `_id` only the query's fields are read, where it names them. */
export function finderOf(
  ports: DocumentPorts,
  view: CollectionView,
  transaction: DocumentTransaction,
  query: Query,
  policies: DocumentPolicies | undefined,
): Finder {
  if (query.filter instanceof IdFilter && query.hint === undefined)
    return new PointFinder(view, transaction, query.filter, query, policies);
  return new ReaderFinder(view, new Reader(ports, view, transaction, query));
}

class PointFinder implements Finder {
  readonly row = new ByteSlot();
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly filter: IdFilter;
  private readonly query: Query;
  private readonly policies: DocumentPolicies | undefined;
  private found: Uint8Array | undefined;
  private isDone = false;

  constructor(
    view: CollectionView,
    transaction: DocumentTransaction,
    filter: IdFilter,
    query: Query,
    policies: DocumentPolicies | undefined,
  ) {
    this.view = view;
    this.transaction = transaction;
    this.filter = filter;
    this.query = query;
    this.policies = policies;
  }

  next(): PlainObject | undefined {
    if (this.isDone) return undefined;
    this.isDone = true;
    const { view, row } = this;
    const { fields, command = 'select' } = this.query;
    const key = possibleKey(view, this.filter.id);
    if (key === undefined || !this.transaction.storage.get(key, 0, key.length, row)) return undefined;
    if (!isSeen(this.policies, command, row)) return undefined;
    this.found = key;
    return fields === undefined
      ? view.layout.decode(row)
      : view.layout.decodeFields(row, fieldBytes(new Set([...fields, '_id'])));
  }

  key(): Uint8Array {
    return this.found as Uint8Array;
  }

  close(): void {
    this.isDone = true;
  }
}

class ReaderFinder implements Finder {
  private readonly view: CollectionView;
  private readonly reader: Reader;

  constructor(view: CollectionView, reader: Reader) {
    this.view = view;
    this.reader = reader;
  }

  get row(): ByteSlot | undefined {
    return this.reader.plan.sorted ? this.reader.matchRow : undefined;
  }

  next(): Promise<PlainObject | undefined> | PlainObject | undefined {
    const { reader } = this;
    if (!reader.plan.sorted) return reader.batch(1).then(([document]) => document);
    return reader.nextMatch() ?? (reader.paused ? this.nextTurn() : undefined);
  }

  key(document: PlainObject): Uint8Array {
    return this.reader.plan.sorted ? this.reader.matchKey() : documentKey(this.view, document['_id']);
  }

  close(): void {
    this.reader.close();
  }

  private async nextTurn(): Promise<PlainObject | undefined> {
    await this.reader.rest();
    return this.next();
  }
}
