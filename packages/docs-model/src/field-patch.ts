/** Changing single fields of a stored document where they lie: nothing else of it is taken apart. */
import type { ByteSlot } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import { type Change, REMOVED, identical } from './update/places.js';
import type { FieldPatch } from './update/update.js';
import type { CollectionWriter } from './writer.js';

/** What became of a document. */
export const Patched = { Not: 0, Same: 1, Changed: 2 } as const;
export type Patched = (typeof Patched)[keyof typeof Patched];

/** Values of the fields being patched: no call leaves anything there for another. */
const before: unknown[] = [];
const after: unknown[] = [];

/** Changes the row under the key [0, keyBytes) of `key`, which the caller holds; `Not` where that cannot be done and nothing is written. */
export function patchRow(
  view: CollectionView,
  writer: CollectionWriter,
  key: Uint8Array,
  keyBytes: number,
  row: ByteSlot,
  { places, changes }: FieldPatch,
): Patched {
  if (!view.layout.readPlaces(row, places, before)) return Patched.Not;
  const { order } = places;
  let isChanged = false;
  for (let i = 0; i < order.length; i++) {
    const was = before[i];
    const is = (changes[order[i] as number] as Change)(was);
    // The document loses a field.
    if (is === undefined || is === REMOVED) return Patched.Not;
    const isSame = is === was || identical(is, was);
    after[i] = isSame ? was : is;
    if (!isSame) isChanged = true;
  }
  if (!isChanged) return Patched.Same;
  return writer.patchFields(key, keyBytes, row, places, before, after) ? Patched.Changed : Patched.Not;
}
