/**
 * The document model over one store: it finds and makes collections, and gives each operation its transaction, the caller's or one
 * of its own. An operation that commits by itself is read committed and locks what it writes: it waits for others instead of
 * losing to them, as long as the time limits say, and is run again after a deadlock.
 */
import { PhantomError, eventLoop, isPhantomError } from '@phantom/base';
import {
  type Catalog,
  CatalogTransaction,
  type CollectionDescriptor,
  type ObjectReader,
  type OverlayMark,
  type Oid,
  type TableDescriptor,
} from '@phantom/catalog';
import { LockStrength, type MvccTransaction, type Savepoint } from '@phantom/mvcc';
import { type CollectionView, collectionView } from './collection-view.js';
import { type NewCollection, adoptCollection, createCollection, findCollection } from './definition.js';
import type { EqualityFilter, IdFilter } from './filter/equality-filter.js';
import { countPresentLookup, readPresentLookup } from './lookup-read.js';
import type { PlainObject } from './order.js';
import { readPoint, readPresentPoint } from './point-read.js';
import { type DocumentPorts, roomFor } from './ports.js';
import { CrossChecks } from './references/cross-checks.js';
import { ReferenceChecks } from './references/reference-checks.js';
import { rowTablesOf } from './references/resolve.js';
import type { WriterOf } from './references/settling.js';
import { type DocumentRight, requireOwner, requireRights } from './rights.js';
import { policiesOf } from './row-security.js';
import { writeRules } from './rules.js';
import { NO_TIME_LIMITS, TimeLimit } from './time-limit.js';
import type { Room } from './spill/room.js';
import type { DocumentTransaction, ReadOptions, TransactionHost } from './transaction.js';
import { CollectionWriter, settle } from './writer.js';

const DEADLOCK_RETRIES = 10;
const READING: readonly DocumentRight[] = ['select'];

/** Something that writes; a promise where it has to wait. */
type Work<R> = (transaction: DocumentTransaction) => R | Promise<R>;

/** A transaction to read in, until it is released. */
export interface ReadTransaction {
  readonly transaction: DocumentTransaction;
  release(): void;
}

/** A transaction of one operation. Its view of the catalog is made when it is first asked for: reads do without. */
class OwnTransaction implements DocumentTransaction {
  readonly storage: MvccTransaction;
  readonly roleOid: Oid;
  readonly checks: (() => Promise<void> | undefined)[] = [];
  /** Set while a part of a read runs that has a limit. */
  checkTime: (() => void) | undefined = undefined;
  private readonly catalog: Catalog;
  private own: CatalogTransaction | undefined;

  constructor(storage: MvccTransaction, { catalog, roleOid }: DocumentPorts) {
    this.storage = storage;
    this.catalog = catalog;
    this.roleOid = roleOid;
  }

  get objects(): CatalogTransaction {
    return (this.own ??= this.catalog.begin(this.storage));
  }

  /** The catalog to look into. */
  get reader(): ObjectReader {
    return this.own ?? this.catalog.committed;
  }

  beforeCommit(check: () => Promise<void> | undefined): void {
    this.checks.push(check);
  }
}

/** A caller's transaction goes on after it was read in. */
function borrowed(transaction: DocumentTransaction): ReadTransaction {
  return { transaction, release: () => undefined };
}

/** The catalog that a transaction looks into. */
function readerOf(transaction: DocumentTransaction): ObjectReader {
  return transaction instanceof OwnTransaction ? transaction.reader : transaction.objects;
}

export class DocumentModel {
  readonly ports: DocumentPorts;
  /** By transaction. */
  private readonly owed = {
    documents: new WeakMap<MvccTransaction, ReferenceChecks>(),
    rows: new WeakMap<MvccTransaction, CrossChecks>(),
  };
  private last: { readonly name: string; readonly version: number; readonly table: TableDescriptor } | undefined;
  private readonly writerOf: WriterOf = (view, transaction) => this.writer(view, transaction);

  constructor(ports: DocumentPorts) {
    this.ports = ports;
  }

  /** Room for one operation, which releases its memory at the end. */
  newRoom({ allowDiskUse = true }: ReadOptions = {}): Room {
    const room = roomFor(this.ports);
    return allowDiskUse ? room : { ...room, scratch: undefined };
  }

