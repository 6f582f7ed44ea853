/** count, sum, avg, min, max, bit and boolean aggregates, string_agg and array_agg. */
import { PhantomError } from '@phantom/base';
import { Decimal, Interval, SqlArray } from '@phantom/codec';
import { checkArraySize } from '../types/array-type.js';
import { collatorFor } from '../types/collation.js';
import { builtinTypeCatalog } from '../types/type-catalog.js';
import { TypeOid } from '../types/type-oids.js';
import type { SqlType, Value } from '../types/type.js';
import { addIntervals, divideInterval, subtractIntervals } from './date-time-arithmetic.js';
import { stackArrays } from './array-functions.js';
import { ExactSum, asSingle } from './exact-sum.js';
import { type AggregateCode, type Implementation, type Implementations, aggregate } from './implementation.js';
import { type Int8, int8 } from './integers.js';
import type { CallTypes, EvaluationContext } from './registry.js';

interface CountState {
  count: number;
}

const countRows = aggregate<CountState, readonly unknown[]>({
  init: () => ({ count: 0 }),
  step: (state) => {
    state.count++;
    return state;
  },
  final: (state) => state.count,
  combine: (a, b) => {
    a.count += b.count;
    return a;
  },
  inverse: (state) => {
    state.count--;
    return state;
  },
});

/** A sum of integers: a number while it is safe, else a bigint that may pass 64 bits on the way. */
interface IntegerSum {
  sum: number | bigint;
  count: number;
}

function addTo(state: IntegerSum, value: number | bigint, sign: 1 | -1): IntegerSum {
  const { sum } = state;
  state.count += sign;
  if (typeof sum === 'number' && typeof value === 'number') {
    const next = sum + sign * value;
    state.sum = Number.isSafeInteger(next) ? next : BigInt(sum) + BigInt(sign * value);
  } else {
    state.sum = BigInt(sum) + BigInt(value) * BigInt(sign);
  }
  return state;
}

function integerAggregate(final: (state: IntegerSum) => Value): AggregateCode {
  return aggregate<IntegerSum, [number | bigint]>({
    init: () => ({ sum: 0, count: 0 }),
    step: (state, value) => addTo(state, value, 1),
    inverse: (state, value) => addTo(state, value, -1),
    final,
    combine: (a, b) => {
      const { count } = a;
      addTo(a, b.sum, 1);
      a.count = count + b.count;
      return a;
    },
  });
}

const sumAsInt8 = integerAggregate((state) => (state.count === 0 ? null : int8(BigInt(state.sum))));
const sumAsDecimal = integerAggregate((state) => (state.count === 0 ? null : Decimal.of(state.sum, 0)));
const averageOfIntegers = integerAggregate((state) =>
  state.count === 0 ? null : Decimal.of(state.sum, 0).div(new Decimal(state.count, 0)),
);

interface DecimalSum {
  sum: Decimal;
  count: number;
}

function decimalAggregate(final: (state: DecimalSum) => Value): AggregateCode {
  return aggregate<DecimalSum, [Decimal]>({
    init: () => ({ sum: Decimal.Zero, count: 0 }),
    step: (state, value) => {
      state.sum = state.sum.add(value);
      state.count++;
      return state;
    },
    final,
    combine: (a, b) => {
      a.sum = a.sum.add(b.sum);
      a.count += b.count;
      return a;
    },
  });
}

/** Sums of floats are exact until they are rounded at the end, so a value that leaves a frame is taken out of them again. */
function floatAggregate(final: (state: ExactSum) => Value): AggregateCode {
  return aggregate<ExactSum, [number]>({
    init: () => new ExactSum(),
    step: (state, value) => {
      state.add(value);
      state.count++;
      return state;
    },
    inverse: (state, value) => {
      state.subtract(value);
      state.count--;
      return state;
    },
    final,
    combine: (a, b) => {
      for (const part of b.parts()) a.add(part);
      a.count += b.count;
      return a;
    },
  });
}

