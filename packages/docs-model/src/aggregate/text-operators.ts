/** Text operators. Positions count code points (CP) or bytes of UTF-8. */
import { constants } from 'node:buffer';
import { PhantomError } from '@phantom/base';
import { compareText } from '@phantom/codec';
import { badArgument } from '../errors.js';
import { regexOf } from '../filter/tests.js';
import { SLOT_BYTES, TEXT_BYTES } from '../memory-bytes.js';
import { isNumber } from '../order.js';
import { BoundedPattern } from '../patterns/bounded-pattern.js';
import { MANY, integerOf, named, strict, textOf, withOperands } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';
import type { Work } from './work.js';

/** The longest text that V8 has. */
const TEXT_UNITS_MAX = constants.MAX_STRING_LENGTH;
/** Characters that are compared, and steps of a pattern, in a step. */
const COMPARED_PER_STEP = 64;
const PATTERN_STEPS_PER_STEP = 8;

/** Text of what $toLower and its kin take: nothing is empty text. */
function looseText(name: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (isNumber(value)) return String(value);
  return value instanceof Date ? value.toISOString() : textOf(name, value);
}

/** What a piece of a text takes: V8 lets it point into the whole. */
const PIECE_BYTES = 40;
/** What a match takes, as the engine gives it and as it is shown. */
const MATCH_BYTES = 400;

/** The characters of a text, which are taken as an array of them. */
function points(name: string, text: string, work: Work): string[] {
  work.take(PIECE_BYTES * text.length, name);
  return [...text];
}

/** How many characters a part of a text has. */
function pointCount(text: string, from = 0, to = text.length): number {
  let count = 0;
  for (let i = from; i < to; count++) i += text.codePointAt(i)! > 0xffff ? 2 : 1;
  return count;
}

/** Where in a text so many characters from a place on end. */
function pointsEnd(text: string, from: number, count: number): number {
  let at = from;
  for (let i = 0; i < count && at < text.length; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

function substringPoints([value, begin, count]: unknown[]): unknown {
  const start = startOf('$substrCP', begin);
  const most = integerOf('$substrCP', count);
  const text = looseText('$substrCP', value);
  const from = pointsEnd(text, 0, start);
  return text.slice(from, most < 0 ? undefined : pointsEnd(text, from, most));
}

function substringBytes([value, from, count]: unknown[]): unknown {
  const bytes = Buffer.from(looseText('$substrBytes', value), 'utf8');
  const start = Math.min(startOf('$substrBytes', from), bytes.length);
  const most = integerOf('$substrBytes', count);
  const end = most < 0 ? bytes.length : Math.min(start + most, bytes.length);
  if (continues(bytes[start]) || continues(bytes[end])) throw badArgument('$substrBytes would cut a character in two');
  return bytes.toString('utf8', start, end);
}

/** A byte of UTF-8 that begins no character. */
const continues = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

const DEFAULT_BLANKS = /^[\s\0]$/u;

function trim(name: string, left: boolean, right: boolean): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['input'], ['chars']);
    return (root, variables) => {
      const { work } = variables;
      const mark = work.mark();
      const value = (parts.get('input') as Evaluate)(root, variables);
      const chars = parts.get('chars')?.(root, variables);
      if (value === null || value === undefined || chars === null) return null;
      const text = points(name, textOf(name, value), work);
      const blank =
        chars === undefined
          ? (char: string): boolean => DEFAULT_BLANKS.test(char)
          : (char: string): boolean => textOf(name, chars).includes(char);
      let start = 0;
      let end = text.length;
      while (left && start < end && blank(text[start] as string)) start++;
      while (right && end > start && blank(text[end - 1] as string)) end--;
      return work.settleAt(mark, text.slice(start, end).join(''), name);
    };
  };
}

function regexOperator(
  name: string,
  apply: (pattern: BoundedPattern, text: string, work: Work) => unknown,
  nothing: unknown,
): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['input', 'regex'], ['options']);
    // Most ask every document for one and the same.
    let made: { readonly pattern: unknown; readonly options: unknown; readonly bounded: BoundedPattern } | undefined;
    return (root, variables) => {
      const { work } = variables;
      const mark = work.mark();
      const input = (parts.get('input') as Evaluate)(root, variables);
      const pattern = (parts.get('regex') as Evaluate)(root, variables);
      if (input === null || input === undefined || pattern === null || pattern === undefined) return nothing;
      const options = parts.get('options')?.(root, variables);
      if (made === undefined || made.pattern !== pattern || made.options !== options)
        made = { pattern, options, bounded: new BoundedPattern(regexOf(pattern, options)) };
      const text = textOf(name, input);
      work.step(made.bounded.steps(text) / PATTERN_STEPS_PER_STEP, name);
      return work.settleAt(mark, apply(made.bounded, text, work), name);
    };
  };
}

/** What is shown of a match, before which there are so many characters. */
function shown(match: RegExpExecArray, before: number): unknown {
  return { match: match[0], idx: before, captures: match.slice(1).map((capture) => capture ?? null) };
}

function found(match: RegExpExecArray, text: string): unknown {
  return shown(match, pointCount(text, 0, match.index));
}

function allFound(pattern: BoundedPattern, text: string, work: Work): unknown[] {
  const matches = pattern.all(text, work.leftBytes / MATCH_BYTES);
  work.take(MATCH_BYTES * matches.length, '$regexFindAll');
  let before = 0;
  let from = 0;
  return matches.map((match) => {
    before += pointCount(text, from, match.index);
    from = match.index;
    return shown(match, before);
  });
}

