/**
 * Cuts a file into records, each with the number of its first line. A record is a line; of CSV it goes on while a quote is
 * open.
 */
import { PhantomError } from '@phantom/base';

export interface ImportRecord {
  /** From 1. */
  readonly line: number;
  /** Without the end of its line. */
  readonly text: string;
}

export type ImportRecords = AsyncGenerator<ImportRecord, void, undefined>;

/** Longest record: what has no end of line is not a file of records. */
export const RECORD_CHARACTERS_MAX = 64 * 1024 * 1024;

/** Lines; those that are empty are left out. Both kinds of line ends are understood. */
export async function* lineRecords(chunks: AsyncIterable<string>): ImportRecords {
  let line = 0;
  for await (const raw of linesOf(chunks)) {
    line++;
    const text = withoutReturn(raw);
    if (text !== '') yield { line, text };
  }
}

/** Records of CSV; empty lines between them are left out. */
export async function* csvRecords(chunks: AsyncIterable<string>): ImportRecords {
  let line = 0;
  let start = 0;
  let pending: string[] = [];
  let isQuoted = false;
  let characters = 0;
  for await (const text of linesOf(chunks)) {
    line++;
    if (!isQuoted && withoutReturn(text) === '') continue;
    if (!isQuoted) start = line;
    pending.push(text);
    // A quote in a quoted value is doubled, so an odd number of them opens or closes one.
    if (quotesIn(text) % 2 === 1) isQuoted = !isQuoted;
    characters += text.length;
    if (characters > RECORD_CHARACTERS_MAX) throw tooLong(start);
    if (isQuoted) continue;
    yield { line: start, text: withoutReturn(pending.join('\n')) };
    pending = [];
    characters = 0;
  }
  if (isQuoted) throw new PhantomError('22P04', `line ${start}: a quote is never closed`, { data: { line: start } });
}

/** What stands between line feeds, the last piece too when none follows. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  let line = 1;
  for await (const chunk of chunks) {
    let start = 0;
    // Only what is new is looked through: a long line comes in many chunks.
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      yield rest + chunk.slice(start, end);
      rest = '';
      start = end + 1;
      line++;
    }
    rest += chunk.slice(start);
    if (rest.length > RECORD_CHARACTERS_MAX) throw tooLong(line);
  }
  if (rest !== '') yield rest;
}

/** A line as Windows ends it; inside of a quote the sign belongs to the value. */
function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

export interface CsvField {
  readonly value: string;
  /** True when any of it stood in quotes: then it is never what stands for NULL. */
  readonly isQuoted: boolean;
}

/** The values of one record of CSV. */
export function csvFields(text: string, delimiter: string): CsvField[] {
  const fields: CsvField[] = [];
  let at = 0;
  let quote = indexOrEnd(text, '"', 0);
  for (;;) {
    let end = indexOrEnd(text, delimiter, at);
    if (quote > end || quote === text.length) {
      fields.push({ value: text.slice(at, end), isQuoted: false });
    } else {
      let value = '';
      let isInQuotes = false;
      while (quote < end || isInQuotes) {
        value += text.slice(at, quote);
        at = Math.min(quote + 1, text.length);
        if (quote === text.length) {
          end = quote;
          break;
        }
        if (isInQuotes && text.charAt(at) === '"') {
          value += '"';
          at++;
        } else isInQuotes = !isInQuotes;
        quote = indexOrEnd(text, '"', at);
        if (!isInQuotes && end < at) end = indexOrEnd(text, delimiter, at);
      }
      fields.push({ value: value + text.slice(at, end), isQuoted: true });
    }
    if (end === text.length) return fields;
    at = end + delimiter.length;
  }
}

function indexOrEnd(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found;
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

function tooLong(line: number): PhantomError {
  return new PhantomError('54000', `line ${line}: a record is longer than ${RECORD_CHARACTERS_MAX} characters`, {
    data: { line, recordCharactersMax: RECORD_CHARACTERS_MAX },
  });
}
