/**
 * Bounds, ranges and multiranges as sets of the subtype's values, after PostgreSQL's rangetypes.c and multirangetypes.c.
 *
 * A bound stands on one side of a range. In the order of bounds a missing lower one is before everything, a missing upper
 * one behind it, and of two at the same value an exclusive upper one comes first, then the inclusive ones, then an
 * exclusive lower one: so that every question about two ranges is a comparison of their bounds.
 *
 * A discrete subtype has a `next`: its ranges are kept as `[ , )`, so that equal sets are equal values.
 */
import { PhantomError } from '@phantom/base';
import { SqlMultirange, SqlRange } from '@phantom/codec';
import type { SqlType, Value } from './type.js';

/** What a range type and its multirange type have in common. */
export interface RangeTraits {
  readonly rangeOid: number;
  readonly multirangeOid: number;
  readonly subtype: SqlType;
  /** Order of the subtype. */
  readonly compare: (a: Value, b: Value) => number;
  /** The value behind one of a discrete subtype; the same where there is none behind it (an infinite date). */
  readonly next: ((value: Value) => Value) | undefined;
}

export interface Bound {
  /** null: there is none. */
  readonly value: Value;
  readonly inclusive: boolean;
  readonly lower: boolean;
}

export function lowerBound(range: SqlRange): Bound {
  return { value: range.lower, inclusive: range.lowerInclusive, lower: true };
}

export function upperBound(range: SqlRange): Bound {
  return { value: range.upper, inclusive: range.upperInclusive, lower: false };
}

/** Order of two bounds by their values alone. */
function compareBoundValues(traits: RangeTraits, a: Bound, b: Bound): number {
  if (a.value === null || b.value === null) {
    if (a.value !== null) return b.lower ? 1 : -1;
    if (b.value !== null) return a.lower ? -1 : 1;
    return a.lower === b.lower ? 0 : a.lower ? -1 : 1;
  }
  return traits.compare(a.value, b.value);
}

/** Where an exclusive bound stands beside its value. */
function hair(bound: Bound): number {
  return bound.inclusive ? 0 : bound.lower ? 1 : -1;
}

/** Order of two bounds. */
export function compareBounds(traits: RangeTraits, a: Bound, b: Bound): number {
  const order = compareBoundValues(traits, a, b);
  return order !== 0 || a.value === null ? order : hair(a) - hair(b);
}

/** The range between two bounds, in canonical form; 22000 when they are the wrong way round. */
export function makeRange(traits: RangeTraits, lower: Bound, upper: Bound): SqlRange {
  const order = compareBoundValues(traits, lower, upper);
  if (order > 0) throw new PhantomError('22000', 'range lower bound must be less than or equal to range upper bound');
  if (order === 0 && !(lower.inclusive && upper.inclusive)) return SqlRange.none(traits.rangeOid);
  const { next } = traits;
  if (next === undefined) return rangeOf(traits, lower, upper);
  const first = lower.value === null || lower.inclusive ? lower.value : next(lower.value);
  const last = upper.value !== null && upper.inclusive ? next(upper.value) : upper.value;
  // An infinite date has no next, so its bound stays as it was.
  const lowerInclusive = first !== null && (lower.inclusive || first !== lower.value);
  const upperInclusive = last !== null && upper.inclusive && last === upper.value;
  if (first !== null && last !== null && !(lowerInclusive && upperInclusive) && traits.compare(first, last) >= 0) {
    return SqlRange.none(traits.rangeOid);
  }
  return new SqlRange(traits.rangeOid, false, first, last, lowerInclusive, upperInclusive);
}

function rangeOf(traits: RangeTraits, lower: Bound, upper: Bound): SqlRange {
  return new SqlRange(
    traits.rangeOid,
    false,
    lower.value,
    upper.value,
    lower.value !== null && lower.inclusive,
    upper.value !== null && upper.inclusive,
  );
}

/** PostgreSQL's order of ranges: the empty one first, then by lower and upper bound. */
export function compareRanges(traits: RangeTraits, a: SqlRange, b: SqlRange): number {
  if (a.empty || b.empty) return Number(b.empty) - Number(a.empty);
  return compareBounds(traits, lowerBound(a), lowerBound(b)) || compareBounds(traits, upperBound(a), upperBound(b));
}

