/** MERGE: the source joined to the target, and a list of what to do with each kind of row. */
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Binder, BoundQuery } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import { columnReference, constant, TRUE, type ColumnId, type Expression } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import { BOOL, TEXT } from '../../types/type-refs.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode, Merge, MergeAction } from '../logical/logical.js';
import { bindAssignments, putValue } from './assignments.js';
import { bindFromList, join } from './bind-from.js';
import { withTables } from './bind-insert.js';
import { ofOnly, readingOf, requirePrivilege, scanTable } from './bind-relation.js';
import { bindWith } from './bind-with.js';
import { checkNames } from './range-items.js';
import { behindPolicies, TablePolicies } from './row-security.js';
import { bindReturning } from './returning.js';
import { startOf } from './positions.js';
import { writtenOidColumn } from './system-columns.js';
import {
  assign,
  checkTargets,
  columnNumbers,
  completeValues,
  defaultValue,
  findTarget,
  newRowColumns,
  refuseGenerated,
  refuseIdentity,
  targetName,
} from './target.js';

export function bindMerge(binder: Binder, node: Ast.Merge, parent: Scope | undefined): BoundQuery {
  const { context } = binder;
  if (node.with?.recursive === true)
    throw context.error('42601', 'WITH RECURSIVE is not supported for MERGE statement', node.with.position);
  const outer = node.with === undefined ? parent : new Scope(context, parent);
  const tables = node.with === undefined || outer === undefined ? undefined : bindWith(binder, node.with, outer);
  const table = findTarget(binder, node.target, 'merge');
  const onUse = readingOf(binder, table);
  // Each action asks for its own right; where there is none, looking at the table asks for one.
  if (node.branches.every((branch) => branch.action.kind === 'nothing')) requirePrivilege(binder, table, 'select');
  const { plan: scan, item: bare, byPosition } = scanTable(binder, table, node.target.alias?.text, undefined);
  const item = { ...bare, onUse };
  const policies = TablePolicies.of(binder, table);
  const target = behindPolicies(
    node.target.only ? ofOnly(table, scan) : scan,
    policies?.visible('select', byPosition) ?? [],
  );
  const sourceScope = new Scope(context, outer);
  const source = bindFromList(binder, [node.source], sourceScope);
  checkNames(binder, [item], sourceScope.items);
  const sourceMark = context.newColumn('?source?', BOOL);
  const marked: LogicalNode = {
    kind: 'project',
    input: source,
    items: [{ column: sourceMark, expression: TRUE }],
    columns: [...source.columns, sourceMark],
  };
  const both = new Scope(context, outer);
  both.items = [item, ...sourceScope.items];
  both.clause = 'JOIN conditions';
  const on = coerceToBoolean(context, binder.bind(node.on, both), 'JOIN/ON', node.on.position);
  const bySource = node.branches.some((branch) => branch.match === 'not-matched-by-source');
  const plan = join(bySource ? 'full' : 'left', marked, target, [on]);
  const newRow = newRowColumns(binder, table);
  const targetScope = new Scope(context, outer);
  targetScope.items = [item];
  const scopes = { matched: both, 'not-matched': sourceScope, 'not-matched-by-source': targetScope };
  checkReachable(binder, node.branches);
  const actions = node.branches.map((branch) =>
    withChecks(
      bindBranch(binder, branch, table, scopes[branch.match], byPosition, newRow),
      policies,
      byPosition,
      newRow,
    ),
  );
  const actionName = context.newColumn('merge_action', TEXT);
  const tableOid = writtenOidColumn(context, table);
  const shownOid = tableOid === undefined ? [] : [tableOid];
  const outputs = node.returning === undefined ? [] : [...newRow, actionName, ...shownOid, ...plan.columns];
  const merge: Merge = {
    kind: 'merge',
    table,
    input: plan,
    rowReference: scan.rowReference as ColumnId,
    sourceMark,
    oldRow: byPosition,
    newRow,
    actions,
    actionName,
    tableOid,
    columns: outputs,
  };
  const called = targetName(binder, node.target, table);
  const rows = {
    table,
    target: undefined,
    called,
    tableOid,
    row: newRow,
    oldRow: byPosition,
    newRow,
    onUse,
    others: sourceScope.items,
  };
  return withTables(bindReturning(binder, node.returning, merge, rows, outer), tables);
}

/** What a branch does to a row, as a policy sees it. */
type BoundBranch = Omit<MergeAction, 'oldChecks' | 'checks'>;

