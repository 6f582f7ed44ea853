/**
 * What the writes of a transaction owe to references between documents and rows, settled at its end as those among documents are
 * (reference-checks.ts).
 *
 *   a document that refers       each value that is new in it must be the key of a row, which is held
 *   a row's key that went        the documents that hold it are 23503 (restrict), go too (cascade), get null in its place (set null) or
 *                                the key that the row has now (cascade of an update)
 *   a document's key that went   SQL does the same with the rows that hold it, by their foreign key
 *
 * What is owed is looked at again when it is settled: a key that is back owes nothing. Cascades run from one model to the other and
 * back, and end where they meet what has gone already.
 */
import { type Logger, PhantomError } from '@phantom/base';
import type { GoneRowKey, RowReference, RowTables, TableDescriptor } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { type CollectionView, collectionView } from '../collection-view.js';
import { encodePart } from '../document-layout.js';
import { type PlainObject, equalValues } from '../order.js';
import { ownField, parsePath } from '../path.js';
import type { DocumentTransaction } from '../transaction.js';
import { DocumentKeys, type IncomingForeignKey } from './document-keys.js';
import { Referrers } from './incoming.js';
import { exchangeReferred, newlyReferred, referredValues } from './places.js';
import { type Settling, SettlingOnce, type WriterOf, keyText, shared, shownValue, takeFirst } from './settling.js';
import { documentKey } from '../row-key.js';

/** A document that holds new keys of rows at one path. */
interface OwedRows {
  readonly collectionOid: number;
  readonly path: string;
  readonly key: Uint8Array;
  readonly values: unknown[];
}

/** A document whose key went, and a foreign key that may have it. */
interface GoneDocument {
  readonly parentOid: number;
  readonly key: Uint8Array;
  readonly before: unknown;
  readonly foreignKey: IncomingForeignKey;
}

export class CrossChecks {
  private readonly transaction: DocumentTransaction;
  private readonly tables: RowTables;
  private readonly writerOf: WriterOf;
  private readonly logger: Logger;
  private readonly references = new Map<string, OwedRows>();
  private readonly goneRows = new Map<string, GoneRowKey>();
  private readonly goneDocuments = new Map<string, GoneDocument>();
  private readonly slot = new ByteSlot();
  private readonly once: SettlingOnce;

  constructor(transaction: DocumentTransaction, tables: RowTables, writerOf: WriterOf, logger: Logger) {
    this.transaction = transaction;
    this.tables = tables;
    this.writerOf = writerOf;
    this.logger = logger;
    this.once = new SettlingOnce(transaction, () => this.settleAll());
  }

  /** A document is written: owes the rows to which it refers and did not before. */
  written(view: CollectionView, before: PlainObject | undefined, after: PlainObject): void {
    const { table } = view;
    for (const { path } of table.collection?.rowReferences ?? []) {
      const values = newlyReferred(parsePath(path), before, after);
      if (values.length === 0) continue;
      const key = documentKey(view, after['_id']);
      const name = `${keyText(key)}${path}`;
      const owed = this.references.get(name);
      if (owed === undefined) this.references.set(name, { collectionOid: table.oid, path, key, values });
      else owed.values.push(...values);
      this.once.register();
    }
  }

  /** A document goes, or is another one from now on: owes what foreign keys of tables have of it. */
  keysGone(
    view: CollectionView,
    foreignKeys: readonly IncomingForeignKey[],
    before: PlainObject,
    after: PlainObject | undefined,
  ): void {
    for (const foreignKey of foreignKeys) {
      const { field } = foreignKey.key;
      const value = ownField(before, field);
      if (value === undefined || value === null || Array.isArray(value)) continue;
      if (after !== undefined && equalValues(value, ownField(after, field))) continue;
      const key = documentKey(view, before['_id']);
      const name = `${keyText(key)}${foreignKey.constraintOid} ${valueName(value)}`;
      this.goneDocuments.set(name, { parentOid: view.table.oid, key, before: value, foreignKey });
      this.once.register();
    }
  }

  rowKeyGone(gone: GoneRowKey): void {
    const { child, path, before } = gone;
    this.goneRows.set(`${child.oid} ${path} ${valueName(before[0])}`, gone);
    this.once.register();
  }

  private *settleAll(): Settling {
    for (;;) {
      // What goes first: it need not have what it refers to.
      const goneRow = takeFirst(this.goneRows);
      const goneDocument = goneRow === undefined ? takeFirst(this.goneDocuments) : undefined;
      const references = goneRow ?? goneDocument ?? takeFirst(this.references);
      if (references === undefined) return;
      if (goneRow !== undefined) yield* this.settleGoneRow(goneRow);
      else if (goneDocument !== undefined) yield* this.settleGoneDocument(goneDocument);
      else yield* this.settleReferences(references as OwedRows);
    }
  }

