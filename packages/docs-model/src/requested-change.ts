/** Changes as callers ask for them (updates, replacements, removals), compiled: which documents, what becomes of each, what an upsert makes. */
import type { FindOneAndOptions, UpdateDocument } from './collection-types.js';
import { badArgument } from './errors.js';
import { queryOf } from './find-cursor.js';
import type { DocumentChange } from './document-change.js';
import { type PlainObject, compareValues, isObject } from './order.js';
import type { Query } from './reader.js';
import { parseSort } from './sort.js';
import type { UpdateClock } from './update/operators.js';
import { compileUpdatePipeline } from './update/update-pipeline.js';
import { type CompiledUpdate, compileUpdate } from './update/update.js';
import { seedDocument, seedId } from './upsert.js';

/** A change of the documents found, and what an upsert makes when there are none. */
export interface RequestedChange extends DocumentChange {
  readonly insert: (() => PlainObject) | undefined;
}

const ONE = { limit: 1 };
const ALL = {};
/** What a removal reads of documents by itself. */
const NO_FIELDS: ReadonlySet<string> = new Set();

/** 22023 for what is no document. */
export function documentOf(document: unknown): PlainObject {
  if (!isObject(document)) throw badArgument('a document must be an object');
  return document;
}

/** Removes what the query finds. */
export function removing(query: Query): RequestedChange {
  return { query, decide: () => undefined, insert: undefined, removes: true, fields: NO_FIELDS };
}

/** Changes up to `limit` documents (0: all) by operators or by a pipeline. 22023 and 0A000 for what is no filter or update. */
export function updating(
  filter: unknown,
  update: UpdateDocument,
  options: FindOneAndOptions,
  limit: number,
  clock: UpdateClock,
): RequestedChange {
  const query = changedQuery(filter, options, limit);
  const compiled: Partial<CompiledUpdate> & Pick<CompiledUpdate, 'apply'> = Array.isArray(update)
    ? compileUpdatePipeline(update, options.arrayFilters)
    : compileUpdate(update, options.arrayFilters, clock);
  const { apply, fields, patch } = compiled;
  return {
    query,
    decide: (document) => apply(document, { filter: query.filter, inserting: false }),
    insert:
      options.upsert === true
        ? () => apply(seedDocument(query.filter), { filter: query.filter, inserting: true })
        : undefined,
    fields,
    patch,
  };
}

/** Puts another document in the place of the first one found. 22023 for what is no filter or document. */
export function replacing(filter: unknown, replacement: object, options: FindOneAndOptions): RequestedChange {
  const given = documentOf(replacement);
  const operator = Object.keys(given).find((key) => key.startsWith('$'));
  if (operator !== undefined) throw badArgument(`a replacement has no operators: ${operator}`);
  const query = changedQuery(filter, options, 1);
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
    insert:
      options.upsert === true
        ? () => {
            const asked = seedId(query.filter);
            return decide({ _id: asked === undefined ? id : asked });
          }
        : undefined,
    replaces: true,
  };
}

function changedQuery(filter: unknown, { hint, sort }: FindOneAndOptions, limit: number): Query {
  const query = queryOf(filter, limit === 1 ? ONE : ALL);
  if (hint === undefined && sort === undefined) return query;
  return { ...query, hint, sort: sort === undefined ? query.sort : parseSort(sort) };
}
