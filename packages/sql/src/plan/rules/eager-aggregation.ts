/**
 * Eager aggregation: what a query sums over a join is summed before it, where few groups come of many rows (W. Yan and P. Larson,
 * "Performing Group-By before Join", 1994, and "Eager Aggregation and Lazy Aggregation", 1995).
 *
 *   select c.name, sum(s.amount), count(*) from sales s join c on s.c_id = c.id group by c.name
 *   select c.name, sum(g.sum), sum(g.count)
 *     from (select c_id, sum(amount), count(*) from sales group by c_id) g join c on g.c_id = c.id group by c.name
 *
 * All aggregates are over one part of a tree of inner joins. That part is grouped by each of its columns that the conditions and
 * the keys use, so that all rows of a group meet the same rows of the other parts, as often: sums add up, counts are summed, least and
 * greatest stay so. A null group joins nothing, as its rows would. Above, the same groups are made of fewer rows.
 *
 * 1. Grouped columns are of types whose equal values are the same in every respect.
 * 2. Answers are the same to the last digit: sums of floats depend on their order, so they are left alone, as DISTINCT is.
 * 3. What is aggregated cannot fail: it is computed of rows, too, that join nothing.
 *
 * It is done where it costs less, in plans without columns that nobody asks for. Left out: aggregates of several parts, whose sums would
 * be multiplied with the counts of the others; avg; parts that are joins themselves.
 */
import {
  columnReference,
  conjuncts,
  constant,
  type ColumnId,
  type ColumnReference,
  type Expression,
} from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import { hasIdentity } from '../../exec/compile/intrinsics.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Aggregate, AggregateCall, Join, LogicalNode } from '../logical/logical.js';
import { columnsOf, freeColumns, mapInputs } from '../logical/walk.js';
import { PhysicalPlanner } from '../physical/planner.js';
import { hasSubquery, isVolatile } from './facts.js';
import { projectionPruning } from './projection-pruning.js';
import type { Rule } from './rule.js';

/** Fewer rows are not worth the planning. */
const ROWS_MIN = 1000;
/** Rows of a part for each group of it, at least. */
const ROWS_A_GROUP_MIN = 4;

export const eagerAggregation: Rule = {
  name: 'eager aggregation',
  apply: (plan, context) => rewriteNode(plan, context),
};

function rewriteNode(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => rewriteNode(input, context));
  return inner.kind === 'aggregate' ? (aggregateEagerly(inner, context) ?? inner) : inner;
}

function aggregateEagerly(node: Aggregate, context: BindContext): LogicalNode | undefined {
  const { input, calls } = node;
  if (node.sets !== undefined || node.groupings.length > 0 || calls.length === 0) return undefined;
  if (!isInner(input) || !calls.every((call) => isDivisible(call, context))) return undefined;
  const parts: LogicalNode[] = [];
  const conditions: Expression[] = [];
  flatten(input, parts, conditions);
  if (conditions.some((condition) => hasSubquery(condition) || isVolatile(condition))) return undefined;
  if (node.keys.some(({ expression }) => hasSubquery(expression) || isVolatile(expression))) return undefined;
  const used = new Set<ColumnId>();
  for (const call of calls)
    for (const expression of asked(call)) for (const one of columnsOf(expression)) used.add(one);
  const planner = new PhysicalPlanner(context, { estimating: true });
  const { cardinality } = planner;
  const outside = new Set<ColumnId>();
  for (const expression of [...conditions, ...node.keys.map((key) => key.expression)]) {
    for (const column of columnsOf(expression)) outside.add(column);
  }
  for (const part of parts) {
    const own = new Set(part.columns);
    if ([...used].some((column) => !own.has(column)) || freeColumns(part).size > 0) continue;
    const columns = part.columns.filter((column) => outside.has(column));
    const rows = cardinality.rows(part);
    if (rows < ROWS_MIN || columns.length === 0 || !columns.every((column) => isGroupable(column, context))) continue;
    if (cardinality.distinctOfColumns(columns, rows) * ROWS_A_GROUP_MIN > rows) continue;
    const eager = divide(node, part, columns, context);
    const cost = (plan: LogicalNode): number => planner.plan(projectionPruning.apply(plan, context)).estimate.total;
    if (cost(eager) < cost(node)) return eager;
  }
  return undefined;
}

