/**
 * Unnesting of scalar aggregates: `(select count(*) from o where o.c_id = c.id)` for each row of c becomes one grouping of o by
 * c_id and a left join to it (W. Kim, "On Optimizing an SQL-like Nested Query", TODS 1982, with the count bug of R. Ganski
 * and H. Wong mended: a missing group is a count of 0). The right sides of lateral joins of the same shape go the same way.
 *
 * It is done where it is cheaper: with an index on o.c_id and few rows of c the subquery may as well run for each row.
 */
import {
  columnReference,
  conjuncts,
  constant,
  type ColumnId,
  type Expression,
  type Subquery,
} from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import { equalExpressions } from '../../expr/walk.js';
import type { Aggregate, Filter, Join, LogicalNode, Project } from '../logical/logical.js';
import { columnsOf, freeColumns, mapInputs, rewriteDeep, subplanOf } from '../logical/walk.js';
import { PhysicalPlanner } from '../physical/planner.js';
import { isMemoized, outerColumnsOf, runCost } from '../physical/subquery-runs.js';
import { hasSubquery, isVolatile, isWithin } from './facts.js';
import { predicatePushdown } from './predicate-pushdown.js';
import type { Rule } from './rule.js';

export const scalarAggregateUnnesting: Rule = {
  name: 'scalar aggregate unnesting',
  apply: (plan, context) => unnest(plan, context),
};

function unnest(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => unnest(input, context));
  switch (inner.kind) {
    case 'filter':
      return unnestFilter(inner, context);
    case 'project':
      return unnestProject(inner, context);
    case 'join':
      return inner.lateral ? unnestLateral(inner, context) : inner;
    default:
      return inner;
  }
}

/** A correlated aggregation taken apart. */
interface Shape {
  readonly aggregate: Aggregate;
  /** What the aggregation reads, without the correlated conditions. */
  readonly input: LogicalNode;
  /** Pairs that are equal: an expression over the input, and one over columns from outside. */
  readonly pairs: readonly {
    readonly inside: Expression;
    readonly outside: Expression;
    readonly condition: Expression;
  }[];
  /** Projection above the aggregation, if there is one. */
  readonly items: ReadonlyMap<ColumnId, Expression>;
}

/** Aggregates whose value for no rows is null, or 0 for the counts: all that are not ordered sets. */
function isPlain(aggregate: Aggregate): boolean {
  return aggregate.calls.every((call) => call.function.ordering === undefined);
}

const COUNTS: ReadonlySet<string> = new Set(['count', 'regr_count']);

function shapeOf(plan: LogicalNode): Shape | undefined {
  let node = plan;
  const items = new Map<ColumnId, Expression>();
  if (node.kind === 'project') {
    for (const item of node.items) items.set(item.column, item.expression);
    node = node.input;
  }
  if (node.kind !== 'aggregate' || node.keys.length > 0 || node.sets !== undefined || node.groupings.length > 0)
    return undefined;
  if (!isPlain(node) || node.input.kind !== 'filter') return undefined;
  const filter = node.input;
  if (freeColumns(filter.input).size > 0) return undefined;
  const own = new Set(filter.input.columns);
  const plain: Expression[] = [];
  const pairs: { inside: Expression; outside: Expression; condition: Expression }[] = [];
  for (const condition of filter.conditions.flatMap(conjuncts)) {
    if (isWithin(condition, own) && !hasSubquery(condition)) {
      plain.push(condition);
      continue;
    }
    const pair = pairOf(condition, own);
    if (pair === undefined) return undefined;
    pairs.push(pair);
  }
  if (pairs.length === 0) return undefined;
  // The aggregates themselves, and what is computed from them, may not look outside.
  const probe: Aggregate = { ...node, input: filter.input };
  if (freeColumns(probe).size > 0) return undefined;
  const made = new Set(node.calls.map((call) => call.column));
  for (const expression of items.values()) {
    if (!isWithin(expression, made) || hasSubquery(expression) || isVolatile(expression)) return undefined;
  }
  const input: LogicalNode =
    plain.length === 0
      ? filter.input
      : { kind: 'filter', input: filter.input, conditions: plain, columns: filter.input.columns };
  return { aggregate: node, input, pairs, items };
}

