/**
 * What ANALYZE gathers of one column from a sample of a table's rows, and what it makes of that: the share of nulls, distinct
 * values, the most common ones, a histogram of the others and the correlation of the column's order with the rows'.
 *
 * Distinct values of a sample of every row are counted. Those of a table with more rows are estimated by Duj1 of Haas and Stokes
 * ("Estimating the number of classes in a finite population", 1998), as in PostgreSQL: n·d / (n - f1 + f1·n/N), with d values in
 * the n rows of the sample, f1 of them once, and N rows in the table. Where none comes twice, all rows are taken to differ.
 */
import type { SqlType, Value } from '../../types/type.js';

/** A value is common when it is so much more frequent than the average one. */
const COMMON_FACTOR = 1.25;
/** Longer texts and byte strings are counted, but not kept. */
const KEPT_LENGTH_MAX = 256;

export interface ColumnSummary {
  /** Distinct non-null values of the whole table. */
  readonly distinctCount: number;
  readonly nullFraction: number;
  readonly averageBytes: number;
  readonly mostCommon: readonly { readonly value: Value; readonly fraction: number }[];
  readonly histogram: readonly Value[];
  readonly correlation: number;
}

interface Counted {
  readonly value: Value;
  count: number;
}

export class ColumnSample {
  private readonly type: SqlType;
  /** Entries of the list of common values, and buckets of the histogram, at most. */
  private readonly target: number;
  /** But for nulls. */
  private readonly values: Value[] = [];
  private rows = 0;
  private bytes = 0;

  constructor(type: SqlType, target: number) {
    this.type = type;
    this.target = target;
  }

  /** Takes in the value of a row. */
  add(value: Value): void {
    this.rows++;
    if (value === null) return;
    this.bytes += widthOf(value);
    this.values.push(value);
  }

  /** The summary, for a table of so many rows. */
  summary(tableRows: number): ColumnSummary {
    const { values, rows, type } = this;
    const nullFraction = rows === 0 ? 0 : (rows - values.length) / rows;
    const averageBytes = values.length === 0 ? 0 : this.bytes / values.length;
    const tallied = this.tally();
    const distinctCount = this.distinct(tallied, tableRows);
    const none = { distinctCount, nullFraction, averageBytes, mostCommon: [], histogram: [], correlation: 0 };
    if (tallied === undefined || values.length === 0) return none;
    const common = this.common(tallied, distinctCount);
    const mostCommon = common.map(({ value, count }) => ({
      value,
      fraction: (count / values.length) * (1 - nullFraction),
    }));
    const { compare } = type;
    if (compare === undefined) return { ...none, mostCommon };
    const commonKeys = new Set(common.map(({ value }) => type.hashKey?.(value)));
    const others = values.filter((value) => !commonKeys.has(type.hashKey?.(value)) && isShort(value)).sort(compare);
    return {
      ...none,
      mostCommon,
      histogram: boundsOf(others, this.target),
      correlation: correlationOf(values, compare),
    };
  }

  /** How often each value stands in the sample. */
  private tally(): Map<unknown, Counted> | undefined {
    const { hashKey } = this.type;
    if (hashKey === undefined) return undefined;
    const tallied = new Map<unknown, Counted>();
    for (const value of this.values) {
      const key = hashKey(value);
      const counted = tallied.get(key);
      if (counted === undefined) tallied.set(key, { value, count: 1 });
      else counted.count++;
    }
    return tallied;
  }

  private distinct(tallied: Map<unknown, Counted> | undefined, tableRows: number): number {
    const { rows, values } = this;
    const n = values.length;
    if (n === 0) return 0;
    if (tallied === undefined) return Math.min(n, 200);
    if (rows >= tableRows) return tallied.size;
    let once = 0;
    for (const { count } of tallied.values()) if (count === 1) once++;
    const all = Math.max(n, (tableRows * n) / rows);
    const estimate = (n * tallied.size) / (n - once + (once * n) / all);
    return Math.round(Math.min(all, Math.max(estimate, tallied.size)));
  }

  private common(tallied: Map<unknown, Counted>, distinctCount: number): Counted[] {
    const byCount = [...tallied.values()].filter(({ value }) => isShort(value)).sort((a, b) => b.count - a.count);
    if (tallied.size <= this.target && distinctCount <= tallied.size && byCount.length === tallied.size) {
      return byCount;
    }
    const leastCount = Math.max(2, (COMMON_FACTOR * this.values.length) / Math.max(1, distinctCount));
    return byCount.slice(0, this.target).filter(({ count }) => count >= leastCount);
  }
}

/** Bounds of so many equally full buckets of sorted values, at most. */
function boundsOf(sorted: readonly Value[], target: number): Value[] {
  if (sorted.length < 2) return [];
  const buckets = Math.min(target, sorted.length - 1);
  return Array.from({ length: buckets + 1 }, (_, i) => sorted[Math.floor((i * (sorted.length - 1)) / buckets)]);
}

/** Correlation of the values' order with their positions, -1 to 1. */
function correlationOf(values: readonly Value[], compare: (a: Value, b: Value) => number): number {
  const n = values.length;
  if (n < 2) return 0;
  const order = values.map((_, i) => i).sort((a, b) => compare(values[a], values[b]) || a - b);
  let sum = 0;
  for (let rank = 0; rank < n; rank++) sum += rank * (order[rank] as number);
  const mean = (n - 1) / 2;
  const variance = (n * n - 1) / 12;
  return (sum / n - mean * mean) / variance;
}

function widthOf(value: Value): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  return typeof value === 'object' ? 16 : 8;
}

function isShort(value: Value): boolean {
  return typeof value !== 'object' || value === null
    ? typeof value !== 'string' || value.length <= KEPT_LENGTH_MAX
    : !(value instanceof Uint8Array) || value.length <= KEPT_LENGTH_MAX;
}
