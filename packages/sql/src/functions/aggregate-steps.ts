/**
 * Functions that PostgreSQL's own aggregates are made of and that users make theirs of: steps over states that are plain values.
 * Sums of squares follow E. A. Youngs and E. M. Cramer, as those of float.c do.
 *
 *   integers   { count, sum } as bigint[]
 *   floats     { N, Sx, Sxx }, and for two variables { N, Sx, Sxx, Sy, Syy, Sxy }, as double precision[]
 */
import { PhantomError } from '@phantom/base';
import { Decimal, SqlArray } from '@phantom/codec';
import { floatOverflow } from '../types/sql-errors.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import type { Implementations } from './implementation.js';
import { type Int8, int8add as add } from './integers.js';

/** The items of a state; 22000 for an array of another kind. */
function itemsOf<T>(state: SqlArray, count: number, type: string): readonly T[] {
  const { items } = state;
  if (items.length !== count || items.includes(null))
    throw new PhantomError('22000', `expected ${count}-element ${type} array`);
  return items as readonly T[];
}

function countAndAdd(state: SqlArray, value: Int8): SqlArray {
  const [count, sum] = itemsOf<Int8>(state, 2, 'int8') as [Int8, Int8];
  return SqlArray.of(TypeOid.int8, [add(count, 1), add(sum, value)]);
}

function floats(values: readonly number[]): SqlArray {
  return SqlArray.of(TypeOid.float8, values);
}

/** Sxx after one more value, or NaN where no finite one can be told. */
function squares(before: number, deviation: number, scale: number, isFinite: boolean): number {
  const after = before + deviation * deviation * scale;
  if (Number.isFinite(after)) return after;
  if (isFinite) throw floatOverflow();
  return Number.NaN;
}

function float8Accum(state: SqlArray, value: number): SqlArray {
  const [n, sx, sxx] = itemsOf<number>(state, 3, 'float8') as [number, number, number];
  const count = n + 1;
  const sum = sx + value;
  if (n === 0) return floats([count, sum, Number.isFinite(value) ? sxx : Number.NaN]);
  const isFinite = Number.isFinite(sx) && Number.isFinite(value);
  return floats([count, sum, squares(sxx, value * count - sum, 1 / (count * n), isFinite)]);
}

function float8Combine(a: SqlArray, b: SqlArray): SqlArray {
  const [n1, sx1, sxx1] = itemsOf<number>(a, 3, 'float8') as [number, number, number];
  const [n2, sx2, sxx2] = itemsOf<number>(b, 3, 'float8') as [number, number, number];
  if (n1 === 0) return b;
  if (n2 === 0) return a;
  const between = sx1 / n1 - sx2 / n2;
  return floats([n1 + n2, sx1 + sx2, sxx1 + sxx2 + (n1 * n2 * between * between) / (n1 + n2)]);
}

type Regression = [number, number, number, number, number, number];

function float8RegressionAccum(state: SqlArray, y: number, x: number): SqlArray {
  const [n, sx, sxx, sy, syy, sxy] = itemsOf<number>(state, 6, 'float8') as Regression;
  const count = n + 1;
  const [sumX, sumY] = [sx + x, sy + y];
  if (n === 0) {
    const none = (finite: boolean, before: number): number => (finite ? before : Number.NaN);
    const [isX, isY] = [Number.isFinite(x), Number.isFinite(y)];
    return floats([count, sumX, none(isX, sxx), sumY, none(isY, syy), none(isX && isY, sxy)]);
  }
  const [fromX, fromY, scale] = [x * count - sumX, y * count - sumY, 1 / (count * n)];
  const isX = Number.isFinite(sx) && Number.isFinite(x);
  const isY = Number.isFinite(sy) && Number.isFinite(y);
  const [squareX, squareY] = [squares(sxx, fromX, scale, isX), squares(syy, fromY, scale, isY)];
  return floats([count, sumX, squareX, sumY, squareY, isX && isY ? sxy + fromX * fromY * scale : Number.NaN]);
}

function float8RegressionCombine(a: SqlArray, b: SqlArray): SqlArray {
  const [n1, sx1, sxx1, sy1, syy1, sxy1] = itemsOf<number>(a, 6, 'float8') as Regression;
  const [n2, sx2, sxx2, sy2, syy2, sxy2] = itemsOf<number>(b, 6, 'float8') as Regression;
  if (n1 === 0) return b;
  if (n2 === 0) return a;
  const n = n1 + n2;
  const [x, y, weight] = [sx1 / n1 - sx2 / n2, sy1 / n1 - sy2 / n2, (n1 * n2) / n];
  return floats([
    n,
    sx1 + sx2,
    sxx1 + sxx2 + weight * x * x,
    sy1 + sy2,
    syy1 + syy2 + weight * y * y,
    sxy1 + sxy2 + weight * x * y,
  ]);
}

/** A sum that begins with its first value. */
function sumOf(state: Int8 | null, value: Int8 | null): Int8 | null {
  if (state === null || value === null) return state ?? value;
  return add(state, value);
}

export const aggregateSteps: Implementations = {
  int_avg_accum: countAndAdd,
  int8_avg: (state: SqlArray): Value => {
    const [count, sum] = itemsOf<Int8>(state, 2, 'int8') as [Int8, Int8];
    return Number(count) === 0 ? null : new Decimal(BigInt(sum), 0).div(new Decimal(BigInt(count), 0));
  },
  int_sum: sumOf,
  int8inc_any: (state: Int8): Int8 => add(state, 1),
  float8_accum: float8Accum,
  float8_combine: float8Combine,
  float8_regr_accum: float8RegressionAccum,
  float8_regr_combine: float8RegressionCombine,
};
