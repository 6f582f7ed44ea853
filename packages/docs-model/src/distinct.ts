/**
 * The different values at a path. Where an index leads with it and every document is asked, one entry of each value is looked at, and the
 * cursor goes on behind all others of that value:
 *
 *   entries   a a a a a b b c c c c ...      looked at: the first a, the first b, the first c; the document of each has the value itself,
 *             ^         ^   ^                since equal values of different types have one key
 *
 * Null is the exception: missing and the empty array have its key, too, and are no values. An index with hardly more entries than values is
 * left for a walk through the collection, which reads of each document the one field.
 */
import { ByteWriter, type MemoryBudget, MemoryShare, SLICE_MS, equalBytes, eventLoop } from '@phantom/base';
import { ByteSlot, type KvCursor, prefixEnd, prefixRange } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import { fieldBytes } from './field-names.js';
import { matchesAll } from './filter/filter.js';
import type { IndexLayout } from './index-layout.js';
import { memoryBytes } from './memory-bytes.js';
import { type PlainObject, compareValues } from './order.js';
import { type Path, walkPath } from './path.js';
import type { DocumentPorts } from './ports.js';
import { type Query, Reader } from './reader.js';
import { policiesOf } from './row-security.js';
import type { Room } from './spill/room.js';
import type { DocumentTransaction } from './transaction.js';

const DOCUMENTS_PER_BATCH = 256;
/** Values after which it is asked whether the index has enough entries for each. */
const VALUES_TRIED = 256;
const ENTRIES_PER_VALUE_MIN = 4;
/** Values that are remembered before those that are equal are taken together. */
const UNSORTED_MAX = 10_000;
/** What one takes beside itself, in a list and in a set. */
const VALUE_BYTES = 48;

/**
 * The different values at a path of what the query finds, in the order of values; elements of arrays one by one. They are taken from the
 * memory of the room, which the caller releases.
 */
export async function distinctValues(
  ports: DocumentPorts,
  view: CollectionView,
  transaction: DocumentTransaction,
  path: Path,
  query: Query,
  room: Room,
): Promise<unknown[]> {
  const held = new MemoryShare(room.memory, 'distinct');
  const index = skippedIndex(ports, view, transaction, path, query);
  const values =
    index === undefined ? undefined : await new SkipScan(ports, view, transaction, index, path).values(held);
  if (values !== undefined) return values;
  const found = new DifferentValues(held);
  const reader = new Reader(ports, view, transaction, { ...query, fields: new Set([path[0] as string]) }, room);
  try {
    for (;;) {
      const batch = await reader.batch(DOCUMENTS_PER_BATCH);
      if (batch.length === 0) return found.inOrder();
      for (const document of batch) eachValue(document, path, (value) => found.add(value));
    }
  } finally {
    reader.close();
  }
}

/** An index in which every value at the path has an entry, those that are equal beside each other. */
function skippedIndex(
  ports: DocumentPorts,
  view: CollectionView,
  transaction: DocumentTransaction,
  path: Path,
  { filter, hint }: Query,
): IndexLayout | undefined {
  const asksAll = filter.matches === matchesAll && filter.text === undefined && hint === undefined;
  if (!asksAll || policiesOf(ports, view, transaction) !== undefined) return undefined;
  const name = path.join('.');
  return view.indexes.find(
    ({ definition, index, isOrdered, partial }) =>
      isOrdered && partial === undefined && index.state === 'valid' && definition.parts[0]?.path === name,
  );
}

function eachValue(document: PlainObject, path: Path, take: (value: unknown) => void): void {
  const offer = (value: unknown): void => {
    if (value !== undefined) take(value);
  };
  walkPath(document, path, (value) => {
    if (Array.isArray(value)) value.forEach(offer);
    else offer(value);
    return false;
  });
}

/** Values, each once: of those that are equal the first. */
class DifferentValues {
  private values: unknown[] = [];
  private readonly scalars = new Set<unknown>();
  private compactAt = UNSORTED_MAX;
  private readonly memory: MemoryBudget;

  constructor(memory: MemoryBudget) {
    this.memory = memory;
  }

