/** What partial aggregation makes of the sums and counts of partitions: a sum or an average, as it is of all rows at once. */
import { Decimal, type SqlArray } from '@phantom/codec';
import { FloatSums } from '../exec/float-sums.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import type { AggregateFunction } from './registry.js';

interface Parts<T> {
  sum: T;
  count: number;
}

const COMMON = { kind: 'aggregate', oid: 0, volatility: 'immutable', strict: true } as const;

/** Of integers and decimals: exact until it is divided. */
export const AVERAGE_OF_DECIMALS: AggregateFunction = {
  ...COMMON,
  name: 'average_of_parts',
  argumentTypes: [TypeOid.numeric, TypeOid.int8],
  resultType: TypeOid.numeric,
  init: (): Parts<Decimal> => ({ sum: Decimal.Zero, count: 0 }),
  step: (state: Parts<Decimal>, sum: Decimal | number | bigint, count: number | bigint) => {
    state.sum = state.sum.add(sum instanceof Decimal ? sum : Decimal.of(sum, 0));
    state.count += Number(count);
    return state;
  },
  final: ({ sum, count }: Parts<Decimal>) => (count === 0 ? null : sum.div(new Decimal(count, 0))),
};

/** What a partition hands on of a sum of floats that is not rounded yet (exec/float-sums.ts). */
function partOf(name: string, resultType: number, final: (state: FloatSums) => Value): AggregateFunction {
  return {
    ...COMMON,
    name,
    argumentTypes: [TypeOid.float8],
    resultType,
    init: () => FloatSums.ofOneGroup(),
    step: (state: FloatSums, value: number) => {
      state.add(0, value);
      return state;
    },
    final,
  };
}

export const FLOAT_SUM_PARTS = [
  partOf('float_sum_first', TypeOid.float8, (state) => state.firstPart(0)),
  partOf('float_sum_second', TypeOid.float8, (state) => state.secondPart(0)),
  partOf('float_sum_rest', TypeOid.float8Array, (state) => state.restPart(0)),
] as const;

/** A sum or an average of those parts; of the counts, too, where they matter. */
function wholeOf(name: string, resultType: number, final: (state: FloatSums) => Value): AggregateFunction {
  return {
    ...COMMON,
    name,
    strict: false,
    argumentTypes: [TypeOid.float8, TypeOid.float8, TypeOid.float8Array, TypeOid.int8],
    resultType,
    init: () => FloatSums.ofOneGroup(),
    step: (state: FloatSums, first: number | null, second: number | null, rest: SqlArray | null, count?: number) => {
      state.addParts(0, first, second, rest, count);
      return state;
    },
    final,
  };
}

export const SUM_OF_FLOATS = wholeOf('sum_of_floats', TypeOid.float8, (state) => state.sum(0));
export const SUM_OF_SINGLES = wholeOf('sum_of_singles', TypeOid.float4, (state) => state.single(0));
export const AVERAGE_OF_FLOATS = wholeOf('average_of_floats', TypeOid.float8, (state) => state.average(0));
