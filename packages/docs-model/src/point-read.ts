/** Reading one document by its `_id`: no plan, no scan, one look-up. */
import { ByteWriter } from '@phantom/base';
import { ByteSlot, type KvView } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import type { IdFilter } from './filter/id-filter.js';
import type { PlainObject } from './order.js';
import type { DocumentLayout } from './document-layout.js';
import type { DocumentPorts } from './ports.js';
import { isSeen, policiesOf } from './row-security.js';
import type { DocumentTransaction } from './transaction.js';

const key = new ByteWriter();
const row = new ByteSlot();

/** The document with the filter's id, by the transaction's statement; undefined when there is none. */
export function readPoint(
  ports: DocumentPorts,
  view: CollectionView,
  transaction: DocumentTransaction,
  { id }: IdFilter,
): PlainObject | undefined {
  key.reset();
  view.layout.appendKey(key, id);
  if (!transaction.storage.get(key.buffer, 0, key.length, row)) return undefined;
  return isSeen(policiesOf(ports, view, transaction), 'select', row) ? view.layout.decode(row) : undefined;
}

/** The same by a view of what is committed, for whoever may see every document. */
export function readPresentPoint(layout: DocumentLayout, present: KvView, { id }: IdFilter): PlainObject | undefined {
  key.reset();
  layout.appendKey(key, id);
  return present.get(key.buffer, 0, key.length, row) ? layout.decode(row) : undefined;
}