  add(value: unknown): void {
    const isScalar = typeof value === 'string' || typeof value === 'number';
    if (isScalar && this.scalars.has(value)) return;
    this.memory.take(VALUE_BYTES + memoryBytes(value));
    if (isScalar) this.scalars.add(value);
    this.values.push(value);
    if (this.values.length < this.compactAt) return;
    this.compactAt = 2 * this.inOrder().length + UNSORTED_MAX;
  }

  inOrder(): unknown[] {
    const sorted = this.values.sort(compareValues);
    const values: unknown[] = [];
    for (const [i, value] of sorted.entries()) {
      if (i === 0 || compareValues(value, sorted[i - 1]) !== 0) values.push(value);
      else this.memory.give(VALUE_BYTES + memoryBytes(value));
    }
    this.values = values;
    return values;
  }
}

/** A walk along an index from each value to the next. */
class SkipScan {
  private readonly ports: DocumentPorts;
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly index: IndexLayout;
  private readonly path: Path;
  private readonly names: readonly Uint8Array[];
  private readonly writer = new ByteWriter();
  private readonly row = new ByteSlot();

  constructor(
    ports: DocumentPorts,
    view: CollectionView,
    transaction: DocumentTransaction,
    index: IndexLayout,
    path: Path,
  ) {
    this.ports = ports;
    this.view = view;
    this.transaction = transaction;
    this.index = index;
    this.path = path;
    this.names = fieldBytes([path[0] as string]);
  }

  /** The values in their order; undefined where a walk through the collection is better. */
  async values(memory: MemoryBudget): Promise<unknown[] | undefined> {
    const values: unknown[] = [];
    let cursor = this.open(this.index.prefix);
    let sliceEnd = performance.now() + SLICE_MS;
    try {
      for (let isThere = cursor.next(); isThere;) {
        const value = this.valueAt(cursor);
        if (value === undefined) {
          isThere = cursor.next();
        } else {
          values.push(value);
          memory.take(VALUE_BYTES + memoryBytes(value));
          if (values.length === VALUES_TRIED && !this.hasMany(cursor)) {
            memory.give(memory.usedBytes);
            return undefined;
          }
          // `writer` has the beginning of all keys with this value.
          const end = prefixEnd(this.writer.view());
          isThere = end !== undefined && cursor.seek(end, 0, end.length);
        }
        if (!isThere || performance.now() <= sliceEnd) continue;
        const key = cursor.key.copy();
        cursor.close();
        await eventLoop.giveWay(SLICE_MS);
        cursor = this.open(key);
        isThere = cursor.next();
        sliceEnd = performance.now() + SLICE_MS;
      }
    } finally {
      cursor.close();
    }
    return values.sort(compareValues);
  }

  private open(lower: Uint8Array): KvCursor {
    return this.transaction.storage.cursor({ ...prefixRange(this.index.prefix), lower });
  }

  /** What of the entry's document has the entry; undefined for nothing: the mark of a multikey index, and what only stands with null. */
  private valueAt({ key, value }: KvCursor): unknown {
    const { writer, row, view, index } = this;
    if (value.start === value.end) return undefined;
    writer.reset();
    writer.bytes(view.layout.prefix);
    writer.bytes(value.buffer, value.start, value.end);
    if (!this.transaction.storage.get(writer.buffer, 0, writer.length, row)) return undefined;
    let found: unknown;
    eachValue(view.layout.decodeFields(row, this.names), this.path, (one) => {
      if (found !== undefined) return;
      writer.reset();
      writer.bytes(index.prefix);
      index.appendPart(writer, 0, one);
      const end = key.start + writer.length;
      if (end <= key.end && equalBytes(writer.buffer, 0, writer.length, key.buffer, key.start, end)) found = one;
    });
    return found;
  }

  /** True when the entries so far are many for their values. */
  private hasMany({ key }: KvCursor): boolean {
    const { keys } = this.ports.estimate({ lower: this.index.prefix, upper: key.copy() });
    return keys >= VALUES_TRIED * ENTRIES_PER_VALUE_MIN;
  }
}
