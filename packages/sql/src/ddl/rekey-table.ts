/**
 * Keying the rows of a table that is there already: ADD PRIMARY KEY. Rows that had hidden numbers for keys are written once more, in a
 * new space and in the order of their key, so that a read by it finds them at once and not by way of an index; the other
 * indexes are built anew, since their entries point to rows by key. The bytes of the rows stay as they are.
 */
import { ByteWriter, compareBytes, type PhantomError } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import { checkKeyBytes } from '../storage/constraint-errors.js';
import { physicalTable } from '../storage/physical-table.js';
import { positionsOf } from '../storage/table-rules.js';
import type { DdlContext } from './context.js';
import { buildIndex, notUnique } from './index-build.js';
import { inNewSpaces, leaveSpaces } from './rewrite-table.js';
import { containsNulls, eachRow } from './validate.js';

/**
 * Puts the table as `keyed` describes it in the place of `before`, whose rows have hidden numbers; `primary` is the index that
 * stands for the key, and in the catalog already. 23502 for a null in a key column, 23505 for two rows with one key.
 */
export function* rekeyTable(
  context: DdlContext,
  before: TableDescriptor,
  keyed: TableDescriptor,
  primary: IndexDescriptor,
): Generator<Yielded, void, void> {
  const { table, left } = inNewSpaces(context, before, keyed);
  yield* copyRows(context, before, table, primary);
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind === 'index' && oid !== primary.oid) yield* buildIndex(context, table, index);
  }
  leaveSpaces(context, table, left);
}

function* copyRows(
  context: DdlContext,
  before: TableDescriptor,
  after: TableDescriptor,
  primary: IndexDescriptor,
): Generator<Yielded, void, void> {
  const { transaction, picture, evaluation } = context;
  const { prefix, keyCode } = physicalTable(after, picture.types);
  const positions = positionsOf(after, after.keyColumns);
  const bytes = new ByteWriter();
  const slot = new ByteSlot();
  // Rows mostly come in the order of the key: one behind all others cannot be there twice.
  let key = new ByteWriter();
  let greatest = new ByteWriter();
  let duplicate: PhantomError | undefined;
  yield* eachRow(
    context,
    before,
    (row, _key, stored) => {
      for (const position of positions) {
        if (row[position] === null) throw containsNulls(after, after.columns[position]!);
      }
      // A null further on would have been told of first.
      if (duplicate !== undefined) return;
      key.reset();
      key.bytes(prefix);
      keyCode.encode(row, key);
      checkKeyBytes(key.length, primary.name);
      const isBehind = compareBytes(key.buffer, 0, key.length, greatest.buffer, 0, greatest.length) > 0;
      if (!isBehind && transaction.getNewest(key.buffer, 0, key.length, slot)) {
        const parts = positions.map((position) => row[position]!);
        duplicate = notUnique(after, primary, parts, picture, evaluation);
        return;
      }
      // Where the transaction has written the row itself, the next write may move it.
      bytes.reset();
      bytes.bytes(stored.buffer, stored.start, stored.end);
      transaction.put(key.buffer, 0, key.length, bytes.buffer, 0, bytes.length);
      if (isBehind) [key, greatest] = [greatest, key];
    },
    { columns: positions },
  );
  if (duplicate !== undefined) throw duplicate;
}
