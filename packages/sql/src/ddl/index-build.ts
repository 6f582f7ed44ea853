/**
 * Builds an index over the rows that are there. The table is locked against writers for as long as the transaction lasts, so
 * the newest committed state with this transaction's own writes is what the index must hold.
 */
import { ByteWriter, PhantomError } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, KEY_BYTES_MAX, type KeyRange, SPACE_BYTES, prefixRange } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import { InvertedEntries } from '../storage/inverted-entries.js';
import { IndexRule } from '../storage/table-rules.js';
import type { Value } from '../types/type.js';
import type { DdlContext } from './context.js';
import { eachRow } from './validate.js';

const NO_BYTES = new Uint8Array(0);

/** Writes the index's entries; 23505 when a unique one would have two rows under one key. */
export function* buildIndex(
  context: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
): Generator<Yielded, void, void> {
  const rule = new IndexRule(index, table, context.picture);
  if (index.method === 'gin') {
    const entries = new InvertedEntries(rule, context.picture.types);
    yield* eachRow(context, table, (row, rowKey) =>
      entries.insert(row, rowKey, context.transaction, context.evaluation),
    );
    return;
  }
  const { physical } = rule;
  const { transaction } = context;
  const entry = new ByteWriter();
  const slot = new ByteSlot();
  const parts: Value[] = [];
  yield* eachRow(context, table, (row, rowKey) => {
    if (!rule.covers(row, context.evaluation)) return;
    rule.parts(row, parts, context.evaluation);
    entry.reset();
    entry.bytes(physical.prefix);
    physical.keyCode.encodePrefix(parts, index.parts.length, entry);
    const unique = physical.isUniqueEntry(parts);
    if (!unique && physical.isUniqueKey(parts) && hasEntries(transaction, prefixRange(entry.take())))
      throw notUnique(context, table, index, parts);
    if (!unique) entry.bytes(rowKey, SPACE_BYTES);
    if (entry.length > KEY_BYTES_MAX) {
      throw new PhantomError(
        '54000',
        `index row size ${entry.length} exceeds maximum ${KEY_BYTES_MAX} for index "${index.name}"`,
      );
    }
    if (unique && transaction.getNewest(entry.buffer, 0, entry.length, slot))
      throw notUnique(context, table, index, parts);
    if (unique) transaction.put(entry.buffer, 0, entry.length, rowKey, SPACE_BYTES, rowKey.length);
    else transaction.put(entry.buffer, 0, entry.length, NO_BYTES, 0, 0);
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

function notUnique(
  context: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
  parts: readonly Value[],
): PhantomError {
  const names = index.parts.map(
    (part) => table.columns.find((column) => column.number === part.column)?.name ?? part.expressionSql,
  );
  const texts = parts.map((value, i) => {
    if (value === null) return 'null';
    const type = context.picture.types.byOid(index.parts[i]?.type.oid as number);
    return type === undefined ? String(value) : type.output(value, context.evaluation);
  });
  return new PhantomError('23505', `could not create unique index "${index.name}"`, {
    table: table.name,
    constraint: index.name,
    detail: `Key (${names.join(', ')})=(${texts.join(', ')}) is duplicated.`,
  });
}
