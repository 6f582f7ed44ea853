/**
 * How well a vector fits a query: ts_rank, by how often and how heavily words occur and how near to each other, and ts_rank_cd,
 * by covers: the shortest stretches that satisfy the query (Clarke, Cormack and Tudhope, "Relevance ranking for one to
 * three term queries", 1999). Formulas and roundings are PostgreSQL's, so that the numbers are.
 */
import { compareText } from '@phantom/codec';
import { type Places, type Words, answer, lexemesOf } from './match.js';
import { type Query, type QueryWord, wordsOfQuery } from './query-tree.js';
import type { Lexeme, Position, Vector } from './vector.js';
import { POSITION_MAX } from './word-reader.js';

/** Weights of D, C, B and A, unless they are given. */
export const DEFAULT_WEIGHTS: readonly number[] = [0.1, 0.2, 0.4, 1];

/** Bits of how a rank is made less for long documents. */
const Normalization = { LogLength: 1, Length: 2, Distance: 4, Words: 8, LogWords: 16, PerOne: 32 } as const;

const { fround, log, sqrt, abs, exp } = Math;
/** The limit of the sum of 1 / n². */
const SQUARES_LIMIT = 1.64493406685;
const FAR = 100;
const RANK_OF_FAR = fround(1e-30);
const RANK_OF_NONE = fround(1e-20);
/** Stands for the places of a word that has none. */
const NO_PLACES: readonly Position[] = [{ at: POSITION_MAX, weight: 0 }];

/** ts_rank; `weights` of D, C, B and A, `normalization` a sum of its bits. */
export function rank(weights: readonly number[], vector: Vector, query: Query, normalization: number): number {
  if (vector.length === 0 || query === undefined) return 0;
  const words = [
    ...new Map(
      wordsOfQuery(query)
        .toReversed()
        .map((word) => [word.word, word]),
    ).values(),
  ].sort((a, b) => compareText(a.word, b.word));
  const floats = weights.map(fround);
  const isJoined = (query.kind === 'and' || query.kind === 'phrase') && words.length > 1;
  let result = isJoined ? rankOfAll(floats, vector, words) : rankOfAny(floats, vector, words);
  if (result < 0) result = RANK_OF_NONE;
  if ((normalization & Normalization.LogLength) !== 0) result = fround(result / (log(lengthOf(vector) + 1) / log(2)));
  if ((normalization & Normalization.Length) !== 0) result = fround(result / fround(lengthOf(vector)));
  if ((normalization & Normalization.Words) !== 0) result = fround(result / fround(vector.length));
  if ((normalization & Normalization.LogWords) !== 0) result = fround(result / (log(vector.length + 1) / log(2)));
  if ((normalization & Normalization.PerOne) !== 0) result = fround(result / fround(result + 1));
  return result;
}

/** Places of a vector; a word without any counts as one. */
function lengthOf(vector: Vector): number {
  return vector.reduce((sum, { positions }) => sum + Math.max(1, positions.length), 0);
}

function nearness(distance: number): number {
  if (distance > FAR) return RANK_OF_FAR;
  return fround(1 / (1.005 + 0.05 * exp(fround(distance) / 1.5 - 2)));
}

/** Of words that are all asked for: every two places of different words count, the more the nearer. Below 0 for none. */
function rankOfAll(weights: readonly number[], vector: Vector, words: readonly QueryWord[]): number {
  const places: (readonly Position[] | undefined)[] = words.map(() => undefined);
  let result = -1;
  words.forEach((word, i) => {
    for (const lexeme of lexemesOf(vector, word)) {
      const own = lexeme.positions.length === 0 ? NO_PLACES : lexeme.positions;
      places[i] = own;
      for (let k = 0; k < i; k++) {
        const others = places[k];
        if (others === undefined) continue;
        for (const one of own) {
          for (const other of others) {
            let distance = abs(one.at - other.at);
            if (distance === 0 && own !== NO_PLACES && others !== NO_PLACES) continue;
            if (distance === 0) distance = POSITION_MAX + 1;
            const both = fround((weights[one.weight] as number) * (weights[other.weight] as number));
            const current = fround(sqrt(fround(both * nearness(distance))));
            result = result < 0 ? current : fround(1 - (1 - result) * (1 - current));
          }
        }
      }
    }
  });
  return result;
}

/** Of words of which any is asked for: the sum of their places, the heaviest first, each next one counting less. */
function rankOfAny(weights: readonly number[], vector: Vector, words: readonly QueryWord[]): number {
  let result = 0;
  for (const word of words) {
    for (const { positions } of lexemesOf(vector, word)) {
      const own = positions.length === 0 ? NO_PLACES : positions;
      let sum = 0;
      let heaviest = -1;
      let heaviestPlace = 0;
      own.forEach((position, j) => {
        const weight = weights[position.weight] as number;
        sum = fround(sum + fround(weight / ((j + 1) * (j + 1))));
        if (weight > heaviest) {
          heaviest = weight;
          heaviestPlace = j;
        }
      });
      const others = fround(heaviest / ((heaviestPlace + 1) * (heaviestPlace + 1)));
      result = fround(result + fround(fround(heaviest + sum) - others) / SQUARES_LIMIT);
    }
  }
  return words.length > 0 ? fround(result / words.length) : result;
}