  /** A transaction to read in: the caller's, or a snapshot that lasts until it is released. No promise where nothing has to be waited for. */
  openRead(tx: TransactionHost | undefined): ReadTransaction | Promise<ReadTransaction> {
    return eventLoop.isOverdue() ? eventLoop.nextTurn().then(() => this.beginRead(tx)) : this.beginRead(tx);
  }

  /**
   * A part of a read, such as a batch of a cursor, as a statement of its own: the signal and statement_timeout of the caller's transaction end
   * it and fail that, statement_timeout of the role ends one that stands alone (57014). No promise where nothing has to be waited for.
   */
  readPart<T>(
    tx: TransactionHost | undefined,
    transaction: DocumentTransaction,
    read: () => T | Promise<T>,
  ): T | Promise<T> {
    if (tx !== undefined) return tx.documents(read);
    const { statementTimeoutMs } = this.ports.timeLimits?.() ?? NO_TIME_LIMITS;
    return statementTimeoutMs === 0 ? read() : timedRead(transaction, statementTimeoutMs, read);
  }

  private beginRead(tx: TransactionHost | undefined): ReadTransaction | Promise<ReadTransaction> {
    if (tx === undefined) return this.snapshot();
    const transaction = tx.documents((own) => {
      own.storage.beginStatement();
      return own;
    });
    return transaction instanceof Promise ? transaction.then(borrowed) : borrowed(transaction);
  }

  /**
   * The document with the filter's id as it is now, undefined when there is none: a look at what is committed, without a transaction
   * unless policies ask for one. Catalog and view are of one moment, so no index or space is newer than what is seen. 42501 without the right to.
   */
  readPointNow(name: string, filter: IdFilter): PlainObject | undefined {
    const { catalog, roleOid } = this.ports;
    const objects = catalog.committed;
    const table = this.named(objects, name);
    if (table === undefined) return undefined;
    requireRights(objects, roleOid, table, READING);
    const collection = collectionView(table, objects);
    if (table.rowSecurity?.enabled === true) {
      const { transaction, release } = this.snapshot();
      try {
        return readPoint(this.ports, collection, transaction, filter);
      } finally {
        release();
      }
    }
    return readPresentPoint(this.ports, collection.layout, filter);
  }

  /**
   * The documents that satisfy the filter as they are now, `limit` at the most, where one look-up of an index answers it; undefined where it
   * takes a plan or a transaction. As readPointNow otherwise.
   */
  readLookupNow(name: string, filter: EqualityFilter, limit: number): PlainObject[] | undefined {
    const view = this.presentView(name);
    if (view === undefined) return [];
    return view === 'secured' ? undefined : readPresentLookup(this.ports, view, filter, limit);
  }

  /** How many documents satisfy the filter now; as readLookupNow otherwise. */
  countLookupNow(name: string, filter: EqualityFilter): number | undefined {
    const view = this.presentView(name);
    if (view === undefined) return 0;
    return view === 'secured' ? undefined : countPresentLookup(this.ports, view, filter);
  }

  /** The collection as it is now, unless policies hide some of it; undefined when there is none. 42501 without the right to read. */
  private presentView(name: string): CollectionView | 'secured' | undefined {
    const { catalog, roleOid } = this.ports;
    const objects = catalog.committed;
    const table = this.named(objects, name);
    if (table === undefined) return undefined;
    requireRights(objects, roleOid, table, READING);
    return table.rowSecurity?.enabled === true ? 'secured' : collectionView(table, objects);
  }

  private snapshot(): ReadTransaction {
    const storage = this.ports.mvcc.begin({ readOnly: true, isolation: 'repeatable read' });
    storage.beginStatement();
    const transaction = new OwnTransaction(storage, this.ports);
    return { transaction, release: () => storage.status === 'active' && storage.rollback() };
  }

  /**
   * Runs a write in the caller's transaction, as one statement of it, or in one of its own; durable then when it is done. No promise is
   * made where nothing has to be waited for.
   */
  write<R>(tx: TransactionHost | undefined, work: Work<R>): R | Promise<R> {
    if (eventLoop.isOverdue()) return eventLoop.nextTurn().then(() => this.write(tx, work));
    if (tx !== undefined) return tx.documents((transaction) => runStatement(transaction, work));
    return this.commit(work);
  }

