/** Boxes: rectangles along the axes. */
import type { Box, Line, Point, Segment } from '../../types/geometric-values.js';
import { isAtLeast, isAtMost, isBelow, larger, middle, multiply, smaller, subtract } from './arithmetic.js';
import {
  type Closest,
  closer,
  closestOnSegment,
  closestToSegment,
  segmentCrossing,
  segmentLineCrossing,
} from './lines.js';

/** The greater and the lesser of two; of equals, which zeros of both signs are, the second counts as greater. */
const sorted = (a: number, b: number): [number, number] => (isBelow(b, a) ? [a, b] : [b, a]);

/** The box that two opposite corners span. */
export function boxOf(a: Point, b: Point): Box {
  const [right, left] = sorted(a.x, b.x);
  const [top, bottom] = sorted(a.y, b.y);
  return { high: { x: right, y: top }, low: { x: left, y: bottom } };
}

/** The smallest box around points, of which there is at least one. */
export function boundingBox(points: readonly Point[]): Box {
  const [first, ...rest] = points as [Point, ...Point[]];
  return rest.reduce(
    ({ high, low }: Box, { x, y }): Box => ({
      high: { x: larger(x, high.x), y: larger(y, high.y) },
      low: { x: smaller(x, low.x), y: smaller(y, low.y) },
    }),
    { high: first, low: first },
  );
}

export const boxesOverlap = (a: Box, b: Box): boolean =>
  isAtMost(a.low.x, b.high.x) &&
  isAtMost(b.low.x, a.high.x) &&
  isAtMost(a.low.y, b.high.y) &&
  isAtMost(b.low.y, a.high.y);

export const boxContains = (outer: Box, inner: Box): boolean =>
  isAtLeast(outer.high.x, inner.high.x) &&
  isAtMost(outer.low.x, inner.low.x) &&
  isAtLeast(outer.high.y, inner.high.y) &&
  isAtMost(outer.low.y, inner.low.y);

/** Without a tolerance. */
export const boxHolds = ({ high, low }: Box, { x, y }: Point): boolean =>
  high.x >= x && low.x <= x && high.y >= y && low.y <= y;

export const boxCenter = ({ high, low }: Box): Point => ({ x: middle(high.x, low.x), y: middle(high.y, low.y) });
export const boxWidth = ({ high, low }: Box): number => subtract(high.x, low.x);
export const boxHeight = ({ high, low }: Box): number => subtract(high.y, low.y);
export const boxArea = (box: Box): number => multiply(boxWidth(box), boxHeight(box));

/** What two boxes share; null when they are apart. */
export function boxIntersection(a: Box, b: Box): Box | null {
  if (!boxesOverlap(a, b)) return null;
  return {
    high: { x: smaller(a.high.x, b.high.x), y: smaller(a.high.y, b.high.y) },
    low: { x: larger(a.low.x, b.low.x), y: larger(a.low.y, b.low.y) },
  };
}

/** The corners one after the other, from the lower left one upward. */
export const cornersOf = ({ high, low }: Box): Point[] => [low, { x: low.x, y: high.y }, high, { x: high.x, y: low.y }];

/** The sides: left, top, bottom, right. Of sides that are equally close the first counts. */
function sidesOf(box: Box): Segment[] {
  const [low, upperLeft, high, lowerRight] = cornersOf(box) as [Point, Point, Point, Point];
  return [
    { start: low, end: upperLeft },
    { start: high, end: upperLeft },
    { start: low, end: lowerRight },
    { start: high, end: lowerRight },
  ];
}

export const lineMeetsBox = (line: Line, box: Box): boolean =>
  sidesOf(box).some((side) => segmentLineCrossing(side, line) !== undefined);

export function segmentMeetsBox(segment: Segment, box: Box): boolean {
  const { start, end } = segment;
  if (!boxesOverlap(boxOf(start, end), box)) return false;
  if (boxHolds(box, start) || boxHolds(box, end)) return true;
  return sidesOf(box).some((side) => segmentCrossing(side, segment) !== undefined);
}

/** The point of a box that is closest to a point. */
export function closestInBox(box: Box, point: Point): Closest {
  if (boxHolds(box, point)) return { point, distance: 0 };
  return sidesOf(box)
    .map((side) => closestOnSegment(side, point))
    .reduce(closer);
}

/** The point of a box that is closest to a segment; where they meet, the segment's point nearest to the box's center. */
export function closestToBox(box: Box, segment: Segment): Closest {
  if (segmentMeetsBox(segment, box)) return { point: closestOnSegment(segment, boxCenter(box)).point, distance: 0 };
  return sidesOf(box)
    .map((side) => closestToSegment(side, segment))
    .reduce(closer);
}