  private *settleReferences({ collectionOid, path, key, values }: OwedRows): Settling {
    const { transaction, tables, slot } = this;
    const { objects, storage } = transaction;
    const child = objects.object(collectionOid);
    const reference = child?.kind === 'table' ? rowReferenceAt(child, path) : undefined;
    if (child?.kind !== 'table' || reference === undefined) return;
    if (!storage.getNewest(key, 0, key.length, slot)) return;
    const document = collectionView(child, objects).layout.decode(slot);
    const held = referredValues(document, parsePath(path));
    for (const value of values) {
      if (!held.some((one) => equalValues(one, value))) continue;
      const isThere = (): Promise<void> | boolean => tables.hasRow(reference, value, true, transaction);
      let found = isThere();
      for (; found instanceof Promise; found = isThere()) yield found;
      if (found) continue;
      const parent = objects.object(reference.tableOid);
      const error = missingRow(child, parent?.name ?? '', path, document['_id'], value);
      if (child.collection?.validationAction !== 'warn') throw error;
      this.logger.warn(error.message, { collection: child.name, detail: error.detail });
    }
  }

  private *settleGoneRow(gone: GoneRowKey): Settling {
    const { transaction } = this;
    const { storage, objects } = transaction;
    const { path, before } = gone;
    if (this.tables.hasRow(gone.key, before[0], false, transaction) === true) return;
    const child = yield* shared(transaction, gone.child.oid);
    // Until it was shared it may have been altered.
    if (child === undefined || rowReferenceAt(child, path)?.tableOid !== gone.key.tableOid) return;
    for (const value of before) {
      const referrers = new Referrers(collectionView(child, objects), path, value);
      if (storage.concurrency !== 'locking') storage.guardRange(referrers.range);
      storage.relyOnNewest(referrers.range);
      const keys = referrers.keys(storage);
      if (keys.length === 0) continue;
      if (gone.action === 'restrict') throw stillReferred(gone, value);
      yield* this.spread(gone, child, referrers, keys);
    }
  }

  /** Removes the documents that refer, or exchanges what they refer to. */
  private *spread(
    { path, action, after }: GoneRowKey,
    child: TableDescriptor,
    referrers: Referrers,
    keys: readonly Uint8Array[],
  ): Settling {
    const { transaction, slot } = this;
    const { storage } = transaction;
    const view = collectionView(child, transaction.objects);
    const writer = this.writerOf(view, transaction);
    const steps = parsePath(path);
    for (const key of keys) {
      if (storage.concurrency === 'locking') {
        const wait = storage.lock(key, 0, key.length, LockStrength.Update, 'wait');
        if (wait instanceof Promise) yield wait;
      }
      if (!storage.getNewest(key, 0, key.length, slot)) continue;
      const document = view.layout.decode(slot);
      if (!referrers.holds(document)) continue;
      if (action === 'cascade' && after === undefined) {
        writer.remove(key, document);
        continue;
      }
      const value = action === 'cascade' ? after : null;
      const changed = exchangeReferred(document, steps, (one) => (referrers.is(one) ? value : one));
      const update = (): Promise<void> | undefined => writer.update(key, document, changed as PlainObject);
      for (let wait = update(); wait !== undefined; wait = update()) yield wait;
    }
  }

  private *settleGoneDocument({ parentOid, key, before, foreignKey }: GoneDocument): Settling {
    const { transaction, slot } = this;
    const { storage, objects } = transaction;
    const parent = objects.object(parentOid);
    if (parent?.kind !== 'table') return;
    const view = collectionView(parent, objects);
    const { field } = foreignKey.key;
    const keys = new DocumentKeys(view, foreignKey.key, storage);
    for (let wait = keys.holdGone(before); wait !== undefined; wait = keys.holdGone(before)) yield wait;
    if (keys.isThere(before)) return;
    const isThere = storage.getNewest(key, 0, key.length, slot);
    const after = isThere ? (ownField(view.layout.decode(slot), field) ?? null) : undefined;
    const gone = { parent, before, after, constraintOid: foreignKey.constraintOid, childOid: foreignKey.childOid };
    const tell = (): Promise<void> | undefined => this.tables.documentKeyGone(gone, transaction);
    for (let wait = tell(); wait !== undefined; wait = tell()) yield wait;
  }
}

function valueName(value: unknown): string {
  return keyText(encodePart(value).bytes);
}

function rowReferenceAt({ collection }: TableDescriptor, path: string): RowReference | undefined {
  return collection?.rowReferences?.find((reference) => reference.path === path);
}

function missingRow(child: TableDescriptor, parent: string, path: string, id: unknown, value: unknown): PhantomError {
  const message = `a document of "${child.name}" refers to a row of "${parent}" that does not exist`;
  return new PhantomError('23503', message, {
    detail: `Path "${path}" has the value ${shownValue(value)}.`,
    table: child.name,
    constraint: path,
    data: { id, path, value, table: parent },
  });
}

function stillReferred({ child, parent, path, after }: GoneRowKey, value: unknown): PhantomError {
  const fate = after === undefined ? 'removed' : 'given another key';
  return new PhantomError('23503', `documents of "${child.name}" refer to a row of "${parent.name}" that is ${fate}`, {
    detail: `Path "${path}" has the value ${shownValue(value)}.`,
    table: child.name,
    constraint: path,
    data: { table: parent.name, value },
  });
}
