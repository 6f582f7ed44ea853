/** UPDATE ... FROM, with RETURNING. */
import type { ColumnDescriptor } from '@phantom/catalog';
import type { Binder, BoundQuery } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode, Update } from '../logical/logical.js';
import { bindAssignments } from './assignments.js';
import { bindFromList, join } from './bind-from.js';
import { withTables } from './bind-insert.js';
import { requirePrivilege, scanTable } from './bind-relation.js';
import { bindWith } from './bind-with.js';
import { bindCurrentOf } from './current-of.js';
import { checkNames } from './range-items.js';
import { bindReturning } from './returning.js';
import { completeValues, findTarget, findViewTarget, newRowColumns } from './target.js';
import { ViewTarget } from './view-target.js';

export function bindUpdate(binder: Binder, node: Ast.Update, parent: Scope | undefined): BoundQuery {
  const { context } = binder;
  if (node.portion !== undefined) throw context.unsupported('FOR PORTION OF', node.portion.position);
  const outer = node.with === undefined ? parent : new Scope(context, parent);
  const tables = node.with === undefined || outer === undefined ? undefined : bindWith(binder, node.with, outer);
  const view = findViewTarget(binder, node.table);
  const through = view === undefined ? undefined : new ViewTarget(binder, view, 'update', node.table.position);
  const table = through?.table ?? findTarget(binder, node.table, 'UPDATE');
  const used = through === undefined ? requirePrivilege(binder, table, 'update') : new Set<number>();
  const read = requirePrivilege(binder, view ?? table, 'select');
  const {
    plan: scan,
    item: tableItem,
    byPosition,
  } = scanTable(binder, table, node.table.alias?.text, view === undefined ? (column) => read.add(column) : undefined);
  const alias = node.table.alias?.text ?? view?.name ?? table.name;
  const item = through === undefined ? tableItem : through.item(tableItem, alias);
  const fromScope = new Scope(context, outer);
  let plan: LogicalNode = scan;
  const shown = through?.conditions(tableItem) ?? [];
  if (shown.length > 0) plan = { kind: 'filter', input: plan, conditions: shown, columns: plan.columns };
  if (node.from.length > 0) {
    const from = bindFromList(binder, node.from, fromScope);
    checkNames(binder, [item], fromScope.items);
    plan = join('inner', plan, from, []);
  }
  const scope = new Scope(context, outer);
  scope.items = [item, ...fromScope.items];
  if (node.where !== undefined) {
    scope.clause = 'WHERE';
    const condition =
      node.where.kind === 'current-of'
        ? bindCurrentOf(node.where, table, scan.rowReference as ColumnId)
        : coerceToBoolean(context, binder.bind(node.where, scope), 'WHERE', node.where.position);
    plan = { kind: 'filter', input: plan, conditions: [condition], columns: plan.columns };
  }
  scope.clause = 'UPDATE';
  const current = (position: number): Expression =>
    columnReference(byPosition[position] as ColumnId, (table.columns[position] as ColumnDescriptor).type);
  const assignments =
    through === undefined
      ? node.assignments
      : node.assignments.map((assignment) => ({
          ...assignment,
          targets: assignment.targets.map((target) => ({ ...target, name: through.baseName(target.name, 'update') })),
        }));
  const bound = bindAssignments(binder, table, assignments, scope, current);
  for (const at of bound.values.keys()) used.add((table.columns[at] as ColumnDescriptor).number);
  if (bound.rows.length > 0) {
    plan = {
      kind: 'project',
      input: plan,
      items: bound.rows,
      columns: [...plan.columns, ...bound.rows.map((row) => row.column)],
    };
  }
  const newRow = newRowColumns(binder, table);
  const values = completeValues(binder, table, bound.values, newRow, (_column, position) => current(position));
  const outputs = node.returning === undefined ? [] : [...newRow, ...plan.columns];
  const update: Update = {
    kind: 'update',
    table,
    input: plan,
    rowReference: scan.rowReference as ColumnId,
    oldRow: byPosition,
    values,
    newRow,
    mayRepeat: node.from.length > 0,
    checks: through?.checks(newRow) ?? [],
    columns: outputs,
  };
  const itemOf = through?.rowItem.bind(through);
  const rows = { itemOf, table, alias, row: newRow, oldRow: byPosition, newRow, others: fromScope.items };
  return withTables(bindReturning(binder, node.returning, update, rows, outer), tables);
}
