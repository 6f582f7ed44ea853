/** What indexes of a collection users ask for: making, listing and dropping them. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { DocumentIndexDescriptor, IndexDescriptor, ObjectReader, TableDescriptor } from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { type NewCollection, checkName, findCollection } from './definition.js';
import { badArgument } from './errors.js';
import { documentIndexes, makeIndex } from './index-build.js';
import { driven } from './steps.js';
import { compileFilter } from './filter/filter.js';
import type { DocumentModel } from './model.js';
import { isObject } from './order.js';
import { incomingForeignKeys } from './references/document-keys.js';
import { requireOwner } from './rights.js';
import { parsePath } from './path.js';
import { storeFilter, storedFilter } from './stored-filter.js';
import type { DocumentTransaction } from './transaction.js';

/** What an index is over: { a: 1, 'b.c': -1 }, { '$**': 1 }, { body: 'text' }. */
export type IndexKeys = Readonly<Record<string, 1 | -1 | 'text'>>;

export interface IndexOptions {
  /** Default: made from the keys. */
  readonly name?: string;
  /** No two documents have the same; missing counts as null. */
  readonly unique?: boolean;
  /** Documents without any of the paths have no entry. */
  readonly sparse?: boolean;
  /** Only documents that satisfy it have an entry. */
  readonly partialFilterExpression?: Readonly<Record<string, unknown>>;
  /** Documents go when the date at the path is this old. */
  readonly expireAfterSeconds?: number;
  /** Text: how much a word of a path counts. Default 1. */
  readonly weights?: Readonly<Record<string, number>>;
}

export interface IndexInfo {
  readonly name: string;
  readonly keys: Readonly<Record<string, 1 | -1 | 'text'>>;
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly partialFilterExpression?: unknown;
  readonly expireAfterSeconds?: number;
  readonly weights?: Readonly<Record<string, number>>;
}

const INDEX_PARTS_MAX = 32;
const NAME_CHARS_MAX = 63;

/** Makes an index and fills it; gives its name. Nothing happens when it is there already; 42P07 when the name is another's. */
export async function createIndex(
  model: DocumentModel,
  transaction: DocumentTransaction,
  collection: string,
  definition: NewCollection,
  keys: IndexKeys,
  options: IndexOptions,
): Promise<string> {
  const document = indexDefinition(keys, options);
  const name = options.name ?? `${collection}_${keysName(keys)}`.slice(0, NAME_CHARS_MAX);
  const { unique = false } = options;
  checkName(name);
  await model.alter(transaction, collection, definition, async (table) => {
    const same = documentIndexes(transaction, table).find((index) => index.name === name);
    if (same === undefined) return driven(makeIndex(model, transaction, table, { name, unique, document }));
    if (JSON.stringify(same.document) === JSON.stringify(document) && same.unique === unique) return table;
    throw new PhantomError('42P07', `index "${name}" already exists with another definition`);
  });
  return name;
}

/** Removes an index. 42704 when the collection has none of that name. */
export async function dropIndex(
  model: DocumentModel,
  transaction: DocumentTransaction,
  collection: string,
  definition: NewCollection,
  name: string,
): Promise<void> {
  await model.alter(transaction, collection, definition, (table) => {
    const { objects, storage } = transaction;
    const index = documentIndexes(transaction, table).find((one) => one.name === name);
    if (index === undefined) throw new PhantomError('42704', `collection "${collection}" has no index "${name}"`);
    refuseReferred(objects, table, index);
    storage.removeRange(spaceRange(index.space));
    for (const dependency of Array.from(objects.dependenciesOf(index.oid))) objects.removeDependency(dependency);
    objects.remove(index.oid);
    return { ...table, indexOids: table.indexOids.filter((oid) => oid !== index.oid) };
  });
}

/** 2BP01 for an index by which foreign keys of tables find documents. */
function refuseReferred(objects: ObjectReader, table: TableDescriptor, index: IndexDescriptor): void {
  const standing = incomingForeignKeys(objects, table).find(({ key }) => key.indexOid === index.oid);
  if (standing === undefined) return;
  const message = `cannot drop index "${index.name}" because other objects depend on it`;
  throw new PhantomError('2BP01', message, {
    detail: `A foreign key of table "${objects.object(standing.childOid)?.name}" depends on it.`,
  });
}

