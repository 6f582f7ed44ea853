/**
 * The index entries of documents that are written, in one transaction. Claiming may wait and changes nothing; what follows cannot fail:
 * the two halves of a write (writer.ts).
 */
import { ByteWriter, assert, compareKeys, equalBytes } from '@phantom/base';
import { ByteSlot, NewEntries, SPACE_BYTES } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { CollectionView } from './collection-view.js';
import { takenError } from './errors.js';
import { Entries, type IndexEntry, type IndexLayout } from './index-layout.js';
import type { PlainObject } from './order.js';
import type { DocumentTransaction } from './transaction.js';

const NO_BYTES = new Uint8Array(0);
/** Where keys are put together: no call leaves anything there for another. */
const entryWriter = new ByteWriter();
const NO_ENTRIES: readonly IndexEntry[] = [];

/** What becomes of the entries of one index. */
export interface EntryChange {
  readonly index: IndexLayout;
  readonly old: readonly IndexEntry[];
  readonly now: readonly IndexEntry[];
  readonly severalNow: boolean;
}

export class IndexWriter {
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly slot = new ByteSlot();
  private readonly marked = new Set<IndexLayout>();
  /** Where the entries of the document being inserted end in `entryWriter`, by index. */
  private readonly entryEnds: Int32Array;
  private readonly newEntries: NewEntries;

  constructor(view: CollectionView, transaction: DocumentTransaction) {
    this.view = view;
    this.transaction = transaction;
    this.entryEnds = new Int32Array(view.indexes.length);
    this.newEntries = new NewEntries(transaction.storage, transaction.storage);
  }

  /** Entries that come and go wait from now on until `putGathered`, or until they are many. */
  gather(): void {
    this.newEntries.gather();
  }

  /** So many more documents are to come, like those whose entries wait. Gives how many entries are to be put then. */
  expect(documents: number, documentsBefore: number): number {
    return this.newEntries.expect(documents, documentsBefore);
  }

  /** Bytes of the entries that wait. */
  get gatheredBytes(): number {
    return this.newEntries.waitingBytes;
  }

  /** Puts the entries that waited; none waits from now on. */
  putGathered(): void {
    this.newEntries.putGathered();
    this.newEntries.drop();
  }

  /** Puts together in `entryWriter` the entries of a document without arrays in plain indexes. Fails for what they cannot hold. */
  appendSingles(document: PlainObject, key: ByteWriter): void {
    const { indexes } = this.view;
    entryWriter.reset();
    for (let i = 0; i < indexes.length; i++) {
      const index = indexes[i] as IndexLayout;
      const entries = index.appendSingle(entryWriter, document);
      assert(entries !== Entries.Several, 'a document without arrays has one entry in an index');
      if (entries === Entries.One) entryWriter.bytes(key.buffer, SPACE_BYTES, key.length);
      this.entryEnds[i] = entryWriter.length;
    }
  }

  /** Puts the entries that `appendSingles` has put together. */
  putSingles(key: ByteWriter): void {
    let start = 0;
    for (let i = 0; i < this.entryEnds.length; i++) {
      const end = this.entryEnds[i] as number;
      if (end > start) this.newEntries.put(entryWriter.buffer, start, end, key.buffer, SPACE_BYTES, key.length);
      start = end;
    }
  }

  /** Entries that go and come, by index. Fails for documents that an index cannot hold. */
  changesOf(
    before: PlainObject | undefined,
    after: PlainObject | undefined,
    indexes: readonly IndexLayout[] = this.view.indexes,
  ): readonly EntryChange[] {
    return indexes.map((index) => ({
      index,
      old: before === undefined ? NO_ENTRIES : index.entriesOf(before),
      // Last, for `sawArray` is of what was asked last.
      now: after === undefined ? NO_ENTRIES : index.entriesOf(after),
      severalNow: after !== undefined && index.sawArray,
    }));
  }

  /** Removes the entries of a document that goes. Those that wait may be unique ones: a statement that removes asks for none. */
  removeAll(before: PlainObject, key: Uint8Array): void {
    for (const index of this.view.indexes) {
      const writer = entryWriter;
      if (index.isOrdered) {
        writer.reset();
        const entries = index.appendSingle(writer, before);
        if (entries === Entries.One) {
          if (!index.index.unique) writer.bytes(key, SPACE_BYTES);
          this.newEntries.remove(writer.buffer, 0, writer.length);
        }
        if (entries !== Entries.Several) continue;
      }
      for (const entry of index.entriesOf(before)) {
        this.entryKey(index, entry, key);
        this.newEntries.remove(writer.buffer, 0, writer.length);
      }
    }
  }

