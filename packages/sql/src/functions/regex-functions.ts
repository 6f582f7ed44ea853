/** Regular expression operators and functions, SIMILAR TO, and substring by pattern. */
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { characterLength, offsetOfCharacter } from '../types/text-types.js';
import { gathered } from '../types/array-type.js';
import { invalidParameter } from '../types/sql-errors.js';
import { TextPieces } from '../types/text-pieces.js';
import { TypeOid } from '../types/type-oids.js';
import { type Implementations, setOf } from './implementation.js';
import { type RegexMatch, regex } from './regex/regex.js';

/** Option letters with `g` taken out; 22023 for a letter that is none. */
function splitOptions(
  options: string,
  functionName: string,
  globalAllowed: boolean,
): { letters: string; global: boolean } {
  let letters = '';
  let global = false;
  for (const letter of options) {
    if (letter === 'g') {
      if (!globalAllowed) {
        throw invalidParameter(
          `${functionName}() does not support the "global" option`,
          functionName === 'regexp_match' ? 'Use the regexp_matches function instead.' : undefined,
        );
      }
      global = true;
    } else if ('bceimnpqstwx'.includes(letter)) {
      letters += letter;
    } else {
      throw invalidParameter(`invalid regular expression option: "${letter}"`);
    }
  }
  return { letters, global };
}

function group(text: string, match: RegexMatch, index: number): string | null {
  const start = match.groups[2 * index] as number;
  return start < 0 ? null : text.slice(start, match.groups[2 * index + 1]);
}

/** The groups as an array, or the whole match when the pattern has none. */
function groupsArray(text: string, match: RegexMatch, groupCount: number): SqlArray {
  const items: (string | null)[] = [];
  if (groupCount === 0) items.push(text.slice(match.start, match.end));
  for (let i = 1; i <= groupCount; i++) items.push(group(text, match, i));
  return SqlArray.of(TypeOid.text, items);
}

function substringByRegex(text: string, pattern: string): string | null {
  const compiled = regex(pattern);
  const match = compiled.search(text, 0);
  if (match === undefined) return null;
  return compiled.groupCount > 0 ? group(text, match, 1) : text.slice(match.start, match.end);
}

function firstMatch(text: string, pattern: string, options: string): SqlArray | null {
  const compiled = regex(pattern, splitOptions(options, 'regexp_match', false).letters);
  const match = compiled.search(text, 0);
  return match === undefined ? null : groupsArray(text, match, compiled.groupCount);
}

function* allMatches(text: string, pattern: string, options: string): Iterable<SqlArray> {
  const { letters, global } = splitOptions(options, 'regexp_matches', true);
  const compiled = regex(pattern, letters);
  for (const match of compiled.matches(text)) {
    yield groupsArray(text, match, compiled.groupCount);
    if (!global) return;
  }
}

/** The replacement with \1..\9, \& and \\ filled in. */
function fillReplacement(replacement: string, text: string, match: RegexMatch, groupCount: number): string {
  if (!replacement.includes('\\')) return replacement;
  return replacement.replace(/\\([0-9&\\]?)/g, (whole, mark: string) => {
    if (mark === '&') return text.slice(match.start, match.end);
    if (mark === '\\' || mark === '') return mark === '' ? whole : '\\';
    const index = Number(mark);
    if (index === 0) return whole;
    return index > groupCount ? '' : (group(text, match, index) ?? '');
  });
}

/** Replaces the match number `nth` (0: all) at or after the start offset. */
function replaceMatches(
  text: string,
  pattern: string,
  replacement: string,
  letters: string,
  start: number,
  nth: number,
): string {
  const compiled = regex(pattern, letters);
  const result = new TextPieces();
  let at = 0;
  let count = 0;
  for (const match of compiled.matches(text, start)) {
    count++;
    if (nth > 0 && count < nth) continue;
    result.add(text.slice(at, match.start));
    result.add(fillReplacement(replacement, text, match, compiled.groupCount));
    at = match.end;
    if (nth > 0) break;
  }
  result.add(text.slice(at));
  return result.text();
}

function replaceWithOptions(text: string, pattern: string, replacement: string, options: string): string {
  // A digit here is most likely the start parameter given by position.
  if (/^[0-9]/.test(options)) {
    throw invalidParameter(
      `invalid regular expression option: "${options[0] as string}"`,
      'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.',
    );
  }
  const { letters, global } = splitOptions(options, 'regexp_replace', true);
  return replaceMatches(text, pattern, replacement, letters, 0, global ? 0 : 1);
}

function startOffset(text: string, start: number): number {
  if (start <= 0) throw invalidParameter(`invalid value for parameter "start": ${start}`);
  return start > characterLength(text) + 1 ? text.length + 1 : offsetOfCharacter(text, start - 1);
}

function checkNth(nth: number, least: number): void {
  if (nth < least) throw invalidParameter(`invalid value for parameter "n": ${nth}`);
}