/** Removes a collection with everything in it. 2BP01 while something stands on it. */
export async function dropCollection(
  model: DocumentModel,
  transaction: DocumentTransaction,
  collection: string,
): Promise<boolean> {
  const { objects, storage, roleOid } = transaction;
  const found = findCollection(model.ports, objects, collection);
  if (found === undefined) return false;
  requireOwner(objects, roleOid, found);
  await objects.lockObject(found.oid, LockStrength.Update);
  const table = objects.object(found.oid);
  if (table?.kind !== 'table') return false;
  const own = new Set<number>([...table.indexOids, table.rowTypeOid, ...(table.rowSecurity?.policyOids ?? [])]);
  for (const { dependentOid } of objects.dependentsOf(table.oid)) {
    if (own.has(dependentOid)) continue;
    const dependent = objects.object(dependentOid);
    throw new PhantomError('2BP01', `cannot drop collection "${collection}" because other objects depend on it`, {
      ...(dependent === undefined ? {} : { detail: `${dependent.name} depends on it.` }),
      hint: 'DROP TABLE ... CASCADE drops them too.',
    });
  }
  for (const oid of own) {
    const object = objects.object(oid);
    if (object === undefined) continue;
    if (object.kind === 'index' && object.space !== table.space) storage.removeRange(spaceRange(object.space));
    for (const dependency of Array.from(objects.dependenciesOf(oid))) objects.removeDependency(dependency);
    objects.remove(oid);
  }
  for (const dependency of Array.from(objects.dependenciesOf(table.oid))) objects.removeDependency(dependency);
  storage.removeRange(spaceRange(table.space));
  objects.remove(table.oid);
  return true;
}

/** The indexes of a collection, that of `_id` first. */
export function listIndexes(transaction: DocumentTransaction, table: TableDescriptor): IndexInfo[] {
  const indexes = documentIndexes(transaction, table).map((index): IndexInfo => {
    const document = index.document as DocumentIndexDescriptor;
    const { partialFilter, expireAfterSeconds, weights } = document;
    return {
      name: index.name,
      keys: Object.fromEntries(
        document.parts.map(({ path, descending, wildcard }) => [
          wildcard === true ? (path === '' ? '$**' : `${path}.$**`) : path,
          document.kind === 'text' ? 'text' : descending ? -1 : 1,
        ]),
      ),
      unique: index.unique,
      sparse: document.sparse,
      ...(partialFilter === undefined ? {} : { partialFilterExpression: storedFilter(partialFilter) }),
      ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
      ...(weights === undefined ? {} : { weights }),
    };
  });
  return [{ name: '_id_', keys: { _id: 1 }, unique: true, sparse: false }, ...indexes];
}

function keysName(keys: IndexKeys): string {
  return Object.entries(keys)
    .map(([path, direction]) => `${path}_${direction}`)
    .join('_');
}

/** Checks what an index is asked to be. 22023 for what cannot be, 0A000 for what is not there. */
function indexDefinition(keys: IndexKeys, options: IndexOptions): DocumentIndexDescriptor {
  if (!isObject(keys)) throw badArgument('an index needs an object of paths');
  const entries = Object.entries(keys);
  if (entries.length === 0 || entries.length > INDEX_PARTS_MAX) {
    throw badArgument(`an index has 1 to ${INDEX_PARTS_MAX} paths`);
  }
  const text = entries.some(([, direction]) => direction === 'text');
  const parts = entries.map(([path, direction]) => {
    if (text ? direction !== 'text' : direction !== 1 && direction !== -1) {
      if (typeof direction === 'string' && !text) throw unsupportedError(`index kind ${String(direction)}`);
      throw badArgument(`an index goes by 1 or -1${text ? ', and text stands alone' : ''}, not ${String(direction)}`);
    }
    const wildcard = /^(?:(.*)\.)?\$\*\*$/.exec(path);
    if (wildcard !== null) {
      if (entries.length > 1 || text) throw unsupportedError('a wildcard among other paths of an index');
      return { path: wildcard[1] ?? '', descending: false, wildcard: true as const };
    }
    parsePath(path);
    if (path.includes('$')) throw badArgument(`the path "${path}" has a dollar`);
    return { path, descending: direction === -1 };
  });
  const { unique, sparse = false, partialFilterExpression, expireAfterSeconds, weights } = options;
  const plain = !text && parts[0]?.wildcard !== true;
  if (!plain && (unique === true || sparse || expireAfterSeconds !== undefined)) {
    throw badArgument('text and wildcard indexes are neither unique nor sparse, and nothing expires by them');
  }
  if (expireAfterSeconds !== undefined) {
    if (parts.length > 1) throw badArgument('expireAfterSeconds needs an index over one path');
    if (!(expireAfterSeconds >= 0)) throw badArgument('expireAfterSeconds must be at least 0');
  }
  if (weights !== undefined && !text) throw badArgument('weights are for text indexes');
  if (partialFilterExpression !== undefined) checkPartial(partialFilterExpression);
  return {
    kind: text ? 'text' : 'ordered',
    parts,
    sparse,
    ...(partialFilterExpression === undefined ? {} : { partialFilter: storeFilter(partialFilterExpression) }),
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
    ...(weights === undefined ? {} : { weights }),
  };
}

const PARTIAL_OPERATORS: ReadonlySet<string> = new Set(['$eq', '$in', '$gt', '$gte', '$lt', '$lte', '$exists', '$and']);

/** Only what conditions say whole can be compared with what a query asks. */
function checkPartial(filter: unknown): void {
  compileFilter(filter);
  const check = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(check);
    if (!isObject(value)) return;
    for (const key of Object.keys(value)) {
      if (key.startsWith('$') && !PARTIAL_OPERATORS.has(key)) throw unsupportedError(`${key} in a partial index`);
      if (key === '$exists' && value[key] !== true) throw unsupportedError('$exists: false in a partial index');
      check(value[key]);
    }
  };
  check(filter);
}
