/** The values of a column of some rows in memory, as compiled code reads them. */
import { Decimal } from '@phantom/codec';
import type { Value } from '../../types/type.js';

/** Values by row: numbers in typed arrays where none is null, decimals as numbers and decimals, anything else as canonical values. */
export type ColumnValues = Int32Array | Float64Array | readonly Value[] | DecimalVector | DecimalValues;

/** Decimals of one scale; each is made when it is asked for. A null is NaN among the unscaled values, which no such decimal has. */
export class DecimalVector {
  readonly unscaled: Float64Array;
  readonly scale: number;

  constructor(unscaled: Float64Array, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }

  get length(): number {
    return this.unscaled.length;
  }

  at(index: number): Decimal | null {
    const unscaled = this.unscaled[index]!;
    return unscaled === unscaled ? new Decimal(unscaled, this.scale) : null;
  }
}

/**
 * Decimals that are at hand: few different ones, or of several scales. Those that are numbers of the first one's scale stand among the
 * unscaled values, too, NaN in the places of the others.
 */
export class DecimalValues {
  readonly unscaled: Float64Array;
  readonly scale: number;
  private readonly values: readonly (Decimal | null)[];

  constructor(values: readonly (Decimal | null)[]) {
    this.values = values;
    this.scale = values.find((value) => value !== null)?.scale ?? 0;
    this.unscaled = Float64Array.from(values, (value) =>
      value !== null && value.scale === this.scale && typeof value.unscaled === 'number' ? value.unscaled : Number.NaN,
    );
  }

  get length(): number {
    return this.values.length;
  }

  at(index: number): Decimal | null {
    return this.values[index]!;
  }
}

/** Bytes that a value of an array stands for in memory, guessed. */
const REFERENCE_BYTES = 8;

/** Memory that a vector takes; `payloadBytes` is what its chunk had, for values that are objects. */
export function vectorBytes(values: ColumnValues, payloadBytes: number): number {
  if (values instanceof Int32Array || values instanceof Float64Array) return values.byteLength;
  if (values instanceof DecimalVector) return values.unscaled.byteLength;
  const referred = values.length * REFERENCE_BYTES + payloadBytes;
  return values instanceof DecimalValues ? referred + values.unscaled.byteLength : referred;
}
