/**
 * Variance, deviation, regression, and the ordered-set and hypothetical aggregates. Doubles are accumulated as PostgreSQL 12
 * and later do (Youngs and Cramer: sums of squares of differences, no cancellation); integers and numerics exactly.
 */
import { PhantomError } from '@phantom/base';
import { Decimal, type Interval, SqlArray, decimalSqrtTo, divisionScale } from '@phantom/codec';
import { floatOverflow } from '../types/sql-errors.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { addIntervals, multiplyInterval, subtractIntervals } from './date-time-arithmetic.js';
import { type AggregateCode, type Implementation, type Implementations, aggregate } from './implementation.js';

// ------------------------------------------------------------------------------------------------------- variance

interface FloatSpread {
  count: number;
  sum: number;
  /** Sum of squared differences from the mean. */
  squares: number;
}

function addFloat(state: FloatSpread, value: number): FloatSpread {
  const before = state.sum;
  state.count++;
  state.sum += value;
  if (state.count > 1) {
    const difference = value * state.count - state.sum;
    state.squares += (difference * difference) / (state.count * (state.count - 1));
    if (!Number.isFinite(state.sum) || !Number.isFinite(state.squares)) {
      if (Number.isFinite(before) && Number.isFinite(value)) throw floatOverflow();
      state.squares = Number.NaN;
    }
  } else if (!Number.isFinite(value)) {
    state.squares = Number.NaN;
  }
  return state;
}

function combineFloats(a: FloatSpread, b: FloatSpread): FloatSpread {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const difference = a.sum / a.count - b.sum / b.count;
  return {
    count,
    sum: a.sum + b.sum,
    squares: a.squares + b.squares + (a.count * b.count * difference * difference) / count,
  };
}

function floatSpread(final: (state: FloatSpread) => number | null): AggregateCode {
  return aggregate<FloatSpread, [number]>({
    init: () => ({ count: 0, sum: 0, squares: 0 }),
    step: addFloat,
    final,
    combine: combineFloats,
  });
}

/** Sums that may have more digits on either side of the point than a numeric has. */
interface ExactSpread {
  count: number;
  /** Digits of `sum` behind the point; `squares` has twice as many. */
  scale: number;
  sum: bigint;
  squares: bigint;
  /** False once a NaN or an infinity was among the values. */
  finite: boolean;
}

function addExact(state: ExactSpread, value: Decimal): ExactSpread {
  state.count++;
  if (!value.isFinite()) {
    state.finite = false;
    return state;
  }
  if (value.scale > state.scale) rescale(state, value.scale);
  const scaled = value.scaledTo(state.scale);
  state.sum += scaled;
  state.squares += scaled * scaled;
  return state;
}

function rescale(state: ExactSpread, scale: number): void {
  const factor = 10n ** BigInt(scale - state.scale);
  state.sum *= factor;
  state.squares *= factor * factor;
  state.scale = scale;
}

function combineExact(a: ExactSpread, b: ExactSpread): ExactSpread {
  const [coarse, fine] = a.scale < b.scale ? [{ ...a }, b] : [{ ...b }, a];
  rescale(coarse, fine.scale);
  return {
    count: coarse.count + fine.count,
    scale: fine.scale,
    sum: coarse.sum + fine.sum,
    squares: coarse.squares + fine.squares,
    finite: coarse.finite && fine.finite,
  };
}

function exactResult(state: ExactSpread, sample: boolean, root: boolean): Decimal | null {
  const { count } = state;
  if (count === 0 || (sample && count <= 1)) return null;
  if (!state.finite) return Decimal.NaN;
  const n = BigInt(count);
  const unscaled = n * state.squares - state.sum * state.sum;
  if (unscaled <= 0n) return Decimal.Zero;
  // Not checked: it may have more digits behind the point than a numeric, of which the quotient shows none.
  const spread = new Decimal(unscaled, 2 * state.scale);
  const divisor = Decimal.of(n * BigInt(sample ? count - 1 : count));
  const scale = divisionScale(spread, divisor);
  const variance = spread.divideTo(divisor, scale, true);
  return root ? decimalSqrtTo(variance, scale) : variance;
}

function exactSpread<V>(toDecimal: (value: V) => Decimal, sample: boolean, root: boolean): AggregateCode {
  return aggregate<ExactSpread, [V]>({
    init: () => ({ count: 0, scale: 0, sum: 0n, squares: 0n, finite: true }),
    step: (state, value) => addExact(state, toDecimal(value)),
    final: (state) => exactResult(state, sample, root),
    combine: combineExact,
  });
}

