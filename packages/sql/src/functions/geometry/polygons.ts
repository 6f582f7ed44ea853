/**
 * Paths and polygons. Whether a point is inside of a polygon is told by how often its edges go around the point: each edge is
 * looked at for crossing the ray from the point to the right, upwards or downwards, a touch counting half (John Franks' way).
 */
import type { Circle, Path, Point, Polygon, Segment } from '../../types/geometric-values.js';
import {
  add,
  divide,
  isAtLeast,
  isAtMost,
  isBelow,
  isEqual,
  isGreater,
  isLess,
  isZero,
  multiply,
  subtract,
} from './arithmetic.js';
import { boundingBox, boxContains, boxesOverlap } from './boxes.js';
import { closestOnSegment, closestToSegment, isOnSegment, segmentCrossing } from './lines.js';
import { addPoint, distance, isSamePoint, midpoint } from './points.js';

/** The edges, the one that closes the figure first. */
function edgesOf({ points, closed }: { readonly points: readonly Point[]; readonly closed: boolean }): Segment[] {
  const edges: Segment[] = [];
  for (let i = closed ? 0 : 1; i < points.length; i++)
    edges.push({ start: points.at(i - 1) as Point, end: points[i] as Point });
  return edges;
}

const polygonEdges = ({ points }: Polygon): Segment[] => edgesOf({ points, closed: true });

/** An edge goes through the point itself. */
const TOUCHES = Symbol('touches');

/** How an edge to `to` from `from`, relative to the point, crosses the ray to the right: half turns, upwards positive. */
function crossing(to: Point, from: Point): number | typeof TOUCHES {
  const { x, y } = to;
  if (isZero(y)) {
    if (isZero(x)) return TOUCHES;
    if (isGreater(x, 0)) {
      if (isZero(from.y)) return isGreater(from.x, 0) ? 0 : TOUCHES;
      return isLess(from.y, 0) ? 1 : -1;
    }
    if (isZero(from.y)) return isLess(from.x, 0) ? 0 : TOUCHES;
    return 0;
  }
  const upward = isGreater(y, 0);
  const sign = upward ? 1 : -1;
  if (isZero(from.y)) return isLess(from.x, 0) ? 0 : sign;
  if (upward ? isGreater(from.y, 0) : isLess(from.y, 0)) return 0;
  if (isAtLeast(x, 0) && isGreater(from.x, 0)) return 2 * sign;
  if (isLess(x, 0) && isAtMost(from.x, 0)) return 0;
  const side = subtract(multiply(subtract(x, from.x), y), multiply(subtract(y, from.y), x));
  if (isZero(side)) return TOUCHES;
  return (upward ? isGreater(side, 0) : isLess(side, 0)) ? 0 : 2 * sign;
}

/** Whether a point is inside of a polygon, or on one of its edges. */
export function polygonHolds({ points }: Polygon, point: Point): boolean {
  const relative = points.map(({ x, y }): Point => ({ x: subtract(x, point.x), y: subtract(y, point.y) }));
  const first = relative[0] as Point;
  let turns = 0;
  let from = first;
  for (const to of [...relative.slice(1), first]) {
    const crossed = crossing(to, from);
    if (crossed === TOUCHES) return true;
    turns += crossed;
    from = to;
  }
  return turns !== 0;
}

/** Whether a point is on a path; in the area, where the path is closed. */
export function pathHolds(path: Path, point: Point): boolean {
  if (path.closed) return polygonHolds(path, point);
  return edgesOf(path).some(({ start, end }) =>
    isEqual(add(distance(point, start), distance(point, end)), distance(start, end)),
  );
}

/** The area of a closed path; null for an open one. */
export function pathArea({ closed, points }: Path): number | null {
  if (!closed) return null;
  let twice = 0;
  points.forEach((point, i) => {
    const next = points[(i + 1) % points.length] as Point;
    twice = subtract(add(twice, multiply(point.x, next.y)), multiply(point.y, next.x));
  });
  return divide(Math.abs(twice), 2);
}

/** The sum of a path's edges. */
export const pathLength = (path: Path): number =>
  edgesOf(path).reduce((sum, { start, end }) => add(sum, distance(start, end)), 0);

export function pathsMeet(a: Path, b: Path): boolean {
  if (!boxesOverlap(boundingBox(a.points), boundingBox(b.points))) return false;
  const edges = edgesOf(b);
  return edgesOf(a).some((edge) => edges.some((other) => segmentCrossing(edge, other) !== undefined));
}

/** The least of numbers, NaN counting as the greatest; null when there are none. */
function least(distances: readonly number[]): number | null {
  return distances.length === 0 ? null : distances.reduce((least, next) => (isBelow(next, least) ? next : least));
}

