/**
 * Functions of the geometric types, by PostgreSQL's names for them. Each says which figures it takes and what it gives, so that
 * its own code knows figures alone and not their bytes; how they are reckoned is in geometry/.
 */
import { PhantomError } from '@phantom/base';
import {
  type Box,
  type Circle,
  type FigureCodec,
  type Path,
  type Point,
  type Polygon,
  type Segment,
  boxCodec,
  circleCodec,
  lineCodec,
  pathCodec,
  pointCodec,
  polygonCodec,
  segmentCodec,
} from '../types/geometric-values.js';
import { invalidParameter } from '../types/sql-errors.js';
import type { Value } from '../types/type.js';
import {
  add,
  divide,
  hypotenuse,
  isAtLeast,
  isAtMost,
  isEqual,
  isGreater,
  isLess,
  isUnequal,
  isZero,
  multiply,
  subtract,
} from './geometry/arithmetic.js';
import * as boxes from './geometry/boxes.js';
import * as lines from './geometry/lines.js';
import * as points from './geometry/points.js';
import * as polygons from './geometry/polygons.js';
import type { Implementation, Implementations } from './implementation.js';

/** Numbers and truth values, which are what they are. */
const plain: FigureCodec<never> = {
  decode: (value) => value as never,
  encode: (value) => value,
};
const [POINT, LINE, SEGMENT, BOX] = [pointCodec, lineCodec, segmentCodec, boxCodec];
const [CIRCLE, PATH, POLYGON] = [circleCodec, pathCodec, polygonCodec];
const NUMBER: FigureCodec<number> = plain;
const TRUTH: FigureCodec<boolean> = plain;

/** A function of one figure. */
function of<A, R>(a: FigureCodec<A>, result: FigureCodec<R>, compute: (a: A) => R | null): Implementation {
  return (x: Uint8Array): Value => {
    const found = compute(a.decode(x));
    return found === null ? null : result.encode(found);
  };
}

/** A function of two. */
function both<A, B, R>(
  a: FigureCodec<A>,
  b: FigureCodec<B>,
  result: FigureCodec<R>,
  compute: (a: A, b: B) => R | null,
): Implementation {
  return (x: Uint8Array, y: Uint8Array): Value => {
    const found = compute(a.decode(x), b.decode(y));
    return found === null ? null : result.encode(found);
  };
}

/** Two functions of the same two figures, one of which takes them the other way round. */
function commuted<A, B, R>(
  names: readonly [string, string],
  a: FigureCodec<A>,
  b: FigureCodec<B>,
  result: FigureCodec<R>,
  compute: (a: A, b: B) => R | null,
): Implementations {
  return {
    [names[0]]: both(a, b, result, compute),
    [names[1]]: both(b, a, result, (y, x) => compute(x, y)),
  };
}

const COMPARISONS = {
  lt: isLess,
  le: isAtMost,
  gt: isGreater,
  ge: isAtLeast,
} as const;

/** Comparisons of figures by what they measure, `eq` and `ne` left out. */
function comparisons<T>(prefix: string, codec: FigureCodec<T>, measure: (figure: T) => number): Implementations {
  return Object.fromEntries(
    Object.entries(COMPARISONS).map(([name, holds]) => [
      prefix + name,
      both(codec, codec, TRUTH, (a, b) => holds(measure(a), measure(b))),
    ]),
  );
}

/** The point, unless there is none because its distance is no number. */
const found = ({ point, distance }: lines.Closest): Point | null => (Number.isNaN(distance) ? null : point);