  private async commit<R>(work: Work<R>): Promise<R> {
    const { lockTimeoutMs, statementTimeoutMs } = this.ports.timeLimits?.() ?? NO_TIME_LIMITS;
    const limit = new TimeLimit(statementTimeoutMs);
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await this.commitOnce(work, lockTimeoutMs, limit);
        } catch (error) {
          const reason = limit.reasonOf(error);
          if (!isPhantomError(reason) || !reason.retryable || attempt >= DEADLOCK_RETRIES) throw reason;
        }
      }
    } finally {
      limit.end();
    }
  }

  private async commitOnce<R>(work: Work<R>, lockTimeoutMs: number, limit: TimeLimit): Promise<R> {
    const storage = this.ports.mvcc.begin({ isolation: 'read committed', lockTimeoutMs });
    limit.watch(storage);
    const transaction = new OwnTransaction(storage, this.ports);
    const { checks } = transaction;
    try {
      storage.beginStatement();
      const result = await work(transaction);
      // A check may owe further ones: cascades do.
      for (let i = 0; i < checks.length; i++) await settle(checks[i] as () => Promise<void> | undefined);
      await storage.commit();
      return result;
    } catch (error) {
      if (storage.status === 'active') storage.rollback();
      throw error;
    }
  }

  /** The collection of a name. Of the committed catalog the one that was asked for last is remembered. */
  private named(objects: ObjectReader, name: string): TableDescriptor | undefined {
    const { catalog } = this.ports;
    const isCommitted = objects === catalog.committed || (objects instanceof CatalogTransaction && !objects.changed);
    if (!isCommitted) return findCollection(this.ports, objects, name);
    const { last } = this;
    if (last?.name === name && last.version === catalog.version) return last.table;
    const table = findCollection(this.ports, catalog.committed, name);
    if (table !== undefined) this.last = { name, version: catalog.version, table };
    return table;
  }

  /** True when the transaction sees a collection of this name. */
  exists(transaction: DocumentTransaction, name: string): boolean {
    return this.named(readerOf(transaction), name) !== undefined;
  }

  /** The collection to read, as the transaction sees it; undefined when there is none. 42501 without the right to. */
  find(transaction: DocumentTransaction, name: string): CollectionView | undefined {
    const objects = readerOf(transaction);
    const table = this.named(objects, name);
    if (table === undefined) return undefined;
    requireRights(objects, transaction.roleOid, table, READING);
    return this.view(transaction, table, objects);
  }

  /** 40001 when the collection was given an index, or moved, since the transaction's snapshot. */
  private view({ storage }: DocumentTransaction, table: TableDescriptor, objects: ObjectReader): CollectionView {
    this.ports.catalog.filled.check(storage, table.oid, table.name);
    return collectionView(table, objects);
  }

  /**
   * The collection to write to, made if there is none, and held against being altered until the transaction ends. 42501 without all of
   * the rights.
   */
  forWriting(
    transaction: DocumentTransaction,
    name: string,
    definition: NewCollection,
    rights: readonly DocumentRight[],
  ): CollectionView | Promise<CollectionView> {
    const { objects, storage, roleOid } = transaction;
    if (storage.readOnly) throw new PhantomError('25006', 'cannot write to a collection in a read-only transaction');
    // It may be another one after each wait, or none: it is looked at again.
    const again = (): CollectionView | Promise<CollectionView> =>
      this.forWriting(transaction, name, definition, rights);
    const table = this.named(objects, name);
    if (table === undefined) return createCollection(this.ports, transaction, name, definition).then(again);
    requireRights(objects, roleOid, table, rights);
    if (table.collection?.implied === true) {
      return adoptCollection(this.ports, transaction, table, definition).then(again);
    }
    const wait = objects.lockObject(table.oid, LockStrength.KeyShare);
    if (wait !== undefined) return wait.then(again);
    checkSchema(table, definition);
    return this.view(transaction, table, objects);
  }

  /** As writer, for whoever asks: policies say what they may write. */
  securedWriter(view: CollectionView, transaction: DocumentTransaction): CollectionWriter {
    const rules = writeRules(this, view, transaction);
    const { structures } = this.ports.catalog;
    return new CollectionWriter(view, transaction, structures, rules, policiesOf(this.ports, view, transaction));
  }

  /** Writes to a collection by its rules. */
  writer(view: CollectionView, transaction: DocumentTransaction): CollectionWriter {
    return new CollectionWriter(view, transaction, this.ports.catalog.structures, writeRules(this, view, transaction));
  }

  /** What the transaction owes to references among documents. */
  referenceChecks(transaction: DocumentTransaction): ReferenceChecks {
    const { owed } = this;
    let checks = owed.documents.get(transaction.storage);
    if (checks === undefined) {
      checks = new ReferenceChecks(transaction, this.writerOf, this.ports.logger);
      owed.documents.set(transaction.storage, checks);
    }
    return checks;
  }

  /** What it owes to references between documents and rows. */
  crossChecks(transaction: DocumentTransaction): CrossChecks {
    const { owed } = this;
    let checks = owed.rows.get(transaction.storage);
    if (checks === undefined) {
      checks = new CrossChecks(transaction, rowTablesOf(this.ports), this.writerOf, this.ports.logger);
      owed.rows.set(transaction.storage, checks);
    }
    return checks;
  }

  /** Replaces a collection's descriptor, under its exclusive lock. 42501 for who does not own it. */
  async alter(
    transaction: DocumentTransaction,
    name: string,
    definition: NewCollection,
    change: (table: TableDescriptor) => TableDescriptor | Promise<TableDescriptor>,
  ): Promise<void> {
    const { objects } = transaction;
    const found =
      findCollection(this.ports, objects, name) ?? (await createCollection(this.ports, transaction, name, definition));
    if (found.collection?.implied === true) await adoptCollection(this.ports, transaction, found, definition);
    await objects.lockObject(found.oid, LockStrength.Update);
    const table = objects.object(found.oid);
    if (table?.kind !== 'table') throw new PhantomError('42P01', `collection "${name}" does not exist`);
    requireOwner(objects, transaction.roleOid, table);
    const changed = await change(table);
    if (changed !== table) objects.put({ ...changed, schemaVersion: table.schemaVersion + 1 });
  }
}

