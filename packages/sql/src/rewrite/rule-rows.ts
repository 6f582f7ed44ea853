/**
 * The rows `old` and `new` of a rule: made of the statement that it stands for or beside, which is bound once more for each action.
 * As in PostgreSQL `new.column` is the expression that the statement has for it, wherever it stands: one that calls nextval draws a
 * number at each place.
 *
 *   INSERT    new: the values, defaults among them, over the rows of VALUES or of the query; generated columns are null
 *   UPDATE    new: the assigned values, and the old ones of other columns; old: the target's rows that WHERE lets through
 *   DELETE    old: likewise
 *
 * The target of an UPDATE or DELETE is read for an action that speaks of its rows, or whose statement's FROM and WHERE do; otherwise
 * the action is done once, or once for each row of FROM.
 */
import type { ColumnDescriptor, RuleDescriptor, TableDescriptor } from '@phantom/catalog';
import type { BindContext } from '../expr/context.js';
import { columnReference, constant, type ColumnId, type Expression } from '../expr/expression.js';
import type { RangeItem, ScopeColumn } from '../expr/scope.js';
import { someExpression } from '../expr/walk.js';
import { join, oneRow } from '../plan/binder/bind-from.js';
import { rangeItem } from '../plan/binder/range-items.js';
import type { Insert, LogicalNode } from '../plan/logical/logical.js';
import { columnsOf, forEachNodeExpression, replaceColumnsDeep } from '../plan/logical/walk.js';
import type { ChangeNode } from './change.js';

/** Values by the positions of the relation's columns, over the columns of `plan`. */
export interface ChangedRows {
  readonly table: TableDescriptor;
  readonly plan: LogicalNode;
  readonly old: readonly Expression[] | undefined;
  readonly new: readonly Expression[] | undefined;
}

/** The rows of a bound change. */
export function changedRows(context: BindContext, change: ChangeNode): ChangedRows {
  const { table } = change;
  if (change.kind === 'insert') return insertedRows(context, change);
  const old = table.columns.map(({ type }, i) => columnReference(change.oldRow[i] as ColumnId, type));
  if (change.kind === 'delete') return { table, plan: change.input, old, new: undefined };
  const values = change.values.map((value, i) =>
    table.columns[i]?.generated === undefined ? value : (old[i] as Expression),
  );
  return { table, old, ...keepingSubplans(context, table, change.input, values) };
}

function insertedRows(context: BindContext, { table, input, values }: Insert): ChangedRows {
  const given = values.map((value, i) => {
    const { generated, dropped, type } = table.columns[i] as ColumnDescriptor;
    return generated === undefined && !dropped ? value : constant(null, type);
  });
  const [row, ...others] = input.kind === 'values' ? input.rows : [];
  if (input.kind !== 'values' || row === undefined || others.length > 0)
    return { table, old: undefined, ...keepingSubplans(context, table, input, given) };
  // One row of values is no table that is read, but the expressions themselves.
  const written = given.map((value) => replaceColumnsDeep(value, (column) => row[input.columns.indexOf(column)]));
  return { table, old: undefined, ...keepingSubplans(context, table, oneRow(), written) };
}

/** A subquery's columns may be in a plan once: its value is a column of the rows. */
function keepingSubplans(
  context: BindContext,
  { columns }: TableDescriptor,
  plan: LogicalNode,
  values: readonly Expression[],
): Pick<ChangedRows, 'plan' | 'new'> {
  const items: { readonly column: ColumnId; readonly expression: Expression }[] = [];
  const kept = values.map((expression, i): Expression => {
    if (!someExpression(expression, (part) => part.kind === 'subquery')) return expression;
    const column = context.newColumn(columns[i]?.name ?? '', expression.type);
    items.push({ column, expression });
    return columnReference(column, expression.type);
  });
  if (items.length === 0) return { plan, new: values };
  const made = items.map(({ column }) => column);
  return { plan: { kind: 'project', input: plan, items, columns: [...plan.columns, ...made] }, new: kept };
}

