/** Reading one document by its `_id`: no plan, no scan, one look-up. */
import { ByteWriter } from '@phantom/base';
import { ByteSlot, type KvView } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import type { DocumentCache } from './document-cache.js';
import type { IdFilter } from './filter/equality-filter.js';
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
  const policies = policiesOf(ports, view, transaction);
  const committed = policies === undefined ? transaction.storage.committedView : undefined;
  if (committed !== undefined) return readCommitted(ports, view.layout, committed);
  if (!transaction.storage.get(key.buffer, 0, key.length, row)) return undefined;
  return isSeen(policies, 'select', row) ? view.layout.decode(row) : undefined;
}

/** The same of what is committed now, for whoever may see every document. */
export function readPresentPoint(
  { cache, mvcc }: DocumentPorts,
  layout: DocumentLayout,
  { id }: IdFilter,
): PlainObject | undefined {
  key.reset();
  layout.appendKey(key, id);
  if (cache !== undefined) {
    // What is kept is what is committed now: no view has to be made.
    const kept = cache.find(key.buffer, 0, key.length, Number.POSITIVE_INFINITY);
    if (kept !== undefined) return kept.copy();
  }
  const present = mvcc.presentView();
  try {
    return decoded(cache, layout, present);
  } finally {
    present.release();
  }
}

/** The document under `key`, by a view of what is committed. */
function readCommitted({ cache }: DocumentPorts, layout: DocumentLayout, view: KvView): PlainObject | undefined {
  return cache?.find(key.buffer, 0, key.length, view.seq)?.copy() ?? decoded(cache, layout, view);
}

function decoded(cache: DocumentCache | undefined, layout: DocumentLayout, view: KvView): PlainObject | undefined {
  const { buffer, length } = key;
  if (!view.get(buffer, 0, length, row)) return undefined;
  const document = layout.decode(row);
  return cache?.note(buffer, 0, length, view.seq, row, document, false)?.copy() ?? document;
}