const pointFunctions: Implementations = {
  construct_point: both(NUMBER, NUMBER, POINT, (x, y) => ({ x, y })),
  point_eq: both(POINT, POINT, TRUTH, points.isSamePoint),
  point_ne: both(POINT, POINT, TRUTH, (a, b) => !points.isSamePoint(a, b)),
  point_left: both(POINT, POINT, TRUTH, (a, b) => isLess(a.x, b.x)),
  point_right: both(POINT, POINT, TRUTH, (a, b) => isGreater(a.x, b.x)),
  point_above: both(POINT, POINT, TRUTH, (a, b) => isGreater(a.y, b.y)),
  point_below: both(POINT, POINT, TRUTH, (a, b) => isLess(a.y, b.y)),
  point_vert: both(POINT, POINT, TRUTH, (a, b) => isEqual(a.x, b.x)),
  point_horiz: both(POINT, POINT, TRUTH, (a, b) => isEqual(a.y, b.y)),
  point_distance: both(POINT, POINT, NUMBER, points.distance),
  point_slope: both(POINT, POINT, NUMBER, points.slope),
  point_add: both(POINT, POINT, POINT, points.addPoint),
  point_sub: both(POINT, POINT, POINT, points.subtractPoint),
  point_mul: both(POINT, POINT, POINT, points.multiplyPoint),
  point_div: both(POINT, POINT, POINT, points.dividePoint),
};

const lineFunctions: Implementations = {
  line_construct_pp: both(POINT, POINT, LINE, (a, b) => lines.lineOfPoints(a, b, '22023')),
  line_eq: both(LINE, LINE, TRUTH, lines.isSameLine),
  line_intersect: both(LINE, LINE, TRUTH, (a, b) => lines.lineCrossing(a, b) !== undefined),
  line_parallel: both(LINE, LINE, TRUTH, (a, b) => lines.lineCrossing(a, b) === undefined),
  line_interpt: both(LINE, LINE, POINT, (a, b) => lines.lineCrossing(a, b) ?? null),
  line_perp: both(LINE, LINE, TRUTH, lines.isPerpendicular),
  line_vertical: of(LINE, TRUTH, (line) => isZero(line.b)),
  line_horizontal: of(LINE, TRUTH, (line) => isZero(line.a)),
  line_distance: both(LINE, LINE, NUMBER, lines.lineDistance),
  on_pl: both(POINT, LINE, TRUTH, (point, line) => lines.isOnLine(line, point)),
  close_pl: both(POINT, LINE, POINT, (point, line) => found(lines.closestOnLine(line, point))),
  ...commuted(['dist_lp', 'dist_pl'], LINE, POINT, NUMBER, (line, point) => lines.closestOnLine(line, point).distance),
};

const segmentFunctions: Implementations = {
  lseg_construct: both(POINT, POINT, SEGMENT, (start, end) => ({ start, end })),
  lseg_center: of(SEGMENT, POINT, points.midpoint),
  lseg_length: of(SEGMENT, NUMBER, points.lengthOf),
  lseg_vertical: of(SEGMENT, TRUTH, ({ start, end }) => isEqual(start.x, end.x)),
  lseg_horizontal: of(SEGMENT, TRUTH, ({ start, end }) => isEqual(start.y, end.y)),
  lseg_parallel: both(SEGMENT, SEGMENT, TRUTH, (a, b) => isEqual(lines.slopeOf(a), lines.slopeOf(b))),
  lseg_perp: both(SEGMENT, SEGMENT, TRUTH, (a, b) => isEqual(lines.slopeOf(a), lines.normalSlopeOf(b))),
  lseg_eq: both(SEGMENT, SEGMENT, TRUTH, isSameSegment),
  lseg_ne: both(SEGMENT, SEGMENT, TRUTH, (a, b) => !isSameSegment(a, b)),
  ...comparisons('lseg_', SEGMENT, points.lengthOf),
  lseg_intersect: both(SEGMENT, SEGMENT, TRUTH, (a, b) => lines.segmentCrossing(a, b) !== undefined),
  lseg_interpt: both(SEGMENT, SEGMENT, POINT, (a, b) => lines.segmentCrossing(a, b) ?? null),
  lseg_distance: both(SEGMENT, SEGMENT, NUMBER, (a, b) => lines.closestToSegment(a, b).distance),
  inter_sl: both(SEGMENT, LINE, TRUTH, (segment, line) => lines.segmentLineCrossing(segment, line) !== undefined),
  on_ps: both(POINT, SEGMENT, TRUTH, (point, segment) => lines.isOnSegment(segment, point)),
  on_sl: both(SEGMENT, LINE, TRUTH, ({ start, end }, line) => lines.isOnLine(line, start) && lines.isOnLine(line, end)),
  close_ps: both(POINT, SEGMENT, POINT, (point, segment) => found(lines.closestOnSegment(segment, point))),
  close_ls: both(LINE, SEGMENT, POINT, (line, segment) =>
    lines.slopeOf(segment) === lines.lineSlope(line) ? null : found(lines.closestToLine(segment, line)),
  ),
  close_lseg: both(SEGMENT, SEGMENT, POINT, (a, b) =>
    lines.slopeOf(a) === lines.slopeOf(b) ? null : found(lines.closestToSegment(b, a)),
  ),
  ...commuted(['dist_sp', 'dist_ps'], SEGMENT, POINT, NUMBER, (segment, point) => {
    return lines.closestOnSegment(segment, point).distance;
  }),
  ...commuted(['dist_sl', 'dist_ls'], SEGMENT, LINE, NUMBER, (segment, line) => {
    return lines.closestToLine(segment, line).distance;
  }),
};

