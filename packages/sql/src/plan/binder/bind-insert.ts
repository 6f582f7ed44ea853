/** INSERT: VALUES, a query or defaults, ON CONFLICT, ON DUPLICATE KEY UPDATE, RETURNING. */
import type { ColumnDescriptor, TableDescriptor, TypeRef } from '@phantom/catalog';
import type { Binder, BoundQuery } from '../../expr/binder.js';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { Insert, InsertConflict, LogicalNode, With } from '../logical/logical.js';
import { readingOf, requirePrivilege } from './bind-relation.js';
import { outputExpression } from './bind-set-operation.js';
import { bindWith } from './bind-with.js';
import { type InsertTarget, bindOnConflict, bindOnDuplicateKey } from './bind-conflict.js';
import { oneRow } from './bind-from.js';
import { putValue, refusePartDefault } from './assignments.js';
import { assignPartValue, partType, replacePart } from './part-assignment.js';
import { bindReturning } from './returning.js';
import { startOf } from './positions.js';
import { TablePolicies } from './row-security.js';
import { insertedXmax, writtenOidColumn } from './system-columns.js';
import { ViewTarget } from './view-target.js';
import {
  assign,
  bindColumnText,
  checkTargets,
  completeValues,
  defaultValue,
  findTarget,
  findViewTarget,
  newRowColumns,
  refuseGenerated,
  refuseIdentity,
  targetName,
} from './target.js';

/** The rows to be inserted, and the value of each target column over them. */
interface InsertSource {
  readonly plan: LogicalNode;
  readonly values: ReadonlyMap<number, Expression>;
}

export function bindInsert(binder: Binder, node: Ast.Insert, parent: Scope | undefined): BoundQuery {
  const { context } = binder;
  const outer = node.with === undefined ? parent : new Scope(context, parent);
  const tables = node.with === undefined || outer === undefined ? undefined : bindWith(binder, node.with, outer);
  const view = findViewTarget(binder, node.table, 'insert');
  const through = view === undefined ? undefined : new ViewTarget(binder, view, 'insert', node.table.position);
  const table = through?.table ?? findTarget(binder, node.table, 'insert');
  const called = targetName(binder, node.table, view ?? table);
  const explicit = node.columns.length > 0;
  const written = through === undefined ? node.columns : columnsThrough(through, node);
  const targets =
    explicit || through !== undefined
      ? checkTargets(binder, table, written)
      : table.columns.map((_, i) => i).filter((i) => !(table.columns[i] as ColumnDescriptor).dropped);
  const used = through === undefined ? requirePrivilege(binder, table, 'insert') : new Set<number>();
  if (through !== undefined) refuseViewDefaults(binder, node, through);
  const defaultOf = (column: ColumnDescriptor): Expression => {
    const viewDefault = through?.defaultSql(column);
    if (viewDefault === undefined) return defaultValue(binder, table, column);
    return bindColumnText(binder, table, column, viewDefault, 'DEFAULT expressions', undefined);
  };
  const source = bindSource(binder, node, table, targets, explicit, outer, defaultOf);
  for (const at of source.values.keys()) used.add((table.columns[at] as ColumnDescriptor).number);
  const newRow = newRowColumns(binder, table);
  const values = completeValues(binder, table, source.values, newRow, 'insert', defaultOf);
  const onUse = readingOf(binder, view ?? table);
  const policies = TablePolicies.of(through?.tableBinder ?? binder, table);
  const target: InsertTarget = {
    table,
    view,
    called,
    position: node.table.position,
    newRow,
    columns: targets,
    policies,
    onUse,
  };
  let conflict: InsertConflict | undefined;
  if (node.onConflict !== undefined) conflict = bindOnConflict(binder, node.onConflict, target, outer);
  else if (node.onDuplicateKey !== undefined) conflict = bindOnDuplicateKey(binder, node.onDuplicateKey, target, outer);
  const updates = conflict?.action === 'update';
  const result = updates && conflict !== undefined ? conflict.stored : newRow;
  const tableOid = writtenOidColumn(context, table);
  const outputs =
    node.returning === undefined
      ? []
      : [...result, ...(updates ? (conflict?.existing ?? []) : []), ...(tableOid === undefined ? [] : [tableOid])];
  const reads =
    node.returning !== undefined || node.onConflict?.target !== undefined || node.onDuplicateKey !== undefined;
  const checks = [
    ...(policies?.written('insert', newRow) ?? []),
    ...(reads ? (policies?.met('select', 'new', newRow) ?? []) : []),
    ...(through?.checks(newRow) ?? []),
  ];
  const insert: Insert = {
    kind: 'insert',
    table,
    input: source.plan,
    values,
    newRow,
    conflict,
    checks,
    tableOid,
    columns: outputs,
  };
  const bound = bindReturning(
    binder,
    node.returning,
    insert,
    {
      itemOf: through?.rowItem.bind(through),
      onUse,
      table,
      target: { relation: view ?? table, node: node.table },
      called,
      row: result,
      oldRow: updates ? conflict?.existing : undefined,
      newRow: result,
      tableOid,
      system: [insertedXmax(table, updates ? conflict?.existing : undefined)],
      others: [],
    },
    outer,
  );
  return withTables(bound, tables);
}

