/** fuzzystrmatch: how far texts are from each other, and how they sound in English. */
import { PhantomError } from '@phantom/base';
import type { Implementations } from '../functions/implementation.js';
import type { ExtensionFacts } from './extension.js';

/** The form of the lines is told in extension.ts. Metaphones are left out. */
export const fuzzyFacts: ExtensionFacts = {
  name: 'fuzzystrmatch',
  version: '1.1',
  description: 'determine similarities and distance between strings',
  requires: [],
  types: [],
  functions: `
levenshtein text,text int4 ix levenshtein
levenshtein text,text,int4,int4,int4 int4 ix levenshtein_with_costs
levenshtein_less_equal text,text,int4 int4 ix levenshtein_less_equal
levenshtein_less_equal text,text,int4,int4,int4,int4 int4 ix levenshtein_less_equal_with_costs
soundex text text ix soundex
text_soundex text text ix soundex
difference text,text int4 ix difference
`,
  operators: '',
  casts: '',
  operatorClasses: '',
  bodies: {},
};

const CHARACTERS_MAX = 255;

interface Costs {
  readonly insertion: number;
  readonly deletion: number;
  readonly substitution: number;
}

const EVEN: Costs = { insertion: 1, deletion: 1, substitution: 1 };

/** The least cost of changes that make one text of the other: of ever more of the first, row by row. 22023 for long ones. */
function distance(from: string, to: string, { insertion, deletion, substitution }: Costs): number {
  const [source, target] = [[...from], [...to]];
  if (source.length > CHARACTERS_MAX || target.length > CHARACTERS_MAX)
    throw new PhantomError('22023', `levenshtein argument exceeds maximum length of ${CHARACTERS_MAX} characters`);
  let row = Array.from({ length: target.length + 1 }, (_, made) => made * insertion);
  source.forEach((character, taken) => {
    const next = [(taken + 1) * deletion];
    target.forEach((wanted, made) => {
      const changed = (row[made] as number) + (character === wanted ? 0 : substitution);
      next.push(Math.min(changed, (row[made + 1] as number) + deletion, (next[made] as number) + insertion));
    });
    row = next;
  });
  return (row[target.length] as number) | 0;
}

/** The distance where it is not above a limit, else one above that; from and to nothing it is told in any case. */
function within(from: string, to: string, costs: Costs, most: number): number {
  const found = distance(from, to, costs);
  return most >= 0 && found > most && from !== '' && to !== '' ? most + 1 : found;
}

const LETTER = /[a-z]/i;
const CODE_LENGTH = 4;
/** Digits of the letters from A on. */
const SOUNDS = '01230120022455012623010202';

function soundOf(character: string): string {
  const place = character.toUpperCase().charCodeAt(0) - 65;
  return LETTER.test(character) ? (SOUNDS[place] as string) : character;
}

/** The first letter, and the digits of the next ones that do not sound as the one before them. */
function soundex(text: string): string {
  const start = text.search(LETTER);
  if (start < 0) return '';
  let code = (text[start] as string).toUpperCase();
  for (let i = start + 1; i < text.length && code.length < CODE_LENGTH; i++) {
    const character = text[i] as string;
    const sound = soundOf(character);
    if (LETTER.test(character) && sound !== soundOf(text[i - 1] as string) && sound !== '0') code += sound;
  }
  return code.padEnd(CODE_LENGTH, '0');
}

export const fuzzyCode: Implementations = {
  levenshtein: (a: string, b: string) => distance(a, b, EVEN),
  levenshtein_with_costs: (a: string, b: string, insertion: number, deletion: number, substitution: number) =>
    distance(a, b, { insertion, deletion, substitution }),
  levenshtein_less_equal: (a: string, b: string, most: number) => within(a, b, EVEN, most),
  levenshtein_less_equal_with_costs: (
    a: string,
    b: string,
    insertion: number,
    deletion: number,
    substitution: number,
    most: number,
  ) => within(a, b, { insertion, deletion, substitution }, most),
  soundex,
  difference: (a: string, b: string) => {
    const [one, other] = [soundex(a), soundex(b)];
    return Array.from({ length: CODE_LENGTH }, (_, i) => Number(one[i] === other[i])).reduce(
      (sum, same) => sum + same,
      0,
    );
  },
};
