/**
 * The small value classes that rows can hold besides JavaScript's own: json text, arrays, records and ranges. They carry
 * what PostgreSQL's values carry and no behaviour: types know what to do with them, codecs how to store them.
 */

/** A json value as its text was given; jsonb is `Jsonb`. */
export class Json {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** An array of any number of dimensions: flat items in row-major order, null for SQL NULL. */
export class SqlArray {
  /** Type of the elements. */
  readonly elementOid: number;
  /** Length of each dimension; empty for the empty array. */
  readonly dimensions: readonly number[];
  /** First index of each dimension, mostly 1. */
  readonly lowerBounds: readonly number[];
  readonly items: readonly unknown[];

  constructor(
    elementOid: number,
    dimensions: readonly number[],
    lowerBounds: readonly number[],
    items: readonly unknown[],
  ) {
    this.elementOid = elementOid;
    this.dimensions = dimensions;
    this.lowerBounds = lowerBounds;
    this.items = items;
  }

  /** A one-dimensional array from index 1; no items give the empty array, which has no dimensions. */
  static of(elementOid: number, items: readonly unknown[]): SqlArray {
    return items.length === 0
      ? new SqlArray(elementOid, [], [], [])
      : new SqlArray(elementOid, [items.length], ONE, items);
  }
}

const ONE: readonly number[] = [1];

/** Names and types of a record's fields; one object is shared by all records of a shape. */
export interface RecordShape {
  readonly names: readonly string[];
  /** Type oids, as many as names. */
  readonly types: readonly number[];
  readonly typmods: readonly number[];
}

/** A row value: of a composite type, or anonymous (type record), when only the shape tells its fields' types. */
export class SqlRecord {
  readonly typeOid: number;
  readonly fields: readonly unknown[];
  readonly shape: RecordShape;

  constructor(typeOid: number, fields: readonly unknown[], shape: RecordShape) {
    this.typeOid = typeOid;
    this.fields = fields;
    this.shape = shape;
  }
}

/** The values of some type from one bound to another. Ranges of discrete types are kept in their canonical form `[ , )`. */
export class SqlRange {
  /** The range type. */
  readonly typeOid: number;
  /** No value at all: the bounds are null, and in no range. */
  readonly empty: boolean;
  /** null where there is no bound. */
  readonly lower: unknown;
  readonly upper: unknown;
  /** False where there is no bound. */
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;

  constructor(
    typeOid: number,
    empty: boolean,
    lower: unknown,
    upper: unknown,
    lowerInclusive: boolean,
    upperInclusive: boolean,
  ) {
    this.typeOid = typeOid;
    this.empty = empty;
    this.lower = lower;
    this.upper = upper;
    this.lowerInclusive = lowerInclusive;
    this.upperInclusive = upperInclusive;
  }

  /** The range that nothing is in. */
  static none(typeOid: number): SqlRange {
    return new SqlRange(typeOid, true, null, null, false, false);
  }
}

/** Ranges that are in order, not empty, and neither overlap nor touch. */
export class SqlMultirange {
  /** The multirange type. */
  readonly typeOid: number;
  readonly ranges: readonly SqlRange[];

  constructor(typeOid: number, ranges: readonly SqlRange[]) {
    this.typeOid = typeOid;
    this.ranges = ranges;
  }
}
