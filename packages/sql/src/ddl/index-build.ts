/**
 * Fills an index with the rows that are there. CREATE INDEX does it in its own transaction, with the table locked against
 * writers; CREATE INDEX CONCURRENTLY in many, row by row (session/concurrent-index.ts).
 *
 *   rows ──► entries ──sort──► entries in order ──► files, or the write set        two of one unique key are neighbours: 23505
 *
 * Many go straight into files of the engine (space-load.ts). What the transaction has to write costs it, and the engine behind it, a
 * comparison each, where entries as the rows give them would cost both a descent.
 */
import { ByteWriter, PhantomError, assert, equalBytes } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, SPACE_BYTES, spaceRange } from '@phantom/kv';
import { LockStrength, type MvccTransaction } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import type { EntrySource } from '../exec/spill/entry-run.js';
import { SortedEntries } from '../exec/spill/sorted-entries.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { takeTable } from '../storage/columnar/catch-up.js';
import { columnIndex } from '../storage/columnar/column-index.js';
import { CATCH_UP_SNAPSHOT, markRow } from '../storage/columnar/markers.js';
import { InvertedEntries } from '../storage/inverted-entries.js';
import { checkKeyBytes, keyText, partsOf } from '../storage/constraint-errors.js';
import { physicalTable, rowKeyOfEntry, writeEntry } from '../storage/physical-table.js';
import { IndexRule } from '../storage/table-rules.js';
import type { Value } from '../types/type.js';
import type { DdlContext } from './context.js';
import { beginLoad, commitLoad } from './space-load.js';
import { eachRow } from './validate.js';

/** Entries that are written between two looks at the clock. */
const ENTRIES_BETWEEN_CHECKS = 256;

/** Writes the index's entries; 23505 when a unique one would have two rows under one key. `alone`: the statement does nothing else. */
export function* buildIndex(
  context: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
  alone: boolean,
): Generator<Yielded, void, void> {
  if (table.partitioned !== undefined) return;
  if (index.method === 'column') {
    yield* buildColumns(context, table, index);
    return;
  }
  const filler = new IndexFiller(table, index, context.picture, context.evaluation);
  const { memory, scratch } = context.execution();
  const entries = new SortedEntries(memory, scratch, context.maintenanceBytes);
  try {
    yield* eachRow(context, table, (row, rowKey) => filler.gather(entries, row, rowKey), {
      columns: filler.columnsRead,
    });
    // What is verified below is read as this transaction sees it.
    const load = alone && index.exclusion === undefined ? beginLoad(context, table.engine, entries.bytes) : undefined;
    try {
      yield* writeInOrder(context, filler, entries.merge(), load ?? context.transaction);
      if (load !== undefined) yield* commitLoad(context, load, index.space);
    } finally {
      load?.discard();
    }
  } finally {
    entries.close();
  }
  yield* verifyExclusion(context, table, index);
}

/** 23P01 when two rows have entries that an exclusion constraint does not let stand beside each other. */
function* verifyExclusion(
  { transaction, picture, evaluation, execution }: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
): Generator<Yielded, void, void> {
  const { exclusion } = new IndexRule(index, table, picture);
  if (exclusion === undefined) return;
  const { slice } = execution();
  const cursor = transaction.cursorNewest(spaceRange(index.space));
  try {
    for (let count = 1; cursor.next(); count++) {
      const parts = [...exclusion.partsAt(cursor)];
      const own = cursor.key.copy();
      const found = exclusion.isFree(parts) ? undefined : exclusion.find(parts, own, transaction, evaluation);
      if (found !== undefined) {
        const error = excludedAlready(table, index, parts, exclusion.partsAt(found), evaluation);
        found.close();
        throw error;
      }
      if (count % ENTRIES_BETWEEN_CHECKS === 0 && slice.due()) yield undefined;
    }
  } finally {
    cursor.close();
  }
}

