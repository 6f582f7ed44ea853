/** Points: their arithmetic is that of complex numbers, so that multiplying by one turns and stretches. */
import type { Point, Segment } from '../../types/geometric-values.js';
import { compareFloats } from '../../types/float-types.js';
import { add, divide, hypotenuse, isEqual, middle, multiply, subtract } from './arithmetic.js';

const hasNaN = ({ x, y }: Point): boolean => Number.isNaN(x) || Number.isNaN(y);

/** Whether two points are one, within the tolerance; exactly, where a coordinate is not a number. */
export function isSamePoint(a: Point, b: Point): boolean {
  if (hasNaN(a) || hasNaN(b)) return compareFloats(a.x, b.x) === 0 && compareFloats(a.y, b.y) === 0;
  return isEqual(a.x, b.x) && isEqual(a.y, b.y);
}

export const distance = (a: Point, b: Point): number => hypotenuse(subtract(a.x, b.x), subtract(a.y, b.y));

/** The slope of the line through two points; infinite where it is vertical. */
export function slope(a: Point, b: Point): number {
  if (isEqual(a.x, b.x)) return Number.POSITIVE_INFINITY;
  if (isEqual(a.y, b.y)) return 0;
  return divide(subtract(a.y, b.y), subtract(a.x, b.x));
}

/** The slope at right angles to it. */
export function normalSlope(a: Point, b: Point): number {
  if (isEqual(a.x, b.x)) return 0;
  if (isEqual(a.y, b.y)) return Number.POSITIVE_INFINITY;
  return divide(subtract(a.x, b.x), subtract(b.y, a.y));
}

export const addPoint = (a: Point, b: Point): Point => ({ x: add(a.x, b.x), y: add(a.y, b.y) });
export const subtractPoint = (a: Point, b: Point): Point => ({ x: subtract(a.x, b.x), y: subtract(a.y, b.y) });

export const multiplyPoint = (a: Point, b: Point): Point => ({
  x: subtract(multiply(a.x, b.x), multiply(a.y, b.y)),
  y: add(multiply(a.x, b.y), multiply(a.y, b.x)),
});

export function dividePoint(a: Point, b: Point): Point {
  const square = add(multiply(b.x, b.x), multiply(b.y, b.y));
  return {
    x: divide(add(multiply(a.x, b.x), multiply(a.y, b.y)), square),
    y: divide(subtract(multiply(b.x, a.y), multiply(a.x, b.y)), square),
  };
}

export const midpoint = ({ start, end }: Segment): Point => ({ x: middle(start.x, end.x), y: middle(start.y, end.y) });
export const lengthOf = ({ start, end }: Segment): number => distance(start, end);