function variances(): Record<string, Implementation> {
  const table: Record<string, Implementation> = {};
  const kinds: readonly [string, boolean, boolean][] = [
    ['var_pop', false, false],
    ['var_samp', true, false],
    ['variance', true, false],
    ['stddev_pop', false, true],
    ['stddev_samp', true, true],
    ['stddev', true, true],
  ];
  for (const [name, sample, root] of kinds) {
    const float = floatSpread((state) => {
      if (state.count === 0 || (sample && state.count <= 1)) return null;
      const variance = state.squares / (sample ? state.count - 1 : state.count);
      return root ? Math.sqrt(variance) : variance;
    });
    table[`${name}:float4`] = float;
    table[`${name}:float8`] = float;
    table[`${name}:numeric`] = exactSpread<Decimal>((value) => value, sample, root);
    for (const type of ['int2', 'int4', 'int8']) {
      table[`${name}:${type}`] = exactSpread<number | bigint>((value) => new Decimal(value, 0), sample, root);
    }
  }
  return table;
}

// ----------------------------------------------------------------------------------------------------- regression

interface PairSpread {
  count: number;
  sumX: number;
  sumY: number;
  squaresX: number;
  squaresY: number;
  products: number;
}

/** SQL gives the dependent variable first. */
function addPair(state: PairSpread, y: number, x: number): PairSpread {
  state.count++;
  state.sumX += x;
  state.sumY += y;
  if (state.count > 1) {
    const differenceX = x * state.count - state.sumX;
    const differenceY = y * state.count - state.sumY;
    const scale = 1 / (state.count * (state.count - 1));
    state.squaresX += differenceX * differenceX * scale;
    state.squaresY += differenceY * differenceY * scale;
    state.products += differenceX * differenceY * scale;
    const finite = [state.sumX, state.squaresX, state.sumY, state.squaresY, state.products].every(Number.isFinite);
    if (!finite) markInfinite(state, x, y);
  } else {
    if (!Number.isFinite(x)) state.squaresX = state.products = Number.NaN;
    if (!Number.isFinite(y)) state.squaresY = state.products = Number.NaN;
  }
  return state;
}

function markInfinite(state: PairSpread, x: number, y: number): void {
  if (Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(state.sumX - x) && Number.isFinite(state.sumY - y)) {
    if (!Number.isNaN(state.products)) throw floatOverflow();
  }
  if (!Number.isFinite(state.squaresX)) state.squaresX = Number.NaN;
  if (!Number.isFinite(state.squaresY)) state.squaresY = Number.NaN;
  if (!Number.isFinite(state.products)) state.products = Number.NaN;
}

function pairs(least: number, final: (state: PairSpread) => number | null): AggregateCode {
  return aggregate<PairSpread, [number, number]>({
    init: () => ({ count: 0, sumX: 0, sumY: 0, squaresX: 0, squaresY: 0, products: 0 }),
    step: addPair,
    final: (state) => (state.count < least ? null : final(state)),
  });
}

const regression: Implementations = {
  'regr_count:float8,float8': pairs(0, (state) => state.count),
  'regr_sxx:float8,float8': pairs(1, (state) => state.squaresX),
  'regr_syy:float8,float8': pairs(1, (state) => state.squaresY),
  'regr_sxy:float8,float8': pairs(1, (state) => state.products),
  'regr_avgx:float8,float8': pairs(1, (state) => state.sumX / state.count),
  'regr_avgy:float8,float8': pairs(1, (state) => state.sumY / state.count),
  'covar_pop:float8,float8': pairs(1, (state) => state.products / state.count),
  'covar_samp:float8,float8': pairs(2, (state) => state.products / (state.count - 1)),
  'corr:float8,float8': pairs(1, (state) =>
    state.squaresX === 0 || state.squaresY === 0 ? null : state.products / Math.sqrt(state.squaresX * state.squaresY),
  ),
  'regr_r2:float8,float8': pairs(1, (state) => {
    if (state.squaresX === 0) return null;
    if (state.squaresY === 0) return 1;
    return (state.products * state.products) / (state.squaresX * state.squaresY);
  }),
  'regr_slope:float8,float8': pairs(1, (state) => (state.squaresX === 0 ? null : state.products / state.squaresX)),
  'regr_intercept:float8,float8': pairs(1, (state) =>
    state.squaresX === 0 ? null : (state.sumY - (state.sumX * state.products) / state.squaresX) / state.count,
  ),
};

// --------------------------------------------------------------------------------------------------- ordered sets

interface Sorted {
  readonly values: Value[];
  readonly elementOid: number;
}

function ordered(final: (state: Sorted, fraction: never) => Value): AggregateCode {
  return aggregate<Sorted, [Value]>({
    init: (_context, types) => ({
      values: [],
      elementOid: types.arguments[types.arguments.length - 1]?.oid ?? TypeOid.text,
    }),
    step: (state, value) => {
      state.values.push(value);
      return state;
    },
    final,
    ordering: 'ordered-set',
  });
}

function checkFraction(fraction: number): void {
  if (fraction < 0 || fraction > 1 || Number.isNaN(fraction)) {
    throw new PhantomError('22003', `percentile value ${fraction} is not between 0 and 1`);
  }
}