/** A branch with what policies ask of the rows that it changes, removes and writes. */
function withChecks(
  branch: BoundBranch,
  policies: TablePolicies | undefined,
  oldRow: readonly ColumnId[],
  newRow: readonly ColumnId[],
): MergeAction {
  const { action } = branch;
  const touches = action === 'update' || action === 'delete';
  const writes = action === 'update' || action === 'insert';
  return {
    ...branch,
    oldChecks: touches ? (policies?.met(action, 'target', oldRow) ?? []) : [],
    checks: writes ? (policies?.written(action, newRow) ?? []) : [],
  };
}

/** 42601: a branch behind one of its sort that takes every row. */
function checkReachable(binder: Binder, branches: readonly Ast.MergeBranch[]): void {
  const closed = new Set<Ast.MergeBranch['match']>();
  for (const { match, condition, position } of branches) {
    if (closed.has(match)) {
      const message = 'unreachable WHEN clause specified after unconditional WHEN clause';
      throw binder.context.error('42601', message, position);
    }
    if (condition === undefined) closed.add(match);
  }
}

function bindBranch(
  binder: Binder,
  branch: Ast.MergeBranch,
  table: TableDescriptor,
  scope: Scope,
  oldRow: readonly ColumnId[],
  newRow: readonly ColumnId[],
): BoundBranch {
  const { context } = binder;
  scope.clause = 'MERGE WHEN';
  const condition =
    branch.condition === undefined
      ? undefined
      : coerceToBoolean(context, binder.bind(branch.condition, scope), 'WHEN', branch.condition.position);
  const { match, action } = branch;
  switch (action.kind) {
    case 'nothing':
      return { match, condition, action: 'nothing', values: [], assigned: [] };
    case 'delete':
      requirePrivilege(binder, table, 'delete');
      return { match, condition, action: 'delete', values: [], assigned: [] };
    case 'update': {
      const used = requirePrivilege(binder, table, 'update');
      scope.clause = 'UPDATE';
      const current = (position: number): Expression =>
        columnReference(oldRow[position] as ColumnId, (table.columns[position] as ColumnDescriptor).type);
      const bound = bindAssignments(binder, table, action.assignments, scope, current);
      if (bound.rows.length > 0) throw context.unsupported('a subquery row in MERGE', action.position);
      for (const at of bound.values.keys()) used.add((table.columns[at] as ColumnDescriptor).number);
      const values = completeValues(binder, table, bound.values, newRow, 'update', (_column, position) =>
        current(position),
      );
      return { match, condition, action: 'update', values, assigned: columnNumbers(table, bound.values.keys()) };
    }
    default: {
      requirePrivilege(binder, table, 'insert');
      const given = insertValues(binder, action, table, scope);
      const values = completeValues(binder, table, given, newRow, 'insert', (column) =>
        defaultValue(binder, table, column),
      );
      return { match, condition, action: 'insert', values, assigned: [] };
    }
  }
}

function insertValues(
  binder: Binder,
  action: Ast.MergeAction & { kind: 'insert' },
  table: TableDescriptor,
  scope: Scope,
): Map<number, Expression> {
  const { context } = binder;
  scope.clause = 'VALUES';
  const given = new Map<number, Expression>();
  if (action.values === undefined) return given;
  const targets =
    action.columns.length > 0
      ? checkTargets(binder, table, action.columns)
      : table.columns.map((_, i) => i).filter((i) => !(table.columns[i] as ColumnDescriptor).dropped);
  if (action.values.length > targets.length) {
    throw context.error('42601', 'INSERT has more expressions than target columns', action.position);
  }
  if (action.columns.length > 0 && action.values.length < targets.length) {
    throw context.error('42601', 'INSERT has more target columns than expressions', action.position);
  }
  action.values.forEach((value, i) => {
    const at = targets[i] as number;
    const column = table.columns[at] as ColumnDescriptor;
    if (value.kind === 'default') return;
    refuseGenerated(binder, column, 'insert');
    if (column.identity !== undefined && action.overriding === 'user') return;
    if (action.overriding !== 'system') refuseIdentity(binder, column, 'insert');
    const target = action.columns[i];
    const bound = binder.bind(value, scope);
    const old = given.get(at) ?? constant(null, column.type);
    given.set(
      at,
      target === undefined
        ? assign(binder, bound, column, startOf(value))
        : putValue(binder, table, target, at, bound, startOf(value), scope, old),
    );
  });
  return given;
}
