/** ON CONFLICT, and MySQL's ON DUPLICATE KEY UPDATE: which unique indexes arbitrate and what happens to the row in the way. */
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import { columnReference, type ColumnId } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
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
  scope.items = [rowItem(table, alias, existing), rowItem(table, 'excluded', newRow, false)];
  const bound = bindAssignments(binder, table, node.assignments, scope);
  for (const at of bound.values.keys()) used.add((table.columns[at] as ColumnDescriptor).number);
  scope.clause = 'WHERE';
  const condition =
    node.where === undefined
      ? undefined
      : coerceToBoolean(context, binder.bind(node.where, scope), 'ON CONFLICT WHERE', node.where.position);
  const values = completeValues(binder, table, bound.values, stored, (column, position) =>
    columnReference(existing[position] as ColumnId, column.type),
  );
  return { action: 'update', arbiters, existing, condition, values, rows: bound.rows, stored, countAsMySql: false };
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
  const wanted = new Set<number>();
  for (const element of target.elements) {
    if (element.value.kind !== 'column' || element.value.names.length !== 1) {
      throw context.unsupported('an expression in ON CONFLICT', element.position);
    }
    const [name] = element.value.names;
    if (name === undefined) continue;
    wanted.add((table.columns[targetColumn(binder, table, name)] as ColumnDescriptor).number);
  }
  const matches = (index: IndexDescriptor): boolean =>
    index.unique &&
    index.parts.length === wanted.size &&
    index.parts.every((part) => part.column !== undefined && wanted.has(part.column)) &&
    (index.predicateSql === undefined || target.where !== undefined);
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
  const bound = bindAssignments(binder, table, node.assignments, scope);
  const values = completeValues(binder, table, bound.values, stored, (column, position) =>
    columnReference(existing[position] as ColumnId, column.type),
  );
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
