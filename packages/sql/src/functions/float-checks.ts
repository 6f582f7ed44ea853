/** What arithmetic of doubles has to be asked afterwards: an operator whose result leaves the range raises, where JavaScript goes on with an infinity. */
import { divisionByZero, floatOverflow, floatUnderflow } from '../types/sql-errors.js';

/** The sum or difference of two doubles: 22003 when it left their range. */
export function checkSum(result: number, a: number, b: number): number {
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) throw floatOverflow();
  return result;
}

/** The product of two doubles: 22003 when it left their range, or came down to zero. */
export function checkProduct(result: number, a: number, b: number): number {
  if (result === 0) {
    if (a !== 0 && b !== 0) throw floatUnderflow();
  } else if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
    throw floatOverflow();
  }
  return result;
}

/** The quotient of two doubles: 22012 for a divisor of zero, 22003 as for a product. */
export function checkQuotient(result: number, a: number, b: number): number {
  if (b === 0 && !Number.isNaN(a)) throw divisionByZero();
  if (result === 0) {
    if (a !== 0 && Number.isFinite(b)) throw floatUnderflow();
  } else if (Math.abs(result) === Number.POSITIVE_INFINITY && Number.isFinite(a)) {
    throw floatOverflow();
  }
  return result;
}