function* writeInOrder(
  { execution, transaction }: DdlContext,
  filler: IndexFiller,
  entries: EntrySource,
  target: Pick<MvccTransaction, 'put'>,
): Generator<Yielded, void, void> {
  const { slice } = execution();
  for (let count = 1; entries.next(); count++) {
    const { buffer, keyStart, valueStart, valueEnd } = entries;
    filler.checkUnique(transaction, entries);
    target.put(buffer, keyStart, valueStart, buffer, valueStart, valueEnd);
    if (count % ENTRIES_BETWEEN_CHECKS === 0 && slice.due()) yield undefined;
  }
}

/** Writes the segments of a column index. */
function* buildColumns(
  context: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
): Generator<Yielded, void, void> {
  const { transaction, picture, evaluation } = context;
  const { slice } = context.execution();
  const cursor = transaction.cursorNewest(spaceRange(table.space));
  try {
    yield* takeTable(transaction, columnIndex(index, table, picture.types), cursor, { evaluation, slice });
  } finally {
    cursor.close();
  }
}

/** Makes entries for rows that may or may not have one. */
export class IndexFiller {
  private readonly table: TableDescriptor;
  private readonly index: IndexDescriptor;
  private readonly picture: CatalogPort;
  private readonly evaluation: EvaluationContext;
  private readonly rule: IndexRule;
  private readonly inverted: InvertedEntries | undefined;
  private readonly entry = new ByteWriter();
  private readonly slot = new ByteSlot();
  private readonly parts: Value[] = [];
  /** The entry at hand ends with the parts. */
  private isUnique = false;
  /** For `checkUnique`: the parts of the entry before; and that they have nulls, so that any number of rows may have them. */
  private readonly last = new ByteWriter();
  private lastHasNulls = false;

  constructor(table: TableDescriptor, index: IndexDescriptor, picture: CatalogPort, evaluation: EvaluationContext) {
    this.table = table;
    this.index = index;
    this.picture = picture;
    this.evaluation = evaluation;
    this.rule = new IndexRule(index, table, picture);
    this.inverted = index.method === 'gin' ? new InvertedEntries(this.rule, picture.types) : undefined;
  }

  /** The positions of the columns it looks at. */
  get columnsRead(): readonly number[] {
    return this.rule.positions;
  }

  /** Puts the entries of a row, in its newest state, among others that are to be sorted. */
  gather(entries: SortedEntries, row: readonly Value[], rowKey: Uint8Array): void {
    const { inverted, evaluation, entry } = this;
    if (inverted !== undefined) inverted.insert(row, rowKey, entries, evaluation);
    else if (this.encode(row, rowKey))
      writeEntry(entries, this.rule.physical, this.isUnique, entry, rowKey, rowKey.length, row);
  }

  /**
   * 23505 when sorted entries that follow each other are of rows that may not both be there. Each is asked about before it is
   * written; their rows have been written already.
   */
  checkUnique(transaction: MvccTransaction, { buffer, keyStart, valueStart, valueEnd }: EntrySource): void {
    const { index, rule, last } = this;
    if (!index.unique) return;
    // Entries of a deferrable key end with their rows.
    const end =
      index.deferrable === true ? rule.physical.keyCode.skip(buffer, keyStart + SPACE_BYTES, valueStart) : valueStart;
    const isAlike = equalBytes(buffer, keyStart, end, last.buffer, 0, last.length);
    if (!isAlike) {
      last.reset();
      last.bytes(buffer, keyStart, end);
      this.lastHasNulls = false;
      return;
    }
    if (this.lastHasNulls) return;
    this.readParts(transaction, buffer, keyStart, valueStart, valueEnd);
    if (rule.physical.isUniqueKey(this.parts)) throw this.notUnique();
    this.lastHasNulls = true;
  }

