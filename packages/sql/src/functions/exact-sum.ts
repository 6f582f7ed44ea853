/**
 * Sums of floats that are rounded once, at their end: the float nearest to what the values come to. So a sum does not depend on the
 * order of its values, and with that on no plan, number of threads, size of memory or state of files.
 *
 * What an addition of floats loses is a float again, and found with a few more additions (D. E. Knuth, The Art of Computer Programming
 * 2, 4.2.2). A sum is kept as floats that have not lost anything together (J. R. Shewchuk, "Adaptive Precision Floating-Point
 * Arithmetic and Fast Robust Geometric Predicates", 1997):
 *
 *   value ──► first ──what it loses──► second ──► third ──► rest, an integer in units of the least float
 *
 * Two of them hold the sums of nearly all data; the rest is for values whose bits span more than about 150 places, and for sums beyond
 * the largest float on their way.
 */
import { floatOverflow } from '../types/sql-errors.js';

const FRACTION_BITS = 52;
/** Bits that are looked at when an integer becomes a float: twice what it keeps, and more. */
const ROUNDED_BITS = 128;
/** Exponent of the unit that integers count: that of the least float. */
const UNIT_EXPONENT = -1074;

const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);

/** What `sum`, the float nearest to a + b, has lost of it; not finite where one of them is not. */
export function lost(a: number, b: number, sum: number): number {
  const added = sum - a;
  return a - (sum - added) + (b - added);
}

export class ExactSum {
  count = 0;
  private first = 0;
  private second = 0;
  private third = 0;
  private rest = 0n;
  // How many of the values were these: they cannot be added and taken away again.
  private notNumbers = 0;
  private infinities = 0;
  private negativeInfinities = 0;

  add(value: number): void {
    const first = this.first + value;
    const fromFirst = lost(this.first, value, first);
    const second = this.second + fromFirst;
    // NaN where something is not finite.
    if (lost(this.second, fromFirst, second) === 0) {
      this.first = first;
      this.second = second;
    } else if (Number.isFinite(value)) this.addRest(value);
    else this.addSpecial(value, 1);
  }

  /** Takes away a value that was added. */
  subtract(value: number): void {
    if (Number.isFinite(value)) this.add(-value);
    else this.addSpecial(value, -1);
  }

  /** The sum with two more values, rounded; 22003 when it is beyond the largest float. */
  total(more = 0, evenMore = 0): number {
    if (this.notNumbers > 0 || (this.infinities > 0 && this.negativeInfinities > 0)) return Number.NaN;
    if (this.infinities > 0) return Infinity;
    if (this.negativeInfinities > 0) return -Infinity;
    const isPlain = this.third === 0 && this.rest === 0n && more === 0 && evenMore === 0;
    return finite(isPlain ? this.first + this.second : floatOf(this.units() + unitsOf(more) + unitsOf(evenMore)));
  }

  /** Floats whose exact sum it is. */
  parts(): number[] {
    const parts = [this.first, this.second, this.third].filter((part) => part !== 0);
    for (let { rest } = this; rest !== 0n;) {
      const part = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, floatOf(rest)));
      parts.push(part);
      rest -= unitsOf(part);
    }
    if (this.notNumbers > 0) parts.push(Number.NaN);
    if (this.infinities > 0) parts.push(Infinity);
    if (this.negativeInfinities > 0) parts.push(-Infinity);
    return parts;
  }

  private units(): bigint {
    return unitsOf(this.first) + unitsOf(this.second) + unitsOf(this.third) + this.rest;
  }

  private addRest(value: number): void {
    const first = this.first + value;
    const fromFirst = lost(this.first, value, first);
    const second = this.second + fromFirst;
    const fromSecond = lost(this.second, fromFirst, second);
    const third = this.third + fromSecond;
    const fromThird = lost(this.third, fromSecond, third);
    if (Number.isFinite(fromThird)) {
      this.first = first;
      this.second = second;
      this.third = third;
      if (fromThird !== 0) this.rest += unitsOf(fromThird);
    } else this.rest += unitsOf(value);
  }

  private addSpecial(value: number, times: 1 | -1): void {
    if (Number.isNaN(value)) this.notNumbers += times;
    else if (value > 0) this.infinities += times;
    else this.negativeInfinities += times;
  }
}

/** 22003 for a sum that is beyond the largest float. */
export function finite(sum: number): number {
  if (!Number.isFinite(sum)) throw floatOverflow();
  return sum;
}

/** The float4 nearest to a sum; 22003 when that is beyond the largest one. */
export function asSingle(sum: number): number {
  return Number.isFinite(sum) ? finite(Math.fround(sum)) : sum;
}

/** A finite float in units of the least one. */
function unitsOf(value: number): bigint {
  if (value === 0) return 0n;
  float[0] = Math.abs(value);
  const word = bits[0] as bigint;
  const exponent = Number(word >> BigInt(FRACTION_BITS));
  const fraction = word & ((1n << BigInt(FRACTION_BITS)) - 1n);
  const units = exponent === 0 ? fraction : (fraction | (1n << BigInt(FRACTION_BITS))) << BigInt(exponent - 1);
  return value < 0 ? -units : units;
}

/** The float nearest to so many units, to the even one between two; infinite beyond the largest. */
function floatOf(units: bigint): number {
  const size = units < 0n ? -units : units;
  // The highest bits, and one more that says whether anything was below them: enough to be rounded once.
  const shift = Math.max(0, size.toString(16).length * 4 - ROUNDED_BITS);
  const high = size >> BigInt(shift);
  const isWhole = high << BigInt(shift) === size;
  const rounded = Number(isWhole ? high : high | 1n) * 2 ** (shift + UNIT_EXPONENT);
  return units < 0n ? -rounded : rounded;
}
