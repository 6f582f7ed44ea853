/**
 * Entries of documents that are there already, for an index being built. The index is its maker's alone until the commit, and the
 * collection is locked against writers: nothing is locked, and nobody asks for an entry before the end. So all entries wait, are sorted
 * and put in the order of their keys (kv's NewEntries); two of one key in a unique index meet when they are put.
 */
import { ByteWriter, equalBytes } from '@phantom/base';
import { ByteSlot, NewEntries, SPACE_BYTES } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import { takenError } from './errors.js';
import { Entries, type IndexEntry, type IndexLayout } from './index-layout.js';
import type { PlainObject } from './order.js';
import type { DocumentTransaction } from './transaction.js';

const NO_BYTES = new Uint8Array(0);

export class NewIndexEntries {
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly index: IndexLayout;
  private readonly isOrdered: boolean;
  private readonly isUnique: boolean;
  private readonly entries: NewEntries;
  private readonly writer = new ByteWriter();
  private readonly slot = new ByteSlot();
  private isMarked = false;

  /** `view` has the one index that is being built. */
  constructor(view: CollectionView, transaction: DocumentTransaction) {
    this.view = view;
    this.transaction = transaction;
    this.index = view.indexes[0] as IndexLayout;
    this.isUnique = this.index.index.unique;
    this.isOrdered = this.index.isOrdered;
    this.entries = new NewEntries(this.isUnique ? { put: this.putUnique.bind(this) } : transaction.storage);
    this.entries.gather();
  }

  /** Takes the entries of a document under a key; of the document only what the index reads is asked. 23505 as `end`. */
  add(document: PlainObject, key: ByteSlot): void {
    const { index, writer } = this;
    if (this.isOrdered) {
      writer.reset();
      const entries = index.appendSingle(writer, document);
      if (entries === Entries.One) this.put(writer, key);
      if (entries !== Entries.Several) return;
    }
    for (const entry of index.entriesOf(document)) {
      writer.reset();
      writer.bytes(entry.key);
      if (index.definition.kind === 'text') this.putWord(entry, key);
      else this.put(writer, key);
    }
    if (index.sawArray) this.mark();
  }

  /** Puts what waits. 23505 when a unique index would have two documents under one key. */
  end(): void {
    this.entries.putGathered();
  }

  /** Takes the entry whose key, but for the row key, is in `writer`. */
  private put(writer: ByteWriter, { buffer, start, end }: ByteSlot): void {
    if (!this.isUnique) writer.bytes(buffer, start + SPACE_BYTES, end);
    this.entries.put(writer.buffer, 0, writer.length, buffer, start + SPACE_BYTES, end);
  }

  private putWord({ count }: IndexEntry, { buffer, start, end }: ByteSlot): void {
    const { writer } = this;
    writer.bytes(buffer, start + SPACE_BYTES, end);
    const valueStart = writer.length;
    writer.u8(count);
    writer.bytes(buffer, start + SPACE_BYTES, end);
    this.entries.put(writer.buffer, 0, valueStart, writer.buffer, valueStart, writer.length);
  }

  /** The first array marks the index. */
  private mark(): void {
    if (this.isMarked) return;
    this.isMarked = true;
    const { markKey } = this.index;
    this.transaction.storage.put(markKey, 0, markKey.length, NO_BYTES, 0, 0);
  }

  private putUnique(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    rowKey: Uint8Array,
    rowKeyStart: number,
    rowKeyEnd: number,
  ): void {
    const { slot, index } = this;
    const { storage } = this.transaction;
    if (!storage.getNewest(key, keyStart, keyEnd, slot)) {
      storage.put(key, keyStart, keyEnd, rowKey, rowKeyStart, rowKeyEnd);
      return;
    }
    if (equalBytes(slot.buffer, slot.start, slot.end, rowKey, rowKeyStart, rowKeyEnd)) return;
    throw takenError(this.view.table.name, index.index.name, index.definition);
  }
}
