/**
 * `phantomd import`: a file into a table, or a script or an SQLite database into a database.
 *
 *   file -> text -> records -> COPY, batch by batch
 *
 * What was left out is told line by line on stderr, and in full in the file of --report.
 */
import { closeSync, createReadStream, openSync, statSync, writeSync } from 'node:fs';
import { extname } from 'node:path';
import { ioError } from '@phantom/base';
import { ExitCode } from '../exit-codes.js';
import { CommandError } from '../failure.js';
import { Progress } from '../progress.js';
import { type TargetOptions, openTarget } from '../sql/open-target.js';
import { type TableColumn, columnList, quoteText, tableColumns } from '../sql/table-columns.js';
import type { SqlTarget } from '../sql/target.js';
import { copyLine, membersOf } from './json-record.js';
import { type BadRecord, Loader, type LoaderOptions, RecordError } from './loader.js';
import { type ImportRecord, csvRecords, csvValues, lineRecords } from './records.js';
import { importScript } from './script.js';
import { importSqlite } from './sqlite/sqlite-import.js';

export type ImportFormat = 'csv' | 'ndjson' | 'sql' | 'sqlite';

export interface ImportOptions extends TargetOptions {
  /** '-' for stdin. */
  readonly file: string;
  /** As SQL would name it, for rows; of an SQLite database the one table to take. */
  readonly table?: string;
  /** By the name of the file where it is not given. */
  readonly format?: ImportFormat;
  /** Of CSV: whether the first record names the columns. */
  readonly header: boolean;
  readonly delimiter: string;
  /** What stands for NULL in CSV. */
  readonly null: string;
  /** Columns of CSV without a header. */
  readonly columns?: readonly string[];
  readonly onError: 'abort' | 'skip';
  readonly report?: string;
  readonly json: boolean;
}

const FORMAT_OF: Readonly<Record<string, ImportFormat>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.sql': 'sql',
  '.sqlite': 'sqlite',
  '.sqlite3': 'sqlite',
  '.db': 'sqlite',
};
/** Bad lines told of on stderr; the report has all of them. */
const SHOWN_MAX = 20;

