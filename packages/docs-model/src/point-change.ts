/**
 * Changing or removing the one document behind an `_id`: no plan, no scan, and no promise unless somebody else holds it. Where only
 * some top-level fields are changed and no rule looks at them, the others are copied as they lie; where those are there, and stay, and no
 * index concerns them, in one piece.
 */
import { ByteWriter } from '@phantom/base';
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { CollectionView } from './collection-view.js';
import type { DocumentChange, Modified } from './document-change.js';
import { Patched, patchRow } from './field-patch.js';
import { appendPossibleKey } from './row-key.js';
import { isSeen } from './row-security.js';
import type { DocumentTransaction } from './transaction.js';
import { identical } from './update/places.js';
import type { CollectionWriter } from './writer.js';

const NOTHING: Modified = { matched: 0, modified: 0, before: undefined, after: undefined };
const SAME: Modified = { matched: 1, modified: 0, before: undefined, after: undefined };
const CHANGED: Modified = { matched: 1, modified: 1, before: undefined, after: undefined };
const keyWriter = new ByteWriter();
const row = new ByteSlot();

/** The change of the document with an id. A promise: wait and call again. */
export function changePoint(
  view: CollectionView,
  transaction: DocumentTransaction,
  writer: CollectionWriter,
  policies: DocumentPolicies | undefined,
  id: unknown,
  { decide, fields, patch, removes, replaces, shows }: DocumentChange,
): Promise<void> | Modified {
  const { storage } = transaction;
  const command = removes === true ? 'delete' : 'update';
  keyWriter.reset();
  if (!appendPossibleKey(view, keyWriter, id)) return NOTHING;
  const { buffer: key, length: keyBytes } = keyWriter;
  if (!storage.get(key, 0, keyBytes, row) || !isSeen(policies, command, row)) return NOTHING;
  if (storage.concurrency === 'locking') {
    const wait = storage.lock(key, 0, keyBytes, LockStrength.Update, 'wait');
    if (wait instanceof Promise) return wait;
  }
  if (storage.changedSinceSnapshot(key, 0, keyBytes)) {
    if (storage.isolation !== 'read committed') throw storage.lostRace(key, 0, keyBytes);
    if (!storage.getNewest(key, 0, keyBytes, row) || !isSeen(policies, command, row)) return NOTHING;
  }
  const part = fields === undefined ? undefined : writer.partOf(fields, removes === true);
  if (part?.indexes.length === 0 && patch !== undefined && shows !== true) {
    const patched = patchRow(view, writer, key, keyBytes, row, patch);
    if (patched !== Patched.Not) return patched === Patched.Same ? SAME : CHANGED;
  }
  const isWhole = part === undefined || shows === true;
  const before = isWhole ? view.layout.decode(row) : view.layout.decodeFields(row, part.names);
  const after = decide(before);
  if (after !== undefined && identical(before, after)) return { matched: 1, modified: 0, before, after };
  const ownKey = keyWriter.take();
  if (after === undefined) {
    writer.remove(ownKey, before);
  } else {
    const wait =
      part === undefined
        ? writer.update(ownKey, before, after, replaces)
        : writer.updateFields(ownKey, row, before, after, part);
    if (wait !== undefined) return wait;
  }
  return { matched: 1, modified: 1, before, after };
}
