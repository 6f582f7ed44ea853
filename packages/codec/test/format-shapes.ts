/** The kinds of values as the pages of the formats name them. */
import { StorageKind, type StorageType } from '../src/storage.js';
import type { Shape } from './format-reader.js';

const SHAPES: Readonly<Partial<Record<StorageKind, Shape['kind']>>> = {
  [StorageKind.Bool]: 'bool',
  [StorageKind.Int16]: 'int2',
  [StorageKind.Int32]: 'int4',
  [StorageKind.Int64]: 'int8',
  [StorageKind.UInt32]: 'uint4',
  [StorageKind.Float32]: 'float4',
  [StorageKind.Float64]: 'float8',
  [StorageKind.Decimal]: 'decimal',
  [StorageKind.Text]: 'text',
  [StorageKind.PaddedText]: 'text',
  [StorageKind.FoldedText]: 'text',
  [StorageKind.Bytes]: 'bytes',
  [StorageKind.Date]: 'date',
  [StorageKind.Time]: 'time',
  [StorageKind.Timestamp]: 'timestamp',
  [StorageKind.TimeTz]: 'timetz',
  [StorageKind.Interval]: 'interval',
  [StorageKind.Uuid]: 'uuid',
  [StorageKind.Json]: 'json',
  [StorageKind.Jsonb]: 'jsonb',
  [StorageKind.Enum]: 'enum',
};

export function shapeOf(storage: StorageType): Shape {
  if (storage.element !== undefined) return { kind: 'array', item: shapeOf(storage.element.storage) };
  if (storage.record !== undefined) return { kind: 'record', fields: storage.record.fields.map(shapeOf) };
  if (storage.range !== undefined) return { kind: 'range', bound: shapeOf(storage.range.bound) };
  if (storage.multirange !== undefined) {
    const { bound } = shapeOf(storage.multirange.range) as Extract<Shape, { kind: 'range' }>;
    return { kind: 'multirange', bound };
  }
  return { kind: SHAPES[storage.kind] } as Shape;
}
