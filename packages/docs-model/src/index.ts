/** @phantom/docs-model: collections of documents in the same transactions as tables. */
export { checkDocuments } from './document-check.js';
export { Decimal, ObjectId, Uuid } from '@phantom/codec';
export type { ChangeEvent, UpdateDescription, WatchOptions } from './changes/change-event.js';
export { ChangeStream } from './changes/change-stream.js';
export { Collection, openCollection } from './collection.js';
export type {
  BulkOperation,
  BulkReplacement,
  BulkUpdate,
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
export { DocumentCursor } from './cursor.js';
export { type CacheItem, DocumentCache, type SharedCache } from './document-cache.js';
export { FindCursor, type FindOptions } from './find-cursor.js';
export { type Expiry, expireDocuments, startExpiry } from './expiry.js';
export type { IndexInfo, IndexKeys, IndexOptions } from './indexes.js';
export type { FromSchema } from './from-schema.js';
export { DocumentTables } from './document-tables.js';
export { DocumentModel } from './model.js';
export { newObjectId } from '@phantom/codec';
export type { CollectionEngine, DocumentPorts } from './ports.js';
export { PipelineCursor, type PipelineExplanation } from './pipeline-cursor.js';
export type { Explanation } from './reader.js';
export type { DanglingReference, DanglingReport } from './references/dangling.js';
export type { PopulateOptions } from './references/populate.js';
export type { SchemaOptions, SchemaReport, ValidationAction, ValidationLevel } from './schema-change.js';
export type { SchemaFault } from './schema.js';
export type { SortInput } from './sort.js';
export type { DocumentTransaction, OperationOptions, TransactionHost } from './transaction.js';
