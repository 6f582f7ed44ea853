/**
 * What ANALYZE finds of columns together, from the same sample of rows as of each by itself (column-sample.ts): how many combinations
 * of values there are, and functional dependencies: the share of rows whose values in some columns leave one value in another.
 *
 *   rows      Oslo NO   Rome IT   Oslo NO   Vaasa FI   Vaasa SE
 *   codes     0         1         0         2          3            of (city, country) together; of city 0 1 0 2 2
 *   distinct  4
 *   city -> country holds for the rows of Oslo and Rome: 3 of 5
 *
 * Each column's values become small numbers; those of more columns are made from the numbers of fewer and one column more, so a set of
 * columns costs one pass over the rows. As PostgreSQL's mvdistinct.c and dependencies.c find them, by sorting.
 */
import type { SqlType, Value } from '../../types/type.js';

/** Distinct combinations of some columns, by their numbers. */
export interface GroupDistinct {
  readonly columns: readonly number[];
  readonly distinct: number;
}

/** How far a column's value follows from those of others: 1 for all rows. */
export interface GroupDependency {
  readonly from: readonly number[];
  readonly to: number;
  readonly degree: number;
}

/** Rows of a sample as numbers: equal combinations of values have equal ones, from 0 up. */
interface Codes {
  readonly of: Int32Array;
  readonly count: number;
}

export class GroupSample {
  readonly columns: readonly number[];
  private readonly types: readonly SqlType[];
  private readonly codes: number[][];
  private readonly seen: Map<unknown, number>[];
  private readonly known = new Map<number, Codes>();

  /** `columns` by their numbers, with their types. */
  constructor(columns: readonly number[], types: readonly SqlType[]) {
    this.columns = columns;
    this.types = types;
    this.codes = columns.map(() => []);
    this.seen = columns.map(() => new Map());
  }

  /** Takes in the values of a row, in the order of the columns. Nulls are a value like others. */
  add(values: readonly Value[]): void {
    for (let i = 0; i < this.types.length; i++) {
      const value = values[i] as Value;
      const key = value === null ? null : (this.types[i] as SqlType).hashKey?.(value);
      const seen = this.seen[i] as Map<unknown, number>;
      let code = seen.get(key);
      if (code === undefined) seen.set(key, (code = seen.size));
      (this.codes[i] as number[]).push(code);
    }
  }

  /** Combinations of each two or more of the columns, in a table of so many rows. Yields between them. */
  *distinct(tableRows: number): Generator<undefined, GroupDistinct[], void> {
    const found: GroupDistinct[] = [];
    for (const set of this.sets()) {
      found.push({ columns: this.numbersOf(set), distinct: estimated(this.codesOf(set), tableRows) });
      yield undefined;
    }
    return found.sort((a, b) => a.columns.length - b.columns.length);
  }

  /** All dependencies of one of the columns on others, but for those that hold for no row. Yields between them. */
  *dependencies(): Generator<undefined, GroupDependency[], void> {
    const found: GroupDependency[] = [];
    for (const set of this.sets()) {
      for (let to = 0; to < this.columns.length; to++) {
        const from = set & ~(1 << to);
        if (from === set) continue;
        const degree = degreeOf(this.codesOf(from), this.codesOf(set));
        if (degree > 0) found.push({ from: this.numbersOf(from), to: this.columns[to] as number, degree });
      }
      yield undefined;
    }
    return found;
  }

  /** All sets of two or more of the columns, as masks. */
  private sets(): number[] {
    const all = 2 ** this.columns.length;
    return Array.from({ length: all }, (_, set) => set).filter((set) => (set & (set - 1)) !== 0);
  }

  private numbersOf(set: number): number[] {
    return this.columns.filter((_, i) => (set & (1 << i)) !== 0);
  }

  private codesOf(set: number): Codes {
    let codes = this.known.get(set);
    if (codes === undefined) this.known.set(set, (codes = this.makeCodes(set)));
    return codes;
  }

  private makeCodes(set: number): Codes {
    const last = 31 - Math.clz32(set);
    const own = this.codes[last] as number[];
    const rest = set & ~(1 << last);
    if (rest === 0) return { of: Int32Array.from(own), count: (this.seen[last] as Map<unknown, number>).size };
    const before = this.codesOf(rest);
    const width = (this.seen[last] as Map<unknown, number>).size;
    const seen = new Map<number, number>();
    const of = new Int32Array(own.length);
    for (let row = 0; row < own.length; row++) {
      const pair = (before.of[row] as number) * width + (own[row] as number);
      let code = seen.get(pair);
      if (code === undefined) seen.set(pair, (code = seen.size));
      of[row] = code;
    }
    return { of, count: seen.size };
  }
}

/** Distinct codes of the whole table: counted, or Duj1 as in column-sample.ts. */
function estimated({ of, count }: Codes, tableRows: number): number {
  const n = of.length;
  if (n >= tableRows || n === 0) return count;
  const times = new Int32Array(count);
  for (const code of of) times[code] = (times[code] as number) + 1;
  let once = 0;
  for (const time of times) if (time === 1) once++;
  const estimate = (n * count) / (n - once + (once * n) / tableRows);
  return Math.round(Math.min(tableRows, Math.max(estimate, count)));
}

/** The share of rows whose code in `from` goes with one code in `both` alone. */
function degreeOf(from: Codes, both: Codes): number {
  const n = from.of.length;
  if (n === 0) return 0;
  const first = new Int32Array(from.count).fill(-1);
  const rows = new Int32Array(from.count);
  const isMixed = new Uint8Array(from.count);
  for (let row = 0; row < n; row++) {
    const code = from.of[row] as number;
    const whole = both.of[row] as number;
    rows[code] = (rows[code] as number) + 1;
    if (first[code] === -1) first[code] = whole;
    else if (first[code] !== whole) isMixed[code] = 1;
  }
  let supporting = 0;
  for (let code = 0; code < from.count; code++) if (isMixed[code] === 0) supporting += rows[code] as number;
  return supporting / n;
}
