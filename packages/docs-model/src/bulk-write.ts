/** `bulkWrite`: operations of every kind in one commit, each of which sees what those before it wrote. */
import { eventLoop, isPhantomError } from '@phantom/base';
import type { CollectionTarget, WriteFailure } from './collection-target.js';
import type { BulkOperation, BulkWriteResult } from './collection-types.js';
import { badArgument } from './errors.js';
import { queryOf } from './find-cursor.js';
import { checkOptions } from './known-options.js';
import { turnIsLong } from './long-turns.js';
import { type RequestedChange, documentOf, removing, replacing, updating } from './requested-change.js';
import type { DocumentTransaction } from './transaction.js';

interface BulkOutcome {
  readonly insertedId?: unknown;
  readonly matched?: number;
  readonly modified?: number;
  readonly deleted?: number;
  readonly upsertedId?: unknown;
}

/** One operation, compiled. */
export type BulkStep = (transaction: DocumentTransaction) => Promise<BulkOutcome>;

/** Compiles an operation. 22023 for what is none. */
export function bulkStep<T>(target: CollectionTarget, operation: BulkOperation<T>): BulkStep {
  const [name, ...others] = Object.keys(operation);
  if (name === undefined || others.length > 0) throw badArgument('a bulk operation has one name');
  if ('insertOne' in operation) {
    checkOptions('bulkWrite insertOne', operation.insertOne);
    const document = documentOf(operation.insertOne.document);
    const id = target.idOf(document);
    return async (transaction) => {
      await target.insert(transaction, document, id);
      return { insertedId: id };
    };
  }
  const changing =
    (change: RequestedChange): BulkStep =>
    async (transaction) => {
      const { result } = await target.change(transaction, change);
      return { matched: result.matchedCount, modified: result.modifiedCount, upsertedId: result.upsertedId };
    };
  const { clock } = target.model.ports;
  if ('updateOne' in operation) {
    checkOptions('bulkWrite updateOne', operation.updateOne);
    const { filter, update, ...options } = operation.updateOne;
    return changing(updating(filter, update, options, 1, clock));
  }
  if ('updateMany' in operation) {
    checkOptions('bulkWrite updateMany', operation.updateMany);
    const { filter, update, ...options } = operation.updateMany;
    return changing(updating(filter, update, options, 0, clock));
  }
  if ('replaceOne' in operation) {
    checkOptions('bulkWrite replaceOne', operation.replaceOne);
    const { filter, replacement, ...options } = operation.replaceOne;
    return changing(replacing(filter, replacement, options));
  }
  if (!('deleteOne' in operation) && !('deleteMany' in operation)) throw badArgument(`unknown bulk operation: ${name}`);
  const removed = 'deleteOne' in operation ? operation.deleteOne : operation.deleteMany;
  checkOptions('deleteOne' in operation ? 'bulkWrite deleteOne' : 'bulkWrite deleteMany', removed);
  const { filter } = removed;
  const removal = removing(queryOf(filter, { limit: 'deleteOne' in operation ? 1 : 0 }));
  return async (transaction) => {
    const { result } = await target.change(transaction, removal);
    return { deleted: result.modifiedCount };
  };
}

/** Runs operations in order. Ordered, the first that fails ends it; unordered, those that fail are undone and told. */
export async function runBulk(
  transaction: DocumentTransaction,
  steps: readonly BulkStep[],
  ordered: boolean,
): Promise<BulkWriteResult> {
  const { storage, objects } = transaction;
  const insertedIds: Record<number, unknown> = {};
  const upsertedIds: Record<number, unknown> = {};
  const writeErrors: WriteFailure[] = [];
  const total = { insertedCount: 0, matchedCount: 0, modifiedCount: 0, deletedCount: 0, upsertedCount: 0 };
  for (const [index, step] of steps.entries()) {
    if (turnIsLong()) await eventLoop.nextTurn();
    const savepoint = storage.savepoint();
    const mark = objects.mark();
    try {
      const done = await step(transaction);
      if (done.insertedId !== undefined) {
        total.insertedCount++;
        insertedIds[index] = done.insertedId;
      }
      total.matchedCount += done.matched ?? 0;
      total.modifiedCount += done.modified ?? 0;
      total.deletedCount += done.deleted ?? 0;
      if (done.upsertedId !== undefined) {
        total.upsertedCount++;
        upsertedIds[index] = done.upsertedId;
      }
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      if (ordered || error.retryable) throw error.with({ index });
      storage.rollbackTo(savepoint);
      objects.rollbackTo(mark);
      writeErrors.push({ index, error });
    }
    storage.release(savepoint);
    storage.beginStatement();
  }
  return { ...total, insertedIds, upsertedIds, writeErrors };
}