function replace(name: string, all: boolean): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['input', 'find', 'replacement']);
    return (root, variables) => {
      const { work } = variables;
      const mark = work.mark();
      const values = ['input', 'find', 'replacement'].map((key) => (parts.get(key) as Evaluate)(root, variables));
      if (values.some((value) => value === null || value === undefined)) return null;
      const [input, find, replacement] = values.map((value) => textOf(name, value)) as [string, string, string];
      const times = all ? occurrences(input, find) : 1;
      takeText(input.length + times * (replacement.length - find.length), name, work);
      // What V8 notes of each place.
      work.take(SLOT_BYTES * times, name);
      const replaced = all ? input.replaceAll(find, () => replacement) : input.replace(find, () => replacement);
      return work.settleAt(mark, replaced, name);
    };
  };
}

/** How often a text is found in another, none overlapping the one before; the empty one around each unit. */
function occurrences(text: string, wanted: string): number {
  if (wanted === '') return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) count++;
  return count;
}

/** Takes the memory of a text before it is made. 54000 for one that is longer than texts can be. */
function takeText(units: number, name: string, work: Work): void {
  if (units > TEXT_UNITS_MAX) {
    throw new PhantomError('54000', `${name} would make a text of ${units} UTF-16 units`, {
      detail: `A text has at most ${TEXT_UNITS_MAX}.`,
      data: { unitsMax: TEXT_UNITS_MAX, units },
    });
  }
  work.take(TEXT_BYTES + Math.max(0, units), name);
}

function indexOfPoints([value, wanted, from = 0, to = MANY]: unknown[], work: Work): unknown {
  if (value === null || value === undefined) return null;
  const text = points('$indexOfCP', textOf('$indexOfCP', value), work);
  const needle = points('$indexOfCP', textOf('$indexOfCP', wanted), work);
  work.step((text.length * needle.length) / COMPARED_PER_STEP, '$indexOfCP');
  const end = Math.min(text.length, startOf('$indexOfCP', to)) - needle.length;
  for (let i = startOf('$indexOfCP', from); i <= end; i++) {
    if (needle.every((char, k) => text[i + k] === char)) return i;
  }
  return -1;
}

function indexOfBytes([value, wanted, from = 0, to = MANY]: unknown[]): unknown {
  if (value === null || value === undefined) return null;
  const bytes = Buffer.from(textOf('$indexOfBytes', value), 'utf8');
  const needle = Buffer.from(textOf('$indexOfBytes', wanted), 'utf8');
  const start = startOf('$indexOfBytes', from);
  if (start > bytes.length) return -1;
  const found = bytes.subarray(0, startOf('$indexOfBytes', to)).indexOf(needle, start);
  return found < start ? -1 : found;
}

/** A place in a text. 22023 before its beginning. */
function startOf(name: string, value: unknown): number {
  const start = integerOf(name, value);
  if (start < 0) throw badArgument(`${name} needs a place of at least 0`);
  return start;
}

export const textOperators: Readonly<Record<string, OperatorMaker>> = {
  $concat: strict('$concat', 0, MANY, (values, work) => {
    const texts = values.map((value) => textOf('$concat', value));
    takeText(
      texts.reduce((units, text) => units + text.length, 0),
      '$concat',
      work,
    );
    return texts.join('');
  }),
  $toLower: withOperands('$toLower', 1, 1, ([value]) => looseText('$toLower', value).toLowerCase()),
  $toUpper: withOperands('$toUpper', 1, 1, ([value]) => looseText('$toUpper', value).toUpperCase()),
  $substr: withOperands('$substr', 3, 3, substringBytes),
  $substrBytes: withOperands('$substrBytes', 3, 3, substringBytes),
  $substrCP: withOperands('$substrCP', 3, 3, substringPoints),
  $strLenCP: withOperands('$strLenCP', 1, 1, ([value]) => pointCount(textOf('$strLenCP', value))),
  $strLenBytes: withOperands('$strLenBytes', 1, 1, ([value]) => Buffer.byteLength(textOf('$strLenBytes', value))),
  $strcasecmp: withOperands('$strcasecmp', 2, 2, ([a, b]) =>
    Math.sign(compareText(looseText('$strcasecmp', a).toUpperCase(), looseText('$strcasecmp', b).toUpperCase())),
  ),
  $split: strict('$split', 2, 2, ([value, by], work) => {
    if (by === '') throw badArgument('$split needs a separator');
    const [text, separator] = [textOf('$split', value), textOf('$split', by)];
    work.take(PIECE_BYTES * (1 + occurrences(text, separator)), '$split');
    return text.split(separator);
  }),
  $indexOfCP: withOperands('$indexOfCP', 2, 4, indexOfPoints),
  $indexOfBytes: withOperands('$indexOfBytes', 2, 4, indexOfBytes),
  $trim: trim('$trim', true, true),
  $ltrim: trim('$ltrim', true, false),
  $rtrim: trim('$rtrim', false, true),
  $replaceOne: replace('$replaceOne', false),
  $replaceAll: replace('$replaceAll', true),
  $regexMatch: regexOperator('$regexMatch', (pattern, text) => pattern.test(text), false),
  $regexFind: regexOperator(
    '$regexFind',
    (pattern, text) => {
      const match = pattern.exec(text);
      return match === null ? null : found(match, text);
    },
    null,
  ),
  $regexFindAll: regexOperator('$regexFindAll', allFound, []),
};
