/**
 * A line of NDJSON as a line of COPY's text format. Values are taken as they are written, so that no number is rounded:
 *
 *   {"id":12345678901234567890,"tags":["a"],"note":null}   ->   12345678901234567890 <tab> {"a"} <tab> \N
 *
 * A string is the text of its value, an array for a column of an array type is written as PostgreSQL writes arrays, and an
 * object or an array for any other column stays JSON. A column that a line does not name is NULL.
 */
import { PhantomError } from '@phantom/base';

/** A column that lines are imported into. */
export interface JsonColumn {
  readonly name: string;
  readonly isArray: boolean;
}

/** Names and texts of the members of an object, in order. 22P02 for what is no object of JSON. */
export function membersOf(text: string): Map<string, string> {
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (cause) {
    throw new PhantomError('22P02', `no JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole))
    throw new PhantomError('22P02', 'a record has to be one object of JSON');
  const members = new Map<string, string>();
  // The text is good JSON, so commas, colons and ends are where they have to be.
  let at = skipBlanks(text, skipBlanks(text, 0) + 1);
  while (text.charAt(at) !== '}') {
    const nameEnd = endOfValue(text, at);
    const valueStart = skipBlanks(text, skipBlanks(text, nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.set(JSON.parse(text.slice(at, nameEnd)) as string, text.slice(valueStart, valueEnd));
    at = skipBlanks(text, valueEnd);
    if (text.charAt(at) === ',') at = skipBlanks(text, at + 1);
  }
  return members;
}

/** The line for COPY. 42703 for a name that is no column. */
export function copyLine(text: string, columns: readonly JsonColumn[]): string {
  const members = membersOf(text);
  const values = columns.map(({ name, isArray }) => {
    const value = members.get(name);
    members.delete(name);
    return value === undefined || value === 'null' ? '\\N' : escaped(valueText(value, isArray));
  });
  const [unknown] = members.keys();
  if (unknown !== undefined) throw new PhantomError('42703', `"${unknown}" is not among the columns of the import`);
  return values.join('\t');
}

function valueText(value: string, isArray: boolean): string {
  if (value.startsWith('"')) return JSON.parse(value) as string;
  return isArray && value.startsWith('[') ? arrayText(value) : value;
}

/** {1,"two",NULL}, nested as deep as the value is. */
function arrayText(value: string): string {
  const items: string[] = [];
  let at = skipBlanks(value, 1);
  while (value.charAt(at) !== ']') {
    const end = endOfValue(value, at);
    const item = value.slice(at, end);
    if (item === 'null') items.push('NULL');
    else if (item.startsWith('[')) items.push(arrayText(item));
    else items.push(`"${valueText(item, false).replace(/[\\"]/g, '\\$&')}"`);
    at = skipBlanks(value, end);
    if (value.charAt(at) === ',') at = skipBlanks(value, at + 1);
  }
  return `{${items.join(',')}}`;
}

function escaped(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (character) => {
    if (character === '\t') return '\\t';
    if (character === '\n') return '\\n';
    return character === '\r' ? '\\r' : '\\\\';
  });
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++;
  return at;
}

/** Behind the value that begins here. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') {
      at++;
      while (text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
      if (depth === 0) return at + 1;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && ' ,:\t\r\n'.includes(character)) return at;
  }
  return text.length;
}
