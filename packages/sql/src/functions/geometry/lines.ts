/**
 * Lines and segments: where they meet, how far apart they are, and which point of one is closest to another figure.
 *
 * The functions that look for a closest point give it together with its distance. A distance that is NaN says that there is
 * no such point, because a coordinate is not a number or because rounding has made a normal miss its line.
 */
import { PhantomError } from '@phantom/base';
import { compareFloats } from '../../types/float-types.js';
import type { Line, Point, Segment } from '../../types/geometric-values.js';
import { add, divide, hypotenuse, isBelow, isEqual, isZero, multiply, subtract } from './arithmetic.js';
import { distance, isSamePoint, normalSlope, slope } from './points.js';

/** A point of a figure, and how far it is from another figure. */
export interface Closest {
  readonly point: Point;
  readonly distance: number;
}

/** The one of two that is closer; the first of equals. */
export const closer = (a: Closest, b: Closest): Closest => (isBelow(b.distance, a.distance) ? b : a);

/** The line of that slope through a point. */
export function lineThrough(point: Point, m: number): Line {
  if (Math.abs(m) === Number.POSITIVE_INFINITY) return { a: -1, b: 0, c: point.x };
  if (m === 0) return { a: 0, b: -1, c: point.y };
  // Adding zero makes a negative zero a plain one.
  return { a: m, b: -1, c: subtract(point.y, multiply(m, point.x)) + 0 };
}

/** The line through two points; `state` is the error's code where they are one. */
export function lineOfPoints(a: Point, b: Point, state: '22023' | '22P02'): Line {
  if (isSamePoint(a, b)) throw new PhantomError(state, 'invalid line specification: must be two distinct points');
  return lineThrough(a, slope(a, b));
}

const lineOf = ({ start, end }: Segment): Line => lineThrough(start, slope(start, end));
export const slopeOf = ({ start, end }: Segment): number => slope(start, end);
export const normalSlopeOf = ({ start, end }: Segment): number => normalSlope(start, end);

/** The slope of a line; infinite where it is vertical. */
export function lineSlope({ a, b }: Line): number {
  if (isZero(a)) return 0;
  return isZero(b) ? Number.POSITIVE_INFINITY : divide(a, -b);
}

function lineNormalSlope({ a, b }: Line): number {
  if (isZero(a)) return Number.POSITIVE_INFINITY;
  return isZero(b) ? 0 : divide(b, a);
}

/** The value that is zero for the points of a line. */
const residue = ({ a, b, c }: Line, { x, y }: Point): number => add(add(multiply(a, x), multiply(b, y)), c);

export const isOnLine = (line: Line, point: Point): boolean => isZero(residue(line, point));

export const isOnSegment = ({ start, end }: Segment, point: Point): boolean =>
  isEqual(distance(point, start) + distance(point, end), distance(start, end));

/** Where a line that is not vertical meets another one; undefined when they are parallel. */
function meeting(base: Line, other: Line): Point | undefined {
  if (isEqual(other.a, multiply(base.a, divide(other.b, base.b)))) return undefined;
  const x = divide(
    subtract(multiply(base.b, other.c), multiply(other.b, base.c)),
    subtract(multiply(base.a, other.b), multiply(other.a, base.b)),
  );
  const y = divide(-add(multiply(base.a, x), base.c), base.b);
  return { x: x + 0, y: y + 0 };
}

/** Where two lines meet; undefined when they are parallel. */
export function lineCrossing(a: Line, b: Line): Point | undefined {
  if (!isZero(a.b)) return meeting(a, b);
  return isZero(b.b) ? undefined : meeting(b, a);
}

const PARTS = ['a', 'b', 'c'] as const;

/** Lines are one when their coefficients are in proportion. */
export function isSameLine(a: Line, b: Line): boolean {
  if (PARTS.some((part) => Number.isNaN(a[part]) || Number.isNaN(b[part])))
    return PARTS.every((part) => compareFloats(a[part], b[part]) === 0);
  const part = PARTS.find((name) => !isZero(b[name]));
  const ratio = part === undefined ? 1 : divide(a[part], b[part]);
  return PARTS.every((name) => isEqual(a[name], multiply(ratio, b[name])));
}

export function isPerpendicular(a: Line, b: Line): boolean {
  if (isZero(a.a)) return isZero(b.b);
  if (isZero(b.a)) return isZero(a.b);
  if (isZero(a.b)) return isZero(b.a);
  if (isZero(b.b)) return isZero(a.a);
  return isEqual(divide(multiply(a.a, b.a), multiply(a.b, b.b)), -1);
}

export function lineDistance(a: Line, b: Line): number {
  if (lineCrossing(a, b) !== undefined) return 0;
  const counts = (value: number): boolean => !isZero(value) && !Number.isNaN(value);
  let ratio = 1;
  if (counts(a.a) && counts(b.a)) ratio = divide(a.a, b.a);
  else if (counts(a.b) && counts(b.b)) ratio = divide(a.b, b.b);
  return divide(Math.abs(subtract(a.c, multiply(ratio, b.c))), hypotenuse(a.a, a.b));
}

/** Where a segment meets a line; its own end where it is that. */
export function segmentLineCrossing(segment: Segment, line: Line): Point | undefined {
  const point = lineCrossing(lineOf(segment), line);
  if (point === undefined || !isOnSegment(segment, point)) return undefined;
  if (isSamePoint(segment.start, point)) return segment.start;
  return isSamePoint(segment.end, point) ? segment.end : point;
}

/** Where two segments meet. */
export function segmentCrossing(a: Segment, b: Segment): Point | undefined {
  const point = segmentLineCrossing(a, lineOf(b));
  return point !== undefined && isOnSegment(b, point) ? point : undefined;
}

/** The foot of the perpendicular. */
export function closestOnLine(line: Line, point: Point): Closest {
  const foot = lineCrossing(lineThrough(point, lineNormalSlope(line)), line);
  return foot === undefined ? { point, distance: Number.NaN } : { point: foot, distance: distance(foot, point) };
}

/** The point of a segment that is closest to a line. */
export function closestToLine(segment: Segment, line: Line): Closest {
  const crossing = segmentLineCrossing(segment, line);
  if (crossing !== undefined) return { point: crossing, distance: 0 };
  const fromStart = closestOnLine(line, segment.start).distance;
  const fromEnd = closestOnLine(line, segment.end).distance;
  return fromStart < fromEnd
    ? { point: segment.start, distance: fromStart }
    : { point: segment.end, distance: fromEnd };
}

/** The point of a segment that is closest to a point. */
export function closestOnSegment(segment: Segment, point: Point): Closest {
  const normal = lineThrough(point, normalSlopeOf(segment));
  const { point: found } = closestToLine(segment, normal);
  return { point: found, distance: distance(found, point) };
}

/** The point of a segment that is closest to another segment. */
export function closestToSegment(segment: Segment, other: Segment): Closest {
  const crossing = segmentCrossing(segment, other);
  if (crossing !== undefined) return { point: crossing, distance: 0 };
  const ends = closer(closestOnSegment(segment, other.start), closestOnSegment(segment, other.end));
  const own = [segment.start, segment.end].map((point): Closest => ({
    point,
    distance: closestOnSegment(other, point).distance,
  }));
  return own.reduce(closer, ends);
}
