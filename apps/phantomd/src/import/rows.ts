/** Rows of CSV, NDJSON or JSON into a table: records -> COPY. */
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

/** `columns` are those of JSON; without them its first object names them. */
export function importRows(
  target: SqlTarget,
  loader: Loader,
  records: ImportRecords,
  format: RowFormat,
  options: RowOptions,
  columns?: readonly TableColumn[],
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
  given?: readonly TableColumn[],
): Promise<void> {
  const { table } = options;
  const all = given ?? (await tableColumns(target, table));
  const first = await records.next();
  if (first.done === true) return;
  const columns = given ?? columnsOfLine(all, first.value);
  const copy = `copy ${await checkedTable(target, table)} ${columnList(columns)} from stdin`;
  await loader.load(copy, withFirst(first.value, records), (text) => copyLine(text, columns));
}

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
