/**
 * A collection: what `db.collection(name)` gives. Operations are MongoDB's, each takes `{ tx }` to run in a transaction beside SQL
 * statements, and commits by itself without; what it wrote is durable when it resolves.
 */
import { assert, eventLoop, unsupportedError } from '@phantom/base';
import { prefixRange } from '@phantom/kv';
import type {
  BulkOperation,
  BulkWriteResult,
  CollectionOptions,
  CountOptions,
  DeleteOptions,
  DeleteResult,
  Filter,
  FindOneAndDeleteOptions,
  FindOneAndOptions,
  InsertManyOptions,
  InsertManyResult,
  InsertOneResult,
  NewDocument,
  OneOptions,
  ReplaceOptions,
  UpdateDocument,
  UpdateOptions,
  UpdateResult,
  WithId,
} from './collection-types.js';
import { PipelineBatches, runPipeline, writes } from './aggregate/pipeline.js';
import { TransactionSource } from './aggregate/transaction-source.js';
import { bulkStep, runBulk } from './bulk-write.js';
import type { WatchOptions } from './changes/change-event.js';
import { ChangeStream } from './changes/change-stream.js';
import { type ChangeOutcome, CollectionTarget } from './collection-target.js';
import { type Batches, DocumentCursor, batchesOf } from './cursor.js';
import { checkName } from './definition.js';
import { distinctValues } from './distinct.js';
import { IdFilter } from './filter/equality-filter.js';
import { badArgument, checkList } from './errors.js';
import { FindCursor, type FindOptions, countNow, queryOf, readNow } from './find-cursor.js';
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
import type { PlainObject } from './order.js';
import { parsePath } from './path.js';
import { checkOptions } from './known-options.js';
import { readPoint } from './point-read.js';
import { compileProjection } from './projection.js';
import { PipelineCursor } from './pipeline-cursor.js';
import { type Query, Reader } from './reader.js';
import type { DanglingReport } from './references/dangling.js';
import { reportDangling } from './references/dangling-report.js';
import { type RequestedChange, documentOf, removing, replacing, updating } from './requested-change.js';
import { type SchemaOptions, type SchemaReport, changeSchema } from './schema-change.js';
import type { DocumentTransaction, OperationOptions, ReadOptions, TransactionHost } from './transaction.js';

export class Collection<T extends object> {
  readonly name: string;
  private readonly model: DocumentModel;
  private readonly target: CollectionTarget;
  /** The transaction that its operations belong to, where they name none. */
  private readonly tx: TransactionHost | undefined;

  constructor(model: DocumentModel, name: string, options: CollectionOptions, tx?: TransactionHost) {
    this.model = model;
    this.name = name;
    this.target = new CollectionTarget(model, name, options);
    this.tx = tx;
  }

  private txOf({ tx }: OperationOptions): TransactionHost | undefined {
    return tx ?? this.tx;
  }

  /** Options of an operation, with the transaction that it belongs to. */
  private within<O extends OperationOptions>(options: O): O {
    return this.tx === undefined || options.tx !== undefined ? options : { ...options, tx: this.tx };
  }

  /** Writes a document; its `_id` is made when it has none. 23505 when the id or a unique key is taken. */
  async insertOne(document: NewDocument<T>, options: OperationOptions = {}): Promise<InsertOneResult> {
    checkOptions('insertOne', options);
    const given = documentOf(document);
    const id = this.target.idOf(given);
    await this.model.write(this.txOf(options), (transaction) => this.target.insert(transaction, given, id));
    return { insertedId: id };
  }