/** True when nothing is between an upper bound and a lower one, and nothing in both. */
function meet(traits: RangeTraits, upper: Bound, lower: Bound): boolean {
  const order = compareBoundValues(traits, upper, lower);
  if (order > 0) return false;
  if (order === 0) return upper.inclusive !== lower.inclusive;
  if (traits.next === undefined) return false;
  const between = makeRange(
    traits,
    { value: upper.value, inclusive: !upper.inclusive, lower: true },
    { value: lower.value, inclusive: !lower.inclusive, lower: false },
  );
  return between.empty;
}

/** True when the ranges touch without having a value in common. */
export function adjacent(traits: RangeTraits, a: SqlRange, b: SqlRange): boolean {
  if (a.empty || b.empty) return false;
  return meet(traits, upperBound(a), lowerBound(b)) || meet(traits, upperBound(b), lowerBound(a));
}

export function overlaps(traits: RangeTraits, a: SqlRange, b: SqlRange): boolean {
  if (a.empty || b.empty) return false;
  return (
    compareBounds(traits, lowerBound(a), upperBound(b)) <= 0 && compareBounds(traits, lowerBound(b), upperBound(a)) <= 0
  );
}

/** True when every value of `inner` is in `outer`. */
export function containsRange(traits: RangeTraits, outer: SqlRange, inner: SqlRange): boolean {
  if (inner.empty) return true;
  if (outer.empty) return false;
  return (
    compareBounds(traits, lowerBound(outer), lowerBound(inner)) <= 0 &&
    compareBounds(traits, upperBound(outer), upperBound(inner)) >= 0
  );
}

export function containsValue(traits: RangeTraits, range: SqlRange, value: Value): boolean {
  if (range.empty) return false;
  if (range.lower !== null) {
    const order = traits.compare(range.lower, value);
    if (order > 0 || (order === 0 && !range.lowerInclusive)) return false;
  }
  if (range.upper === null) return true;
  const order = traits.compare(range.upper, value);
  return order > 0 || (order === 0 && range.upperInclusive);
}

/** True when `a` ends before `b` begins. */
export function before(traits: RangeTraits, a: SqlRange, b: SqlRange): boolean {
  return !a.empty && !b.empty && compareBounds(traits, upperBound(a), lowerBound(b)) < 0;
}

/** True when `a` does not reach beyond the end of `b`. */
export function endsBy(traits: RangeTraits, a: SqlRange, b: SqlRange): boolean {
  return !a.empty && !b.empty && compareBounds(traits, upperBound(a), upperBound(b)) <= 0;
}

/** True when `a` does not begin before `b`. */
export function beginsFrom(traits: RangeTraits, a: SqlRange, b: SqlRange): boolean {
  return !a.empty && !b.empty && compareBounds(traits, lowerBound(a), lowerBound(b)) >= 0;
}

/** The least range that holds both. */
export function hull(traits: RangeTraits, a: SqlRange, b: SqlRange): SqlRange {
  if (a.empty) return b;
  if (b.empty) return a;
  const lower = compareBounds(traits, lowerBound(a), lowerBound(b)) <= 0 ? lowerBound(a) : lowerBound(b);
  const upper = compareBounds(traits, upperBound(a), upperBound(b)) >= 0 ? upperBound(a) : upperBound(b);
  return rangeOf(traits, lower, upper);
}

/** What is in either; 22000 when that is no one range. */
export function union(traits: RangeTraits, a: SqlRange, b: SqlRange): SqlRange {
  if (!a.empty && !b.empty && !overlaps(traits, a, b) && !adjacent(traits, a, b)) {
    throw new PhantomError('22000', 'result of range union would not be contiguous');
  }
  return hull(traits, a, b);
}

export function intersection(traits: RangeTraits, a: SqlRange, b: SqlRange): SqlRange {
  if (!overlaps(traits, a, b)) return SqlRange.none(traits.rangeOid);
  const lower = compareBounds(traits, lowerBound(a), lowerBound(b)) >= 0 ? lowerBound(a) : lowerBound(b);
  const upper = compareBounds(traits, upperBound(a), upperBound(b)) <= 0 ? upperBound(a) : upperBound(b);
  return rangeOf(traits, lower, upper);
}

