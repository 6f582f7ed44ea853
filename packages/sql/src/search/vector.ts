/**
 * The value of a tsvector: words of a text in the order of their bytes, each once, with the places where they stood.
 *
 *   'cat':3 'fat':2A,11 'rat'        word, then its positions, each with a weight (A, B, C; D is not written)
 *
 * A value is kept as this text, which is canonical: equal vectors have equal texts. What works on it takes it apart first;
 * the vector that was taken apart last is remembered, since a query asks one row several things. Limits are PostgreSQL's.
 *
 * 1. Words are ordered by code points (as their UTF-8 bytes are), each is there once and none is empty.
 * 2. Positions of a word ascend strictly, lie between 1 and POSITION_MAX, and are at most POSITIONS_MAX.
 */
import { PhantomError } from '@phantom/base';
import { compareText } from '@phantom/codec';
import { replaceEach } from '../types/text-pieces.js';
import { POSITION_MAX, WordReader } from './word-reader.js';

export const WORD_BYTES_MAX = 2046;
/** Bytes of all words and their positions. */
const VECTOR_BYTES_MAX = 1048575;
/** Positions of one word. */
const POSITIONS_MAX = 255;

/** D, the least, to A: 0 to 3. */
export type Weight = 0 | 1 | 2 | 3;
const WEIGHT_LETTERS = ['D', 'C', 'B', 'A'] as const;

/** Where a word stands, and how much it counts there. */
export interface Position {
  readonly at: number;
  readonly weight: Weight;
}

export interface Lexeme {
  readonly word: string;
  /** Empty where nothing is known of its places. */
  readonly positions: readonly Position[];
}

/** Lexemes by the invariants above. */
export type Vector = readonly Lexeme[];

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** The weight of a letter, either case; 22023 for others. */
export function weightOf(letter: string): Weight {
  const weight = 'dcba'.indexOf(letter.toLowerCase());
  if (letter.length === 1 && weight >= 0) return weight as Weight;
  const code = letter.codePointAt(0) ?? 0;
  throw new PhantomError('22023', `unrecognized weight: ${code >= 32 && code < 127 ? `"${letter}"` : code}`);
}

export function weightLetter(weight: Weight): string {
  return WEIGHT_LETTERS[weight];
}

/** Reads what users write: words in any order, quoted or not. 42601, 54000. */
export function readVector(text: string): Vector {
  const found: Lexeme[] = [];
  const reader = new WordReader(text, 'vector');
  for (let read = reader.next(); read !== undefined; read = reader.next()) {
    const bytes = utf8Bytes(read.word);
    if (bytes > WORD_BYTES_MAX)
      throw new PhantomError('54000', `word is too long (${bytes} bytes, max ${WORD_BYTES_MAX} bytes)`);
    found.push(read);
  }
  return vectorOf(found);
}

/** A vector of words in any order; those that occur twice become one. 54000. */
export function vectorOf(lexemes: readonly Lexeme[]): Vector {
  const places = new Map<string, Position[]>();
  for (const { word, positions } of lexemes) {
    const known = places.get(word);
    if (known === undefined) places.set(word, [...positions]);
    else known.push(...positions);
  }
  const vector = [...places].map(([word, positions]) => ({ word, positions: distinctPositions(positions) }));
  return checked(vector.sort((a, b) => compareText(a.word, b.word)));
}

/** In order, each place once with the greatest of its weights, as many as a word may have. */
export function distinctPositions(positions: Position[]): readonly Position[] {
  if (positions.length < 2) return positions;
  positions.sort((a, b) => a.at - b.at);
  const distinct: Position[] = [];
  for (const position of positions) {
    const last = distinct.at(-1);
    if (last === undefined || last.at !== position.at) {
      if (distinct.length === POSITIONS_MAX || last?.at === POSITION_MAX) break;
      distinct.push(position);
    } else if (position.weight > last.weight) distinct[distinct.length - 1] = position;
  }
  return distinct;
}

function checked(vector: Vector): Vector {
  const bytes = wordsBytes(vector);
  if (bytes > VECTOR_BYTES_MAX)
    throw new PhantomError('54000', `string is too long for tsvector (${bytes} bytes, max ${VECTOR_BYTES_MAX} bytes)`);
  return vector;
}

/** Bytes that words and positions take in PostgreSQL: each word with positions fills up to two bytes. */
function wordsBytes(vector: Vector): number {
  let bytes = 0;
  for (const { word, positions } of vector) {
    bytes += utf8Bytes(word);
    if (positions.length > 0) bytes += (bytes & 1) + 2 + 2 * positions.length;
  }
  return bytes;
}

/** A word between quotes. */
export function quotedWord(word: string): string {
  return `'${replaceEach(replaceEach(word, '\\', '\\\\'), "'", "''")}'`;
}

/** The canonical text. */
export function formatVector(vector: Vector): string {
  return vector
    .map(({ word, positions }) => {
      if (positions.length === 0) return quotedWord(word);
      return `${quotedWord(word)}:${positions.map(({ at, weight }) => (weight === 0 ? at : `${at}${weightLetter(weight)}`)).join(',')}`;
    })
    .join(' ');
}

let lastText = '';
let lastVector: Vector = [];

/** The vector of a canonical text. It is shared: nobody changes it. */
export function vectorOfText(text: string): Vector {
  if (text !== lastText) {
    const vector: Lexeme[] = [];
    const reader = new WordReader(text, 'vector');
    for (let read = reader.next(); read !== undefined; read = reader.next()) vector.push(read);
    lastVector = vector;
    lastText = text;
  }
  return lastVector;
}

/** Where a word is in a vector; below 0 where it would stand, as its complement, if it is not there. */
export function placeOfWord(vector: Vector, word: string): number {
  let low = 0;
  let high = vector.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareText((vector[middle] as Lexeme).word, word);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return ~low;
}

/** PostgreSQL's order of vectors: the shorter first, then by their words. */
export function compareVectors(a: string, b: string): number {
  if (a === b) return 0;
  const one = vectorOfText(a);
  const other = vectorOfText(b);
  const bytes = one.length * 4 + wordsBytes(one) - other.length * 4 - wordsBytes(other);
  if (bytes !== 0) return bytes;
  if (one.length !== other.length) return one.length - other.length;
  for (let i = 0; i < one.length; i++) {
    const order = compareLexemes(one[i] as Lexeme, other[i] as Lexeme);
    if (order !== 0) return order;
  }
  return 0;
}

/** Places go backward in that order: the word that has them, has more of them, or has them later is the lesser. */
function compareLexemes(a: Lexeme, b: Lexeme): number {
  const known = Number(b.positions.length > 0) - Number(a.positions.length > 0);
  if (known !== 0) return known;
  const words = compareText(a.word, b.word);
  if (words !== 0) return words;
  if (a.positions.length !== b.positions.length) return b.positions.length - a.positions.length;
  for (let i = 0; i < a.positions.length; i++) {
    const one = a.positions[i] as Position;
    const other = b.positions[i] as Position;
    if (one.at !== other.at) return other.at - one.at;
    if (one.weight !== other.weight) return other.weight - one.weight;
  }
  return 0;
}
