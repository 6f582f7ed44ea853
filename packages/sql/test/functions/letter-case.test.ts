/** Case by PostgreSQL's rules, character by character, also where a text is worked on in pieces. */
import { describe, expect, it } from 'vitest';
import { initcap, initcapOfAscii, lower, lowerOfAscii, upper, upperOfAscii } from '../../src/functions/letter-case.js';
import { reversed } from '../../src/types/text-pieces.js';

/** More than one piece. */
const LONG_UNITS = 40_000;

describe('the case of letters', () => {
  it.each([
    ['ß', 'ß', 'ß'],
    ['İ', 'İ', 'i'],
    ['ı', 'I', 'ı'],
    ['ΑΣ', 'ΑΣ', 'ασ'],
    ['ᾀῳ', 'ᾈῼ', 'ᾀῳ'],
    ['ŉﬁ', 'ŉﬁ', 'ŉﬁ'],
    ['ǆÿſ', 'ǄŸS', 'ǆÿſ'],
    ['\u{10428}x', '\u{10400}X', '\u{10428}x'],
  ])('is changed one by one: %s', (text, inUpper, inLower) => {
    expect([upper(text), lower(text)]).toEqual([inUpper, inLower]);
    const filler = 'é'.repeat(LONG_UNITS);
    expect(upper(filler + text) === 'É'.repeat(LONG_UNITS) + inUpper).toBe(true);
    expect(lower(filler + text) === filler + inLower).toBe(true);
  });

  it('makes a capital of the first of each word', () => {
    expect(initcap("ǆabc ÀÉ 1ab A1B a_b o'neil İx")).toBe("Ǆabc Àé 1ab A1b A_B O'Neil İx");
    expect(initcap('\u{10428}\u{10428}')).toBe('\u{10400}\u{10428}');
    const word = 'aB'.repeat(LONG_UNITS);
    expect(initcap(word) === `A${word.toLowerCase().slice(1)}`).toBe(true);
    expect(initcap(` é${word}`) === ` É${word.toLowerCase()}`).toBe(true);
  });

  it('is that of ASCII alone in the collation C', () => {
    expect(upperOfAscii('aé')).toBe('Aé');
    expect(lowerOfAscii('AÉ')).toBe('aÉ');
    expect(initcapOfAscii('àé bC éd')).toBe('àé Bc éD');
    const word = 'aB'.repeat(LONG_UNITS);
    expect(initcapOfAscii(`é${word}`) === `éA${word.toLowerCase().slice(1)}`).toBe(true);
  });
});

describe('a text the other way round', () => {
  it.each(['', 'abc', 'aé', 'a€b', '\u{1f600}a\u{1f601}', 'a\u{1f600}'])('keeps its characters: %s', (text) => {
    expect(reversed(text)).toBe([...text].reverse().join(''));
    const long = text.repeat(LONG_UNITS);
    expect(reversed(long) === [...text].reverse().join('').repeat(LONG_UNITS)).toBe(true);
  });
});
