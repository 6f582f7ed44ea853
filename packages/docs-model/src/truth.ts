/** What MongoDB takes for true. */
import { Decimal } from '@phantom/codec';

/** Everything but false, null, missing and zero. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === 0n) return false;
  return !(value instanceof Decimal) || !value.isZero();
}
