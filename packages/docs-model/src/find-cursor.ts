/** The cursor of `find`, with what may be said of a query before it runs. */
import { eventLoop } from '@phantom/base';
import { type Batches, DocumentCursor } from './cursor.js';
import { badArgument } from './errors.js';
import { EqualityFilter } from './filter/equality-filter.js';
import { compileFilter } from './filter/filter.js';
import type { DocumentModel, ReadTransaction } from './model.js';
import type { PlainObject } from './order.js';
import { compileProjection } from './projection.js';
import { type Explanation, type Query, Reader } from './reader.js';
import { type PopulateOptions, Populator, populateRequest } from './references/populate.js';
import { type SortInput, parseSort } from './sort.js';
import type { ReadOptions, TransactionHost } from './transaction.js';

export interface FindOptions extends ReadOptions, PopulateOptions {
  readonly projection?: Readonly<Record<string, unknown>>;
  readonly sort?: SortInput;
  readonly skip?: number;
  /** 0: all. */
  readonly limit?: number;
  /** Name of the index to use; `$natural` walks the collection. */
  readonly hint?: string;
}

const UNSORTED: Query['sort'] = [];

function checkCount(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 0) throw badArgument(`${name} must be a whole number of at least 0`);
}

/** Compiles what a caller asks. 22023 and 0A000 for what cannot be asked. */
export function queryOf(filter: unknown, options: FindOptions): Query {
  const { projection, sort, skip = 0, limit = 0, hint } = options;
  checkCount('skip', skip);
  checkCount('limit', limit);
  const compiled = compileFilter(filter);
  return {
    filter: compiled,
    sort: sort === undefined ? UNSORTED : parseSort(sort),
    skip,
    limit,
    projection:
      projection === undefined || Object.keys(projection).length === 0
        ? undefined
        : compileProjection(projection, undefined, compiled),
    hint,
  };
}

export class FindCursor<T> extends DocumentCursor<T> {
  private readonly model: DocumentModel;
  private readonly collectionName: string;
  private readonly filter: unknown;
  private options: FindOptions;
  private query: Query;

  constructor(model: DocumentModel, collectionName: string, filter: unknown, options: FindOptions) {
    super(() => this.begin());
    this.model = model;
    this.collectionName = collectionName;
    this.filter = filter;
    this.options = options;
    // What is wrong with a query is told where it is written.
    this.query = queryOf(filter, options);
    populateRequest(options);
  }

  sort(sort: SortInput): this {
    return this.with({ sort });
  }

  skip(skip: number): this {
    return this.with({ skip });
  }

  /** 0: all. */
  limit(limit: number): this {
    return this.with({ limit });
  }

  project(projection: Readonly<Record<string, unknown>>): this {
    return this.with({ projection });
  }

  hint(hint: string): this {
    return this.with({ hint });
  }

  /** Puts the documents referred to at these paths in their place, and what those refer to, `depth` levels deep. */
  populate(paths: string | readonly string[], depth = 1): this {
    return this.with({ populate: paths, populateDepth: depth });
  }

  /** Runs the query and tells how it was answered: the index, keys and documents looked at. */
  explain(): Promise<Explanation> {
    return explainQuery(this.model, this.collectionName, this.query, this.options.tx);
  }

  private with(more: FindOptions): this {
    this.checkNotStarted();
    this.options = { ...this.options, ...more };
    this.query = queryOf(this.filter, this.options);
    populateRequest(this.options);
    return this;
  }

  protected override whole(): T[] | undefined {
    const { options, query } = this;
    if (options.tx !== undefined || options.populate !== undefined) return undefined;
    return readNow(this.model, this.collectionName, query, query.limit) as T[] | undefined;
  }

  private begin(): Batches<T> | Promise<Batches<T>> {
    const opened = this.model.openRead(this.options.tx);
    return opened instanceof Promise ? opened.then((read) => this.run(read)) : this.run(opened);
  }

  private run({ transaction, release }: ReadTransaction): Batches<T> {
    const { query, model } = this;
    const { tx } = this.options;
    try {
      const request = populateRequest(this.options);
      const view = this.model.find(transaction, this.collectionName);
      if (view === undefined) return { batch: () => [], close: release };
      const populator = request === undefined ? undefined : new Populator(this.model.ports, request, view, transaction);
      const show = (documents: PlainObject[]): T[] => (populator?.populate(documents) ?? documents) as T[];
      const reader = new Reader(model.ports, view, transaction, query, model.newRoom(this.options));
      return {
        batch: (documentsMax) => {
          const documents = model.readPart(tx, transaction, () => reader.batch(documentsMax));
          if (documents instanceof Promise) return documents.then(show);
          return show(documents);
        },
        close: () => {
          reader.close();
          release();
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }
}

/**
 * The documents of a query, `limit` at the most (0: all), that one look-up of an index answers as of now, beside no transaction. Undefined:
 * ask a reader.
 */
export function readNow(
  model: DocumentModel,
  collection: string,
  query: Query,
  limit: number,
): PlainObject[] | undefined {
  const { filter, projection } = query;
  if (!(filter instanceof EqualityFilter) || !isPlain(query) || eventLoop.isOverdue()) return undefined;
  const documents = model.readLookupNow(collection, filter, limit === 0 ? Number.POSITIVE_INFINITY : limit);
  return projection === undefined ? documents : documents?.map((document) => projection.apply(document));
}

/** How many documents satisfy a query, likewise. */
export function countNow(model: DocumentModel, collection: string, query: Query): number | undefined {
  const { filter } = query;
  if (!(filter instanceof EqualityFilter) || !isPlain(query) || query.limit > 0 || eventLoop.isOverdue())
    return undefined;
  return model.countLookupNow(collection, filter);
}

/** Nothing is asked but the filter, and how many at the most. */
function isPlain({ sort, skip, hint }: Query): boolean {
  return sort.length === 0 && skip === 0 && hint === undefined;
}

/** Runs a query to its end and tells how it was answered. */
export async function explainQuery(
  model: DocumentModel,
  collection: string,
  query: Query,
  tx: TransactionHost | undefined,
): Promise<Explanation> {
  const { transaction, release } = await model.openRead(tx);
  try {
    const view = model.find(transaction, collection);
    if (view === undefined) return NO_COLLECTION;
    const reader = new Reader(model.ports, view, transaction, query);
    try {
      const next = (): PlainObject[] | Promise<PlainObject[]> =>
        model.readPart(tx, transaction, () => reader.batch(1000));
      for (let batch = await next(); batch.length > 0; batch = await next());
    } finally {
      reader.close();
    }
    return reader.explain();
  } finally {
    release();
  }
}

const NO_COLLECTION: Explanation = {
  stage: 'COLLSCAN',
  bounds: [],
  direction: 'forward',
  sort: false,
  estimatedKeys: 0,
  keysExamined: 0,
  documentsExamined: 0,
  returned: 0,
};
