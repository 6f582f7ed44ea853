/**
 * Which share of the pairs of two columns' values is equal, and which share of one column's values is among the other's, by what
 * ANALYZE has found of both: common values are matched one by one, others meet by the numbers of distinct values. As PostgreSQL does
 * it (eqjoinsel_inner and eqjoinsel_semi of its selfuncs.c).
 */
import type { Value } from '../../types/type.js';
import type { ColumnStatistics } from '../catalog-port.js';

type Compare = (a: Value, b: Value) => number;

/** Common values of both, matched. */
interface Matched {
  /** How many values both have among their common ones. */
  readonly values: number;
  /** Of all pairs, those of such values. */
  readonly pairs: number;
  /** Of the left column's rows, those with one of them; the same of the right column's. */
  readonly left: number;
  readonly right: number;
}

/** Of all pairs of rows, those with equal values; undefined where not both have common values. */
export function shareOfPairs(left: ColumnStatistics, right: ColumnStatistics, compare: Compare): number | undefined {
  if (left.mostCommon === undefined || right.mostCommon === undefined) return undefined;
  if (left.mostCommon.length === 0 || right.mostCommon.length === 0) return undefined;
  const matched = matchedOf(left, right, compare);
  const sideOf = (own: ColumnStatistics, other: ColumnStatistics, ownMatched: number, otherMatched: number): number => {
    const [ownCommon, otherCommon] = [commonShare(own), commonShare(other)];
    const ownRest = Math.max(0, 1 - own.nullFraction - ownCommon);
    const otherRest = Math.max(0, 1 - other.nullFraction - otherCommon);
    let share = matched.pairs;
    const rare = other.distinctCount - (other.mostCommon?.length ?? 0);
    if (rare > 0) share += ((ownCommon - ownMatched) * otherRest) / rare;
    const unmatched = other.distinctCount - matched.values;
    if (unmatched > 0) share += (ownRest * (otherRest + otherCommon - otherMatched)) / unmatched;
    return share;
  };
  return Math.min(sideOf(left, right, matched.left, matched.right), sideOf(right, left, matched.right, matched.left));
}

/** So many distinct values are left of `distinct` among some of the rows (A. Cardenas, CACM 18:5, 1975). */
export function distinctAmong(distinct: number, tableRows: number, rows: number): number {
  if (rows >= tableRows || distinct <= 0) return distinct;
  return distinct * (1 - (1 - rows / tableRows) ** (tableRows / distinct));
}

/** Of a column's rows, those whose value is among so many distinct ones that are its own: fewer of them where there are fewer. */
export function shareAmong(distinct: number, otherDistinct: number, nullFraction: number): number {
  return (1 - nullFraction) * Math.min(1, otherDistinct / Math.max(1, distinct));
}

function commonShare({ mostCommon = [] }: ColumnStatistics): number {
  return mostCommon.reduce((sum, { fraction }) => sum + fraction, 0);
}

function matchedOf(left: ColumnStatistics, right: ColumnStatistics, compare: Compare): Matched {
  let [values, pairs, ofLeft, ofRight] = [0, 0, 0, 0];
  const others = [...(right.mostCommon ?? [])].toSorted((a, b) => compare(a.value, b.value));
  for (const { value, fraction } of left.mostCommon ?? []) {
    const other = found(others, value, compare);
    if (other === undefined) continue;
    values++;
    pairs += fraction * other.fraction;
    ofLeft += fraction;
    ofRight += other.fraction;
  }
  return { values, pairs, left: ofLeft, right: ofRight };
}

function found(
  sorted: NonNullable<ColumnStatistics['mostCommon']>,
  value: Value,
  compare: Compare,
): (typeof sorted)[number] | undefined {
  let [low, high] = [0, sorted.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = sorted[middle] as (typeof sorted)[number];
    const order = compare(at.value, value);
    if (order === 0) return at;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
