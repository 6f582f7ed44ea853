/** The events of one commit: one for each operation on a row of the collection, in the order in which they were written. */
import { compareBytes, equalBytes } from '@phantom/base';
import { type Oid, type TableDescriptor, decodeObject } from '@phantom/catalog';
import {
  BatchReader,
  ByteSlot,
  type KeyRange,
  OperationKind,
  type Seq,
  type SpaceId,
  spaceOfKey,
  spaceRange,
} from '@phantom/kv';
import type { Change } from '@phantom/mvcc';
import type { WithId } from '../collection-types.js';
import { COLLECTION_LAYOUT_VERSION, DocumentLayout } from '../document-layout.js';
import { type PlainObject, isObject } from '../order.js';
import { setField } from '../path.js';
import { placeValue } from '../update/places.js';
import type { ChangeEvent, UpdateDescription } from './change-event.js';
import { type ChangeNote, readChangeNote } from './change-note.js';
import { INVALIDATION, WHOLE_COMMIT, resumeToken } from './resume-token.js';

/** What a stream knows of the collection that it follows. */
export interface FollowedCollection {
  readonly ns: { readonly db: string; readonly coll: string };
  readonly oid: Oid;
  /** Key of its descriptor in the catalog. */
  readonly catalogKey: Uint8Array;
  /** Where its rows are at the beginning. */
  readonly space: SpaceId;
  /** Updates come with the whole document. */
  readonly withDocuments: boolean;
}

export class CommitEvents<T> {
  /** The collection was dropped: nothing comes behind this commit. */
  isDropped = false;
  private readonly collection: FollowedCollection;
  /** Where the collection's rows are from here on. */
  space: SpaceId;
  private rows: KeyRange;
  private layout: DocumentLayout;
  private readonly row = new ByteSlot();
  private batch: BatchReader | undefined = undefined;
  private seq = 0;
  private wallTime = new Date(0);

  constructor(collection: FollowedCollection) {
    this.collection = collection;
    this.space = collection.space;
    this.rows = spaceRange(this.space);
    this.layout = this.layoutIn(this.space);
  }

  /** Begins a commit, behind its first `passed` operations. The change stays the reader's until it has no more events. */
  begin(change: Change, passed: number): void {
    this.batch = change.batch;
    this.seq = change.seq;
    this.wallTime = new Date(change.commitTimeMs);
    const { batch } = change;
    while (batch.position < passed && batch.next()) {
      if (batch.kind === OperationKind.RemoveRange) this.removalOfAll(batch);
    }
  }

  /** The next event, undefined when the commit has no more. */
  next(): ChangeEvent<T> | undefined {
    const { batch } = this;
    if (batch === undefined || this.isDropped) return undefined;
    while (batch.next()) {
      const event = this.eventOf(batch);
      if (event !== undefined) return event;
    }
    this.batch = undefined;
    return undefined;
  }

  private eventOf(batch: BatchReader): ChangeEvent<T> | undefined {
    const { bytes, kind, keyStart } = batch;
    if (kind === OperationKind.RemoveRange) return this.removalOfAll(batch);
    if (spaceOfKey(bytes, keyStart) !== this.space) return undefined;
    const { noteStart, noteEnd } = batch;
    const note = noteStart === noteEnd ? undefined : readChangeNote(bytes, noteStart, noteEnd);
    if (kind === OperationKind.Remove) {
      const documentKey = { _id: note?.kind === 'removed' ? note.id : undefined };
      return { ...this.base(batch.position), operationType: 'delete', documentKey };
    }
    this.row.set(bytes, batch.valueStart, batch.valueEnd);
    return this.written(batch.position, this.layout.decode(this.row), note);
  }

  private written(operation: number, document: PlainObject, note: ChangeNote | undefined): ChangeEvent<T> {
    const base = this.base(operation);
    const documentKey = { _id: document['_id'] };
    const fullDocument = document as WithId<T>;
    if (note?.kind !== 'updated') {
      return { ...base, operationType: note === undefined ? 'insert' : 'replace', documentKey, fullDocument };
    }
    return {
      ...base,
      operationType: 'update',
      documentKey,
      ...(this.collection.withDocuments ? { fullDocument } : {}),
      updateDescription: descriptionOf(document, note.updated, note.removed),
    };
  }

  /** A removal of a range that has all rows in it. The collection goes in the same commit, or goes on in another space. */
  private removalOfAll(batch: BatchReader): ChangeEvent<T> | undefined {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = batch;
    const { lower, upper = lower } = this.rows;
    if (compareBytes(bytes, keyStart, keyEnd, lower, 0, lower.length) > 0) return undefined;
    if (compareBytes(bytes, valueStart, valueEnd, upper, 0, upper.length) < 0) return undefined;
    const descriptor = this.descriptorBehind(batch);
    this.isDropped = descriptor === 'removed';
    if (typeof descriptor === 'object') this.moveTo(descriptor.space);
    return { ...this.base(batch.position), operationType: this.isDropped ? 'drop' : 'truncate' };
  }

  private moveTo(space: SpaceId): void {
    this.space = space;
    this.rows = spaceRange(space);
    this.layout = this.layoutIn(space);
  }

  private layoutIn(space: SpaceId): DocumentLayout {
    return new DocumentLayout({ name: this.collection.ns.coll, space, layoutVersion: COLLECTION_LAYOUT_VERSION });
  }

  /** What the commit does to the collection's descriptor behind the operation at which the reader stands. */
  private descriptorBehind({ bytes, base, length, position }: BatchReader): TableDescriptor | 'removed' | undefined {
    const { catalogKey, oid } = this.collection;
    const operations = new BatchReader().setBatch(bytes, base, base + length);
    let moved: TableDescriptor | undefined;
    while (operations.next()) {
      const { kind, keyStart, keyEnd, valueStart, valueEnd } = operations;
      if (operations.position < position || kind === OperationKind.RemoveRange) continue;
      if (!equalBytes(bytes, keyStart, keyEnd, catalogKey, 0, catalogKey.length)) continue;
      if (kind === OperationKind.Remove) return 'removed';
      const object = decodeObject(bytes.subarray(valueStart, valueEnd), oid);
      if (moved === undefined && object.kind === 'table' && object.space !== this.space) moved = object;
    }
    return moved;
  }

  /** Where a stream goes on that has passed over everything up to a commit. */
  tokenBehind(seq: Seq): string {
    return resumeToken({ seq, operation: WHOLE_COMMIT, oid: this.collection.oid, space: this.space });
  }

  /** The last event of a stream whose collection was dropped. */
  invalidation(): ChangeEvent<T> {
    return { ...this.base(INVALIDATION), operationType: 'invalidate' };
  }

  private base(operation: number): Pick<ChangeEvent<T>, '_id' | 'wallTime' | 'ns'> {
    const { seq, space, wallTime } = this;
    const { oid } = this.collection;
    return { _id: resumeToken({ seq, operation, oid, space }), wallTime, ns: this.collection.ns };
  }
}

function descriptionOf(
  document: PlainObject,
  updated: readonly string[],
  removedFields: readonly string[],
): UpdateDescription {
  const updatedFields: PlainObject = {};
  for (const path of updated) {
    const steps = path.split('.');
    setField(updatedFields, path, isObject(document) ? placeValue(document, steps) : undefined);
  }
  return { updatedFields, removedFields };
}
