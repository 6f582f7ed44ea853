/**
 * A collection: what `db.collection(name)` gives. Operations are MongoDB's, each takes `{ tx }` to run in a transaction beside SQL
 * statements, and commits by itself without; what it wrote is durable when it resolves.
 */
import { type PhantomError, isPhantomError } from '@phantom/base';
import type { ObjectId } from '@phantom/codec';
import { type NewCollection, checkName } from './definition.js';
import { badArgument } from './errors.js';
import { FindCursor, type FindOptions, queryOf } from './find-cursor.js';
import type { DocumentModel } from './model.js';
import { newObjectId } from './object-id.js';
import { type PlainObject, compareValues, isObject } from './order.js';
import { parsePath, walkPath } from './path.js';
import type { CollectionEngine } from './ports.js';
import { Reader } from './reader.js';
import type { DocumentTransaction, OperationOptions } from './transaction.js';
import { CollectionWriter, settle } from './writer.js';

/** A filter: fields of T, dotted paths, operators. */
export type Filter<T> = { readonly [K in keyof T]?: unknown } & { readonly [path: string]: unknown };
/** A stored document: T with its `_id`. */
export type WithId<T> = T extends { _id: unknown } ? T : T & { _id: ObjectId };
/** What may be inserted: `_id` may be left out, and is made then. */
export type NewDocument<T> = T extends { _id: infer Id } ? Omit<T, '_id'> & { _id?: Id } : T & { _id?: unknown };

export interface CollectionOptions {
  /** Where it is stored, when this makes it. Default `btree`. */
  readonly engine?: CollectionEngine;
}

export interface InsertOneResult {
  readonly insertedId: unknown;
}

export interface InsertManyResult {
  readonly insertedCount: number;
  /** By position in what was given. */
  readonly insertedIds: Readonly<Record<number, unknown>>;
  /** What went wrong, by position; empty unless unordered. */
  readonly writeErrors: readonly { readonly index: number; readonly error: PhantomError }[];
}

export interface InsertManyOptions extends OperationOptions {
  /** True: all or none, the first failure ends it. False: those that fail are left out and told. Default true. */
  readonly ordered?: boolean;
}

/** Documents written before others get a turn. */
const DOCUMENTS_PER_TURN = 500;

export class Collection<T extends object> {
  readonly name: string;
  private readonly model: DocumentModel;
  private readonly definition: NewCollection;

  constructor(model: DocumentModel, name: string, options: CollectionOptions) {
    this.model = model;
    this.name = name;
    this.definition = { ...(options.engine === undefined ? {} : { engine: options.engine }), collection: {} };
  }

  /** Writes a document; its `_id` is made when it has none. 23505 when the id or a unique key is taken. */
  async insertOne(document: NewDocument<T>, options: OperationOptions = {}): Promise<InsertOneResult> {
    const given = documentOf(document);
    const id = this.idOf(given);
    await this.model.write(options.tx, async (transaction) => {
      const view = await this.model.forWriting(transaction, this.name, this.definition);
      const writer = new CollectionWriter(view, transaction, undefined);
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
    const view = await this.model.forWriting(transaction, this.name, this.definition);
    const writer = new CollectionWriter(view, transaction, undefined);
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
      if (i % DOCUMENTS_PER_TURN === DOCUMENTS_PER_TURN - 1) await turn();
    }
    return errors;
  }

  /** Documents that satisfy the filter: a cursor, which reads nothing until it is asked. */
  find(filter: Filter<T> = {} as Filter<T>, options: FindOptions = {}): FindCursor<WithId<T>> {
    return new FindCursor<WithId<T>>(this.model, this.name, filter, options);
  }

  /** The first document that satisfies the filter, null without one. */
  async findOne(filter: Filter<T> = {} as Filter<T>, options: FindOptions = {}): Promise<WithId<T> | null> {
    const query = queryOf(filter, { ...options, limit: 1 });
    const { transaction, release } = await this.model.openRead(options.tx);
    try {
      const view = this.model.find(transaction, this.name);
      if (view === undefined) return null;
      const [document] = await new Reader(this.model.ports, view, transaction, query).batch(1);
      return (document as WithId<T> | undefined) ?? null;
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

  private idOf(document: PlainObject): unknown {
    const id = document['_id'];
    return id === undefined || !Object.hasOwn(document, '_id') ? newObjectId(this.model.ports.clock.nowMs()) : id;
  }
}

/** 22023 for what is no document. */
function documentOf(document: unknown): PlainObject {
  if (!isObject(document)) throw badArgument('a document must be an object');
  return document;
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
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
