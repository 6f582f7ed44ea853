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
  try {
    return documentKey(view, id);
  } catch (error) {
    if (isPhantomError(error)) return undefined;
    throw error;
  }
}
