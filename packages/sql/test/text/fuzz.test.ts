/** Any text ends in a tree or a PhantomError: random tokens, mutated statements, random characters. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PhantomError } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLUMN_NAMES, RESERVED, TYPE_OR_FUNCTION, UNRESERVED } from '../../src/text/keywords.js';
import { scan } from '../../src/text/lexer.js';
import { parseExpression, parseScript, parseTypeName } from '../../src/text/parse.js';
import { LITERALS, SYMBOLS } from '../../src/text/tokens.js';

const folder = fileURLToPath(new URL('golden/', import.meta.url));
const statements = readdirSync(folder)
  .flatMap((name) => readFileSync(folder + name, 'utf8').split(/\n\n(?=[^ \])])/))
  .map((block) => block.split('\n----')[0] as string);
const pieces = statements.map((text) => scan(text).tokens.map((token) => token.image));
const words = [UNRESERVED, COLUMN_NAMES, TYPE_OR_FUNCTION, RESERVED, SYMBOLS, LITERALS]
  .flatMap((group): readonly string[] => group)
  .concat(["'x'", '"X"', '1', '1.5', '$1', 'a', 't', '||', '@>', 'x.y', '(select 1)', '()'])
  .concat(["e'\\x'", '$$', '\\', '--', '/*']);

const CODES = /^(42601|42P02|42P20|42939|22...|0A000|54001)$/;

/** What is wrong with the outcome of one entry, if anything. */
function complaint(entry: (text: string) => unknown, text: string): string | undefined {
  try {
    entry(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof PhantomError)) return `${String(error)} from ${JSON.stringify(text)}`;
    const { code, position = code === '54001' ? 1 : 0 } = error;
    const fine = CODES.test(code) && position >= 1 && position <= text.length + 1;
    return fine ? undefined : `${code} at ${position} from ${JSON.stringify(text)}`;
  }
}

/** Complaints about a sample of texts. */
function complaints(texts: fc.Arbitrary<string>, numRuns: number, seed: number): string[] {
  return fc
    .sample(texts, { numRuns, seed })
    .flatMap((text) => [parseScript, parseExpression, parseTypeName].map((entry) => complaint(entry, text)))
    .filter((one) => one !== undefined);
}

describe('any text ends in a tree or an error', () => {
  it('random tokens', () => {
    const texts = fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((list) => list.join(' '));
    expect(complaints(texts, 600, 11)).toEqual([]);
  });

  it('statements with tokens lost, doubled, swapped and replaced', () => {
    const mutation = fc.record({ kind: fc.nat(4), where: fc.nat(), other: fc.nat(), word: fc.constantFrom(...words) });
    const texts = fc
      .tuple(fc.constantFrom(...pieces), fc.array(mutation, { minLength: 1, maxLength: 3 }))
      .map(([tokens, changes]) => {
        const list = [...tokens];
        for (const { kind, where, other, word } of changes) {
          const i = where % Math.max(list.length, 1);
          const j = other % Math.max(list.length, 1);
          if (kind === 0) list.splice(i, 1);
          else if (kind === 1) list.splice(i, 0, list[i] ?? '');
          else if (kind === 2) [list[i], list[j]] = [list[j] ?? '', list[i] ?? ''];
          else if (kind === 3) list[i] = word;
          else list.length = i;
        }
        return list.join(' ');
      });
    expect(complaints(texts, 1200, 12)).toEqual([]);
  });

  it('random characters', () => {
    const unit = fc.constantFrom(...'\'"$\\/*-+<>=()[].,;:eEuUbBxXnN&0179_ az\n\u0000\ud800é😀');
    expect(complaints(fc.string({ unit, maxLength: 40 }), 600, 13)).toEqual([]);
    expect(complaints(fc.string({ unit: 'binary', maxLength: 40 }), 300, 14)).toEqual([]);
  });
});
