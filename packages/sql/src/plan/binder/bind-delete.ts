/** DELETE ... USING, with RETURNING. */
import type { Binder, BoundQuery } from '../../expr/binder.js';
import { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { Delete } from '../logical/logical.js';
import { withTables } from './bind-insert.js';
import { bindWith } from './bind-with.js';
import { mayRepeat } from './instead-of.js';
import { bindReturning } from './returning.js';
import { writtenOidColumn } from './system-columns.js';
import { bindTargetRows } from './target-rows.js';

export function bindDelete(binder: Binder, node: Ast.Delete, parent: Scope | undefined): BoundQuery {
  const outer = node.with === undefined ? parent : new Scope(binder.context, parent);
  const tables = node.with === undefined || outer === undefined ? undefined : bindWith(binder, node.with, outer);
  const { table, plan, rowReference, row, shown } = bindTargetRows(binder, node, node.using, outer);
  const tableOid = writtenOidColumn(binder.context, table);
  const shownOid = tableOid === undefined ? [] : [tableOid];
  const deletion: Delete = {
    kind: 'delete',
    table,
    input: plan,
    rowReference,
    oldRow: row,
    mayRepeat: mayRepeat(table, node.using),
    tableOid,
    columns: node.returning === undefined ? [] : [...shownOid, ...plan.columns],
  };
  const rows = { ...shown, tableOid, row, oldRow: row, newRow: undefined };
  return withTables(bindReturning(binder, node.returning, deletion, rows, outer), tables);
}