/** The rows under the names by which the rule knows them: its relation's columns as they were called when it was made. */
export function rowItems({ rowColumns }: RuleDescriptor, rows: ChangedRows): RangeItem[] {
  const { table } = rows;
  const itemOf = (name: 'old' | 'new'): RangeItem[] => {
    const values = rows[name];
    if (values === undefined) return [];
    const shown: ScopeColumn[] = [];
    const live: ScopeColumn[] = [];
    table.columns.forEach((column, i) => {
      if (column.dropped) return;
      const expression = values[i] as Expression;
      live.push({ name: column.name, expression, type: column.type });
      const known = rowColumns[column.number - 1] ?? '';
      if (known !== '') shown.push({ name: known, expression, type: column.type });
    });
    return [
      rangeItem(name, shown, {
        columnsVisible: false,
        isOfRule: true,
        rowTypeOid: table.rowTypeOid,
        rowColumns: live,
      }),
    ];
  };
  return [...itemOf('old'), ...itemOf('new')];
}

/** The rows for an action that does not speak of them: without the target, unless the statement's FROM and WHERE speak of it. */
export function rowsUnread(rows: ChangedRows, change: ChangeNode): ChangedRows {
  if (change.kind === 'insert' || readsTarget(change.input, change.rowReference)) return rows;
  return { ...rows, plan: withoutTarget(change.input, change.rowReference) };
}

/** What stands over the target in the input of a change, from the top. */
function* overTarget(plan: LogicalNode, rowReference: ColumnId): Iterable<LogicalNode> {
  let node: LogicalNode | undefined = plan;
  while (node !== undefined) {
    const next: LogicalNode | undefined = inputTowardsTarget(node, rowReference);
    if (next !== undefined) yield node;
    node = next;
  }
}

function inputTowardsTarget(node: LogicalNode, rowReference: ColumnId): LogicalNode | undefined {
  const input =
    node.kind === 'join' ? node.left : node.kind === 'filter' || node.kind === 'project' ? node.input : undefined;
  return input?.columns.includes(rowReference) === true ? input : undefined;
}

function readsTarget(plan: LogicalNode, rowReference: ColumnId): boolean {
  const above = [...overTarget(plan, rowReference)];
  const last = above.at(-1);
  const target = last === undefined ? plan : (inputTowardsTarget(last, rowReference) as LogicalNode);
  const own = new Set(target.columns);
  return above.some((node) => {
    let reads = false;
    // What is assigned is no part of FROM and WHERE.
    if (node.kind === 'project') return false;
    forEachNodeExpression(node, (expression) => {
      for (const column of columnsOf(expression)) if (own.has(column)) reads = true;
    });
    return reads || (node.kind === 'join' && node.lateral);
  });
}

function withoutTarget(plan: LogicalNode, rowReference: ColumnId): LogicalNode {
  const input = inputTowardsTarget(plan, rowReference);
  if (input === undefined) return oneRow();
  const rest = withoutTarget(input, rowReference);
  if (plan.kind === 'filter') return { ...plan, input: rest, columns: rest.columns };
  return plan.kind === 'join' ? plan.right : rest;
}

/** Both, every row of the one with every row of the other. */
export function beside(rows: LogicalNode, input: LogicalNode): LogicalNode {
  if (isOneRow(rows)) return input;
  const [row, ...others] = input.kind === 'values' ? input.rows : [];
  if (input.kind !== 'values' || row === undefined || others.length > 0) return join('inner', rows, input, []);
  const items = input.columns.map((column, i) => ({ column, expression: row[i] as Expression }));
  return { kind: 'project', input: rows, items, columns: [...rows.columns, ...input.columns] };
}

/** True for what a query without FROM reads. */
export function isOneRow(plan: LogicalNode): boolean {
  return plan.kind === 'values' && plan.columns.length === 0 && plan.rows.length === 1;
}
