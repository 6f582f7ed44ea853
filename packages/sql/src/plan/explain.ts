/** EXPLAIN: the physical plan as lines in PostgreSQL's shape. */
import { unreachable } from '@phantom/base';
import { sumOf, type NodeTimes, type PlanMeasure, type TaskWork } from '../exec/plan-measure.js';
import type { ColumnId, Expression, Subquery } from '../expr/expression.js';
import { forEachSubquery } from './logical/subplans.js';
import { subplanOf } from './logical/walk.js';
import { summaryFields, summaryLines } from './explain-summary.js';
import { expressionText, sortKeyText, type TextOptions } from './expression-text.js';
import type { Gather, PhysicalNode, TableScan } from './physical/physical.js';
import type { PhysicalPlanner } from './physical/planner.js';
import { isMemoized, membershipOf, outerColumnsOf } from './physical/subquery-runs.js';
import { inputsOfPhysical, nodesBelow, ownExpressionsOf } from './physical/walk.js';
import type { ExplainOptions } from './prepared-plan.js';

/** A node's first line, and the lines of detail under it. */
interface Described {
  readonly title: string;
  readonly details: readonly string[];
}

/** What another thread has done of a node. */
interface WorkerShare {
  readonly rows: number;
  readonly loops: number;
  readonly times: NodeTimes;
  readonly work: TaskWork;
}

export function explainPlan(planner: PhysicalPlanner, root: PhysicalNode, options: ExplainOptions = {}): string[] {
  const explainer = new Explainer(planner, root, options);
  return options.format === 'json' ? explainer.json() : explainer.lines();
}

class Explainer {
  private readonly planner: PhysicalPlanner;
  private readonly root: PhysicalNode;
  private readonly costs: boolean;
  private readonly timing: boolean;
  private readonly measure: PlanMeasure | undefined;
  private readonly options: ExplainOptions;
  private readonly names: TextOptions;
  /** Where each column comes from, for qualified names. */
  private readonly owners = new Map<ColumnId, string>();
  private readonly computed = new Map<ColumnId, Expression>();
  /** The nodes that ran in partitions, from above. */
  private gathered: readonly PhysicalNode[] = [];
  private relations = 0;
  private subplans = 0;

  constructor(planner: PhysicalPlanner, root: PhysicalNode, options: ExplainOptions) {
    this.planner = planner;
    this.root = root;
    this.costs = options.costs !== false;
    this.timing = options.timing !== false;
    this.measure = options.measure;
    this.options = options;
    this.names = { context: planner.context, columnName: (column) => this.columnName(column) };
    this.collect(root);
  }

  lines(): string[] {
    const lines: string[] = [];
    this.write(this.root, 0, lines);
    return [...lines, ...summaryLines(this.options)];
  }

  private collect(node: PhysicalNode): void {
    if (node.kind === 'gather') this.gathered = nodesBelow(node);
    const own = (columns: readonly ColumnId[], name: string): void => {
      this.relations++;
      for (const column of columns) this.owners.set(column, name);
    };
    switch (node.kind) {
      case 'table-scan':
      case 'column-scan':
        own(
          node.scanColumns.map((column) => column.id),
          node.alias,
        );
        break;
      case 'virtual-scan':
      case 'function-scan':
        own(node.columns, node.alias);
        break;
      case 'cte-scan':
        own(node.columns, node.name);
        break;
      case 'project':
        for (const item of node.items) this.computed.set(item.column, item.expression);
        break;
      case 'aggregate':
        for (const key of node.keys) {
          if (key.expression.kind !== 'column' || node.phase === 'final') this.computed.set(key.column, key.expression);
        }
        break;
      default:
        break;
    }
    for (const subquery of subqueriesOf(node)) this.collect(this.planner.subplan(subplanOf(subquery)));
    for (const input of inputsOfPhysical(node)) this.collect(input);
  }

  private columnName(column: ColumnId): string {
    const expression = this.computed.get(column);
    if (expression !== undefined && !(expression.kind === 'column' && expression.column === column)) {
      return expressionText(expression, this.names);
    }
    const { name } = this.planner.context.pool.get(column);
    const owner = this.owners.get(column);
    return owner === undefined || this.relations < 2 ? name : `${owner}.${name}`;
  }

  private text(expression: Expression): string {
    return expressionText(expression, this.names);
  }

  private condition(label: string, conditions: readonly Expression[]): string[] {
    const [first] = conditions;
    if (first === undefined) return [];
    const text = conditions.length === 1 ? this.text(first) : `(${conditions.map((c) => this.text(c)).join(' AND ')})`;
    return [`${label}: ${text}`];
  }

