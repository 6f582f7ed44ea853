/** `--create`: a table for rows that have none yet, by what the records hold; then the rows. */
import { PhantomError } from '@phantom/base';
import { quoteText } from '../sql/table-columns.js';
import type { SqlTarget } from '../sql/target.js';
import { GuessedColumns } from './guessed-columns.js';
import type { Loader } from './loader.js';
import type { ImportRecord, ImportRecords } from './records.js';
import { type RowFormat, type RowOptions, headerOf, importRows, namedColumns } from './rows.js';

/** Records of what cannot be read twice that tell which columns a table needs. */
const SAMPLE_RECORDS = 10_000;

/** Where records come from: `open` begins at the first one, each time or just once. */
export interface RecordSource {
  readonly format: RowFormat;
  readonly canReopen: boolean;
  open(): ImportRecords;
}

export interface CreateOptions extends RowOptions {
  readonly onError: 'abort' | 'skip';
}

/**
 * Looks at all records, or at the first SAMPLE_RECORDS of a source that is read once, makes the table, tells of it on stderr
 * and loads the rows. With `abort` the table and all rows or nothing. 42P07 when there is a table of that name.
 */
export async function importIntoNew(
  target: SqlTarget,
  loader: Loader,
  source: RecordSource,
  options: CreateOptions,
): Promise<void> {
  const { format } = source;
  let records = source.open();
  const columns = new GuessedColumns();
  if (!source.canReopen) {
    const sample = await take(records, SAMPLE_RECORDS);
    await see(columns, asRecords(sample), format, options);
    records = asRecords(sample, records);
  } else {
    await see(columns, records, format, options);
    records = source.open();
  }
  if (columns.names.length === 0) throw new PhantomError('22P04', 'there is no record that names columns');
  const isWhole = options.onError === 'abort';
  const run = (sql: string): Promise<void> => target.run(sql, () => undefined);
  const definition = `create table ${await quotedName(target, options.table)} ${columns.definition()}`;
  if (isWhole) await run('begin');
  try {
    await run(definition);
    process.stderr.write(`${definition};\n`);
    const given = columns.names.map((name) => ({ name, isArray: false }));
    await importRows(target, loader, records, format, options, given);
    if (isWhole) await run('commit');
  } catch (error) {
    if (isWhole) await run('rollback').catch(() => undefined);
    throw error;
  }
}

/**
 * Rows into a table that is there. Records of JSON are looked at first, all of them, or the first SAMPLE_RECORDS of a source that is
 * read once: one may leave out what another names.
 */
export async function importIntoTable(
  target: SqlTarget,
  loader: Loader,
  source: RecordSource,
  options: RowOptions,
): Promise<void> {
  const { format, canReopen } = source;
  if (format === 'csv') return importRows(target, loader, source.open(), format, options, []);
  if (canReopen) {
    const columns = await namedColumns(target, options.table, source.open());
    return importRows(target, loader, source.open(), format, options, columns);
  }
  const records = source.open();
  const sample = await take(records, SAMPLE_RECORDS);
  const columns = await namedColumns(target, options.table, asRecords(sample));
  return importRows(target, loader, asRecords(sample, records), format, options, columns);
}

async function see(
  columns: GuessedColumns,
  records: ImportRecords,
  format: RowFormat,
  options: CreateOptions,
): Promise<void> {
  if (format !== 'csv') {
    for await (const { text } of records) columns.seeJson(text);
    return;
  }
  const first = await records.next();
  if (first.done === true) return;
  const fields = headerOf(first.value, options);
  const names = options.header ? fields : (options.columns ?? fields.map((_, i) => `column${i + 1}`));
  for (const name of names) columns.add(name);
  const [only] = names;
  if (names.length === 1 && only !== undefined) suggestDelimiter(only);
  if (!options.header) columns.seeCsv(first.value.text, options);
  for await (const { text } of records) columns.seeCsv(text, options);
}

/** Tells of a header that is one name with the signs in it that elsewhere part names. */
function suggestDelimiter(name: string): void {
  const delimiter = [';', '\t', '|'].find((sign) => name.includes(sign));
  if (delimiter === undefined) return;
  const shown = delimiter === '\t' ? '\\t' : delimiter;
  process.stderr.write(`the only column is ${JSON.stringify(name)}; should it be --delimiter '${shown}'?\n`);
}

async function take(records: ImportRecords, countMax: number): Promise<ImportRecord[]> {
  const taken: ImportRecord[] = [];
  while (taken.length < countMax) {
    const next = await records.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

async function* asRecords(first: readonly ImportRecord[], rest?: ImportRecords): ImportRecords {
  yield* first;
  if (rest !== undefined) yield* rest;
}

/** The name of a table that is to be made, quoted likewise. */
async function quotedName(target: SqlTarget, table: string): Promise<string> {
  let name = '';
  await target.run(
    `select string_agg(quote_ident(part), '.' order by place) from unnest(parse_ident(${quoteText(table)})) with ordinality as parts (part, place)`,
    ({ rows }) => (name = rows[0]?.[0] ?? ''),
  );
  return name;
}
