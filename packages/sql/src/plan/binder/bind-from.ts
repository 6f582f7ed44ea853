/**
 * FROM: tables, views, WITH queries, subqueries, functions and joins become plan nodes and range items.
 *
 * A LATERAL item is bound in a scope that holds the items to its left; any other item in a scope where the same items
 * exist only for the sake of a hint.
 */
import type { TypeRef } from '@phantom/catalog';
import { unreachable } from '@phantom/base';
import { coerceToBoolean, tryCoerce, commonType } from '../../expr/coercion.js';
import { callOperator } from '../../expr/calls.js';
import type { Binder } from '../../expr/binder.js';
import { columnReference, TRUE, type Expression } from '../../expr/expression.js';
import { BOOL } from '../../types/type-refs.js';
import { Scope, type RangeItem, type ScopeColumn } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { Join, JoinKind, LogicalNode } from '../logical/logical.js';
import { freeColumns } from '../logical/walk.js';
import { bindJsonTable } from './bind-json-table.js';
import { bindFunctionTable } from './bind-function-table.js';
import { bindRelation } from './bind-relation.js';
import { bindXmlTable } from './bind-xml-table.js';
import { checkNames, rangeItem, renameColumns, type BoundFrom } from './range-items.js';

/** One empty row: what a query without FROM reads. */
export function oneRow(): LogicalNode {
  return { kind: 'values', rows: [[]], columns: [] };
}

/** The comma-separated list. `scope` is the query's own: its items are set here. */
export function bindFromList(binder: Binder, list: readonly Ast.TableExpression[], scope: Scope): LogicalNode {
  let plan: LogicalNode | undefined;
  const items: RangeItem[] = [];
  for (const node of list) {
    const bound = bindTable(binder, node, scope, items);
    checkNames(binder, items, bound.items);
    items.push(...bound.items);
    plan = plan === undefined ? bound.plan : join('inner', plan, bound.plan, []);
  }
  scope.items = items;
  return plan ?? oneRow();
}

export function join(kind: JoinKind, left: LogicalNode, right: LogicalNode, conditions: readonly Expression[]): Join {
  const leftColumns = new Set(left.columns);
  const free = freeColumns(right);
  let lateral = false;
  for (const column of free) if (leftColumns.has(column)) lateral = true;
  const columns = kind === 'semi' || kind === 'anti' ? left.columns : [...left.columns, ...right.columns];
  return { kind: 'join', join: kind, left, right, conditions, lateral, nullAware: false, columns };
}

/** The scope in which an item of FROM is bound: the enclosing query's names, and what stands to its left. */
export function itemScope(scope: Scope, left: readonly RangeItem[], lateral: boolean): Scope {
  const inner = new Scope(scope.context, scope.parent);
  inner.clause = 'FROM';
  inner.items = left.map((item) => (lateral || item.isOfRule === true ? item : { ...item, lateralOnly: true }));
  return inner;
}

function bindTable(binder: Binder, node: Ast.TableExpression, scope: Scope, left: readonly RangeItem[]): BoundFrom {
  const bound = placeTable(binder, node, scope, left);
  binder.context.witness?.placed(node, bound.items);
  return bound;
}

function placeTable(binder: Binder, node: Ast.TableExpression, scope: Scope, left: readonly RangeItem[]): BoundFrom {
  switch (node.kind) {
    case 'table':
      return bindRelation(binder, node, scope);
    case 'derived':
      return bindDerived(binder, node, scope, left);
    case 'function-table':
      return bindFunctionTable(binder, node, itemScope(scope, left, true));
    case 'json-table':
      return bindJsonTable(binder, node, itemScope(scope, left, true));
    case 'xml-table':
      return bindXmlTable(binder, node, itemScope(scope, left, true));
    case 'join':
      return bindJoin(binder, node, scope, left);
    case 'changed-table':
      throw binder.context.unsupported('a data change delta table', node.position);
    default:
      return unreachable(node);
  }
}

function bindDerived(binder: Binder, node: Ast.DerivedTable, scope: Scope, left: readonly RangeItem[]): BoundFrom {
  if (node.alias === undefined) {
    const what = node.query.body.kind === 'values' ? 'VALUES' : 'subquery';
    throw binder.context.error('42601', `${what} in FROM must have an alias`, node.position, {
      hint: what === 'VALUES' ? 'For example, FROM (VALUES ...) [AS] foo.' : 'For example, FROM (SELECT ...) [AS] foo.',
    });
  }
  const inner = itemScope(scope, left, node.lateral);
  const query = binder.bindQuery(node.query, inner, { lock: scope.locks?.of(node) });
  scope.locks?.targets.push(...(query.locked ?? []));
  const columns = query.fields.map((field): ScopeColumn => ({
    name: field.name,
    expression: columnReference(field.column, field.type),
    type: field.type,
  }));
  const marker = binder.context.newColumn('?marker?', BOOL);
  return {
    plan: {
      kind: 'project',
      input: query.plan,
      items: [{ column: marker, expression: TRUE }],
      columns: [...query.plan.columns, marker],
    },
    items: [rangeItem(node.alias.name.text, renameColumns(binder, columns, node.alias), { marker })],
  };
}

/** Visible unqualified columns of some items, each with the item and index behind it. */
interface VisibleColumn {
  readonly column: ScopeColumn;
  readonly item: RangeItem;
  readonly index: number;
}

function visibleColumns(items: readonly RangeItem[]): VisibleColumn[] {
  const visible: VisibleColumn[] = [];
  for (const item of items) {
    if (!item.columnsVisible) continue;
    item.columns.forEach((column, index) => visible.push({ column, item, index }));
  }
  return visible;
}