const sumOfFloats = floatAggregate((state) => (state.count === 0 ? null : state.total()));
const averageOfFloats = floatAggregate((state) => (state.count === 0 ? null : state.total() / state.count));

interface IntervalSum {
  sum: Interval;
  count: number;
}

function intervalAggregate(final: (state: IntervalSum) => Value): AggregateCode {
  return aggregate<IntervalSum, [Interval]>({
    init: () => ({ sum: new Interval(0, 0, 0), count: 0 }),
    step: (state, value) => {
      state.sum = addIntervals(state.sum, value);
      state.count++;
      return state;
    },
    inverse: (state, value) => {
      state.sum = subtractIntervals(state.sum, value);
      state.count--;
      return state;
    },
    final,
    combine: (a, b) => {
      a.sum = addIntervals(a.sum, b.sum);
      a.count += b.count;
      return a;
    },
  });
}

interface ExtremeState {
  value: Value;
  compare: (a: Value, b: Value) => number;
}

/** min (sign -1) or max (sign 1) by an order that the types of the call decide. */
function extreme(
  sign: 1 | -1,
  orderOf: (context: EvaluationContext, types: CallTypes) => ExtremeState['compare'],
): AggregateCode {
  const keep = (state: ExtremeState, value: Value): ExtremeState => {
    if (state.value === null || state.compare(value, state.value) * sign > 0) state.value = value;
    return state;
  };
  return aggregate<ExtremeState, [Value]>({
    init: (context, types) => ({ value: null, compare: orderOf(context, types) }),
    step: keep,
    final: (state) => state.value,
    combine: (a, b) => (b.value === null ? a : keep(a, b.value)),
  });
}

function orderOfArgument(context: EvaluationContext, types: CallTypes): ExtremeState['compare'] {
  const oid = types.arguments[0]?.oid ?? 0;
  const collator = collatorFor(types.arguments[0]?.collation);
  if (collator !== undefined) return collator as ExtremeState['compare'];
  const type = context.types.byOid(oid) ?? builtinTypeCatalog.byOid(oid);
  return requireOrder(type);
}

function requireOrder(type: SqlType | undefined): ExtremeState['compare'] {
  if (type?.compare === undefined) {
    throw new PhantomError('42883', `could not identify a comparison function for type ${type?.displayName ?? ''}`);
  }
  return type.compare;
}

/** Type names for which pg_aggregate has min and max of their own. */
const ORDERED_TYPES = [
  'int2 int4 int8 oid float4 float8 numeric date time timetz timestamp timestamptz interval text bpchar',
  'anyarray anyenum pg_lsn money inet tid xid8',
]
  .join(' ')
  .split(' ');

function extremes(): Record<string, Implementation> {
  const table: Record<string, Implementation> = {};
  const max = extreme(1, orderOfArgument);
  const min = extreme(-1, orderOfArgument);
  for (const name of ORDERED_TYPES) {
    table[`max:${name}`] = max;
    table[`min:${name}`] = min;
  }
  return table;
}

interface Folded {
  value: Value;
}

function fold<V>(operate: (a: V, b: V) => V): AggregateCode {
  const step = (state: Folded, value: V): Folded => {
    state.value = state.value === null ? value : operate(state.value as V, value);
    return state;
  };
  return aggregate<Folded, [V]>({
    init: () => ({ value: null }),
    step,
    final: (state) => state.value,
    combine: (a, b) => (b.value === null ? a : step(a, b.value as V)),
  });
}

const bits = (operate: (a: bigint, b: bigint) => bigint): AggregateCode =>
  fold<Int8>((a, b) => int8(operate(BigInt(a), BigInt(b))));

function bitAggregates(): Record<string, Implementation> {
  const table: Record<string, Implementation> = {};
  const and = fold<number>((a, b) => a & b);
  const or = fold<number>((a, b) => a | b);
  const xor = fold<number>((a, b) => a ^ b);
  for (const name of ['int2', 'int4']) {
    table[`bit_and:${name}`] = and;
    table[`bit_or:${name}`] = or;
    table[`bit_xor:${name}`] = xor;
  }
  table['bit_and:int8'] = bits((a, b) => a & b);
  table['bit_or:int8'] = bits((a, b) => a | b);
  table['bit_xor:int8'] = bits((a, b) => a ^ b);
  return table;
}

