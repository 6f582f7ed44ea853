/**
 * What the writes of a transaction owe to references, settled at its end, so that a document and what it refers to may come and go in
 * any order.
 *
 *   a document that refers    each value that is new in it must be the `_id` of a document. That one's key is locked (KeyShare), or
 *                             guarded where nothing is locked, and looked up in the newest state
 *   a document that went      who refers to it is 23503 (restrict), goes too (cascade) or has null in its place (set null);
 *                             a cascade owes checks of its own, and ends where it meets what has gone already
 *
 * What is owed is looked at again when it is settled: a write that was undone by then, or a document that came back, owes nothing.
 * Settling waits for locks alone, so where there is none to wait for it is done in one go, for callers who cannot wait.
 *
 * Invariant: no two transactions can leave a reference without its document, because the key of the document that one removes is the
 * key that the other locks or guards.
 */
import { type Logger, PhantomError } from '@phantom/base';
import type { DocumentReference, Oid, TableDescriptor } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { type CollectionView, collectionView } from '../collection-view.js';
import { type PlainObject, equalValues } from '../order.js';
import { parsePath } from '../path.js';
import type { DocumentTransaction } from '../transaction.js';
import { type IncomingReference, Referrers, incomingReferences } from './incoming.js';
import { exchangeReferred, newlyReferred, referredValues } from './places.js';
import { type Settling, SettlingOnce, type WriterOf, keyText, shared, shownValue, takeFirst } from './settling.js';
import { documentKey, possibleKey } from '../row-key.js';

/** A document that holds new references at one path. */
interface OwedReferences {
  readonly collectionOid: Oid;
  readonly path: string;
  readonly key: Uint8Array;
  readonly values: unknown[];
}

/** A document that went. */
interface OwedRemoval {
  readonly collectionOid: Oid;
  readonly id: unknown;
  readonly key: Uint8Array;
}

export class ReferenceChecks {
  private readonly transaction: DocumentTransaction;
  private readonly writerOf: WriterOf;
  private readonly logger: Logger;
  private readonly references = new Map<string, OwedReferences>();
  private readonly removals = new Map<string, OwedRemoval>();
  private readonly slot = new ByteSlot();
  private readonly once: SettlingOnce;

  constructor(transaction: DocumentTransaction, writerOf: WriterOf, logger: Logger) {
    this.transaction = transaction;
    this.writerOf = writerOf;
    this.logger = logger;
    this.once = new SettlingOnce(transaction, () => this.settleAll());
  }

  /** A document is written: owes what refers in it and did not before. */
  written(view: CollectionView, before: PlainObject | undefined, after: PlainObject): void {
    const { table } = view;
    for (const { path } of table.collection?.references ?? []) {
      const values = newlyReferred(parsePath(path), before, after);
      if (values.length === 0) continue;
      const key = documentKey(view, after['_id']);
      const name = `${keyText(key)}${path}`;
      const owed = this.references.get(name);
      if (owed === undefined) this.references.set(name, { collectionOid: table.oid, path, key, values });
      else owed.values.push(...values.filter((value) => !owed.values.some((one) => equalValues(one, value))));
      this.once.register();
    }
  }

  /** A document goes, to which others may refer. */
  removed(view: CollectionView, before: PlainObject): void {
    const id = before['_id'];
    const key = documentKey(view, id);
    this.removals.set(keyText(key), { collectionOid: view.table.oid, id, key });
    this.once.register();
  }

  private *settleAll(): Settling {
    for (;;) {
      // Removals first: what they take along need not have what it refers to.
      const removal = takeFirst(this.removals);
      const references = removal === undefined ? takeFirst(this.references) : undefined;
      if (removal !== undefined) yield* this.settleRemoval(removal);
      else if (references !== undefined) yield* this.settleReferences(references);
      else return;
    }
  }

  private *settleReferences({ collectionOid, path, key, values }: OwedReferences): Settling {
    const { objects, storage } = this.transaction;
    const child = objects.object(collectionOid);
    const reference = child?.kind === 'table' ? referenceAt(child, path) : undefined;
    if (child?.kind !== 'table' || reference === undefined) return;
    if (!storage.getNewest(key, 0, key.length, this.slot)) return;
    const document = collectionView(child, objects).layout.decode(this.slot);
    const held = referredValues(document, parsePath(path));
    for (const value of values) {
      if (!held.some((one) => equalValues(one, value))) continue;
      const parent = yield* shared(this.transaction, reference.collectionOid);
      if (parent === undefined || (yield* this.isThere(parent, value))) continue;
      const error = missingDocument(child, parent, path, document['_id'], value);
      if (child.collection?.validationAction !== 'warn') throw error;
      this.logger.warn(error.message, { collection: child.name, detail: error.detail });
    }
  }

