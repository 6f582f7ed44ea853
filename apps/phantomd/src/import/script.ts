/**
 * A script of SQL as pg_dump writes it: statements, and the data of COPY between them.
 *
 *   CREATE TABLE ...;
 *   COPY public.account (id, owner) FROM stdin;
 *   1 <tab> Ada
 *   \.
 *
 * Lines that are psql's own (\restrict, \connect) are passed over, but \connect leads to another database.
 */
import type { SqlTarget } from '../sql/target.js';
import { splitStatements } from '../sql/statement-splitter.js';
import { RecordError, type Loader, type LoaderOptions } from './loader.js';
import { type ImportRecord, linesOf } from './records.js';
import { errorFacts } from '../failure.js';

const COPY_STATEMENT = /^\s*copy\s[^;]*\sfrom\s+stdin\b/i;
const END_OF_DATA = '\\.';

/** Runs the script. With `abort` it stops at the first error, and what ran before stays; with `skip` it goes on. */
export async function importScript(
  target: SqlTarget,
  loader: Loader,
  chunks: AsyncIterable<string>,
  { onError, onBad }: Pick<LoaderOptions, 'onError' | 'onBad'>,
): Promise<void> {
  const lines = numbered(chunks);
  let pending = '';
  let start = 0;
  const run = async (line: number, text: string): Promise<void> => {
    try {
      if (COPY_STATEMENT.test(text)) await loader.load(text, dataOf(lines));
      else await target.run(text, () => undefined);
    } catch (error) {
      const shown = error instanceof RecordError ? error : new RecordError(line, error);
      if (onError === 'abort') throw shown;
      onBad({ line, code: shown.code, message: errorFacts(error).message, text });
    }
  };
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const { line, text } = next.value;
    if (pending === '') {
      if (text.startsWith('\\')) {
        const database = /^\\connect\s+(?:-reuse-previous=on\s+)?(\S+)/.exec(text)?.[1];
        if (database !== undefined) await target.connect(database.replace(/^"(.*)"$/, '$1'));
        continue;
      }
      if (text.trim() === '' || text.startsWith('--')) continue;
      start = line;
    }
    pending += `${text}\n`;
    // Only a semicolon can end a statement.
    if (!text.includes(';')) continue;
    const { statements, rest, open } = splitStatements(pending);
    for (const statement of statements) await run(start, statement.trim());
    if (statements.length > 0) start = line;
    pending = open === undefined ? '' : rest;
  }
  if (splitStatements(pending).open !== undefined) await run(start, pending.trim());
}

/** Lines, one after the other, for whoever asks next. */
async function* numbered(chunks: AsyncIterable<string>): AsyncGenerator<ImportRecord> {
  let line = 0;
  for await (const raw of linesOf(chunks)) {
    line++;
    yield { line, text: raw.endsWith('\r') ? raw.slice(0, -1) : raw };
  }
}

/** The lines up to `\.`; those behind it are left for the script. */
async function* dataOf(lines: AsyncGenerator<ImportRecord>): AsyncGenerator<ImportRecord> {
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    if (next.value.text === END_OF_DATA) return;
    yield next.value;
  }
}
