/** DELETE ... USING, with RETURNING. */
import type { Binder, BoundQuery } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import type { ColumnId } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { Delete, LogicalNode } from '../logical/logical.js';
import { bindFromList, join } from './bind-from.js';
import { withTables } from './bind-insert.js';
import { requirePrivilege, scanTable } from './bind-relation.js';
import { bindWith } from './bind-with.js';
import { bindCurrentOf } from './current-of.js';
import { checkNames } from './range-items.js';
import { bindReturning } from './returning.js';
import { findTarget, findViewTarget } from './target.js';
import { ViewTarget } from './view-target.js';

export function bindDelete(binder: Binder, node: Ast.Delete, parent: Scope | undefined): BoundQuery {
  const { context } = binder;
  if (node.portion !== undefined) throw context.unsupported('FOR PORTION OF', node.portion.position);
  const outer = node.with === undefined ? parent : new Scope(context, parent);
  const tables = node.with === undefined || outer === undefined ? undefined : bindWith(binder, node.with, outer);
  const view = findViewTarget(binder, node.table);
  const through = view === undefined ? undefined : new ViewTarget(binder, view, 'delete', node.table.position);
  const table = through?.table ?? findTarget(binder, node.table, 'DELETE');
  if (through === undefined) requirePrivilege(binder, table, 'delete');
  const read =
    node.where === undefined && node.returning === undefined
      ? undefined
      : requirePrivilege(binder, view ?? table, 'select');
  const {
    plan: scan,
    item: tableItem,
    byPosition,
  } = scanTable(binder, table, node.table.alias?.text, view === undefined ? (column) => read?.add(column) : undefined);
  const alias = node.table.alias?.text ?? view?.name ?? table.name;
  const item = through === undefined ? tableItem : through.item(tableItem, alias);
  const usingScope = new Scope(context, outer);
  let plan: LogicalNode = scan;
  const shown = through?.conditions(tableItem) ?? [];
  if (shown.length > 0) plan = { kind: 'filter', input: plan, conditions: shown, columns: plan.columns };
  if (node.using.length > 0) {
    const using = bindFromList(binder, node.using, usingScope);
    checkNames(binder, [item], usingScope.items);
    plan = join('inner', plan, using, []);
  }
  const scope = new Scope(context, outer);
  scope.items = [item, ...usingScope.items];
  if (node.where !== undefined) {
    scope.clause = 'WHERE';
    const condition =
      node.where.kind === 'current-of'
        ? bindCurrentOf(node.where, table, scan.rowReference as ColumnId)
        : coerceToBoolean(context, binder.bind(node.where, scope), 'WHERE', node.where.position);
    plan = { kind: 'filter', input: plan, conditions: [condition], columns: plan.columns };
  }
  const outputs = node.returning === undefined ? [] : plan.columns;
  const deletion: Delete = {
    kind: 'delete',
    table,
    input: plan,
    rowReference: scan.rowReference as ColumnId,
    oldRow: byPosition,
    mayRepeat: node.using.length > 0,
    columns: outputs,
  };
  const itemOf = through?.rowItem.bind(through);
  const rows = {
    itemOf,
    table,
    alias,
    row: byPosition,
    oldRow: byPosition,
    newRow: undefined,
    others: usingScope.items,
  };
  return withTables(bindReturning(binder, node.returning, deletion, rows, outer), tables);
}
