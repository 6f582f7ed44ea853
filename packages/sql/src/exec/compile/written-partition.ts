/** RETURNING tableoid of a change of a partitioned table: the table's writer knows the partition. */
import type { Insert } from '../../plan/logical/logical.js';
import { property } from '../code/ir.js';
import { stateOf } from './program-builder.js';
import { ColumnSource, Row } from './row-scope.js';
import { withRow, type Consume, type PlanCompiler } from './step.js';

/** Tells `consume` which partition a row was written to, or removed from. */
export function withTableOid(
  compiler: PlanCompiler,
  { tableOid }: Pick<Insert, 'tableOid'>,
  writer: number,
  consume: Consume,
): Consume {
  if (tableOid === undefined) return consume;
  return (context) => {
    const row = Row.of(context.row);
    const written = property(stateOf(context.emitter, context.run, writer), 'writtenOid');
    row.set(tableOid, new ColumnSource(false, () => written));
    consume(withRow(compiler, context, row));
  };
}
