/**
 * Values of the geometric types: figures to reckon with, and the bytes that they are stored as. A value's canonical form is
 * the bytes of PostgreSQL's binary format, doubles in network order, so that the wire copies them and a row keeps them as
 * they are; functions take the bytes apart into the figures here.
 *
 *   point     x y                                     16
 *   line      a b c, of a*x + b*y + c = 0             24
 *   lseg      start, end                              32
 *   box       upper right corner, lower left one      32
 *   circle    center, radius                          24
 *   path      1 if closed (one byte), count (int32), points
 *   polygon   count (int32), points
 *
 * Figures are never changed once they are made. Equality is no business of the bytes: two figures are the same within a
 * tolerance (functions/geometry/arithmetic.ts), which is why none of these types has an order, a hash or a key.
 */
import { ByteWriter, PhantomError } from '@phantom/base';
import { getF64, getI32, putF64, putI32 } from './wire.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The points where a*x + b*y + c is zero. */
export interface Line {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export interface Segment {
  readonly start: Point;
  readonly end: Point;
}

/** No coordinate of `high` is below that of `low`. */
export interface Box {
  readonly high: Point;
  readonly low: Point;
}

export interface Circle {
  readonly center: Point;
  readonly radius: number;
}

/** At least one point; a closed path goes back from the last one to the first. */
export interface Path {
  readonly closed: boolean;
  readonly points: readonly Point[];
}

/** At least one point. */
export interface Polygon {
  readonly points: readonly Point[];
}

/** How figures of one type become bytes, and bytes figures. */
export interface FigureCodec<T> {
  decode(bytes: Uint8Array): T;
  encode(figure: T): Uint8Array;
}

export const POINT_BYTES = 16;
const DOUBLE_BYTES = 8;
const COUNT_BYTES = 4;

function pointAt(bytes: Uint8Array, at: number): Point {
  return { x: getF64(bytes, at, bytes.length), y: getF64(bytes, at + DOUBLE_BYTES, bytes.length) };
}

function pointsAt(bytes: Uint8Array, at: number): Point[] {
  const points: Point[] = [];
  const count = getI32(bytes, at, bytes.length);
  for (let i = 0; i < count; i++) points.push(pointAt(bytes, at + COUNT_BYTES + i * POINT_BYTES));
  return points;
}

function written(length: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(length);
  write(writer);
  return writer.buffer.slice(0, writer.length);
}

function doubles(...values: readonly number[]): Uint8Array {
  return written(values.length * DOUBLE_BYTES, (writer) => {
    for (const value of values) putF64(writer, value);
  });
}

function putPoints(writer: ByteWriter, points: readonly Point[]): void {
  putI32(writer, points.length);
  for (const { x, y } of points) {
    putF64(writer, x);
    putF64(writer, y);
  }
}

/** Length of the parts of a figure of so many bytes: boxes and segments consist of points, points and lines of doubles. */
const partBytes = (bytes: Uint8Array): number => (bytes.length === 2 * POINT_BYTES ? POINT_BYTES : DOUBLE_BYTES);

/** `figure[i]`, counted from 0: a double of a point or a line, a point of a segment or a box. Null where there is none. */
export function partOf(bytes: Uint8Array, index: number | null): number | Uint8Array | null {
  const length = partBytes(bytes);
  if (index === null || index < 0 || index * length >= bytes.length) return null;
  const at = index * length;
  return length === POINT_BYTES ? bytes.subarray(at, at + length) : getF64(bytes, at, bytes.length);
}

/** The figure with one part replaced; undefined where there is none of that index. */
export function withPart(bytes: Uint8Array, index: number, part: number | Uint8Array): Uint8Array | undefined {
  const length = partBytes(bytes);
  if (index < 0 || index * length >= bytes.length) return undefined;
  const changed = bytes.slice();
  changed.set(typeof part === 'number' ? doubles(part) : part, index * length);
  return changed;
}

/** 0A000: figures are taken apart into single coordinates and points. */
export function noFigureSlices(): PhantomError {
  return new PhantomError('0A000', 'slices of fixed-length arrays are not supported');
}

export const pointCodec: FigureCodec<Point> = {
  decode: (bytes) => pointAt(bytes, 0),
  encode: ({ x, y }) => doubles(x, y),
};

export const lineCodec: FigureCodec<Line> = {
  decode: (bytes) => {
    const { x: a, y: b } = pointAt(bytes, 0);
    return { a, b, c: getF64(bytes, POINT_BYTES, bytes.length) };
  },
  encode: ({ a, b, c }) => doubles(a, b, c),
};

export const segmentCodec: FigureCodec<Segment> = {
  decode: (bytes) => ({ start: pointAt(bytes, 0), end: pointAt(bytes, POINT_BYTES) }),
  encode: ({ start, end }) => doubles(start.x, start.y, end.x, end.y),
};

export const boxCodec: FigureCodec<Box> = {
  decode: (bytes) => ({ high: pointAt(bytes, 0), low: pointAt(bytes, POINT_BYTES) }),
  encode: ({ high, low }) => doubles(high.x, high.y, low.x, low.y),
};

export const circleCodec: FigureCodec<Circle> = {
  decode: (bytes) => ({ center: pointAt(bytes, 0), radius: getF64(bytes, POINT_BYTES, bytes.length) }),
  encode: ({ center, radius }) => doubles(center.x, center.y, radius),
};

export const pathCodec: FigureCodec<Path> = {
  decode: (bytes) => ({ closed: bytes[0] !== 0, points: pointsAt(bytes, 1) }),
  encode: ({ closed, points }) =>
    written(1 + COUNT_BYTES + points.length * POINT_BYTES, (writer) => {
      writer.u8(closed ? 1 : 0);
      putPoints(writer, points);
    }),
};

export const polygonCodec: FigureCodec<Polygon> = {
  decode: (bytes) => ({ points: pointsAt(bytes, 0) }),
  encode: ({ points }) => written(COUNT_BYTES + points.length * POINT_BYTES, (writer) => putPoints(writer, points)),
};
