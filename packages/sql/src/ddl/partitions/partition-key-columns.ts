/** Which columns a table is partitioned by: they can neither go nor change their type while it is. */
import type { TableDescriptor } from '@phantom/catalog';
import { columnsIn } from '../alter-columns.js';
import type { DdlContext } from '../context.js';

/** Numbers of the columns that a table's partition key reads; none of a table that is not partitioned. */
export function partitionKeyColumns(context: DdlContext, table: TableDescriptor): readonly number[] {
  return (table.partitioned?.parts ?? []).flatMap(({ column, expressionSql }) =>
    column === undefined ? columnsIn(context, table, expressionSql ?? 'null') : [column],
  );
}
