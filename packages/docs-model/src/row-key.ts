/** Keys of the rows of documents, from their ids. */
import { ByteWriter, isPhantomError } from '@phantom/base';
import type { CollectionView } from './collection-view.js';

const writer = new ByteWriter();

/** Key of the document's row, owned by the caller. */
export function documentKey({ layout }: CollectionView, id: unknown): Uint8Array {
  writer.reset();
  layout.appendKey(writer, id);
  return writer.take();
}

/** The same; undefined for what can be no id. */
export function possibleKey(view: CollectionView, id: unknown): Uint8Array | undefined {
  writer.reset();
  return appendPossibleKey(view, writer, id) ? writer.take() : undefined;
}

/** Appends the key of the document's row; false for what can be no id. */
export function appendPossibleKey({ layout }: CollectionView, key: ByteWriter, id: unknown): boolean {
  try {
    layout.appendKey(key, id);
    return true;
  } catch (error) {
    if (isPhantomError(error)) return false;
    throw error;
  }
}
