/** ON CONFLICT, and MySQL's ON DUPLICATE KEY UPDATE: which unique indexes arbitrate and what happens to the row in the way. */
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import { conjunctsOf, implies } from '../../expr/implication.js';
import { Scope } from '../../expr/scope.js';
import { equalExpressions } from '../../expr/walk.js';
import type { Name } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import type { InsertConflict } from '../logical/logical.js';
import { bindAssignments } from './assignments.js';
import { requirePrivilege } from './bind-relation.js';
import { renameColumns } from './range-items.js';
import { completeValues, newRowColumns, rowItem, targetColumn } from './target.js';

export function bindOnConflict(
  binder: Binder,
  node: Ast.OnConflict,
  table: TableDescriptor,
  alias: string,
  newRow: readonly ColumnId[],
  parent: Scope | undefined,
): InsertConflict {
  const { context } = binder;
  const arbiters = node.target === undefined ? [] : inferArbiters(binder, node.target, table);
  refuseDeferrable(binder, table, arbiters);
  const existing = newRowColumns(binder, table);
  const stored = newRowColumns(binder, table);
  if (node.action === 'nothing') {
    return {
      action: 'nothing',
      arbiters,
      existing,
      condition: undefined,
      values: [],
      rows: [],
      stored,
      countAsMySql: false,
    };
  }
  if (node.target === undefined) {
    throw context.error(
      '42601',
      'ON CONFLICT DO UPDATE requires inference specification or constraint name',
      node.position,
      {
        hint: 'For example, ON CONFLICT (column_name).',
      },
    );
  }
  const used = requirePrivilege(binder, table, 'update');
  const scope = new Scope(context, parent);
  scope.clause = 'UPDATE';
  scope.items = [rowItem(table, alias, existing), rowItem(table, 'excluded', newRow)];
  const current = (position: number): Expression =>
    columnReference(existing[position] as ColumnId, (table.columns[position] as ColumnDescriptor).type);
  const bound = bindAssignments(binder, table, node.assignments, scope, current);
  for (const at of bound.values.keys()) used.add((table.columns[at] as ColumnDescriptor).number);
  scope.clause = 'WHERE';
  const condition =
    node.where === undefined
      ? undefined
      : coerceToBoolean(context, binder.bind(node.where, scope), 'ON CONFLICT WHERE', node.where.position);
  const values = completeValues(binder, table, bound.values, stored, (_column, position) => current(position));
  return { action: 'update', arbiters, existing, condition, values, rows: bound.rows, stored, countAsMySql: false };
}

/** A key that may be twice there for a while cannot say which row is in the way. No arbiters: any unique index is one. */
function refuseDeferrable({ context }: Binder, table: TableDescriptor, arbiters: readonly number[]): void {
  for (const { oid, deferrable } of context.catalog.indexesOf(table)) {
    if (deferrable !== true || (arbiters.length > 0 && !arbiters.includes(oid))) continue;
    throw context.error(
      '55000',
      'ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters',
      undefined,
    );
  }
}

function inferArbiters(binder: Binder, target: Ast.ConflictTarget, table: TableDescriptor): number[] {
  const { context } = binder;
  if (target.kind === 'constraint') {
    const constraint = table.constraints.find((candidate) => candidate.name === target.name.text);
    if (constraint === undefined) {
      throw context.error(
        '42704',
        `constraint "${target.name.text}" for table "${table.name}" does not exist`,
        target.position,
      );
    }
    if (constraint.kind !== 'primary key' && constraint.kind !== 'unique') {
      throw context.error('42809', 'constraint in ON CONFLICT clause has no associated index', target.position);
    }
    return [constraint.indexOid];
  }
  const row = newRowColumns(binder, table);
  const scope = new Scope(context, undefined);
  scope.clause = 'ON CONFLICT';
  scope.items = [rowItem(table, table.name, row)];
  const wantedColumns = new Set<number>();
  const wantedValues: Expression[] = [];
  for (const element of target.elements) {
    if (element.value.kind === 'column' && element.value.names.length === 1) {
      const [name] = element.value.names;
      const at = targetColumn(binder, table, name as Name);
      wantedColumns.add((table.columns[at] as ColumnDescriptor).number);
    } else {
      const value = binder.bind(element.value, scope);
      if (!wantedValues.some((other) => equalExpressions(other, value))) wantedValues.push(value);
    }
  }
  const premises =
    target.where === undefined
      ? []
      : conjunctsOf(
          coerceToBoolean(context, binder.bind(target.where, scope), 'ON CONFLICT WHERE', target.where.position),
        );
  const ofTable = (sql: string): Expression => {
    const inner = binder.within(context.nested(context.catalog, sql));
    return inner.bind(inner.parseExpression(sql), scope);
  };
  const isWanted = (part: IndexDescriptor['parts'][number]): boolean => {
    if (part.column !== undefined) return wantedColumns.has(part.column);
    const value = part.expressionSql === undefined ? undefined : ofTable(part.expressionSql);
    return value !== undefined && wantedValues.some((wanted) => equalExpressions(wanted, value));
  };
  const matches = (index: IndexDescriptor): boolean =>
    index.unique &&
    index.parts.length === wantedColumns.size + wantedValues.length &&
    index.parts.every(isWanted) &&
    (index.predicateSql === undefined || implies(premises, ofTable(index.predicateSql), context.catalog.types));
  const found = context.catalog
    .indexesOf(table)
    .filter(matches)
    .map((index) => index.oid);
  if (found.length > 0) return found;
  throw context.error(
    '42P10',
    'there is no unique or exclusion constraint matching the ON CONFLICT specification',
    undefined,
  );
}

/** Unqualified columns are the row in the way; VALUES(c) and the row alias are the row that could not be inserted. */
export function bindOnDuplicateKey(
  binder: Binder,
  node: Ast.OnDuplicateKey,
  table: TableDescriptor,
  alias: string,
  newRow: readonly ColumnId[],
  parent: Scope | undefined,
): InsertConflict {
  const { context } = binder;
  refuseDeferrable(binder, table, []);
  const existing = newRowColumns(binder, table);
  const stored = newRowColumns(binder, table);
  requirePrivilege(binder, table, 'update');
  const scope = new Scope(context, parent);
  scope.clause = 'UPDATE';
  scope.items = [rowItem(table, alias, existing), rowItem(table, 'excluded', newRow, false)];
  if (node.rowAlias !== undefined) {
    const item = rowItem(table, node.rowAlias.name.text, newRow, false);
    const columns = renameColumns(binder, item.columns, node.rowAlias);
    // Renamed columns may also be used alone.
    scope.items.push({ ...item, columns, columnsVisible: node.rowAlias.columns.length > 0 });
  }
  const current = (position: number): Expression =>
    columnReference(existing[position] as ColumnId, (table.columns[position] as ColumnDescriptor).type);
  const bound = bindAssignments(binder, table, node.assignments, scope, current);
  const values = completeValues(binder, table, bound.values, stored, (_column, position) => current(position));
  return {
    action: 'update',
    arbiters: [],
    existing,
    condition: undefined,
    values,
    rows: bound.rows,
    stored,
    countAsMySql: true,
  };
}
