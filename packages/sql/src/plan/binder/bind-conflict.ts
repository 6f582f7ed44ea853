/** ON CONFLICT, and MySQL's ON DUPLICATE KEY UPDATE: which unique indexes arbitrate and what happens to the row in the way. */
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import { conjunctsOf, implies } from '../../expr/implication.js';
import { type RangeItem, Scope, type ScopeColumn } from '../../expr/scope.js';
import { equalExpressions } from '../../expr/walk.js';
import type * as Ast from '../../text/ast.js';
import type { InsertConflict } from '../logical/logical.js';
import { operandOf } from '../physical/document-operand.js';
import { foldExpression } from '../rules/constant-folding.js';
import { replaceColumnsDeep } from '../logical/walk.js';
import { type BoundAssignments, bindAssignments } from './assignments.js';
import { requirePrivilege } from './bind-relation.js';
import { renameColumns } from './range-items.js';
import type { TablePolicies } from './row-security.js';
import { ViewTarget } from './view-target.js';
import { columnNumbers, completeValues, newRowColumns, rowItem, type TargetName } from './target.js';

/** The table that rows are inserted into, perhaps through a view. */
export interface InsertTarget {
  readonly table: TableDescriptor;
  readonly view: ViewDescriptor | undefined;
  readonly called: TargetName;
  readonly position: number;
  /** The row that is inserted. */
  readonly newRow: readonly ColumnId[];
  /** Places of the columns that values were given for, in the order of the statement's list. */
  readonly columns: readonly number[];
  /** Row-level security of the table, where it holds. */
  readonly policies: TablePolicies | undefined;
  /** Asks for the right to read a column, by its place among those shown. */
  readonly onUse: (columnIndex: number) => void;
}

/** How a conflict's parts name the columns of a row: by the table's names, or the view's. */
type ItemOf = (row: readonly ColumnId[], name: string, columnsVisible?: boolean) => RangeItem;

function itemsOf({ table, onUse }: InsertTarget, through: ViewTarget | undefined): ItemOf {
  const bare: ItemOf = through?.rowItem.bind(through) ?? ((row, name, visible) => rowItem(table, name, row, visible));
  return (row, name, visible) => ({ ...bare(row, name, visible), onUse });
}

