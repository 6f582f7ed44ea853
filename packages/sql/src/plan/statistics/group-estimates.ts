/**
 * Estimates by what CREATE STATISTICS has ANALYZE find of columns together.
 *
 * Equalities with constants on several columns: where one column's value follows from the others' with degree f,
 * P(a, b) = f · min(P(a), P(b)) + (1 - f) · P(a) · P(b), the strongest dependency first, then the column that follows is done with
 * (PostgreSQL's dependencies.c). Combinations of several columns: the largest set that is known stands for its columns.
 */
import type { StoredGroup } from './stored-statistics.js';

/** Share of rows in which all columns have their values, of each column's share by itself. */
export function shareOfAll(groups: readonly StoredGroup[], shares: ReadonlyMap<number, number>): number {
  const left = new Map(shares);
  let together = 1;
  while (left.size > 1) {
    const strongest = strongestOf(groups, left);
    if (strongest === undefined) break;
    const { from, to, degree } = strongest;
    const following = left.get(to) as number;
    const leading = shareOfLeading(from, left);
    // What follows counts only as far as it does not follow.
    together *= (degree * Math.min(leading, following)) / leading + (1 - degree) * following;
    left.delete(to);
  }
  for (const share of left.values()) together *= share;
  return together;
}

function shareOfLeading(from: readonly number[], shares: ReadonlyMap<number, number>): number {
  let share = 1;
  for (const column of from) share *= shares.get(column) as number;
  return Math.max(share, Number.MIN_VALUE);
}

/** Of those whose columns all are asked for: the one with most columns, then of the highest degree. */
function strongestOf(
  groups: readonly StoredGroup[],
  asked: ReadonlyMap<number, number>,
): StoredGroup['dependencies'][number] | undefined {
  let best: StoredGroup['dependencies'][number] | undefined;
  for (const { dependencies } of groups) {
    for (const dependency of dependencies) {
      if (!asked.has(dependency.to) || !dependency.from.every((column) => asked.has(column))) continue;
      const more = best === undefined ? 1 : dependency.from.length - best.from.length;
      if (more > 0 || (more === 0 && dependency.degree > (best?.degree ?? 0))) best = dependency;
    }
  }
  return best;
}

/** The set of most of these columns whose combinations are counted. */
export function knownCombinations(
  groups: readonly StoredGroup[],
  columns: ReadonlySet<number>,
): StoredGroup['distinct'][number] | undefined {
  let best: StoredGroup['distinct'][number] | undefined;
  for (const { distinct } of groups) {
    for (const counted of distinct) {
      if (!counted.columns.every((column) => columns.has(column))) continue;
      if (best === undefined || counted.columns.length > best.columns.length) best = counted;
    }
  }
  return best;
}
