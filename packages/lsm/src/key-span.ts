/** Spans of keys: what runs, range tombstones and compactions reach over. */
import { compareKeys } from '@phantom/base';

/** Something that lies in [lower, upper). */
export interface KeySpan {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
}

export function spansOverlap(a: KeySpan, b: KeySpan): boolean {
  return compareKeys(a.lower, b.upper) < 0 && compareKeys(b.lower, a.upper) < 0;
}

/** The smallest span that holds all of them; there is at least one. */
export function hullOf(spans: readonly KeySpan[]): KeySpan {
  let { lower, upper } = spans[0] as KeySpan;
  for (const span of spans) {
    if (compareKeys(span.lower, lower) < 0) lower = span.lower;
    if (compareKeys(span.upper, upper) > 0) upper = span.upper;
  }
  return { lower, upper };
}

/** Of spans that are in order and disjoint those that reach into another one. */
export function overlapping<S extends KeySpan>(spans: readonly S[], span: KeySpan): readonly S[] {
  const from = countBefore(spans, (candidate) => compareKeys(candidate.upper, span.lower) <= 0);
  const to = countBefore(spans, (candidate) => compareKeys(candidate.lower, span.upper) < 0);
  return from < to ? spans.slice(from, to) : [];
}

/** How many of the first spans fulfil a condition that none behind them does. */
function countBefore<S>(spans: readonly S[], condition: (span: S) => boolean): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (condition(spans[middle] as S)) low = middle + 1;
    else high = middle;
  }
  return low;
}
