/** The dangling references of a collection, as a snapshot shows them. */
import { PhantomError, eventLoop } from '@phantom/base';
import { ByteSlot, prefixRange } from '@phantom/kv';
import { findCollection } from '../definition.js';
import type { DocumentModel } from '../model.js';
import type { OperationOptions } from '../transaction.js';
import { type DanglingReport, DanglingSearch } from './dangling.js';
import { declaredReferences } from './declared.js';

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
    const { objects, storage } = transaction;
    const declared = declaredReferences(schema ?? view.table.collection?.schema);
    const sought = declared.map(({ path, collection }) => {
      const table = findCollection(model.ports, objects, collection);
      return { path, collection, collectionOid: table?.oid };
    });
    const slot = new ByteSlot();
    const search = new DanglingSearch(sought, objects, (key) => storage.get(key, 0, key.length, slot));
    let checked = 0;
    const cursor = storage.cursor(prefixRange(view.layout.prefix));
    try {
      while (cursor.next()) {
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