/** The first value whose position in the order reaches the fraction. */
function discrete(values: readonly Value[], fraction: number | null): Value {
  if (fraction === null) return null;
  checkFraction(fraction);
  if (values.length === 0) return null;
  return values[Math.max(Math.ceil(fraction * values.length), 1) - 1];
}

function continuous<V>(
  values: readonly Value[],
  fraction: number | null,
  between: (low: V, high: V, share: number) => V,
): V | null {
  if (fraction === null) return null;
  checkFraction(fraction);
  if (values.length === 0) return null;
  const place = fraction * (values.length - 1);
  const first = Math.floor(place);
  const low = values[first] as V;
  return Math.ceil(place) === first ? low : between(low, values[first + 1] as V, place - first);
}

const betweenFloats = (low: number, high: number, share: number): number => low + share * (high - low);
const betweenIntervals = (low: Interval, high: Interval, share: number): Interval =>
  addIntervals(multiplyInterval(subtractIntervals(high, low), share), low);

/** The same percentile for each fraction of an array, in its shape. */
function forEach(
  fractions: SqlArray | null,
  elementOid: number,
  compute: (fraction: number | null) => Value,
): SqlArray | null {
  if (fractions === null) return null;
  const items = (fractions.items as (number | null)[]).map(compute);
  return new SqlArray(elementOid, fractions.dimensions, fractions.lowerBounds, items);
}

/** The commonest value; of several the first in the order. */
function mode(values: readonly Value[], equal: (a: Value, b: Value) => boolean): Value {
  let best: Value = null;
  let bestCount = 0;
  for (let start = 0; start < values.length;) {
    let end = start + 1;
    while (end < values.length && equal(values[start], values[end])) end++;
    if (end - start > bestCount) {
      best = values[start];
      bestCount = end - start;
    }
    start = end;
  }
  return best;
}

interface ModeState extends Sorted {
  readonly equal: (a: Value, b: Value) => boolean;
}

const modeAggregate = aggregate<ModeState, [Value]>({
  init: (context, types) => {
    const compare = context.types.byOid(types.arguments[0]?.oid ?? 0)?.compare;
    return { values: [], elementOid: 0, equal: (a, b) => (compare === undefined ? a === b : compare(a, b) === 0) };
  },
  step: (state, value) => {
    state.values.push(value);
    return state;
  },
  final: (state) => mode(state.values, state.equal),
  ordering: 'ordered-set',
});

interface Standing {
  before: number;
  peers: number;
  groupsBefore: number;
  rows: number;
}

/** Each row says how it stands to the hypothetical one, and whether it begins a new group of equals. */
function hypothetical(final: (state: Standing) => number): AggregateCode {
  return aggregate<Standing, [number, boolean]>({
    init: () => ({ before: 0, peers: 0, groupsBefore: 0, rows: 0 }),
    strict: false,
    step: (state, order, isNewGroup) => {
      state.rows++;
      if (order < 0) {
        state.before++;
        if (isNewGroup) state.groupsBefore++;
      } else if (order === 0) {
        state.peers++;
      }
      return state;
    },
    final,
    ordering: 'hypothetical',
  });
}

const orderedSets: Implementations = {
  'percentile_disc:float8,anyelement': ordered((state, fraction: number | null) => discrete(state.values, fraction)),
  'percentile_disc:_float8,anyelement': ordered((state, fractions: SqlArray | null) =>
    state.values.length === 0
      ? null
      : forEach(fractions, state.elementOid, (fraction) => discrete(state.values, fraction)),
  ),
  'percentile_cont:float8,float8': ordered((state, fraction: number | null) =>
    continuous(state.values, fraction, betweenFloats),
  ),
  'percentile_cont:float8,interval': ordered((state, fraction: number | null) =>
    continuous(state.values, fraction, betweenIntervals),
  ),
  'percentile_cont:_float8,float8': ordered((state, fractions: SqlArray | null) =>
    state.values.length === 0
      ? null
      : forEach(fractions, TypeOid.float8, (fraction) => continuous(state.values, fraction, betweenFloats)),
  ),
  'percentile_cont:_float8,interval': ordered((state, fractions: SqlArray | null) =>
    state.values.length === 0
      ? null
      : forEach(fractions, TypeOid.interval, (fraction) => continuous(state.values, fraction, betweenIntervals)),
  ),
  'mode:anyelement': modeAggregate,
  'rank:any': hypothetical((state) => state.before + 1),
  'dense_rank:any': hypothetical((state) => state.groupsBefore + 1),
  'percent_rank:any': hypothetical((state) => (state.rows === 0 ? 0 : state.before / state.rows)),
  'cume_dist:any': hypothetical((state) => (state.before + state.peers + 1) / (state.rows + 1)),
};

export const statisticsAggregates: Implementations = { ...variances(), ...regression, ...orderedSets };
