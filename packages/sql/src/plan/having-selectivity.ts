/**
 * Which share of the groups of an aggregation its HAVING leaves: by the distribution of what is compared with a constant, where
 * statistics tell of it (statistics/group-selectivity.ts), else by fixed shares.
 */
import { conjuncts, type ComparisonRole, type Expression } from '../expr/expression.js';
import type { Value } from '../types/type.js';
import type { Cardinality } from './cardinality.js';
import type { Aggregate, AggregateCall, LogicalNode } from './logical/logical.js';
import { columnsOf } from './logical/walk.js';
import { FLIPPED } from './physical/access-path.js';
import {
  averageShare,
  countShare,
  extremeShare,
  type GroupClass,
  momentsOf,
  numberOf,
  shareOfGroups,
  sumShare,
} from './statistics/group-selectivity.js';
import { shareBeside } from './statistics/value-selectivity.js';

/** Of a condition on what an aggregate gives, of which nothing is known: HAVING asks for the groups that stand out. */
const AGGREGATE_SELECTIVITY = 0.05;
/** A share by a distribution is no less than this: rows do not fall on groups by chance alone. */
const SELECTIVITY_MIN = 0.0001;

/** Of HAVING, or what stands for it; undefined for other filters. */
export function havingSelectivity(
  cardinality: Cardinality,
  { input, conditions }: LogicalNode & { kind: 'filter' },
): number | undefined {
  if (input.kind !== 'aggregate' || input.keys.length === 0) return undefined;
  const calls = new Map(input.calls.map((call) => [call.column, call]));
  let selectivity = 1;
  for (const condition of conditions.flatMap(conjuncts)) {
    const isOnResult = [...columnsOf(condition)].some((column) => calls.has(column));
    if (!isOnResult) selectivity *= cardinality.selectivity(condition);
    else selectivity *= comparedShare(cardinality, input, condition) ?? AGGREGATE_SELECTIVITY;
  }
  return selectivity;
}

/** Of a comparison of an aggregate's result with a constant. */
function comparedShare(cardinality: Cardinality, aggregate: Aggregate, condition: Expression): number | undefined {
  if (condition.kind !== 'call' || condition.operator?.role === undefined) return undefined;
  const [left, right] = condition.arguments;
  if (left === undefined || right === undefined) return undefined;
  const { role } = condition.operator;
  const isFlipped = left.kind === 'constant';
  const [result, bound] = isFlipped ? [right, left] : [left, right];
  const call = aggregate.calls.find(({ column }) => result.kind === 'column' && result.column === column);
  if (call === undefined || bound.kind !== 'constant' || call.distinct || call.filter !== undefined) return undefined;
  const seen = isFlipped && role !== '<>' ? FLIPPED[role] : role;
  const share = shareOf(cardinality, aggregate, call, seen, bound.value);
  return share === undefined ? undefined : Math.min(1, Math.max(SELECTIVITY_MIN, share));
}

function shareOf(
  cardinality: Cardinality,
  aggregate: Aggregate,
  call: AggregateCall,
  role: ComparisonRole,
  value: Value,
): number | undefined {
  const classes = classesOf(cardinality, aggregate);
  const [argument] = call.arguments;
  const bound = numberOf(value);
  const { name } = call.function;
  if (name === 'count') {
    if (bound === undefined) return undefined;
    return shareOfGroups(classes, (rows) => countShare(rows, role, bound));
  }
  const statistics = argument === undefined ? undefined : cardinality.columnStatistics(argument);
  if (argument === undefined || statistics === undefined) return undefined;
  if (name === 'min' || name === 'max') {
    const compare = cardinality.compareOf(argument);
    if (compare === undefined) return undefined;
    const below = shareBeside(statistics, value, true, false, compare);
    const upTo = shareBeside(statistics, value, true, true, compare);
    if (below === undefined || upTo === undefined) return undefined;
    return shareOfGroups(classes, (rows) => extremeShare(rows, name === 'max', below, upTo, role));
  }
  const moments = name === 'sum' || name === 'avg' ? momentsOf(statistics) : undefined;
  if (moments === undefined || bound === undefined) return undefined;
  const share = name === 'sum' ? sumShare : averageShare;
  return shareOfGroups(classes, (rows) => share(rows, moments, role, bound));
}

/** The groups by size: those of a key's common values, and all others. */
function classesOf(cardinality: Cardinality, { input, keys, sets }: Aggregate): GroupClass[] {
  const rows = cardinality.rows(input);
  const expressions = keys.map(({ expression }) => expression);
  const groups = cardinality.distinctOfAll(expressions, rows, input);
  const [only] = expressions;
  const common =
    only === undefined || expressions.length > 1 || sets !== undefined
      ? []
      : (cardinality.columnStatistics(only)?.mostCommon ?? []);
  const classes = common.slice(0, Math.floor(groups)).map(({ fraction }) => ({ groups: 1, rows: rows * fraction }));
  const rest = classes.reduce((sum, one) => sum - one.rows, rows);
  const others = groups - classes.length;
  if (others > 0) classes.push({ groups: others, rows: Math.max(1, rest / others) });
  return classes;
}
