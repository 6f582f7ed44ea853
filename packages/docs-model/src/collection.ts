/**
 * A collection: what `db.collection(name)` gives. Operations are MongoDB's, each takes `{ tx }` to run in a transaction beside SQL
 * statements, and commits by itself without; what it wrote is durable when it resolves.
 */
import { type PhantomError, eventLoop, isPhantomError } from '@phantom/base';
import { newObjectId } from '@phantom/codec';
import type {
  BulkOperation,
  BulkWriteResult,
  CollectionOptions,
  DeleteResult,
  Filter,
  FindOneAndOptions,
  InsertManyOptions,
  InsertManyResult,
  InsertOneResult,
  NewDocument,
  ReplaceOptions,
  UpdateDocument,
  UpdateOptions,
  UpdateResult,
  WithId,
} from './collection-types.js';
import { PipelineBatches, collect, runPipeline, writes } from './aggregate/pipeline.js';
import { TransactionSource } from './aggregate/transaction-source.js';
import type { WatchOptions } from './changes/change-event.js';
import { ChangeStream } from './changes/change-stream.js';
import { type Batches, DocumentCursor } from './cursor.js';
import { type NewCollection, checkName } from './definition.js';
import { badArgument } from './errors.js';
import { IdFilter } from './filter/id-filter.js';
import { FindCursor, type FindOptions, queryOf } from './find-cursor.js';
import {
  type IndexInfo,
  type IndexKeys,
  type IndexOptions,
  createIndex,
  dropCollection,
  dropIndex,
  listIndexes,
} from './indexes.js';
import type { DocumentModel } from './model.js';
import { type DocumentChange, modifyDocuments } from './modification.js';
import { type PlainObject, compareValues, isObject } from './order.js';
import { ownField, parsePath, walkPath } from './path.js';
import { compileProjection } from './projection.js';
import { readPoint } from './point-read.js';
import { type Query, Reader } from './reader.js';
import type { DanglingReport } from './references/dangling.js';
import { reportDangling } from './references/dangling-report.js';
import { declaredReferences } from './references/declared.js';
import type { DocumentRight } from './rights.js';
import { type SchemaOptions, type SchemaReport, changeSchema } from './schema-change.js';
import { schemaValidator } from './schema.js';
import type { DocumentTransaction, OperationOptions } from './transaction.js';
import { compileUpdate } from './update/update.js';
import { seedDocument } from './upsert.js';
import { settle } from './writer.js';

/** A change of the documents found, and what an upsert makes when there are none. */
interface Modification extends DocumentChange {
  readonly insert: (() => PlainObject) | undefined;
  /** Documents go. */
  readonly removes?: boolean;
}

/** Removes what the query finds. */
function removal(query: Query): Modification {
  return { query, decide: () => undefined, insert: undefined, removes: true };
}

/** Documents written before others get a turn. */
const DOCUMENTS_PER_TURN = 500;
const UPSERT_RETRIES = 3;

export class Collection<T extends object> {
  readonly name: string;
  private readonly model: DocumentModel;
  private readonly definition: NewCollection;

  constructor(model: DocumentModel, name: string, options: CollectionOptions) {
    this.model = model;
    this.name = name;
    this.definition = definitionOf(options);
  }

  /** Writes a document; its `_id` is made when it has none. 23505 when the id or a unique key is taken. */
  async insertOne(document: NewDocument<T>, options: OperationOptions = {}): Promise<InsertOneResult> {
    const given = documentOf(document);
    const id = this.idOf(given);
    await this.model.write(options.tx, async (transaction) => {
      const view = await this.model.forWriting(transaction, this.name, this.definition, ['insert']);
      const writer = this.model.writer(view, transaction);
      await settle(() => writer.insert(given, id));
    });
    return { insertedId: id };
  }

