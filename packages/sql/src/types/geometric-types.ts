/** point, lseg, path, box, polygon, line and circle: the run-time types over the bytes of geometric-values.ts. */
import { PhantomError } from '@phantom/base';
import { StorageKind } from '@phantom/codec';
import { boxOf } from '../functions/geometry/boxes.js';
import { builtinType } from './base-type.js';
import {
  FigureWriter,
  checkLine,
  readBox,
  readCircle,
  readLine,
  readPath,
  readPoint,
  readPolygon,
  readSegment,
} from './geometric-text.js';
import {
  type FigureCodec,
  POINT_BYTES,
  boxCodec,
  circleCodec,
  lineCodec,
  pathCodec,
  pointCodec,
  polygonCodec,
  segmentCodec,
} from './geometric-values.js';
import { invalidBinary } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes, getI32 } from './wire.js';

interface Figure<T> {
  readonly codec: FigureCodec<T>;
  read(text: string): T;
  write(writer: FigureWriter, figure: T): string;
  /** 08P01 or 22P03 unless the bytes have the length of a figure. */
  checkLength(bytes: Uint8Array): void;
  /** The figure that was sent; throws on one that cannot be. Absent: every one can. */
  received?(figure: T): T;
}

function figureType<T>(oid: number, figure: Figure<T>): SqlType {
  const { codec, received } = figure;
  return builtinType<Uint8Array>(oid, {
    storage: { kind: StorageKind.Bytes },
    input: (text) => codec.encode(figure.read(text)),
    output: (bytes, context) => figure.write(new FigureWriter(context.extraFloatDigits), codec.decode(bytes)),
    receive: (message, start, end) => {
      const bytes = message.slice(start, end);
      figure.checkLength(bytes);
      return received === undefined ? bytes : codec.encode(received(codec.decode(bytes)));
    },
    send: (bytes, writer) => writer.bytes(bytes),
    compare: undefined,
  });
}

const exactly =
  (length: number) =>
  (bytes: Uint8Array): void =>
    expectBytes(0, bytes.length, length);

/** A number of points behind so many bytes, which are there. */
const counted =
  (typeName: string, before: number) =>
  (bytes: Uint8Array): void => {
    const count = getI32(bytes, before, bytes.length);
    if (count <= 0) throw invalidBinary(`invalid number of points in external "${typeName}" value`);
    expectBytes(0, bytes.length, before + 4 + count * POINT_BYTES);
  };

export const geometricTypes: readonly SqlType[] = [
  figureType(TypeOid.point, {
    codec: pointCodec,
    read: readPoint,
    write: (writer, point) => writer.point(point),
    checkLength: exactly(POINT_BYTES),
  }),
  figureType(TypeOid.lseg, {
    codec: segmentCodec,
    read: readSegment,
    write: (writer, segment) => writer.segment(segment),
    checkLength: exactly(2 * POINT_BYTES),
  }),
  figureType(TypeOid.path, {
    codec: pathCodec,
    read: readPath,
    write: (writer, path) => writer.path(path),
    checkLength: counted('path', 1),
    // Whatever is not zero closes it; the bytes kept say 1.
    received: (path) => path,
  }),
  figureType(TypeOid.box, {
    codec: boxCodec,
    read: readBox,
    write: (writer, box) => writer.box(box),
    checkLength: exactly(2 * POINT_BYTES),
    received: ({ high, low }) => boxOf(high, low),
  }),
  figureType(TypeOid.polygon, {
    codec: polygonCodec,
    read: readPolygon,
    write: (writer, polygon) => writer.polygon(polygon),
    checkLength: counted('polygon', 0),
  }),
  figureType(TypeOid.line, {
    codec: lineCodec,
    read: readLine,
    write: (writer, line) => writer.line(line),
    checkLength: exactly(24),
    received: (line) => checkLine(line, '22P03'),
  }),
  figureType(TypeOid.circle, {
    codec: circleCodec,
    read: readCircle,
    write: (writer, circle) => writer.circle(circle),
    checkLength: exactly(24),
    received: (circle) => {
      if (circle.radius < 0) throw new PhantomError('22P03', 'invalid radius in external "circle" value');
      return circle;
    },
  }),
];
