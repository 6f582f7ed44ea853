/** RETURNING: a projection over what a modification gives. */
import type { TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Binder, BoundField, BoundQuery } from '../../expr/binder.js';
import { resolveUnknown } from '../../expr/coercion.js';
import { columnReference, type ColumnId } from '../../expr/expression.js';
import { Scope, type RangeItem, type ScopeColumn } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode } from '../logical/logical.js';
import { spread } from './bind-select.js';
import { narrow } from './row-order.js';
import { outputName } from './output-names.js';
import { Projection } from './projection.js';
import { systemColumn, tableOidColumn } from './system-columns.js';
import { asStored, rowItem, type TargetName } from './target.js';

export interface ReturningRows {
  readonly table: TableDescriptor;
  readonly called: TargetName;
  /** What the statement names, and where; undefined where the row is of something else. */
  readonly target: { readonly relation: TableDescriptor | ViewDescriptor; readonly node: object } | undefined;
  /** The row as the statement leaves it (or, for DELETE, as it was). */
  readonly row: readonly ColumnId[];
  readonly oldRow: readonly ColumnId[] | undefined;
  readonly newRow: readonly ColumnId[] | undefined;
  /** Shows a row under another item than the table's own: a view over it. */
  readonly itemOf?: ((row: readonly ColumnId[], name: string, columnsVisible: boolean) => RangeItem) | undefined;
  /** Told of each column of these rows that is named, by its place in their item: that needs the right to read it. */
  readonly onUse: (columnIndex: number) => void;
  /** System columns of the row besides tableoid. */
  readonly system?: readonly ScopeColumn[];
  /** The oid of the row's partition; undefined where the table has none. */
  readonly tableOid: ColumnId | undefined;
  /** Tables of FROM or USING. */
  readonly others: readonly RangeItem[];
}

/** The statement's result: nothing, or the items of RETURNING over the modification node. */
export function bindReturning(
  binder: Binder,
  returning: Ast.Returning | undefined,
  node: LogicalNode,
  rows: ReturningRows,
  parent: Scope | undefined,
): BoundQuery {
  if (returning === undefined) return { plan: node, fields: [] };
  const { context } = binder;
  const scope = new Scope(context, parent);
  scope.clause = 'RETURNING';
  const bare = rows.itemOf ?? ((row, name, visible) => rowItem(rows.table, name, row, visible));
  const itemOf: typeof bare = (row, name, visible) => ({ ...bare(row, name, visible), onUse: rows.onUse });
  // A view has none.
  const tableOid = tableOidColumn(rows.table.oid);
  const shownOid =
    rows.tableOid === undefined ? tableOid : systemColumn('tableoid', columnReference(rows.tableOid, tableOid.type));
  const hidden = rows.itemOf === undefined ? [shownOid, ...(rows.system ?? [])] : [];
  const shown = { ...itemOf(rows.row, rows.called.name, true), ...rows.called, hidden };
  const item = rows.target === undefined ? shown : asStored(binder, rows.target.relation, shown);
  if (rows.target !== undefined) context.witness?.placed(rows.target.node, [item]);
  const items: RangeItem[] = [item, ...rows.others];
  const oldName = returning.oldAlias?.text ?? 'old';
  const newName = returning.newAlias?.text ?? 'new';
  const taken = new Set(items.map((item) => item.name));
  if (rows.oldRow !== undefined && !taken.has(oldName)) items.push(itemOf(rows.oldRow, oldName, false));
  if (rows.newRow !== undefined && !taken.has(newName)) items.push(itemOf(rows.newRow, newName, false));
  scope.items = items;
  const projection = new Projection(context, node);
  const fields: BoundField[] = [];
  const selected: { readonly name: string; readonly expression: Parameters<Projection['output']>[1] }[] = [];
  const add = (name: string, expression: Parameters<Projection['output']>[1]): void => {
    selected.push({ name, expression });
    const column = projection.output(name, expression);
    const info = context.pool.get(column);
    fields.push({ name, column, type: expression.type, tableOid: info.tableOid, columnNumber: info.columnNumber });
  };
  for (const item of returning.items) {
    const several = spread(binder, item.value, scope);
    if (several !== undefined) {
      for (const { name, expression } of several) add(name, expression);
      continue;
    }
    const bound = binder.bind(item.value, scope);
    add(outputName(item), resolveUnknown(context, bound, item.value.position));
  }
  context.witness?.selected(returning, scope, selected);
  return {
    plan: narrow(
      projection.node(),
      fields.map((field) => field.column),
    ),
    fields,
  };
}
