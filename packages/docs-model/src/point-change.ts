/**
 * Changing or removing the one document behind an `_id`: no plan, no scan, and no promise unless somebody else holds it. Where only
 * some top-level fields are changed and neither index nor rule concerns them, the others are copied as they lie; where those are there, and
 * stay, in one piece.
 */
import { ByteWriter } from '@phantom/base';
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { CollectionView } from './collection-view.js';
import { fieldBytes } from './field-names.js';
import type { DocumentChange, Modified } from './document-change.js';
import { appendPossibleKey } from './row-key.js';
import { isSeen } from './row-security.js';
import type { DocumentTransaction } from './transaction.js';
import { type Change, REMOVED, identical } from './update/places.js';
import type { FieldPatch } from './update/update.js';
import type { CollectionWriter } from './writer.js';

const NOTHING: Modified = { matched: 0, modified: 0, before: undefined, after: undefined };
const SAME: Modified = { matched: 1, modified: 0, before: undefined, after: undefined };
const PATCHED: Modified = { matched: 1, modified: 1, before: undefined, after: undefined };
const keyWriter = new ByteWriter();
const row = new ByteSlot();
/** Values of the fields being patched: no call leaves anything there for another. */
const valuesBefore: unknown[] = [];
const valuesAfter: unknown[] = [];

/** The change of the document with an id. A promise: wait and call again. */
export function changePoint(
  view: CollectionView,
  transaction: DocumentTransaction,
  writer: CollectionWriter,
  policies: DocumentPolicies | undefined,
  id: unknown,
  { decide, fields, patch, removes, replaces }: DocumentChange,
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
  const partly = fields !== undefined && writer.writesFieldsAlone(fields);
  if (partly && patch !== undefined) {
    const patched = patchPoint(view, writer, key, keyBytes, patch);
    if (patched !== undefined) return patched;
  }
  const before = partly ? view.layout.decodeFields(row, storedFields(fields)) : view.layout.decode(row);
  const after = decide(before);
  if (after !== undefined && identical(before, after)) return { matched: 1, modified: 0, before, after };
  const ownKey = keyWriter.take();
  if (after === undefined) {
    writer.remove(ownKey, before);
  } else if (partly) {
    writer.updateFields(ownKey, row, before, after);
  } else {
    const wait = writer.update(ownKey, before, after, replaces);
    if (wait !== undefined) return wait;
  }
  return { matched: 1, modified: 1, before, after };
}

/** Changes single fields of the row where they lie; undefined where that cannot be done. */
function patchPoint(
  view: CollectionView,
  writer: CollectionWriter,
  key: Uint8Array,
  keyBytes: number,
  { places, changes }: FieldPatch,
): Modified | undefined {
  if (!view.layout.readPlaces(row, places, valuesBefore)) return undefined;
  const { order } = places;
  let isChanged = false;
  for (let i = 0; i < order.length; i++) {
    const was = valuesBefore[i];
    const is = (changes[order[i] as number] as Change)(was);
    // The document loses a field.
    if (is === undefined || is === REMOVED) return undefined;
    const isSame = is === was || identical(is, was);
    valuesAfter[i] = isSame ? was : is;
    if (!isSame) isChanged = true;
  }
  if (!isChanged) return SAME;
  return writer.patchFields(key, keyBytes, row, places, valuesBefore, valuesAfter) ? PATCHED : undefined;
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
