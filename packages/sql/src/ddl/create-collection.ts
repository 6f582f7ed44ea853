/** CREATE COLLECTION: the name is claimed here, the rest is the document model's. */
import { unsupportedError } from '@phantom/base';
import { NameClass, type ProviderTransaction, type TableDescriptor } from '@phantom/catalog';
import type { CreateCollection } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { claimName, creationSchema, relationExists } from './names.js';
import { optionText } from './storage-options.js';

export function* createCollection(context: DdlContext, node: CreateCollection): DdlExecution {
  const { provider } = context;
  if (provider === undefined) throw unsupportedError('CREATE COLLECTION without a document model');
  const place = creationSchema(context, node.name);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(place.name);
    context.notice('NOTICE', '42P07', `relation "${place.name}" already exists, skipping`);
    return undefined;
  }
  const options = new Map(node.options.map((option) => [option.name.text, optionText(option)]));
  const where = { databaseOid: context.databaseOid, schemaOid: place.schemaOid, ownerOid: context.roleOid };
  const transaction = providerTransaction(context);
  const make = (): Promise<void> | undefined =>
    provider.create(where, place.name, node.schema?.value, options, transaction);
  for (let wait = make(); wait !== undefined; wait = make()) yield wait;
  return undefined;
}

/** The statement's transaction as the document model works in it. Definitions owe nothing at the commit. */
export function providerTransaction({ transaction, objects, roleOid }: DdlContext): ProviderTransaction {
  return { storage: transaction, objects, roleOid, beforeCommit: () => undefined };
}

/** 0A000 for what would take a collection's form away from it. */
export function refuseCollection(table: TableDescriptor, what: string): void {
  if (table.collection === undefined) return;
  throw unsupportedError(`${what} of a collection`, { hint: 'Use db.collection().' });
}
