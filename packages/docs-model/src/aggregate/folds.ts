/** Folds that operators and accumulators share. What is no number does not count in sums; null and missing not in least and greatest. */
import { type NumberValue, compareValues, isNumber } from '../order.js';
import { calculate, divide } from './numbers.js';

/** Sum of the numbers, 0 of none. */
export function sumOf(values: readonly unknown[]): NumberValue {
  let sum: NumberValue = 0;
  for (const value of values) if (isNumber(value)) sum = calculate('add', sum, value);
  return sum;
}

/** Mean of the numbers, null of none. */
export function averageOf(values: readonly unknown[]): NumberValue | null {
  const numbers = values.filter(isNumber);
  return numbers.length === 0 ? null : divide(sumOf(numbers), numbers.length);
}

/** The least in the order, null of none. */
export function leastOf(values: readonly unknown[]): unknown {
  return extreme(values, -1);
}

/** The greatest in the order, null of none. */
export function greatestOf(values: readonly unknown[]): unknown {
  return extreme(values, 1);
}

function extreme(values: readonly unknown[], sign: 1 | -1): unknown {
  let found: unknown = null;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (found === null || compareValues(value, found) * sign > 0) found = value;
  }
  return found;
}

/** Count, mean and sum of squared differences from it. */
export type DeviationState = readonly [count: number, mean: number, squares: number];

/** Standard deviation of numbers that come one by one, by Welford's method. */
export class Deviation {
  private count = 0;
  private mean = 0;
  private squares = 0;

  /** What is no number does not count. */
  add(value: unknown): void {
    if (!isNumber(value)) return;
    const number = Number(value);
    this.count++;
    const delta = number - this.mean;
    this.mean += delta / this.count;
    this.squares += delta * (number - this.mean);
  }

  get state(): DeviationState {
    return [this.count, this.mean, this.squares];
  }

  /** Takes over what another has made of other values (T. Chan et al., Updating Formulae, 1979). */
  join([count, mean, squares]: DeviationState): void {
    if (count === 0) return;
    const all = this.count + count;
    const delta = mean - this.mean;
    this.squares += squares + (delta * delta * this.count * count) / all;
    this.mean += (delta * count) / all;
    this.count = all;
  }

  /** Of all values (0) or of a sample (1); null where there are too few. */
  result(sample: 0 | 1): number | null {
    return this.count <= sample ? null : Math.sqrt(this.squares / (this.count - sample));
  }
}

/** Standard deviation of the numbers. */
export function deviationOf(values: readonly unknown[], sample: 0 | 1): number | null {
  const deviation = new Deviation();
  for (const value of values) deviation.add(value);
  return deviation.result(sample);
}
