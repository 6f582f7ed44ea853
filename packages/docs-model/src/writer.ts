/**
 * Writes of one collection in one transaction: rows and their index entries.
 *
 * Each write has two halves. The first may wait and changes nothing: it locks, looks for what is in the way, lets rules look. The
 * second cannot fail and puts everything into the transaction. So a caller who is handed a promise waits for it and calls again
 * (`settle`), and a write is whole or nothing.
 *
 * Uniqueness at each level, as for tables: a locking transaction locks the key and asks the newest committed state; an optimistic one
 * asks it now, and a race lost until the commit is 40001.
 */
import { ByteWriter, PhantomError, assert, compareKeys } from '@phantom/base';
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot, EntrySorter, SPACE_BYTES } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { changeNote, removalNote } from './changes/change-note.js';
import type { CollectionView } from './collection-view.js';
import { checkId, encodePart } from './document-layout.js';
import { Entries, type IndexEntry, type IndexLayout } from './index-layout.js';
import type { PlainObject } from './order.js';
import type { DocumentTransaction } from './transaction.js';

const NO_BYTES = new Uint8Array(0);
/** Where keys are put together: no call leaves anything there for another. */
const keyWriter = new ByteWriter();
const entryWriter = new ByteWriter();
const NO_ENTRIES: readonly IndexEntry[] = [];
/** Bytes of index entries that are kept back to be put in the order of their keys. */
const GATHERED_BYTES_MAX = 16 * 1024 * 1024;

interface EntryChange {
  readonly index: IndexLayout;
  readonly old: readonly IndexEntry[];
  readonly now: readonly IndexEntry[];
  readonly severalNow: boolean;
}

/** Told of each document before it is written, perhaps more than once: schemas and references stand here. */
export interface WriteRules {
  /** They do not look at what is written, only at what goes. */
  readonly ofRemovals: boolean;
  /** `before` is undefined for a new document. */
  written(before: PlainObject | undefined, after: PlainObject): void;
  removed(before: PlainObject): void;
}

/** Runs a write until it need not wait. */
export async function settle(write: () => Promise<void> | undefined): Promise<void> {
  for (let wait = write(); wait !== undefined; wait = write()) await wait;
}

export class CollectionWriter {
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly rules: WriteRules | undefined;
  /** The rules, where they look at what is written. */
  private readonly writeRules: WriteRules | undefined;
  private readonly policies: DocumentPolicies | undefined;
  private readonly locking: boolean;
  private readonly slot = new ByteSlot();
  private readonly row = new ByteSlot();
  private readonly marked = new Set<IndexLayout>();
  /** Where the entries of the document being inserted end in `entryWriter`, by index. */
  private readonly entryEnds: Int32Array;
  private gathered: EntrySorter | undefined;

  constructor(
    view: CollectionView,
    transaction: DocumentTransaction,
    rules: WriteRules | undefined,
    policies?: DocumentPolicies,
  ) {
    this.view = view;
    this.transaction = transaction;
    this.rules = rules;
    this.policies = policies;
    this.writeRules = rules?.ofRemovals === true ? undefined : rules;
    this.locking = transaction.storage.concurrency === 'locking';
    this.entryEnds = new Int32Array(view.indexes.length);
  }

  /** Many documents will be inserted, and nobody asks the indexes for them before `putGathered`: entries wait until then. */
  gatherEntries(): void {
    if (this.view.indexes.length > 0) this.gathered = new EntrySorter(GATHERED_BYTES_MAX);
  }

  /** Puts the entries that waited. */
  putGathered(): void {
    const { storage } = this.transaction;
    this.gathered?.drain((key, keyStart, keyEnd, value, valueStart, valueEnd) =>
      storage.put(key, keyStart, keyEnd, value, valueStart, valueEnd),
    );
  }

