/**
 * Which share of the groups has an aggregate above or below a constant: HAVING. Rows are taken to fall on groups by chance, so that
 * the size of a group is Poisson distributed about the mean, but for groups of common values, whose sizes are known. A sum over a
 * group is then compound Poisson, and near enough normal: of n values on average its mean is n E[x], its variance n E[x^2]. The
 * greatest of n values is above c unless all are below. (W. Feller, "An Introduction to Probability Theory", volume 1, XII.)
 *
 * Left out: aggregates over expressions, DISTINCT and FILTER, of which the moments of no column tell; they keep a fixed share.
 */
import { Decimal } from '@phantom/codec';
import type { ComparisonRole } from '../../expr/expression.js';
import type { Value } from '../../types/type.js';
import type { ColumnStatistics } from '../catalog-port.js';

/** Groups alike in size: how many of them, and rows of each on average. */
export interface GroupClass {
  readonly groups: number;
  readonly rows: number;
}

/** Of the values of a column that are not null: the mean, and the mean of their squares. */
export interface Moments {
  readonly mean: number;
  readonly square: number;
}

/** Beyond this mean a Poisson distribution is summed no more: it is normal. */
const SUMMED_MEAN_MAX = 200;

/** A number as such, if the value is one of any kind. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Decimal ? value.toNumber() : undefined;
}

/** Of a column of numbers, by its common values and its histogram; undefined where these are not known. */
export function momentsOf({ mostCommon = [], histogram = [], nullFraction }: ColumnStatistics): Moments | undefined {
  let [share, sum, squares] = [0, 0, 0];
  for (const { value, fraction } of mostCommon) {
    const x = numberOf(value);
    if (x === undefined) return undefined;
    share += fraction;
    sum += fraction * x;
    squares += fraction * x * x;
  }
  const others = Math.max(0, 1 - nullFraction - share);
  const buckets = histogram.length - 1;
  for (let i = 0; i < buckets; i++) {
    const from = numberOf(histogram[i]);
    const to = numberOf(histogram[i + 1]);
    if (from === undefined || to === undefined) return undefined;
    // Even between the bounds of a bucket.
    sum += (others / buckets) * ((from + to) / 2);
    squares += (others / buckets) * ((from * from + from * to + to * to) / 3);
  }
  const known = buckets > 0 ? share + others : share;
  if (known <= 0 || !Number.isFinite(squares)) return undefined;
  return { mean: sum / known, square: squares / known };
}

/** The share of all groups for which `of` gives the probability in a class of them. */
export function shareOfGroups(classes: readonly GroupClass[], of: (rows: number) => number): number {
  let [groups, met] = [0, 0];
  for (const one of classes) {
    groups += one.groups;
    met += one.groups * of(one.rows);
  }
  return groups === 0 ? 0 : met / groups;
}

/** The probability that a group of so many rows on average, and of one at least, has a count that compares so. */
export function countShare(rows: number, role: ComparisonRole, bound: number): number {
  const none = Math.exp(-rows);
  const below = (count: number): number => (count < 1 ? 0 : (poissonUpTo(rows, count) - none) / (1 - none));
  return sideOf(role, below(Math.ceil(bound) - 1), below(Math.floor(bound)));
}

/** The same of a sum over its values, whose moments these are. */
export function sumShare(rows: number, { mean, square }: Moments, role: ComparisonRole, bound: number): number {
  const below = normalBelow(bound, rows * mean, Math.sqrt(rows * square));
  return sideOf(role, below, below);
}

/** The same of their mean. */
export function averageShare(rows: number, { mean, square }: Moments, role: ComparisonRole, bound: number): number {
  const deviation = Math.sqrt(Math.max(0, square - mean * mean) / Math.max(1, rows));
  const below = normalBelow(bound, mean, deviation);
  return sideOf(role, below, below);
}

/** The same of the least or the greatest of them: `below` and `upTo` are the shares of values less, and not greater. */
export function extremeShare(
  rows: number,
  isGreatest: boolean,
  below: number,
  upTo: number,
  role: ComparisonRole,
): number {
  const values = Math.max(1, rows);
  const all = (share: number): number => (isGreatest ? share ** values : 1 - (1 - share) ** values);
  return sideOf(role, all(below), all(upTo));
}

/** By the probabilities to lie below the bound, and below it or at it. */
function sideOf(role: ComparisonRole, below: number, upTo: number): number {
  switch (role) {
    case '<':
      return below;
    case '<=':
      return upTo;
    case '>':
      return 1 - upTo;
    case '>=':
      return 1 - below;
    case '=':
      return upTo - below;
    default:
      return 1 - (upTo - below);
  }
}

/** The probability of at most so many, where there are `mean` on average. */
function poissonUpTo(mean: number, count: number): number {
  if (mean > SUMMED_MEAN_MAX) return normalBelow(count + 0.5, mean, Math.sqrt(mean));
  let term = Math.exp(-mean);
  let sum = term;
  for (let i = 1; i <= count && (i <= mean || term > Number.EPSILON); i++) {
    term *= mean / i;
    sum += term;
  }
  return Math.min(1, sum);
}

/** The normal distribution function (M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 7.1.26). */
function normalBelow(value: number, mean: number, deviation: number): number {
  if (deviation === 0) return value > mean ? 1 : value < mean ? 0 : 0.5;
  const x = (value - mean) / deviation / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const error = 1 - series * Math.exp(-x * x);
  return (1 + Math.sign(x) * error) / 2;
}