/** The table's names for the columns of a view that are given values: those written, or its first ones. */
function columnsThrough(through: ViewTarget, node: Ast.Insert): readonly Ast.TargetColumn[] {
  if (node.columns.length > 0)
    return node.columns.map((column) => ({ ...column, name: through.baseName(column.name, 'insert') }));
  const { source } = node;
  const width =
    source === undefined
      ? 0
      : source.body.kind === 'values'
        ? (source.body.rows[0]?.values.length ?? 0)
        : source.body.kind === 'select'
          ? source.body.items.length
          : through.view.columns.length;
  const position = node.table.position;
  return through.columnNames(width).map((name) => ({ name, path: [], position }));
}

/** 428C9: the default that a view has of its own is a value like any other to a column of its table that takes none. */
function refuseViewDefaults(binder: Binder, node: Ast.Insert, through: ViewTarget): void {
  for (const column of through.table.columns) {
    if (column.dropped || through.defaultSql(column) === undefined) continue;
    refuseGenerated(binder, column, 'insert');
    if (node.overriding === undefined) refuseIdentity(binder, column, 'insert');
  }
}

/** The statement with its WITH queries around it. */
export function withTables(bound: BoundQuery, tables: (() => With['tables']) | undefined): BoundQuery {
  if (tables === undefined) return bound;
  return {
    plan: { kind: 'with', tables: tables(), input: bound.plan, columns: bound.plan.columns },
    fields: bound.fields,
  };
}

function bindSource(
  binder: Binder,
  node: Ast.Insert,
  table: TableDescriptor,
  targets: readonly number[],
  explicit: boolean,
  parent: Scope | undefined,
  defaultOf: (column: ColumnDescriptor) => Expression,
): InsertSource {
  const { source } = node;
  if (source === undefined) return { plan: oneRow(), values: new Map() };
  const plain =
    source.with === undefined &&
    source.orderBy.length === 0 &&
    source.limit === undefined &&
    source.offset === undefined;
  if (plain && source.body.kind === 'values' && !isOneRowOfSets(binder, source.body) && !isSpread(source.body)) {
    return bindValuesSource(binder, node, source.body, table, targets, explicit, parent, defaultOf);
  }
  const single = source.body.kind === 'values' && source.body.rows.length === 1;
  const query = binder.bindQuery(plain && single ? asSelect(source) : source, parent, { keepUnknown: true });
  checkCount(binder, node, query.fields.length, targets, explicit, source.position);
  const values = new Map<number, Expression>();
  query.fields.forEach((field, i) => {
    const at = targets[i] as number;
    const column = table.columns[at] as ColumnDescriptor;
    if (!acceptsValue(binder, node, column)) return;
    const output = outputExpression(query, field);
    const value = output.kind === 'parameter' ? output : columnReference(field.column, field.type);
    const position = field.position ?? source.position;
    const target = node.columns[i];
    const old = values.get(at) ?? constant(null, column.type);
    values.set(
      at,
      target === undefined
        ? assign(binder, value, column, position)
        : putValue(binder, table, target, at, value, position, new Scope(binder.context, parent), old),
    );
  });
  return { plan: query.plan, values };
}

/** `VALUES (t.*)` and `VALUES ((composite).*)` have more columns than items. */
function isSpread(body: Ast.Values): boolean {
  return body.rows.some((row) =>
    row.values.some((value) => value.kind === 'star' || (value.kind === 'field' && value.field === undefined)),
  );
}

/** `VALUES (generate_series(1, 3))` inserts the rows of a select list, which a list of values is not. */
function isOneRowOfSets(binder: Binder, body: Ast.Values): boolean {
  const [row] = body.rows;
  if (row === undefined || body.rows.length > 1 || row.values.some((value) => value.kind === 'default')) return false;
  return row.values.some((value) => callsSet(binder, value));
}