  /** True when the collection has the document; nobody removes it until the transaction ends. */
  private *isThere(parent: TableDescriptor, id: unknown): Settling<boolean> {
    const { storage, objects } = this.transaction;
    const key = possibleKey(collectionView(parent, objects), id);
    if (key === undefined) return false;
    if (storage.concurrency === 'locking') {
      const wait = storage.lock(key, 0, key.length, LockStrength.KeyShare, 'wait');
      if (wait instanceof Promise) yield wait;
    } else {
      storage.guardPresence(key, 0, key.length);
    }
    return storage.getNewest(key, 0, key.length, this.slot);
  }

  private *settleRemoval({ collectionOid, id, key }: OwedRemoval): Settling {
    const { objects, storage } = this.transaction;
    if (storage.getNewest(key, 0, key.length, this.slot)) return;
    for (const incoming of incomingReferences(objects, collectionOid)) {
      const child = yield* shared(this.transaction, incoming.child.oid);
      // Until it was shared it may have been altered.
      if (child === undefined || referenceAt(child, incoming.reference.path) === undefined) continue;
      const referrers = new Referrers(collectionView(child, objects), incoming.reference.path, id);
      if (storage.concurrency !== 'locking') {
        storage.guard(key, 0, key.length);
        storage.guardRange(referrers.range);
      }
      storage.relyOnNewest(referrers.range);
      const keys = referrers.keys(storage);
      if (keys.length === 0) continue;
      if (incoming.reference.onDelete === 'restrict') throw this.stillReferenced(collectionOid, incoming, id);
      yield* this.spread(child, incoming.reference, referrers, keys);
    }
  }

  /** Removes the documents that refer, or sets their references to null. */
  private *spread(
    child: TableDescriptor,
    reference: DocumentReference,
    referrers: Referrers,
    keys: readonly Uint8Array[],
  ): Settling {
    const { objects, storage } = this.transaction;
    const view = collectionView(child, objects);
    const writer = this.writerOf(view, this.transaction);
    const path = parsePath(reference.path);
    for (const key of keys) {
      if (storage.concurrency === 'locking') {
        const wait = storage.lock(key, 0, key.length, LockStrength.Update, 'wait');
        if (wait instanceof Promise) yield wait;
      }
      if (!storage.getNewest(key, 0, key.length, this.slot)) continue;
      const document = view.layout.decode(this.slot);
      if (!referrers.holds(document)) continue;
      if (reference.onDelete === 'cascade') {
        writer.remove(key, document);
      } else {
        const without = exchangeReferred(document, path, (value) => (referrers.is(value) ? null : value));
        const update = (): Promise<void> | undefined => writer.update(key, document, without as PlainObject);
        for (let wait = update(); wait !== undefined; wait = update()) yield wait;
      }
    }
  }

  private stillReferenced(collectionOid: Oid, { child, reference }: IncomingReference, id: unknown): PhantomError {
    const parent = this.transaction.objects.object(collectionOid);
    const name = parent?.kind === 'table' ? parent.name : '';
    return new PhantomError('23503', `documents of "${child.name}" refer to a document of "${name}" that is removed`, {
      detail: `Path "${reference.path}" has the value ${shownValue(id)}.`,
      table: child.name,
      constraint: reference.path,
      data: { collection: name, id },
    });
  }
}

function missingDocument(
  child: TableDescriptor,
  parent: TableDescriptor,
  path: string,
  id: unknown,
  value: unknown,
): PhantomError {
  const message = `a document of "${child.name}" refers to a document of "${parent.name}" that does not exist`;
  return new PhantomError('23503', message, {
    detail: `Path "${path}" has the value ${shownValue(value)}.`,
    table: child.name,
    constraint: path,
    data: { id, path, value, collection: parent.name },
  });
}

function referenceAt({ collection }: TableDescriptor, path: string): DocumentReference | undefined {
  return collection?.references?.find((reference) => reference.path === path);
}
