/**
 * What operations may be told. An option that nobody knows is a mistake, most often of spelling, and one that is accepted and ignored
 * loses what was meant (`upser: true`), so it is an error: 22023. So is a value that an option cannot have (`upsert: 1`). Those of MongoDB's
 * drivers that are known and not there are 0A000.
 */
import { type OptionNames, checkOptions as checkNames, unsupportedError } from '@phantom/base';
import { badArgument } from './errors.js';

const find = ['tx', 'allowDiskUse', 'projection', 'sort', 'skip', 'limit', 'hint', 'populate', 'populateDepth'];
const update = ['tx', 'upsert', 'arrayFilters', 'hint'];
const index = ['name', 'unique', 'sparse', 'partialFilterExpression', 'expireAfterSeconds', 'weights'];
const shown = ['sort', 'projection'];
const returned = [...shown, 'returnDocument'];

/** Options by the operation that takes them. */
const KNOWN = {
  collection: ['engine', 'schema', 'validationLevel', 'validationAction'],
  insertOne: ['tx'],
  insertMany: ['tx', 'ordered'],
  find,
  findOne: find.filter((name) => name !== 'limit'),
  countDocuments: ['tx', 'skip', 'limit', 'hint'],
  estimatedDocumentCount: ['tx'],
  distinct: ['tx'],
  updateOne: [...update, 'sort'],
  updateMany: update,
  replaceOne: ['tx', 'upsert', 'hint', 'sort'],
  deleteOne: ['tx', 'hint', 'sort'],
  deleteMany: ['tx', 'hint'],
  findOneAndUpdate: [...update, ...returned],
  findOneAndReplace: ['tx', 'upsert', 'hint', ...returned],
  findOneAndDelete: ['tx', 'hint', ...shown],
  bulkWrite: ['tx', 'ordered'],
  createIndex: ['tx', ...index],
  createIndexes: ['tx'],
  'createIndexes index': ['key', ...index],
  dropIndex: ['tx'],
  dropIndexes: ['tx'],
  listIndexes: ['tx'],
  setSchema: ['tx', 'validationLevel', 'validationAction'],
  danglingReferences: ['tx'],
  indexes: ['tx'],
  drop: ['tx'],
  aggregate: ['tx', 'allowDiskUse'],
  watch: ['resumeAfter', 'startAfter', 'startAtOperationTime', 'fullDocument', 'logBytesMax'],
  'bulkWrite insertOne': ['document'],
  'bulkWrite updateOne': ['filter', 'update', 'upsert', 'arrayFilters', 'hint'],
  'bulkWrite updateMany': ['filter', 'update', 'upsert', 'arrayFilters', 'hint'],
  'bulkWrite replaceOne': ['filter', 'replacement', 'upsert', 'hint'],
  'bulkWrite deleteOne': ['filter'],
  'bulkWrite deleteMany': ['filter'],
};
export type OperationName = keyof typeof KNOWN;

const NAMES = new Map<string, OptionNames>(
  Object.entries(KNOWN).map(([operation, names]) => [operation, new Set(names)]),
);

/** Of MongoDB's drivers, with what there is instead. */
const ABSENT = new Map<string, string | undefined>([
  ['session', 'Name the transaction by the option "tx".'],
  ['allowDiskUse', undefined],
  ['background', undefined],
  ['batchSize', undefined],
  ['bypassDocumentValidation', undefined],
  ['collation', undefined],
  ['comment', undefined],
  ['default_language', undefined],
  ['fullDocumentBeforeChange', undefined],
  ['hidden', undefined],
  ['ignoreUndefined', undefined],
  ['includeResultMetadata', undefined],
  ['language_override', undefined],
  ['let', undefined],
  ['max', undefined],
  ['maxTimeMS', 'Set lock_timeout or statement_timeout of the role or the database.'],
  ['min', undefined],
  ['noCursorTimeout', undefined],
  ['readConcern', undefined],
  ['readPreference', undefined],
  ['returnKey', undefined],
  ['returnOriginal', "Say returnDocument: 'before' or 'after'."],
  ['showRecordId', undefined],
  ['tailable', undefined],
  ['wildcardProjection', undefined],
  ['writeConcern', undefined],
]);

interface Kind {
  readonly what: string;
  readonly holds: (value: unknown) => boolean;
}

const FLAG: Kind = { what: 'true or false', holds: (value) => typeof value === 'boolean' };
const NAME: Kind = { what: 'the name of an index', holds: (value) => typeof value === 'string' };

/** What the values of options are, where what reads them does not see to it. */
const KINDS = new Map<string, Kind>([
  ['allowDiskUse', FLAG],
  ['upsert', FLAG],
  ['ordered', FLAG],
  ['unique', FLAG],
  ['sparse', FLAG],
  ['hint', NAME],
  ['name', NAME],
  ['arrayFilters', { what: 'an array of filters', holds: Array.isArray }],
  ['returnDocument', { what: "'before' or 'after'", holds: (value) => value === 'before' || value === 'after' }],
  ['expireAfterSeconds', { what: 'a number of seconds', holds: Number.isFinite }],
]);

/** 22023 and 0A000 for an option that the operation does not take. Costs nothing to speak of where none is given. */
export function checkOptions(operation: OperationName, options: object): void {
  const names = NAMES.get(operation)!;
  for (const name in options) {
    if (!names.has(name) && ABSENT.has(name)) throw absent(operation, name);
    const kind = KINDS.get(name);
    const value: unknown = kind === undefined ? undefined : options[name as keyof typeof options];
    if (value !== undefined && kind?.holds(value) === false) {
      throw badArgument(`option ${name} of ${operation} must be ${kind.what}`);
    }
  }
  checkNames(operation, options, names);
}

function absent(operation: OperationName, name: string): Error {
  const hint = ABSENT.get(name);
  return unsupportedError(`option ${name} of ${operation}`, hint === undefined ? {} : { hint });
}