/** A place of the document at which a word stands that the query has. */
interface Spot {
  readonly position: Position;
  readonly lexeme: Lexeme;
  readonly words: QueryWord[];
}

function spotsOf(vector: Vector, query: Query): Spot[] {
  const spots: Spot[] = [];
  for (const word of wordsOfQuery(query)) {
    for (const lexeme of lexemesOf(vector, word)) {
      for (const position of lexeme.positions)
        if (word.weights === 0 || (word.weights & (1 << position.weight)) !== 0)
          spots.push({ position, lexeme, words: [word] });
    }
  }
  spots.sort(
    (a, b) =>
      a.position.at - b.position.at ||
      a.position.weight - b.position.weight ||
      compareText(a.lexeme.word, b.lexeme.word),
  );
  const joined: Spot[] = [];
  for (const spot of spots) {
    const last = joined.at(-1);
    if (last !== undefined && last.lexeme === spot.lexeme && last.position === spot.position)
      last.words.push(...spot.words);
    else joined.push(spot);
  }
  return joined;
}

/** Words of the query that stand at the spots seen so far. */
class SeenWords implements Words {
  private readonly found = new Map<QueryWord, number[]>();

  add({ position, words }: Spot): void {
    for (const word of words) {
      const known = this.found.get(word);
      if (known === undefined) this.found.set(word, [position.at]);
      else if (known.at(-1) !== position.at) known.push(position.at);
    }
  }

  has(word: QueryWord): 'yes' | 'no' {
    return this.found.has(word) ? 'yes' : 'no';
  }

  places(word: QueryWord): Places {
    const at = this.found.get(word) ?? [];
    const isBackward = at.length > 1 && (at[0] as number) > (at[1] as number);
    return { at: isBackward ? at.toReversed() : at, negated: false, width: 0 };
  }
}

/** From one spot to another, both included: the query holds there and in nothing shorter that ends there. */
interface Cover {
  readonly first: number;
  readonly last: number;
}

/** The covers of a document, in order. */
function* coversOf(spots: readonly Spot[], query: NonNullable<Query>): Generator<Cover, void, void> {
  for (let from = 0; from < spots.length;) {
    const last = firstThatHolds(spots, query, from, spots.length, 1);
    if (last === undefined) return;
    const first = firstThatHolds(spots, query, last, from - 1, -1);
    if (first === undefined) {
      from++;
      continue;
    }
    yield { first, last };
    from = first + 1;
  }
}

/** The first spot from `start` on up to `end`, which is left out, at which the query holds in all that was passed. */
function firstThatHolds(
  spots: readonly Spot[],
  query: NonNullable<Query>,
  start: number,
  end: number,
  step: 1 | -1,
): number | undefined {
  const seen = new SeenWords();
  for (let i = start; i !== end; i += step) {
    seen.add(spots[i] as Spot);
    if (answer(query, seen) !== 'no') return i;
  }
  return undefined;
}

/** ts_rank_cd. */
export function rankByCovers(weights: readonly number[], vector: Vector, query: Query, normalization: number): number {
  if (query === undefined) return 0;
  const spots = spotsOf(vector, query);
  if (spots.length === 0) return 0;
  const inverse = weights.map((weight) => 1 / fround(weight));
  let result = 0;
  let covers = 0;
  let nearnesses = 0;
  let previousMiddle = 0;
  for (const { first, last } of coversOf(spots, query)) {
    let sum = 0;
    for (let i = first; i <= last; i++) sum += inverse[(spots[i] as Spot).position.weight] as number;
    const from = (spots[first] as Spot).position.at;
    const to = (spots[last] as Spot).position.at;
    let noise = to - from - (last - first);
    // At the last place of a text many words stand together.
    if (noise < 0) noise = Math.trunc((last - first) / 2);
    result += (last - first + 1) / sum / (1 + noise);
    const middle = (to + from) / 2;
    if (covers > 0 && middle > previousMiddle) nearnesses += 1 / (middle - previousMiddle);
    previousMiddle = middle;
    covers++;
  }
  if ((normalization & Normalization.LogLength) !== 0) result /= log(lengthOf(vector) + 1);
  if ((normalization & Normalization.Length) !== 0) result /= lengthOf(vector);
  if ((normalization & Normalization.Distance) !== 0 && nearnesses > 0) result /= covers / nearnesses;
  if ((normalization & Normalization.Words) !== 0) result /= vector.length;
  if ((normalization & Normalization.LogWords) !== 0) result /= log(vector.length + 1) / log(2);
  if ((normalization & Normalization.PerOne) !== 0) result /= result + 1;
  return fround(result);
}
