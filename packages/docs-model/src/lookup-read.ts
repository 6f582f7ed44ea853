/**
 * Reading what an index has under one value of its first path, as it is now: which index answers is known from queries before it
 * (plan-choices.ts), so nothing is planned, and no transaction is begun. A look-up that is kept decoded is all of the answer.
 *
 * Not answered here, and left to a reader: what nobody has chosen an index for yet, more documents than one turn should read, and indexes
 * with several entries for a document.
 */
import { ByteWriter } from '@phantom/base';
import { ByteSlot, CursorBatch, type KvCursor, prefixRange } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import { type CachedLookup, CachedReads } from './document-cache.js';
import type { EqualityFilter } from './filter/equality-filter.js';
import type { PlainObject } from './order.js';
import type { PlanChoice } from './plan-choices.js';
import type { DocumentPorts } from './ports.js';
import { IndexScan } from './scan.js';

/** Documents that are read in one go: some hundreds of microseconds. */
const DOCUMENTS_MAX = 256;
/** Entries that are counted in one go. */
const ENTRIES_MAX = 1024;
const key = new ByteWriter();
const mark = new ByteSlot();
/** Nobody looks into it. */
const counted = new CursorBatch(128);
counted.valueless = true;
counted.keyless = true;

/** The documents that satisfy the filter, `limit` at the most, for whoever may see every document; undefined: ask a reader. */
export function readPresentLookup(
  ports: DocumentPorts,
  view: CollectionView,
  { path, value }: EqualityFilter,
  limit: number,
): PlainObject[] | undefined {
  const choice = choiceFor(view, path);
  if (choice === undefined) return undefined;
  const kept = keptFor(ports, choice, value);
  if (kept !== undefined) return kept.copies(limit);
  if (choice.keys > DOCUMENTS_MAX || !choice.use()) return undefined;
  return readPresent(ports, view, choice, limit);
}

/** How many satisfy the filter, likewise. */
export function countPresentLookup(
  ports: DocumentPorts,
  view: CollectionView,
  { path, value }: EqualityFilter,
): number | undefined {
  const choice = choiceFor(view, path);
  if (choice === undefined) return undefined;
  const kept = keptFor(ports, choice, value);
  if (kept !== undefined) return kept.documents.length;
  if (choice.keys > ENTRIES_MAX || !choice.use()) return undefined;
  const { markKey } = choice.index;
  const present = ports.mvcc.presentView();
  let entries: KvCursor | undefined;
  try {
    if (present.get(markKey, 0, markKey.length, mark)) return undefined;
    entries = present.cursor(prefixRange(key.take()));
    let count = 0;
    for (let met = entries.fill(counted); met > 0; met = entries.fill(counted)) {
      if ((count += met) > ENTRIES_MAX) return undefined;
    }
    choice.tell(count);
    return count;
  } finally {
    entries?.close();
    present.release();
  }
}

/** The index that was chosen for a path, where it begins with it. */
function choiceFor(view: CollectionView, path: string): PlanChoice | undefined {
  const choice = view.choices.last(path);
  return choice?.places.length === 1 && choice.index.definition.parts[0]?.path === path ? choice : undefined;
}

/** Writes the key of the value's entries; gives what is kept of them. It is what is committed now: no view has to be made. */
function keptFor({ cache }: DocumentPorts, { index, isWhole }: PlanChoice, value: unknown): CachedLookup | undefined {
  key.reset();
  key.bytes(index.prefix);
  index.appendPart(key, 0, value);
  return !isWhole ? undefined : cache?.findLookup(key.buffer, 0, key.length, Number.POSITIVE_INFINITY);
}

/** The same from the entries of the index. */
function readPresent(
  { mvcc, cache }: DocumentPorts,
  view: CollectionView,
  choice: PlanChoice,
  limit: number,
): PlainObject[] | undefined {
  const { index } = choice;
  const present = mvcc.presentView();
  let scan: IndexScan | undefined;
  try {
    if (present.get(index.markKey, 0, index.markKey.length, mark)) return undefined;
    const counters = { keysExamined: 0, documentsExamined: 0 };
    const reads = cache === undefined ? undefined : new CachedReads(cache, present.seq);
    scan = new IndexScan(
      view,
      present,
      index,
      [prefixRange(key.take())],
      false,
      false,
      counters,
      reads,
      choice.isWhole,
    );
    const found: PlainObject[] = [];
    while (found.length < limit && scan.next()) {
      if (found.length === DOCUMENTS_MAX) return undefined;
      found.push(scan.cached?.copy() ?? decoded(view, scan, reads));
    }
    if (found.length === limit) scan.satisfied();
    choice.tell(counters.keysExamined);
    return found;
  } finally {
    scan?.close();
    present.release();
  }
}

function decoded(
  { layout }: CollectionView,
  { key: rowKey, row, cameAgain }: IndexScan,
  reads: CachedReads | undefined,
): PlainObject {
  const document = layout.decode(row);
  return reads === undefined ? document : reads.note(rowKey, row, document, cameAgain);
}