function isSameSegment(a: Segment, b: Segment): boolean {
  return points.isSamePoint(a.start, b.start) && points.isSamePoint(a.end, b.end);
}

/** Where two boxes are to each other. */
const boxPlaces = (place: (a: Box, b: Box) => boolean): Implementation => both(BOX, BOX, TRUTH, place);
/** A box moved or turned by a point. */
const boxBy = (change: (corner: Point, by: Point) => Point): Implementation =>
  both(BOX, POINT, BOX, ({ high, low }, by) => boxes.boxOf(change(high, by), change(low, by)));

const boxFunctions: Implementations = {
  points_box: both(POINT, POINT, BOX, boxes.boxOf),
  point_box: of(POINT, BOX, (point) => ({ high: point, low: point })),
  boxes_bound_box: both(BOX, BOX, BOX, (a, b) => boxes.boundingBox([a.high, a.low, b.high, b.low])),
  box_same: boxPlaces((a, b) => points.isSamePoint(a.high, b.high) && points.isSamePoint(a.low, b.low)),
  box_overlap: boxPlaces(boxes.boxesOverlap),
  box_contain: boxPlaces(boxes.boxContains),
  box_contained: boxPlaces((a, b) => boxes.boxContains(b, a)),
  box_left: boxPlaces((a, b) => isLess(a.high.x, b.low.x)),
  box_overleft: boxPlaces((a, b) => isAtMost(a.high.x, b.high.x)),
  box_right: boxPlaces((a, b) => isGreater(a.low.x, b.high.x)),
  box_overright: boxPlaces((a, b) => isAtLeast(a.low.x, b.low.x)),
  box_below: boxPlaces((a, b) => isLess(a.high.y, b.low.y)),
  box_overbelow: boxPlaces((a, b) => isAtMost(a.high.y, b.high.y)),
  box_above: boxPlaces((a, b) => isGreater(a.low.y, b.high.y)),
  box_overabove: boxPlaces((a, b) => isAtLeast(a.low.y, b.low.y)),
  box_below_eq: boxPlaces((a, b) => isAtMost(a.high.y, b.low.y)),
  box_above_eq: boxPlaces((a, b) => isAtLeast(a.low.y, b.high.y)),
  box_eq: boxPlaces((a, b) => isEqual(boxes.boxArea(a), boxes.boxArea(b))),
  ...comparisons('box_', BOX, boxes.boxArea),
  box_area: of(BOX, NUMBER, boxes.boxArea),
  box_width: of(BOX, NUMBER, boxes.boxWidth),
  box_height: of(BOX, NUMBER, boxes.boxHeight),
  box_center: of(BOX, POINT, boxes.boxCenter),
  box_diagonal: of(BOX, SEGMENT, ({ high, low }) => ({ start: high, end: low })),
  box_distance: both(BOX, BOX, NUMBER, (a, b) => points.distance(boxes.boxCenter(a), boxes.boxCenter(b))),
  box_intersect: both(BOX, BOX, BOX, boxes.boxIntersection),
  box_add: boxBy(points.addPoint),
  box_sub: boxBy(points.subtractPoint),
  box_mul: boxBy(points.multiplyPoint),
  box_div: boxBy(points.dividePoint),
  ...commuted(['box_contain_pt', 'on_pb'], BOX, POINT, TRUTH, boxes.boxHolds),
  on_sb: both(SEGMENT, BOX, TRUTH, ({ start, end }, box) => boxes.boxHolds(box, start) && boxes.boxHolds(box, end)),
  inter_sb: both(SEGMENT, BOX, TRUTH, boxes.segmentMeetsBox),
  inter_lb: both(LINE, BOX, TRUTH, boxes.lineMeetsBox),
  close_pb: both(POINT, BOX, POINT, (point, box) => found(boxes.closestInBox(box, point))),
  close_sb: both(SEGMENT, BOX, POINT, (segment, box) => found(boxes.closestToBox(box, segment))),
  ...commuted(['dist_bp', 'dist_pb'], BOX, POINT, NUMBER, (box, point) => boxes.closestInBox(box, point).distance),
  ...commuted(['dist_bs', 'dist_sb'], BOX, SEGMENT, NUMBER, (box, segment) => {
    return boxes.closestToBox(box, segment).distance;
  }),
};

