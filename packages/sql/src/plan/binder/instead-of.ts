/**
 * Views whose rows are written by INSTEAD OF triggers or replaced by rules: to the binder a table of the view's columns, whose rows are
 * those of the view's query and have no place in any space. The writer that stands behind it fires the triggers.
 */
import type { ColumnDescriptor, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import type { RangeItem } from '../../expr/scope.js';
import type { RowReference } from '../../storage/table-writer.js';
import { isViewTable, viewTable } from '../../storage/triggers/view-tables.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { LogicalNode } from '../logical/logical.js';
import { Projection } from './projection.js';
import { rangeItem } from './range-items.js';

/** Where rows lie that lie nowhere. */
const NOWHERE: RowReference = { key: new Uint8Array(0), row: new Uint8Array(0) };

/** The view as a table, where triggers or rules stand for the change; undefined where its own table is to be changed. */
export function writtenItself(
  { context }: Binder,
  view: ViewDescriptor,
  verb: 'insert' | 'update' | 'delete',
): TableDescriptor | undefined {
  return context.writtenItself === view.oid || view.insteadOf?.includes(verb) === true ? viewTable(view) : undefined;
}

/** The rows of a view that triggers change, as scanTable gives those of a table. */
export function scanViewTable(
  binder: Binder,
  table: TableDescriptor,
  view: ViewDescriptor,
  alias: string | undefined,
): {
  readonly plan: LogicalNode;
  readonly item: RangeItem;
  readonly byPosition: readonly ColumnId[];
  readonly rowReference: ColumnId;
} {
  const { context } = binder;
  const inner = context.stored(view);
  inner.viewOwnerOid = view.options?.['security_invoker'] === 'true' ? context.viewOwnerOid : view.ownerOid;
  inner.viewStack = [...context.viewStack, view.name];
  const query = binder.within(inner).bindQuery(binder.parseQuery(view.querySql), undefined);
  const projection = new Projection(context, query.plan);
  const byPosition = table.columns.map((column, i) => {
    const field = query.fields[i];
    const value: Expression =
      field === undefined ? constant(null, column.type) : columnReference(field.column, field.type);
    return projection.output(column.name, value);
  });
  const rowReference = projection.output('?row?', constant(NOWHERE, typeRef(TypeOid.void)));
  const columns = table.columns.map((column: ColumnDescriptor, i) => ({
    name: column.name,
    expression: columnReference(byPosition[i] as ColumnId, column.type),
    type: column.type,
  }));
  const item = rangeItem(alias ?? view.name, columns, {
    schema: alias === undefined ? context.catalog.schemaName(view.schemaOid) : undefined,
    rowTypeOid: view.rowTypeOid,
  });
  return { plan: projection.node(), item, byPosition, rowReference };
}

/** A row that lies nowhere is no other row's twin. */
export function mayRepeat(table: TableDescriptor, others: readonly unknown[]): boolean {
  return others.length > 0 && !isViewTable(table);
}
