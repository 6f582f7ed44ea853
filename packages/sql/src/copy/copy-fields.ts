/** Splits a record of COPY's text or CSV format into its fields; null where the field stands for NULL. */
import { PhantomError } from '@phantom/base';
import type { CopySettings } from './copy-options.js';

const BACKSLASH = 92;

/** Which columns take part in FORCE NOT NULL and FORCE NULL, by position; empty for none. */
export interface ForcedNulls {
  readonly notNull: readonly boolean[];
  readonly null: readonly boolean[];
}

/** The fields of a record of the text format. */
export function textFields(record: string, isSpecial: boolean, settings: CopySettings, into: (string | null)[]): void {
  const { delimiter, nullText } = settings;
  let count = 0;
  let start = 0;
  if (!isSpecial) {
    for (;;) {
      const end = record.indexOf(delimiter, start);
      const field = end < 0 ? record.slice(start) : record.slice(start, end);
      into[count++] = field === nullText ? null : field;
      if (end < 0) break;
      start = end + 1;
    }
    // Emptied and filled again, the array would be allocated anew for each record.
    if (into.length > count) into.length = count;
    return;
  }
  into.length = 0;
  const delimiterCode = delimiter.charCodeAt(0);
  for (let i = 0; ; i++) {
    const code = i < record.length ? record.charCodeAt(i) : delimiterCode;
    if (code === BACKSLASH) {
      i++;
      if (i < record.length) continue;
    }
    if (code !== delimiterCode && i < record.length) continue;
    const field = record.slice(start, Math.min(i, record.length));
    into.push(field === nullText ? null : unescape(field));
    if (i >= record.length) return;
    start = i + 1;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescape(field: string): string {
  if (!field.includes('\\')) return field;
  let text = '';
  let bytes: number[] = [];
  const settle = (): void => {
    if (bytes.length === 0) return;
    text += decoded(bytes);
    bytes = [];
  };
  for (let i = 0; i < field.length; i++) {
    const character = field.charAt(i);
    if (character !== '\\' || i + 1 === field.length) {
      settle();
      text += character;
      continue;
    }
    const numeric = /^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2})/.exec(field.slice(i + 1, i + 4))?.[0];
    if (numeric === undefined) {
      const next = field.charAt(++i);
      settle();
      text += ESCAPES[next] ?? next;
      continue;
    }
    // Bytes by number may be parts of one character.
    bytes.push((numeric.startsWith('x') ? parseInt(numeric.slice(1), 16) : parseInt(numeric, 8)) & 0xff);
    i += numeric.length;
  }
  settle();
  return text;
}

function decoded(bytes: number[]): string {
  if (bytes.includes(0)) throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8"');
  }
}

/** The fields of a record of CSV. */
export function csvFields(
  record: string,
  isSpecial: boolean,
  settings: CopySettings,
  forced: ForcedNulls,
  into: (string | null)[],
): void {
  const { delimiter, quote, escape } = settings;
  into.length = 0;
  let start = 0;
  if (!isSpecial) {
    for (;;) {
      const end = record.indexOf(delimiter, start);
      push(end < 0 ? record.slice(start) : record.slice(start, end), false, settings, forced, into);
      if (end < 0) return;
      start = end + 1;
    }
  }
  let field = '';
  let wasQuoted = false;
  let inQuotes = false;
  for (let i = 0; i < record.length; i++) {
    const character = record.charAt(i);
    if (inQuotes) {
      const next = record.charAt(i + 1);
      if (character === escape && (next === quote || next === escape)) {
        field += next;
        i++;
      } else if (character === quote) inQuotes = false;
      else field += character;
    } else if (character === delimiter) {
      push(field, wasQuoted, settings, forced, into);
      field = '';
      wasQuoted = false;
    } else if (character === quote) {
      inQuotes = true;
      wasQuoted = true;
    } else field += character;
  }
  push(field, wasQuoted, settings, forced, into);
}

function push(
  field: string,
  wasQuoted: boolean,
  { nullText }: CopySettings,
  forced: ForcedNulls,
  into: (string | null)[],
): void {
  const at = into.length;
  const isNull = field === nullText && (wasQuoted ? forced.null[at] === true : forced.notNull[at] !== true);
  into.push(isNull ? null : field);
}
