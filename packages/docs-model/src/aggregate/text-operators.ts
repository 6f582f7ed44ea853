/** Text operators. Positions count code points (CP) or bytes of UTF-8. */
import { compareText } from '@phantom/codec';
import { badArgument } from '../errors.js';
import { regexOf } from '../filter/tests.js';
import { isNumber } from '../order.js';
import { BoundedPattern } from '../patterns/bounded-pattern.js';
import { MANY, integerOf, named, strict, textOf, withOperands } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';

/** Text of what $toLower and its kin take: nothing is empty text. */
function looseText(name: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (isNumber(value)) return String(value);
  return value instanceof Date ? value.toISOString() : textOf(name, value);
}

const points = (text: string): string[] => [...text];

function substringPoints([value, from, count]: unknown[]): unknown {
  const start = startOf('$substrCP', from);
  const most = integerOf('$substrCP', count);
  return points(looseText('$substrCP', value))
    .slice(start, most < 0 ? undefined : start + most)
    .join('');
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
      const value = (parts.get('input') as Evaluate)(root, variables);
      const chars = parts.get('chars')?.(root, variables);
      if (value === null || value === undefined || chars === null) return null;
      const text = points(textOf(name, value));
      const blank =
        chars === undefined
          ? (char: string): boolean => DEFAULT_BLANKS.test(char)
          : (char: string): boolean => textOf(name, chars).includes(char);
      let start = 0;
      let end = text.length;
      while (left && start < end && blank(text[start] as string)) start++;
      while (right && end > start && blank(text[end - 1] as string)) end--;
      return text.slice(start, end).join('');
    };
  };
}

function regexOperator(
  name: string,
  apply: (pattern: BoundedPattern, text: string) => unknown,
  nothing: unknown,
): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['input', 'regex'], ['options']);
    // Most ask every document for one and the same.
    let made: { readonly pattern: unknown; readonly options: unknown; readonly bounded: BoundedPattern } | undefined;
    return (root, variables) => {
      const input = (parts.get('input') as Evaluate)(root, variables);
      const pattern = (parts.get('regex') as Evaluate)(root, variables);
      if (input === null || input === undefined || pattern === null || pattern === undefined) return nothing;
      const options = parts.get('options')?.(root, variables);
      if (made === undefined || made.pattern !== pattern || made.options !== options)
        made = { pattern, options, bounded: new BoundedPattern(regexOf(pattern, options)) };
      return apply(made.bounded, textOf(name, input));
    };
  };
}

function found(match: RegExpExecArray, text: string): unknown {
  return {
    match: match[0],
    idx: points(text.slice(0, match.index)).length,
    captures: match.slice(1).map((capture) => capture ?? null),
  };
}

function replace(name: string, all: boolean): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['input', 'find', 'replacement']);
    return (root, variables) => {
      const values = ['input', 'find', 'replacement'].map((key) => (parts.get(key) as Evaluate)(root, variables));
      if (values.some((value) => value === null || value === undefined)) return null;
      const [input, find, replacement] = values.map((value) => textOf(name, value)) as [string, string, string];
      return all ? input.replaceAll(find, () => replacement) : input.replace(find, () => replacement);
    };
  };
}

function indexOfPoints([value, wanted, from = 0, to = MANY]: unknown[]): unknown {
  if (value === null || value === undefined) return null;
  const text = points(textOf('$indexOfCP', value));
  const needle = points(textOf('$indexOfCP', wanted));
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
  $concat: strict('$concat', 0, MANY, (values) => values.map((value) => textOf('$concat', value)).join('')),
  $toLower: withOperands('$toLower', 1, 1, ([value]) => looseText('$toLower', value).toLowerCase()),
  $toUpper: withOperands('$toUpper', 1, 1, ([value]) => looseText('$toUpper', value).toUpperCase()),
  $substr: withOperands('$substr', 3, 3, substringBytes),
  $substrBytes: withOperands('$substrBytes', 3, 3, substringBytes),
  $substrCP: withOperands('$substrCP', 3, 3, substringPoints),
  $strLenCP: withOperands('$strLenCP', 1, 1, ([value]) => points(textOf('$strLenCP', value)).length),
  $strLenBytes: withOperands('$strLenBytes', 1, 1, ([value]) => Buffer.byteLength(textOf('$strLenBytes', value))),
  $strcasecmp: withOperands('$strcasecmp', 2, 2, ([a, b]) =>
    Math.sign(compareText(looseText('$strcasecmp', a).toUpperCase(), looseText('$strcasecmp', b).toUpperCase())),
  ),
  $split: strict('$split', 2, 2, ([value, by]) => {
    if (by === '') throw badArgument('$split needs a separator');
    return textOf('$split', value).split(textOf('$split', by));
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
  $regexFindAll: regexOperator(
    '$regexFindAll',
    (pattern, text) => pattern.all(text).map((match) => found(match, text)),
    [],
  ),
};
