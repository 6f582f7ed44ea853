/** Functions and operators of multiranges, and of a multirange beside a range, which counts as a multirange of one. */
import { PhantomError } from '@phantom/base';
import { type SqlArray, SqlMultirange, type SqlRange } from '@phantom/codec';
import {
  type RangeTraits,
  adjacent,
  before,
  beginsFrom,
  compareMultiranges,
  containsRange,
  containsValue,
  differenceOfMultiranges,
  endsBy,
  extent,
  intersectionOfMultiranges,
  makeMultirange,
  overlaps,
} from '../types/range-algebra.js';
import type { Value } from '../types/type.js';
import { type Implementation, type Implementations, aggregate, contextual, scalar, setOf } from './implementation.js';
import { traitsOf } from './range-functions.js';
import type { CallTypes, EvaluationContext } from './registry.js';

type Either = SqlRange | SqlMultirange;

function rangesOf(value: Either): readonly SqlRange[] {
  if (value instanceof SqlMultirange) return value.ranges;
  return value.empty ? [] : [value];
}

function extentOf(traits: RangeTraits, value: Either): SqlRange {
  return value instanceof SqlMultirange ? extent(traits, value) : value;
}

/** A function of two values, at least one of them a multirange. */
function ofTwo<T extends Either>(call: (traits: RangeTraits, a: T, b: T) => Value): Implementation {
  return contextual((a: T, b: T, context: EvaluationContext) => call(traitsOf(a.typeOid, context.types), a, b));
}

/** A question that the values' whole extents answer. */
function ofExtents(ask: (traits: RangeTraits, a: SqlRange, b: SqlRange) => boolean): Implementation {
  return ofTwo((traits, a: Either, b: Either) => ask(traits, extentOf(traits, a), extentOf(traits, b)));
}

function comparison(accept: (order: number) => boolean): Implementation {
  return ofTwo((traits, a: SqlMultirange, b: SqlMultirange) => accept(compareMultiranges(traits, a, b)));
}

function anyOverlap(traits: RangeTraits, a: Either, b: Either): boolean {
  return rangesOf(a).some((range) => rangesOf(b).some((other) => overlaps(traits, range, other)));
}

/** Every range of `inner` lies in one of `outer`'s, since those neither overlap nor touch. */
function containsAll(traits: RangeTraits, outer: Either, inner: Either): boolean {
  return rangesOf(inner).every((range) => rangesOf(outer).some((other) => containsRange(traits, other, range)));
}

/** The first of one touches the last of the other; what lies between others does not count. */
function touches(traits: RangeTraits, a: Either, b: Either): boolean {
  const ofA = rangesOf(a);
  const ofB = rangesOf(b);
  const firstA = ofA[0];
  const firstB = ofB[0];
  if (firstA === undefined || firstB === undefined) return false;
  const lastA = ofA[ofA.length - 1] as SqlRange;
  const lastB = ofB[ofB.length - 1] as SqlRange;
  return (
    (before(traits, lastA, firstB) && adjacent(traits, lastA, firstB)) ||
    (before(traits, lastB, firstA) && adjacent(traits, lastB, firstA))
  );
}

function hasValue(value: SqlMultirange, item: Value, context: EvaluationContext): boolean {
  const traits = traitsOf(value.typeOid, context.types);
  return value.ranges.some((range) => containsValue(traits, range, item));
}

/** Constructors: of nothing, of one range, of an array of them. */
function construct(ranges: readonly (SqlRange | null)[], context: EvaluationContext, types: CallTypes): SqlMultirange {
  if (ranges.includes(null)) throw new PhantomError('22004', 'multirange values cannot contain null members');
  return makeMultirange(traitsOf(types.result.oid, context.types), ranges as readonly SqlRange[]);
}

function typed(call: (...args: never[]) => Value): Implementation {
  return scalar(call, { context: true, types: true });
}

const intersectMultiranges = ofTwo(intersectionOfMultiranges);
const contains = ofTwo(containsAll);
const containedBy = ofTwo((traits, a: Either, b: Either) => containsAll(traits, b, a));
const overlap = ofTwo(anyOverlap);
const adjacency = ofTwo(touches);
const isBefore = ofExtents(before);
const isAfter = ofExtents((traits, a, b) => before(traits, b, a));
const isOverleft = ofExtents(endsBy);
const isOverright = ofExtents(beginsFrom);

