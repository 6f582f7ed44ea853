/** Arithmetic of pg_lsn with numeric. Its comparisons are those of texts; see types/lsn-type.ts. */
import { PhantomError } from '@phantom/base';
import { Decimal } from '@phantom/codec';
import { decodeLsn, encodeLsn } from '../types/lsn-type.js';
import type { Implementations } from './implementation.js';

function fromDecimal(value: Decimal, what: string): string {
  if (value.isNaN()) throw new PhantomError('0A000', `cannot ${what}`);
  if (!value.isFinite()) throw new PhantomError('0A000', `cannot ${what.replace('NaN', 'infinity')}`);
  const position = BigInt(value.round(0).toString());
  if (BigInt.asUintN(64, position) !== position) throw new PhantomError('22023', 'pg_lsn out of range');
  return encodeLsn(position);
}

const toDecimal = (value: string): Decimal => Decimal.of(decodeLsn(value), 0);

const plus = (value: string, bytes: Decimal): string =>
  fromDecimal(bytes.isFinite() ? toDecimal(value).add(bytes) : bytes, 'add NaN to pg_lsn');

const difference = (a: string, b: string): Decimal => Decimal.of(decodeLsn(a) - decodeLsn(b), 0);

export const lsnFunctions: Implementations = {
  pg_lsn_mi: difference,
  pg_wal_lsn_diff: difference,
  pg_lsn_pli: plus,
  numeric_pl_pg_lsn: (bytes: Decimal, value: string) => plus(value, bytes),
  pg_lsn_mii: (value: string, bytes: Decimal) =>
    fromDecimal(bytes.isFinite() ? toDecimal(value).sub(bytes) : bytes, 'subtract NaN from pg_lsn'),
  numeric_pg_lsn: (value: Decimal) => fromDecimal(value, 'convert NaN to pg_lsn'),
  pg_lsn_larger: (a: string, b: string) => (a > b ? a : b),
  pg_lsn_smaller: (a: string, b: string) => (a < b ? a : b),
  pg_lsn_cmp: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
};
