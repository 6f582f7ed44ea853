/** Walking and rebuilding logical plans, and expressions together with the subplans inside them. */
import { unreachable } from '@phantom/base';
import type { ColumnId, Expression, SortKey, Subquery } from '../../expr/expression.js';
import { forEachChild, mapChildren } from '../../expr/walk.js';
import type { AggregateCall, LogicalNode, RangeLimit, RowCheck, SetCall, WindowCall } from './logical.js';

/** The plan of a subquery with its whole type. */
export function subplanOf(subquery: Subquery): LogicalNode {
  return subquery.plan as LogicalNode;
}

type ExpressionMapper = (expression: Expression) => Expression;

/** The nodes directly below, left to right; plans inside expressions excluded. */
export function inputsOf(node: LogicalNode): readonly LogicalNode[] {
  switch (node.kind) {
    case 'scan':
    case 'virtual-scan':
    case 'values':
    case 'function-scan':
    case 'cte-scan':
      return [];
    case 'join':
      return [node.left, node.right];
    case 'set-operation':
      return node.inputs;
    case 'with': {
      const inputs: LogicalNode[] = [];
      for (const table of node.tables) {
        inputs.push(table.plan);
        if (table.recursive !== undefined) inputs.push(table.recursive.step);
      }
      inputs.push(node.input);
      return inputs;
    }
    case 'filter':
    case 'project':
    case 'project-set':
    case 'aggregate':
    case 'window':
    case 'sort':
    case 'limit':
    case 'distinct':
    case 'lock-rows':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return [node.input];
    default:
      return unreachable(node);
  }
}

/** The node with `f` applied to each input; the same object when nothing changed. */
export function mapInputs(node: LogicalNode, f: (input: LogicalNode) => LogicalNode): LogicalNode {
  switch (node.kind) {
    case 'scan':
    case 'virtual-scan':
    case 'values':
    case 'function-scan':
    case 'cte-scan':
      return node;
    case 'join': {
      const left = f(node.left);
      const right = f(node.right);
      return left === node.left && right === node.right ? node : { ...node, left, right };
    }
    case 'set-operation': {
      const inputs = node.inputs.map(f);
      return inputs.every((input, i) => input === node.inputs[i]) ? node : { ...node, inputs };
    }
    case 'with': {
      const tables = node.tables.map((table) => {
        const plan = f(table.plan);
        const step = table.recursive === undefined ? undefined : f(table.recursive.step);
        if (plan === table.plan && step === table.recursive?.step) return table;
        if (table.recursive === undefined || step === undefined) return { ...table, plan };
        return { ...table, plan, recursive: { ...table.recursive, step } };
      });
      const input = f(node.input);
      if (input === node.input && tables.every((table, i) => table === node.tables[i])) return node;
      return { ...node, tables, input };
    }
    default: {
      const input = f(node.input);
      return input === node.input ? node : { ...node, input };
    }
  }
}

function mapKeys(keys: readonly SortKey[], f: ExpressionMapper): readonly SortKey[] {
  return keys.map((key) => ({ ...key, expression: f(key.expression) }));
}

function mapSetCall(call: SetCall, f: ExpressionMapper): SetCall {
  return { ...call, arguments: call.arguments.map(f) };
}

function mapAggregateCall(call: AggregateCall, f: ExpressionMapper): AggregateCall {
  return {
    ...call,
    arguments: call.arguments.map(f),
    directArguments: call.directArguments.map(f),
    orderBy: mapKeys(call.orderBy, f),
    filter: call.filter === undefined ? undefined : f(call.filter),
  };
}

function mapLimit(limit: RangeLimit | undefined, f: ExpressionMapper): RangeLimit | undefined {
  return limit === undefined ? undefined : { value: f(limit.value), limit: f(limit.limit) };
}

function mapWindowCall(call: WindowCall, f: ExpressionMapper): WindowCall {
  const optional = (expression: Expression | undefined): Expression | undefined =>
    expression === undefined ? undefined : f(expression);
  return {
    ...call,
    arguments: call.arguments.map(f),
    filter: optional(call.filter),
    frame: {
      ...call.frame,
      start: { ...call.frame.start, offset: optional(call.frame.start.offset) },
      end: { ...call.frame.end, offset: optional(call.frame.end.offset) },
      startLimit: mapLimit(call.frame.startLimit, f),
      endLimit: mapLimit(call.frame.endLimit, f),
    },
  };
}