/** What handles want, by the collections that are what they want. */
const sameSchemas = new WeakMap<CollectionDescriptor, CollectionDescriptor>();

/** 55000 when a handle names another schema than the collection has. */
function checkSchema({ name, collection }: TableDescriptor, { collection: wanted }: NewCollection): void {
  if (wanted.schema === undefined) return;
  if (collection !== undefined) {
    if (sameSchemas.get(collection) === wanted) return;
    if (JSON.stringify(wanted.schema) === JSON.stringify(collection.schema)) {
      sameSchemas.set(collection, wanted);
      return;
    }
  }
  throw new PhantomError('55000', `collection "${name}" has another schema`, {
    hint: 'Change it by collection.setSchema(schema).',
    table: name,
  });
}

async function timedRead<T>(transaction: DocumentTransaction, limitMs: number, read: () => T | Promise<T>): Promise<T> {
  const limit = new TimeLimit(limitMs);
  limit.watch(transaction.storage);
  if (transaction instanceof OwnTransaction) transaction.checkTime = limit.check;
  try {
    return await read();
  } catch (error) {
    throw limit.reasonOf(error);
  } finally {
    limit.end();
    if (transaction instanceof OwnTransaction) transaction.checkTime = undefined;
  }
}

/** A statement of a transaction that others share: what it wrote is undone when it fails. */
function runStatement<R>(transaction: DocumentTransaction, work: Work<R>): R | Promise<R> {
  const { storage, objects } = transaction;
  storage.beginStatement();
  const savepoint = storage.savepoint();
  const mark = objects.mark();
  let result: R | Promise<R>;
  try {
    result = work(transaction);
  } catch (error) {
    undoTo(transaction, savepoint, mark);
    throw error;
  }
  if (!(result instanceof Promise)) {
    storage.release(savepoint);
    return result;
  }
  return result.then(
    (done) => {
      storage.release(savepoint);
      return done;
    },
    (error: unknown) => {
      undoTo(transaction, savepoint, mark);
      throw error;
    },
  );
}

/** Undoes what a statement did since it began. */
function undoTo({ storage, objects }: DocumentTransaction, savepoint: Savepoint, mark: OverlayMark): void {
  if (storage.status !== 'active') return;
  storage.rollbackTo(savepoint);
  storage.release(savepoint);
  objects.rollbackTo(mark);
}