const countOf = ({ points: all }: Path | Polygon): number => all.length;
/** Paths compare by how many points they have. */
const pathCount = (holds: (a: number, b: number) => boolean): Implementation =>
  both(PATH, PATH, TRUTH, (a, b) => holds(countOf(a), countOf(b)));
const pathBy = (change: (point: Point, by: Point) => Point): Implementation =>
  both(PATH, POINT, PATH, ({ closed, points: all }, by) => ({ closed, points: all.map((point) => change(point, by)) }));

const pathFunctions: Implementations = {
  path_n_lt: pathCount((a, b) => a < b),
  path_n_gt: pathCount((a, b) => a > b),
  path_n_eq: pathCount((a, b) => a === b),
  path_n_le: pathCount((a, b) => a <= b),
  path_n_ge: pathCount((a, b) => a >= b),
  path_npoints: of(PATH, NUMBER, countOf),
  path_isclosed: of(PATH, TRUTH, ({ closed }) => closed),
  path_isopen: of(PATH, TRUTH, ({ closed }) => !closed),
  path_close: of(PATH, PATH, ({ points: all }) => ({ closed: true, points: all })),
  path_open: of(PATH, PATH, ({ points: all }) => ({ closed: false, points: all })),
  path_area: of(PATH, NUMBER, polygons.pathArea),
  path_length: of(PATH, NUMBER, polygons.pathLength),
  path_inter: both(PATH, PATH, TRUTH, polygons.pathsMeet),
  path_distance: both(PATH, PATH, NUMBER, polygons.pathDistance),
  path_add: both(PATH, PATH, PATH, (a, b) =>
    a.closed || b.closed ? null : { closed: false, points: [...a.points, ...b.points] },
  ),
  path_add_pt: pathBy(points.addPoint),
  path_sub_pt: pathBy(points.subtractPoint),
  path_mul_pt: pathBy(points.multiplyPoint),
  path_div_pt: pathBy(points.dividePoint),
  path_poly: of(PATH, POLYGON, ({ closed, points: all }) => {
    if (!closed) throw invalidParameter('open path cannot be converted to polygon');
    return { points: all };
  }),
  ...commuted(['path_contain_pt', 'on_ppath'], PATH, POINT, TRUTH, polygons.pathHolds),
  ...commuted(['dist_pathp', 'dist_ppath'], PATH, POINT, NUMBER, polygons.pathPointDistance),
};

/** Where two polygons are to each other, as the boxes around them tell it, without a tolerance. */
const polygonPlaces = (place: (a: Box, b: Box) => boolean): Implementation =>
  both(POLYGON, POLYGON, TRUTH, (a, b) => place(boxes.boundingBox(a.points), boxes.boundingBox(b.points)));

