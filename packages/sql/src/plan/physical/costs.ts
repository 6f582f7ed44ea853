/**
 * The cost model, in visits of a row: reading a row by a scan costs 1, which is some 80 ns. The factors are rough
 * measurements of this engine (TPC-H at scale 0.1), kept in one place.
 */
import type { Estimate } from './physical.js';

export const Costs = {
  /** Beginning a scan: a cursor of its own. */
  open: 40,
  /** Finding a place in a tree. */
  seek: 25,
  /** One entry of an index. */
  indexEntry: 1.5,
  /** Reading a row by its whole key: where an index entry points. */
  fetch: 15,
  /** Passing over a row of a column index, and reading one of its columns. */
  vectorRow: 0.02,
  vectorColumn: 0.02,
  /** Comparing a number or a text of a column index, in place. */
  vectorTest: 0.05,
  /** A row that a column index has not taken in yet. */
  markedRow: 4,
  /** Comparing a left row of a merge join with where the right side stands, and passing a right row. */
  mergeCompare: 0.8,
  mergeStep: 1,
  /** Evaluating a condition or an expression. */
  operator: 0.2,
  /** Making a hash table and what belongs to it. */
  hashTable: 40,
  /** The code that puts a column of the rows into memory and gets it out again: what joins of many small tables pay. */
  keptColumn: 10,
  /** Putting a row into a hash table, looking one up. */
  hashBuild: 2.5,
  hashProbe: 0.4,
  /** Comparing two rows in a sort. */
  compare: 0.4,
  /** Keeping a row in memory. */
  buffer: 0.5,
  /** Starting a subplan: a microsecond once its code is warm. */
  restart: 20,
  /** Passing a row through a simple node. */
  row: 0.1,
  /** A way that is switched off: taken only where there is no other. */
  switchedOff: 1e10,
} as const;

export function estimate(rows: number, startup: number, total: number): Estimate {
  return { rows: Math.max(rows, 0), startup, total };
}

/** Sorting n rows, all of them or only the first `top`. */
export function sortCost(rows: number, top?: number): number {
  const n = Math.max(rows, 2);
  const height = Math.log2(top === undefined ? n : Math.max(2, Math.min(n, top * 2)));
  return n * height * Costs.compare + n * Costs.buffer;
}
