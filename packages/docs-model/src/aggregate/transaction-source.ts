/** Collections as pipelines see them, in one transaction. */
import { PhantomError } from '@phantom/base';
import type { DocumentIndexDescriptor } from '@phantom/catalog';
import { newObjectId } from '@phantom/codec';
import type { CollectionView } from '../collection-view.js';
import { badArgument } from '../errors.js';
import { compileFilter } from '../filter/filter.js';
import type { DocumentModel } from '../model.js';
import { modifyDocuments } from '../modification.js';
import { type PlainObject, typeName } from '../order.js';
import { setField } from '../path.js';
import { type Query, Reader } from '../reader.js';
import type { Room } from '../spill/room.js';
import { type DocumentTransaction, checkRunning } from '../transaction.js';
import { placeValue } from '../update/places.js';
import { Work } from './work.js';
import { settle } from '../writer.js';
import type { MergeRules, PipelineSource } from './pipeline-source.js';
import type { Documents } from './stages.js';

const BATCH_DOCUMENTS = 1000;
const ALL: Query = { filter: compileFilter({}), sort: [], skip: 0, limit: 0, projection: undefined, hint: undefined };

export class TransactionSource implements PipelineSource {
  private readonly model: DocumentModel;
  private readonly transaction: DocumentTransaction;
  readonly room: Room;

  /** `room`: of the whole pipeline; its stages give back what they take. */
  constructor(model: DocumentModel, transaction: DocumentTransaction, room: Room) {
    this.room = room;
    this.model = model;
    this.transaction = transaction;
  }

  newWork(): Work {
    return new Work(
      () => this.room.memory,
      () => checkRunning(this.transaction),
    );
  }

  async *scan(collection: string, query: Query, fields: ReadonlySet<string> | undefined): Documents {
    const view = this.model.find(this.transaction, collection);
    if (view === undefined) return;
    const reader = new Reader(this.model.ports, view, this.transaction, { ...query, fields }, this.room);
    try {
      for (;;) {
        const batch = await reader.batch(BATCH_DOCUMENTS);
        if (batch.length === 0) return;
        yield batch;
        // A pipeline that keeps the process busy lets others in between two batches.
        await reader.rest();
      }
    } finally {
      reader.close();
    }
  }

  async replace(collection: string, documents: readonly PlainObject[]): Promise<void> {
    const view = await this.model.forWriting(this.transaction, collection, { collection: {} }, ['insert', 'delete']);
    const writer = this.model.securedWriter(view, this.transaction);
    await modifyDocuments(this.model.ports, view, this.transaction, writer, {
      query: ALL,
      decide: () => undefined,
      removes: true,
    });
    const work = this.newWork();
    for (const document of documents) {
      if (work.isDue()) await work.rest();
      await settle(() => writer.insert(document, idOf(document)));
    }
  }

  async merge(collection: string, documents: readonly PlainObject[], rules: MergeRules): Promise<void> {
    const view = await this.model.forWriting(this.transaction, collection, { collection: {} }, [
      'select',
      'insert',
      'update',
    ]);
    checkUnique(view, rules.on);
    const { storage } = this.transaction;
    const writer = this.model.securedWriter(view, this.transaction);
    const work = this.newWork();
    for (const document of documents) {
      if (work.isDue()) await work.rest();
      const filter: PlainObject = {};
      for (const path of rules.on) {
        const value = placeValue(document, path.split('.'));
        if (path !== '_id' && (value === undefined || value === null || Array.isArray(value))) {
          throw badArgument(`a document to be merged has ${typeName(value)} at "${path}", which identifies none`);
        }
        setField(filter, path, value ?? null);
      }
      const query = { ...ALL, filter: compileFilter(filter), limit: 1 };
      const { matched } = await modifyDocuments(this.model.ports, view, this.transaction, writer, {
        query,
        decide: (existing) => merged(existing, document, rules),
        replaces: rules.whenMatched === 'replace',
      });
      if (matched === 0) {
        if (rules.whenNotMatched === 'fail') throw new PhantomError('02000', '$merge found no document to merge into');
        if (rules.whenNotMatched === 'insert') await settle(() => writer.insert(document, idOf(document)));
      }
      // The next document may meet this one.
      storage.beginStatement();
    }
  }
}

/** MongoDB's rule: what documents are merged by tells one from the other. */
function checkUnique({ indexes, table }: CollectionView, on: readonly string[]): void {
  if (on.length === 1 && on[0] === '_id') return;
  const isOver = ({ parts }: DocumentIndexDescriptor): boolean =>
    parts.length === on.length && parts.every(({ path }) => on.includes(path));
  if (indexes.some(({ index, partial, definition }) => index.unique && partial === undefined && isOver(definition)))
    return;
  throw new PhantomError('22023', `"${table.name}" has no unique index over ${on.join(', ')} that $merge could go by`, {
    hint: 'Make one with createIndex, neither partial nor over further paths, or merge by _id.',
  });
}

function idOf(document: PlainObject): unknown {
  return Object.hasOwn(document, '_id') ? document['_id'] : newObjectId();
}

function merged(existing: PlainObject, document: PlainObject, { whenMatched }: MergeRules): PlainObject {
  if (typeof whenMatched === 'function') return whenMatched(existing, document);
  switch (whenMatched) {
    case 'keepExisting':
      return existing;
    case 'fail':
      throw new PhantomError('23505', '$merge met a document that is there already');
    default: {
      const result: PlainObject = {};
      if (whenMatched === 'merge') for (const key of Object.keys(existing)) setField(result, key, existing[key]);
      else setField(result, '_id', existing['_id']);
      for (const key of Object.keys(document)) if (key !== '_id') setField(result, key, document[key]);
      return result;
    }
  }
}
