/** The dangling references of a collection, as a snapshot shows them; rows that are referred to are those of the newest state. */
import { PhantomError, eventLoop } from '@phantom/base';
import { ByteSlot, prefixRange } from '@phantom/kv';
import { findCollection } from '../definition.js';
import type { DocumentModel } from '../model.js';
import { isSeen, policiesOf } from '../row-security.js';
import type { DocumentTransaction, OperationOptions } from '../transaction.js';
import { type DanglingReport, DanglingSearch, documentLookup } from './dangling.js';
import { type DeclaredReference, declaredReferences, targetName } from './declared.js';
import { rowTablesOf } from './resolve.js';

const DOCUMENTS_PER_TURN = 200;

/** Looks for them by a schema, or by the collection's own. */
export async function reportDangling(
  model: DocumentModel,
  name: string,
  schema: unknown,
  options: OperationOptions,
): Promise<DanglingReport> {
  const { transaction, release } = await model.openRead(options.tx);
  try {
    const view = model.find(transaction, name);
    if (view === undefined) return { checked: 0, dangling: 0, examples: [] };
    const { storage } = transaction;
    const slot = new ByteSlot();
    const has = (key: Uint8Array): boolean => storage.get(key, 0, key.length, slot);
    const sought = declaredReferences(schema ?? view.table.collection?.schema).map((declared) => ({
      path: declared.path,
      target: targetName(declared),
      leads: lookupOf(model, declared, transaction, has),
    }));
    const search = new DanglingSearch(sought);
    const policies = policiesOf(model.ports, view, transaction);
    let checked = 0;
    const cursor = storage.cursor(prefixRange(view.layout.prefix));
    try {
      while (cursor.next()) {
        if (!isSeen(policies, 'select', cursor.value)) continue;
        search.look(view.layout.decode(cursor.value));
        if (++checked % DOCUMENTS_PER_TURN !== 0) continue;
        await eventLoop.nextTurn();
        if (storage.status !== 'active') throw new PhantomError('25P01', 'the report outlived its transaction');
      }
    } finally {
      cursor.close();
    }
    return { checked, dangling: search.dangling, examples: search.examples };
  } finally {
    release();
  }
}

function lookupOf(
  { ports }: DocumentModel,
  { target }: DeclaredReference,
  transaction: DocumentTransaction,
  has: (key: Uint8Array) => boolean,
): (value: unknown) => boolean {
  const { objects } = transaction;
  if (target.kind === 'documents')
    return documentLookup(findCollection(ports, objects, target.collection), objects, has);
  const tables = rowTablesOf(ports);
  const key = tables.rowKey(target.table, target.column, transaction);
  return (value) => tables.hasRow(key, value, false, transaction) === true;
}
