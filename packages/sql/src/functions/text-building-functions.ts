/** concat, format, identifiers, Unicode: functions that put texts together or take them apart by rules of their own. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { invalidParameter } from '../types/sql-errors.js';
import { foldName } from '../text/lexer.js';
import { TextPieces } from '../types/text-pieces.js';
import { characterLength } from '../types/text-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { type Implementations, contextual, scalar } from './implementation.js';
import type { CallTypes, EvaluationContext } from './registry.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { quoteLiteral, textOf } from './text-functions.js';

/** The values of a VARIADIC "any" call as texts; the call's context and types stand last in its arguments. */
function texts(args: readonly unknown[], skip: number): (string | null)[] {
  const context = args[args.length - 2] as EvaluationContext;
  const types = args[args.length - 1] as CallTypes;
  return args
    .slice(skip, -2)
    .map((value, i) => (value === null ? null : textOf(value, types.arguments[skip + i] as TypeRef, context)));
}

function concat(...args: unknown[]): string {
  return texts(args, 0)
    .filter((text) => text !== null)
    .join('');
}

function concatWithSeparator(...args: unknown[]): string | null {
  const separator = args[0] as string | null;
  if (separator === null) return null;
  return texts(args, 1)
    .filter((text) => text !== null)
    .join(separator);
}

/** Widest field of format(): what a text can hold. */
const WIDTH_MAX = 268435455;

/** One conversion of format(): %[position$][-][width]type. */
const SPECIFIER = /(?:(\d+)\$)?(-*)(?:(\d+)|\*(?:(\d+)\$)?)?(.?)/suy;

function formatText(...args: unknown[]): string | null {
  const template = args[0] as string | null;
  if (template === null) return null;
  const context = args[args.length - 2] as EvaluationContext;
  const types = args[args.length - 1] as CallTypes;
  const values = args.slice(1, -2);
  let next = 0;
  const take = (position: string | undefined): { value: Value; type: TypeRef | undefined } => {
    if (position !== undefined) {
      if (Number(position) === 0)
        throw invalidParameter('format specifies argument 0, but arguments are numbered from 1');
      next = Number(position) - 1;
    }
    if (next >= values.length) throw invalidParameter('too few arguments for format()');
    const at = next++;
    return { value: values[at], type: types.arguments[at + 1] };
  };
  let result = '';
  for (let at = 0; at < template.length;) {
    const percent = template.indexOf('%', at);
    if (percent < 0) return result + template.slice(at);
    result += template.slice(at, percent);
    at = percent + 1;
    if (template[at] === '%') {
      result += '%';
      at++;
      continue;
    }
    SPECIFIER.lastIndex = at;
    const match = SPECIFIER.exec(template) as RegExpExecArray;
    const [whole, position, flags, width, widthPosition, letter] = match as unknown as string[];
    at += (whole as string).length;
    if (letter === '' || letter === undefined) {
      throw invalidParameter('unterminated format() type specifier', 'For a single "%" use "%%".');
    }
    const star = (whole as string).includes('*');
    let pad = width === undefined ? 0 : Number(width);
    let left = flags !== '';
    if (star) {
      const given = take(widthPosition);
      pad = given.value === null ? 0 : widthOf(given.value, given.type, context);
      if (pad < 0) {
        left = true;
        pad = -pad;
      }
    }
    if (!'sIL'.includes(letter)) {
      throw invalidParameter(`unrecognized format() type specifier "${letter}"`, 'For a single "%" use "%%".');
    }
    const { value, type } = take(position);
    const text = convert(value, type, letter, context);
    if (pad > WIDTH_MAX) throw new PhantomError('22003', 'number is out of range');
    const missing = pad - characterLength(text);
    const padding = missing > 0 ? ' '.repeat(missing) : '';
    result += left ? text + padding : padding + text;
  }
  return result;
}

function widthOf(value: Value, type: TypeRef | undefined, context: EvaluationContext): number {
  const text = textOf(value, type, context);
  if (!/^\s*[+-]?\d+\s*$/.test(text))
    throw new PhantomError('22P02', `invalid input syntax for type integer: "${text}"`);
  return Number(text);
}

function convert(value: Value, type: TypeRef | undefined, letter: string, context: EvaluationContext): string {
  if (value === null) {
    if (letter === 'I') throw new PhantomError('22004', 'null values cannot be formatted as an SQL identifier');
    return letter === 'L' ? 'NULL' : '';
  }
  const text = textOf(value, type, context);
  if (letter === 'I') return quoteIdentifier(text);
  return letter === 'L' ? quoteLiteral(text) : text;
}