/** The node with `f` applied to each of its own expressions (not those of its inputs); the same node when none changes. */
export function mapNodeExpressions(node: LogicalNode, f: ExpressionMapper): LogicalNode {
  let changed = false;
  const mapped = withExpressions(node, (expression) => {
    const replaced = f(expression);
    if (replaced !== expression) changed = true;
    return replaced;
  });
  return changed ? mapped : node;
}

function withExpressions(node: LogicalNode, f: ExpressionMapper): LogicalNode {
  const optional = (expression: Expression | undefined): Expression | undefined =>
    expression === undefined ? undefined : f(expression);
  switch (node.kind) {
    case 'virtual-scan':
    case 'cte-scan':
    case 'with':
    case 'set-operation':
    case 'lock-rows':
    case 'delete':
      return node;
    case 'scan':
      return node.filter.length === 0 ? node : { ...node, filter: node.filter.map(f) };
    case 'values':
      return { ...node, rows: node.rows.map((row) => row.map(f)) };
    case 'function-scan': {
      const calls = node.calls.map((call) =>
        'function' in call ? mapSetCall(call, f) : { ...call, expression: f(call.expression) },
      );
      return { ...node, calls };
    }
    case 'filter':
    case 'join':
      return { ...node, conditions: node.conditions.map(f) };
    case 'project':
      return { ...node, items: node.items.map((item) => ({ ...item, expression: f(item.expression) })) };
    case 'project-set':
      return { ...node, calls: node.calls.map((call) => mapSetCall(call, f)) };
    case 'aggregate':
      return {
        ...node,
        keys: node.keys.map((key) => ({ ...key, expression: f(key.expression) })),
        calls: node.calls.map((call) => mapAggregateCall(call, f)),
      };
    case 'window':
      return {
        ...node,
        partition: node.partition.map(f),
        order: mapKeys(node.order, f),
        calls: node.calls.map((call) => mapWindowCall(call, f)),
      };
    case 'sort':
      return { ...node, keys: mapKeys(node.keys, f) };
    case 'limit':
      return {
        ...node,
        count: optional(node.count),
        offset: optional(node.offset),
        ties: node.ties === undefined ? undefined : mapKeys(node.ties, f),
      };
    case 'distinct':
      return node.on === undefined ? node : { ...node, on: node.on.map(f) };
    case 'insert':
      return {
        ...node,
        values: node.values.map(f),
        checks: mapChecks(node.checks, f),
        conflict:
          node.conflict === undefined
            ? undefined
            : {
                ...node.conflict,
                condition: optional(node.conflict.condition),
                values: node.conflict.values.map(f),
                existingChecks: mapChecks(node.conflict.existingChecks, f),
                checks: mapChecks(node.conflict.checks, f),
                rows: node.conflict.rows.map((row) => ({ ...row, expression: f(row.expression) })),
              },
      };
    case 'update':
      return {
        ...node,
        values: node.values.map(f),
        checks: mapChecks(node.checks, f),
      };
    case 'merge':
      return {
        ...node,
        actions: node.actions.map((action) => ({
          ...action,
          condition: optional(action.condition),
          values: action.values.map(f),
          oldChecks: mapChecks(action.oldChecks, f),
          checks: mapChecks(action.checks, f),
        })),
      };
    default:
      return unreachable(node);
  }
}

function mapChecks(checks: readonly RowCheck[], f: (expression: Expression) => Expression): RowCheck[] {
  return checks.map((check) => ({ ...check, condition: f(check.condition) }));
}

/** Calls `f` on each expression of the node itself. */
export function forEachNodeExpression(node: LogicalNode, f: (expression: Expression) => void): void {
  mapNodeExpressions(node, (expression) => {
    f(expression);
    return expression;
  });
}

/** Applies `f` to every expression of a plan, subplans of expressions included (by mapDeep inside `f`'s caller). */
export function mapPlanExpressions(node: LogicalNode, f: ExpressionMapper): LogicalNode {
  return mapNodeExpressions(
    mapInputs(node, (input) => mapPlanExpressions(input, f)),
    f,
  );
}

