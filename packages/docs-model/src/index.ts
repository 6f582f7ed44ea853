/** @phantom/docs-model: collections of documents in the same transactions as tables. */
export { Decimal, ObjectId, Uuid } from '@phantom/codec';
export {
  type BulkOperation,
  type BulkWriteResult,
  Collection,
  type CollectionOptions,
  type DeleteResult,
  type Filter,
  type FindOneAndOptions,
  type InsertManyOptions,
  type InsertManyResult,
  type InsertOneResult,
  type NewDocument,
  type UpdateDocument,
  type UpdateOptions,
  type UpdateResult,
  type WithId,
  openCollection,
} from './collection.js';
export { DocumentCursor } from './cursor.js';
export { FindCursor, type FindOptions } from './find-cursor.js';
export { DocumentModel } from './model.js';
export { newObjectId } from './object-id.js';
export type { CollectionEngine, DocumentPorts } from './ports.js';
export type { Explanation } from './reader.js';
export type { SortInput } from './sort.js';
export type { DocumentTransaction, OperationOptions, TransactionHost } from './transaction.js';
