/**
 * Physical planning: for each logical node the way with the least estimated cost. Scans choose among access paths, inner
 * joins are put in order (join-order.ts), sorts disappear where an index gives the order.
 */
import { assert, unreachable } from '@phantom/base';
import type { BindContext } from '../../expr/context.js';
import { conjuncts, type ColumnId, type Expression, type SortKey } from '../../expr/expression.js';
import { isDivided } from '../../storage/inheritance/table-tree.js';
import { Cardinality } from '../cardinality.js';
import type { Aggregate, LogicalNode, Sort, With } from '../logical/logical.js';
import { refuseNullableTargets } from '../logical/nullable-locks.js';
import { forEachSubquery } from '../logical/subplans.js';
import { subplanOf } from '../logical/walk.js';
import { Costs, estimate, sortCost } from './costs.js';
import { runCost } from './subquery-runs.js';
import { comesInGroups } from './grouped-rows.js';
import { planJoin } from './join-planner.js';
import type { AggregateNode, CommonTablePlan, PhysicalNode } from './physical.js';
import { onlyScan, planPartitions } from './partition-scan.js';
import { planScan } from './scan-planner.js';
import { planColumnScan } from './column-scan-planner.js';
import { isMemoized, membershipOf, outerColumnsOf } from './subquery-runs.js';
import type { Way } from './ways.js';

const NOTHING: ReadonlySet<string> = new Set();

export class PhysicalPlanner {
  readonly context: BindContext;
  readonly cardinality: Cardinality;
  /** Columns of each WITH query, for scans of them. */
  private readonly subplans = new WeakMap<LogicalNode, PhysicalNode>();
  private readonly cteColumns = new Map<number, readonly ColumnId[]>();

  /** Only costs are asked for: a scan of a WITH query that is not planned yet is let through. */
  private readonly estimating: boolean;
  private readonly without: ReadonlySet<string>;

  /** `without` names ways of execution (ways.ts) that are passed over where there is another. */
  constructor(context: BindContext, options: { estimating?: boolean; without?: ReadonlySet<string> } = {}) {
    this.context = context;
    this.estimating = options.estimating ?? false;
    this.without = options.without ?? NOTHING;
    this.cardinality = new Cardinality(context);
  }

  /** What is added to the cost of a way: nothing, or more than any plan costs when it is switched off. */
  penalty(way: Way): number {
    return this.without.has(way) ? Costs.switchedOff : 0;
  }

  /** The physical plan of a subquery in an expression; planned once. */
  subplan(node: LogicalNode): PhysicalNode {
    let plan = this.subplans.get(node);
    if (plan === undefined) this.subplans.set(node, (plan = this.plan(node)));
    return plan;
  }

  rows(node: LogicalNode): number {
    return this.cardinality.rows(node);
  }

