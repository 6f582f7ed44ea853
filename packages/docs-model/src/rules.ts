/** What is asked of documents that are written: the collection's schema, and the references from them and to them. */
import type { Logger } from '@phantom/base';
import type { CollectionDescriptor, ObjectReader, TableDescriptor } from '@phantom/catalog';
import type { CollectionView } from './collection-view.js';
import type { PlainObject } from './order.js';
import type { DocumentPorts } from './ports.js';
import type { CrossChecks } from './references/cross-checks.js';
import { incomingReferences } from './references/incoming.js';
import type { ReferenceChecks } from './references/reference-checks.js';
import { type IncomingForeignKey, incomingForeignKeys } from './references/document-keys.js';
import { schemaFaults, schemaViolation } from './schema.js';
import type { DocumentTransaction } from './transaction.js';
import type { WriteRules } from './writer.js';

/** Where checks are owed until the end of a transaction: the model. */
export interface CheckedModel {
  readonly ports: DocumentPorts;
  referenceChecks(transaction: DocumentTransaction): ReferenceChecks;
  crossChecks(transaction: DocumentTransaction): CrossChecks;
}

interface KnownReferrers {
  readonly isReferred: boolean;
  readonly foreignKeys: readonly IncomingForeignKey[];
}

const referrers = new WeakMap<TableDescriptor, KnownReferrers>();

/** Who refers to a collection. Whoever begins to gives it another descriptor; one who has ceased to is found out when checks are settled. */
function referrersOf(objects: ObjectReader, table: TableDescriptor): KnownReferrers {
  let known = referrers.get(table);
  if (known === undefined) {
    const isReferred = incomingReferences(objects, table.oid).length > 0;
    known = { isReferred, foreignKeys: incomingForeignKeys(objects, table) };
    referrers.set(table, known);
  }
  return known;
}

/** The rules of a collection; undefined when it has none. */
export function writeRules(
  model: CheckedModel,
  view: CollectionView,
  transaction: DocumentTransaction,
): WriteRules | undefined {
  const { name, collection = {} } = view.table;
  const { logger } = model.ports;
  const refers = collection.references !== undefined;
  const refersToRows = collection.rowReferences !== undefined;
  const { isReferred, foreignKeys } = referrersOf(transaction.objects, view.table);
  const concernsDocuments = refers || isReferred;
  const concernsRows = refersToRows || foreignKeys.length > 0;
  if (collection.schema === undefined && !concernsDocuments && !concernsRows) return undefined;
  const changingKeys = foreignKeys.filter(({ key }) => key.field !== '_id');
  const checks = concernsDocuments ? model.referenceChecks(transaction) : undefined;
  const crossChecks = concernsRows ? model.crossChecks(transaction) : undefined;
  return {
    ofRemovals: collection.schema === undefined && !refers && !refersToRows && changingKeys.length === 0,
    written(before, after) {
      keepSchema(name, collection, before, after, logger);
      if (refers) checks?.written(view, before, after);
      if (refersToRows) crossChecks?.written(view, before, after);
      if (before !== undefined && changingKeys.length > 0) crossChecks?.keysGone(view, changingKeys, before, after);
    },
    removed(before) {
      if (isReferred) checks?.removed(view, before);
      if (foreignKeys.length > 0) crossChecks?.keysGone(view, foreignKeys, before, undefined);
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
