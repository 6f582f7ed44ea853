/**
 * Changing or removing the one document behind an `_id`: no plan, no scan, and no promise unless somebody else holds it. Where only
 * some top-level fields are changed and neither index nor rule concerns them, the others are copied as they lie.
 */
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { CollectionView } from './collection-view.js';
import { fieldBytes } from './field-names.js';
import type { DocumentChange, Modified } from './document-change.js';
import { possibleKey } from './row-key.js';
import { isSeen } from './row-security.js';
import type { DocumentTransaction } from './transaction.js';
import { identical } from './update/places.js';
import type { CollectionWriter } from './writer.js';

const NOTHING: Modified = { matched: 0, modified: 0, before: undefined, after: undefined };
const row = new ByteSlot();

/** The change of the document with an id. A promise: wait and call again. */
export function changePoint(
  view: CollectionView,
  transaction: DocumentTransaction,
  writer: CollectionWriter,
  policies: DocumentPolicies | undefined,
  id: unknown,
  { decide, fields, removes, replaces }: DocumentChange,
): Promise<void> | Modified {
  const { storage } = transaction;
  const command = removes === true ? 'delete' : 'update';
  const key = possibleKey(view, id);
  if (key === undefined || !storage.get(key, 0, key.length, row) || !isSeen(policies, command, row)) return NOTHING;
  if (storage.concurrency === 'locking') {
    const wait = storage.lock(key, 0, key.length, LockStrength.Update, 'wait');
    if (wait instanceof Promise) return wait;
  }
  if (storage.changedSinceSnapshot(key, 0, key.length)) {
    if (storage.isolation !== 'read committed') throw storage.lostRace(key, 0, key.length);
    if (!storage.getNewest(key, 0, key.length, row) || !isSeen(policies, command, row)) return NOTHING;
  }
  const partly = fields !== undefined && writer.writesFieldsAlone(fields);
  const before = partly ? view.layout.decodeFields(row, storedFields(fields)) : view.layout.decode(row);
  const after = decide(before);
  if (after === undefined) {
    writer.remove(key, before);
  } else if (identical(before, after)) {
    return { matched: 1, modified: 0, before, after };
  } else if (partly) {
    writer.updateFields(key, row, before, after);
  } else {
    const wait = writer.update(key, before, after, replaces);
    if (wait !== undefined) return wait;
  }
  return { matched: 1, modified: 1, before, after };
}

/** Names of what is read of documents, by the fields that change: those and the `_id`. */
const storedNames = new WeakMap<ReadonlySet<string>, readonly Uint8Array[]>();

function storedFields(fields: ReadonlySet<string>): readonly Uint8Array[] {
  let names = storedNames.get(fields);
  if (names === undefined) {
    names = fieldBytes(new Set(['_id', ...fields]));
    storedNames.set(fields, names);
  }
  return names;
}
