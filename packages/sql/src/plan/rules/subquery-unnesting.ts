/**
 * Subquery unnesting: EXISTS and IN among the conjuncts of a filter become semi joins, NOT EXISTS an anti join and NOT IN
 * one that knows about nulls; correlated conditions become join conditions. (Idea: W. Kim 1982; the general method of
 * T. Neumann and A. Kemper, "Unnesting Arbitrary Queries", BTW 2015, is not needed for these shapes.)
 *
 * A subquery is unnested when, below its projections, it is a filter over something that uses no column from outside.
 * Others stay subplans.
 */
import { conjuncts, type ColumnId, type Expression, type Subquery } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import type { Filter, Join, LogicalNode } from '../logical/logical.js';
import { freeColumns, mapInputs, subplanOf, replaceColumnsDeep } from '../logical/walk.js';
import { hasSubquery, isFreeOf, isVolatile } from './facts.js';
import type { Rule } from './rule.js';

export const subqueryUnnesting: Rule = {
  name: 'subquery unnesting',
  apply: (plan, context) => unnest(plan, context),
};

function unnest(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => unnest(input, context));
  // A join would let conditions past a policy that is to be tested before them.
  return inner.kind === 'filter' && inner.isBarrier !== true ? unnestFilter(inner, context) : inner;
}

function unnestFilter(node: Filter, context: BindContext): LogicalNode {
  let { input } = node;
  const rest: Expression[] = [];
  for (const condition of node.conditions.flatMap(conjuncts)) {
    const joined = unnestCondition(input, condition, context);
    if (joined === undefined) rest.push(condition);
    else input = joined;
  }
  if (rest.length === node.conditions.length && input === node.input) return node;
  if (rest.length === 0) return input;
  return { kind: 'filter', input, conditions: rest, columns: input.columns };
}

function unnestCondition(input: LogicalNode, condition: Expression, context: BindContext): Join | undefined {
  let negated = false;
  let expression = condition;
  while (expression.kind === 'not') {
    negated = !negated;
    expression = expression.operand;
  }
  if (expression.kind !== 'subquery') return undefined;
  if (expression.mode === 'exists') return exists(input, expression, negated, context);
  const isIn = expression.mode === 'any' && !negated;
  const isNotIn = (expression.mode === 'any' && negated) || (expression.mode === 'all' && !negated);
  if (isIn) return inQuery(input, expression, context);
  if (isNotIn && expression.mode === 'any') return notInQuery(input, expression, context);
  return undefined;
}

interface Opened {
  readonly plan: LogicalNode;
  /** Conditions that use columns from outside. */
  readonly conditions: readonly Expression[];
}

/**
 * Takes the correlated conditions out of a subquery. Undefined when something else in it is correlated. Projections above
 * the filter are dissolved for EXISTS (`keepColumns` empty), kept for IN.
 */
function open(plan: LogicalNode, keepColumns: readonly ColumnId[]): Opened | undefined {
  if (freeColumns(plan).size === 0) return { plan, conditions: [] };
  switch (plan.kind) {
    case 'project': {
      const inner = open(plan.input, keepColumns);
      if (inner === undefined) return undefined;
      const made = new Set(plan.items.map((item) => item.column));
      const items = plan.items.filter((item) => keepColumns.includes(item.column));
      // An item that is itself correlated cannot be computed on the inside.
      const available = new Set(inner.plan.columns);
      for (const item of items) {
        const free = freeColumns({ kind: 'project', input: inner.plan, items: [item], columns: [item.column] });
        if (free.size > 0) return undefined;
      }
      const columns = [...new Set([...available, ...items.map((item) => item.column)])];
      if (items.length === 0) return inner;
      return {
        plan: { kind: 'project', input: inner.plan, items, columns },
        conditions: inner.conditions.map((condition) =>
          replaceColumnsDeep(condition, (column) =>
            made.has(column) ? plan.items.find((item) => item.column === column)?.expression : undefined,
          ),
        ),
      };
    }
    case 'sort':
      return open(plan.input, keepColumns);
    case 'filter': {
      const inner = open(plan.input, keepColumns);
      if (inner === undefined) return undefined;
      const own = new Set(inner.plan.columns);
      const correlated: Expression[] = [];
      const plain: Expression[] = [];
      for (const condition of plan.conditions.flatMap(conjuncts)) {
        const probe: LogicalNode = { kind: 'filter', input: inner.plan, conditions: [condition], columns: [...own] };
        if (freeColumns(probe).size === 0) {
          plain.push(condition);
          continue;
        }
        if (isVolatile(condition)) return undefined;
        // A subquery inside may move out only when it looks at nothing from in here.
        if (hasSubquery(condition) && !isFreeOf(condition, own)) return undefined;
        correlated.push(condition);
      }
      const filtered: LogicalNode =
        plain.length === 0
          ? inner.plan
          : { kind: 'filter', input: inner.plan, conditions: plain, columns: inner.plan.columns };
      return { plan: filtered, conditions: [...inner.conditions, ...correlated] };
    }
    default:
      return undefined;
  }
}

function joinOf(
  join: 'semi' | 'anti',
  left: LogicalNode,
  right: LogicalNode,
  conditions: readonly Expression[],
  nullAware: boolean,
): Join {
  return { kind: 'join', join, left, right, conditions, lateral: false, nullAware, columns: left.columns };
}

function exists(input: LogicalNode, subquery: Subquery, negated: boolean, context: BindContext): Join | undefined {
  const plan = unnest(dropLimit(subplanOf(subquery)), context);
  const opened = open(plan, []);
  // Without a correlated condition it is evaluated once as it stands.
  if (opened === undefined || opened.conditions.length === 0) return undefined;
  return joinOf(negated ? 'anti' : 'semi', input, opened.plan, opened.conditions, false);
}

/** EXISTS (... LIMIT 1) is EXISTS (...). */
function dropLimit(plan: LogicalNode): LogicalNode {
  if (plan.kind !== 'limit' || plan.offset !== undefined) return plan;
  const { count } = plan;
  const positive = count?.kind === 'constant' && (count.value === null || (count.value as number) > 0);
  return positive ? plan.input : plan;
}

function inQuery(input: LogicalNode, subquery: Subquery, context: BindContext): Join | undefined {
  if (subquery.test === undefined || hasSubquery(subquery.test) || isVolatile(subquery.test)) return undefined;
  const opened = open(unnest(subplanOf(subquery), context), subquery.columns);
  if (opened === undefined) return undefined;
  return joinOf('semi', input, opened.plan, [...conjuncts(subquery.test), ...opened.conditions], false);
}

/** NOT IN, when it is not correlated: unknown (a null on either side) counts as a match. */
function notInQuery(input: LogicalNode, subquery: Subquery, context: BindContext): Join | undefined {
  const { test } = subquery;
  if (test === undefined || test.kind !== 'call' || hasSubquery(test) || isVolatile(test)) return undefined;
  const plan = unnest(subplanOf(subquery), context);
  if (freeColumns(plan).size > 0) return undefined;
  return joinOf('anti', input, plan, [test], true);
}