  /** Writes a new document under `id`. 23505 when the id or a unique key is taken. A promise: wait and call again. */
  insert(document: object, id: unknown): Promise<void> | undefined {
    checkId(id);
    const { layout, indexes } = this.view;
    const { storage } = this.transaction;
    const { row } = this;
    const key = keyWriter;
    const node = encodePart(id);
    key.reset();
    layout.appendKey(key, node);
    if (this.locking) {
      const wait = storage.lock(key.buffer, 0, key.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    }
    if (storage.getNewest(key.buffer, 0, key.length, this.slot)) throw this.duplicateId(id);
    const encoded = layout.encode(document, id, node);
    this.policies?.check('insert', encoded.buffer, 0, encoded.length);
    if (this.writeRules === undefined && indexes.length === 0) {
      storage.put(key.buffer, 0, key.length, encoded.buffer, 0, encoded.length);
      return undefined;
    }
    const isPlain = this.writeRules === undefined && this.isPlainToIndexes(document);
    if (isPlain && this.view.hasPlainIndexes) {
      this.appendEntries(document as PlainObject, key);
      storage.put(key.buffer, 0, key.length, encoded.buffer, 0, encoded.length);
      this.putEntries(key);
      return undefined;
    }
    const rowKey = key.view();
    if (isPlain) {
      const changes = this.changesOf(undefined, document as PlainObject);
      const wait = this.claim(changes, rowKey);
      if (wait !== undefined) return wait;
      storage.put(rowKey, 0, rowKey.length, encoded.buffer, 0, encoded.length);
      this.apply(changes, rowKey);
      return undefined;
    }
    // What was encoded is what counts: undefined left out, views made binary.
    const bytes = encoded.take();
    row.set(bytes, 0, bytes.length);
    const stored = this.storedDocument(row);
    const changes = this.changesOf(undefined, stored);
    this.writeRules?.written(undefined, stored);
    const wait = this.claim(changes, rowKey);
    if (wait !== undefined) return wait;
    storage.put(rowKey, 0, rowKey.length, bytes, 0, bytes.length);
    this.apply(changes, rowKey);
    return undefined;
  }

  /**
   * Key of a document that a new one would meet on one of these unique indexes (none named: on any), in the newest state. A promise: wait
   * and call again.
   */
  conflict(document: object, id: unknown, indexOids: readonly number[]): Promise<void> | Uint8Array | undefined {
    checkId(id);
    const { layout, indexes, table } = this.view;
    const isAsked = (oid: number): boolean => indexOids.length === 0 || indexOids.includes(oid);
    const node = encodePart(id);
    const { row } = this;
    const key = keyWriter;
    if (isAsked(table.indexOids[0] as number)) {
      key.reset();
      layout.appendKey(key, node);
      const rowKey = key.take();
      const taken = this.claimKey(rowKey);
      if (taken !== false) return taken === true ? rowKey : taken;
    }
    const encoded = layout.encode(document, id, node);
    row.set(encoded.buffer, 0, encoded.length);
    const stored = this.storedDocument(row);
    for (const index of indexes) {
      if (!index.index.unique || !isAsked(index.index.oid)) continue;
      for (const entry of index.entriesOf(stored)) {
        const taken = this.claimKey(entry.key);
        if (taken === false) continue;
        return taken === true ? layout.rowKey(this.slot) : taken;
      }
    }
    return undefined;
  }

  /** Locks a key where the level asks for it, and tells whether it is there already (its value in `slot`). */
  private claimKey(key: Uint8Array): boolean | Promise<void> {
    const { storage } = this.transaction;
    if (this.locking) {
      const wait = storage.lock(key, 0, key.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    }
    return storage.getNewest(key, 0, key.length, this.slot);
  }

  /** Puts together in `entryWriter` the entries of a document without arrays in plain indexes. Fails for what they cannot hold. */
  private appendEntries(document: PlainObject, key: ByteWriter): void {
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

  private putEntries(key: ByteWriter): void {
    let start = 0;
    for (let i = 0; i < this.entryEnds.length; i++) {
      const end = this.entryEnds[i] as number;
      if (end > start) this.putNewEntry(entryWriter.buffer, start, end, key.buffer, SPACE_BYTES, key.length);
      start = end;
    }
  }

  /** An entry that no other document has; it waits while entries are gathered. */
  private putNewEntry(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { gathered } = this;
    if (gathered === undefined) {
      this.transaction.storage.put(key, keyStart, keyEnd, value, valueStart, valueEnd);
      return;
    }
    if (gathered.isFull) this.putGathered();
    gathered.add(key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  /** True when what indexes read of a caller's object is the same as when it is stored: scalars of its own. */
  private isPlainToIndexes(document: object): document is PlainObject {
    const { indexedFields } = this.view;
    if (indexedFields === undefined || document instanceof Map) return false;
    for (const field of indexedFields) {
      // The id may have been made for a document that has none.
      if (field === '_id') return false;
      const value: unknown = (document as PlainObject)[field];
      const isPlain = value === undefined || value === null || typeof value !== 'object';
      if (!isPlain || (value !== undefined && !Object.hasOwn(document, field))) return false;
    }
    return true;
  }

  /**
   * Puts a document in the place of the one under a key that the caller holds; the id stays. Change streams are told what has changed,
   * or, with `replaces`, only that it was replaced. A promise: wait and call again.
   */
  update(key: Uint8Array, before: PlainObject, after: PlainObject, replaces = false): Promise<void> | undefined {
    const { layout, indexes } = this.view;
    const { storage } = this.transaction;
    const { row } = this;
    const id = before['_id'];
    const encoded = layout.encode(after, id, encodePart(id));
    this.policies?.check('update', encoded.buffer, 0, encoded.length);
    if (this.writeRules === undefined && indexes.length === 0) {
      storage.put(key, 0, key.length, encoded.buffer, 0, encoded.length, changeNote(before, after, replaces));
      return undefined;
    }
    const bytes = encoded.take();
    row.set(bytes, 0, bytes.length);
    const stored = this.storedDocument(row);
    const changes = this.changesOf(before, stored);
    this.writeRules?.written(before, stored);
    const wait = this.claim(changes, key);
    if (wait !== undefined) return wait;
    storage.put(key, 0, key.length, bytes, 0, bytes.length, changeNote(before, after, replaces));
    this.apply(changes, key);
    return undefined;
  }

  /** True when a change of these top-level fields concerns neither rules nor indexes: `updateFields` may write it. */
  writesFieldsAlone(fields: ReadonlySet<string>): boolean {
    const { indexes, indexedFields } = this.view;
    if (this.writeRules !== undefined) return false;
    if (indexes.length === 0) return true;
    if (indexedFields === undefined) return false;
    for (const field of fields) if (indexedFields.has(field)) return false;
    return true;
  }

  /** As update, for some top-level fields of the row's document; the others are left as they are, unread. */
  updateFields(key: Uint8Array, row: ByteSlot, before: PlainObject, after: PlainObject): void {
    const encoded = this.view.layout.encodeChanged(row, before, after);
    this.policies?.check('update', encoded.buffer, 0, encoded.length);
    const note = changeNote(before, after, false);
    this.transaction.storage.put(key, 0, key.length, encoded.buffer, 0, encoded.length, note);
  }

  /** Removes the document under a key that the caller holds. */
  remove(key: Uint8Array, before: PlainObject): void {
    this.rules?.removed(before);
    const changes = this.changesOf(before, undefined);
    this.transaction.storage.remove(key, 0, key.length, removalNote(encodePart(before['_id'])));
    this.apply(changes, key);
  }

  /** Puts the entries of a document that is there already, for indexes being built. A promise: wait and call again. */
  addEntries(document: PlainObject, key: Uint8Array): Promise<void> | undefined {
    const changes = this.changesOf(undefined, document);
    const wait = this.claim(changes, key);
    if (wait !== undefined) return wait;
    this.apply(changes, key);
    return undefined;
  }

  /** Waits for nobody: what indexes read of a document, or all of it where rules want to see it. */
  private storedDocument(row: ByteSlot): PlainObject {
    const { layout, indexFields } = this.view;
    return this.writeRules === undefined && indexFields !== undefined
      ? layout.decodeFields(row, indexFields)
      : layout.decode(row);
  }

  /** Entries that go and come, by index. Fails for documents that an index cannot hold. */
  private changesOf(before: PlainObject | undefined, after: PlainObject | undefined): readonly EntryChange[] {
    return this.view.indexes.map((index) => ({
      index,
      old: before === undefined ? NO_ENTRIES : index.entriesOf(before),
      // Last, for `sawArray` is of what was asked last.
      now: after === undefined ? NO_ENTRIES : index.entriesOf(after),
      severalNow: after !== undefined && index.sawArray,
    }));
  }

  /** Locks and looks at the unique entries that are new. */
  private claim(changes: readonly EntryChange[], key: Uint8Array): Promise<void> | undefined {
    for (const { index, old, now } of changes) {
      const wait = index.index.unique ? this.claimEntries(index, now, old, key) : undefined;
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  private apply(changes: readonly EntryChange[], key: Uint8Array): void {
    for (const { index, old, now, severalNow } of changes) {
      if (severalNow) this.markMultikey(index);
      this.moveEntries(index, old, now, key);
    }
  }

  private duplicateId(id: unknown): PhantomError {
    const { table } = this.view.layout;
    return new PhantomError('23505', `duplicate key value violates unique constraint "${table.name}_pkey"`, {
      detail: `Key (_id)=(${String(id)}) already exists.`,
      table: table.name,
      constraint: `${table.name}_pkey`,
    });
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
    for (const entry of entries) {
      if (old.some((one) => compareKeys(one.key, entry.key) === 0)) continue;
      if (this.locking) {
        const wait = this.transaction.storage.lock(entry.key, 0, entry.key.length, LockStrength.Update, 'wait');
        if (wait instanceof Promise) return wait;
      }
      this.refuseEntry(index, entry, key);
    }
    return undefined;
  }

  private refuseEntry(index: IndexLayout, entry: IndexEntry, key: Uint8Array): void {
    const { slot } = this;
    if (!this.transaction.storage.getNewest(entry.key, 0, entry.key.length, slot)) return;
    if (sameBytes(slot, key)) return;
    throw new PhantomError('23505', `duplicate key value violates unique constraint "${index.index.name}"`, {
      detail: `Another document has the same ${index.definition.parts.map(({ path }) => path).join(', ')}.`,
      table: this.view.layout.table.name,
      constraint: index.index.name,
    });
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
      this.putNewEntry(writer.buffer, 0, writer.length, value, 0, value.length);
    } else if (index.index.unique) {
      storage.put(writer.buffer, 0, writer.length, key, SPACE_BYTES, key.length);
    } else {
      this.putNewEntry(writer.buffer, 0, writer.length, key, SPACE_BYTES, key.length);
    }
  }

  private removeEntry(index: IndexLayout, entry: IndexEntry, key: Uint8Array): void {
    const writer = this.entryKey(index, entry, key);
    this.transaction.storage.remove(writer.buffer, 0, writer.length);
  }
}

function sameBytes(value: ByteSlot, key: Uint8Array): boolean {
  if (value.end - value.start !== key.length - SPACE_BYTES) return false;
  for (let i = SPACE_BYTES; i < key.length; i++)
    if (value.buffer[value.start + i - SPACE_BYTES] !== key[i]) return false;
  return true;
}