  /**
   * Writes documents in one commit. Ordered, the first that fails ends it and leaves nothing (MongoDB would keep those before it;
   * the error's `index` tells which it was). Unordered, those that fail are left out and told in `writeErrors`.
   */
  async insertMany(documents: readonly NewDocument<T>[], options: InsertManyOptions = {}): Promise<InsertManyResult> {
    const given = documents.map(documentOf);
    const ids = given.map((document) => this.idOf(document));
    const errors = await this.model.write(options.tx, (transaction) =>
      this.insertAll(transaction, given, ids, options),
    );
    const failed = new Set(errors.map(({ index }) => index));
    const insertedIds: Record<number, unknown> = {};
    for (const [i, id] of ids.entries()) if (!failed.has(i)) insertedIds[i] = id;
    return { insertedCount: ids.length - failed.size, insertedIds, writeErrors: errors };
  }

  private async insertAll(
    transaction: DocumentTransaction,
    documents: readonly PlainObject[],
    ids: readonly unknown[],
    options: InsertManyOptions,
  ): Promise<{ index: number; error: PhantomError }[]> {
    const view = await this.model.forWriting(transaction, this.name, this.definition, ['insert']);
    const writer = this.model.writer(view, transaction);
    const errors: { index: number; error: PhantomError }[] = [];
    for (let i = 0; i < documents.length; i++) {
      try {
        let wait = writer.insert(documents[i] as PlainObject, ids[i]);
        while (wait !== undefined) {
          await wait;
          wait = writer.insert(documents[i] as PlainObject, ids[i]);
        }
      } catch (error) {
        if (!isPhantomError(error)) throw error;
        if (options.ordered !== false || error.retryable) throw error.with({ index: i });
        errors.push({ index: i, error });
      }
      if (i % DOCUMENTS_PER_TURN === DOCUMENTS_PER_TURN - 1) await eventLoop.nextTurn();
    }
    return errors;
  }

  /** Documents that satisfy the filter: a cursor, which reads nothing until it is asked. */
  find(filter: Filter<T> = {} as Filter<T>, options: FindOptions = {}): FindCursor<WithId<T>> {
    return new FindCursor<WithId<T>>(this.model, this.name, filter, options);
  }

  /** The first document that satisfies the filter, null without one. */
  async findOne(filter: Filter<T> = {} as Filter<T>, options: FindOptions = {}): Promise<WithId<T> | null> {
    const query = queryOf(filter, options);
    if (query.filter instanceof IdFilter && isPlain(options)) return this.findPoint(query.filter, query, options);
    const cursor = this.find(filter, { ...options, limit: 1 });
    try {
      return await cursor.next();
    } finally {
      cursor.close();
    }
  }

  private async findPoint(
    filter: IdFilter,
    { projection }: Query,
    options: OperationOptions,
  ): Promise<WithId<T> | null> {
    const { transaction, release } = await this.model.openRead(options.tx);
    try {
      const view = this.model.find(transaction, this.name);
      const document = view === undefined ? undefined : readPoint(view, transaction, filter);
      if (document === undefined) return null;
      return (projection === undefined ? document : projection.apply(document)) as WithId<T>;
    } finally {
      release();
    }
  }

  /** How many documents satisfy the filter; `skip` and `limit` count too. */
  async countDocuments(filter: Filter<T> = {} as Filter<T>, options: FindOptions = {}): Promise<number> {
    const query = queryOf(filter, { ...options, sort: {} });
    const { transaction, release } = await this.model.openRead(options.tx);
    try {
      const view = this.model.find(transaction, this.name);
      return view === undefined ? 0 : await new Reader(this.model.ports, view, transaction, query).count();
    } finally {
      release();
    }
  }

  /** The different values at a path, in the order of values; elements of arrays one by one. */
  async distinct(
    path: string,
    filter: Filter<T> = {} as Filter<T>,
    options: OperationOptions = {},
  ): Promise<unknown[]> {
    const steps = parsePath(path);
    const values: unknown[] = [];
    const offer = (value: unknown): void => {
      if (value !== undefined) values.push(value);
    };
    for await (const document of this.find(filter, options)) {
      walkPath(document, steps, (value) => {
        if (Array.isArray(value)) value.forEach(offer);
        else offer(value);
        return false;
      });
    }
    values.sort(compareValues);
    return values.filter((value, i) => i === 0 || compareValues(value, values[i - 1]) !== 0);
  }

