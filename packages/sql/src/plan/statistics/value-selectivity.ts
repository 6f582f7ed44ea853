/**
 * Which share of a column's values equals a constant, lies beside it or matches a pattern, by what ANALYZE has found of the column:
 * its most common values are compared one by one, the histogram stands for the others. As PostgreSQL does it (its selfuncs.c and
 * like_support.c), but that a pattern which no bound of the histogram matches is still taken to match a quarter of a bucket.
 */
import { like } from '../../functions/like.js';
import type { Value } from '../../types/type.js';
import type { ColumnStatistics } from '../catalog-port.js';
import { numberOf } from './group-selectivity.js';

type Compare = (a: Value, b: Value) => number;

/** Fewer bounds than these say nothing of a pattern. */
const MATCHED_BOUNDS_MIN = 10;
/** Of a bucket, when no bound of the histogram matches a pattern. */
const UNMATCHED_BUCKET_SHARE = 0.25;

/** Of all rows, those whose value equals the constant. */
export function shareEqual(statistics: ColumnStatistics, value: Value, compare: Compare): number {
  const { mostCommon = [], distinctCount } = statistics;
  let least = 1;
  for (const common of mostCommon) {
    if (compare(common.value, value) === 0) return common.fraction;
    least = Math.min(least, common.fraction);
  }
  const others = Math.max(1, distinctCount - mostCommon.length);
  return Math.min(least, shareOfOthers(statistics) / others);
}

/** Of all rows, those whose value is less (`less`) or greater than the constant, or equal to it where that counts. */
export function shareBeside(
  statistics: ColumnStatistics,
  value: Value,
  less: boolean,
  inclusive: boolean,
  compare: Compare,
): number | undefined {
  const { mostCommon = [], histogram = [] } = statistics;
  if (histogram.length < 2 && mostCommon.length === 0) return undefined;
  let share = 0;
  for (const common of mostCommon) {
    const order = compare(common.value, value);
    if (order === 0 ? inclusive : order < 0 === less) share += common.fraction;
  }
  if (histogram.length < 2) return share;
  const below = shareBelow(histogram, value, compare);
  return share + shareOfOthers(statistics) * (less ? below : 1 - below);
}

/** Of all rows, those whose text is LIKE the pattern; undefined when too little is known. */
export function shareLike(statistics: ColumnStatistics, pattern: string, folds: boolean): number | undefined {
  const { mostCommon = [], histogram = [] } = statistics;
  const others = shareOfOthers(statistics);
  const isKnown = histogram.length >= MATCHED_BOUNDS_MIN || (mostCommon.length > 0 && others < 0.01);
  // Ends in its escape character: an error for some texts, which is not planning's to raise.
  if (!isKnown || pattern.endsWith('\\')) return undefined;
  const wanted = folds ? pattern.toLowerCase() : pattern;
  const matches = (value: Value): boolean =>
    typeof value === 'string' && like(folds ? value.toLowerCase() : value, wanted);
  let share = 0;
  for (const common of mostCommon) if (matches(common.value)) share += common.fraction;
  if (histogram.length === 0) return share;
  const matched = histogram.filter(matches).length;
  return share + (others * Math.max(matched, UNMATCHED_BUCKET_SHARE)) / histogram.length;
}

/** Of all rows, those that are neither null nor one of the most common values. */
function shareOfOthers({ mostCommon = [], nullFraction }: ColumnStatistics): number {
  let rest = 1 - nullFraction;
  for (const { fraction } of mostCommon) rest -= fraction;
  return Math.max(0, rest);
}

/** Share of a histogram's values below a value; numbers are interpolated inside their bucket. */
function shareBelow(histogram: readonly Value[], value: Value, compare: Compare): number {
  let low = 0;
  let high = histogram.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(histogram[middle], value) < 0) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return 0;
  if (low === histogram.length) return 1;
  const buckets = histogram.length - 1;
  const from = histogram[low - 1];
  const to = histogram[low];
  let inside = 0.5;
  const [first, last, at] = [numberOf(from), numberOf(to), numberOf(value)];
  if (first !== undefined && last !== undefined && at !== undefined && last > first)
    inside = (at - first) / (last - first);
  return (low - 1 + inside) / buckets;
}