/** The ranges of all rows in one; null where there were none. */
const gatherRanges = aggregate<{ readonly traits: RangeTraits; ranges: SqlRange[] | null }, [Either]>({
  init: (context, types) => ({ traits: traitsOf(types.result.oid, context.types), ranges: null }),
  keepsInput: true,
  step: (state, value) => {
    state.ranges ??= [];
    for (const range of rangesOf(value)) state.ranges.push(range);
    return state;
  },
  final: (state) => (state.ranges === null ? null : makeMultirange(state.traits, state.ranges)),
});

export const multirangeFunctions: Implementations = {
  multirange_constructor0: typed((context: EvaluationContext, types: CallTypes) => construct([], context, types)),
  multirange_constructor1: typed((range: SqlRange, context: EvaluationContext, types: CallTypes) =>
    construct([range], context, types),
  ),
  multirange_constructor2: typed((ranges: SqlArray, context: EvaluationContext, types: CallTypes) => {
    if (ranges.dimensions.length > 1)
      throw new PhantomError('21000', 'multiranges cannot be constructed from multidimensional arrays');
    return construct(ranges.items as readonly (SqlRange | null)[], context, types);
  }),
  multirange_unnest: setOf((value: SqlMultirange) => value.ranges),
  multirange_lower: (value: SqlMultirange) => value.ranges[0]?.lower ?? null,
  multirange_upper: (value: SqlMultirange) => value.ranges[value.ranges.length - 1]?.upper ?? null,
  multirange_empty: (value: SqlMultirange) => value.ranges.length === 0,
  multirange_lower_inc: (value: SqlMultirange) => value.ranges[0]?.lowerInclusive === true,
  multirange_upper_inc: (value: SqlMultirange) => value.ranges[value.ranges.length - 1]?.upperInclusive === true,
  multirange_lower_inf: (value: SqlMultirange) => value.ranges[0]?.lower === null,
  multirange_upper_inf: (value: SqlMultirange) => value.ranges[value.ranges.length - 1]?.upper === null,
  multirange_eq: comparison((order) => order === 0),
  multirange_ne: comparison((order) => order !== 0),
  multirange_lt: comparison((order) => order < 0),
  multirange_le: comparison((order) => order <= 0),
  multirange_gt: comparison((order) => order > 0),
  multirange_ge: comparison((order) => order >= 0),
  multirange_cmp: ofTwo((traits, a: SqlMultirange, b: SqlMultirange) => Math.sign(compareMultiranges(traits, a, b))),
  range_overlaps_multirange: overlap,
  multirange_overlaps_range: overlap,
  multirange_overlaps_multirange: overlap,
  multirange_contains_elem: contextual(hasValue),
  elem_contained_by_multirange: contextual((item: Value, value: SqlMultirange, context: EvaluationContext) =>
    hasValue(value, item, context),
  ),
  multirange_contains_range: contains,
  multirange_contains_multirange: contains,
  range_contains_multirange: contains,
  range_contained_by_multirange: containedBy,
  multirange_contained_by_range: containedBy,
  multirange_contained_by_multirange: containedBy,
  range_adjacent_multirange: adjacency,
  multirange_adjacent_range: adjacency,
  multirange_adjacent_multirange: adjacency,
  range_before_multirange: isBefore,
  multirange_before_range: isBefore,
  multirange_before_multirange: isBefore,
  range_after_multirange: isAfter,
  multirange_after_range: isAfter,
  multirange_after_multirange: isAfter,
  range_overleft_multirange: isOverleft,
  multirange_overleft_range: isOverleft,
  multirange_overleft_multirange: isOverleft,
  range_overright_multirange: isOverright,
  multirange_overright_range: isOverright,
  multirange_overright_multirange: isOverright,
  multirange_union: ofTwo((traits, a: SqlMultirange, b: SqlMultirange) =>
    makeMultirange(traits, [...a.ranges, ...b.ranges]),
  ),
  multirange_minus: ofTwo(differenceOfMultiranges),
  multirange_intersect: intersectMultiranges,
  multirange_intersect_agg_transfn: intersectMultiranges,
  range_merge_from_multirange: contextual((value: SqlMultirange, context: EvaluationContext) =>
    extent(traitsOf(value.typeOid, context.types), value),
  ),
  range_agg: gatherRanges,
  'range_intersect_agg:multirange': aggregate<
    { readonly traits: RangeTraits; common: SqlMultirange | null },
    [SqlMultirange]
  >({
    init: (context, types) => ({ traits: traitsOf(types.result.oid, context.types), common: null }),
    step: (state, value) => {
      state.common = state.common === null ? value : intersectionOfMultiranges(state.traits, state.common, value);
      return state;
    },
    final: (state) => state.common,
  }),
};
