/**
 * What is wrong with stored documents: structures that are damaged, or that documents name and the store does not have. It reads every
 * document there is, so it does so in slices and lets others have their turns.
 */
import { PhantomError, SLICE_MS, eventLoop, isPhantomError } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import { type DocumentStructure, type StructureStore, missingStructure } from '@phantom/codec';
import { type Finding, type KvCursor, prefixRange } from '@phantom/kv';
import { DocumentLayout } from './document-layout.js';
import type { DocumentPorts } from './ports.js';

const DOCUMENTS_PER_CLOCK = 64;
const ENDED = '57P01';

/**
 * Reads the documents of all collections in the newest state, and tells of each kind of damage once for a collection. 57P01 once
 * `isEnding` says so; whoever closes the store waits for that.
 */
export async function* checkDocuments(ports: DocumentPorts, isEnding: () => boolean): AsyncIterable<Finding> {
  if (isEnding()) throw endedError();
  try {
    yield* ports.catalog.structures.check();
    yield* checkCollections(ports, isEnding);
  } catch (error) {
    if (!isPhantomError(error) || error.code === ENDED) throw error;
    // Of a file that cannot be read; its own check says more.
    yield { severity: 'corruption', file: 'documents', message: error.message };
  }
}

async function* checkCollections({ mvcc, catalog }: DocumentPorts, isEnding: () => boolean): AsyncIterable<Finding> {
  const view = mvcc.presentView();
  // Others may change the catalog in their turns; the view stays as it is.
  const objects = [...catalog.committed.objects()];
  try {
    for (const object of objects) {
      if (object.kind !== 'table' || object.collection === undefined) continue;
      const cursor = view.cursor(prefixRange(new DocumentLayout(object).prefix));
      try {
        yield* checkCollection(object, catalog.structures, cursor, isEnding);
      } finally {
        cursor.close();
      }
    }
  } finally {
    view.release();
  }
}

async function* checkCollection(
  table: TableDescriptor,
  structures: StructureStore,
  cursor: KvCursor,
  isEnding: () => boolean,
): AsyncIterable<Finding> {
  const layout = new DocumentLayout(table);
  /** Documents by what is wrong with them. */
  const damage = new Map<string, number>();
  const check = (structure: DocumentStructure): void => {
    if (!structures.has(structure)) throw missingStructure(structure.name);
  };
  let sliceEnd = performance.now() + SLICE_MS;
  for (let count = 1; cursor.next(); count++) {
    if (count % DOCUMENTS_PER_CLOCK === 0 && performance.now() > sliceEnd) {
      await eventLoop.giveWay(SLICE_MS);
      if (isEnding()) throw endedError();
      sliceEnd = performance.now() + SLICE_MS;
    }
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

function endedError(): PhantomError {
  return new PhantomError(ENDED, 'the check was ended: the database closes');
}
