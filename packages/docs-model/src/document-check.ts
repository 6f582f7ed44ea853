/** What is wrong with stored documents: structures that are damaged, or that documents name and the store does not have. */
import { isPhantomError } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import { type DocumentStructure, type StructureStore, missingStructure } from '@phantom/codec';
import { type Finding, type KvCursor, prefixRange } from '@phantom/kv';
import { DocumentLayout } from './document-layout.js';
import type { DocumentPorts } from './ports.js';

/** Reads the documents of all collections in the newest state, and tells of each kind of damage once for a collection. */
export function* checkDocuments(ports: DocumentPorts): Iterable<Finding> {
  try {
    yield* ports.catalog.structures.check();
    yield* checkCollections(ports);
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    // Of a file that cannot be read; its own check says more.
    yield { severity: 'corruption', file: 'documents', message: error.message };
  }
}

function* checkCollections({ mvcc, catalog }: DocumentPorts): Iterable<Finding> {
  const view = mvcc.presentView();
  try {
    for (const object of catalog.committed.objects()) {
      if (object.kind !== 'table' || object.collection === undefined) continue;
      const cursor = view.cursor(prefixRange(new DocumentLayout(object).prefix));
      try {
        yield* checkCollection(object, catalog.structures, cursor);
      } finally {
        cursor.close();
      }
    }
  } finally {
    view.release();
  }
}

function* checkCollection(table: TableDescriptor, structures: StructureStore, cursor: KvCursor): Iterable<Finding> {
  const layout = new DocumentLayout(table);
  /** Documents by what is wrong with them. */
  const damage = new Map<string, number>();
  const check = (structure: DocumentStructure): void => {
    if (!structures.has(structure)) throw missingStructure(structure.name);
  };
  while (cursor.next()) {
    try {
      layout.eachStructure(cursor.value, check);
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      damage.set(error.message, (damage.get(error.message) ?? 0) + 1);
    }
  }
  for (const [message, documents] of damage) {
    yield { severity: 'corruption', file: `collection ${table.name}`, message: `${message} (${documents} documents)` };
  }
}