function pairOf(
  condition: Expression,
  own: ReadonlySet<ColumnId>,
): { readonly inside: Expression; readonly outside: Expression; readonly condition: Expression } | undefined {
  if (condition.kind !== 'call' || condition.operator?.role !== '=' || isVolatile(condition) || hasSubquery(condition))
    return undefined;
  const [left, right] = condition.arguments;
  if (left === undefined || right === undefined) return undefined;
  const side = (expression: Expression): 'inside' | 'outside' | undefined => {
    const used = columnsOf(expression);
    if (used.size === 0) return undefined;
    let inside = 0;
    for (const column of used) if (own.has(column)) inside++;
    return inside === 0 ? 'outside' : inside === used.size ? 'inside' : undefined;
  };
  if (side(left) === 'inside' && side(right) === 'outside') return { inside: left, outside: right, condition };
  if (side(right) === 'inside' && side(left) === 'outside') return { inside: right, outside: left, condition };
  return undefined;
}

/** The grouping as a right side, the conditions of the join to it, and what its aggregates are for a row without a group. */
interface Grouped {
  readonly plan: Aggregate;
  readonly conditions: readonly Expression[];
  /** Value of each aggregate's column above the join. */
  readonly value: (column: ColumnId) => Expression | undefined;
}

function group(shape: Shape, context: BindContext): Grouped {
  const keys: { column: ColumnId; expression: Expression }[] = [];
  const conditions = shape.pairs.map((pair) => {
    let key = keys.find((candidate) => equalExpressions(candidate.expression, pair.inside));
    if (key === undefined) {
      key = { column: context.newColumn('key', pair.inside.type), expression: pair.inside };
      keys.push(key);
    }
    const reference = columnReference(key.column, pair.inside.type);
    return rewriteDeep(pair.condition, (part) => (part === pair.inside ? reference : undefined));
  });
  const { calls } = shape.aggregate;
  const plan: Aggregate = {
    kind: 'aggregate',
    input: shape.input,
    keys,
    sets: undefined,
    calls,
    groupings: [],
    columns: [...keys.map((key) => key.column), ...calls.map((call) => call.column)],
  };
  const zero = new Map<ColumnId, Expression>();
  for (const call of calls) {
    if (!COUNTS.has(call.function.name)) continue;
    const operands = [columnReference(call.column, call.type), constant(0, call.type)];
    zero.set(call.column, { kind: 'coalesce', operands, type: call.type });
  }
  return { plan, conditions, value: (column) => zero.get(column) };
}

function leftJoin(left: LogicalNode, grouped: Grouped): Join {
  return {
    kind: 'join',
    join: 'left',
    left,
    right: grouped.plan,
    conditions: grouped.conditions,
    lateral: false,
    nullAware: false,
    columns: [...left.columns, ...grouped.plan.columns],
  };
}

/**
 * True when the joined plan costs less than running the subquery for each row, or each set of outer values if what it gives is
 * kept. `plain` are the other conditions on the input's rows.
 */
function pays(
  input: LogicalNode,
  subplan: LogicalNode,
  joined: LogicalNode,
  plain: readonly Expression[],
  isKept: boolean,
  context: BindContext,
): boolean {
  const planner = new PhysicalPlanner(context, { estimating: true });
  const push = (plan: LogicalNode): LogicalNode => {
    const filtered: LogicalNode =
      plain.length === 0 || plan === subplan
        ? plan
        : { kind: 'filter', input: plan, conditions: plain, columns: plan.columns };
    return predicatePushdown.apply(filtered, context);
  };
  const outer = planner.plan(push(input)).estimate;
  const each = runCost(planner.plan(push(subplan)));
  const runs = isKept ? planner.cardinality.distinctOfColumns([...freeColumns(subplan)], outer.rows) : outer.rows;
  return planner.plan(push(joined)).estimate.total < outer.total + runs * each;
}

/** Columns the subquery's outside expressions use must all come from the node's input. */
function reaches(shape: Shape, input: LogicalNode): boolean {
  const available = new Set(input.columns);
  return shape.pairs.every((pair) => isWithin(pair.outside, available));
}

/** Takes apart every scalar aggregate in the expressions; the input grows a left join for each. */
class Unnester {
  input: LogicalNode;
  private readonly context: BindContext;
  private readonly plain: readonly Expression[];

