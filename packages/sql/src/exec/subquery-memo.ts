/**
 * What a correlated subquery gave for the values of its outer columns, kept so that it runs once for each of them: rows that
 * come by way of a join repeat the values of their left side (idea: the expression cache of MariaDB; PostgreSQL's Memoize
 * does the same for the right sides of joins).
 *
 *   a.x   -> map of  b.y -> value          one map for each outer column, one inside the other
 *
 * It is bounded by a number of values of small size. When full it is emptied, which serves values that come in runs; when it
 * was of too little use by then, it is given up.
 */
import { Decimal } from '@phantom/codec';
import type { Value } from '../types/type.js';

/** Values kept at most. */
const MEMO_VALUES_MAX = 4096;
/** Given up when it was full and fewer than this share of what was asked for had been there. */
const HIT_SHARE_MIN = 0.1;
/** Characters of a string that is kept at most. */
const TEXT_CHARS_MAX = 256;

/** The answer of `find` where nothing is known. */
export const UNKNOWN: unique symbol = Symbol('unknown');

type Level = Map<Value, unknown>;

export class SubqueryMemo {
  private root: Level = new Map();
  private values = 0;
  private hits = 0;
  private isGivenUp = false;

  /** The value for these outer values; UNKNOWN when the subquery has to run. */
  find(outer: readonly Value[]): unknown {
    let found: unknown = this.root;
    for (let i = 0; i < outer.length; i++) {
      found = (found as Level).get(outer[i]);
      if (found === undefined) return UNKNOWN;
    }
    this.hits++;
    return found;
  }

  /** Keeps what the subquery gave. */
  keep(outer: readonly Value[], value: Value): void {
    if (this.isGivenUp || !isSmall(value)) return;
    if (this.values === MEMO_VALUES_MAX) this.startOver();
    let level = this.root;
    const last = outer.length - 1;
    for (let i = 0; i < last; i++) {
      let inner = level.get(outer[i]) as Level | undefined;
      if (inner === undefined) level.set(outer[i], (inner = new Map()));
      level = inner;
    }
    level.set(outer[last], value);
    this.values++;
  }

  private startOver(): void {
    this.isGivenUp = this.hits < HIT_SHARE_MIN * (this.hits + this.values);
    this.root = new Map();
    this.values = 0;
    this.hits = 0;
  }
}

function isSmall(value: Value): boolean {
  if (typeof value === 'string') return value.length <= TEXT_CHARS_MAX;
  return typeof value !== 'object' || value === null || value instanceof Decimal;
}
