/** Checks of the rows that a table holds already: for constraints that are added to it. The table is locked against writers. */
import { PhantomError, copyBytes } from '@phantom/base';
import type { ColumnDescriptor, ConstraintDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, CursorBatch, spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { RowExpression } from '../expr/row-expression-types.js';
import { ForeignKeyChecks } from '../storage/foreign-keys.js';
import { physicalTable } from '../storage/physical-table.js';
import { BoundRowExpression } from '../storage/bound-row-expression.js';
import { TableRules } from '../storage/table-rules.js';
import type { Value } from '../types/type.js';
import type { DdlContext } from './context.js';

/** Rows that are read at once, between two looks at the clock. */
const READ_ROWS = 256;
/** Of those that are written while they are visited, which may move what was read. */
const READ_WHILE_WRITING_ROWS = 1;

type Step = Generator<Yielded, void, void>;

/** Work to be done between rows of a scan, which may wait. */
interface RowBatches {
  /** After so many rows. */
  readonly every: number;
  run(): Step;
}

interface RowWalk {
  readonly batches?: RowBatches;
  /** Positions of the columns that are looked at; by default all of them. */
  readonly columns?: readonly number[] | undefined;
  /** Visits write what the transaction reads. */
  readonly writes?: boolean;
}

/**
 * Visits every row of a table in its newest state, own writes included, yielding by elapsed time. The row's key is the visitor's
 * until the next row; `stored` is where its bytes lie until the table is written.
 */
export function* eachRow(
  context: DdlContext,
  table: TableDescriptor,
  visit: (row: readonly Value[], key: Uint8Array, stored: ByteSlot) => void,
  { batches, columns, writes = false }: RowWalk = {},
): Step {
  // Those of a partitioned table are visited with its partitions.
  if (table.partitioned !== undefined) return;
  const { evaluation } = context;
  const physical = physicalTable(table, context.picture.types);
  const { slice } = context.execution();
  const cursor = context.transaction.cursorNewest(spaceRange(table.space));
  const read = new CursorBatch(writes ? READ_WHILE_WRITING_ROWS : READ_ROWS);
  const row: Value[] = [];
  const stored = new ByteSlot();
  let key = new Uint8Array(0);
  let visited = 0;
  try {
    for (let count = cursor.fill(read); count > 0; count = cursor.fill(read)) {
      for (let i = 0; i < count; i++) {
        const buffer = read.valueBuffers[i] as Uint8Array;
        stored.set(buffer, read.valueStarts[i] as number, read.valueEnds[i] as number);
        if (columns === undefined) physical.decode(buffer, stored.start, stored.end, row, evaluation);
        else physical.decodeColumns(columns, buffer, stored.start, stored.end, row, evaluation);
        const keyStart = read.keyStarts[i] as number;
        const keyEnd = read.keyEnds[i] as number;
        if (key.length !== keyEnd - keyStart) key = new Uint8Array(keyEnd - keyStart);
        copyBytes(read.keyBuffers[i] as Uint8Array, keyStart, keyEnd, key, 0);
        visit(row, key, stored);
        visited++;
        if (batches !== undefined && visited % batches.every === 0) yield* batches.run();
      }
      if ((count > 1 || visited % READ_ROWS === 0) && slice.due()) yield undefined;
    }
  } finally {
    cursor.close();
  }
}

/** True when the table holds a row. */
export function* hasRows(context: DdlContext, table: TableDescriptor): Generator<Yielded, boolean, void> {
  const cursor = context.transaction.cursorNewest(spaceRange(table.space));
  try {
    return cursor.next();
  } finally {
    cursor.close();
  }
}

/** A CHECK's condition over every row (23514), or a column that is to become NOT NULL (23502). */
export function checkExistingRows(
  context: DdlContext,
  table: TableDescriptor,
  constraint: string,
  condition: RowExpression,
): Step;
export function checkExistingRows(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): Step;
export function* checkExistingRows(
  context: DdlContext,
  table: TableDescriptor,
  what: string | ColumnDescriptor,
  condition?: RowExpression,
): Step {
  if (typeof what !== 'string') {
    const position = table.columns.findIndex((column) => column.number === what.number);
    yield* eachRow(
      context,
      table,
      (row) => {
        if (row[position] === null) throw containsNulls(table, what);
      },
      { columns: [position] },
    );
    return;
  }
  const bound = new BoundRowExpression(condition as RowExpression, table);
  yield* eachRow(context, table, (row) => {
    if (bound.evaluate(row, context.evaluation) === false) {
      throw new PhantomError(
        '23514',
        `check constraint "${what}" of relation "${table.name}" is violated by some row`,
        { table: table.name, constraint: what },
      );
    }
  });
}

/** 23502 for a column that is to become NOT NULL, and of which rows are null. */
export function containsNulls(table: TableDescriptor, column: ColumnDescriptor): PhantomError {
  return new PhantomError('23502', `column "${column.name}" of relation "${table.name}" contains null values`, {
    table: table.name,
    column: column.name,
  });
}

/** Every row of the child must have its parent (23503). */
export function* checkExistingForeignKey(
  context: DdlContext,
  child: TableDescriptor,
  key: ConstraintDescriptor & { kind: 'foreign key' },
  parent: TableDescriptor,
): Step {
  if (child.partitioned !== undefined) return;
  const rules = new TableRules(
    { ...child, constraints: [{ ...key, initiallyDeferred: false }] },
    context.objects,
    context.picture,
  );
  const checks = new ForeignKeyChecks(rules, context.writerContext());
  yield* eachRow(context, child, (row) => checks.inserted(row));
  yield* context.triggers.settle();
  context.objects.guardObject(parent.oid);
}
