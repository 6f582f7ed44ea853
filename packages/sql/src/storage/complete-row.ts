/** What a row is before it is stored: generated columns computed, constraints of the row alone checked. */
import { KEPT, TextBytes } from '@phantom/codec';
import type { Value } from '../types/type.js';
import { checkViolation, notNullViolation, partitionViolation } from './constraint-errors.js';
import type { TableRules } from './table-rules.js';
import type { RowReference } from './table-writer.js';
import type { WriterContext } from './writer-context.js';

/** The values of the row to store. 23502 and 23514 when it must not be; `old` is the row in whose place it is put. */
export function completeRow(
  rules: TableRules,
  values: readonly Value[],
  context: WriterContext,
  old: RowReference | undefined,
): readonly Value[] {
  let row = values;
  if (rules.generated.length > 0) {
    const computed = values.slice();
    for (const { position, value } of rules.generated)
      computed[position] = value.evaluate(computed, context.evaluation);
    row = computed;
  }
  // An update would have moved the row first.
  if (old !== undefined) checkPartition(rules, row, context, old);
  for (let i = 0; i < rules.notNull.length; i++) {
    const { position, column } = rules.notNull[i] as (typeof rules.notNull)[number];
    if (row[position] === null) throw notNullViolation(rules.table, column, whole(rules, row, context, old), context);
  }
  for (let i = 0; i < rules.checks.length; i++) {
    const { constraint, condition } = rules.checks[i] as (typeof rules.checks)[number];
    if (condition.evaluate(row, context.evaluation) === false)
      throw checkViolation(rules.table, constraint.name, whole(rules, row, context, old), context);
  }
  if (old === undefined) checkPartition(rules, row, context, old);
  return row;
}

/** 23514 for a row that belongs into another partition. */
function checkPartition(
  rules: TableRules,
  row: readonly Value[],
  context: WriterContext,
  old: RowReference | undefined,
): void {
  if (rules.partition?.takes(row, context.evaluation) === false)
    throw partitionViolation(rules.table, whole(rules, row, context, old), context);
}

/** The row as errors show it: with what it keeps as it is stored, and texts for their bytes. */
function whole(
  rules: TableRules,
  row: readonly Value[],
  context: WriterContext,
  old: RowReference | undefined,
): readonly Value[] {
  if (old === undefined) return row.map((value) => (value instanceof TextBytes ? value.text : value));
  if (!row.includes(KEPT)) return row;
  const stored: Value[] = [];
  rules.physical.decode(old.row, 0, old.row.length, stored, context.evaluation);
  return row.map((value, position) => (value === KEPT ? stored[position] : value));
}