/** The distance of two paths; null where one of them is a single point without an edge. */
export function pathDistance(a: Path, b: Path): number | null {
  const edges = edgesOf(b);
  return least(edgesOf(a).flatMap((edge) => edges.map((other) => closestToSegment(edge, other).distance)));
}

/** The distance of a point from the edges of a path. */
export const pathPointDistance = (path: Path, point: Point): number =>
  least(edgesOf(path).map((edge) => closestOnSegment(edge, point).distance)) ?? 0;

/** The distance of a point from a polygon, 0 inside of it. */
export function polygonPointDistance(polygon: Polygon, point: Point): number {
  return polygonHolds(polygon, point) ? 0 : pathPointDistance({ points: polygon.points, closed: true }, point);
}

export function polygonDistance(a: Polygon, b: Polygon): number | null {
  if (polygonsOverlap(a, b)) return 0;
  return pathDistance({ points: a.points, closed: true }, { points: b.points, closed: true });
}

/** Whether two polygons have the same corners in the same order, whichever is the first, and in whichever direction. */
export function isSamePolygon(a: Polygon, b: Polygon): boolean {
  const count = a.points.length;
  if (count !== b.points.length) return false;
  const matches = (from: number, step: 1 | -1): boolean =>
    a.points.every((point, i) => isSamePoint(b.points.at((from + step * i) % count) as Point, point));
  return b.points.some((_point, from) => matches(from, 1) || matches(from, -1));
}

/** Whether an edge of one meets an edge of the other, or one is within the other. */
export function polygonsOverlap(a: Polygon, b: Polygon): boolean {
  if (!boxesOverlap(boundingBox(a.points), boundingBox(b.points))) return false;
  const edges = polygonEdges(b);
  if (polygonEdges(a).some((edge) => edges.some((other) => segmentCrossing(edge, other) !== undefined))) return true;
  return polygonHolds(b, a.points[0] as Point) || polygonHolds(a, b.points[0] as Point);
}

/** Whether all of a polygon is within another one: all of its edges are. */
export function polygonContains(outer: Polygon, inner: Polygon): boolean {
  if (!boxContains(boundingBox(outer.points), boundingBox(inner.points))) return false;
  const edges = polygonEdges(outer);
  return polygonEdges(inner).every((edge) => isWithin(edge, edges, 0, outer));
}

/**
 * Whether a segment is within a polygon, of which the edges before `from` have been looked at. The edges cut it into parts,
 * each of which is within or without as its middle is.
 */
function isWithin(segment: Segment, edges: readonly Segment[], from: number, polygon: Polygon): boolean {
  let isCut = false;
  for (let i = from; i < edges.length; i++) {
    const edge = edges[i] as Segment;
    const { start, end } = segment;
    if (isOnSegment(edge, start)) {
      if (isOnSegment(edge, end)) return true;
      if (!isRestWithin(start, end, edge, edges, i + 1, polygon)) return false;
    } else if (isOnSegment(edge, end)) {
      if (!isRestWithin(end, start, edge, edges, i + 1, polygon)) return false;
    } else {
      const cut = segmentCrossing(segment, edge);
      if (cut === undefined) continue;
      isCut = true;
      if (!isWithin({ start, end: cut }, edges, i + 1, polygon)) return false;
      if (!isWithin({ start: end, end: cut }, edges, i + 1, polygon)) return false;
    }
  }
  return isCut || polygonHolds(polygon, midpoint(segment));
}

/** Of a segment whose `start` is on an edge, what lies beyond the edge's end, where the segment runs along the edge. */
function isRestWithin(
  start: Point,
  end: Point,
  edge: Segment,
  edges: readonly Segment[],
  from: number,
  polygon: Polygon,
): boolean {
  const whole = { start, end };
  let corner: Point | undefined;
  if (isSamePoint(start, edge.start)) corner = isOnSegment(whole, edge.end) ? edge.end : undefined;
  else if (isSamePoint(start, edge.end)) corner = isOnSegment(whole, edge.start) ? edge.start : undefined;
  else corner = [edge.start, edge.end].find((point) => isOnSegment(whole, point));
  return corner === undefined || isWithin({ start: end, end: corner }, edges, from, polygon);
}

/** The circle about the mean of a polygon's corners, its radius the mean of their distances from there. */
export function circleAround({ points }: Polygon): Circle {
  const sum = points.reduce(addPoint, { x: 0, y: 0 });
  const center = { x: divide(sum.x, points.length), y: divide(sum.y, points.length) };
  const radii = points.reduce((total, point) => add(total, distance(point, center)), 0);
  return { center, radius: divide(radii, points.length) };
}
