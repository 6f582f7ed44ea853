/**
 * `phantomd export`: a table, or what a query answers, into a file or to stdout.
 *
 *   csv      with a header, as COPY writes it
 *   ndjson   a JSON object a line
 *   json     one array of them
 *   sql      a COPY statement with its data, for psql or `phantomd import`
 */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { extname } from 'node:path';
import type { Writable } from 'node:stream';
import { ioError } from '@phantom/base';
import { delimiterOf } from '../delimiter.js';
import { ExitCode } from '../exit-codes.js';
import { CommandError } from '../failure.js';
import { Progress } from '../progress.js';
import { type TargetOptions, openTarget } from '../sql/open-target.js';
import { columnList, quoteText, tableColumns } from '../sql/table-columns.js';
import type { SqlTarget } from '../sql/target.js';

export type ExportFormat = 'csv' | 'ndjson' | 'json' | 'sql';

export interface ExportOptions extends TargetOptions {
  /** One of the two: a table as SQL would name it, or a SELECT. */
  readonly table?: string;
  readonly query?: string;
  /** By the name of the output where it is not given, else CSV. */
  readonly format?: ExportFormat;
  /** Of CSV; where it is not given a tab in files named .tsv, else a comma. */
  readonly delimiter?: string;
  /** '-' for stdout. */
  readonly output: string;
  readonly json: boolean;
}

/** As `import` takes them. */
const FORMAT_OF: Readonly<Record<string, ExportFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
  '.sql': 'sql',
};
/** Characters that JSON never holds unescaped, so that CSV with them quotes nothing. */
const BARE_CSV = String.raw`format csv, quote E'\x01', delimiter E'\x02'`;

export async function exportRows(options: ExportOptions): Promise<ExitCode> {
  const { table, query, output } = options;
  const format = options.format ?? FORMAT_OF[extname(output).toLowerCase()] ?? 'csv';
  if ((table === undefined) === (query === undefined)) throw usage('one of --table and --query is needed');
  if (format === 'sql' && table === undefined) throw usage('the format sql needs --table');
  const target = await openTarget(options);
  const progress = new Progress(process.stderr, undefined);
  let rows = 0;
  try {
    const out = await openOutput(output);
    const write = (data: Uint8Array): Promise<void> | undefined => {
      if (format === 'json' && progress.rows > 0) out.write(',');
      progress.rows++;
      progress.show();
      // Borrowed during the call alone.
      return out.write(Buffer.from(data)) ? undefined : once(out, 'drain').then(() => undefined);
    };
    const source = query === undefined ? { table: table as string } : { query: query.replace(/;\s*$/, '') };
    const { copy, head, tail } = await statementFor(target, source, format, delimiterOf(options.delimiter, output));
    out.write(head);
    await target.run(copy, ({ tag }) => (rows = Number(tag.split(' ').at(-1))), { output: write });
    out.write(tail);
    if (out !== process.stdout) {
      out.end();
      await once(out, 'finish');
    }
  } finally {
    progress.end();
    await target.close();
  }
  // Where the rows went to stdout there is no place for a summary.
  if (output !== '-') {
    const seconds = progress.elapsedMs / 1000;
    const text = `${rows} ${rows === 1 ? 'row' : 'rows'} in ${seconds.toFixed(1)} s\n`;
    process.stdout.write(options.json ? `${JSON.stringify({ rows, seconds })}\n` : text);
  }
  return ExitCode.Done;
}

interface ExportStatement {
  readonly copy: string;
  readonly head: string;
  readonly tail: string;
}

async function statementFor(
  target: SqlTarget,
  source: { readonly table: string } | { readonly query: string },
  format: ExportFormat,
  delimiter: string,
): Promise<ExportStatement> {
  const [head, tail] = format === 'json' ? ['[', ']\n'] : ['', ''];
  if ('query' in source) return { copy: copyOf(`(${source.query})`, format, delimiter), head, tail };
  const columns = columnList(await tableColumns(target, source.table));
  const name = await fullName(target, source.table);
  if (format === 'sql')
    return { copy: `copy ${name} ${columns} to stdout`, head: `COPY ${name} ${columns} FROM stdin;\n`, tail: '\\.\n' };
  const rows = `(select ${columns.slice(1, -1)} from ${name})`;
  return { copy: copyOf(rows, format, delimiter), head, tail };
}

/** With its schema: whoever reads the file has another search path. */
async function fullName(target: SqlTarget, table: string): Promise<string> {
  let name = '';
  await target.run(
    `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = ${quoteText(table)}::regclass`,
    ({ rows }) => (name = rows[0]?.[0] ?? ''),
  );
  return name;
}

function copyOf(rows: string, format: ExportFormat, delimiter: string): string {
  return format === 'csv'
    ? `copy ${rows} to stdout (format csv, header, delimiter ${quoteText(delimiter)})`
    : `copy (select row_to_json(r) from ${rows} as r) to stdout (${BARE_CSV})`;
}

/** Opened before the first row: a file that cannot be made is a failure of its own. */
async function openOutput(file: string): Promise<Writable> {
  if (file === '-') return process.stdout;
  const stream = createWriteStream(file);
  try {
    await once(stream, 'open');
  } catch (error) {
    throw new CommandError(ExitCode.Failed, ioError('write', file, error));
  }
  return stream;
}

function usage(message: string): CommandError {
  return new CommandError(ExitCode.Usage, new Error(message));
}