  /**
   * Writes documents in one commit. Ordered, the first that fails ends it and leaves nothing (MongoDB would keep those before it;
   * the error's `index` tells which it was). Unordered, those that fail are left out and told in `writeErrors`.
   */
  async insertMany(documents: readonly NewDocument<T>[], options: InsertManyOptions = {}): Promise<InsertManyResult> {
    checkOptions('insertMany', options);
    checkList('insertMany', 'documents', documents);
    // The caller may go on using the array.
    const given = [...documents];
    const ids: unknown[] = [];
    const errors = await this.model.write(this.txOf(options), (transaction) =>
      this.target.insertAll(transaction, given, ids, options.ordered !== false),
    );
    const insertedIds: Record<number, unknown> = {};
    for (let i = 0; i < ids.length; i++) insertedIds[i] = ids[i];
    for (const { index } of errors) delete insertedIds[index];
    return { insertedCount: ids.length - errors.length, insertedIds, writeErrors: errors };
  }

  /** Documents that satisfy the filter: a cursor, which reads nothing until it is asked. */
  find(filter: Filter<T> = {} as Filter<T>, options: FindOptions = {}): FindCursor<WithId<T>> {
    checkOptions('find', options);
    return new FindCursor<WithId<T>>(this.model, this.name, filter, this.within(options));
  }

  /** The first document that satisfies the filter, null without one. */
  async findOne(
    filter: Filter<T> = {} as Filter<T>,
    options: Omit<FindOptions, 'limit'> = {},
  ): Promise<WithId<T> | null> {
    checkOptions('findOne', options);
    const query = queryOf(filter, options);
    if (query.filter instanceof IdFilter && isPlain(options)) {
      const { filter: byId } = query;
      if (this.txOf(options) === undefined && !eventLoop.isOverdue()) {
        return this.shownPoint(this.model.readPointNow(this.name, byId), query);
      }
      const { transaction, release } = await this.model.openRead(this.txOf(options));
      try {
        const view = this.model.find(transaction, this.name);
        const document = view === undefined ? undefined : readPoint(this.model.ports, view, transaction, byId);
        return this.shownPoint(document, query);
      } finally {
        release();
      }
    }
    if (this.txOf(options) === undefined && options.populate === undefined) {
      const found = readNow(this.model, this.name, query, 1);
      if (found !== undefined) return (found[0] ?? null) as WithId<T> | null;
    }
    const cursor = this.find(filter, { ...options, limit: 1 });
    try {
      return await cursor.next();
    } finally {
      cursor.close();
    }
  }

  private shownPoint(document: PlainObject | undefined, { projection }: Query): WithId<T> | null {
    if (document === undefined) return null;
    return (projection === undefined ? document : projection.apply(document)) as WithId<T>;
  }

  /** How many documents satisfy the filter; `skip` and `limit` count too. */
  async countDocuments(filter: Filter<T> = {} as Filter<T>, options: CountOptions = {}): Promise<number> {
    checkOptions('countDocuments', options);
    const query = queryOf(filter, options);
    if (this.txOf(options) === undefined) {
      const count = countNow(this.model, this.name, query);
      if (count !== undefined) return count;
    }
    const tx = this.txOf(options);
    const { transaction, release } = await this.model.openRead(tx);
    try {
      const view = this.model.find(transaction, this.name);
      if (view === undefined) return 0;
      const reader = new Reader(this.model.ports, view, transaction, query);
      return await this.model.readPart(tx, transaction, () => reader.count());
    } finally {
      release();
    }
  }