function* splitByRegex(text: string, pattern: string, options: string, functionName: string): Iterable<string> {
  const compiled = regex(pattern, splitOptions(options, functionName, false).letters);
  let at = 0;
  for (const match of compiled.matches(text)) {
    // An empty match at the start, at the end or right behind the match before splits nothing.
    if (match.end === match.start && (match.start === 0 || match.start >= text.length || match.start === at)) continue;
    yield text.slice(at, match.start);
    at = match.end;
  }
  yield text.slice(at);
}

function splitToArray(text: string, pattern: string, options = ''): SqlArray {
  return SqlArray.of(TypeOid.text, gathered(splitByRegex(text, pattern, options, 'regexp_split_to_array')));
}

function countMatches(text: string, pattern: string, start: number, options: string): number {
  const { letters } = splitOptions(options, 'regexp_count', false);
  const from = startOffset(text, start);
  let count = 0;
  const iterator = regex(pattern, letters).matches(text, from)[Symbol.iterator]();
  while (iterator.next().done !== true) count++;
  return count;
}

function nthMatch(text: string, pattern: string, start: number, nth: number, letters: string): RegexMatch | undefined {
  let count = 0;
  for (const match of regex(pattern, letters).matches(text, startOffset(text, start))) {
    if (++count === nth) return match;
  }
  return undefined;
}

/** The group that is meant by "subexpr", of which 0 is the whole match: a pattern without groups is its own first one. */
function groupNumber(pattern: string, letters: string, subexpression: number): number | undefined {
  const { groupCount } = regex(pattern, letters);
  if (subexpression <= groupCount) return subexpression;
  return groupCount === 0 && subexpression === 1 ? 0 : undefined;
}

function position(
  text: string,
  pattern: string,
  start: number,
  nth: number,
  endOption: number,
  options: string,
  subexpression: number,
): number {
  startOffset(text, start);
  checkNth(nth, 1);
  if (endOption !== 0 && endOption !== 1)
    throw invalidParameter(`invalid value for parameter "endoption": ${endOption}`);
  if (subexpression < 0) throw invalidParameter(`invalid value for parameter "subexpr": ${subexpression}`);
  const { letters } = splitOptions(options, 'regexp_instr', false);
  const match = nthMatch(text, pattern, start, nth, letters);
  const number = groupNumber(pattern, letters, subexpression);
  if (match === undefined || number === undefined) return 0;
  const at = match.groups[2 * number + endOption] as number;
  return at < 0 ? 0 : characterLength(text.slice(0, at)) + 1;
}

function nthSubstring(
  text: string,
  pattern: string,
  start: number,
  nth: number,
  options: string,
  subexpression: number,
): string | null {
  startOffset(text, start);
  checkNth(nth, 1);
  if (subexpression < 0) throw invalidParameter(`invalid value for parameter "subexpr": ${subexpression}`);
  const { letters } = splitOptions(options, 'regexp_substr', false);
  const match = nthMatch(text, pattern, start, nth, letters);
  const number = groupNumber(pattern, letters, subexpression);
  return match === undefined || number === undefined ? null : group(text, match, number);
}

function invalidEscape(): PhantomError {
  return new PhantomError('22025', 'invalid escape string', { hint: 'Escape string must be empty or one character.' });
}

/**
 * A SIMILAR TO pattern as a regular expression for the whole text: `%` any run, `_` any character, the rest as POSIX has it.
 * With escape-double-quote separators (substring ... similar) the middle part is the first group.
 */
export function similarPattern(pattern: string, escape: string | null): string {
  const mark = escape ?? '\\';
  if ([...mark].length > 1) throw invalidEscape();
  const characters = [...pattern];
  let result = '^(?:';
  let inBracket = false;
  let quotes = 0;
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    if (mark !== '' && character === mark) {
      const next = characters[++i];
      if (next === undefined) break;
      if (next === '"' && !inBracket) {
        quotes++;
        if (quotes === 1) result += '){1,1}?(';
        else if (quotes === 2) result += '){1,1}(?:';
        else {
          throw new PhantomError(
            '2200C',
            'SQL regular expression may not contain more than two escape-double-quote separators',
          );
        }
      } else {
        result += `\\${next}`;
      }
    } else if (inBracket) {
      if (character === '\\') result += '\\';
      result += character;
      if (character === ']') inBracket = false;
    } else if (character === '[') {
      result += character;
      inBracket = true;
      // A closing bracket right at the start stands for itself.
      if (characters[i + 1] === '^') result += characters[++i] as string;
      if (characters[i + 1] === ']') result += characters[++i] as string;
    } else if (character === '%') {
      result += '.*';
    } else if (character === '_') {
      result += '.';
    } else if (character === '(') {
      result += '(?:';
    } else if (character === '\\' || character === '.' || character === '^' || character === '$') {
      result += `\\${character}`;
    } else {
      result += character;
    }
  }
  return `${result})$`;
}

