/**
 * Physical planning: for each logical node the way with the least estimated cost. Scans choose among access paths, inner
 * joins are put in order (join-order.ts), sorts disappear where an index gives the order.
 */
import { assert, unreachable } from '@phantom/base';
import type { BindContext } from '../../expr/context.js';
import { conjuncts, type ColumnId, type Expression, type SortKey } from '../../expr/expression.js';
import { keyRange } from '../../exec/table-access.js';
import { physicalIndex, physicalTable } from '../../storage/physical-table.js';
import type { Value } from '../../types/type.js';
import { Cardinality } from '../cardinality.js';
import type { LogicalNode, Scan, Sort, With } from '../logical/logical.js';
import { forEachSubquery } from '../logical/subplans.js';
import { freeColumns, subplanOf } from '../logical/walk.js';
import { accessPaths, type AccessPath, type KeyPart } from './access-paths.js';
import { Costs, estimate, sortCost } from './costs.js';
import { planJoin } from './join-planner.js';
import type { CommonTablePlan, PhysicalNode, TableScan } from './physical.js';

/** An order in which rows would be welcome: column by column. */
export type WantedOrder = readonly SortKey[];

export class PhysicalPlanner {
  readonly context: BindContext;
  readonly cardinality: Cardinality;
  /** Columns of each WITH query, for scans of them. */
  private readonly subplans = new WeakMap<LogicalNode, PhysicalNode>();
  private readonly cteColumns = new Map<number, readonly ColumnId[]>();

  /** Only costs are asked for: a scan of a WITH query that is not planned yet is let through. */
  private readonly estimating: boolean;

