/**
 * One SELECT with the ORDER BY, LIMIT and locking of the query around it. The clauses become nodes in the order in which
 * SQL evaluates them:
 *
 *   FROM -> WHERE -> GROUP BY -> HAVING -> window functions -> set-returning functions -> select list -> DISTINCT
 *        -> ORDER BY -> row locks -> LIMIT
 */
import { bindWindow } from '../../expr/bind-windows.js';
import { compositeFields, spreadComposite } from '../../expr/bind-special.js';
import { sortKey } from '../../expr/bind-sort.js';
import type { Binder, BindQueryOptions, BoundField, BoundQuery } from '../../expr/binder.js';
import { coerceToBoolean, isUnknown, resolveUnknown } from '../../expr/coercion.js';
import { requireEquality } from '../../expr/equality.js';
import { columnReference, type Expression, type SortKey } from '../../expr/expression.js';
import { findColumn, findRangeItem, missingRangeItem, rowVariable } from '../../expr/bind-names.js';
import { Scope } from '../../expr/scope.js';
import { equalExpressions } from '../../expr/walk.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode, SetCall } from '../logical/logical.js';
import { columnsOf } from '../logical/walk.js';
import { bindFromList } from './bind-from.js';
import { bindGroupBy, Grouping } from './bind-group.js';
import { SelectLocks } from './bind-locking.js';
import { outputName } from './output-names.js';
import { startOf } from './positions.js';
import { Projection, windowNodes } from './projection.js';
import { limit, narrow, sortedRows } from './row-order.js';

/** A select item after stars are spread. */
interface BoundItem {
  readonly name: string;
  expression: Expression;
  readonly position: number;
}

/** Binds a SELECT body; `query` holds what follows it. `parent` is the scope with its WITH queries. */
export function bindSelect(
  binder: Binder,
  select: Ast.Select,
  query: Ast.Query | undefined,
  parent: Scope | undefined,
  options: BindQueryOptions,
): BoundQuery {
  const { context } = binder;
  if (select.into !== undefined) {
    throw context.error('42601', 'SELECT ... INTO is not allowed here', select.into.position);
  }
  const scope = new Scope(context, parent);
  scope.clause = 'FROM';
  const locks = SelectLocks.of(binder, select, query, scope, options);
  scope.locks = locks;
  let plan = bindFromList(binder, select.from, scope);
  if (select.where !== undefined) {
    scope.clause = 'WHERE';
    const condition = coerceToBoolean(context, binder.bind(select.where, scope), 'WHERE', select.where.position);
    plan = { kind: 'filter', input: plan, conditions: [condition], columns: plan.columns };
  }
  scope.clause = 'WINDOW';
  for (const definition of select.windows) {
    if (scope.windows.has(definition.name.text)) {
      throw context.error('42P20', `window "${definition.name.text}" is already defined`, definition.name.position);
    }
    scope.windows.set(definition.name.text, bindWindow(binder, definition.window, scope));
  }
  scope.clause = 'SELECT';
  const items = bindItems(binder, select.items, scope, options);
  context.witness?.selected(
    select,
    scope,
    items.map(({ name, expression }) => ({ name, expression })),
  );
  scope.clause = 'HAVING';
  let having =
    select.having === undefined
      ? undefined
      : coerceToBoolean(context, binder.bind(select.having, scope), 'HAVING', select.having.position);
  scope.clause = 'ORDER BY';
  let order = (query?.orderBy ?? []).map((item) => bindOrderItem(binder, item, items, scope));
  scope.clause = 'DISTINCT ON';
  let distinctOn = (select.distinct?.on ?? []).map((node) => bindOutputOr(binder, node, items, scope, 'DISTINCT ON'));
  scope.clause = 'GROUP BY';
  const grouped =
    select.groupBy !== undefined || having !== undefined || scope.aggregates.length > 0 || scope.groupings.length > 0;
  if (grouped) {
    const keys =
      select.groupBy === undefined
        ? { keys: [], sets: undefined }
        : bindGroupBy(binder, select.groupBy, new Set(items.map((item) => item.expression)), (node) =>
            bindGroupItem(binder, node, items, scope),
          );
    // Set-returning functions among the keys run before the rows are grouped.
    const keyColumns = new Set(keys.keys.flatMap((key) => [...columnsOf(key.expression)]));
    const below = scope.setCalls.filter((call) => call.columns.some((column) => keyColumns.has(column)));
    plan = projectSets(plan, below);
    scope.setCalls = scope.setCalls.filter((call) => !below.includes(call));
    const grouping = new Grouping(binder, scope, keys, plan);
    const rewrite = (expression: Expression): Expression => grouping.rewrite(expression);
    const rewriteKey = (key: SortKey): SortKey => ({ ...key, expression: rewrite(key.expression) });
    for (const item of items) item.expression = rewrite(item.expression);
    having = having === undefined ? undefined : rewrite(having);
    order = order.map(rewriteKey);
    distinctOn = distinctOn.map(rewrite);
    scope.windowCalls = scope.windowCalls.map((pending) => ({
      call: {
        ...pending.call,
        arguments: pending.call.arguments.map(rewrite),
        filter: pending.call.filter === undefined ? undefined : rewrite(pending.call.filter),
        frame: {
          ...pending.call.frame,
          startLimit: mapLimit(pending.call.frame.startLimit, rewrite),
          endLimit: mapLimit(pending.call.frame.endLimit, rewrite),
        },
      },
      partition: pending.partition.map(rewrite),
      order: pending.order.map(rewriteKey),
    }));
    scope.setCalls = scope.setCalls.map((call) => ({ ...call, arguments: call.arguments.map(rewrite) }));
    scope.aggregates = scope.aggregates.map((call) => ({
      ...call,
      directArguments: call.directArguments.map(rewrite),
    }));
    plan = grouping.node(plan);
    if (having !== undefined) {
      plan = { kind: 'filter', input: plan, conditions: [having], columns: plan.columns };
    }
  }
  plan = windowNodes(plan, scope.windowCalls);
  locks?.check(select, scope, grouped);
  const pieces = { plan, items, order, distinctOn, scope, locks };
  return setsCanWait(select, pieces)
    ? finishWithSets(binder, select, query, parent, pieces)
    : finish(binder, select, query, parent, { ...pieces, plan: projectSets(plan, scope.setCalls) });
}

