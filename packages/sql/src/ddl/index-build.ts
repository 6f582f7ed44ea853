/**
 * Fills an index with the rows that are there. CREATE INDEX does it in its own transaction, with the table locked against
 * writers; CREATE INDEX CONCURRENTLY in many, row by row (session/concurrent-index.ts).
 */
import { ByteWriter, PhantomError, assert, equalBytes } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, type KeyRange, SPACE_BYTES, prefixRange, spaceRange } from '@phantom/kv';
import { LockStrength, type MvccTransaction } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { takeTable } from '../storage/columnar/catch-up.js';
import { columnIndex } from '../storage/columnar/column-index.js';
import { CATCH_UP_SNAPSHOT, markRow } from '../storage/columnar/markers.js';
import { InvertedEntries } from '../storage/inverted-entries.js';
import { checkKeyBytes } from '../storage/constraint-errors.js';
import { writeEntry } from '../storage/physical-table.js';
import { IndexRule } from '../storage/table-rules.js';
import type { Value } from '../types/type.js';
import type { DdlContext } from './context.js';
import { eachRow } from './validate.js';

/** Writes the index's entries; 23505 when a unique one would have two rows under one key. */
export function* buildIndex(
  context: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
): Generator<Yielded, void, void> {
  if (index.method === 'column') {
    yield* buildColumns(context, table, index);
    return;
  }
  const filler = new IndexFiller(table, index, context.picture, context.evaluation);
  const enter = (row: readonly Value[], rowKey: Uint8Array): void => {
    const wait = filler.enter(context.transaction, row, rowKey, false);
    assert(wait === undefined, 'nobody else writes a table that is locked');
  };
  yield* eachRow(context, table, enter, { columns: filler.columnsRead });
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

  /**
   * Enters a row in its newest state. `locking` is for a table that others write: a unique key is locked first. A promise:
   * wait, then call again. 23505 when another row has the key.
   */
  enter(
    transaction: MvccTransaction,
    row: readonly Value[],
    rowKey: Uint8Array,
    locking: boolean,
  ): Promise<void> | undefined {
    const { rule, entry, parts, evaluation, inverted, index, table, picture } = this;
    if (index.method === 'column') {
      // Others write the table meanwhile: the row is only marked, and taken in by catching up.
      const columns = columnIndex(index, table, picture.types);
      markRow(transaction, columns, rowKey, rowKey.length, CATCH_UP_SNAPSHOT);
      return undefined;
    }
    if (inverted !== undefined) {
      inverted.insert(row, rowKey, transaction, evaluation);
      return undefined;
    }
    if (!rule.covers(row, evaluation)) return undefined;
    rule.parts(row, parts, evaluation);
    entry.reset();
    entry.bytes(rule.physical.prefix);
    rule.physical.keyCode.encodePrefix(parts, this.index.parts.length, entry);
    const unique = rule.physical.isUniqueEntry(parts);
    if (!unique && rule.physical.isUniqueKey(parts) && hasEntries(transaction, prefixRange(entry.take())))
      throw this.notUnique();
    if (!unique) entry.bytes(rowKey, SPACE_BYTES);
    checkKeyBytes(entry.length, this.index.name);
    if (unique) {
      if (locking) {
        const wait = transaction.lock(entry.buffer, 0, entry.length, LockStrength.Update, 'wait');
        if (wait instanceof Promise) return wait;
      }
      if (transaction.getNewest(entry.buffer, 0, entry.length, this.slot)) {
        const { buffer, start, end } = this.slot;
        const keyEnd = rule.physical.rowKeyEnd(buffer, start, end);
        if (!equalBytes(buffer, start, keyEnd, rowKey, SPACE_BYTES, rowKey.length)) throw this.notUnique();
        // Whoever has changed the row since it was entered may not have known of the index, nor of what it includes.
        if (rule.physical.included === undefined) return undefined;
      }
    }
    writeEntry(transaction, rule.physical, unique, entry, rowKey, rowKey.length, row);
    return undefined;
  }

  private notUnique(): PhantomError {
    return notUnique(this.table, this.index, this.parts, this.picture, this.evaluation);
  }
}

/** 23505 for an index that cannot be built: two rows have these parts. */
export function notUnique(
  table: TableDescriptor,
  index: IndexDescriptor,
  parts: readonly Value[],
  picture: CatalogPort,
  evaluation: EvaluationContext,
): PhantomError {
  const names = index.parts.map(
    (part) => table.columns.find((column) => column.number === part.column)?.name ?? part.expressionSql,
  );
  const texts = parts.map((value, i) => {
    if (value === null) return 'null';
    const type = picture.types.byOid(index.parts[i]?.type.oid as number);
    return type === undefined ? String(value) : type.output(value, evaluation);
  });
  return new PhantomError('23505', `could not create unique index "${index.name}"`, {
    table: table.name,
    constraint: index.name,
    detail: `Key (${names.join(', ')})=(${texts.join(', ')}) is duplicated.`,
  });
}

function hasEntries(transaction: MvccTransaction, range: KeyRange): boolean {
  const cursor = transaction.cursorNewest(range);
  try {
    return cursor.next();
  } finally {
    cursor.close();
  }
}
