/** What collections take and give. */
import type { PhantomError } from '@phantom/base';
import type { ObjectId } from '@phantom/codec';
import type { CollectionEngine } from './ports.js';
import type { ValidationAction, ValidationLevel } from './schema-change.js';
import type { SortInput } from './sort.js';
import type { OperationOptions } from './transaction.js';

/** A filter: fields of T, dotted paths, operators. */
export type Filter<T> = { readonly [K in keyof T]?: unknown } & { readonly [path: string]: unknown };
/** A stored document: T with its `_id`. */
export type WithId<T> = T extends { _id: unknown } ? T : T & { _id: ObjectId };
/** What may be inserted: `_id` may be left out, and is made then. */
export type NewDocument<T> = T extends { _id: infer Id } ? Omit<T, '_id'> & { _id?: Id } : T & { _id?: unknown };

export interface CollectionOptions {
  /** Where it is stored, when this makes it. Default `btree`. */
  readonly engine?: CollectionEngine;
  /** JSON Schema that documents satisfy, when this makes the collection; one that has another is 55000 at the first write. */
  readonly schema?: unknown;
  /** `moderate` leaves documents alone that broke the schema before. Default `strict`. */
  readonly validationLevel?: ValidationLevel;
  /** `warn` writes what breaks the schema, and logs it. Default `error`. */
  readonly validationAction?: ValidationAction;
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

export interface UpdateResult {
  readonly matchedCount: number;
  /** Documents that are not what they were. */
  readonly modifiedCount: number;
  /** 1 when an upsert made a document. */
  readonly upsertedCount: number;
  readonly upsertedId: unknown;
}

export interface DeleteResult {
  readonly deletedCount: number;
}

export interface UpdateOptions extends OperationOptions {
  /** Make a document when none satisfies the filter. */
  readonly upsert?: boolean;
  readonly arrayFilters?: readonly Readonly<Record<string, unknown>>[];
  readonly hint?: string;
}

/** What says which of the documents found is the one. */
export interface OneOptions {
  /** The first in this order. */
  readonly sort?: SortInput;
}

export interface ReplaceOptions extends OperationOptions, OneOptions {
  readonly upsert?: boolean;
  readonly hint?: string;
}

export interface CountOptions extends OperationOptions {
  readonly skip?: number;
  /** 0: all. */
  readonly limit?: number;
  readonly hint?: string;
}

export interface DeleteOptions extends OperationOptions {
  readonly hint?: string;
}

export interface FindOneAndDeleteOptions extends DeleteOptions, OneOptions {
  readonly projection?: Readonly<Record<string, unknown>>;
}

export interface FindOneAndOptions extends UpdateOptions, OneOptions {
  readonly projection?: Readonly<Record<string, unknown>>;
  /** Which document is given back. Default `before`. */
  readonly returnDocument?: 'before' | 'after';
}

/** One operation of bulkWrite. */
export type BulkOperation<T> =
  | { readonly insertOne: { readonly document: NewDocument<T> } }
  | { readonly updateOne: BulkUpdate<T> }
  | { readonly updateMany: BulkUpdate<T> }
  | { readonly replaceOne: BulkReplacement<T> }
  | { readonly deleteOne: { readonly filter: Filter<T> } }
  | { readonly deleteMany: { readonly filter: Filter<T> } };

export interface BulkUpdate<T> {
  readonly filter: Filter<T>;
  readonly update: UpdateDocument;
  readonly upsert?: boolean;
  readonly arrayFilters?: readonly Readonly<Record<string, unknown>>[];
  readonly hint?: string;
}

export interface BulkReplacement<T> {
  readonly filter: Filter<T>;
  readonly replacement: object;
  readonly upsert?: boolean;
  readonly hint?: string;
}

export interface BulkWriteResult {
  readonly insertedCount: number;
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly deletedCount: number;
  readonly upsertedCount: number;
  readonly insertedIds: Readonly<Record<number, unknown>>;
  readonly upsertedIds: Readonly<Record<number, unknown>>;
  readonly writeErrors: readonly { readonly index: number; readonly error: PhantomError }[];
}

/** Update operators over paths, or a pipeline of $set, $unset, $project, $replaceWith and their other names. */
export type UpdateDocument = Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[];
