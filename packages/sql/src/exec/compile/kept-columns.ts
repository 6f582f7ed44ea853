/** Columns that an UPDATE leaves as they are, and takes over from the stored row without reading them. */
import { KEPT } from '@phantom/codec';
import type { ColumnId, Expression } from '../../expr/expression.js';
import { columnsOf } from '../../plan/logical/walk.js';
import type { UpdateNode } from '../../plan/physical/physical.js';
import { physicalTable } from '../../storage/physical-table.js';
import type { TypeLookup } from '../../types/type.js';
import { ColumnSource, Row } from './row-scope.js';
import type { StepContext } from './step.js';

/**
 * Positions of columns that an UPDATE needs not read: those of variable length that none of the new values is made of. One that
 * it leaves as it is is taken over as it is stored.
 */
export function unreadColumns({ table, values, oldRow }: UpdateNode, types: TypeLookup): number[] {
  const { fixedOffsets } = physicalTable(table, types).codec.layout;
  const stays = (value: Expression, position: number): boolean =>
    value.kind === 'column' && value.column === oldRow[position];
  const read = new Set(values.flatMap((value, position) => (stays(value, position) ? [] : [...columnsOf(value)])));
  return [...table.columns.keys()].filter(
    (position) =>
      (fixedOffsets[position] as number) < 0 &&
      !read.has(oldRow[position] as ColumnId) &&
      table.columns[position]?.field === undefined,
  );
}

/** The row with what stands in its place for each of some columns that are not read. */
export function keepingColumns(context: StepContext, { oldRow }: UpdateNode, positions: readonly number[]): Row {
  const kept = Row.of(context.row);
  const value = new ColumnSource(false, (emitter) => emitter.constant(KEPT));
  for (const position of positions) kept.set(oldRow[position] as ColumnId, value);
  return kept;
}
