/**
 * Functions and operators of ranges, and of ranges beside multiranges. A value says its type, and the type its subtype's
 * order; constructors alone must ask what the call is to return.
 */
import { PhantomError, assert } from '@phantom/base';
import type { Decimal, SqlRange } from '@phantom/codec';
import {
  type RangeTraits,
  adjacent,
  before,
  beginsFrom,
  compareRanges,
  containsRange,
  containsValue,
  difference,
  endsBy,
  hull,
  intersection,
  makeRange,
  overlaps,
  union,
} from '../types/range-algebra.js';
import type { TypeLookup, Value } from '../types/type.js';
import { type Implementation, type Implementations, aggregate, contextual, scalar } from './implementation.js';
import type { CallTypes, EvaluationContext } from './registry.js';

/** Traits of a range type or a multirange type. */
export function traitsOf(typeOid: number, types: TypeLookup): RangeTraits {
  const traits = types.byOid(typeOid)?.range;
  assert(traits !== undefined, 'a range has a range type');
  return traits;
}

/** A function of two ranges and what they consist of. */
function ofTwo(call: (traits: RangeTraits, a: SqlRange, b: SqlRange) => Value): Implementation {
  return contextual((a: SqlRange, b: SqlRange, context: EvaluationContext) =>
    call(traitsOf(a.typeOid, context.types), a, b),
  );
}

function comparison(accept: (order: number) => boolean): Implementation {
  return ofTwo((traits, a, b) => accept(compareRanges(traits, a, b)));
}

/** `[)` and its kin, as the third argument of a constructor. */
function flagsOf(flags: string | null): { readonly lower: boolean; readonly upper: boolean } {
  if (flags === null) throw new PhantomError('22000', 'range constructor flags argument must not be null');
  if (!/^[[(][\])]$/.test(flags)) {
    throw new PhantomError('42601', 'invalid range bound flags', {
      hint: 'Valid values are "[]", "[)", "(]", and "()".',
    });
  }
  return { lower: flags[0] === '[', upper: flags[1] === ']' };
}

function construct(
  lower: Value,
  upper: Value,
  flags: string | null,
  context: EvaluationContext,
  types: CallTypes,
): SqlRange {
  const inclusive = flagsOf(flags);
  return makeRange(
    traitsOf(types.result.oid, context.types),
    { value: lower, inclusive: inclusive.lower, lower: true },
    { value: upper, inclusive: inclusive.upper, lower: false },
  );
}

/** How far `a` is above `b`, for numbers. */
function numberDistance(a: number | bigint, b: number | bigint): number {
  return Number(a) - Number(b);
}

function secondsBetween(a: number | bigint, b: number | bigint): number {
  return (Number(a) - Number(b)) / 1_000_000;
}

interface Common {
  readonly traits: RangeTraits;
  common: SqlRange | null;
}

const intersectRanges = ofTwo(intersection);

export const rangeFunctions: Implementations = {
  range_constructor2: scalar(
    (lower: Value, upper: Value, context: EvaluationContext, types: CallTypes) =>
      construct(lower, upper, '[)', context, types),
    { context: true, types: true },
  ),
  range_constructor3: scalar(construct, { context: true, types: true }),
  range_lower: (range: SqlRange) => range.lower,
  range_upper: (range: SqlRange) => range.upper,
  range_empty: (range: SqlRange) => range.empty,
  range_lower_inc: (range: SqlRange) => range.lowerInclusive,
  range_upper_inc: (range: SqlRange) => range.upperInclusive,
  range_lower_inf: (range: SqlRange) => !range.empty && range.lower === null,
  range_upper_inf: (range: SqlRange) => !range.empty && range.upper === null,
  range_eq: comparison((order) => order === 0),
  range_ne: comparison((order) => order !== 0),
  range_lt: comparison((order) => order < 0),
  range_le: comparison((order) => order <= 0),
  range_gt: comparison((order) => order > 0),
  range_ge: comparison((order) => order >= 0),
  range_cmp: ofTwo((traits, a, b) => Math.sign(compareRanges(traits, a, b))),
  range_overlaps: ofTwo(overlaps),
  range_contains: ofTwo(containsRange),
  range_contained_by: ofTwo((traits, a, b) => containsRange(traits, b, a)),
  range_contains_elem: contextual((range: SqlRange, value: Value, context: EvaluationContext) =>
    containsValue(traitsOf(range.typeOid, context.types), range, value),
  ),
  elem_contained_by_range: contextual((value: Value, range: SqlRange, context: EvaluationContext) =>
    containsValue(traitsOf(range.typeOid, context.types), range, value),
  ),
  range_adjacent: ofTwo(adjacent),
  range_before: ofTwo(before),
  range_after: ofTwo((traits, a, b) => before(traits, b, a)),
  range_overleft: ofTwo(endsBy),
  range_overright: ofTwo(beginsFrom),
  range_union: ofTwo(union),
  range_intersect: intersectRanges,
  range_intersect_agg_transfn: intersectRanges,
  range_minus: ofTwo(difference),
  range_merge: ofTwo(hull),
  'range_intersect_agg:range': aggregate<Common, [SqlRange]>({
    init: (context, types) => ({ traits: traitsOf(types.result.oid, context.types), common: null }),
    step: (state, range) => {
      state.common = state.common === null ? range : intersection(state.traits, state.common, range);
      return state;
    },
    final: (state) => state.common,
  }),
  int4range_canonical: (range: SqlRange) => range,
  int8range_canonical: (range: SqlRange) => range,
  daterange_canonical: (range: SqlRange) => range,
  int4range_subdiff: numberDistance,
  int8range_subdiff: numberDistance,
  daterange_subdiff: numberDistance,
  numrange_subdiff: (a: Decimal, b: Decimal) => a.sub(b).toNumber(),
  tsrange_subdiff: secondsBetween,
  tstzrange_subdiff: secondsBetween,
};