  /**
   * About how many documents there are, as their storage estimates it, which costs next to nothing; where policies hide some of them, how
   * many are seen. `countDocuments` counts.
   */
  async estimatedDocumentCount(options: OperationOptions = {}): Promise<number> {
    checkOptions('estimatedDocumentCount', options);
    const { transaction, release } = await this.model.openRead(this.txOf(options));
    try {
      const view = this.model.find(transaction, this.name);
      if (view === undefined) return 0;
      if (view.table.rowSecurity?.enabled === true) return await this.countDocuments(undefined, options);
      return Math.round(this.model.ports.estimate(prefixRange(view.layout.prefix)).keys);
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
    checkOptions('distinct', options);
    if (typeof path !== 'string') throw badArgument('distinct needs a path as text');
    const steps = parsePath(path);
    const query = queryOf(filter, options);
    const { model } = this;
    const tx = this.txOf(options);
    const { transaction, release } = await model.openRead(tx);
    const room = model.newRoom();
    try {
      const view = model.find(transaction, this.name);
      if (view === undefined) return [];
      return await model.readPart(tx, transaction, () =>
        distinctValues(model.ports, view, transaction, steps, query, room),
      );
    } finally {
      room.memory.release();
      release();
    }
  }

  /** Changes the first document that satisfies the filter. */
  async updateOne(
    filter: Filter<T>,
    update: UpdateDocument,
    options: UpdateOptions & OneOptions = {},
  ): Promise<UpdateResult> {
    checkOptions('updateOne', options);
    return this.update(filter, update, options, 1);
  }

  /** Changes every document that satisfies the filter; all or none. */
  async updateMany(filter: Filter<T>, update: UpdateDocument, options: UpdateOptions = {}): Promise<UpdateResult> {
    checkOptions('updateMany', options);
    return this.update(filter, update, options, 0);
  }

  /** Puts another document in the place of the first that satisfies the filter; the `_id` stays. */
  async replaceOne(filter: Filter<T>, replacement: object, options: ReplaceOptions = {}): Promise<UpdateResult> {
    checkOptions('replaceOne', options);
    return (await this.change(options, replacing(filter, replacement, options))).result;
  }

  async deleteOne(filter: Filter<T>, options: DeleteOptions & OneOptions = {}): Promise<DeleteResult> {
    checkOptions('deleteOne', options);
    return this.delete(filter, options, 1);
  }

  /** Removes every document that satisfies the filter; all or none. */
  async deleteMany(filter: Filter<T>, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkOptions('deleteMany', options);
    return this.delete(filter, options, 0);
  }

  /** As updateOne, giving the document as it was (or is then); null when there was none. */
  async findOneAndUpdate(
    filter: Filter<T>,
    update: UpdateDocument,
    options: FindOneAndOptions = {},
  ): Promise<WithId<T> | null> {
    checkOptions('findOneAndUpdate', options);
    return this.findAndModify(this.updating(filter, update, options, 1), options);
  }

  /** As replaceOne, giving the document as it was (or is then); null when there was none. */
  async findOneAndReplace(
    filter: Filter<T>,
    replacement: object,
    options: FindOneAndOptions = {},
  ): Promise<WithId<T> | null> {
    checkOptions('findOneAndReplace', options);
    return this.findAndModify(replacing(filter, replacement, options), options);
  }

  /** As deleteOne, giving the document that went; null when there was none. */
  async findOneAndDelete(filter: Filter<T>, options: FindOneAndDeleteOptions = {}): Promise<WithId<T> | null> {
    checkOptions('findOneAndDelete', options);
    const query = { ...queryOf(filter, options), skip: 0, limit: 1 };
    return this.findAndModify(removing(query), { ...options, returnDocument: 'before' });
  }

  /**
   * Operations in one commit. Ordered, the first that fails ends it and leaves nothing; unordered, those that fail are left out and
   * told. Each sees what those before it wrote.
   */
  async bulkWrite(operations: readonly BulkOperation<T>[], options: InsertManyOptions = {}): Promise<BulkWriteResult> {
    checkOptions('bulkWrite', options);
    checkList('bulkWrite', 'operations', operations);
    const steps = operations.map((operation) => bulkStep(this.target, operation));
    return this.model.write(this.txOf(options), (transaction) =>
      runBulk(transaction, steps, options.ordered !== false),
    );
  }

  /** Makes an index and fills it; gives its name. Nothing happens when it is there already. */
  async createIndex(keys: IndexKeys, options: IndexOptions & OperationOptions = {}): Promise<string> {
    checkOptions('createIndex', options);
    return this.model.write(this.txOf(options), (transaction) =>
      createIndex(this.model, transaction, this.name, this.target.definition, keys, options),
    );
  }

  /** Makes several indexes in one commit, as createIndex makes each; gives their names. */
  async createIndexes(
    indexes: readonly ({ readonly key: IndexKeys } & IndexOptions)[],
    options: OperationOptions = {},
  ): Promise<string[]> {
    checkOptions('createIndexes', options);
    checkList('createIndexes', 'indexes', indexes);
    for (const index of indexes) checkOptions('createIndexes index', index);
    return this.model.write(this.txOf(options), async (transaction) => {
      const { definition } = this.target;
      const names: string[] = [];
      for (const { key, ...rest } of indexes)
        names.push(await createIndex(this.model, transaction, this.name, definition, key, rest));
      return names;
    });
  }

  /** Removes every index but that of `_id`, in one commit. */
  async dropIndexes(options: OperationOptions = {}): Promise<void> {
    checkOptions('dropIndexes', options);
    await this.model.write(this.txOf(options), async (transaction) => {
      const view = this.model.find(transaction, this.name);
      for (const { index } of view?.indexes ?? [])
        await dropIndex(this.model, transaction, this.name, this.target.definition, index.name);
    });
  }

  /** Removes an index by its name. 42704 when there is none. */
  async dropIndex(name: string, options: OperationOptions = {}): Promise<void> {
    checkOptions('dropIndex', options);
    await this.model.write(this.txOf(options), (transaction) =>
      dropIndex(this.model, transaction, this.name, this.target.definition, name),
    );
  }

  /**
   * Gives the collection another schema, or none (null); tells what is wrong with the documents there are. 23514 when some break it
   * and 23503 when some refer to documents that do not exist, unless the level is moderate or the action warn.
   */
  async setSchema(schema: unknown, options: SchemaOptions & OperationOptions = {}): Promise<SchemaReport> {
    checkOptions('setSchema', options);
    return this.model.write(this.txOf(options), (transaction) =>
      changeSchema(this.model, transaction, this.name, this.target.definition, schema, options),
    );
  }

  /** References that lead to no document, by the x-refs of a schema that is tried; without one by the collection's own. */
  danglingReferences(schema?: unknown, options: OperationOptions = {}): Promise<DanglingReport> {
    checkOptions('danglingReferences', options);
    return reportDangling(this.model, this.name, schema, this.within(options));
  }

  /** The indexes as a cursor, that of `_id` first. */
  listIndexes(options: OperationOptions = {}): DocumentCursor<IndexInfo> {
    checkOptions('listIndexes', options);
    return new DocumentCursor(() => this.indexes(options).then((indexes) => batchesOf(indexes)));
  }

  /** The indexes, that of `_id` first. */
  async indexes(options: OperationOptions = {}): Promise<IndexInfo[]> {
    checkOptions('indexes', options);
    const { transaction, release } = await this.model.openRead(this.txOf(options));
    try {
      const view = this.model.find(transaction, this.name);
      return view === undefined ? [] : listIndexes(transaction, view.table);
    } finally {
      release();
    }
  }

  /** Removes the collection with everything in it; false when there was none. */
  async drop(options: OperationOptions = {}): Promise<boolean> {
    checkOptions('drop', options);
    return this.model.write(this.txOf(options), (transaction) => dropCollection(this.model, transaction, this.name));
  }

  /**
   * Runs a pipeline over the collection: a cursor over what comes out. One that ends in $out or $merge writes, in one commit, when the
   * cursor is read first (`toArray`), and gives nothing. 22023 and 0A000 for what is no pipeline.
   */
  aggregate<R = Record<string, unknown>>(
    pipeline: readonly Readonly<Record<string, unknown>>[],
    options: ReadOptions = {},
  ): PipelineCursor<R> {
    checkOptions('aggregate', options);
    const open = (): Promise<Batches<R>> => this.beginPipeline<R>(pipeline, options);
    return new PipelineCursor<R>(this.model, this.name, pipeline, this.txOf(options), open);
  }

  /**
   * The changes of the collection from now on, or from where `resumeAfter` or `startAtOperationTime` say: an async iterator without end,
   * each change once and in the order of commits. The pipeline filters and reshapes events; `_id`, by which a stream is taken up
   * again, has to stay. 0A000 for a transaction's collection.
   */
  watch(pipeline: readonly Readonly<Record<string, unknown>>[] = [], options: WatchOptions = {}): ChangeStream<T> {
    checkOptions('watch', options);
    if (this.tx !== undefined) throw unsupportedError('watch() in a transaction');
    return new ChangeStream<T>(this.model, this.name, pipeline, options);
  }

  private async beginPipeline<R>(pipeline: readonly unknown[], options: ReadOptions): Promise<Batches<R>> {
    if (Array.isArray(pipeline) && writes(pipeline)) {
      await this.model.write(this.txOf(options), (transaction) => this.runWriting(transaction, pipeline, options));
      return { batch: async () => [], close: () => undefined };
    }
    const { model } = this;
    const tx = this.txOf(options);
    const { transaction, release } = await model.openRead(tx);
    try {
      const source = new TransactionSource(model, transaction, model.newRoom(options));
      const batches = new PipelineBatches(runPipeline(source, this.name, pipeline), release);
      return {
        batch: async (documentsMax) =>
          (await model.readPart(tx, transaction, () => batches.batch(documentsMax))) as unknown as R[],
        close: () => batches.close(),
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  private async runWriting(
    transaction: DocumentTransaction,
    pipeline: readonly unknown[],
    options: ReadOptions,
  ): Promise<void> {
    const source = new TransactionSource(this.model, transaction, this.model.newRoom(options));
    for await (const batch of runPipeline(source, this.name, pipeline))
      assert(batch.length === 0, 'a stage that writes gives nothing');
  }

  private update(
    filter: Filter<T>,
    update: UpdateDocument,
    options: UpdateOptions,
    limit: number,
  ): UpdateResult | Promise<UpdateResult> {
    const done = this.change(options, this.updating(filter, update, options, limit));
    return done instanceof Promise ? done.then(({ result }) => result) : done.result;
  }

  private async delete(filter: Filter<T>, options: DeleteOptions, limit: number): Promise<DeleteResult> {
    const query = { ...queryOf(filter, options), skip: 0, limit };
    const { result } = await this.change(options, removing(query));
    return { deletedCount: result.modifiedCount };
  }

  private async findAndModify(change: RequestedChange, options: FindOneAndOptions): Promise<WithId<T> | null> {
    const { projection: shown } = options;
    const projection = shown === undefined ? undefined : compileProjection(shown, undefined, change.query.filter);
    const done = await this.change(options, { ...change, shows: true });
    const document = options.returnDocument === 'after' ? done.after : done.before;
    if (document === undefined) return null;
    return (projection === undefined ? document : projection.apply(document)) as WithId<T>;
  }

  private updating(
    filter: Filter<T>,
    update: UpdateDocument,
    options: FindOneAndOptions,
    limit: number,
  ): RequestedChange {
    return updating(filter, update, options, limit, this.model.ports.clock);
  }

  private change(options: OperationOptions, change: RequestedChange): ChangeOutcome | Promise<ChangeOutcome> {
    return this.model.write(this.txOf(options), (transaction) => this.target.change(transaction, change));
  }
}

/** Nothing is asked that one look-up does not answer. */
function isPlain({ skip = 0, hint, populate }: FindOptions): boolean {
  return skip === 0 && hint === undefined && populate === undefined;
}

/**
 * A handle on a collection; it is made when something is first written to it. With `tx` its operations belong to that transaction.
 * 22023 for what cannot be its name.
 */
export function openCollection<T extends object>(
  model: DocumentModel,
  name: string,
  options: CollectionOptions = {},
  tx?: TransactionHost,
): Collection<T> {
  checkName(name);
  checkOptions('collection', options);
  return new Collection<T>(model, name, options, tx);
}
