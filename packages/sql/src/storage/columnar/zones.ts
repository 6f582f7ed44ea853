/**
 * Zones: the least and the greatest value of a column in a segment, so that a scan passes over segments in which no row can
 * satisfy a comparison. (Idea: G. Moerkotte, "Small Materialized Aggregates", VLDB 1998.)
 *
 * Columns have one when their values are in SQL's order under JavaScript's operators, or are decimals. Nulls count for nothing: a
 * comparison is never true for one.
 */
import type { ByteWriter } from '@phantom/base';
import { Decimal, type StorageType, StorageKind, rowCodec, rowLayout } from '@phantom/codec';
import type { ComparisonRole } from '../../expr/expression.js';
import type { Value } from '../../types/type.js';

const ORDERED_KINDS: ReadonlySet<StorageKind> = new Set<StorageKind>([
  StorageKind.Bool,
  StorageKind.Int16,
  StorageKind.Int32,
  StorageKind.Int64,
  StorageKind.UInt32,
  StorageKind.Decimal,
  StorageKind.Date,
  StorageKind.Time,
  StorageKind.Timestamp,
  StorageKind.Uuid,
]);

/** True for columns that have zones. */
export function hasZone({ kind }: StorageType): boolean {
  return ORDERED_KINDS.has(kind);
}

/** Least and greatest; undefined where there is no value, or the column has no zone. */
export type Zone = readonly [least: Value, greatest: Value] | undefined;

type Ordered = number | string | bigint | boolean;

function isLess(a: Value, b: Value): boolean {
  return a instanceof Decimal && b instanceof Decimal ? a.compare(b) < 0 : (a as Ordered) < (b as Ordered);
}

/** The zone of values. */
export function zoneOf(values: readonly Value[]): Zone {
  let zone: [Value, Value] | undefined;
  for (const value of values) {
    if (value === null) continue;
    if (zone === undefined) zone = [value, value];
    else if (isLess(value, zone[0])) zone[0] = value;
    else if (isLess(zone[1], value)) zone[1] = value;
  }
  return zone;
}

/** True when no value of the zone stands in the relation to the bound. */
export function excludes([least, greatest]: NonNullable<Zone>, role: ComparisonRole, bound: Value): boolean {
  switch (role) {
    case '=':
      return isLess(bound, least) || isLess(greatest, bound);
    case '<':
      return !isLess(least, bound);
    case '<=':
      return isLess(bound, least);
    case '>':
      return !isLess(bound, greatest);
    case '>=':
      return isLess(greatest, bound);
    default:
      return false;
  }
}

/** Writes a zone: its bytes as a varint, none for one that there is not, then a row of its two values. */
export class ZoneCodec {
  private readonly codec;
  private readonly values: Value[] = [];

  constructor(storage: StorageType) {
    this.codec = rowCodec(rowLayout(0, [storage, storage]));
  }

  write(zone: Zone, writer: ByteWriter, scratch: ByteWriter): void {
    scratch.reset();
    if (zone !== undefined) this.codec.encode(zone, scratch);
    writer.lengthPrefixed(scratch.buffer, 0, scratch.length);
  }

  /** The zone at [start, end). */
  read(buffer: Uint8Array, start: number, end: number): Zone {
    if (start === end) return undefined;
    this.codec.decode(buffer, start, end, this.values);
    return [this.values[0], this.values[1]];
  }
}