  /** Changes the first document that satisfies the filter. */
  updateOne(filter: Filter<T>, update: UpdateDocument, options: UpdateOptions = {}): Promise<UpdateResult> {
    return this.update(filter, update, options, 1);
  }

  /** Changes every document that satisfies the filter; all or none. */
  updateMany(filter: Filter<T>, update: UpdateDocument, options: UpdateOptions = {}): Promise<UpdateResult> {
    return this.update(filter, update, options, 0);
  }

  /** Puts another document in the place of the first that satisfies the filter; the `_id` stays. */
  async replaceOne(filter: Filter<T>, replacement: object, options: ReplaceOptions = {}): Promise<UpdateResult> {
    const modification = this.replacement(filter, replacement, options);
    return (await this.model.write(options.tx, (transaction) => this.modify(transaction, modification))).result;
  }

  async deleteOne(filter: Filter<T>, options: FindOptions = {}): Promise<DeleteResult> {
    return this.delete(filter, options, 1);
  }

  /** Removes every document that satisfies the filter; all or none. */
  async deleteMany(filter: Filter<T>, options: FindOptions = {}): Promise<DeleteResult> {
    return this.delete(filter, options, 0);
  }

  /** As updateOne, giving the document as it was (or is then); null when there was none. */
  async findOneAndUpdate(
    filter: Filter<T>,
    update: UpdateDocument,
    options: FindOneAndOptions = {},
  ): Promise<WithId<T> | null> {
    return this.findAndModify(this.updating(filter, update, options, 1), options);
  }

  /** As replaceOne, giving the document as it was (or is then); null when there was none. */
  async findOneAndReplace(
    filter: Filter<T>,
    replacement: object,
    options: FindOneAndOptions = {},
  ): Promise<WithId<T> | null> {
    return this.findAndModify(this.replacement(filter, replacement, options), options);
  }

  /** As deleteOne, giving the document that went; null when there was none. */
  async findOneAndDelete(filter: Filter<T>, options: FindOptions = {}): Promise<WithId<T> | null> {
    const query = { ...queryOf(filter, options), skip: 0, limit: 1 };
    return this.findAndModify(removal(query), { ...options, returnDocument: 'before' });
  }

  /**
   * Operations in one commit. Ordered, the first that fails ends it and leaves nothing; unordered, those that fail are left out and
   * told. Each sees what those before it wrote.
   */
  async bulkWrite(operations: readonly BulkOperation<T>[], options: InsertManyOptions = {}): Promise<BulkWriteResult> {
    const works = operations.map((operation) => this.bulkOperation(operation));
    return this.model.write(options.tx, async (transaction) => {
      const { storage, objects } = transaction;
      const total = {
        insertedCount: 0,
        matchedCount: 0,
        modifiedCount: 0,
        deletedCount: 0,
        upsertedCount: 0,
        insertedIds: {} as Record<number, unknown>,
        upsertedIds: {} as Record<number, unknown>,
        writeErrors: [] as { index: number; error: PhantomError }[],
      };
      for (const [index, work] of works.entries()) {
        const savepoint = storage.savepoint();
        const mark = objects.mark();
        try {
          const done = await work(transaction);
          total.insertedCount += done.insertedId === undefined ? 0 : 1;
          if (done.insertedId !== undefined) total.insertedIds[index] = done.insertedId;
          total.matchedCount += done.matched ?? 0;
          total.modifiedCount += done.modified ?? 0;
          total.deletedCount += done.deleted ?? 0;
          total.upsertedCount += done.upsertedId === undefined ? 0 : 1;
          if (done.upsertedId !== undefined) total.upsertedIds[index] = done.upsertedId;
        } catch (error) {
          if (!isPhantomError(error)) throw error;
          if (options.ordered !== false || error.retryable) throw error.with({ index });
          storage.rollbackTo(savepoint);
          objects.rollbackTo(mark);
          total.writeErrors.push({ index, error });
        }
        storage.release(savepoint);
        storage.beginStatement();
      }
      return total;
    });
  }