  /** The parts of the row that an entry is of. */
  private readParts(
    transaction: MvccTransaction,
    buffer: Uint8Array,
    keyStart: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { rule, table, picture, evaluation, slot } = this;
    const { physical } = rule;
    const from = physicalTable(table, picture.types);
    const key = new ByteSlot();
    key.set(buffer, keyStart, valueStart);
    slot.set(buffer, valueStart, valueEnd);
    const rowKey = rowKeyOfEntry(key, slot, physical, from.prefix);
    assert(transaction.getNewest(rowKey, 0, rowKey.length, slot), 'an entry is of a row that is there');
    const row: Value[] = [];
    from.decode(slot.buffer, slot.start, slot.end, row, evaluation);
    rule.parts(row, this.parts, evaluation);
  }

  /**
   * Enters a row in its newest state into an index that others write meanwhile: a unique key is locked first. A promise:
   * wait, then call again. 23505 when another row has the key.
   */
  enter(transaction: MvccTransaction, row: readonly Value[], rowKey: Uint8Array): Promise<void> | undefined {
    const { rule, entry, evaluation, inverted, index, table, picture } = this;
    if (index.method === 'column') {
      // The row is only marked, and taken in by catching up.
      const columns = columnIndex(index, table, picture.types);
      markRow(transaction, columns, rowKey, rowKey.length, CATCH_UP_SNAPSHOT);
      return undefined;
    }
    if (inverted !== undefined) {
      inverted.insert(row, rowKey, transaction, evaluation);
      return undefined;
    }
    if (!this.encode(row, rowKey)) return undefined;
    if (this.isUnique) {
      const wait = transaction.lock(entry.buffer, 0, entry.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
      if (transaction.getNewest(entry.buffer, 0, entry.length, this.slot)) {
        const { buffer, start, end } = this.slot;
        const keyEnd = rule.physical.rowKeyEnd(buffer, start, end);
        if (!equalBytes(buffer, start, keyEnd, rowKey, SPACE_BYTES, rowKey.length)) throw this.notUnique();
        // Whoever has changed the row since it was entered may not have known of the index, nor of what it includes.
        if (rule.physical.included === undefined) return undefined;
      }
    }
    writeEntry(transaction, rule.physical, this.isUnique, entry, rowKey, rowKey.length, row);
    return undefined;
  }

  /** The key of a row's entry into `entry`, and `isUnique` of it; false where the row has none. */
  private encode(row: readonly Value[], rowKey: Uint8Array): boolean {
    const { rule, entry, parts, evaluation } = this;
    if (!rule.covers(row, evaluation)) return false;
    rule.parts(row, parts, evaluation);
    entry.reset();
    entry.bytes(rule.physical.prefix);
    rule.physical.keyCode.encodePrefix(parts, this.index.parts.length, entry);
    this.isUnique = rule.physical.isUniqueEntry(parts);
    if (!this.isUnique) entry.bytes(rowKey, SPACE_BYTES);
    checkKeyBytes(entry.length, this.index.name);
    return true;
  }

  private notUnique(): PhantomError {
    return notUnique(this.table, this.index, this.parts, this.evaluation);
  }
}

/** 23505 for an index that cannot be built: two rows have these parts. */
export function notUnique(
  table: TableDescriptor,
  index: IndexDescriptor,
  parts: readonly Value[],
  evaluation: EvaluationContext,
): PhantomError {
  const { names, types } = partsOf(table, index);
  return new PhantomError('23505', `could not create unique index "${index.name}"`, {
    table: table.name,
    constraint: index.name,
    detail: `Key ${keyText(names, parts.slice(0, names.length), types, evaluation)} is duplicated.`,
  });
}

/** 23P01 for a constraint that cannot be added: rows with these parts exclude each other. */
function excludedAlready(
  table: TableDescriptor,
  index: IndexDescriptor,
  parts: readonly Value[],
  others: readonly Value[],
  evaluation: EvaluationContext,
): PhantomError {
  const { names, types } = partsOf(table, index);
  const text = (values: readonly Value[]): string => keyText(names, values.slice(0, names.length), types, evaluation);
  return new PhantomError('23P01', `could not create exclusion constraint "${index.name}"`, {
    table: table.name,
    constraint: index.name,
    detail: `Key ${text(parts)} conflicts with key ${text(others)}.`,
  });
}
