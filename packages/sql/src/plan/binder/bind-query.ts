/** Queries: WITH, then a SELECT, VALUES, a set operation or a query in parentheses, then ORDER BY and LIMIT. */
import type { TypeRef } from '@phantom/catalog';
import { unreachable } from '@phantom/base';
import { sortKey } from '../../expr/bind-sort.js';
import type { Binder, BindQueryOptions, BoundField, BoundQuery } from '../../expr/binder.js';
import { coerce, isUnknown, unify } from '../../expr/coercion.js';
import { columnReference, type Expression, type SortKey } from '../../expr/expression.js';
import { missingColumn } from '../../expr/bind-names.js';
import { Scope } from '../../expr/scope.js';
import { TEXT } from '../../types/type-refs.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode } from '../logical/logical.js';
import { isLimited, lockedRows, notAllowedWith } from './bind-locking.js';
import { bindSelect, spread } from './bind-select.js';
import { limit } from './row-order.js';
import { bindSetOperation } from './bind-set-operation.js';
import { bindWith } from './bind-with.js';
import { rangeItem } from './range-items.js';

/** What whose rows cannot be locked is, in the words of the error. */
const SET_OPERATIONS = 'UNION/INTERSECT/EXCEPT';

/** See Binder.bindQuery. */
export function bindQuery(
  binder: Binder,
  query: Ast.Query,
  parent: Scope | undefined,
  options: BindQueryOptions = {},
): BoundQuery {
  return binder.context.deeper(() => {
    if (query.with === undefined) return bindBody(binder, query, parent, options);
    const scope = new Scope(binder.context, parent);
    const tables = bindWith(binder, query.with, scope);
    const bound = bindBody(binder, query, scope, options);
    const plan: LogicalNode = { kind: 'with', tables: tables(), input: bound.plan, columns: bound.plan.columns };
    return { ...bound, plan };
  });
}

function bindBody(binder: Binder, query: Ast.Query, scope: Scope | undefined, options: BindQueryOptions): BoundQuery {
  const { body } = query;
  switch (body.kind) {
    case 'select':
      return bindSelect(binder, body, query, scope, options);
    case 'values':
      return decorate(binder, query, bindValues(binder, body, scope, options), scope);
    case 'set-operation':
      if (options.lock !== undefined) throw notAllowedWith(binder, options.lock, SET_OPERATIONS);
      return decorate(binder, query, bindSetOperation(binder, body, scope, options), scope);
    case 'query': {
      // ORDER BY outside of parentheses sorts what comes out of them.
      return decorate(binder, query, bindQuery(binder, body, scope, options), scope);
    }
    default:
      return unreachable(body);
  }
}

/** A body without clauses of its own: an operand of a set operation. */
export function bindQueryBody(
  binder: Binder,
  body: Ast.QueryBody,
  scope: Scope | undefined,
  options: BindQueryOptions,
): BoundQuery {
  switch (body.kind) {
    case 'select':
      return bindSelect(binder, body, undefined, scope, options);
    case 'values':
      return bindValues(binder, body, scope, options);
    case 'set-operation':
      return bindSetOperation(binder, body, scope, options);
    case 'query':
      return bindQuery(binder, body, scope, options);
    default:
      return unreachable(body);
  }
}

/** ORDER BY over output columns alone, and LIMIT. */
function decorate(binder: Binder, query: Ast.Query, bound: BoundQuery, parent: Scope | undefined): BoundQuery {
  const [clause] = query.locking;
  if (clause !== undefined) throw notAllowedWith(binder, clause, SET_OPERATIONS);
  let { plan } = bound;
  const order = query.orderBy.map((item) => orderOutput(binder, item, bound.fields, parent));
  if (order.length > 0) plan = { kind: 'sort', input: plan, keys: order, columns: plan.columns };
  if (isLimited(query)) plan = lockedRows(plan, bound.locked ?? []);
  return { ...bound, plan: limit(binder, plan, query, order, parent) };
}

function orderOutput(
  binder: Binder,
  item: Ast.SortItem,
  fields: readonly BoundField[],
  parent: Scope | undefined,
): SortKey {
  const { context } = binder;
  const { value } = item;
  const reference = (field: BoundField): Expression => columnReference(field.column, field.type);
  if (value.kind === 'number' && value.integer) {
    const field = fields[Number(value.text) - 1];
    if (field === undefined) {
      throw context.error('42P10', `ORDER BY position ${value.text} is not in select list`, value.position);
    }
    return sortKey(binder, item, reference(field));
  }
  if (value.kind === 'column' && value.names.length === 1) {
    const name = value.names[0]?.text ?? '';
    const found = fields.filter((field) => field.name === name);
    if (found.length > 1) throw context.error('42702', `ORDER BY "${name}" is ambiguous`, value.position);
    const [field] = found;
    if (field !== undefined) return sortKey(binder, item, reference(field));
    const scope = new Scope(context, parent);
    scope.items = [
      rangeItem(
        undefined,
        fields.map((f) => ({ name: f.name, expression: reference(f), type: f.type })),
      ),
    ];
    throw missingColumn(scope, name, value.position);
  }
  throw context.error('0A000', 'invalid UNION/INTERSECT/EXCEPT ORDER BY clause', value.position, {
    detail: 'Only result column names can be used, not expressions or functions.',
    hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
  });
}

interface PlacedExpression {
  readonly expression: Expression;
  readonly position: number;
}

/** What an item of VALUES stands for: itself, or for `t.*` the columns of a table further out. */
function bindItem(binder: Binder, item: Ast.Expression, scope: Scope): PlacedExpression[] {
  return spread(binder, item, scope) ?? [{ expression: binder.bind(item, scope), position: item.position }];
}

/** VALUES rows under their common types. */
function bindValues(
  binder: Binder,
  values: Ast.Values,
  parent: Scope | undefined,
  options: BindQueryOptions,
): BoundQuery {
  const { context } = binder;
  const scope = new Scope(context, parent);
  scope.clause = 'VALUES';
  const rows = values.rows.map((row) => row.values.flatMap((value) => bindItem(binder, value, scope)));
  const width = rows[0]?.length ?? 0;
  values.rows.forEach((row, i) => {
    if (rows[i]?.length === width) return;
    throw context.error('42601', 'VALUES lists must all be the same length', row.values[0]?.position ?? row.position);
  });
  const columns: Expression[][] = [];
  const types: TypeRef[] = [];
  for (let i = 0; i < width; i++) {
    const column = rows.map((row) => (row[i] as PlacedExpression).expression);
    const positions = rows.map((row) => (row[i] as PlacedExpression).position);
    if (column.every(isUnknown) && options.keepUnknown === true) {
      columns.push(column);
      types.push((column[0] as Expression).type);
      continue;
    }
    const unified = unify(context, column, positions, 'VALUES');
    const settled = unified.expressions.map((e, j) =>
      isUnknown(e) ? coerce(context, e, TEXT, 'implicit', positions[j] ?? 0) : e,
    );
    columns.push(settled);
    types.push(settled[0]?.type.oid === unified.type.oid ? unified.type : (settled[0]?.type ?? TEXT));
  }
  const ids = types.map((type, i) => context.newColumn(`column${i + 1}`, type));
  return {
    plan: {
      kind: 'values',
      rows: rows.map((_, r) => columns.map((column) => column[r] as Expression)),
      columns: ids,
    },
    fields: ids.map((column, i) => ({
      name: `column${i + 1}`,
      column,
      type: types[i] as TypeRef,
      tableOid: 0,
      columnNumber: 0,
    })),
  };
}