const allTrue = fold<boolean>((a, b) => a && b);
const anyTrue = fold<boolean>((a, b) => a || b);

interface TextList {
  parts: string[];
}

const joinTexts = aggregate<TextList, [string | null, string | null]>({
  init: () => ({ parts: [] }),
  strict: false,
  keepsInput: true,
  step: (state, value, delimiter) => {
    if (value === null) return state;
    if (state.parts.length > 0 && delimiter !== null) state.parts.push(delimiter, value);
    else if (state.parts.length > 0) state.parts.push('', value);
    else state.parts.push(value);
    return state;
  },
  final: (state) => (state.parts.length === 0 ? null : state.parts.join('')),
});

interface BytesList {
  parts: Uint8Array[];
}

const joinBytes = aggregate<BytesList, [Uint8Array | null, Uint8Array | null]>({
  init: () => ({ parts: [] }),
  strict: false,
  keepsInput: true,
  step: (state, value, delimiter) => {
    if (value === null) return state;
    if (state.parts.length > 0) state.parts.push(delimiter ?? new Uint8Array(0));
    state.parts.push(value);
    return state;
  },
  final: (state) => (state.parts.length === 0 ? null : new Uint8Array(Buffer.concat(state.parts))),
});

interface ItemList {
  items: Value[];
  elementOid: number;
}

const collect = aggregate<ItemList, [Value]>({
  init: (_context, types) => ({ items: [], elementOid: types.arguments[0]?.oid ?? TypeOid.text }),
  strict: false,
  keepsInput: true,
  step: (state, value) => {
    checkArraySize(state.items.length + 1);
    state.items.push(value);
    return state;
  },
  final: (state) => (state.items.length === 0 ? null : SqlArray.of(state.elementOid, state.items.slice())),
  combine: (a, b) => {
    for (const item of b.items) a.items.push(item);
    return a;
  },
});

/** Arrays of one shape become an array of one dimension more. */
const collectArrays = aggregate<{ arrays: (SqlArray | null)[] }, [SqlArray | null]>({
  init: () => ({ arrays: [] }),
  strict: false,
  keepsInput: true,
  step: (state, value) => {
    state.arrays.push(value);
    return state;
  },
  final: (state) => stackArrays(state.arrays),
});

export const basicAggregates: Implementations = {
  'count:': countRows,
  'count:any': countRows,
  'sum:int2': sumAsInt8,
  'sum:int4': sumAsInt8,
  'sum:int8': sumAsDecimal,
  'sum:numeric': decimalAggregate((state) => (state.count === 0 ? null : state.sum)),
  'sum:float4': floatAggregate((state) => (state.count === 0 ? null : asSingle(state.total()))),
  'sum:float8': sumOfFloats,
  'sum:interval': intervalAggregate((state) => (state.count === 0 ? null : state.sum)),
  'avg:int2': averageOfIntegers,
  'avg:int4': averageOfIntegers,
  'avg:int8': averageOfIntegers,
  'avg:numeric': decimalAggregate((state) => (state.count === 0 ? null : state.sum.div(new Decimal(state.count, 0)))),
  'avg:float4': averageOfFloats,
  'avg:float8': averageOfFloats,
  'avg:interval': intervalAggregate((state) => (state.count === 0 ? null : divideInterval(state.sum, state.count))),
  ...extremes(),
  ...bitAggregates(),
  'bool_and:bool': allTrue,
  'every:bool': allTrue,
  'bool_or:bool': anyTrue,
  'any_value:anyelement': fold((a: Value) => a),
  'string_agg:text,text': joinTexts,
  'string_agg:bytea,bytea': joinBytes,
  'array_agg:anynonarray': collect,
  'array_agg:anyarray': collectArrays,
};