/**
 * True when set-returning functions run behind ORDER BY, as in PostgreSQL: none is asked for by it or by DISTINCT ON. So
 * fewer rows are sorted, and DISTINCT ON chooses among the rows that there are before them.
 */
function setsCanWait(select: Ast.Select, { order, distinctOn, scope }: Pieces): boolean {
  if (scope.setCalls.length === 0 || order.length === 0) return false;
  if (select.distinct !== undefined && distinctOn.length === 0) return false;
  const sets = new Set(scope.setCalls.flatMap((call) => call.columns));
  return [...order.map((key) => key.expression), ...distinctOn].every((expression) => {
    for (const column of columnsOf(expression)) if (sets.has(column)) return false;
    return true;
  });
}

/** The select list over what is sorted already, for a query whose set-returning functions wait for that. */
function finishWithSets(
  binder: Binder,
  select: Ast.Select,
  query: Ast.Query | undefined,
  parent: Scope | undefined,
  pieces: Pieces,
): BoundQuery {
  const { items, scope } = pieces;
  const below = new Projection(binder.context, pieces.plan);
  for (const column of pieces.plan.columns) below.keep(column);
  const order = pieces.order.map((key): SortKey => ({
    ...key,
    expression: columnReference(below.extra(key.expression), key.expression.type),
  }));
  const on = pieces.distinctOn.map((expression) => columnReference(below.extra(expression), expression.type));
  const sorted = sortedRows(binder, select, below.node(), order, on);
  const projection = new Projection(binder.context, projectSets(sorted, scope.setCalls));
  const fields = outputFields(binder, projection, items);
  const plan = projection.node();
  return { plan: query === undefined ? plan : limit(binder, plan, query, order, parent), fields };
}

function mapLimit<T extends { readonly value: Expression; readonly limit: Expression } | undefined>(
  limit: T,
  f: (expression: Expression) => Expression,
): T {
  return limit === undefined ? limit : ({ value: f(limit.value), limit: f(limit.limit) } as T);
}

/** Set-returning calls in layers: one that uses another's result runs above it. */
function projectSets(input: LogicalNode, calls: readonly SetCall[]): LogicalNode {
  let plan = input;
  let rest = calls;
  while (rest.length > 0) {
    const pending = new Set(rest.flatMap((call) => call.columns));
    const ready = rest.filter((call) =>
      call.arguments.every((argument) => {
        for (const column of columnsOf(argument)) if (pending.has(column)) return false;
        return true;
      }),
    );
    plan = {
      kind: 'project-set',
      input: plan,
      calls: ready,
      columns: [...plan.columns, ...ready.flatMap((call) => call.columns)],
    };
    rest = rest.filter((call) => !ready.includes(call));
  }
  return plan;
}

