/**
 * Predicate pushdown: each conjunct of WHERE, HAVING and ON goes as far down as it keeps its meaning: through projections
 * (with their expressions put in), to the side of a join that has its columns, below grouping when it speaks of keys only,
 * into the branches of a union, and at last into the scan.
 *
 * Conditions of row-level security are a barrier: see pushBarrier.
 *
 * Outer joins: a condition on the row-preserving side may pass, one on the other side may not; of an ON condition just the
 * other way round.
 */
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import { conjuncts } from '../../expr/expression.js';
import type { Aggregate, Filter, Join, LogicalNode, Project, SetOperation } from '../logical/logical.js';
import { columnsOf, mapInputs, replaceColumnsDeep } from '../logical/walk.js';
import { hasSubquery, isFreeOf, isVolatile, isWithin } from './facts.js';
import type { Rule } from './rule.js';

export const predicatePushdown: Rule = {
  name: 'predicate pushdown',
  apply: (plan, context) => push(plan, [], context),
};

function filterOver(input: LogicalNode, conditions: readonly Expression[]): LogicalNode {
  if (conditions.length === 0) return input;
  const filter: Filter = { kind: 'filter', input, conditions, columns: input.columns };
  return filter;
}

/** Two lists: those that pass the test, and the rest. */
function partition(
  conditions: readonly Expression[],
  test: (condition: Expression) => boolean,
): [Expression[], Expression[]] {
  const yes: Expression[] = [];
  const no: Expression[] = [];
  for (const condition of conditions) (test(condition) ? yes : no).push(condition);
  return [yes, no];
}

function push(node: LogicalNode, conditions: readonly Expression[], context: BindContext): LogicalNode {
  switch (node.kind) {
    case 'filter':
      if (node.isBarrier === true) return pushBarrier(node, conditions, context);
      return push(node.input, [...node.conditions.flatMap(conjuncts), ...conditions], context);
    case 'scan':
      return conditions.length === 0 ? node : { ...node, filter: [...node.filter, ...conditions] };
    case 'project':
      return pushProject(node, conditions, context);
    case 'join':
      return pushJoin(node, conditions, context);
    case 'aggregate':
      return pushAggregate(node, conditions, context);
    case 'window': {
      const keys = new Set<ColumnId>();
      for (const expression of node.partition) if (expression.kind === 'column') keys.add(expression.column);
      const [down, up] = partition(
        conditions,
        (c) => !isVolatile(c) && keys.size > 0 && columnsOf(c).size > 0 && isWithin(c, keys),
      );
      return filterOver({ ...node, input: push(node.input, down, context) }, up);
    }
    case 'sort':
      return { ...node, input: push(node.input, conditions, context) };
    case 'distinct': {
      if (node.on !== undefined) return filterOver({ ...node, input: push(node.input, [], context) }, conditions);
      const [down, up] = partition(conditions, (c) => !isVolatile(c));
      return filterOver({ ...node, input: push(node.input, down, context) }, up);
    }
    case 'project-set': {
      const made = new Set(node.calls.flatMap((call) => call.columns));
      const [down, up] = partition(conditions, (c) => !isVolatile(c) && isFreeOf(c, made));
      return filterOver({ ...node, input: push(node.input, down, context) }, up);
    }
    case 'set-operation':
      return pushSetOperation(node, conditions, context);
    case 'with': {
      const tables = node.tables.map((table) => {
        const plan = push(table.plan, [], context);
        if (table.recursive === undefined) return { ...table, plan };
        return { ...table, plan, recursive: { ...table.recursive, step: push(table.recursive.step, [], context) } };
      });
      return { ...node, tables, input: push(node.input, conditions, context) };
    }
    default:
      return filterOver(
        mapInputs(node, (input) => push(input, [], context)),
        conditions,
      );
  }
}

/**
 * Policies come first: those without a subquery go into the scan, where conditions are tested in order, and the query's own
 * may follow them. A subquery stays where it is, and everything else above it.
 */
function pushBarrier(node: Filter, conditions: readonly Expression[], context: BindContext): LogicalNode {
  const [stay, down] = partition(node.conditions.flatMap(conjuncts), hasSubquery);
  if (stay.length === 0) return push(node.input, [...down, ...conditions], context);
  return filterOver({ ...node, input: push(node.input, down, context), conditions: stay }, conditions);
}