function callsSet(binder: Binder, node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some((part) => callsSet(binder, part));
  const { kind } = node as { readonly kind?: unknown };
  if (kind === 'query') return false;
  if (kind === 'call') {
    const call = node as Ast.FunctionCall;
    const name = call.name[call.name.length - 1]?.text ?? '';
    if (binder.context.catalog.functions.functionsNamed(name).some((one) => one.kind === 'set')) return true;
  }
  return Object.values(node).some((part) => callsSet(binder, part));
}

/** A query of one row of values as a select list. */
function asSelect(source: Ast.Query): Ast.Query {
  const { body } = source;
  if (body.kind !== 'values') return source;
  const values = body.rows[0]?.values ?? [];
  const items = values.map((value): Ast.SelectItem => ({
    value,
    alias: undefined,
    columnAliases: [],
    position: value.position,
  }));
  const select: Ast.Select = {
    kind: 'select',
    distinct: undefined,
    items,
    into: undefined,
    from: [],
    where: undefined,
    groupBy: undefined,
    having: undefined,
    windows: [],
    position: body.position,
  };
  return { ...source, body: select };
}

function checkCount(
  binder: Binder,
  node: Ast.Insert,
  count: number,
  targets: readonly number[],
  explicit: boolean,
  position: number,
): void {
  const { context } = binder;
  if (count > targets.length) {
    throw context.error('42601', 'INSERT has more expressions than target columns', position);
  }
  if (explicit && count < targets.length) {
    const missing = node.columns[count];
    throw context.error('42601', 'INSERT has more target columns than expressions', missing?.position ?? position);
  }
}

/** Whether a value given for the column is taken: identity columns may refuse or ignore it. */
function acceptsValue(binder: Binder, node: Ast.Insert, column: ColumnDescriptor): boolean {
  refuseGenerated(binder, column, 'insert');
  if (column.identity !== undefined && node.overriding === 'user') return false;
  if (node.overriding !== 'system') refuseIdentity(binder, column, 'insert');
  return true;
}

/** A place of the VALUES rows: the column it goes to, or the part of one. */
interface InsertedColumn {
  readonly at: number;
  readonly index: number;
  readonly part: Ast.TargetColumn | undefined;
  readonly type: TypeRef;
  readonly id: ColumnId;
}

function bindValuesSource(
  binder: Binder,
  node: Ast.Insert,
  body: Ast.Values,
  table: TableDescriptor,
  targets: readonly number[],
  explicit: boolean,
  parent: Scope | undefined,
  defaultOf: (column: ColumnDescriptor) => Expression,
): InsertSource {
  const { context } = binder;
  const scope = new Scope(context, parent);
  scope.clause = 'VALUES';
  const width = body.rows[0]?.values.length ?? 0;
  const first = body.rows[0]?.values[Math.min(width - 1, targets.length)];
  checkCount(binder, node, width, targets, explicit, first?.position ?? body.position);
  const used = targets.slice(0, width);
  const isDefault = (i: number): boolean => body.rows.every((row) => row.values[i]?.kind === 'default');
  const columns: InsertedColumn[] = [];
  used.forEach((at, index) => {
    const column = table.columns[at] as ColumnDescriptor;
    const target = node.columns[index];
    const part = target !== undefined && target.path.length > 0 ? target : undefined;
    if (isDefault(index)) {
      if (part !== undefined) refusePartDefault(binder, part);
      return;
    }
    if (!acceptsValue(binder, node, column)) return;
    const type = part === undefined ? column.type : partType(binder, column, part);
    columns.push({ at, index, part, type, id: context.newColumn(column.name, type) });
  });
  const rows = body.rows.map((row) => {
    if (row.values.length !== width) {
      throw context.error('42601', 'VALUES lists must all be the same length', row.values[0]?.position ?? row.position);
    }
    return columns.map(({ at, index, part }) => {
      const column = table.columns[at] as ColumnDescriptor;
      const value = row.values[index] as Ast.Expression;
      if (value.kind === 'default') {
        if (part !== undefined) refusePartDefault(binder, part);
        return defaultOf(column);
      }
      const bound = binder.bind(value, scope);
      return part === undefined
        ? assign(binder, bound, column, startOf(value))
        : assignPartValue(binder, bound, column, part, startOf(value));
    });
  });
  const values = new Map<number, Expression>();
  for (const { at, id, part, type } of columns) {
    const column = table.columns[at] as ColumnDescriptor;
    const value = columnReference(id, type);
    const old = values.get(at) ?? constant(null, column.type);
    values.set(at, part === undefined ? value : replacePart(binder, old, column.type, part.path, part, value, scope));
  }
  return { plan: { kind: 'values', rows, columns: columns.map(({ id }) => id) }, values };
}