/** Parts of a dotted name; strict about what follows it. */
function parseIdentifiers(text: string, strict: boolean): SqlArray {
  const parts: string[] = [];
  const fail = (detail?: string): PhantomError =>
    new PhantomError('22023', `string is not a valid identifier: "${text}"`, { detail });
  let at = 0;
  const skip = (): void => {
    while (/\s/.test(text[at] ?? '')) at++;
  };
  skip();
  for (let afterDot = false; ;) {
    if (text[at] === '"') {
      const match = /"((?:[^"]|"")*)"/y;
      match.lastIndex = at;
      const quoted = match.exec(text);
      if (quoted === null) throw fail('String has unclosed double quotes.');
      if (quoted[1] === '') throw fail('Quoted identifier must not be empty.');
      parts.push((quoted[1] as string).replaceAll('""', '"'));
      at += quoted[0].length;
    } else {
      const word = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
      word.lastIndex = at;
      const plain = word.exec(text)?.[0];
      if (plain === undefined) {
        if (text[at] === '.') throw fail('No valid identifier before ".".');
        throw afterDot ? fail('No valid identifier after ".".') : fail();
      }
      parts.push(foldName(plain));
      at += plain.length;
    }
    skip();
    if (text[at] === '.') {
      afterDot = true;
      at++;
      skip();
    } else if (at >= text.length || !strict) {
      return SqlArray.of(TypeOid.text, parts);
    } else {
      throw fail();
    }
  }
}

const UNICODE_ESCAPE = /\\(?:(\\)|([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)/g;

/** \nnnn, \+nnnnnn, \unnnn and \Unnnnnnnn as characters; a doubled backslash stands for one. */
function unescapeUnicode(text: string): string {
  const result = new TextPieces();
  let pendingHigh = 0;
  let at = 0;
  for (const match of text.matchAll(UNICODE_ESCAPE)) {
    const [whole = '', backslash, ...codes]: readonly (string | undefined)[] = match;
    result.add(text.slice(at, match.index));
    at = match.index + whole.length;
    if (backslash !== undefined) {
      result.add('\\');
      continue;
    }
    const code = escapedCode(codes.find((digits) => digits !== undefined));
    const low = code >= 0xdc00 && code <= 0xdfff;
    if (pendingHigh !== 0 ? !low : low) throw new PhantomError('42601', 'invalid Unicode surrogate pair');
    if (code >= 0xd800 && code <= 0xdbff) {
      pendingHigh = code;
      continue;
    }
    result.add(low ? String.fromCharCode(pendingHigh, code) : String.fromCodePoint(code));
    pendingHigh = 0;
  }
  if (pendingHigh !== 0) throw new PhantomError('42601', 'invalid Unicode surrogate pair');
  result.add(text.slice(at));
  return result.text();
}

function escapedCode(digits: string | undefined): number {
  if (digits === undefined) {
    throw new PhantomError('42601', 'invalid Unicode escape', {
      hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.',
    });
  }
  const code = Number.parseInt(digits, 16);
  if (code === 0 || code > 0x10ffff)
    throw new PhantomError('22023', 'invalid Unicode code point: ' + digits.toUpperCase());
  return code;
}

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'];

function normalForm(form: string): string {
  const name = form.toUpperCase();
  if (!FORMS.includes(name)) throw invalidParameter(`invalid normalization form: ${form}`);
  return name;
}

const any = { context: true, types: true } as const;

export const textBuildingFunctions: Implementations = {
  text_concat: scalar(concat, any),
  text_concat_ws: scalar(concatWithSeparator, any),
  text_format: scalar(formatText, any),
  text_format_nv: scalar(formatText, any),
  parse_ident: scalar(parseIdentifiers, { defaults: [true] }),
  unistr: unescapeUnicode,
  unicode_normalize_func: scalar((text: string, form: string) => text.normalize(normalForm(form)), {
    defaults: ['NFC'],
  }),
  unicode_is_normalized: scalar((text: string, form: string) => text.normalize(normalForm(form)) === text, {
    defaults: ['NFC'],
  }),
  pg_client_encoding: contextual((context: EvaluationContext) => context.setting('client_encoding', false)),
  getdatabaseencoding: () => 'UTF8',
};
