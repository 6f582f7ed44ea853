/**
 * Keying the rows of a table that is there already: ADD PRIMARY KEY. Rows that had hidden numbers for keys are written once more, in a
 * new space and in the order of their key, so that a read by it finds them at once and not by way of an index; the other
 * indexes are built anew, since their entries point to rows by key. The bytes of the rows stay as they are.
 *
 * Rows mostly lie in the order of the key already. Those of a large table then go straight into files of the engine (space-load.ts), in
 * one pass. The first row that is out of order, or there twice, leads back to the write set.
 */
import { ByteWriter, compareBytes, type PhantomError } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, CursorBatch, spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { SpaceLoad } from '../session/ports.js';
import { checkKeyBytes } from '../storage/constraint-errors.js';
import { physicalTable } from '../storage/physical-table.js';
import { positionsOf } from '../storage/table-rules.js';
import type { Value } from '../types/type.js';
import type { DdlContext } from './context.js';
import { buildIndex, notUnique } from './index-build.js';
import { inNewSpaces, leaveSpaces } from './rewrite-table.js';
import { beginLoad, commitLoad } from './space-load.js';
import { containsNulls, eachRow } from './validate.js';

const BATCH_ROWS = 256;

/**
 * Puts the table as `keyed` describes it in the place of `before`, whose rows have hidden numbers; `primary` is the index that
 * stands for the key, and in the catalog already; `alone`: the statement does nothing else. 23502 for a null in a key column, 23505 for two rows with one key.
 */
export function* rekeyTable(
  context: DdlContext,
  before: TableDescriptor,
  keyed: TableDescriptor,
  primary: IndexDescriptor,
  alone: boolean,
): Generator<Yielded, void, void> {
  const { table, left } = inNewSpaces(context, before, keyed);
  const isLoaded = alone && (yield* loadRows(context, before, table, primary));
  if (!isLoaded) yield* copyRows(context, before, table, primary);
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind === 'index' && oid !== primary.oid) yield* buildIndex(context, table, index, alone);
  }
  leaveSpaces(context, table, left);
}

/** Loads the rows into files; false, with nothing loaded, when they are few, or do not lie in the order of the key. */
function* loadRows(
  context: DdlContext,
  before: TableDescriptor,
  after: TableDescriptor,
  primary: IndexDescriptor,
): Generator<Yielded, boolean, void> {
  const { bytes } = context.storage.estimate(spaceRange(before.space));
  const load = beginLoad(context, after.engine, bytes);
  if (load === undefined) return false;
  try {
    if (!(yield* fillLoad(context, before, after, primary, load))) return false;
    yield* commitLoad(context, load, after.space);
    return true;
  } finally {
    load.discard();
  }
}

function* fillLoad(
  context: DdlContext,
  before: TableDescriptor,
  after: TableDescriptor,
  primary: IndexDescriptor,
  load: SpaceLoad,
): Generator<Yielded, boolean, void> {
  const { transaction, picture, evaluation } = context;
  const { slice } = context.execution();
  const from = physicalTable(before, picture.types);
  const { prefix, keyCode } = physicalTable(after, picture.types);
  const positions = positionsOf(after, after.keyColumns);
  const row: Value[] = [];
  let key = new ByteWriter();
  let greatest = new ByteWriter();
  const batch = new CursorBatch(BATCH_ROWS);
  batch.keyless = true;
  const cursor = transaction.cursorNewest(spaceRange(before.space));
  try {
    for (let count = cursor.fill(batch); count > 0; count = cursor.fill(batch)) {
      for (let i = 0; i < count; i++) {
        const value = batch.valueBuffers[i] as Uint8Array;
        const start = batch.valueStarts[i] as number;
        const end = batch.valueEnds[i] as number;
        from.decodeColumns(positions, value, start, end, row, evaluation);
        // Of a null the ordinary road tells, too.
        for (const position of positions) if (row[position] === null) return false;
        key.reset();
        key.bytes(prefix);
        keyCode.encode(row, key);
        checkKeyBytes(key.length, primary.name);
        if (compareBytes(key.buffer, 0, key.length, greatest.buffer, 0, greatest.length) <= 0) return false;
        load.put(key.buffer, 0, key.length, value, start, end);
        [key, greatest] = [greatest, key];
      }
      if (slice.due()) yield undefined;
    }
  } finally {
    cursor.close();
  }
  return true;
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
        duplicate = notUnique(after, primary, parts, evaluation);
        return;
      }
      // Where the transaction has written the row itself, the next write may move it.
      bytes.reset();
      bytes.bytes(stored.buffer, stored.start, stored.end);
      transaction.put(key.buffer, 0, key.length, bytes.buffer, 0, bytes.length);
      if (isBehind) [key, greatest] = [greatest, key];
    },
    { columns: positions, writes: true },
  );
  if (duplicate !== undefined) throw duplicate;
}