const matchesIgnoringCase = (text: string, pattern: string): boolean => regex(pattern, 'i').test(text);
const matchesCase = (text: string, pattern: string): boolean => regex(pattern).test(text);

export const regexFunctions: Implementations = {
  textregexeq: matchesCase,
  textregexne: (text: string, pattern: string) => !matchesCase(text, pattern),
  texticregexeq: matchesIgnoringCase,
  texticregexne: (text: string, pattern: string) => !matchesIgnoringCase(text, pattern),
  nameregexeq: matchesCase,
  nameregexne: (text: string, pattern: string) => !matchesCase(text, pattern),
  nameicregexeq: matchesIgnoringCase,
  nameicregexne: (text: string, pattern: string) => !matchesIgnoringCase(text, pattern),
  textregexsubstr: substringByRegex,
  'substring:text,text,text': (text: string, pattern: string, escape: string) =>
    substringByRegex(text, similarPattern(pattern, escape)),
  similar_escape: (pattern: string | null, escape: string | null) =>
    pattern === null ? null : similarPattern(pattern, escape),
  similar_to_escape_1: (pattern: string) => similarPattern(pattern, null),
  similar_to_escape_2: (pattern: string, escape: string) => similarPattern(pattern, escape),
  regexp_match_no_flags: (text: string, pattern: string) => firstMatch(text, pattern, ''),
  regexp_match: firstMatch,
  regexp_matches_no_flags: setOf((text: string, pattern: string) => allMatches(text, pattern, '')),
  regexp_matches: setOf(allMatches),
  textregexreplace_noopt: (text: string, pattern: string, replacement: string) =>
    replaceMatches(text, pattern, replacement, '', 0, 1),
  textregexreplace: replaceWithOptions,
  textregexreplace_extended: (
    text: string,
    pattern: string,
    replacement: string,
    start: number,
    nth: number,
    options: string,
  ) => {
    const offset = startOffset(text, start);
    checkNth(nth, 0);
    return replaceMatches(
      text,
      pattern,
      replacement,
      splitOptions(options, 'regexp_replace', true).letters,
      offset,
      nth,
    );
  },
  textregexreplace_extended_no_flags: (
    text: string,
    pattern: string,
    replacement: string,
    start: number,
    nth: number,
  ) => {
    const offset = startOffset(text, start);
    checkNth(nth, 0);
    return replaceMatches(text, pattern, replacement, '', offset, nth);
  },
  textregexreplace_extended_no_n: (text: string, pattern: string, replacement: string, start: number) =>
    replaceMatches(text, pattern, replacement, '', startOffset(text, start), 1),
  regexp_split_to_array_no_flags: (text: string, pattern: string) => splitToArray(text, pattern),
  regexp_split_to_array: splitToArray,
  regexp_split_to_table_no_flags: setOf((text: string, pattern: string) =>
    splitByRegex(text, pattern, '', 'regexp_split_to_table'),
  ),
  regexp_split_to_table: setOf((text: string, pattern: string, options: string) =>
    splitByRegex(text, pattern, options, 'regexp_split_to_table'),
  ),
  regexp_count_no_start: (text: string, pattern: string) => countMatches(text, pattern, 1, ''),
  regexp_count_no_flags: (text: string, pattern: string, start: number) => countMatches(text, pattern, start, ''),
  regexp_count: countMatches,
  regexp_instr_no_start: (text: string, pattern: string) => position(text, pattern, 1, 1, 0, '', 0),
  regexp_instr_no_n: (text: string, pattern: string, start: number) => position(text, pattern, start, 1, 0, '', 0),
  regexp_instr_no_endoption: (text: string, pattern: string, start: number, nth: number) =>
    position(text, pattern, start, nth, 0, '', 0),
  regexp_instr_no_flags: (text: string, pattern: string, start: number, nth: number, end: number) =>
    position(text, pattern, start, nth, end, '', 0),
  regexp_instr_no_subexpr: (text: string, pattern: string, start: number, nth: number, end: number, options: string) =>
    position(text, pattern, start, nth, end, options, 0),
  regexp_instr: position,
  regexp_like_no_flags: matchesCase,
  regexp_like: (text: string, pattern: string, options: string) =>
    regex(pattern, splitOptions(options, 'regexp_like', false).letters).test(text),
  regexp_substr_no_start: (text: string, pattern: string) => nthSubstring(text, pattern, 1, 1, '', 0),
  regexp_substr_no_n: (text: string, pattern: string, start: number) => nthSubstring(text, pattern, start, 1, '', 0),
  regexp_substr_no_flags: (text: string, pattern: string, start: number, nth: number) =>
    nthSubstring(text, pattern, start, nth, '', 0),
  regexp_substr_no_subexpr: (text: string, pattern: string, start: number, nth: number, options: string) =>
    nthSubstring(text, pattern, start, nth, options, 0),
  regexp_substr: nthSubstring,
};