  constructor(context: BindContext, estimating = false) {
    this.context = context;
    this.estimating = estimating;
    this.cardinality = new Cardinality(context);
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
        return this.planScan(node, undefined);
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
        const total = input.estimate.total + input.estimate.rows * this.testCost(node.conditions);
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
      case 'aggregate': {
        const input = this.plan(node.input);
        const work =
          input.estimate.rows * (Costs.hashProbe + Costs.operator * node.calls.length) * (node.sets?.length ?? 1);
        const rows = this.rows(node);
        const startup = input.estimate.total + work;
        return { ...node, input, estimate: estimate(rows, startup, startup + rows * Costs.row) };
      }
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

  // -------------------------------------------------------------------------------------------------------- scans

  /** Every way to read a scan's table. */
  paths(scan: Scan): AccessPath[] {
    const { catalog } = this.context;
    return accessPaths(
      scan,
      scan.table,
      catalog.indexesOf(scan.table),
      (oid) => catalog.types.byOid(oid)?.elementOid ?? 0,
    );
  }

  /** The cheapest path; among equals one that gives the wanted order. */
  planScan(scan: Scan, wanted: WantedOrder | undefined): TableScan {
    let best: TableScan | undefined;
    for (const path of this.paths(scan)) {
      if (path.index !== undefined && path.range === undefined && wanted === undefined) continue;
      const candidate = this.scanOf(scan, path, wanted);
      if (candidate === undefined) continue;
      if (best === undefined || candidate.estimate.total < best.estimate.total) best = candidate;
    }
    assert(best !== undefined, 'a table can always be scanned');
    return best;
  }

  /** A scan along a path; undefined when it does not give the wanted order. */
  scanOf(scan: Scan, path: AccessPath, wanted: WantedOrder | undefined): TableScan | undefined {
    const direction = wanted === undefined ? 'forward' : orderOf(path, wanted);
    if (direction === undefined) return undefined;
    const tableRows = this.cardinality.tableRows(scan.table);
    let entries = tableRows;
    if (path.unique) entries = 1;
    else if (path.range !== undefined) {
      entries =
        this.measuredEntries(scan, path) ??
        Math.max(1, tableRows * this.cardinality.selectivityOfAll(path.range.conditions, tableRows));
    }
    const rows = path.unique ? 1 : Math.max(1, entries * this.cardinality.selectivityOfAll(path.filter, tableRows));
    const each = path.index === undefined ? 1 : Costs.indexEntry + Costs.fetch;
    const startup = path.range === undefined ? 0 : path.unique && path.index === undefined ? Costs.fetch : Costs.seek;
    const total = startup + entries * (each + this.testCost(path.filter));
    return {
      kind: 'table-scan',
      table: scan.table,
      alias: scan.alias,
      scanColumns: scan.scanColumns,
      rowReference: scan.rowReference,
      index: path.index,
      range: path.range,
      unique: path.unique,
      backward: direction === 'backward',
      filter: path.filter,
      columns: scan.columns,
      estimate: estimate(rows, startup, total),
    };
  }

  /** Work of testing conditions for a row: a correlated subquery runs anew each time. */
  private testCost(conditions: readonly Expression[]): number {
    let cost = conditions.length * Costs.operator;
    for (const condition of conditions) {
      forEachSubquery(condition, (subquery) => {
        const plan = subplanOf(subquery);
        if (!this.estimating && freeColumns(plan).size > 0) cost += Costs.restart + this.subplan(plan).estimate.total;
      });
    }
    return cost;
  }

  /** Entries of a range whose bounds are constants, as the engine estimates them. */
  private measuredEntries(scan: Scan, path: AccessPath): number | undefined {
    const { range } = path;
    if (range === undefined || range.any !== undefined) return undefined;
    const values = [...range.equal, range.lower?.value, range.upper?.value].filter((value) => value !== undefined);
    if (!values.every((value) => value.kind === 'constant')) return undefined;
    const { types, statistics } = this.context.catalog;
    const space =
      path.index === undefined ? physicalTable(scan.table, types) : physicalIndex(path.index, scan.table, types);
    const constantOf = (value: Expression | undefined): Value | undefined =>
      value?.kind === 'constant' ? value.value : undefined;
    const make = keyRange(space, range.lower?.inclusive ?? true, range.upper?.inclusive ?? true);
    const encoded = make(range.equal.map(constantOf), constantOf(range.lower?.value), constantOf(range.upper?.value));
    return encoded === null ? 1 : Math.max(1, statistics.range(encoded).keys);
  }

  // ----------------------------------------------------------------------------------------------- sort and limit

  private planSort(node: Sort, top: PhysicalTop | undefined, topRows: number | undefined): PhysicalNode {
    const input = this.plan(node.input);
    const { rows, total } = input.estimate;
    const startup = total + sortCost(rows, topRows);
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
        let best: TableScan | undefined;
        for (const path of this.paths(node)) {
          const candidate = this.scanOf(node, path, keys);
          if (candidate === undefined) continue;
          if (best === undefined || candidate.estimate.total < best.estimate.total) best = candidate;
        }
        return best;
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

/** The direction in which a path gives the wanted order; undefined when it gives neither. */
function orderOf(path: AccessPath, wanted: WantedOrder): 'forward' | 'backward' | undefined {
  if (path.range?.any !== undefined) return undefined;
  const parts = path.parts.slice(path.range?.equal.length ?? 0);
  const fixed = new Set(path.parts.slice(0, path.range?.equal.length ?? 0).map((part) => part.column));
  let direction: 'forward' | 'backward' | undefined;
  let at = 0;
  for (const key of wanted) {
    const { expression } = key;
    if (expression.kind !== 'column' || expression.type.collation !== undefined) return undefined;
    if (fixed.has(expression.column)) continue;
    const part: KeyPart | undefined = parts[at];
    if (part === undefined) {
      // A whole unique key is behind us: rows do not tie any more.
      if (path.unique) break;
      return undefined;
    }
    if (part.column !== expression.column) return undefined;
    const same = key.descending === part.descending && nullsAgree(path, part, key, false);
    const reverse = key.descending !== part.descending && nullsAgree(path, part, key, true);
    const step = same ? 'forward' : reverse ? 'backward' : undefined;
    if (step === undefined || (direction !== undefined && step !== direction)) return undefined;
    direction = step;
    at++;
  }
  return direction ?? 'forward';
}

/** Nulls come where the key wants them; columns of a table's own key are never null. */
function nullsAgree(path: AccessPath, part: KeyPart, key: SortKey, reversed: boolean): boolean {
  if (path.index === undefined) return true;
  return (part.nullsFirst !== reversed) === key.nullsFirst;
}