/** What is in `a` and not in `b`: no range, one, or the two on either side of it. */
function remainders(traits: RangeTraits, a: SqlRange, b: SqlRange): SqlRange[] {
  if (a.empty) return [];
  if (!overlaps(traits, a, b)) return [a];
  const rest: SqlRange[] = [];
  if (compareBounds(traits, lowerBound(a), lowerBound(b)) < 0) {
    const upper: Bound = { value: b.lower, inclusive: !b.lowerInclusive, lower: false };
    rest.push(makeRange(traits, lowerBound(a), upper));
  }
  if (compareBounds(traits, upperBound(a), upperBound(b)) > 0) {
    const lower: Bound = { value: b.upper, inclusive: !b.upperInclusive, lower: true };
    rest.push(makeRange(traits, lower, upperBound(a)));
  }
  return rest.filter((range) => !range.empty);
}

/** What is in `a` and not in `b`; 22000 when that is two ranges. */
export function difference(traits: RangeTraits, a: SqlRange, b: SqlRange): SqlRange {
  const [first, second] = remainders(traits, a, b);
  if (second !== undefined) throw new PhantomError('22000', 'result of range difference would not be contiguous');
  return first ?? SqlRange.none(traits.rangeOid);
}

/** A multirange of any ranges: put in order, the empty ones left out, those that overlap or touch made one. */
export function makeMultirange(traits: RangeTraits, ranges: readonly SqlRange[]): SqlMultirange {
  const sorted = ranges.filter((range) => !range.empty).sort((a, b) => compareRanges(traits, a, b));
  const merged: SqlRange[] = [];
  for (const range of sorted) {
    const last = merged[merged.length - 1];
    if (last !== undefined && (overlaps(traits, last, range) || adjacent(traits, last, range))) {
      merged[merged.length - 1] = hull(traits, last, range);
    } else {
      merged.push(range);
    }
  }
  return new SqlMultirange(traits.multirangeOid, merged);
}

/** PostgreSQL's order of multiranges: range by range, the shorter one first. */
export function compareMultiranges(traits: RangeTraits, a: SqlMultirange, b: SqlMultirange): number {
  const shared = Math.min(a.ranges.length, b.ranges.length);
  for (let i = 0; i < shared; i++) {
    const order = compareRanges(traits, a.ranges[i] as SqlRange, b.ranges[i] as SqlRange);
    if (order !== 0) return order;
  }
  return a.ranges.length - b.ranges.length;
}

/** From the first lower bound of a multirange to its last upper one; empty when it has no range. */
export function extent(traits: RangeTraits, value: SqlMultirange): SqlRange {
  const first = value.ranges[0];
  const last = value.ranges[value.ranges.length - 1];
  return first === undefined || last === undefined ? SqlRange.none(traits.rangeOid) : hull(traits, first, last);
}

export function intersectionOfMultiranges(traits: RangeTraits, a: SqlMultirange, b: SqlMultirange): SqlMultirange {
  const common: SqlRange[] = [];
  let j = 0;
  for (const range of a.ranges) {
    while (j < b.ranges.length && before(traits, b.ranges[j] as SqlRange, range)) j++;
    for (let k = j; k < b.ranges.length && overlaps(traits, range, b.ranges[k] as SqlRange); k++) {
      common.push(intersection(traits, range, b.ranges[k] as SqlRange));
    }
  }
  return makeMultirange(traits, common);
}

export function differenceOfMultiranges(traits: RangeTraits, a: SqlMultirange, b: SqlMultirange): SqlMultirange {
  const rest: SqlRange[] = [];
  let j = 0;
  for (const range of a.ranges) {
    while (j < b.ranges.length && before(traits, b.ranges[j] as SqlRange, range)) j++;
    let left = range;
    for (let k = j; k < b.ranges.length && !left.empty; k++) {
      const parts = remainders(traits, left, b.ranges[k] as SqlRange);
      left = parts.pop() ?? SqlRange.none(traits.rangeOid);
      rest.push(...parts);
    }
    rest.push(left);
  }
  return makeMultirange(traits, rest);
}