  private write(whole: PhysicalNode, depth: number, lines: string[]): void {
    const node = shownOf(whole);
    const { title, details } = this.describe(node);
    const { rows, startup, total } = node.estimate;
    const cost = this.costs ? `  (cost=${startup.toFixed(2)}..${total.toFixed(2)} rows=${Math.round(rows)})` : '';
    const actual = this.actualText(node);
    const indent = depth === 0 ? '' : `${' '.repeat(6 * depth - 4)}->  `;
    lines.push(`${indent}${title}${cost}${actual}`);
    const inner = ' '.repeat(depth === 0 ? 2 : 6 * depth + 2);
    for (const detail of [...details, ...this.workLines(whole)]) lines.push(`${inner}${detail}`);
    this.writeSubplans(whole, inner, depth, lines);
    if (node.kind === 'with') this.writeWith(node, depth, lines);
    else for (const input of inputsOfPhysical(node)) this.write(input, depth + 1, lines);
  }

  /** What happened at a node; undefined when the plan was not measured. */
  private actual(node: PhysicalNode): (NodeTimes & { readonly rows: number; readonly loops: number }) | undefined {
    const { measure } = this;
    const counted = measure?.nodes.get(node);
    if (measure === undefined || counted === undefined) return undefined;
    const { runs, tasks } = counted.program;
    const loops = counted.loops > 0 ? counted.loops : runs;
    return { rows: counted.rows, loops, ...onAverage(counted.timesOf(tasks), runs) };
  }

  /** A node, those below it, and those of the subqueries of all of them. */
  private *branchOf(node: PhysicalNode): Generator<PhysicalNode, void, void> {
    yield node;
    for (const input of inputsOfPhysical(node)) yield* this.branchOf(input);
    for (const subquery of subqueriesOf(node)) yield* this.branchOf(this.planner.subplan(subplanOf(subquery)));
  }

  /** What a node and those below it have read and spilled, and what other threads have done of it. */
  private workLines(whole: PhysicalNode): string[] {
    const { measure, options } = this;
    if (measure === undefined) return [];
    const work = measure.workOf(this.branchOf(whole));
    const lines = [...this.buffersLines(work)];
    if (work.spilledBytes > 0) lines.push(`Disk: ${Math.ceil(work.spilledBytes / 1024)}kB`);
    if (options.verbose !== true) return lines;
    this.workersOf(shownOf(whole)).forEach(({ rows, loops, times, work: share }, i) => {
      if (loops === 0) return;
      const time = this.timing ? `time=${times.startMs.toFixed(3)}..${times.endMs.toFixed(3)} ` : '';
      lines.push(`Worker ${i}:  actual ${time}rows=${Math.round(rows / loops)} loops=${loops}`);
      lines.push(...this.buffersLines(share).map((line) => `  ${line}`));
    });
    return lines;
  }

  private buffersLines({ cacheHits, pagesRead, bytesRead }: TaskWork): string[] {
    if (this.options.buffers !== true || (cacheHits === 0 && pagesRead === 0)) return [];
    const read = pagesRead === 0 ? '' : ` read=${pagesRead} bytes=${bytesRead}`;
    return [`Buffers: shared${cacheHits === 0 ? '' : ` hit=${cacheHits}`}${read}`];
  }

  /** What each of the other threads has done of a node below a Gather: times are of one partition, all else of all of them. */
  private workersOf(node: PhysicalNode): WorkerShare[] {
    const { measure } = this;
    const counted = measure?.nodes.get(node);
    if (measure === undefined || counted?.program.isPartition !== true) return [];
    const at = this.gathered.indexOf(node);
    return measure.workers.map(({ partitions, rows, tasks }) => ({
      rows: rows[at] ?? 0,
      loops: partitions,
      times: onAverage(counted.timesOf(tasks), partitions),
      work: sumOf(counted.tasksOf(tasks)),
    }));
  }

  private actualText(node: PhysicalNode): string {
    if (this.measure === undefined) return '';
    const actual = this.actual(node);
    if (actual === undefined || actual.loops === 0) return ' (never executed)';
    const time = this.timing ? `time=${actual.startMs.toFixed(3)}..${actual.endMs.toFixed(3)} ` : '';
    return ` (actual ${time}rows=${Math.round(actual.rows / actual.loops)} loops=${actual.loops})`;
  }

