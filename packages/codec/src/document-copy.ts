/**
 * Documents made self-contained: what names structures is written anew with its keys, what does not is copied. A document leaves the
 * rows of its collection only so, wherever its bytes are kept or compared: they then mean the same in every place and need nothing else.
 */
import type { ByteWriter } from '@phantom/base';
import { DOCUMENT_DEPTH_MAX, Tag, hasStructure, isSelfContained } from './document-format.js';
import { entryStart, entryValue, nodeCount, nodeEnd, nodeKind } from './document-reader.js';
import { structureAt } from './document-structure.js';
import { beginContainer, endContainer, writeRawNode } from './document-writer.js';
import { corruptValue } from './storage.js';

/** Appends the node at `at` with its keys in it. XX001 where it names a structure that nobody knows. */
export function writeSelfContained(writer: ByteWriter, bytes: Uint8Array, at: number, end: number, depth = 0): void {
  const to = nodeEnd(bytes, at, end);
  const tag = bytes[at] as number;
  if (isSelfContained(tag)) {
    writeRawNode(writer, bytes, at, to);
    return;
  }
  if (depth >= DOCUMENT_DEPTH_MAX) throw corruptValue('a document nested too deep');
  const count = nodeCount(bytes, at, to);
  const keys = hasStructure(tag) ? structureAt(bytes, at, to).keys : undefined;
  const isArray = nodeKind(bytes, at, to) === 'array';
  const container = beginContainer(writer, isArray ? Tag.Array : Tag.Object, count);
  for (let i = 0; i < count; i++) {
    const entry = entryStart(bytes, at, to, count, i);
    let value = entry;
    if (keys !== undefined) {
      writer.lengthPrefixed(keys[i] as Uint8Array);
    } else if (!isArray) {
      value = entryValue(bytes, at, to, entry);
      writeRawNode(writer, bytes, entry, value);
    }
    writeSelfContained(writer, bytes, value, to, depth + 1);
    container.ends[i] = writer.length - container.data;
  }
  endContainer(writer, container);
}
