/** Checks of the rows that a table holds already: for constraints that are added to it. The table is locked against writers. */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, ConstraintDescriptor, TableDescriptor } from '@phantom/catalog';
import { type ByteSlot, spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { RowExpression } from '../expr/row-expression-types.js';
import { ForeignKeyChecks } from '../storage/foreign-keys.js';
import { physicalTable } from '../storage/physical-table.js';
import { BoundRowExpression, TableRules } from '../storage/table-rules.js';
import type { Value } from '../types/type.js';
import type { DdlContext } from './context.js';

/** Rows between two looks at the clock. */
const ROWS_BETWEEN_CHECKS = 256;

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
}

/**
 * Visits every row of a table in its newest state, own writes included, yielding by elapsed time. `stored` is where its bytes lie
 * until the table is written.
 */
export function* eachRow(
  context: DdlContext,
  table: TableDescriptor,
  visit: (row: readonly Value[], key: Uint8Array, stored: ByteSlot) => void,
  { batches, columns }: RowWalk = {},
): Step {
  const physical = physicalTable(table, context.picture.types);
  const { slice } = context.execution();
  const cursor = context.transaction.cursorNewest(spaceRange(table.space));
  const row: Value[] = [];
  let count = 0;
  try {
    while (cursor.next()) {
      const { buffer, start, end } = cursor.value;
      if (columns === undefined) physical.decode(buffer, start, end, row, context.evaluation);
      else physical.decodeColumns(columns, buffer, start, end, row, context.evaluation);
      visit(row, cursor.key.copy(), cursor.value);
      if (++count % ROWS_BETWEEN_CHECKS === 0 && slice.due()) yield undefined;
      if (batches !== undefined && count % batches.every === 0) yield* batches.run();
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
  const rules = new TableRules(
    { ...child, constraints: [{ ...key, initiallyDeferred: false }] },
    context.objects,
    context.picture,
  );
  const checks = new ForeignKeyChecks(rules, context.writerContext());
  yield* eachRow(context, child, (row) => checks.inserted(row));
  for (let wait = checks.finish(); wait !== undefined; wait = checks.finish()) yield wait;
  context.objects.guardObject(parent.oid);
}