/** Exit code 2 when something was left out. */
export async function importFile(options: ImportOptions): Promise<ExitCode> {
  const format = options.format ?? FORMAT_OF[extname(options.file).toLowerCase()];
  if (format === undefined) throw usage(`what ${options.file} holds is not known: --format csv, ndjson, sql or sqlite`);
  const isRows = format === 'csv' || format === 'ndjson';
  if (isRows && options.table === undefined) throw usage('rows need a table: --table NAME');
  if (format === 'sqlite' && options.file === '-') throw usage('an SQLite database is read from a file');
  const fileBytes = sizeOf(options.file);
  // Each of its tables is read twice.
  const size = format === 'sqlite' && fileBytes !== undefined ? 2 * fileBytes : fileBytes;
  const bad = new BadRecords(options.report);
  const target = await openTarget(options);
  const progress = new Progress(process.stderr, size);
  try {
    const loading: LoaderOptions = {
      onError: options.onError,
      onBad: (record) => bad.add(record),
      onRows: (count) => {
        progress.rows += count;
        progress.show();
      },
    };
    if (format === 'sqlite') {
      await importSqlite(target, options.file, {
        ...loading,
        table: options.table,
        onBytes: (bytes) => {
          progress.bytes = bytes;
          progress.show();
        },
        onLeftOut: (what) => process.stderr.write(`left out: ${what}\n`),
      });
    } else {
      const loader = new Loader(target, loading);
      const chunks = textOf(options.file, progress);
      if (format === 'sql') await importScript(target, loader, chunks, loading);
      else if (format === 'csv') await importCsv(target, loader, chunks, options);
      else await importJson(target, loader, chunks, options);
    }
  } finally {
    progress.end();
    bad.close();
    await target.close();
  }
  const seconds = progress.elapsedMs / 1000;
  const { rows } = progress;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ rows, skipped: bad.count, seconds })}\n`
      : `${rows} ${rows === 1 ? 'row' : 'rows'} in ${seconds.toFixed(1)} s${bad.count === 0 ? '' : `, ${bad.count} left out`}\n`,
  );
  return bad.count === 0 ? ExitCode.Done : ExitCode.Failed;
}

async function importCsv(
  target: SqlTarget,
  loader: Loader,
  chunks: AsyncIterable<string>,
  options: ImportOptions,
): Promise<void> {
  const table = options.table as string;
  const records = csvRecords(chunks);
  let { columns } = options;
  if (options.header) {
    const first = await records.next();
    if (first.done === true) return;
    columns = csvValues(first.value.text.replace(/^\uFEFF/, ''), options.delimiter);
  }
  const list = columns === undefined ? '' : ` ${columnList(columns.map((name) => ({ name })))}`;
  const settings = `format csv, delimiter ${quoteText(options.delimiter)}, null ${quoteText(options.null)}`;
  await loader.load(`copy ${await checkedTable(target, table)}${list} from stdin (${settings})`, records);
}

async function importJson(
  target: SqlTarget,
  loader: Loader,
  chunks: AsyncIterable<string>,
  options: ImportOptions,
): Promise<void> {
  const table = options.table as string;
  const all = await tableColumns(target, table);
  const records = lineRecords(chunks);
  const first = await records.next();
  if (first.done === true) return;
  const columns = columnsOfLine(all, first.value);
  const from = async function* (): AsyncGenerator<ImportRecord> {
    yield first.value;
    yield* records;
  };
  const copy = `copy ${await checkedTable(target, table)} ${columnList(columns)} from stdin`;
  await loader.load(copy, from(), (text) => copyLine(text, columns));
}

/** The columns of an import: those that its first line names. */
function columnsOfLine(all: readonly TableColumn[], { line, text }: ImportRecord): TableColumn[] {
  try {
    return Array.from(membersOf(text).keys(), (name) => {
      const column = all.find((candidate) => candidate.name === name);
      if (column === undefined) throw new Error(`the table has no column "${name}"`);
      return column;
    });
  } catch (error) {
    throw new RecordError(line, error);
  }
}

/** The table's name, quoted as it has to be: what was given is not put into a statement. */
async function checkedTable(target: SqlTarget, table: string): Promise<string> {
  let name = '';
  await target.run(`select ${quoteText(table)}::regclass::text`, ({ rows }) => (name = rows[0]?.[0] ?? ''));
  return name;
}

async function* textOf(file: string, progress: Progress): AsyncGenerator<string> {
  const stream = file === '-' ? process.stdin : createReadStream(file);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of stream) {
    progress.bytes += (chunk as Buffer).length;
    progress.show();
    yield decoder.decode(chunk as Buffer, { stream: true });
  }
  yield decoder.decode();
}

/** Before anything is opened: a file that is not there is a failure of its own. */
function sizeOf(file: string): number | undefined {
  if (file === '-') return undefined;
  try {
    return statSync(file).size;
  } catch (error) {
    throw new CommandError(ExitCode.Failed, ioError('read', file, error));
  }
}

/** Records that were left out: counted, told of, and written down. */
class BadRecords {
  count = 0;
  /** Descriptor of the report. */
  private readonly report: number | undefined;

  constructor(file: string | undefined) {
    try {
      this.report = file === undefined ? undefined : openSync(file, 'w');
    } catch (error) {
      throw new CommandError(ExitCode.Failed, ioError('write', file as string, error));
    }
  }

  add(record: BadRecord): void {
    this.count++;
    if (this.report !== undefined) writeSync(this.report, `${JSON.stringify(record)}\n`);
    if (this.count <= SHOWN_MAX) process.stderr.write(`line ${record.line}: ${record.message}\n`);
    if (this.count === SHOWN_MAX)
      process.stderr.write('further lines are left out silently; --report FILE has them all\n');
  }

  close(): void {
    if (this.report !== undefined) closeSync(this.report);
  }
}

function usage(message: string): CommandError {
  return new CommandError(ExitCode.Usage, new Error(message));
}
