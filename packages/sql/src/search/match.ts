/**
 * Whether a vector satisfies a query. Answers are of three values: a word that is there without its places may or may not
 * stand where a phrase wants it, and then the phrase does not match, nor does what it denies.
 *
 * Inside of a phrase every part has the places where it ends (or, denied, those where it does not), and its width: how far
 * before its end it begins. The rules are PostgreSQL's.
 */
import type { QueryNode, QueryPair, QueryWord, Query } from './query-tree.js';
import { type Lexeme, type Vector, distinctPositions, placeOfWord } from './vector.js';

export type Answer = 'no' | 'maybe' | 'yes';

/** Whether a word is there; `places` are asked for inside of phrases. */
export interface Words {
  has(word: QueryWord): Answer;
  places(word: QueryWord): Places | undefined;
}

/** Where a part of a phrase ends, in order; undefined in the place of Places where that is not known. */
export interface Places {
  readonly at: readonly number[];
  /** The places are those where it does not end. */
  readonly negated: boolean;
  readonly width: number;
}

const NOWHERE: Places = { at: [], negated: false, width: 0 };

/** True where the vector has what the query asks for; the empty query is satisfied by nothing. */
export function matches(vector: Vector, query: Query): boolean {
  return query !== undefined && answer(query, new VectorWords(vector)) !== 'no';
}

/** The answer of words that know their places or not, as `words` says. */
export function answer(node: QueryNode, words: Words): Answer {
  switch (node.kind) {
    case 'word':
      return words.has(node);
    case 'not':
      return opposite(answer(node.operand, words));
    case 'and': {
      const left = answer(node.left, words);
      if (left === 'no') return left;
      const right = answer(node.right, words);
      return right === 'yes' ? left : right;
    }
    case 'or': {
      const left = answer(node.left, words);
      if (left === 'yes') return left;
      const right = answer(node.right, words);
      return right === 'no' ? left : right;
    }
    default: {
      const places = phrasePlaces(node, words);
      return places !== undefined && isSomewhere(places) ? 'yes' : 'no';
    }
  }
}

function opposite(given: Answer): Answer {
  return given === 'maybe' ? given : given === 'yes' ? 'no' : 'yes';
}

function isSomewhere({ at, negated }: Places): boolean {
  return negated || at.length > 0;
}

/** Where a part of a phrase ends. */
export function phrasePlaces(node: QueryNode, words: Words): Places | undefined {
  if (node.kind === 'word') return words.places(node);
  if (node.kind === 'not') {
    const places = phrasePlaces(node.operand, words);
    return places === undefined ? undefined : { ...places, negated: !places.negated };
  }
  return node.kind === 'or' ? eitherPlaces(node, words) : bothPlaces(node, words);
}

function bothPlaces(node: QueryPair, words: Words): Places | undefined {
  const left = phrasePlaces(node.left, words);
  if (left !== undefined && !isSomewhere(left)) return NOWHERE;
  const right = phrasePlaces(node.right, words);
  if (right !== undefined && !isSomewhere(right)) return NOWHERE;
  if (left === undefined || right === undefined) return undefined;
  const isPhrase = node.kind === 'phrase';
  const widest = Math.max(left.width, right.width);
  const leftOffset = isPhrase ? node.distance + right.width : widest - left.width;
  const rightOffset = isPhrase ? 0 : widest - right.width;
  const width = isPhrase ? node.distance + left.width + right.width : widest;
  const join = (kept: Kept): number[] => merged(left.at, leftOffset, right.at, rightOffset, kept);
  if (left.negated && right.negated) return { at: join(ALL), negated: true, width };
  if (left.negated) return { at: join(RIGHT_ONLY), negated: false, width };
  if (right.negated) return { at: join(LEFT_ONLY), negated: false, width };
  return { at: join(BOTH), negated: false, width };
}

function eitherPlaces(node: QueryPair, words: Words): Places | undefined {
  const left = phrasePlaces(node.left, words);
  const right = phrasePlaces(node.right, words);
  if (left === undefined || right === undefined) return undefined;
  const leftThere = isSomewhere(left);
  const rightThere = isSomewhere(right);
  if (!leftThere && !rightThere) return NOWHERE;
  const leftWidth = leftThere ? left.width : 0;
  const rightWidth = rightThere ? right.width : 0;
  const width = Math.max(leftWidth, rightWidth);
  const join = (kept: Kept): number[] => merged(left.at, width - leftWidth, right.at, width - rightWidth, kept);
  if (left.negated && right.negated) return { at: join(BOTH), negated: true, width };
  if (left.negated) return { at: join(LEFT_ONLY), negated: true, width };
  if (right.negated) return { at: join(RIGHT_ONLY), negated: true, width };
  return { at: join(ALL), negated: false, width };
}

interface Kept {
  readonly left: boolean;
  readonly both: boolean;
  readonly right: boolean;
}

const ALL: Kept = { left: true, both: true, right: true };
const BOTH: Kept = { left: false, both: true, right: false };
const LEFT_ONLY: Kept = { left: true, both: false, right: false };
const RIGHT_ONLY: Kept = { left: false, both: false, right: true };

/** Places of one side, of the other, or of both, each side moved by its offset. */
function merged(
  left: readonly number[],
  leftOffset: number,
  right: readonly number[],
  rightOffset: number,
  kept: Kept,
): number[] {
  const found: number[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const one = i < left.length ? (left[i] as number) + leftOffset : Infinity;
    const other = j < right.length ? (right[j] as number) + rightOffset : Infinity;
    if (one === other ? kept.both : one < other ? kept.left : kept.right) found.push(Math.min(one, other));
    if (one <= other) i++;
    if (other <= one) j++;
  }
  return found;
}

/** The words of a vector. */
class VectorWords implements Words {
  private readonly vector: Vector;

  constructor(vector: Vector) {
    this.vector = vector;
  }

  has(word: QueryWord): Answer {
    for (const lexeme of lexemesOf(this.vector, word)) {
      if (word.weights === 0 || lexeme.positions.length === 0) return 'yes';
      if (lexeme.positions.some(({ weight }) => (word.weights & (1 << weight)) !== 0)) return 'yes';
    }
    return 'no';
  }

  places(word: QueryWord): Places | undefined {
    const found = [];
    for (const { positions } of lexemesOf(this.vector, word)) {
      if (positions.length === 0) return undefined;
      for (const position of positions)
        if (word.weights === 0 || (word.weights & (1 << position.weight)) !== 0) found.push(position);
    }
    const at = (word.prefix ? distinctPositions(found) : found).map((position) => position.at);
    return { at, negated: false, width: 0 };
  }
}

/** The lexemes that a word of a query is about. */
export function* lexemesOf(vector: Vector, { word, prefix }: QueryWord): Generator<Lexeme, void, void> {
  const place = placeOfWord(vector, word);
  if (!prefix) {
    if (place >= 0) yield vector[place] as Lexeme;
    return;
  }
  for (let i = place < 0 ? ~place : place; i < vector.length; i++) {
    const lexeme = vector[i] as Lexeme;
    if (!lexeme.word.startsWith(word)) return;
    yield lexeme;
  }
}