/** The aggregation above the join, and one of the part below it. */
function divide(node: Aggregate, part: LogicalNode, columns: readonly ColumnId[], context: BindContext): LogicalNode {
  const below: AggregateCall[] = [];
  const above: AggregateCall[] = [];
  const items: { column: ColumnId; expression: Expression }[] = [];
  for (const call of node.calls) {
    const column = context.newColumn(call.function.name, call.type);
    below.push({ ...call, column });
    const partial = columnReference(column, call.type);
    // Without groups above there may be no row at all, and a sum of no counts is null.
    const isTotal = call.function.name === 'count' && node.keys.length === 0;
    const total = isTotal ? context.newColumn(call.function.name, call.type) : call.column;
    above.push(combined(call, partial, total, context));
    if (!isTotal) continue;
    const operands = [columnReference(total, call.type), constant(0, call.type)];
    items.push({ column: call.column, expression: { kind: 'coalesce', operands, type: call.type } });
  }
  const grouped: Aggregate = {
    kind: 'aggregate',
    input: part,
    keys: columns.map((column) => ({ column, expression: columnReference(column, context.pool.get(column).type) })),
    sets: undefined,
    calls: below,
    groupings: [],
    columns: [...columns, ...below.map((call) => call.column)],
  };
  const aggregate: Aggregate = {
    ...node,
    input: exchange(node.input, part, grouped),
    calls: above,
    columns: [...node.keys.map((key) => key.column), ...above.map((call) => call.column)],
  };
  return items.length === 0
    ? { ...aggregate, columns: node.columns }
    : { kind: 'project', input: aggregate, items, columns: node.columns };
}

/** The call that makes the whole of the parts. */
function combined(
  call: AggregateCall,
  partial: ColumnReference,
  column: ColumnId,
  context: BindContext,
): AggregateCall {
  const plain = { ...call, column, arguments: [partial], argumentTypes: [partial.type], filter: undefined };
  const { name } = call.function;
  if (name !== 'count' && name !== 'sum') return plain;
  // bigint parts are summed as those of integer are: to a bigint again.
  const sum = aggregateFor(context, 'sum', call.type.oid === TypeOid.int8 ? TypeOid.int4 : TypeOid.numeric);
  return sum === undefined ? plain : { ...plain, function: sum };
}

/** A built-in aggregate; undefined when there is none. */
function aggregateFor(context: BindContext, name: string, ...types: number[]): AggregateCall['function'] | undefined {
  const resolved = context.catalog.functions.resolveFunction(name, types);
  if (typeof resolved === 'string') return undefined;
  const { definition } = resolved;
  return definition.kind === 'aggregate' && definition.routine === undefined ? definition : undefined;
}

const SUMMED: ReadonlySet<number> = new Set([TypeOid.int2, TypeOid.int4, TypeOid.int8, TypeOid.numeric]);

/** The call over all rows follows from calls over parts of them, exactly, and cannot fail. */
function isDivisible(call: AggregateCall, context: BindContext): boolean {
  const { name, routine } = call.function;
  if (routine !== undefined || call.distinct || call.orderBy.length > 0 || call.directArguments.length > 0)
    return false;
  if (!asked(call).every(isTotal)) return false;
  const [argument] = call.arguments;
  switch (name) {
    case 'count':
      return aggregateFor(context, 'sum', TypeOid.int4) !== undefined;
    case 'sum':
      return (
        argument !== undefined &&
        SUMMED.has(argument.type.oid) &&
        aggregateFor(context, 'sum', argument.type.oid) === call.function
      );
    case 'min':
    case 'max':
      return argument !== undefined && hasIdentity(argument.type.oid) && argument.type.collation === undefined;
    default:
      return false;
  }
}

/** What is asked of each row. */
function asked(call: AggregateCall): readonly Expression[] {
  return call.filter === undefined ? call.arguments : [...call.arguments, call.filter];
}

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*']);

/** It has a value for every row: columns, comparisons, and sums and products of numerics. */
function isTotal(expression: Expression): boolean {
  switch (expression.kind) {
    case 'column':
    case 'constant':
      return true;
    case 'null-test':
      return isTotal(expression.operand);
    case 'logical':
      return expression.operands.every(isTotal);
    case 'call': {
      const { operator } = expression;
      if (operator === undefined || isVolatile(expression)) return false;
      const isSafe =
        operator.role !== undefined || (ARITHMETIC.has(operator.name) && expression.type.oid === TypeOid.numeric);
      return isSafe && expression.arguments.every(isTotal);
    }
    default:
      return false;
  }
}

function isGroupable(column: ColumnId, context: BindContext): boolean {
  const { type } = context.pool.get(column);
  return hasIdentity(type.oid) && type.collation === undefined;
}

function isInner(node: LogicalNode): node is Join {
  return node.kind === 'join' && node.join === 'inner' && !node.lateral && !node.nullAware;
}

/** The operands of a tree of inner joins, and all its conditions. */
function flatten(node: LogicalNode, parts: LogicalNode[], conditions: Expression[]): void {
  if (!isInner(node)) {
    parts.push(node);
    return;
  }
  flatten(node.left, parts, conditions);
  flatten(node.right, parts, conditions);
  conditions.push(...node.conditions.flatMap(conjuncts));
}

/** The tree of joins with another node in the place of a part. */
function exchange(node: LogicalNode, part: LogicalNode, other: LogicalNode): LogicalNode {
  if (node === part) return other;
  if (!isInner(node)) return node;
  const left = exchange(node.left, part, other);
  const right = exchange(node.right, part, other);
  return left === node.left && right === node.right
    ? node
    : { ...node, left, right, columns: [...left.columns, ...right.columns] };
}
