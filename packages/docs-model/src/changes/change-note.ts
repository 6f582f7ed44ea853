/**
 * What a collection's writes tell those who follow its changes, beyond the row itself: a note on the put or removal
 * (docs/formats/document.md). An insertion needs none; a change says whether the document was replaced or where it was
 * updated, a removal which `_id` it was, since that cannot be told from the key.
 *
 *   01                                      replaced
 *   02  (00 | 01  varint bytes  path)*      updated: 00 a path that has a new value, 01 one that was removed
 *   03  node                                removed: the _id
 */
import { ByteReader, ByteWriter, corruptionError } from '@phantom/base';
import { DocumentDecoder, type FieldPlaces, type Jsonb, utf8Bytes, utf8BytesMax, writeUtf8 } from '@phantom/codec';
import type { PlainObject } from '../order.js';
import { type ChangedPaths, changedPaths } from './changed-paths.js';

const REPLACED = 1;
const UPDATED = 2;
const REMOVED = 3;
const PATH_SET = 0;
const PATH_REMOVED = 1;

const writer = new ByteWriter();
const decoder = new DocumentDecoder();
const REPLACEMENT = Uint8Array.of(REPLACED);

export type ChangeNote =
  | { readonly kind: 'replaced' }
  | ({ readonly kind: 'updated' } & ChangedPaths)
  | { readonly kind: 'removed'; readonly id: unknown };

/** The note on a document that was changed, or replaced as a whole; borrowed until the next note is made. */
export function changeNote(before: PlainObject, after: PlainObject, replaces: boolean): Uint8Array {
  if (replaces) return REPLACEMENT;
  const { updated, removed } = changedPaths(before, after);
  writer.reset();
  writer.u8(UPDATED);
  for (const path of updated) appendPath(PATH_SET, path);
  for (const path of removed) appendPath(PATH_REMOVED, path);
  return writer.view();
}

/** The note on a document of which the fields of `places` were changed, values in their order; borrowed until the next note is made. */
export function patchNote(
  { names, order }: FieldPlaces,
  before: readonly unknown[],
  after: readonly unknown[],
): Uint8Array {
  writer.reset();
  writer.u8(UPDATED);
  for (let i = 0; i < order.length; i++) {
    const was = before[i];
    const is = after[i];
    if (Object.is(was, is)) continue;
    const name = names[order[i] as number] as string;
    if (isContainer(was) && isContainer(is)) {
      // Only places in them may have changed.
      const { updated, removed } = changedPaths({ [name]: was }, { [name]: is });
      for (const path of updated) appendPath(PATH_SET, path);
      for (const path of removed) appendPath(PATH_REMOVED, path);
    } else {
      appendPath(PATH_SET, name);
    }
  }
  return writer.view();
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** The note on a document that went; borrowed until the next note is made. */
export function removalNote(id: Jsonb): Uint8Array {
  writer.reset();
  writer.u8(REMOVED);
  writer.bytes(id.bytes, id.start, id.end);
  return writer.view();
}

function appendPath(kind: number, path: string): void {
  writer.u8(kind);
  writer.varint(utf8Bytes(path));
  const at = writer.reserve(utf8BytesMax(path));
  writer.length = writeUtf8(writer.buffer, at, path);
}

/** Reads a note. XX001 for what is none. */
export function readChangeNote(bytes: Uint8Array, start: number, end: number): ChangeNote {
  switch (bytes[start]) {
    case REPLACED:
      return { kind: 'replaced' };
    case UPDATED:
      return { kind: 'updated', ...readPaths(bytes, start + 1, end) };
    case REMOVED:
      return { kind: 'removed', id: decoder.decode(bytes, start + 1, end) };
    default:
      throw corruptionError('a note on a change is of no known kind', { file: 'change note', found: bytes[start] });
  }
}

function readPaths(bytes: Uint8Array, start: number, end: number): ChangedPaths {
  const updated: string[] = [];
  const removed: string[] = [];
  const reader = new ByteReader(bytes.subarray(start, end), 'change note');
  while (reader.remaining > 0) {
    const kind = reader.u8();
    (kind === PATH_SET ? updated : removed).push(reader.text());
  }
  return { updated, removed };
}
