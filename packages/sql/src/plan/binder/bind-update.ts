/** UPDATE ... FROM, with RETURNING. */
import type { ColumnDescriptor } from '@phantom/catalog';
import type { Binder, BoundQuery } from '../../expr/binder.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { Update } from '../logical/logical.js';
import { bindAssignments } from './assignments.js';
import { withTables } from './bind-insert.js';
import { bindWith } from './bind-with.js';
import { mayRepeat } from './instead-of.js';
import { bindReturning } from './returning.js';
import { writtenOidColumn } from './system-columns.js';
import { columnNumbers, completeValues, newRowColumns } from './target.js';
import { bindTargetRows } from './target-rows.js';

export function bindUpdate(binder: Binder, node: Ast.Update, parent: Scope | undefined): BoundQuery {
  const outer = node.with === undefined ? parent : new Scope(binder.context, parent);
  const tables = node.with === undefined || outer === undefined ? undefined : bindWith(binder, node.with, outer);
  const target = bindTargetRows(binder, node, node.from, outer);
  const { table, through, rowReference, row, changed, scope, shown, policies, reads } = target;
  let { plan } = target;
  scope.clause = 'UPDATE';
  const current = (position: number): Expression =>
    columnReference(row[position] as ColumnId, (table.columns[position] as ColumnDescriptor).type);
  const assignments = through?.assignments(node.assignments) ?? node.assignments;
  const bound = bindAssignments(binder, table, assignments, scope, current);
  for (const at of bound.values.keys()) changed.add((table.columns[at] as ColumnDescriptor).number);
  if (bound.rows.length > 0) {
    plan = {
      kind: 'project',
      input: plan,
      items: bound.rows,
      columns: [...plan.columns, ...bound.rows.map((row) => row.column)],
    };
  }
  const newRow = newRowColumns(binder, table);
  const values = completeValues(binder, table, bound.values, newRow, 'update', (_column, position) =>
    current(position),
  );
  const tableOid = writtenOidColumn(binder.context, table);
  const shownOid = tableOid === undefined ? [] : [tableOid];
  const outputs = node.returning === undefined ? [] : [...newRow, ...shownOid, ...plan.columns];
  const update: Update = {
    kind: 'update',
    table,
    input: plan,
    rowReference,
    oldRow: row,
    values,
    newRow,
    assigned: columnNumbers(table, bound.values.keys()),
    mayRepeat: mayRepeat(table, node.from),
    checks: [
      ...(policies?.written('update', newRow) ?? []),
      ...(reads ? (policies?.met('select', 'new', newRow) ?? []) : []),
      ...(through?.checks(newRow) ?? []),
    ],
    tableOid,
    columns: outputs,
  };
  const rows = { ...shown, tableOid, row: newRow, oldRow: row, newRow };
  return withTables(bindReturning(binder, node.returning, update, rows, outer), tables);
}
