/**
 * Keys of documents that rows refer to: the `_id`, or a field of the schema that a unique index keeps different in all documents. An
 * element of an array has an entry in the index, too, and is nobody's key: the field itself has to be the value.
 */
import { ByteWriter, assert } from '@phantom/base';
import type { DocumentKey, ObjectReader, Oid, TableDescriptor } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength, type MvccTransaction } from '@phantom/mvcc';
import type { CollectionView } from '../collection-view.js';
import { fieldBytes } from '../field-names.js';
import type { IndexLayout } from '../index-layout.js';
import { equalValues } from '../order.js';
import { ownField } from '../path.js';
import { possibleKey } from '../row-key.js';

/** A foreign key of a table that refers to a collection. */
export interface IncomingForeignKey {
  readonly childOid: Oid;
  readonly constraintOid: Oid;
  readonly key: DocumentKey;
}

/** The foreign keys of tables to documents of a collection. */
export function incomingForeignKeys(objects: ObjectReader, parent: TableDescriptor): IncomingForeignKey[] {
  const incoming = new Map<Oid, IncomingForeignKey>();
  for (const { dependentOid } of objects.dependentsOf(parent.oid)) {
    const child = objects.object(dependentOid);
    if (child?.kind !== 'table') continue;
    for (const constraint of child.constraints) {
      if (constraint.kind !== 'foreign key' || constraint.referencedTableOid !== parent.oid) continue;
      const column = parent.columns.find(({ number }) => number === constraint.referencedColumns[0]);
      const key = { field: column?.field?.name ?? '_id', indexOid: constraint.referencedIndexOid };
      incoming.set(constraint.oid, { childOid: child.oid, constraintOid: constraint.oid, key });
    }
  }
  return [...incoming.values()];
}

export class DocumentKeys {
  private readonly view: CollectionView;
  private readonly key: DocumentKey;
  private readonly storage: MvccTransaction;
  /** Undefined: the key is the `_id`. */
  private readonly index: IndexLayout | undefined;
  private readonly slot = new ByteSlot();

  constructor(view: CollectionView, key: DocumentKey, storage: MvccTransaction) {
    this.view = view;
    this.key = key;
    this.storage = storage;
    if (key.field === '_id') return;
    this.index = view.indexes.find(({ index }) => index.oid === key.indexOid);
    assert(this.index !== undefined, 'a foreign key stands on an index that is there');
  }

  /** True when a document has one of the values; nobody takes it away until the transaction ends. A promise: wait and ask again. */
  holdOne(values: readonly unknown[]): Promise<void> | boolean {
    let found = false;
    for (const value of values) {
      const wait = this.hold(value, LockStrength.KeyShare);
      if (wait !== undefined) return wait;
      found ||= this.isThere(value);
    }
    return found;
  }

  /** Keeps others from referring to the value, which is no document's any more, until the transaction ends. A promise: wait and ask again. */
  holdGone(value: unknown): Promise<void> | undefined {
    return this.hold(value, LockStrength.Update);
  }

  /** True when a document has the value in the newest state. */
  isThere(value: unknown): boolean {
    const entry = this.entryOf(value);
    if (entry === undefined || !this.storage.getNewest(entry, 0, entry.length, this.slot)) return false;
    if (this.index === undefined) return true;
    const { layout } = this.view;
    const key = layout.rowKey(this.slot);
    if (!this.storage.getNewest(key, 0, key.length, this.slot)) return false;
    const document = layout.decodeFields(this.slot, fieldBytes([this.key.field]));
    return equalValues(ownField(document, this.key.field), value);
  }

  private hold(value: unknown, strength: LockStrength): Promise<void> | undefined {
    const { storage } = this;
    const entry = this.entryOf(value);
    if (entry === undefined) return undefined;
    if (storage.concurrency === 'locking') {
      const wait = storage.lock(entry, 0, entry.length, strength, 'wait');
      return wait instanceof Promise ? wait : undefined;
    }
    if (strength === LockStrength.KeyShare) storage.guardPresence(entry, 0, entry.length);
    else storage.guard(entry, 0, entry.length);
    return undefined;
  }

  /** Under which key a document with the value is found. */
  private entryOf(value: unknown): Uint8Array | undefined {
    const { index } = this;
    if (index === undefined) return possibleKey(this.view, value);
    const writer = new ByteWriter();
    writer.bytes(index.prefix);
    index.appendPart(writer, 0, value);
    return writer.take();
  }
}