  /** Locks and looks at the unique entries that are new. */
  claim(changes: readonly EntryChange[], key: Uint8Array): Promise<void> | undefined {
    for (const { index, old, now } of changes) {
      const wait = index.index.unique ? this.claimEntries(index, now, old, key) : undefined;
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  /** Moves the entries of the document under a key. */
  apply(changes: readonly EntryChange[], key: Uint8Array): void {
    for (const { index, old, now, severalNow } of changes) {
      if (severalNow) this.markMultikey(index);
      this.moveEntries(index, old, now, key);
    }
  }

  /** The first array marks the index. */
  private markMultikey(index: IndexLayout): void {
    if (this.marked.has(index)) return;
    this.marked.add(index);
    const { storage } = this.transaction;
    const { markKey } = index;
    if (storage.getNewest(markKey, 0, markKey.length, this.slot)) return;
    storage.put(markKey, 0, markKey.length, NO_BYTES, 0, 0);
  }

  private claimEntries(
    index: IndexLayout,
    entries: readonly IndexEntry[],
    old: readonly IndexEntry[],
    key: Uint8Array,
  ): Promise<void> | undefined {
    const { storage } = this.transaction;
    for (const entry of entries) {
      if (old.some((one) => compareKeys(one.key, entry.key) === 0)) continue;
      if (storage.concurrency === 'locking') {
        const wait = storage.lock(entry.key, 0, entry.key.length, LockStrength.Update, 'wait');
        if (wait instanceof Promise) return wait;
      }
      this.refuseEntry(index, entry, key);
    }
    return undefined;
  }

  private refuseEntry(index: IndexLayout, entry: IndexEntry, key: Uint8Array): void {
    const { slot } = this;
    const { storage } = this.transaction;
    if (!storage.getNewest(entry.key, 0, entry.key.length, slot)) return;
    if (equalBytes(slot.buffer, slot.start, slot.end, key, SPACE_BYTES, key.length)) return;
    const lost = storage.raceLostOn(entry.key, 0, entry.key.length);
    if (lost !== undefined) throw lost;
    throw takenError(this.view.table.name, index.index.name, index.definition);
  }

  private moveEntries(
    index: IndexLayout,
    old: readonly IndexEntry[],
    now: readonly IndexEntry[],
    key: Uint8Array,
  ): void {
    let i = 0;
    let k = 0;
    while (i < old.length || k < now.length) {
      const was = old[i];
      const is = now[k];
      const order = was === undefined ? 1 : is === undefined ? -1 : compareKeys(was.key, is.key);
      if (order < 0) {
        this.removeEntry(index, was as IndexEntry, key);
        i++;
      } else if (order > 0) {
        this.putEntry(index, is as IndexEntry, key);
        k++;
      } else {
        if ((was as IndexEntry).count !== (is as IndexEntry).count) this.putEntry(index, is as IndexEntry, key);
        i++;
        k++;
      }
    }
  }

  private entryKey(index: IndexLayout, entry: IndexEntry, key: Uint8Array): ByteWriter {
    const writer = entryWriter;
    writer.reset();
    writer.bytes(entry.key);
    if (!index.index.unique) writer.bytes(key, SPACE_BYTES);
    return writer;
  }

  private putEntry(index: IndexLayout, entry: IndexEntry, key: Uint8Array): void {
    const writer = this.entryKey(index, entry, key);
    const { storage } = this.transaction;
    if (index.definition.kind === 'text') {
      const value = new Uint8Array(1 + key.length - SPACE_BYTES);
      value[0] = entry.count;
      value.set(key.subarray(SPACE_BYTES), 1);
      this.newEntries.put(writer.buffer, 0, writer.length, value, 0, value.length);
    } else if (index.index.unique) {
      storage.put(writer.buffer, 0, writer.length, key, SPACE_BYTES, key.length);
    } else {
      this.newEntries.put(writer.buffer, 0, writer.length, key, SPACE_BYTES, key.length);
    }
  }

  private removeEntry(index: IndexLayout, entry: IndexEntry, key: Uint8Array): void {
    const writer = this.entryKey(index, entry, key);
    if (index.index.unique) this.transaction.storage.remove(writer.buffer, 0, writer.length);
    else this.newEntries.remove(writer.buffer, 0, writer.length);
  }
}