  constructor(input: LogicalNode, plain: readonly Expression[], context: BindContext) {
    this.input = input;
    this.plain = plain;
    this.context = context;
  }

  expression(expression: Expression): Expression {
    return rewriteDeep(expression, (part) => {
      if (part.kind === 'case' || part.kind === 'coalesce') return part;
      return part.kind === 'subquery' && part.mode === 'scalar' ? this.scalar(part) : undefined;
    });
  }

  private scalar(subquery: Subquery): Expression | undefined {
    const plan = unnest(subplanOf(subquery), this.context);
    const shape = shapeOf(plan);
    if (shape === undefined || !reaches(shape, this.input)) return undefined;
    const [output] = subquery.columns;
    if (output === undefined) return undefined;
    const grouped = group(shape, this.context);
    const joined = leftJoin(this.input, grouped);
    const isKept = isMemoized(new PhysicalPlanner(this.context), subquery, outerColumnsOf(subquery));
    if (!pays(this.input, plan, joined, this.plain, isKept, this.context)) return undefined;
    this.input = joined;
    const value = shape.items.get(output) ?? columnReference(output, subquery.type);
    return rewriteDeep(value, (part) => (part.kind === 'column' ? grouped.value(part.column) : undefined));
  }
}

function unnestFilter(node: Filter, context: BindContext): LogicalNode {
  if (!node.conditions.some(hasSubquery)) return node;
  const plain = node.conditions.flatMap(conjuncts).filter((condition) => !hasSubquery(condition));
  const unnester = new Unnester(node.input, plain, context);
  const conditions = node.conditions.map((condition) => unnester.expression(condition));
  if (unnester.input === node.input) return node;
  const { input } = unnester;
  const filter: Filter = { kind: 'filter', input, conditions, columns: input.columns };
  return { kind: 'project', input: filter, items: [], columns: node.columns };
}

function unnestProject(node: Project, context: BindContext): LogicalNode {
  if (!node.items.some((item) => hasSubquery(item.expression))) return node;
  const unnester = new Unnester(node.input, [], context);
  const items = node.items.map((item) => ({ ...item, expression: unnester.expression(item.expression) }));
  if (unnester.input === node.input) return node;
  return { ...node, input: unnester.input, items };
}

/** `FROM t, LATERAL (select count(*) n from u where u.x = t.x) s`. */
function unnestLateral(node: Join, context: BindContext): LogicalNode {
  if ((node.join !== 'inner' && node.join !== 'left') || node.conditions.length > 0) return node;
  const shape = shapeOf(node.right);
  if (shape === undefined || !reaches(shape, node.left)) return node;
  const grouped = group(shape, context);
  const joined = leftJoin(node.left, grouped);
  if (!pays(node.left, node.right, joined, [], false, context)) return node;
  const valueOf = (expression: Expression): Expression =>
    rewriteDeep(expression, (part) => (part.kind === 'column' ? grouped.value(part.column) : undefined));
  // The aggregates' columns keep their ids below the join: what stands above must have the mended values under them.
  const items: { column: ColumnId; expression: Expression }[] = [];
  const renamed = new Map<ColumnId, ColumnId>();
  const calls = grouped.plan.calls.map((call) => {
    if (grouped.value(call.column) === undefined || shape.items.has(call.column)) return call;
    const column = context.newColumn(call.function.name, call.type);
    renamed.set(call.column, column);
    return { ...call, column };
  });
  const right: Aggregate = {
    ...grouped.plan,
    calls,
    columns: grouped.plan.columns.map((column) => renamed.get(column) ?? column),
  };
  const rename = (expression: Expression): Expression =>
    rewriteDeep(expression, (part) => {
      const column = part.kind === 'column' ? renamed.get(part.column) : undefined;
      return column === undefined ? undefined : ({ ...part, column } as Expression);
    });
  for (const column of node.right.columns) {
    const expression = shape.items.get(column);
    if (expression !== undefined) items.push({ column, expression: rename(valueOf(expression)) });
    else if (renamed.has(column)) {
      const call = shape.aggregate.calls.find((candidate) => candidate.column === column);
      if (call !== undefined) items.push({ column, expression: rename(valueOf(columnReference(column, call.type))) });
    }
  }
  const input: Join = { ...joined, right, columns: [...node.left.columns, ...right.columns] };
  return { kind: 'project', input, items, columns: node.columns };
}