  /** Makes an index and fills it; gives its name. Nothing happens when it is there already. */
  async createIndex(keys: IndexKeys, options: IndexOptions & OperationOptions = {}): Promise<string> {
    return this.model.write(options.tx, (transaction) =>
      createIndex(this.model, transaction, this.name, this.definition, keys, options),
    );
  }

  /** Removes an index by its name. 42704 when there is none. */
  async dropIndex(name: string, options: OperationOptions = {}): Promise<void> {
    await this.model.write(options.tx, (transaction) =>
      dropIndex(this.model, transaction, this.name, this.definition, name),
    );
  }

  /**
   * Gives the collection another schema, or none (null); tells what is wrong with the documents there are. 23514 when some break it
   * and 23503 when some refer to documents that do not exist, unless the level is moderate or the action warn.
   */
  setSchema(schema: unknown, options: SchemaOptions & OperationOptions = {}): Promise<SchemaReport> {
    return this.model.write(options.tx, (transaction) =>
      changeSchema(this.model, transaction, this.name, this.definition, schema, options),
    );
  }

  /** References that lead to no document, by the x-refs of a schema that is tried; without one by the collection's own. */
  danglingReferences(schema?: unknown, options: OperationOptions = {}): Promise<DanglingReport> {
    return reportDangling(this.model, this.name, schema, options);
  }

  /** The indexes, that of `_id` first. */
  async indexes(options: OperationOptions = {}): Promise<IndexInfo[]> {
    const { transaction, release } = await this.model.openRead(options.tx);
    try {
      const view = this.model.find(transaction, this.name);
      return view === undefined ? [] : listIndexes(transaction, view.table);
    } finally {
      release();
    }
  }

  /** Removes the collection with everything in it; false when there was none. */
  drop(options: OperationOptions = {}): Promise<boolean> {
    return this.model.write(options.tx, (transaction) => dropCollection(this.model, transaction, this.name));
  }

  /**
   * Runs a pipeline over the collection: a cursor over what comes out. One that ends in $out or $merge writes, in one commit, when the
   * cursor is read first (`toArray`), and gives nothing. 22023 and 0A000 for what is no pipeline.
   */
  aggregate<R = Record<string, unknown>>(
    pipeline: readonly Readonly<Record<string, unknown>>[],
    options: OperationOptions = {},
  ): DocumentCursor<R> {
    return new DocumentCursor<R>(() => this.beginPipeline<R>(pipeline, options));
  }

  /**
   * The changes of the collection from now on, or from where `resumeAfter` or `startAtOperationTime` say: an async iterator without end,
   * each change once and in the order of commits. The pipeline filters and reshapes events; `_id`, by which a stream is taken up
   * again, has to stay.
   */
  watch(pipeline: readonly Readonly<Record<string, unknown>>[] = [], options: WatchOptions = {}): ChangeStream<T> {
    return new ChangeStream<T>(this.model, this.name, pipeline, options);
  }

  private async beginPipeline<R>(pipeline: readonly unknown[], options: OperationOptions): Promise<Batches<R>> {
    if (Array.isArray(pipeline) && writes(pipeline)) {
      await this.model.write(options.tx, (transaction) =>
        collect(runPipeline(new TransactionSource(this.model, transaction), this.name, pipeline)),
      );
      return { batch: async () => [], close: () => undefined };
    }
    const { transaction, release } = await this.model.openRead(options.tx);
    try {
      const documents = runPipeline(new TransactionSource(this.model, transaction), this.name, pipeline);
      return new PipelineBatches(documents, release) as unknown as Batches<R>;
    } catch (error) {
      release();
      throw error;
    }
  }

