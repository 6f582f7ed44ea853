/** What partial aggregation makes of the sums and counts of partitions: an average, as `avg` gives it of all rows at once. */
import { Decimal } from '@phantom/codec';
import { floatOverflow } from '../types/sql-errors.js';
import { TypeOid } from '../types/type-oids.js';
import type { AggregateFunction } from './registry.js';

interface Parts<T> {
  sum: T;
  count: number;
}

const COMMON = {
  kind: 'aggregate',
  oid: 0,
  name: 'average_of_parts',
  volatility: 'immutable',
  strict: true,
} as const;

/** Of integers and decimals: exact until it is divided. */
export const AVERAGE_OF_DECIMALS: AggregateFunction = {
  ...COMMON,
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

/** Of floats: their sums are added in the order in which they come. */
export const AVERAGE_OF_FLOATS: AggregateFunction = {
  ...COMMON,
  argumentTypes: [TypeOid.float8, TypeOid.int8],
  resultType: TypeOid.float8,
  init: (): Parts<number> => ({ sum: 0, count: 0 }),
  step: (state: Parts<number>, part: number, count: number | bigint) => {
    const sum = state.sum + part;
    if (!Number.isFinite(sum) && Number.isFinite(state.sum) && Number.isFinite(part)) throw floatOverflow();
    state.sum = sum;
    state.count += Number(count);
    return state;
  },
  final: ({ sum, count }: Parts<number>) => (count === 0 ? null : sum / count),
};