interface Pieces {
  readonly plan: LogicalNode;
  readonly items: readonly BoundItem[];
  readonly order: readonly SortKey[];
  readonly distinctOn: readonly Expression[];
  readonly scope: Scope;
  readonly locks: SelectLocks | undefined;
}

/** The select list and what comes after it. */
function finish(
  binder: Binder,
  select: Ast.Select,
  query: Ast.Query | undefined,
  parent: Scope | undefined,
  pieces: Pieces,
): BoundQuery {
  const { context } = binder;
  const { items, distinctOn, locks } = pieces;
  const projection = new Projection(context, pieces.plan);
  const fields = outputFields(binder, projection, items);
  const distinct = select.distinct !== undefined;
  const outputs = new Set(fields.map((field) => field.column));
  const order = pieces.order.map((key, i): SortKey => {
    const column = projection.extra(key.expression);
    if (distinct && distinctOn.length === 0 && !outputs.has(column)) {
      throw context.error(
        '42P10',
        'for SELECT DISTINCT, ORDER BY expressions must appear in select list',
        query?.orderBy[i]?.value.position,
      );
    }
    return { ...key, expression: columnReference(column, key.expression.type) };
  });
  const on = distinctOn.map((expression) => columnReference(projection.extra(expression), expression.type));
  for (const lock of locks?.targets ?? []) projection.keep(lock.rowReference);
  let plan: LogicalNode = projection.node();
  on.forEach(({ type }, i) => requireEquality(context, type, select.distinct?.on[i]?.position));
  if (distinct && on.length === 0) {
    fields.forEach(({ type }, i) => requireEquality(context, type, items[i]?.position));
    plan = { kind: 'distinct', input: plan, on: undefined, columns: plan.columns };
  }
  plan = sortedRows(binder, select, plan, order, on);
  plan = locks?.apply(plan, query) ?? plan;
  if (query !== undefined) plan = limit(binder, plan, query, order, parent);
  const locked = locks?.passed ?? [];
  const shown = [...fields.map((field) => field.column), ...locked.map((lock) => lock.rowReference)];
  return { plan: narrow(plan, shown), fields, locked };
}

/** The columns of the select list. */
function outputFields(binder: Binder, projection: Projection, items: readonly BoundItem[]): BoundField[] {
  return items.map((item) => {
    const column = projection.output(item.name, item.expression);
    const info = binder.context.pool.get(column);
    return {
      name: item.name,
      column,
      type: item.expression.type,
      tableOid: info.tableOid,
      columnNumber: info.columnNumber,
      position: item.position,
    };
  });
}

function bindItems(
  binder: Binder,
  nodes: readonly Ast.SelectItem[],
  scope: Scope,
  options: BindQueryOptions,
): BoundItem[] {
  const { context } = binder;
  const items: BoundItem[] = [];
  for (const node of nodes) {
    const { value } = node;
    const several = spread(binder, value, scope);
    if (several !== undefined) {
      items.push(...(value.kind === 'star' ? renameFields(binder, several, node) : several));
      continue;
    }
    const bound = binder.bind(value, scope);
    const expression = options.keepUnknown === true ? bound : resolveUnknown(context, bound, value.position);
    items.push({ name: outputName(node), expression, position: startOf(value) });
  }
  return items;
}

/** ISO's `t.* AS (a, b)`: as many names as there are columns. */
function renameFields(binder: Binder, items: BoundItem[], node: Ast.SelectItem): BoundItem[] {
  const names = node.columnAliases;
  if (names.length === 0) return items;
  if (names.length !== items.length) {
    const message = `${items.length} columns are selected, but ${names.length} names are given`;
    throw binder.context.error('42601', message, node.position);
  }
  return items.map((item, i) => ({ ...item, name: (names[i] as Ast.SelectItem['columnAliases'][number]).text }));
}

/** What an item that stands for several columns comes to (`*`, `t.*`, `(composite).*`); undefined for any other. */
export function spread(binder: Binder, value: Ast.Expression, scope: Scope): BoundItem[] | undefined {
  if (value.kind === 'star') return expandStar(binder, value, scope);
  if (value.kind !== 'field' || value.field !== undefined) return undefined;
  const { base, position } = value;
  return spreadComposite(binder, base, position, scope).map((item) => ({ ...item, position }));
}