  private bulkOperation(operation: BulkOperation<T>): (transaction: DocumentTransaction) => Promise<BulkOutcome> {
    const [name, ...others] = Object.keys(operation);
    if (name === undefined || others.length > 0) throw badArgument('a bulk operation has one name');
    const modifying =
      (modification: Modification) =>
      async (transaction: DocumentTransaction): Promise<BulkOutcome> => {
        const { result } = await this.modify(transaction, modification);
        return { matched: result.matchedCount, modified: result.modifiedCount, upsertedId: result.upsertedId };
      };
    if ('insertOne' in operation) {
      const document = documentOf(operation.insertOne.document);
      const id = this.idOf(document);
      return async (transaction) => {
        await this.insertAll(transaction, [document], [id], {});
        return { insertedId: id };
      };
    }
    if ('updateOne' in operation) {
      const { filter, update, ...options } = operation.updateOne;
      return modifying(this.updating(filter, update, options, 1));
    }
    if ('updateMany' in operation) {
      const { filter, update, ...options } = operation.updateMany;
      return modifying(this.updating(filter, update, options, 0));
    }
    if ('replaceOne' in operation) {
      const { filter, replacement, ...options } = operation.replaceOne;
      return modifying(this.replacement(filter, replacement, options));
    }
    if (!('deleteOne' in operation) && !('deleteMany' in operation))
      throw badArgument(`unknown bulk operation: ${name}`);
    const { filter } = 'deleteOne' in operation ? operation.deleteOne : operation.deleteMany;
    const query = queryOf(filter, { limit: 'deleteOne' in operation ? 1 : 0 });
    return async (transaction) => {
      const { result } = await this.modify(transaction, removal(query));
      return { deleted: result.modifiedCount };
    };
  }

  private async update(
    filter: Filter<T>,
    update: UpdateDocument,
    options: UpdateOptions,
    limit: number,
  ): Promise<UpdateResult> {
    const modification = this.updating(filter, update, options, limit);
    return (await this.model.write(options.tx, (transaction) => this.modify(transaction, modification))).result;
  }

  private updating(filter: Filter<T>, update: UpdateDocument, options: FindOneAndOptions, limit: number): Modification {
    const { upsert, arrayFilters, hint, sort } = options;
    const query = queryOf(filter, {
      limit,
      ...(hint === undefined ? {} : { hint }),
      ...(sort === undefined ? {} : { sort }),
    });
    const { apply, fields } = compileUpdate(update, arrayFilters, new Date(this.model.ports.clock.nowMs()));
    return {
      query,
      decide: (document) => apply(document, { filter: query.filter, inserting: false }),
      insert:
        upsert === true
          ? () => apply(seedDocument(query.filter), { filter: query.filter, inserting: true })
          : undefined,
      fields,
    };
  }

  private replacement(filter: Filter<T>, replacement: object, options: FindOneAndOptions): Modification {
    const given = documentOf(replacement);
    const operator = Object.keys(given).find((key) => key.startsWith('$'));
    if (operator !== undefined) throw badArgument(`a replacement has no operators: ${operator}`);
    const { upsert, hint, sort } = options;
    const query = queryOf(filter, {
      limit: 1,
      ...(hint === undefined ? {} : { hint }),
      ...(sort === undefined ? {} : { sort }),
    });
    const { _id: id, ...fields } = given;
    const decide = (document: PlainObject): PlainObject => {
      if (id !== undefined && compareValues(id, document['_id']) !== 0) {
        throw badArgument('the _id of a document cannot be changed');
      }
      return { _id: document['_id'], ...fields };
    };
    return {
      query,
      decide,
      insert: upsert === true ? () => decide({ _id: id, ...seedDocument(query.filter) }) : undefined,
      replaces: true,
    };
  }

  private async delete(filter: Filter<T>, options: FindOptions, limit: number): Promise<DeleteResult> {
    const query = { ...queryOf(filter, options), skip: 0, limit };
    const { result } = await this.model.write(options.tx, (transaction) => this.modify(transaction, removal(query)));
    return { deletedCount: result.modifiedCount };
  }

