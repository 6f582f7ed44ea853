import type { TableDescriptor } from '@phantom/catalog';
import type { DdlContext } from './context.js';

/** Puts a table with changes in the place of what it was, as its next version. */
export function replaceTable(context: DdlContext, table: TableDescriptor, change: Partial<TableDescriptor>): void {
  context.objects.put({ ...table, ...change, schemaVersion: table.schemaVersion + 1 });
}