  /** FORMAT JSON: one text, PostgreSQL's names where they mean the same. */
  json(): string[] {
    return [JSON.stringify([{ Plan: this.jsonOf(this.root), ...summaryFields(this.options) }], undefined, 2)];
  }

  private jsonOf(whole: PhysicalNode): Record<string, unknown> {
    const node = shownOf(whole);
    const { title, details } = this.describe(node);
    const json: Record<string, unknown> = { 'Node Type': title };
    if (node.kind === 'table-scan' || node.kind === 'column-scan') {
      json['Relation Name'] = node.table.name;
      json['Alias'] = node.alias;
      if (node.index !== undefined) json['Index Name'] = node.index.name;
    }
    if (this.costs) {
      json['Startup Cost'] = round(node.estimate.startup);
      json['Total Cost'] = round(node.estimate.total);
      json['Plan Rows'] = Math.round(node.estimate.rows);
    }
    const actual = this.actual(node);
    if (actual !== undefined) {
      if (this.timing) {
        json['Actual Startup Time'] = round(actual.startMs);
        json['Actual Total Time'] = round(actual.endMs);
      }
      json['Actual Rows'] = Math.round(actual.rows / Math.max(1, actual.loops));
      json['Actual Loops'] = actual.loops;
    }
    for (const detail of details) {
      const at = detail.indexOf(': ');
      json[detail.slice(0, at)] = detail.slice(at + 2);
    }
    this.addWork(whole, json);
    const plans: Record<string, unknown>[] = [];
    for (const subquery of subqueriesAt(whole)) {
      const plan = this.jsonOf(this.planner.subplan(subplanOf(subquery)));
      const key = this.memoKey(subquery);
      const memo = key === undefined ? {} : { 'Cache Key': key };
      plans.push({ 'Subplan Name': `SubPlan ${++this.subplans}`, ...memo, ...plan });
    }
    if (node.kind === 'with') {
      for (const { name, plan, recursive } of node.tables) {
        plans.push({ 'Subplan Name': `CTE ${name}`, ...this.jsonOf(plan) });
        if (recursive !== undefined) plans.push({ 'Subplan Name': `CTE ${name}`, ...this.jsonOf(recursive.step) });
      }
      plans.push(this.jsonOf(node.input));
    } else {
      for (const input of inputsOfPhysical(node)) plans.push(this.jsonOf(input));
    }
    if (plans.length > 0) json['Plans'] = plans;
    return json;
  }

  private addWork(whole: PhysicalNode, json: Record<string, unknown>): void {
    const { measure, options } = this;
    if (measure === undefined) return;
    const buffers = ({ cacheHits, pagesRead, bytesRead }: TaskWork): Record<string, unknown> =>
      options.buffers === true
        ? { 'Shared Hit Blocks': cacheHits, 'Shared Read Blocks': pagesRead, 'Shared Read Bytes': bytesRead }
        : {};
    const work = measure.workOf(this.branchOf(whole));
    Object.assign(json, buffers(work));
    if (work.spilledBytes > 0) json['Disk Usage'] = Math.ceil(work.spilledBytes / 1024);
    const workers = options.verbose === true ? this.workersOf(shownOf(whole)) : [];
    if (workers.length === 0) return;
    json['Workers'] = workers.map(({ rows, loops, times, work: share }, i) => ({
      'Worker Number': i,
      ...(this.timing ? { 'Actual Startup Time': round(times.startMs), 'Actual Total Time': round(times.endMs) } : {}),
      'Actual Rows': Math.round(rows / Math.max(1, loops)),
      'Actual Loops': loops,
      ...buffers(share),
    }));
  }

  private writeWith(node: PhysicalNode & { kind: 'with' }, depth: number, lines: string[]): void {
    const inner = ' '.repeat(6 * depth + 2);
    for (const table of node.tables) {
      lines.push(`${inner}CTE ${table.name}`);
      this.write(table.plan, depth + 1, lines);
      if (table.recursive !== undefined) this.write(table.recursive.step, depth + 1, lines);
    }
    this.write(node.input, depth + 1, lines);
  }

  private writeSubplans(whole: PhysicalNode, inner: string, depth: number, lines: string[]): void {
    for (const subquery of subqueriesAt(whole)) {
      const key = this.memoKey(subquery);
      const isHashed = membershipOf(subquery, this.planner.context.catalog.types) !== undefined;
      const manner = isHashed ? ' (hashed)' : key === undefined ? '' : ` (memoized by ${key})`;
      lines.push(`${inner}SubPlan ${++this.subplans}${manner}`);
      this.write(this.planner.subplan(subplanOf(subquery)), depth + 1, lines);
    }
  }