  private async findAndModify(modification: Modification, options: FindOneAndOptions): Promise<WithId<T> | null> {
    const projection = options.projection === undefined ? undefined : compileProjection(options.projection);
    const whole = { ...modification, fields: undefined };
    const done = await this.model.write(options.tx, (transaction) => this.modify(transaction, whole));
    const document = options.returnDocument === 'after' ? done.after : done.before;
    if (document === undefined) return null;
    return (projection === undefined ? document : projection.apply(document)) as WithId<T>;
  }

  /** Runs a modification; an upsert that finds nothing makes its document. */
  private async modify(
    transaction: DocumentTransaction,
    { insert, removes, ...change }: Modification,
  ): Promise<{ result: UpdateResult; before: PlainObject | undefined; after: PlainObject | undefined }> {
    if (insert === undefined && this.model.find(transaction, this.name) === undefined) return NOTHING_CHANGED;
    const rights: DocumentRight[] = ['select', removes === true ? 'delete' : 'update'];
    if (insert !== undefined) rights.push('insert');
    const view = await this.model.forWriting(transaction, this.name, this.definition, rights);
    const writer = this.model.writer(view, transaction);
    for (let attempt = 0; ; attempt++) {
      const done = await modifyDocuments(this.model.ports, view, transaction, writer, change);
      if (done.matched > 0 || insert === undefined) {
        const result = { ...NOTHING, matchedCount: done.matched, modifiedCount: done.modified };
        return { result, before: done.before, after: done.after };
      }
      const made = insert();
      const id = this.idOf(made);
      try {
        await settle(() => writer.insert(made, id));
      } catch (error) {
        // Somebody else made the document meanwhile: a new snapshot shows it, and it is there to be changed.
        if (!isPhantomError(error) || error.code !== '23505' || attempt >= UPSERT_RETRIES) throw error;
        transaction.storage.beginStatement();
        continue;
      }
      const { _id: _made, ...fields } = made;
      return {
        result: { ...NOTHING, upsertedCount: 1, upsertedId: id },
        before: undefined,
        after: { _id: id, ...fields },
      };
    }
  }

  private idOf(document: PlainObject): unknown {
    const id = document instanceof Map ? (document.get('_id') as unknown) : ownField(document, '_id');
    return id === undefined ? newObjectId(this.model.ports.clock.nowMs()) : id;
  }
}

/** Nothing is asked that one look-up does not answer. */
function isPlain({ skip = 0, hint, populate }: FindOptions): boolean {
  return skip === 0 && hint === undefined && populate === undefined;
}

const NOTHING: UpdateResult = { matchedCount: 0, modifiedCount: 0, upsertedCount: 0, upsertedId: undefined };

const NOTHING_CHANGED = { result: NOTHING, before: undefined, after: undefined };

interface BulkOutcome {
  readonly insertedId?: unknown;
  readonly matched?: number;
  readonly modified?: number;
  readonly deleted?: number;
  readonly upsertedId?: unknown;
}

/** What a collection is made with. 22023 for what is no schema. */
function definitionOf({ engine, schema, validationLevel, validationAction }: CollectionOptions): NewCollection {
  if (schema !== undefined) schemaValidator(schema);
  declaredReferences(schema);
  return {
    ...(engine === undefined ? {} : { engine }),
    collection: {
      ...(schema === undefined ? {} : { schema }),
      ...(validationLevel === undefined ? {} : { validationLevel }),
      ...(validationAction === undefined ? {} : { validationAction }),
    },
  };
}

/** 22023 for what is no document. */
function documentOf(document: unknown): PlainObject {
  if (!isObject(document)) throw badArgument('a document must be an object');
  return document;
}

/** A handle on a collection; it is made when something is first written to it. 22023 for what cannot be its name. */
export function openCollection<T extends object>(
  model: DocumentModel,
  name: string,
  options: CollectionOptions = {},
): Collection<T> {
  checkName(name);
  return new Collection<T>(model, name, options);
}
