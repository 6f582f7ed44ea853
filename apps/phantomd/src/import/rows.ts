/** Rows of CSV, NDJSON or JSON into a table: records -> COPY. */
import { PhantomError } from '@phantom/base';
import { type TableColumn, columnList, quoteText, tableColumns } from '../sql/table-columns.js';
import type { SqlTarget } from '../sql/target.js';
import { copyLine, membersOf } from './json-record.js';
import { type Loader, RecordError } from './loader.js';
import { jsonRecords } from './json-records.js';
import { type ImportRecord, type ImportRecords, csvFields, csvRecords, lineRecords } from './records.js';

export interface RowOptions {
  /** As SQL would name it. */
  readonly table: string;
  /** Of CSV: whether the first record names the columns. */
  readonly header: boolean;
  readonly delimiter: string;
  /** What stands for NULL in CSV. */
  readonly null: string;
  /** Columns of CSV without a header. */
  readonly columns?: readonly string[];
}

export type RowFormat = 'csv' | 'ndjson' | 'json';

export function recordsOf(format: RowFormat, chunks: AsyncIterable<string>): ImportRecords {
  if (format === 'csv') return csvRecords(chunks);
  return format === 'json' ? jsonRecords(chunks) : lineRecords(chunks);
}

/** `columns` are those that records of JSON may name; CSV has its own. */
export function importRows(
  target: SqlTarget,
  loader: Loader,
  records: ImportRecords,
  format: RowFormat,
  options: RowOptions,
  columns: readonly TableColumn[],
): Promise<void> {
  return format === 'csv'
    ? importCsv(target, loader, records, options)
    : importJson(target, loader, records, options, columns);
}

/** The values of the first record. */
export function headerOf({ text }: ImportRecord, { delimiter }: RowOptions): string[] {
  return csvFields(text.replace(/^\uFEFF/, ''), delimiter).map(({ value }) => value);
}

async function importCsv(
  target: SqlTarget,
  loader: Loader,
  records: ImportRecords,
  options: RowOptions,
): Promise<void> {
  let { columns } = options;
  if (options.header) {
    const first = await records.next();
    if (first.done === true) return;
    columns = headerOf(first.value, options);
  }
  const list = columns === undefined ? '' : ` ${columnList(columns.map((name) => ({ name })))}`;
  const settings = `format csv, delimiter ${quoteText(options.delimiter)}, null ${quoteText(options.null)}`;
  const table = await checkedTable(target, options.table);
  await loader.load(`copy ${table}${list} from stdin (${settings})`, records);
}

async function importJson(
  target: SqlTarget,
  loader: Loader,
  records: ImportRecords,
  options: RowOptions,
  columns: readonly TableColumn[],
): Promise<void> {
  const first = await records.next();
  if (first.done === true) return;
  const copy = `copy ${await checkedTable(target, options.table)} ${columnList(columns)} from stdin`;
  await loader.load(copy, withFirst(first.value, records), (text) => copyLine(text, columns));
}

/**
 * The table's columns that records of JSON name, any of them. A record that is no JSON, or names what is no column, is found when it
 * is loaded; where none of them names a column, the first fault is raised (42703, 22P02).
 */
export async function namedColumns(
  target: SqlTarget,
  table: string,
  records: AsyncIterable<ImportRecord>,
): Promise<TableColumn[]> {
  const all = await tableColumns(target, table);
  const named = new Set<string>();
  let fault: RecordError | undefined;
  for await (const { line, text } of records) {
    try {
      for (const name of membersOf(text).keys()) {
        if (all.some((column) => column.name === name)) named.add(name);
        else fault ??= new RecordError(line, new PhantomError('42703', `the table has no column "${name}"`));
      }
    } catch (error) {
      fault ??= new RecordError(line, error);
    }
  }
  const columns = all.filter(({ name }) => named.has(name));
  if (columns.length === 0 && fault !== undefined) throw fault;
  return columns;
}

async function* withFirst(first: ImportRecord, rest: ImportRecords): ImportRecords {
  yield first;
  yield* rest;
}

/** The table's name, quoted as it has to be: what was given is not put into a statement. */
async function checkedTable(target: SqlTarget, table: string): Promise<string> {
  let name = '';
  await target.run(`select ${quoteText(table)}::regclass::text`, ({ rows }) => (name = rows[0]?.[0] ?? ''));
  return name;
}