const polygonFunctions: Implementations = {
  poly_left: polygonPlaces((a, b) => a.high.x < b.low.x),
  poly_overleft: polygonPlaces((a, b) => a.high.x <= b.high.x),
  poly_right: polygonPlaces((a, b) => a.low.x > b.high.x),
  poly_overright: polygonPlaces((a, b) => a.low.x >= b.low.x),
  poly_below: polygonPlaces((a, b) => a.high.y < b.low.y),
  poly_overbelow: polygonPlaces((a, b) => a.high.y <= b.high.y),
  poly_above: polygonPlaces((a, b) => a.low.y > b.high.y),
  poly_overabove: polygonPlaces((a, b) => a.low.y >= b.low.y),
  poly_same: both(POLYGON, POLYGON, TRUTH, polygons.isSamePolygon),
  poly_overlap: both(POLYGON, POLYGON, TRUTH, polygons.polygonsOverlap),
  ...commuted(['poly_contain', 'poly_contained'], POLYGON, POLYGON, TRUTH, polygons.polygonContains),
  ...commuted(['poly_contain_pt', 'pt_contained_poly'], POLYGON, POINT, TRUTH, polygons.polygonHolds),
  poly_distance: both(POLYGON, POLYGON, NUMBER, polygons.polygonDistance),
  ...commuted(['dist_polyp', 'dist_ppoly'], POLYGON, POINT, NUMBER, polygons.polygonPointDistance),
  poly_npoints: of(POLYGON, NUMBER, countOf),
  poly_center: of(POLYGON, POINT, (polygon) => polygons.circleAround(polygon).center),
  poly_box: of(POLYGON, BOX, ({ points: all }) => boxes.boundingBox(all)),
  poly_path: of(POLYGON, PATH, ({ points: all }) => ({ closed: true, points: all })),
  poly_circle: of(POLYGON, CIRCLE, polygons.circleAround),
  box_poly: of(BOX, POLYGON, (box) => ({ points: boxes.cornersOf(box) })),
};

const centerDistance = (a: Circle, b: Circle): number => points.distance(a.center, b.center);
const circlePlaces = (place: (a: Circle, b: Circle) => boolean): Implementation => both(CIRCLE, CIRCLE, TRUTH, place);
const circleArea = ({ radius }: Circle): number => multiply(multiply(radius, radius), Math.PI);
const [left, right] = [
  ({ center, radius }: Circle): number => subtract(center.x, radius),
  ({ center, radius }: Circle): number => add(center.x, radius),
];
const [bottom, top] = [
  ({ center, radius }: Circle): number => subtract(center.y, radius),
  ({ center, radius }: Circle): number => add(center.y, radius),
];
const circleHolds = ({ center, radius }: Circle, point: Point): boolean => points.distance(center, point) <= radius;

/** Points that a circle becomes when it is made a polygon without saying of how many. */
const POLYGON_POINTS_DEFAULT = 12;
/** More of them could not be laid out; PostgreSQL's own limit is that of a value. */
const POLYGON_POINTS_MAX = 67_108_862;

/** A polygon of so many points on a circle, from its left going round clockwise. */
function polygonOfCircle(count: number, { center, radius }: Circle): Polygon {
  if (isZero(radius)) throw new PhantomError('0A000', 'cannot convert circle with radius zero to polygon');
  if (count < 2) throw invalidParameter('must request at least 2 points');
  if (count > POLYGON_POINTS_MAX) throw new PhantomError('54000', 'too many points requested');
  const step = divide(2 * Math.PI, count);
  return {
    points: Array.from({ length: count }, (_none, i) => {
      const angle = multiply(step, i);
      return {
        x: subtract(center.x, multiply(radius, Math.cos(angle))),
        y: add(center.y, multiply(radius, Math.sin(angle))),
      };
    }),
  };
}

