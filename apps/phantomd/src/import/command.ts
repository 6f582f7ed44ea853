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
import { delimiterOf } from '../delimiter.js';
import { ExitCode } from '../exit-codes.js';
import { CommandError } from '../failure.js';
import { Progress } from '../progress.js';
import { type TargetOptions, openTarget } from '../sql/open-target.js';
import { importIntoNew, importIntoTable } from './create.js';
import { decoded, encodingNamed } from './decoding.js';
import { type BadRecord, Loader, type LoaderOptions } from './loader.js';
import type { ImportRecords } from './records.js';
import { type RowOptions, recordsOf } from './rows.js';
import { importScript } from './script.js';
import { importSqlite } from './sqlite/sqlite-import.js';

export type ImportFormat = 'csv' | 'ndjson' | 'json' | 'sql' | 'sqlite';

export interface ImportOptions extends TargetOptions, Omit<RowOptions, 'table' | 'delimiter'> {
  /** '-' for stdin. */
  readonly file: string;
  /** As SQL would name it, for rows; of an SQLite database the one table to take. */
  readonly table?: string;
  /** By the name of the file where it is not given. */
  readonly format?: ImportFormat;
  /** Whether rows get a table made for them, with columns as `GuessedColumns` finds them. */
  readonly create: boolean;
  /** Of CSV; where it is not given a tab in files named .tsv, else a comma. */
  readonly delimiter?: string;
  /** UTF-8, or as the byte order mark says, where it is not given. */
  readonly encoding?: string;
  readonly onError: 'abort' | 'skip';
  readonly report?: string;
  readonly json: boolean;
}

const FORMAT_OF: Readonly<Record<string, ImportFormat>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
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
  if (format === undefined)
    throw usage(`what ${options.file} holds is not known: --format csv, ndjson, json, sql or sqlite`);
  const isRows = format !== 'sql' && format !== 'sqlite';
  if (isRows && options.table === undefined) throw usage('rows need a table: --table NAME');
  if (options.create && !isRows) throw usage('--create is for rows of CSV, NDJSON and JSON');
  if (format === 'sqlite' && options.file === '-') throw usage('an SQLite database is read from a file');
  const encoding = encodingOf(options, format);
  const fileBytes = sizeOf(options.file);
  // What decides on types of columns is read before the rows are.
  const isReadTwice = format === 'sqlite' || options.create || format === 'ndjson' || format === 'json';
  const size = isReadTwice && fileBytes !== undefined ? 2 * fileBytes : fileBytes;
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
      const chunks = (): AsyncIterable<string> => textOf(options.file, encoding, progress);
      if (format === 'sql') await importScript(target, loader, chunks(), loading);
      else {
        const rows = {
          ...options,
          table: options.table as string,
          delimiter: delimiterOf(options.delimiter, options.file),
        };
        const open = (): ImportRecords => recordsOf(format, chunks());
        const source = { format, canReopen: options.file !== '-', open };
        if (options.create) await importIntoNew(target, loader, source, rows);
        else await importIntoTable(target, loader, source, rows);
      }
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

function textOf(file: string, encoding: string | undefined, progress: Progress): AsyncIterable<string> {
  return decoded(bytesOf(file, progress), encoding);
}

async function* bytesOf(file: string, progress: Progress): AsyncGenerator<Buffer> {
  for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
    progress.bytes += (chunk as Buffer).length;
    progress.show();
    yield chunk as Buffer;
  }
}

function encodingOf({ encoding }: ImportOptions, format: ImportFormat): string | undefined {
  if (encoding === undefined) return undefined;
  if (format === 'sqlite') throw usage('an SQLite database says its encoding itself');
  const known = encodingNamed(encoding);
  if (known === undefined)
    throw usage(`"${encoding}" is no encoding that is known; among them are windows-1252, utf-16le and shift_jis`);
  return known;
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
