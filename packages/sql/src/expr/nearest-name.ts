/** The nearest name to a misspelled one, by edit distance: the hint of 42703 and 42P01. */

/** Longest distance that still counts as a slip of the pen, for a name of the given length. */
function distanceMax(length: number): number {
  return Math.min(3, Math.floor(length / 2));
}

/** Levenshtein distance; stops counting past `limit`. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const distance = Math.min(
        (previous[j] as number) + 1,
        (current[j - 1] as number) + 1,
        (previous[j - 1] as number) + cost,
      );
      current.push(distance);
      if (distance < best) best = distance;
    }
    if (best > limit) return limit + 1;
    previous = current;
  }
  return previous[b.length] as number;
}

/** What is shown of the candidates that are nearest to the name and near enough, each once. */
export function nearestNames(
  name: string,
  candidates: Iterable<{ readonly name: string; readonly shown: string }>,
): string[] {
  const limit = distanceMax(name.length);
  let best = limit;
  let found: string[] = [];
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate.name, best);
    if (distance > best) continue;
    if (distance < best) found = [];
    best = distance;
    if (!found.includes(candidate.shown)) found.push(candidate.shown);
  }
  return found;
}

/** The candidate that is nearest to the name and near enough, if there is one. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const limit = distanceMax(name.length);
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate, limit);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
