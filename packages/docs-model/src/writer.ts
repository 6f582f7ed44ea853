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
import { ByteWriter, PhantomError } from '@phantom/base';
import type { DocumentPolicies } from '@phantom/catalog';
import type { FieldPlaces, StructureStore } from '@phantom/codec';
import { ByteSlot, type ValueSource, spaceOfKey } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { changeNote, patchNote, removalNote } from './changes/change-note.js';
import type { ChangedPart, CollectionView } from './collection-view.js';
import { checkId, encodePart } from './document-layout.js';
import { IndexWriter } from './index-writer.js';
import type { PlainObject } from './order.js';
import type { DocumentTransaction } from './transaction.js';

/** Where keys and rows are put together, values and rows are read: no call leaves anything there for another. */
const keyWriter = new ByteWriter();
const rowWriter = new ByteWriter();
const slot = new ByteSlot();
const row = new ByteSlot();
const changed = new ByteSlot();

/** Copies a row into `rowWriter`, and aims `row` at it: who looks at its document may encode others. */
function keepRow(encoded: ByteWriter): void {
  rowWriter.reset();
  rowWriter.bytes(encoded.buffer, 0, encoded.length);
  row.set(rowWriter.buffer, 0, rowWriter.length);
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

const NO_FIELDS: PlainObject = {};
/** What documents to come may be larger by than those before: each longer number costs a byte. */
const ROOM_MARGIN = 9 / 8;
/** Operations beside those of documents and their entries: structures that are learnt, marks of indexes. */
const OPERATIONS_BESIDE = 64;

export class CollectionWriter implements ValueSource {
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly structures: StructureStore;
  private readonly rules: WriteRules | undefined;
  /** The rules, where they look at what is written. */
  private readonly writeRules: WriteRules | undefined;
  private readonly policies: DocumentPolicies | undefined;
  private readonly locking: boolean;
  /** Made for the first write that concerns indexes. */
  private indexes: IndexWriter | undefined;
  /** The document being inserted, and its id. */
  private inserted: PlainObject = NO_FIELDS;
  private insertedId: unknown = undefined;

  constructor(
    view: CollectionView,
    transaction: DocumentTransaction,
    structures: StructureStore,
    rules: WriteRules | undefined,
    policies?: DocumentPolicies,
  ) {
    this.view = view;
    this.transaction = transaction;
    this.structures = structures;
    this.rules = rules;
    this.policies = policies;
    this.writeRules = rules?.ofRemovals === true ? undefined : rules;
    this.locking = transaction.storage.concurrency === 'locking';
  }

  private get entries(): IndexWriter {
    return (this.indexes ??= new IndexWriter(this.view, this.transaction));
  }

  /** Puts a document under the key in `keyWriter` that is encoded where it goes, and its entries, of which nothing can be in the way. */
  private insertPlain(document: PlainObject, id: unknown): void {
    const key = keyWriter;
    const hasEntries = this.view.indexes.length > 0;
    if (hasEntries) this.appendSingles(document, id);
    this.inserted = document;
    this.insertedId = id;
    this.transaction.storage.putFrom(key.buffer, 0, key.length, this);
    if (hasEntries) this.entries.putSingles(key);
  }

  private appendSingles(document: PlainObject, id: unknown): void {
    try {
      this.entries.appendSingles(document, keyWriter);
    } catch (error) {
      // What is wrong with the document itself is told first.
      this.view.layout.encode(document, id, this.structures);
      throw error;
    }
  }

  /** For `insertPlain`: the row. */
  writeValue(writer: ByteWriter): void {
    this.view.layout.encodeTo(writer, this.inserted, this.insertedId, this.structures);
  }

  /** Many documents will be written, and nobody asks the indexes for them before `putGathered`: entries wait until then. */
  gatherEntries(): void {
    if (this.view.indexes.length > 0) this.entries.gather();
  }

  /** Bytes written by the transaction, entries that wait among them. */
  get writtenBytes(): number {
    return this.transaction.storage.writtenBytes + (this.indexes?.gatheredBytes ?? 0);
  }

  /** So many more documents are to come, like those before, which took so many bytes: makes room for them at once. */
  expect(documents: number, documentsBefore: number, bytesBefore: number): void {
    const bytes = Math.ceil((bytesBefore / documentsBefore) * ROOM_MARGIN * documents);
    const entries = this.indexes?.expect(documents, documentsBefore) ?? 0;
    this.transaction.storage.expectWrites(bytes, documents + entries + OPERATIONS_BESIDE);
  }

  /** Puts the entries that waited. */
  putGathered(): void {
    this.indexes?.putGathered();
  }

  /** Writes a new document under `id`. 23505 when the id or a unique key is taken. A promise: wait and call again. */
  insert(document: object, id: unknown): Promise<void> | undefined {
    checkId(id);
    const { layout, indexes } = this.view;
    const { storage } = this.transaction;
    const key = keyWriter;
    key.reset();
    layout.appendKey(key, id);
    if (this.locking) {
      const wait = storage.claim(key.buffer, 0, key.length);
      if (wait !== undefined) return wait;
    }
    if (storage.getNewest(key.buffer, 0, key.length, slot))
      throw storage.raceLostOn(key.buffer, 0, key.length) ?? this.duplicateId(id);
    const isPlain = this.writeRules === undefined && (indexes.length === 0 || this.isPlainToIndexes(document));
    if (isPlain && this.policies === undefined && this.view.hasPlainIndexes) {
      this.insertPlain(document as PlainObject, id);
      return undefined;
    }
    const encoded = layout.encode(document, id, this.structures);
    this.policies?.check('insert', encoded.buffer, 0, encoded.length);
    keepRow(encoded);
    // What was encoded is what counts: undefined left out, views made binary.
    const stored = isPlain ? (document as PlainObject) : this.storedDocument(row);
    if (this.view.hasPlainIndexes && this.isPlainToIndexes(stored)) {
      this.entries.appendSingles(stored, key);
      this.writeRules?.written(undefined, stored);
      storage.put(key.buffer, 0, key.length, rowWriter.buffer, 0, rowWriter.length);
      this.entries.putSingles(key);
      return undefined;
    }
    const rowKey = key.view();
    const changes = this.entries.changesOf(undefined, stored);
    this.writeRules?.written(undefined, stored);
    const wait = this.entries.claim(changes, rowKey);
    if (wait !== undefined) return wait;
    storage.put(rowKey, 0, rowKey.length, rowWriter.buffer, 0, rowWriter.length);
    this.entries.apply(changes, rowKey);
    return undefined;
  }

  /** Says that who inserts changes a document that is in the way instead, so a race lost on its keys is 40001, not 23505. */
  meetConflicts(): void {
    const { storage } = this.transaction;
    storage.arbitrate(this.view.table.space);
    for (const { index } of this.view.indexes) if (index.unique) storage.arbitrate(index.space);
  }

  /**
   * Key of a document that a new one would meet on one of these unique indexes (none named: on any), in the newest state. A promise: wait
   * and call again.
   */
  conflict(document: object, id: unknown, indexOids: readonly number[]): Promise<void> | Uint8Array | undefined {
    checkId(id);
    const { layout, indexes, table } = this.view;
    const isAsked = (oid: number): boolean => indexOids.length === 0 || indexOids.includes(oid);
    const key = keyWriter;
    if (isAsked(table.indexOids[0] as number)) {
      key.reset();
      layout.appendKey(key, id);
      const rowKey = key.take();
      const taken = this.claimKey(rowKey);
      if (taken !== false) return taken === true ? rowKey : taken;
    }
    const encoded = layout.encode(document, id, this.structures);
    row.set(encoded.buffer, 0, encoded.length);
    const stored = this.storedDocument(row);
    for (const index of indexes) {
      if (!index.index.unique || !isAsked(index.index.oid)) continue;
      for (const entry of index.entriesOf(stored)) {
        const taken = this.claimKey(entry.key);
        if (taken === false) continue;
        return taken === true ? layout.rowKey(slot) : taken;
      }
    }
    return undefined;
  }

  /** Locks a key where the level asks for it, and tells whether it is there already (its value in `slot`). */
  private claimKey(key: Uint8Array): boolean | Promise<void> {
    const { storage } = this.transaction;
    storage.arbitrate(spaceOfKey(key, 0));
    if (this.locking) {
      const wait = storage.lock(key, 0, key.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    }
    return storage.getNewest(key, 0, key.length, slot);
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
    const encoded = layout.encode(after, before['_id'], this.structures);
    this.policies?.check('update', encoded.buffer, 0, encoded.length);
    if (this.writeRules === undefined && indexes.length === 0) {
      storage.put(key, 0, key.length, encoded.buffer, 0, encoded.length, changeNote(before, after, replaces));
      return undefined;
    }
    keepRow(encoded);
    const stored = this.storedDocument(row);
    const changes = this.entries.changesOf(before, stored);
    this.writeRules?.written(before, stored);
    const wait = this.entries.claim(changes, key);
    if (wait !== undefined) return wait;
    storage.put(key, 0, key.length, rowWriter.buffer, 0, rowWriter.length, changeNote(before, after, replaces));
    this.entries.apply(changes, key);
    return undefined;
  }

  /** What a change of these top-level fields, or a removal, has to know of documents; undefined: all, for rules look at all. */
  partOf(fields: ReadonlySet<string>, removes: boolean): ChangedPart | undefined {
    const { view } = this;
    if (removes) return this.rules === undefined ? view.removedPart : undefined;
    return this.writeRules === undefined ? view.partChangedBy(fields) : undefined;
  }

  /**
   * As update, for some top-level fields of the row's document, `part` being what `partOf` says of them: the others are left as they are,
   * unread. A promise: wait and call again, with the row read again.
   */
  updateFields(
    key: Uint8Array,
    row: ByteSlot,
    before: PlainObject,
    after: PlainObject,
    { indexes, names }: ChangedPart,
  ): Promise<void> | undefined {
    const { layout } = this.view;
    const { storage } = this.transaction;
    const encoded = layout.encodeChanged(row, before, after, this.structures);
    this.policies?.check('update', encoded.buffer, 0, encoded.length);
    if (indexes.length === 0) {
      storage.put(key, 0, key.length, encoded.buffer, 0, encoded.length, changeNote(before, after, false));
      return undefined;
    }
    changed.set(encoded.buffer, 0, encoded.length);
    const changes = this.entries.changesOf(before, layout.decodeFields(changed, names), indexes);
    const wait = this.entries.claim(changes, key);
    if (wait !== undefined) return wait;
    storage.put(key, 0, key.length, encoded.buffer, 0, encoded.length, changeNote(before, after, false));
    this.entries.apply(changes, key);
    return undefined;
  }

  /**
   * As updateFields, for the fields of `places` as `layout.readPlaces` has read them; the key is [0, keyBytes) of `key`. False, and nothing
   * is written, where updateFields has to.
   */
  patchFields(
    key: Uint8Array,
    keyBytes: number,
    row: ByteSlot,
    places: FieldPlaces,
    before: readonly unknown[],
    after: readonly unknown[],
  ): boolean {
    const encoded = this.view.layout.encodePatched(row, places, before, after, this.structures);
    if (encoded === undefined) return false;
    this.policies?.check('update', encoded.buffer, 0, encoded.length);
    const note = patchNote(places, before, after);
    this.transaction.storage.put(key, 0, keyBytes, encoded.buffer, 0, encoded.length, note);
    return true;
  }

  /** Removes the document under a key that the caller holds; of it no more is asked than `partOf` says. */
  remove(key: Uint8Array, before: PlainObject): void {
    this.rules?.removed(before);
    this.transaction.storage.remove(key, 0, key.length, removalNote(encodePart(before['_id'])));
    if (this.view.indexes.length > 0) this.entries.removeAll(before, key);
  }

  /** Waits for nobody: what indexes read of a document, or all of it where rules want to see it. */
  private storedDocument(row: ByteSlot): PlainObject {
    const { layout, indexFields } = this.view;
    return this.writeRules === undefined && indexFields !== undefined
      ? layout.decodeFields(row, indexFields)
      : layout.decode(row);
  }

  private duplicateId(id: unknown): PhantomError {
    const { table } = this.view.layout;
    return new PhantomError('23505', `duplicate key value violates unique constraint "${table.name}_pkey"`, {
      detail: `Key (_id)=(${String(id)}) already exists.`,
      table: table.name,
      constraint: `${table.name}_pkey`,
    });
  }
}
