/**
 * Aggregation in parts: a costly aggregation of one table is done partition by partition, in this thread and in others, and what the
 * partitions gave is made one (G. Graefe, "Encapsulation of Parallelism in the Volcano Query Processing System", 1990).
 *
 *   Finalize HashAggregate                sum(sums), sum(counts), min(mins) by group
 *     Gather                              rows of partition 0, then of 1, then of 2 ...
 *       Partial HashAggregate             sum, count, min by group, of one partition
 *         Seq Scan on sales               one partition
 *
 * 1. Partitions are a matter of the plan and of the stored data alone, never of how many threads there are, and are put together in
 *    their order: so the order of groups is the same with one thread and with ten. Sums of floats travel unrounded
 *    (functions/exact-sum.ts), and are those of the plan that is not divided.
 * 2. An aggregate is divided where the whole follows from the parts by other aggregates; a plan with one that is not stays whole.
 * 3. The plan runs its Gather once: it is looked for below nodes with one input only, from the root down.
 *
 * Left out: joins below (each partition would build their tables anew), DISTINCT and ordered aggregates, grouping sets.
 */
import {
  AVERAGE_OF_DECIMALS,
  AVERAGE_OF_FLOATS,
  FLOAT_SUM_PARTS,
  SUM_OF_FLOATS,
  SUM_OF_SINGLES,
} from '../../functions/sums-of-parts.js';
import type { AggregateFunction } from '../../functions/registry.js';
import type { BindContext } from '../../expr/context.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import { spillCodec } from '../../exec/spill/spill-codec.js';
import { TypeOid } from '../../types/type-oids.js';
import { INT8 } from '../../types/type-refs.js';
import { FIRST_VALUE } from '../binder/bind-group.js';
import type { AggregateCall } from '../logical/logical.js';
import { hasSubquery } from '../rules/facts.js';
import { estimate } from './costs.js';
import type { AggregateNode, ColumnScan, Gather, PhysicalNode, TableScan } from './physical.js';
import type { PhysicalPlanner } from './planner.js';
import { ownExpressionsOf } from './walk.js';

/** Work of a partition, in visits of a row: some milliseconds, beside which handing it over is little. */
const PARTITION_COST = 50_000;
const PARTITIONS_MIN = 4;
const PARTITIONS_MAX = 64;
/** Rows below for each row that the partitions give, at least. */
const ROWS_A_GROUP_MIN = 8;

/** The plan with its aggregation done in parts, where that pays and is the same. The plan only reads, and nothing volatile. */
export function withPartialAggregation(planner: PhysicalPlanner, node: PhysicalNode): PhysicalNode {
  switch (node.kind) {
    case 'project':
    case 'filter':
    case 'sort':
    case 'limit':
    case 'distinct':
    case 'window':
      return withInput(planner, node);
    case 'aggregate':
      return inParts(planner, node) ?? withInput(planner, node);
    default:
      return node;
  }
}

function withInput<N extends PhysicalNode & { readonly input: PhysicalNode }>(planner: PhysicalPlanner, node: N): N {
  const input = withPartialAggregation(planner, node.input);
  return input === node.input ? node : { ...node, input };
}

/** The Gather of a plan, if it has one. */
export function gatherOf(node: PhysicalNode): Gather | undefined {
  switch (node.kind) {
    case 'gather':
      return node;
    case 'project':
    case 'filter':
    case 'sort':
    case 'limit':
    case 'distinct':
    case 'window':
    case 'aggregate':
      return gatherOf(node.input);
    default:
      return undefined;
  }
}

function inParts(planner: PhysicalPlanner, node: AggregateNode): PhysicalNode | undefined {
  const { context } = planner;
  const { total } = node.estimate;
  if (total < context.catalog.parallelSetupCost || planner.penalty('partial aggregation') > 0) return undefined;
  if (node.sorted || node.sets !== undefined || node.groupings.length > 0 || asksSubqueries(node)) return undefined;
  const partitionsMax = partitionsFor(node);
  const scan = partitionsMax < PARTITIONS_MIN ? undefined : scanBelow(node.input);
  if (scan === undefined) return undefined;
  const below: AggregateCall[] = [];
  const above: AggregateCall[] = [];
  for (const call of node.calls) if (!divide(call, context, below, above)) return undefined;
  const keys = node.keys.map(({ expression }) => {
    const name = expression.kind === 'column' ? context.pool.get(expression.column).name : 'key';
    return { column: context.newColumn(name, expression.type), expression };
  });
  const columns: ColumnId[] = [...keys, ...below].map(({ column }) => column);
  const types = columns.map((column) => context.pool.get(column).type);
  if (spillCodec(types, context.catalog.types) === undefined) return undefined;
  const { rows } = node.estimate;
  const divided: TableScan | ColumnScan = { ...scan, partitioned: true };
  const partial: AggregateNode = {
    kind: 'aggregate',
    phase: 'partial',
    input: replaced(node.input, scan, divided),
    sorted: false,
    keys,
    sets: undefined,
    calls: below,
    groupings: [],
    columns,
    estimate: estimate(rows, node.estimate.startup / partitionsMax, total / partitionsMax),
  };
  const gather: Gather = {
    kind: 'gather',
    input: partial,
    scan: divided,
    partitionsMax,
    columns,
    estimate: estimate(rows * partitionsMax, partial.estimate.total, total),
  };
  const final = node.keys.map(({ column, expression }, i) => ({
    column,
    expression: columnReference((keys[i] as (typeof keys)[number]).column, expression.type),
  }));
  return { ...node, phase: 'final', input: gather, keys: final, calls: above };
}