export function bindOnConflict(
  binder: Binder,
  node: Ast.OnConflict,
  target: InsertTarget,
  parent: Scope | undefined,
): InsertConflict {
  const { context } = binder;
  const { table, view, called, newRow } = target;
  const updates = node.action !== 'nothing';
  const through =
    view === undefined ? undefined : new ViewTarget(binder, view, updates ? 'update' : 'insert', target.position);
  const itemOf = itemsOf(target, through);
  const arbiters = node.target === undefined ? [] : inferArbiters(binder, node.target, target, itemOf);
  const existing = newRowColumns(binder, table);
  const stored = newRowColumns(binder, table);
  if (!updates) {
    return {
      action: 'nothing',
      arbiters,
      existing,
      condition: undefined,
      values: [],
      rows: [],
      stored,
      assigned: [],
      existingChecks: [],
      checks: [],
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
  if (table.constraints.some((one) => one.kind === 'exclusion' && arbiters.includes(one.indexOid)))
    throw context.error('42809', 'ON CONFLICT DO UPDATE not supported with exclusion constraints', node.position);
  const used = through === undefined ? requirePrivilege(binder, table, 'update') : new Set<number>();
  const scope = new Scope(context, parent);
  scope.clause = 'UPDATE';
  scope.items = [{ ...itemOf(existing, called.name), ...called }, itemOf(newRow, 'excluded')];
  const current = (position: number): Expression =>
    columnReference(existing[position] as ColumnId, (table.columns[position] as ColumnDescriptor).type);
  const assignments = through?.assignments(node.assignments) ?? node.assignments;
  const bound = bindAssignments(binder, table, assignments, scope, current);
  for (const at of bound.values.keys()) used.add((table.columns[at] as ColumnDescriptor).number);
  scope.clause = 'WHERE';
  const condition =
    node.where === undefined
      ? undefined
      : coerceToBoolean(context, binder.bind(node.where, scope), 'ON CONFLICT WHERE', node.where.position);
  const values = completeValues(binder, table, bound.values, stored, 'update', (_column, position) =>
    current(position),
  );
  return {
    action: 'update',
    arbiters,
    existing,
    condition,
    values,
    rows: bound.rows,
    stored,
    assigned: columnNumbers(table, bound.values.keys()),
    ...upsertChecks(target, through, existing, stored),
    countAsMySql: false,
  };
}

function inferArbiters(
  binder: Binder,
  target: Ast.ConflictTarget,
  { table, view, onUse }: InsertTarget,
  itemOf: ItemOf,
): number[] {
  const { context } = binder;
  if (target.kind === 'constraint') {
    // Constraints are a table's: a view has none.
    const constraints = view === undefined ? table.constraints : [];
    const constraint = constraints.find((candidate) => candidate.name === target.name.text);
    if (constraint === undefined) {
      throw context.error(
        '42704',
        `constraint "${target.name.text}" for table "${(view ?? table).name}" does not exist`,
        target.position,
      );
    }
    if (!('indexOid' in constraint)) {
      throw context.error('42809', 'constraint in ON CONFLICT clause has no associated index', target.position);
    }
    const shown = table.columns.filter((column) => !column.dropped);
    shown.forEach((column, i) => void (constraint.columns.includes(column.number) && onUse(i)));
    return [constraint.indexOid];
  }
  const row = newRowColumns(binder, table);
  const scope = new Scope(context, undefined);
  scope.clause = 'ON CONFLICT';
  scope.items = [itemOf(row, (view ?? table).name)];
  const tableScope = new Scope(context, undefined);
  tableScope.items = [rowItem(table, table.name, row)];
  const scanColumns = table.columns.map(({ number }, i) => ({ id: row[i] as ColumnId, number }));
  const wantedPaths = new Set<string>();
  const wantedColumns = new Set<number>();
  const wantedValues: Expression[] = [];
  for (const element of target.elements) {
    const value = binder.bind(element.value, scope);
    const path = operandOf(foldExpression(value, context), { table, scanColumns })?.path;
    if (path !== undefined) wantedPaths.add(path);
    const at = value.kind === 'column' ? row.indexOf(value.column) : -1;
    if (at >= 0) {
      wantedColumns.add((table.columns[at] as ColumnDescriptor).number);
    } else {
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
    return inner.bind(inner.parseExpression(sql), tableScope);
  };
  const isWanted = (part: IndexDescriptor['parts'][number]): boolean => {
    if (part.column !== undefined) return wantedColumns.has(part.column);
    const value = part.expressionSql === undefined ? undefined : ofTable(part.expressionSql);
    return value !== undefined && wantedValues.some((wanted) => equalExpressions(wanted, value));
  };
  /** An index over paths of documents arbitrates by its paths. */
  const isOverPaths = ({ document }: IndexDescriptor): boolean =>
    document?.kind === 'ordered' &&
    document.partialFilter === undefined &&
    document.parts.length === target.elements.length &&
    document.parts.every(({ path }) => wantedPaths.has(path));
  const matches = (index: IndexDescriptor): boolean =>
    index.unique && (index.document === undefined ? isOverParts(index) : isOverPaths(index));
  const isOverParts = (index: IndexDescriptor): boolean =>
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
  target: InsertTarget,
  parent: Scope | undefined,
): InsertConflict {
  const { context } = binder;
  const { table, view, called, newRow } = target;
  const through = view === undefined ? undefined : new ViewTarget(binder, view, 'update', target.position);
  const itemOf = itemsOf(target, through);
  const existing = newRowColumns(binder, table);
  const stored = newRowColumns(binder, table);
  const used = through === undefined ? requirePrivilege(binder, table, 'update') : new Set<number>();
  const scope = new Scope(context, parent);
  scope.clause = 'UPDATE';
  scope.items = [{ ...itemOf(existing, called.name), ...called }, itemOf(newRow, 'excluded', false)];
  if (node.rowAlias !== undefined) {
    const item = itemOf(newRow, node.rowAlias.name.text, false);
    if (node.rowAlias.columns.length === 0) {
      scope.items.push(item);
    } else {
      // The alias's own names are for the columns of the statement's list, and may also be used alone.
      const places = target.columns.map((at) => item.columns.findIndex((column) => isColumn(column, newRow[at])));
      const listed = places.map((place) => item.columns[place] as ScopeColumn);
      scope.items.push({
        ...item,
        columns: renameColumns(binder, listed, node.rowAlias),
        columnsVisible: true,
        onUse: (index) => target.onUse(places[index] as number),
      });
    }
  }
  const current = (position: number): Expression =>
    columnReference(existing[position] as ColumnId, (table.columns[position] as ColumnDescriptor).type);
  const assignments = through?.assignments(node.assignments) ?? node.assignments;
  const bound: BoundAssignments = { values: new Map(), rows: [] };
  // One after the other: each sees what those before it have set.
  const valueNow = (column: ColumnId): Expression | undefined => bound.values.get(existing.indexOf(column));
  for (const assignment of assignments) {
    const { values, rows } = bindAssignments(binder, table, [assignment], scope, current);
    bound.rows.push(...rows.map((row) => ({ ...row, expression: replaceColumnsDeep(row.expression, valueNow) })));
    const set = [...values].map(([at, value]) => [at, replaceColumnsDeep(value, valueNow)] as const);
    for (const [at, value] of set) bound.values.set(at, value);
  }
  for (const at of bound.values.keys()) used.add((table.columns[at] as ColumnDescriptor).number);
  const values = completeValues(binder, table, bound.values, stored, 'update', (_column, position) =>
    current(position),
  );
  return {
    action: 'update',
    arbiters: [],
    existing,
    condition: undefined,
    values,
    rows: bound.rows,
    stored,
    assigned: columnNumbers(table, bound.values.keys()),
    ...upsertChecks(target, through, existing, stored),
    countAsMySql: true,
  };
}

/** What policies and views ask of the row in the way, and of the one that takes its place. */
function upsertChecks(
  { policies }: InsertTarget,
  through: ViewTarget | undefined,
  existing: readonly ColumnId[],
  stored: readonly ColumnId[],
): Pick<InsertConflict, 'existingChecks' | 'checks'> {
  return {
    existingChecks: [
      ...(policies?.met('update', 'existing', existing) ?? []),
      ...(policies?.met('select', 'existing', existing) ?? []),
    ],
    checks: [
      ...(policies?.written('update', stored) ?? []),
      ...(policies?.met('select', 'new', stored) ?? []),
      ...(through?.checks(stored) ?? []),
    ],
  };
}

function isColumn({ expression }: ScopeColumn, id: ColumnId | undefined): boolean {
  return expression.kind === 'column' && expression.column === id;
}