  /** The outer columns for whose values a subquery's results are kept. */
  private memoKey(subquery: Subquery): string | undefined {
    const outer = outerColumnsOf(subquery);
    if (!isMemoized(this.planner, subquery, outer)) return undefined;
    return outer.map((column) => this.columnName(column)).join(', ');
  }

  private describe(node: PhysicalNode): Described {
    switch (node.kind) {
      case 'table-scan':
        return this.describeScan(node);
      case 'column-scan': {
        const conditions = node.zones.map((zone) => zone.condition);
        const details = [...this.condition('Segment Cond', conditions), ...this.condition('Filter', node.filter)];
        details.push(...this.segmentDetails(node));
        return { title: `Column Scan using ${node.index.name} on ${aliased(node.table.name, node.alias)}`, details };
      }
      case 'virtual-scan':
        return { title: `Virtual Scan on ${aliased(node.relation.name, node.alias)}`, details: [] };
      case 'values':
        return { title: node.columns.length === 0 || node.rows.length < 2 ? 'Result' : 'Values Scan', details: [] };
      case 'function-scan': {
        const names = node.calls.map((call) => ('function' in call ? call.function.name : 'expression')).join(', ');
        return { title: `Function Scan on ${aliased(names, node.alias)}`, details: [] };
      }
      case 'filter':
        return { title: 'Filter', details: this.condition('Filter', node.conditions) };
      case 'project':
        return { title: 'Result', details: [] };
      case 'project-set':
        return { title: 'ProjectSet', details: [] };
      case 'hash-join': {
        const title = `Hash ${joinWords(node.join)}`;
        const keys = this.condition(
          'Hash Cond',
          node.keys.map((key) => key.condition),
        );
        return { title, details: [...keys, ...this.condition('Join Filter', node.residual)] };
      }
      case 'nested-loop': {
        const words = joinWords(node.join);
        const looped = words === 'Join' ? 'Nested Loop' : `Nested Loop ${words}`;
        const title = node.inner === 'merge' ? `Merge ${words}` : looped;
        return { title, details: this.condition('Join Filter', node.conditions) };
      }
      case 'aggregate':
        return this.describeAggregate(node);
      case 'gather':
        return { title: 'Gather', details: this.gatherDetails(node) };
      case 'window': {
        const partition = node.partition.map((expression) => this.text(expression)).join(', ');
        const order = node.order.map((key) => sortKeyText(key, this.names)).join(', ');
        const details = [];
        if (partition !== '') details.push(`Partition Key: ${partition}`);
        if (order !== '') details.push(`Order Key: ${order}`);
        return { title: 'WindowAgg', details };
      }
      case 'sort': {
        const keys = node.keys.map((key) => sortKeyText(key, this.names)).join(', ');
        return { title: node.top === undefined ? 'Sort' : 'Top-N Sort', details: [`Sort Key: ${keys}`] };
      }
      case 'limit':
        return { title: 'Limit', details: [] };
      case 'distinct':
        return { title: node.on === undefined ? 'HashAggregate' : 'Unique', details: [] };
      case 'append':
        return { title: 'Append', details: [] };
      case 'set-operation': {
        const words = node.operation === 'intersect' ? 'Intersect' : 'Except';
        return { title: `HashSetOp ${words}${node.all ? ' All' : ''}`, details: [] };
      }
      case 'with':
        return { title: 'With', details: [] };
      case 'cte-scan':
        return { title: `${node.working ? 'WorkTable' : 'CTE'} Scan on ${node.name}`, details: [] };
      case 'lock-rows':
        return { title: 'LockRows', details: [] };
      case 'insert': {
        const details =
          node.conflict === undefined ? [] : [`Conflict Resolution: ${node.conflict.action.toUpperCase()}`];
        return { title: `Insert on ${node.table.name}`, details };
      }
      case 'update':
        return { title: `Update on ${node.table.name}`, details: [] };
      case 'delete':
        return { title: `Delete on ${node.table.name}`, details: [] };
      case 'merge':
        return { title: `Merge on ${node.table.name}`, details: [] };
      default:
        return unreachable(node);
    }
  }

  /** Of an executed scan; rows that the index had not taken in came from the table. */
  private segmentDetails(node: PhysicalNode): string[] {
    const segments = this.measure?.nodes.get(node)?.segments;
    if (segments === undefined) return [];
    const { read, skipped, markedRows } = segments;
    const marked = markedRows === 0 ? [] : [`Rows From Table: ${markedRows}`];
    return [`Segments Read: ${read}`, `Segments Skipped: ${skipped}`, ...marked];
  }

