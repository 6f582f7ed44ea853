/**
 * Arithmetic of the geometric types, as PostgreSQL has it: figures are compared with a tolerance, so that what a rotation or
 * a division has moved by an ulp still meets; sums and products that leave the range of doubles raise 22003.
 *
 * The tolerance is absolute. That is coarse for figures much smaller than 1 (and no equivalence: a may equal b, and b c), but
 * applications that compare with PostgreSQL's answers get the same ones.
 */
import { compareFloats } from '../../types/float-types.js';
import { floatOverflow, floatUnderflow } from '../../types/sql-errors.js';
import { checkProduct, checkQuotient, checkSum } from '../float-checks.js';

/** How far apart two coordinates may be and still be taken for one. */
const TOLERANCE = 1e-6;

export const isZero = (a: number): boolean => Math.abs(a) <= TOLERANCE;
export const isEqual = (a: number, b: number): boolean => a === b || Math.abs(a - b) <= TOLERANCE;
/** Not the contrary of `isEqual`: with what is not a number a figure is neither equal nor unequal. */
export const isUnequal = (a: number, b: number): boolean => a !== b && Math.abs(a - b) > TOLERANCE;
export const isLess = (a: number, b: number): boolean => a + TOLERANCE < b;
export const isAtMost = (a: number, b: number): boolean => a <= b + TOLERANCE;
export const isGreater = (a: number, b: number): boolean => a > b + TOLERANCE;
export const isAtLeast = (a: number, b: number): boolean => a + TOLERANCE >= b;

export const add = (a: number, b: number): number => checkSum(a + b, a, b);
export const subtract = (a: number, b: number): number => checkSum(a - b, a, b);
export const multiply = (a: number, b: number): number => checkProduct(a * b, a, b);
export const divide = (a: number, b: number): number => checkQuotient(a / b, a, b);

/** The middle of two numbers. */
export const middle = (a: number, b: number): number => divide(add(a, b), 2);

/** Exact order of doubles, NaN above all. */
export const isBelow = (a: number, b: number): boolean => compareFloats(a, b) < 0;
export const smaller = (a: number, b: number): number => (isBelow(a, b) ? a : b);
export const larger = (a: number, b: number): number => (isBelow(b, a) ? a : b);

/**
 * The length of a hypotenuse. `Math.hypot` may differ in the last digit, which shows in every distance; scaling by the
 * longer side keeps the squares within the range.
 */
export function hypotenuse(a: number, b: number): number {
  const [x, y] = [Math.abs(a), Math.abs(b)];
  if (x === Number.POSITIVE_INFINITY || y === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const longer = Math.max(x, y);
  const shorter = Math.min(x, y);
  if (shorter === 0) return longer;
  const ratio = shorter / longer;
  const length = longer * Math.sqrt(1 + ratio * ratio);
  if (length === Number.POSITIVE_INFINITY) throw floatOverflow();
  if (length === 0) throw floatUnderflow();
  return length;
}