  plan(node: LogicalNode): PhysicalNode {
    switch (node.kind) {
      case 'scan':
        if (isDivided(node.table)) return planPartitions(this, node);
        return cheapest(planScan(this, node, undefined), planColumnScan(this, node));
      case 'virtual-scan': {
        const rows = this.rows(node);
        return { ...node, estimate: estimate(rows, 0, rows) };
      }
      case 'values':
        return { ...node, estimate: estimate(node.rows.length, 0, node.rows.length * Costs.operator) };
      case 'function-scan': {
        const rows = this.rows(node);
        return { ...node, estimate: estimate(rows, 0, rows) };
      }
      case 'filter': {
        const input = this.plan(node.input);
        const rows = this.rows(node);
        const total = input.estimate.total + input.estimate.rows * this.testCost(node.conditions, input.estimate.rows);
        const conditions = node.conditions.flatMap(conjuncts);
        return {
          kind: 'filter',
          input,
          conditions,
          columns: node.columns,
          estimate: estimate(rows, input.estimate.startup, total),
        };
      }
      case 'project': {
        const input = this.plan(node.input);
        const { rows, startup, total } = input.estimate;
        return { ...node, input, estimate: estimate(rows, startup, total + rows * Costs.operator * node.items.length) };
      }
      case 'project-set': {
        const input = this.plan(node.input);
        const rows = this.rows(node);
        return { ...node, input, estimate: estimate(rows, input.estimate.startup, input.estimate.total + rows) };
      }
      case 'join':
        return planJoin(this, node);
      case 'aggregate':
        return this.aggregateOver(this.plan(node.input), node);
      case 'window': {
        const input = this.plan(node.input);
        const { rows } = input.estimate;
        const startup = input.estimate.total + sortCost(rows) + rows * node.calls.length;
        return { ...node, input, estimate: estimate(rows, startup, startup + rows * Costs.row) };
      }
      case 'sort':
        return this.planSort(node, undefined, undefined);
      case 'limit':
        return this.planLimit(node);
      case 'distinct': {
        const input = this.plan(node.input);
        const rows = this.rows(node);
        const total = input.estimate.total + input.estimate.rows * Costs.hashBuild;
        return { ...node, input, estimate: estimate(rows, input.estimate.startup, total) };
      }
      case 'set-operation':
        return this.planSetOperation(node);
      case 'with':
        return this.planWith(node);
      case 'cte-scan': {
        const rows = this.rows(node);
        const columns = this.cteColumns.get(node.cte);
        assert(columns !== undefined || this.estimating, 'a WITH query is planned before its scans');
        const positions = node.sources.map((source) => columns?.indexOf(source) ?? 0);
        return {
          kind: 'cte-scan',
          cte: node.cte,
          name: node.name,
          working: node.working,
          positions,
          columns: node.columns,
          estimate: estimate(rows, 0, rows * Costs.row),
        };
      }
      case 'lock-rows': {
        refuseNullableTargets(node.targets, node.input);
        const input = this.plan(node.input);
        const { rows, startup, total } = input.estimate;
        return { ...node, input, estimate: estimate(rows, startup, total + rows) };
      }
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge': {
        const input = this.plan(node.input);
        const { rows, startup, total } = input.estimate;
        return { ...node, input, estimate: estimate(rows, startup, total + rows * Costs.fetch) };
      }
      default:
        return unreachable(node);
    }
  }

  /** Work of testing conditions for each of so many rows, with the runs of correlated subqueries. */
  testCost(conditions: readonly Expression[], rows: number): number {
    let cost = conditions.length * Costs.operator;
    if (this.estimating) return cost;
    for (const condition of conditions) {
      forEachSubquery(condition, (subquery) => {
        const outer = outerColumnsOf(subquery);
        if (outer.length === 0 || membershipOf(subquery, this.context.catalog.types) !== undefined) return;
        const share = isMemoized(this, subquery, outer) ? this.cardinality.distinctOfColumns(outer, rows) / rows : 1;
        cost += share * runCost(this.subplan(subplanOf(subquery)));
      });
    }
    return cost;
  }

  private aggregateOver(input: PhysicalNode, node: Aggregate): AggregateNode {
    const rows = this.rows(node);
    const { total } = input.estimate;
    const keys = node.keys.map((key) => key.expression);
    const steps = input.estimate.rows * Costs.operator * node.calls.length;
    const isSorted = node.sets === undefined && comesInGroups(input, keys, node.calls);
    if (isSorted && this.penalty('sorted aggregation') === 0) {
      const all = total + input.estimate.rows * Costs.row + steps + rows * Costs.row;
      return { ...node, input, sorted: true, estimate: estimate(rows, input.estimate.startup, all) };
    }
    const work = (input.estimate.rows * Costs.hashProbe + steps) * (node.sets?.length ?? 1);
    const startup = total + work;
    return { ...node, input, sorted: false, estimate: estimate(rows, startup, startup + rows * Costs.row) };
  }

  // ----------------------------------------------------------------------------------------------- sort and limit

  private planSort(node: Sort, top: PhysicalTop | undefined, topRows: number | undefined): PhysicalNode {
    const input = this.plan(node.input);
    const { rows, total } = input.estimate;
    const startup = total + sortCost(rows, topRows) + this.penalty('sort');
    const sorted: PhysicalNode = {
      kind: 'sort',
      input,
      keys: node.keys,
      top,
      columns: node.columns,
      estimate: estimate(Math.min(rows, topRows ?? rows), startup, startup + rows * Costs.row),
    };
    const ordered = this.planOrdered(node.input, node.keys);
    if (ordered === undefined) return sorted;
    const share = topRows === undefined ? 1 : Math.min(1, topRows / Math.max(1, ordered.estimate.rows));
    const orderedCost = ordered.estimate.startup + (ordered.estimate.total - ordered.estimate.startup) * share;
    if (orderedCost > sorted.estimate.total) return sorted;
    return sameColumns(ordered.columns, node.columns)
      ? ordered
      : { kind: 'project', input: ordered, items: [], columns: node.columns, estimate: ordered.estimate };
  }

  /** The node planned so that its rows come in the order of the keys; undefined when no access path gives it. */
  private planOrdered(node: LogicalNode, keys: readonly SortKey[]): PhysicalNode | undefined {
    switch (node.kind) {
      case 'scan': {
        const only = onlyScan(this, node);
        return only === undefined ? undefined : planScan(this, only, keys);
      }
      case 'filter': {
        const input = this.planOrdered(node.input, keys);
        if (input === undefined) return undefined;
        const total = input.estimate.total + input.estimate.rows * Costs.operator * node.conditions.length;
        return {
          kind: 'filter',
          input,
          conditions: node.conditions,
          columns: node.columns,
          estimate: estimate(this.rows(node), input.estimate.startup, total),
        };
      }
      case 'project': {
        const made = new Set(node.items.map((item) => item.column));
        if (keys.some((key) => key.expression.kind !== 'column' || made.has(key.expression.column))) return undefined;
        const input = this.planOrdered(node.input, keys);
        if (input === undefined) return undefined;
        const { rows, startup, total } = input.estimate;
        return { ...node, input, estimate: estimate(rows, startup, total + rows * Costs.operator * node.items.length) };
      }
      case 'aggregate': {
        const made = new Map(node.keys.map((key) => [key.column, key.expression]));
        const below: SortKey[] = [];
        for (const key of keys) {
          const expression = key.expression.kind === 'column' ? made.get(key.expression.column) : undefined;
          if (expression === undefined) return undefined;
          below.push({ ...key, expression });
        }
        const input = this.planOrdered(node.input, below);
        if (input === undefined) return undefined;
        const aggregate = this.aggregateOver(input, node);
        return aggregate.sorted ? aggregate : undefined;
      }
      default:
        return undefined;
    }
  }

  private planLimit(node: LogicalNode & { kind: 'limit' }): PhysicalNode {
    const constantOf = (value: typeof node.count): number | undefined =>
      value?.kind === 'constant' && value.value !== null ? Number(value.value) : undefined;
    const count = constantOf(node.count);
    const offset = node.offset === undefined ? 0 : constantOf(node.offset);
    const wanted = count !== undefined && offset !== undefined ? count + offset : undefined;
    // Row locks and projections pass the limit on: they give a row for each row.
    const sortBelow = node.ties === undefined && node.count !== undefined ? sortUnder(node.input) : undefined;
    let input: PhysicalNode;
    if (sortBelow !== undefined && node.count !== undefined) {
      input = this.planAbove(
        node.input,
        sortBelow,
        { count: node.count, offset: node.offset },
        wanted ?? this.rows(node),
      );
    } else {
      input = this.plan(node.input);
    }
    const rows = Math.min(input.estimate.rows, wanted ?? this.rows(node));
    const { startup, total } = input.estimate;
    const share = input.estimate.rows === 0 ? 1 : rows / input.estimate.rows;
    return { ...node, input, estimate: estimate(rows, startup, startup + (total - startup) * share) };
  }

  /** Plans the nodes between a limit and the sort under it. */
  private planAbove(node: LogicalNode, sort: Sort, top: PhysicalTop, topRows: number): PhysicalNode {
    if (node === sort) return this.planSort(sort, top, topRows);
    assert(node.kind === 'project', 'only projections stand between a limit and its sort');
    const input = this.planAbove(node.input, sort, top, topRows);
    const { rows, startup, total } = input.estimate;
    return { ...node, input, estimate: estimate(rows, startup, total + rows * Costs.operator * node.items.length) };
  }

  // ------------------------------------------------------------------------------------------- sets and WITH queries

  private planSetOperation(node: LogicalNode & { kind: 'set-operation' }): PhysicalNode {
    const inputs = node.inputs.map((input) => this.plan(input));
    const rows = inputs.reduce((sum, input) => sum + input.estimate.rows, 0);
    const total = inputs.reduce((sum, input) => sum + input.estimate.total, 0);
    if (node.operation === 'union') {
      const append: PhysicalNode = {
        kind: 'append',
        inputs,
        inputColumns: node.inputColumns,
        columns: node.columns,
        estimate: estimate(rows, 0, total + rows * Costs.row),
      };
      if (node.all) return append;
      const work = append.estimate.total + rows * Costs.hashBuild;
      return {
        kind: 'distinct',
        input: append,
        on: undefined,
        columns: node.columns,
        estimate: estimate(this.rows(node), 0, work),
      };
    }
    const [left, right] = inputs;
    assert(left !== undefined && right !== undefined, 'a set operation has two inputs');
    const work = total + rows * Costs.hashBuild;
    return {
      kind: 'set-operation',
      operation: node.operation,
      all: node.all,
      inputs: [left, right],
      inputColumns: node.inputColumns,
      columns: node.columns,
      estimate: estimate(this.rows(node), work, work + this.rows(node) * Costs.row),
    };
  }

  private planWith(node: With): PhysicalNode {
    const tables: CommonTablePlan[] = [];
    let total = 0;
    for (const table of node.tables) {
      const plan = this.plan(table.plan);
      const columns = table.recursive === undefined ? table.columns : table.recursive.columns;
      this.cteColumns.set(table.id, columns);
      const rows = plan.estimate.rows * (table.recursive === undefined ? 1 : 10);
      this.cardinality.setCteRows(table.id, rows);
      const step = table.recursive === undefined ? undefined : this.plan(table.recursive.step);
      total += plan.estimate.total + (step?.estimate.total ?? 0) * 10;
      tables.push({
        id: table.id,
        name: table.name,
        plan,
        recursive: table.recursive === undefined || step === undefined ? undefined : { ...table.recursive, step },
        columns,
        writes: table.writes,
      });
    }
    const input = this.plan(node.input);
    const { rows, startup } = input.estimate;
    return {
      kind: 'with',
      tables,
      input,
      columns: node.columns,
      estimate: estimate(rows, startup + total, input.estimate.total + total),
    };
  }
}

type PhysicalTop = NonNullable<(PhysicalNode & { kind: 'sort' })['top']>;

/** The sort that a limit may cut short: right below it, or below projections. */
function sortUnder(node: LogicalNode): Sort | undefined {
  if (node.kind === 'sort') return node;
  return node.kind === 'project' ? sortUnder(node.input) : undefined;
}

function sameColumns(a: readonly ColumnId[], b: readonly ColumnId[]): boolean {
  return a.length === b.length && a.every((column, i) => column === b[i]);
}

/** The one that costs less; the first where both cost the same. */
function cheapest(first: PhysicalNode, second: PhysicalNode | undefined): PhysicalNode {
  return second !== undefined && second.estimate.total < first.estimate.total ? second : first;
}
