/**
 * Upper and lower case of texts. As in the C library of PostgreSQL each character becomes one other, or stays: `ß` has no capital,
 * `İ` becomes `i`, and a sigma at the end of a word is like any other. JavaScript's own conversion, which is several times as fast as
 * going character by character, knows longer ones and looks at neighbours: so it is used for all but the characters where
 * that makes a difference.
 */
import { byPieces } from '../types/text-pieces.js';

const BMP_UNITS = 0x1_0000;
const SURROGATES_FIRST = 0xd800;
const SURROGATES_LAST = 0xdfff;

/** One way to change the case of texts. */
class Conversion {
  private readonly whole: (text: string) => string;
  /** Characters that JavaScript converts otherwise, and what they become. */
  private readonly exceptions: ReadonlyMap<string, string>;
  private apart: RegExp | undefined = undefined;

  constructor(whole: (text: string) => string, exceptions: ReadonlyMap<string, string>) {
    this.whole = whole;
    this.exceptions = exceptions;
  }

  /** Of a text of any length. */
  text(text: string): string {
    return NOT_ASCII.test(text) ? byPieces(text, (piece) => this.piece(piece)) : this.whole(text);
  }

  /** Of a short one. */
  piece(piece: string): string {
    const apart = (this.apart ??= this.findApart());
    if (!apart.test(piece)) return this.whole(piece);
    const parts = piece.split(apart);
    // Every other part is a character that is converted apart.
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as string;
      parts[i] = i % 2 === 0 ? this.whole(part) : (this.exceptions.get(part) ?? part);
    }
    return parts.join('');
  }

  /** Beyond the first plane no case is longer. */
  private findApart(): RegExp {
    const found = [...this.exceptions.keys()];
    for (let code = 0x80; code < BMP_UNITS; code++) {
      if (code >= SURROGATES_FIRST && code <= SURROGATES_LAST) continue;
      const character = String.fromCharCode(code);
      if (this.whole(character).length > 1 && !this.exceptions.has(character)) found.push(character);
    }
    return new RegExp(`([${found.join('')}])`);
  }
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** Greek letters with an iota below, which has a capital of its own only in longer conversions. */
function greekCapitals(): ReadonlyMap<string, string> {
  const capitals = new Map([
    ['\u1fb3', '\u1fbc'],
    ['\u1fc3', '\u1fcc'],
    ['\u1ff3', '\u1ffc'],
  ]);
  for (const first of [0x1f80, 0x1f90, 0x1fa0])
    for (let code = first; code < first + 8; code++)
      capitals.set(String.fromCharCode(code), String.fromCharCode(code + 8));
  return capitals;
}

const UPPER = new Conversion((text) => text.toUpperCase(), greekCapitals());
const LOWER = new Conversion(
  (text) => text.toLowerCase(),
  new Map([
    ['\u0130', 'i'],
    ['\u03a3', '\u03c3'],
  ]),
);

/** All letters, since PostgreSQL's C.UTF-8 knows them. */
export function upper(text: string): string {
  return UPPER.text(text);
}

export function lower(text: string): string {
  return LOWER.text(text);
}

const WORD = /[\p{Alphabetic}\p{Nd}]+/gu;
const ENDS_IN_WORD = /[\p{Alphabetic}\p{Nd}]$/u;

/** The first character of each word in upper case, the others in lower case. */
export function initcap(text: string): string {
  let isInWord = false;
  return byPieces(text, (piece) => {
    const goesOn = isInWord;
    const lowered = LOWER.piece(piece);
    isInWord = ENDS_IN_WORD.test(piece);
    return lowered.replace(WORD, (word: string, at: number) => {
      if (goesOn && at === 0) return word;
      // No character has become longer, so what it was stands at the same place.
      const first = String.fromCodePoint(piece.codePointAt(at) as number);
      return UPPER.piece(first) + word.slice(first.length);
    });
  });
}

/** The same in the collations C and POSIX, where only the letters of ASCII have cases. */
export function upperOfAscii(text: string): string {
  return NOT_ASCII.test(text) ? byPieces(text, (piece) => piece.replace(/[a-z]+/g, toUpper)) : toUpper(text);
}

export function lowerOfAscii(text: string): string {
  return NOT_ASCII.test(text) ? byPieces(text, (piece) => piece.replace(/[A-Z]+/g, toLower)) : toLower(text);
}

const ASCII_WORD = /[A-Za-z0-9]+/g;
const ENDS_IN_ASCII_WORD = /[A-Za-z0-9]$/;

export function initcapOfAscii(text: string): string {
  let isInWord = false;
  return byPieces(text, (piece) => {
    const goesOn = isInWord;
    isInWord = ENDS_IN_ASCII_WORD.test(piece);
    return piece.replace(ASCII_WORD, (word: string, at: number) => {
      if (goesOn && at === 0) return toLower(word);
      return toUpper(word[0] as string) + toLower(word.slice(1));
    });
  });
}

function toUpper(text: string): string {
  return text.toUpperCase();
}

function toLower(text: string): string {
  return text.toLowerCase();
}