  private gatherDetails({ partitionsMax }: Gather): string[] {
    const { measure, options } = this;
    const details = [`Partitions: ${partitionsMax}`];
    if (options.workers !== undefined) details.push(`Workers Planned: ${options.workers}`);
    if (measure !== undefined) details.push(`Workers Launched: ${measure.threads}`);
    return details;
  }

  private describeScan(node: TableScan): Described {
    const name = aliased(node.table.name, node.alias);
    if (node.range?.union !== undefined) {
      const using = node.range.union.flatMap(({ index, range }) =>
        this.condition(`Using ${index?.name ?? primaryName(node)}`, range.conditions),
      );
      return { title: `Index Union Scan on ${name}`, details: [...using, ...this.condition('Filter', node.filter)] };
    }
    if (node.range?.among !== undefined && node.index !== undefined) {
      const ranges = [...node.range.among, { index: node.index, range: node.range }];
      const using = ranges.flatMap(({ index, range }) => this.condition(`Using ${index.name}`, range.conditions));
      const details = [...using, ...this.condition('Filter', node.filter)];
      return { title: `Index Intersection Scan on ${name}`, details };
    }
    const details = [
      ...this.condition('Index Cond', node.range?.conditions ?? []),
      ...this.condition('Filter', node.filter),
    ];
    const skipping = node.range?.skipsFirst === true ? ' Skip' : '';
    const backward = node.backward ? ' Backward' : '';
    if (node.index !== undefined) {
      const kind = `Index${node.indexOnly ? ' Only' : ''}${skipping} Scan`;
      return { title: `${kind}${backward} using ${node.index.name} on ${name}`, details };
    }
    if (node.range === undefined && !node.backward) return { title: `Seq Scan on ${name}`, details };
    return { title: `Index${skipping} Scan${backward} using ${primaryName(node)} on ${name}`, details };
  }

  private describeAggregate(node: PhysicalNode & { kind: 'aggregate' }): Described {
    const keyText = (at: number): string => this.text((node.keys[at] as (typeof node.keys)[number]).expression);
    if (node.sets !== undefined) {
      const details = node.sets.map((set) => `Group Key: ${set.length === 0 ? '()' : set.map(keyText).join(', ')}`);
      return { title: 'MixedAggregate', details };
    }
    const phase = node.phase === undefined ? '' : node.phase === 'partial' ? 'Partial ' : 'Finalize ';
    if (node.keys.length === 0) return { title: `${phase}Aggregate`, details: [] };
    const title = `${phase}${node.sorted ? 'GroupAggregate' : 'HashAggregate'}`;
    return { title, details: [`Group Key: ${node.keys.map((_, i) => keyText(i)).join(', ')}`] };
  }
}

/** The name of the table's own key. */
function primaryName({ table }: TableScan): string {
  const primary = table.constraints.find((constraint) => constraint.kind === 'primary key');
  return primary?.name ?? `${table.name}_pkey`;
}

/** Times of one run of so many. */
function onAverage({ startMs, endMs }: NodeTimes, runs: number): NodeTimes {
  const turns = Math.max(1, runs);
  return { startMs: startMs / turns, endMs: endMs / turns };
}

/** The node that is shown for one: projections only rename and compute, PostgreSQL has no node for them. */
function shownOf(node: PhysicalNode): PhysicalNode {
  return node.kind === 'project' ? shownOf(node.input) : node;
}

/** The subqueries of the node that is shown, and of projections over it. */
function subqueriesAt(node: PhysicalNode): Subquery[] {
  const own = subqueriesOf(node);
  return node.kind === 'project' ? [...subqueriesAt(node.input), ...own] : own;
}

/** The subqueries of a node's own expressions. */
function subqueriesOf(node: PhysicalNode): Subquery[] {
  const subqueries: Subquery[] = [];
  ownExpressionsOf(node, (expression) => forEachSubquery(expression, (subquery) => subqueries.push(subquery)));
  return subqueries;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function aliased(name: string, alias: string): string {
  return name === alias ? name : `${name} ${alias}`;
}

function joinWords(join: string): string {
  switch (join) {
    case 'left':
      return 'Left Join';
    case 'full':
      return 'Full Join';
    case 'semi':
      return 'Semi Join';
    case 'anti':
      return 'Anti Join';
    default:
      return 'Join';
  }
}