/**
 * Rebuilds an expression from the top: `f` may replace a node (its parts are then not visited) or answer undefined. Goes
 * into subplans.
 */
export function rewriteDeep(expression: Expression, f: (part: Expression) => Expression | undefined): Expression {
  const replaced = f(expression);
  if (replaced !== undefined) return replaced;
  const rewritten = mapChildren(expression, (child) => rewriteDeep(child, f));
  if (rewritten.kind !== 'subquery') return rewritten;
  const plan = mapPlanExpressions(subplanOf(rewritten), (inner) => rewriteDeep(inner, f));
  return plan === rewritten.plan ? rewritten : { ...rewritten, plan };
}

/** Replaces columns in an expression and its subplans; undefined keeps the reference. */
export function replaceColumnsDeep(
  expression: Expression,
  f: (column: ColumnId) => Expression | undefined,
): Expression {
  return rewriteDeep(expression, (part) => (part.kind === 'column' ? f(part.column) : undefined));
}

/** Adds the columns an expression reads to `into`; for subplans their free columns, and `let` columns not at all. */
export function collectColumns(expression: Expression, into: Set<ColumnId>): void {
  if (expression.kind === 'column') {
    into.add(expression.column);
    return;
  }
  if (expression.kind === 'let') {
    collectColumns(expression.value, into);
    const inside = new Set<ColumnId>();
    collectColumns(expression.body, inside);
    inside.delete(expression.column);
    for (const column of inside) into.add(column);
    return;
  }
  if (expression.kind === 'subquery') {
    const plan = subplanOf(expression);
    for (const column of freeColumns(plan)) into.add(column);
    if (expression.test !== undefined) {
      const inside = new Set<ColumnId>();
      collectColumns(expression.test, inside);
      for (const column of expression.columns) inside.delete(column);
      for (const column of inside) into.add(column);
    }
    return;
  }
  forEachChild(expression, (child) => collectColumns(child, into));
}

/** The columns an expression reads. */
export function columnsOf(expression: Expression): Set<ColumnId> {
  const columns = new Set<ColumnId>();
  collectColumns(expression, columns);
  return columns;
}

const freeColumnsCache = new WeakMap<LogicalNode, ReadonlySet<ColumnId>>();

/** Columns that a plan uses and no node of it makes: what makes a subquery correlated. */
export function freeColumns(node: LogicalNode): ReadonlySet<ColumnId> {
  const known = freeColumnsCache.get(node);
  if (known !== undefined) return known;
  const used = new Set<ColumnId>();
  const made = new Set<ColumnId>();
  collectPlan(node, used, made);
  for (const column of made) used.delete(column);
  freeColumnsCache.set(node, used);
  return used;
}

function collectPlan(node: LogicalNode, used: Set<ColumnId>, made: Set<ColumnId>): void {
  for (const input of inputsOf(node)) collectPlan(input, used, made);
  forEachNodeExpression(node, (expression) => collectColumns(expression, used));
  for (const column of node.columns) made.add(column);
  switch (node.kind) {
    case 'scan':
      for (const column of node.scanColumns) made.add(column.id);
      if (node.rowReference !== undefined) made.add(node.rowReference);
      break;
    case 'project':
      for (const item of node.items) made.add(item.column);
      break;
    case 'aggregate':
      for (const key of node.keys) made.add(key.column);
      for (const call of node.calls) made.add(call.column);
      for (const grouping of node.groupings) made.add(grouping.column);
      break;
    case 'window':
      for (const call of node.calls) made.add(call.column);
      break;
    case 'insert':
      for (const column of node.newRow) made.add(column);
      if (node.conflict !== undefined) {
        for (const column of node.conflict.existing) made.add(column);
        for (const column of node.conflict.stored) made.add(column);
        for (const row of node.conflict.rows) made.add(row.column);
      }
      break;
    case 'update':
      for (const column of node.newRow) made.add(column);
      for (const column of node.oldRow) made.add(column);
      break;
    case 'delete':
      for (const column of node.oldRow) made.add(column);
      break;
    case 'merge':
      for (const column of node.newRow) made.add(column);
      for (const column of node.oldRow) made.add(column);
      made.add(node.actionName);
      break;
    default:
      break;
  }
}