/** `*` and `t.*`. */
export function expandStar(binder: Binder, star: Ast.Expression & { kind: 'star' }, scope: Scope): BoundItem[] {
  const { context } = binder;
  const parts = star.qualifier.map((part) => part.text);
  const fromItem = (item: (typeof scope.items)[number]): BoundItem[] =>
    item.columns.map((column, i) => {
      item.onUse?.(i);
      const expression = { ...column.expression };
      scope.positions.set(expression, star.position);
      return { name: column.name, expression, position: star.position };
    });
  if (parts.length === 0) {
    if (scope.items.length === 0) {
      throw context.error('42601', 'SELECT * with no tables specified is not valid', star.position);
    }
    return scope.items.filter((item) => item.columnsVisible).flatMap(fromItem);
  }
  const name = parts[parts.length - 1] as string;
  const item = findRangeItem(scope, parts.length > 1 ? parts[parts.length - 2] : undefined, name, star.position);
  if (item !== undefined) return fromItem(item);
  const column = parts.length === 1 ? findColumn(scope, name, star.position) : undefined;
  const operand = column?.expression ?? rowVariable(scope, star.qualifier);
  const fields = operand === undefined ? undefined : compositeFields(binder, operand);
  if (operand === undefined || fields === undefined) throw missingRangeItem(scope, name, star.position);
  return fields.map((field, i) => ({
    name: field.name,
    expression: { kind: 'field', operand, field: i, type: field.type },
    position: star.position,
  }));
}

/** An integer literal as a position in the select list. */
function ordinal(
  binder: Binder,
  node: Ast.Expression,
  items: readonly BoundItem[],
  clause: string,
): BoundItem | undefined {
  if (node.kind !== 'number' || !node.integer) {
    if (node.kind === 'string' || node.kind === 'null' || node.kind === 'number' || node.kind === 'boolean') {
      throw binder.context.error('42601', `non-integer constant in ${clause}`, node.position);
    }
    return undefined;
  }
  const item = items[Number(node.text) - 1];
  if (item === undefined) {
    throw binder.context.error('42P10', `${clause} position ${node.text} is not in select list`, node.position);
  }
  return item;
}

/** An output column by its name; 42702 when different columns share it. */
function outputNamed(
  binder: Binder,
  name: string,
  items: readonly BoundItem[],
  clause: string,
  position: number,
): BoundItem | undefined {
  let found: BoundItem | undefined;
  for (const item of items) {
    if (item.name !== name) continue;
    if (found !== undefined && !equalExpressions(found.expression, item.expression)) {
      throw binder.context.error('42702', `${clause} "${name}" is ambiguous`, position);
    }
    found ??= item;
  }
  return found;
}

/** ORDER BY and DISTINCT ON: output names before input columns. */
function bindOutputOr(
  binder: Binder,
  node: Ast.Expression,
  items: readonly BoundItem[],
  scope: Scope,
  clause: string,
): Expression {
  const byOrdinal = ordinal(binder, node, items, clause);
  if (byOrdinal !== undefined) return byOrdinal.expression;
  if (node.kind === 'column' && node.names.length === 1) {
    const name = node.names[0]?.text ?? '';
    const output = outputNamed(binder, name, items, clause, node.position);
    if (output !== undefined) return output.expression;
  }
  const bound = binder.bind(node, scope);
  const same = items.find((item) => equalExpressions(item.expression, bound));
  if (same !== undefined) return same.expression;
  return isUnknown(bound) ? resolveUnknown(binder.context, bound, node.position) : bound;
}

function bindOrderItem(binder: Binder, item: Ast.SortItem, items: readonly BoundItem[], scope: Scope): SortKey {
  return sortKey(binder, item, bindOutputOr(binder, item.value, items, scope, 'ORDER BY'));
}

/** GROUP BY: input columns before output names. */
function bindGroupItem(binder: Binder, node: Ast.Expression, items: readonly BoundItem[], scope: Scope): Expression {
  const byOrdinal = ordinal(binder, node, items, 'GROUP BY');
  const refuse = (expression: Expression): Expression => {
    const used = columnsOf(expression);
    if (scope.aggregates.some((call) => used.has(call.column))) {
      throw binder.context.error('42803', 'aggregate functions are not allowed in GROUP BY', node.position);
    }
    if (scope.windowCalls.some((pending) => used.has(pending.call.column))) {
      throw binder.context.error('42P20', 'window functions are not allowed in GROUP BY', node.position);
    }
    return expression;
  };
  if (byOrdinal !== undefined) return refuse(byOrdinal.expression);
  if (node.kind === 'column' && node.names.length === 1) {
    const name = node.names[0]?.text ?? '';
    const own = scope.items.some((item) => item.columnsVisible && item.columns.some((c) => c.name === name));
    if (!own) {
      const output = outputNamed(binder, name, items, 'GROUP BY', node.position);
      if (output !== undefined) return refuse(output.expression);
    }
  }
  const bound = binder.bind(node, scope);
  return refuse(items.find((item) => equalExpressions(item.expression, bound))?.expression ?? bound);
}