const circleFunctions: Implementations = {
  cr_circle: both(POINT, NUMBER, CIRCLE, (center, radius) => ({ center, radius })),
  circle_same: circlePlaces(
    (a, b) =>
      ((Number.isNaN(a.radius) && Number.isNaN(b.radius)) || isEqual(a.radius, b.radius)) &&
      points.isSamePoint(a.center, b.center),
  ),
  circle_overlap: circlePlaces((a, b) => isAtMost(centerDistance(a, b), add(a.radius, b.radius))),
  circle_contain: circlePlaces((a, b) => isAtMost(centerDistance(a, b), subtract(a.radius, b.radius))),
  circle_contained: circlePlaces((a, b) => isAtMost(centerDistance(a, b), subtract(b.radius, a.radius))),
  circle_left: circlePlaces((a, b) => isLess(right(a), left(b))),
  circle_overleft: circlePlaces((a, b) => isAtMost(right(a), right(b))),
  circle_right: circlePlaces((a, b) => isGreater(left(a), right(b))),
  circle_overright: circlePlaces((a, b) => isAtLeast(left(a), left(b))),
  circle_below: circlePlaces((a, b) => isLess(top(a), bottom(b))),
  circle_overbelow: circlePlaces((a, b) => isAtMost(top(a), top(b))),
  circle_above: circlePlaces((a, b) => isGreater(bottom(a), top(b))),
  circle_overabove: circlePlaces((a, b) => isAtLeast(bottom(a), bottom(b))),
  circle_eq: circlePlaces((a, b) => isEqual(circleArea(a), circleArea(b))),
  circle_ne: circlePlaces((a, b) => isUnequal(circleArea(a), circleArea(b))),
  ...comparisons('circle_', CIRCLE, circleArea),
  circle_area: of(CIRCLE, NUMBER, circleArea),
  circle_center: of(CIRCLE, POINT, ({ center }) => center),
  circle_radius: of(CIRCLE, NUMBER, ({ radius }) => radius),
  circle_diameter: of(CIRCLE, NUMBER, ({ radius }) => multiply(radius, 2)),
  circle_add_pt: both(CIRCLE, POINT, CIRCLE, ({ center, radius }, by) => ({
    center: points.addPoint(center, by),
    radius,
  })),
  circle_sub_pt: both(CIRCLE, POINT, CIRCLE, ({ center, radius }, by) => ({
    center: points.subtractPoint(center, by),
    radius,
  })),
  circle_mul_pt: both(CIRCLE, POINT, CIRCLE, ({ center, radius }, by) => ({
    center: points.multiplyPoint(center, by),
    radius: multiply(radius, hypotenuse(by.x, by.y)),
  })),
  circle_div_pt: both(CIRCLE, POINT, CIRCLE, ({ center, radius }, by) => ({
    center: points.dividePoint(center, by),
    radius: divide(radius, hypotenuse(by.x, by.y)),
  })),
  circle_distance: both(CIRCLE, CIRCLE, NUMBER, (a, b) => outside(centerDistance(a, b), add(a.radius, b.radius))),
  ...commuted(['circle_contain_pt', 'pt_contained_circle'], CIRCLE, POINT, TRUTH, circleHolds),
  ...commuted(['dist_cpoint', 'dist_pc'], CIRCLE, POINT, NUMBER, ({ center, radius }, point) => {
    return outside(points.distance(point, center), radius);
  }),
  ...commuted(['dist_cpoly', 'dist_polyc'], CIRCLE, POLYGON, NUMBER, ({ center, radius }, polygon) => {
    return outside(polygons.polygonPointDistance(polygon, center), radius);
  }),
  circle_poly: both(NUMBER, CIRCLE, POLYGON, polygonOfCircle),
  circle_polygon: of(CIRCLE, POLYGON, (circle) => polygonOfCircle(POLYGON_POINTS_DEFAULT, circle)),
  circle_box: of(CIRCLE, BOX, ({ center, radius }) => {
    const half = divide(radius, Math.SQRT2);
    return {
      high: { x: add(center.x, half), y: add(center.y, half) },
      low: { x: subtract(center.x, half), y: subtract(center.y, half) },
    };
  }),
  box_circle: of(BOX, CIRCLE, (box) => {
    const center = boxes.boxCenter(box);
    return { center, radius: points.distance(center, box.high) };
  }),
};

/** What of a distance is left beyond a radius. */
function outside(distance: number, radius: number): number {
  const left = subtract(distance, radius);
  return left < 0 ? 0 : left;
}

export const geometricFunctions: Implementations = {
  ...pointFunctions,
  ...lineFunctions,
  ...segmentFunctions,
  ...boxFunctions,
  ...pathFunctions,
  ...polygonFunctions,
  ...circleFunctions,
};
