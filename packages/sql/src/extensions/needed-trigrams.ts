/**
 * Trigrams that a text has to have for a condition of an index over trigrams (gin_trgm_ops) to hold; what is found by them is tested again.
 *
 *   LIKE, ILIKE    those of the letters between wildcards; where a word's end is known, with the blank beside it
 *   ~, ~*          those of the letters that every match has next to each other; of `a|b` one of either side
 *   =, %, %>, %>>  all of the text; any one of it, as long as something alike is asked for at all
 */
import { isPhantomError } from '@phantom/base';
import { type RegexNode, parseRegex } from '../functions/regex/regex-syntax.js';
import { TRIGRAM_THRESHOLDS } from './pg-trgm.js';
import { foldedTrigramsOf, isOfWord, oneCase, trigramsWithin } from './trigrams.js';

export interface NeededTrigrams {
  readonly match: 'all' | 'any';
  readonly trigrams: readonly number[];
}

/** Trigrams asked for at most: the rest would hardly leave out another row. */
const TRIGRAMS_MAX = 64;

const SETTINGS: Readonly<Record<string, string>> = {
  '%': TRIGRAM_THRESHOLDS.similarity,
  '%>': TRIGRAM_THRESHOLDS.word,
  '%>>': TRIGRAM_THRESHOLDS.strictWord,
};

/**
 * What a text needs for `text operator operand`; undefined where it may hold for any. `setting` tells how alike texts have to be; where it is
 * not known yet, more than nothing is taken for granted.
 */
export function neededTrigrams(
  operator: string,
  operand: string,
  setting?: (name: string) => string | null,
): NeededTrigrams | undefined {
  const threshold = SETTINGS[operator];
  if (threshold !== undefined) {
    const least = setting?.(threshold);
    // Nothing in common is enough.
    if (least !== undefined && Number(least) <= 0) return undefined;
    return { match: 'any', trigrams: foldedTrigramsOf(operand) };
  }
  switch (operator) {
    case '=':
      return allOf(foldedTrigramsOf(operand));
    case '~':
    case '~*':
      return neededOfRegex(operand);
    default:
      return allOf(trigramsOfRuns(runsOfPattern(operand)));
  }
}

function allOf(trigrams: readonly number[]): NeededTrigrams | undefined {
  const distinct = [...new Set(trigrams)].slice(0, TRIGRAMS_MAX);
  return distinct.length === 0 ? undefined : { match: 'all', trigrams: distinct };
}

/** Characters next to each other; undefined stands for what may be anything. */
type Characters = (string | undefined)[];

/** The characters of a LIKE pattern, its ends as what no word goes beyond. */
function runsOfPattern(pattern: string): Characters {
  const characters: Characters = [' '];
  let isEscaped = false;
  for (const character of pattern) {
    if (isEscaped) characters.push(character);
    else if (character === '%' || character === '_') characters.push(undefined);
    else if (character !== '\\') characters.push(character);
    isEscaped = !isEscaped && character === '\\';
  }
  characters.push(' ');
  return characters;
}

/** Trigrams of the words, and of the parts of words between what may be anything. */
function trigramsOfRuns(characters: Characters): number[] {
  const found: number[] = [];
  let word: string[] = [];
  let isBegun = false;
  const close = (isEnded: boolean): void => {
    if (word.length > 0) found.push(...trigramsWithin([...(isBegun ? '  ' : ''), ...word, ...(isEnded ? ' ' : '')]));
    word = [];
  };
  for (const character of characters) {
    if (character !== undefined && isOfWord(character)) {
      word.push(oneCase(character));
      continue;
    }
    close(character !== undefined);
    isBegun = character !== undefined;
  }
  close(false);
  return found;
}

/** What is wrong with the pattern is told of by the test of the rows. */
function neededOfRegex(pattern: string): NeededTrigrams | undefined {
  try {
    return neededOf(parseRegex(pattern, '').node);
  } catch (error) {
    if (isPhantomError(error)) return undefined;
    throw error;
  }
}

/** What every match of a part of a regular expression has. */
function neededOf(node: RegexNode): NeededTrigrams | undefined {
  const any: NeededTrigrams[] = [];
  const characters: Characters = [];
  collect(node, characters, any);
  const all = allOf(trigramsOfRuns(characters));
  return all ?? any.toSorted((a, b) => a.trigrams.length - b.trigrams.length)[0];
}

/** The characters that every match has one after another, and what it has beside them by way of choices. */
function collect(node: RegexNode, into: Characters, any: NeededTrigrams[]): void {
  switch (node.kind) {
    case 'empty':
      return;
    case 'char':
      into.push(String.fromCodePoint(node.code));
      return;
    case 'group':
      collect(node.node, into, any);
      return;
    case 'sequence':
      for (const each of node.nodes) collect(each, into, any);
      return;
    case 'repeat':
      into.push(undefined);
      if (node.min === 0) return;
      collect(node.node, into, any);
      into.push(undefined);
      return;
    case 'choice': {
      into.push(undefined);
      const sides = node.nodes.map((each) => neededOf(each));
      if (sides.some((side) => side === undefined)) return;
      const trigrams = sides.flatMap((side) =>
        side?.match === 'all' ? side.trigrams.slice(0, 1) : (side?.trigrams ?? []),
      );
      if (trigrams.length <= TRIGRAMS_MAX) any.push({ match: 'any', trigrams });
      return;
    }
    default:
      into.push(undefined);
  }
}