function pushProject(node: Project, conditions: readonly Expression[], context: BindContext): LogicalNode {
  const items = new Map(node.items.map((item) => [item.column, item.expression] as const));
  const movable = (condition: Expression): boolean => {
    if (isVolatile(condition)) return false;
    for (const column of columnsOf(condition)) {
      const expression = items.get(column);
      if (expression !== undefined && (isVolatile(expression) || hasSubquery(expression))) return false;
    }
    return true;
  };
  const [down, up] = partition(conditions, movable);
  const replaced = down.map((condition) => replaceColumnsDeep(condition, (column) => items.get(column)));
  return filterOver({ ...node, input: push(node.input, replaced, context) }, up);
}

function pushJoin(node: Join, conditions: readonly Expression[], context: BindContext): LogicalNode {
  const leftColumns = new Set(node.left.columns);
  const rightColumns = new Set(node.right.columns);
  const onLeft: Expression[] = [];
  const onRight: Expression[] = [];
  const stay: Expression[] = [];
  const above: Expression[] = [];
  const place = (condition: Expression, fromWhere: boolean): void => {
    const usesLeft = !isFreeOf(condition, leftColumns);
    const usesRight = !isFreeOf(condition, rightColumns);
    const leftOnly = !usesRight;
    const rightOnly = usesRight && !usesLeft;
    if (isVolatile(condition)) {
      (fromWhere ? above : stay).push(condition);
      return;
    }
    switch (node.join) {
      case 'inner':
        if (leftOnly) onLeft.push(condition);
        else if (rightOnly) onRight.push(condition);
        else stay.push(condition);
        return;
      case 'left':
        if (fromWhere) (leftOnly ? onLeft : above).push(condition);
        else (rightOnly ? onRight : stay).push(condition);
        return;
      case 'right':
        if (fromWhere) (rightOnly ? onRight : above).push(condition);
        else (leftOnly && usesLeft ? onLeft : stay).push(condition);
        return;
      case 'full':
        (fromWhere ? above : stay).push(condition);
        return;
      case 'semi':
        // What runs a subquery for each row had better see few of them.
        if (fromWhere && hasSubquery(condition)) above.push(condition);
        else if (fromWhere || leftOnly) onLeft.push(condition);
        else (rightOnly ? onRight : stay).push(condition);
        return;
      default:
        if (fromWhere) onLeft.push(condition);
        else if (rightOnly && !node.nullAware) onRight.push(condition);
        else stay.push(condition);
    }
  };
  for (const condition of node.conditions.flatMap(conjuncts)) place(condition, false);
  for (const condition of conditions) place(condition, true);
  const left = push(node.left, onLeft, context);
  const right = push(node.right, onRight, context);
  return filterOver({ ...node, left, right, conditions: stay }, above);
}

function pushAggregate(node: Aggregate, conditions: readonly Expression[], context: BindContext): LogicalNode {
  const keys = new Map(node.keys.map((key) => [key.column, key.expression] as const));
  const made = new Set<ColumnId>([
    ...node.calls.map((call) => call.column),
    ...node.groupings.map((grouping) => grouping.column),
  ]);
  const everySet = (column: ColumnId): boolean => {
    if (node.sets === undefined) return true;
    const at = node.keys.findIndex((key) => key.column === column);
    return node.sets.every((set) => set.includes(at));
  };
  const [down, up] = partition(conditions, (condition) => {
    if (isVolatile(condition) || !isFreeOf(condition, made)) return false;
    // Without keys there is one group even for no rows: a condition may not empty its input.
    if (node.keys.length === 0) return false;
    for (const column of columnsOf(condition)) {
      const expression = keys.get(column);
      if (expression !== undefined && (isVolatile(expression) || !everySet(column))) return false;
    }
    return node.sets === undefined || node.sets.every((set) => set.length > 0);
  });
  const replaced = down.map((condition) => replaceColumnsDeep(condition, (column) => keys.get(column)));
  return filterOver({ ...node, input: push(node.input, replaced, context) }, up);
}

function pushSetOperation(node: SetOperation, conditions: readonly Expression[], context: BindContext): LogicalNode {
  const [down, up] = partition(conditions, (condition) => !isVolatile(condition) && !hasSubquery(condition));
  const inputs = node.inputs.map((input, i) => {
    const columns = node.inputColumns[i] ?? [];
    const replaced = down.map((condition) =>
      replaceColumnsDeep(condition, (column) => {
        const at = node.columns.indexOf(column);
        const source = columns[at];
        return source === undefined ? undefined : columnReference(source, context.pool.get(source).type);
      }),
    );
    return push(input, replaced, context);
  });
  return filterOver({ ...node, inputs }, up);
}