function bindJoin(binder: Binder, node: Ast.Join, scope: Scope, outerLeft: readonly RangeItem[]): BoundFrom {
  const { context } = binder;
  const left = bindTable(binder, node.left, scope, outerLeft);
  const forbidden = node.type === 'right' || node.type === 'full';
  const seen = forbidden ? left.items.map((item) => ({ ...item, lateralForbidden: true })) : left.items;
  const right = bindTable(binder, node.right, scope, [...outerLeft, ...seen]);
  checkNames(binder, left.items, right.items);
  const leftColumns = visibleColumns(left.items);
  const rightColumns = visibleColumns(right.items);
  const names = usingNames(binder, node, leftColumns, rightColumns);
  const conditions: Expression[] = [];
  const merged: { readonly column: ScopeColumn; readonly sources: readonly VisibleColumn[] }[] = [];
  const hiddenLeft = new Set<VisibleColumn>();
  const hiddenRight = new Set<VisibleColumn>();
  for (const name of names) {
    const l = usingColumn(binder, leftColumns, name.text, 'left');
    const r = usingColumn(binder, rightColumns, name.text, 'right');
    l.item.onUse?.(l.index);
    r.item.onUse?.(r.index);
    conditions.push(callOperator(context, '=', l.column.expression, r.column.expression, name.position));
    merged.push({ column: mergeColumn(binder, node, name.text, l.column, r.column, name.position), sources: [l, r] });
    hiddenLeft.add(l);
    hiddenRight.add(r);
  }
  if (node.on !== undefined) {
    const inner = new Scope(context, scope.parent);
    inner.clause = 'JOIN conditions';
    inner.items = [...left.items, ...right.items];
    const condition = binder.bind(node.on, inner);
    conditions.push(coerceToBoolean(context, condition, 'JOIN/ON', node.on.position));
  }
  const kind: JoinKind = node.type === 'cross' ? 'inner' : node.type;
  const plan = join(kind, left.plan, right.plan, conditions);
  const columns = [
    ...merged,
    ...leftColumns.filter((c) => !hiddenLeft.has(c)).map((c) => ({ column: c.column, sources: [c] })),
    ...rightColumns.filter((c) => !hiddenRight.has(c)).map((c) => ({ column: c.column, sources: [c] })),
  ];
  const item = rangeItem(
    node.alias?.name.text,
    renameColumns(
      binder,
      columns.map((c) => c.column),
      node.alias,
    ),
    {
      onUse: (index) => {
        for (const source of columns[index]?.sources ?? []) source.item.onUse?.(source.index);
      },
    },
  );
  if (node.alias !== undefined) return { plan, items: [item] };
  const hide = (inside: RangeItem): RangeItem => ({ ...inside, columnsVisible: false });
  const items = [...left.items.map(hide), ...right.items.map(hide), item];
  if (node.using?.alias !== undefined) {
    const named = rangeItem(node.using.alias.text, []);
    checkNames(binder, items, [named]);
    items.push(
      rangeItem(
        node.using.alias.text,
        merged.map((m) => m.column),
        { columnsVisible: false },
      ),
    );
  }
  return { plan, items };
}

function usingNames(
  binder: Binder,
  node: Ast.Join,
  left: readonly VisibleColumn[],
  right: readonly VisibleColumn[],
): readonly { readonly text: string; readonly position: number }[] {
  if (node.using !== undefined) {
    const seen = new Set<string>();
    for (const name of node.using.columns) {
      if (seen.has(name.text)) {
        throw binder.context.error(
          '42701',
          `column name "${name.text}" appears more than once in USING clause`,
          name.position,
        );
      }
      seen.add(name.text);
    }
    return node.using.columns;
  }
  if (!node.natural) return [];
  const names: { text: string; position: number }[] = [];
  for (const { column } of left) {
    const common = right.some((other) => other.column.name === column.name);
    if (common && !names.some((name) => name.text === column.name)) {
      names.push({ text: column.name, position: node.position });
    }
  }
  return names;
}

function usingColumn(
  binder: Binder,
  columns: readonly VisibleColumn[],
  name: string,
  side: 'left' | 'right',
): VisibleColumn {
  const found = columns.filter((candidate) => candidate.column.name === name);
  const [first] = found;
  if (first === undefined) {
    throw binder.context.error(
      '42703',
      `column "${name}" specified in USING clause does not exist in ${side} table`,
      undefined,
    );
  }
  if (found.length > 1) {
    throw binder.context.error(
      '42702',
      `common column name "${name}" appears more than once in ${side} table`,
      undefined,
    );
  }
  return first;
}

/** The one column that a USING join shows for two. */
function mergeColumn(
  binder: Binder,
  node: Ast.Join,
  name: string,
  left: ScopeColumn,
  right: ScopeColumn,
  position: number,
): ScopeColumn {
  const { context } = binder;
  const type: TypeRef = commonType(context, [left.expression, right.expression], [position, position], 'JOIN/USING');
  const cast = (expression: Expression): Expression =>
    tryCoerce(context, expression, type, 'implicit', position) ?? expression;
  if (node.type === 'full') {
    return {
      name,
      type,
      expression: { kind: 'coalesce', operands: [cast(left.expression), cast(right.expression)], type },
    };
  }
  // The two are equal in an inner join: the one that is of the type already needs no cast.
  const asRight =
    node.type === 'right' || (node.type === 'inner' && left.type.oid !== type.oid && right.type.oid === type.oid);
  const kept = asRight ? right.expression : left.expression;
  return { name, type, expression: cast(kept) };
}
