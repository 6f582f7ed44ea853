/**
 * COPY into a table that takes what is given as it is: each value goes to its column, and the columns that are not copied are NULL.
 * Rows then go from the reader to the table's writer, past the plan of the INSERT, whose values would be its parameters.
 *
 * Left to the plan: defaults, generated columns, domains, collections, triggers, policies, WHERE, and values that must first be
 * brought to a length or precision.
 */
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import type { CopyColumn } from '../copy/copy-rows.js';
import { StatementRestart } from '../exec/runtime.js';
import type { PointWrite } from '../plan/prepared-plan.js';
import type { TableWriter } from '../storage/table-writer.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';

/** Types that bring a text to its length or precision when they read it, as assignment does. */
const FITTING: ReadonlySet<number> = new Set([TypeOid.varchar, TypeOid.bpchar, TypeOid.numeric]);

/** True when values that are read for the columns may go to the targets as they are; `areTexts`: they are read from texts. */
export function takesAsGiven(
  table: TableDescriptor,
  targets: readonly ColumnDescriptor[],
  columns: readonly CopyColumn[],
  areTexts: boolean,
): boolean {
  const areFitted = targets.every(({ type }, i) => {
    const isDomain = type.oid !== columns[i]?.type.oid;
    return !isDomain && (type.typmod < 0 || (areTexts && FITTING.has(type.oid)));
  });
  if (!areFitted || table.collection !== undefined || table.partitioned !== undefined) return false;
  return table.columns.every((column) => {
    if (column.dropped) return true;
    if (column.generated !== undefined || column.field !== undefined) return false;
    return targets.includes(column) || (column.defaultSql === undefined && column.identity === undefined);
  });
}

/** Marks the columns of which nothing but the stored row needs the values. */
export function markOnlyStored(
  writer: TableWriter,
  table: TableDescriptor,
  targets: readonly ColumnDescriptor[],
  columns: readonly CopyColumn[],
): CopyColumn[] {
  return columns.map((column, i) => ({
    ...column,
    isOnlyStored: writer.leavesUnread([table.columns.indexOf(targets[i] as ColumnDescriptor)]),
  }));
}

/** Writes rows whose values stand in `given`, in the order of `targets`. */
export function straightInsert(
  table: TableDescriptor,
  targets: readonly ColumnDescriptor[],
  given: Value[],
): PointWrite {
  const positions = targets.map((column) => table.columns.indexOf(column));
  const areInOrder = positions.length === table.columns.length && positions.every((position, i) => position === i);
  const row = areInOrder ? given : table.columns.map((): Value => null);
  return {
    run(context) {
      if (!areInOrder) for (let i = 0; i < positions.length; i++) row[positions[i] as number] = given[i];
      const outcome = context.writer(table).insert(row);
      if (outcome === 'written') return 1;
      if (outcome instanceof Promise) return outcome;
      throw StatementRestart.instance;
    },
  };
}
