/** What is asked of documents that are written: the collection's schema, and the references from them and to them. */
import type { Logger } from '@phantom/base';
import type { CollectionDescriptor } from '@phantom/catalog';
import type { CollectionView } from './collection-view.js';
import type { PlainObject } from './order.js';
import { incomingReferences } from './references/incoming.js';
import { type WriterOf, referenceChecks } from './references/reference-checks.js';
import { schemaFaults, schemaViolation } from './schema.js';
import type { DocumentTransaction } from './transaction.js';
import type { WriteRules } from './writer.js';

/** The rules of a collection; undefined when it has none. */
export function writeRules(
  view: CollectionView,
  transaction: DocumentTransaction,
  logger: Logger,
  writerOf: WriterOf,
): WriteRules | undefined {
  const { name, oid, collection = {} } = view.table;
  const refers = collection.references !== undefined;
  const isReferred = incomingReferences(transaction.objects, oid).length > 0;
  if (collection.schema === undefined && !refers && !isReferred) return undefined;
  const checks = refers || isReferred ? referenceChecks(transaction, writerOf, logger) : undefined;
  return {
    ofRemovals: collection.schema === undefined && !refers,
    written(before, after) {
      keepSchema(name, collection, before, after, logger);
      if (refers) checks?.written(view, before, after);
    },
    removed(before) {
      if (isReferred) checks?.removed(view, before);
    },
  };
}

function keepSchema(
  name: string,
  collection: CollectionDescriptor,
  before: PlainObject | undefined,
  after: PlainObject,
  logger: Logger,
): void {
  const faults = schemaFaults(collection, before, after);
  if (faults === undefined) return;
  const violation = schemaViolation(name, after['_id'], faults);
  if (collection.validationAction !== 'warn') throw violation;
  logger.warn(violation.message, { collection: name, detail: violation.detail });
}