/** How many partitions there should be: few where each of them has many groups. */
function partitionsFor({ estimate: { total, rows }, input, keys }: AggregateNode): number {
  const byCost = Math.max(PARTITIONS_MIN, Math.min(PARTITIONS_MAX, Math.round(total / PARTITION_COST)));
  if (keys.length === 0) return byCost;
  return Math.min(byCost, Math.floor(input.estimate.rows / (Math.max(1, rows) * ROWS_A_GROUP_MIN)));
}

/** The scan under filters and projections, if it is one that can be divided. */
function scanBelow(node: PhysicalNode): TableScan | ColumnScan | undefined {
  switch (node.kind) {
    case 'filter':
    case 'project':
      return asksSubqueries(node) ? undefined : scanBelow(node.input);
    case 'column-scan':
      return asksSubqueries(node) ? undefined : node;
    case 'table-scan':
      return !asksSubqueries(node) && isOneRange(node) ? node : undefined;
    default:
      return undefined;
  }
}

/** It reads one stretch of keys, forward. */
function isOneRange({ range, unique, backward, rowReference }: TableScan): boolean {
  if (unique || backward || rowReference !== undefined) return false;
  if (range === undefined) return true;
  const { any, terms, documents, union, among, skipsFirst } = range;
  return [any, terms, documents, union, among, skipsFirst].every((way) => way === undefined);
}

function asksSubqueries(node: PhysicalNode): boolean {
  let found = false;
  ownExpressionsOf(node, (expression) => {
    found ||= hasSubquery(expression);
  });
  return found;
}

function replaced(node: PhysicalNode, scan: PhysicalNode, by: PhysicalNode): PhysicalNode {
  if (node === scan) return by;
  return node.kind === 'filter' || node.kind === 'project' ? { ...node, input: replaced(node.input, scan, by) } : node;
}

const SAME_ABOVE: ReadonlySet<string> = new Set([
  'min',
  'max',
  'bool_and',
  'bool_or',
  'every',
  'bit_and',
  'bit_or',
  'bit_xor',
]);
const SUMMED: ReadonlySet<number> = new Set([TypeOid.int2, TypeOid.int4, TypeOid.int8, TypeOid.numeric]);
const FLOATS: ReadonlySet<number> = new Set([TypeOid.float4, TypeOid.float8]);

/** Adds what a call becomes below and above; false where the whole does not follow from the parts. */
function divide(call: AggregateCall, context: BindContext, below: AggregateCall[], above: AggregateCall[]): boolean {
  const { name, routine, ordering } = call.function;
  if (routine !== undefined || ordering !== undefined || call.distinct || call.orderBy.length > 0) return false;
  if (call.directArguments.length > 0 || call.variadicFrom !== undefined) return false;
  const [argument] = call.arguments;
  const add = (part: AggregateFunction, type: AggregateCall['type']): Expression => {
    const column = context.newColumn(part.name, type);
    below.push({ ...call, column, function: part, type });
    return columnReference(column, type);
  };
  const combine = (whole: AggregateFunction, parts: readonly Expression[]): boolean => {
    const argumentTypes = parts.map((part) => part.type);
    return above.push({ ...call, function: whole, arguments: parts, argumentTypes, filter: undefined }) > 0;
  };
  if (name === 'count') {
    const sum = builtIn(context, 'sum', TypeOid.int4);
    return sum !== undefined && combine(sum, [add(call.function, INT8)]);
  }
  if (argument === undefined || call.arguments.length !== 1) return false;
  const { oid } = argument.type;
  if (call.function === FIRST_VALUE) return combine(FIRST_VALUE, [add(FIRST_VALUE, argument.type)]);
  if (SAME_ABOVE.has(name)) {
    if (call.type.oid !== oid) return false;
    return combine(call.function, [add(call.function, argument.type)]);
  }
  if (name === 'sum' && SUMMED.has(oid)) {
    // bigint parts are summed as those of integer are: to a bigint again.
    const whole =
      call.type.oid === TypeOid.int8 ? builtIn(context, 'sum', TypeOid.int4) : builtIn(context, 'sum', call.type.oid);
    return whole !== undefined && combine(whole, [add(call.function, call.type)]);
  }
  const floatParts = (): Expression[] => FLOAT_SUM_PARTS.map((part) => add(part, { oid: part.resultType, typmod: -1 }));
  if (name === 'sum' && FLOATS.has(oid)) {
    return combine(oid === TypeOid.float4 ? SUM_OF_SINGLES : SUM_OF_FLOATS, floatParts());
  }
  const count = builtIn(context, 'count', TypeOid.int4);
  if (name !== 'avg' || count === undefined) return false;
  if (FLOATS.has(oid)) return combine(AVERAGE_OF_FLOATS, [...floatParts(), add(count, INT8)]);
  const sum = SUMMED.has(oid) ? builtIn(context, 'sum', oid) : undefined;
  if (sum === undefined) return false;
  return combine(AVERAGE_OF_DECIMALS, [add(sum, { oid: sum.resultType, typmod: -1 }), add(count, INT8)]);
}

/** A built-in aggregate; undefined when there is none. */
function builtIn(context: BindContext, name: string, oid: number): AggregateFunction | undefined {
  const resolved = context.catalog.functions.resolveFunction(name, [oid]);
  if (typeof resolved === 'string') return undefined;
  const { definition } = resolved;
  return definition.kind === 'aggregate' && definition.routine === undefined ? definition : undefined;
}
