/**
 * An SQLite database into a database: each table made where there is none of its name, its rows, then indexes and references.
 * A table is read twice: its values decide on the types of its columns (column-types.ts).
 */
import { errorFacts } from '../../failure.js';
import { columnList, quoteName, quoteText } from '../../sql/table-columns.js';
import type { SqlTarget } from '../../sql/target.js';
import { Loader, type LoaderOptions } from '../loader.js';
import type { ImportRecord } from '../records.js';
import { ColumnFacts, copyText } from './column-types.js';
import { SqliteFile, type SqliteRow, type SqliteValue } from './sqlite-file.js';
import { sameName, sqliteSchema, type SqliteColumn, type SqliteTable } from './sqlite-schema.js';

export interface SqliteImportOptions extends LoaderOptions {
  /** Only this table; undefined for all. */
  readonly table: string | undefined;
  /** Hears how many bytes have been read, of twice the file. */
  readonly onBytes: (bytes: number) => void;
  /** Hears of what cannot be taken along. */
  readonly onLeftOut: (what: string) => void;
}

/** Resolves when all is there; with `abort` the first thing that fails rejects, and nothing is left behind. */
export async function importSqlite(target: SqlTarget, path: string, options: SqliteImportOptions): Promise<void> {
  const file = new SqliteFile(path);
  const isWhole = options.onError === 'abort';
  if (isWhole) await run(target, 'begin');
  try {
    await new SqliteImport(target, file, options).run();
    if (isWhole) await run(target, 'commit');
  } catch (error) {
    if (isWhole) await run(target, 'rollback').catch(() => undefined);
    throw error;
  } finally {
    file.close();
  }
}

async function run(target: SqlTarget, sql: string): Promise<void> {
  await target.run(sql, () => undefined);
}

/** A column that is taken along: where its values stand, and what it becomes. */
interface Taken {
  readonly column: SqliteColumn;
  /** Its place in the rows; undefined for the rowid. */
  readonly place: number | undefined;
  readonly facts: ColumnFacts;
}

class SqliteImport {
  private readonly target: SqlTarget;
  private readonly file: SqliteFile;
  private readonly options: SqliteImportOptions;

  constructor(target: SqlTarget, file: SqliteFile, options: SqliteImportOptions) {
    this.target = target;
    this.file = file;
    this.options = options;
  }

  async run(): Promise<void> {
    const { tables, indexes, leftOut } = sqliteSchema(this.file);
    const only = this.options.table;
    const chosen = only === undefined ? tables : tables.filter(({ name }) => sameName(name, only));
    if (chosen.length === 0 && only !== undefined) throw new Error(`the file has no table "${only}"`);
    const made: SqliteTable[] = [];
    for (const table of chosen) if (await this.table(table)) made.push(table);
    for (const { name, table, columns, unique } of indexes) {
      if (!made.some((one) => sameName(one.name, table))) continue;
      const kind = unique ? 'unique index' : 'index';
      await this.attempt(
        `index ${name}`,
        `create ${kind} ${quoteName(name)} on ${quoteName(table)} ${listOf(columns)}`,
      );
    }
    for (const { name, references, leftOut: parts } of made) {
      for (const part of parts) this.options.onLeftOut(`${name}: ${part}`);
      for (const { columns, table, referenced, actions } of references) {
        const parent = quoteName(tables.find((one) => sameName(one.name, table))?.name ?? table);
        const key = referenced.length === 0 ? '' : ` ${listOf(referenced)}`;
        const reference = `foreign key ${listOf(columns)} references ${parent}${key}${actions}`;
        await this.attempt(`a reference of ${name} to ${table}`, `alter table ${quoteName(name)} add ${reference}`);
      }
    }
    if (only === undefined) for (const what of leftOut) this.options.onLeftOut(what);
  }

  /** Loads the table; whether it had to be made. */
  private async table(table: SqliteTable): Promise<boolean> {
    const taken = takenOf(table);
    for (const row of this.rows(table)) for (const one of taken) one.facts.see(valueOf(one, row));
    const isNew = !(await this.exists(table.name));
    if (isNew) await run(this.target, definition(table, taken));
    const loader = new Loader(this.target, { ...this.options, source: table.name });
    const columns = columnList(taken.map(({ column }) => column));
    await loader.load(`copy ${quoteName(table.name)} ${columns} from stdin`, this.records(table, taken));
    if (isNew && table.rowidColumn !== undefined) await this.goOnCounting(table.name, table.rowidColumn);
    return isNew;
  }

  private *rows(table: SqliteTable): Generator<SqliteRow> {
    for (const row of this.file.rows(table.rootPage)) {
      this.options.onBytes(this.file.bytesRead);
      yield row;
    }
  }

  private async *records(table: SqliteTable, taken: readonly Taken[]): AsyncGenerator<ImportRecord> {
    const types = taken.map(({ column, facts }) => facts.typeOf(column));
    let line = 0;
    for (const row of this.rows(table)) {
      line++;
      yield { line, text: taken.map((one, i) => copyText(valueOf(one, row), types[i] as string)).join('\t') };
    }
  }

  private async exists(name: string): Promise<boolean> {
    let found = false;
    const named = quoteText(quoteName(name));
    await this.target.run(`select to_regclass(${named})`, ({ rows }) => (found = typeof rows[0]?.[0] === 'string'));
    return found;
  }

  /** New rows get the numbers behind those that there are. */
  private async goOnCounting(table: string, column: string): Promise<void> {
    const sequence = `pg_get_serial_sequence(${quoteText(quoteName(table))}, ${quoteText(column)})`;
    const newest = `(select max(${quoteName(column)}) from ${quoteName(table)})`;
    await run(this.target, `select setval(${sequence}, greatest(${newest}, 1), ${newest} is not null)`);
  }

  /** Makes something that the rows do without: it is told of when they do not allow it. */
  private async attempt(what: string, sql: string): Promise<void> {
    const isPart = this.target.status !== '';
    if (isPart) await run(this.target, 'savepoint attempt');
    try {
      await run(this.target, sql);
    } catch (error) {
      if (isPart) await run(this.target, 'rollback to attempt');
      this.options.onLeftOut(`${what}: ${errorFacts(error).message}`);
    }
  }
}

function listOf(names: readonly string[]): string {
  return columnList(names.map((name) => ({ name })));
}

function takenOf(table: SqliteTable): Taken[] {
  const stored = table.columns.filter(({ isVirtual }) => !isVirtual);
  const { primaryKey, rowidColumn } = table;
  const keyed = (name: string): boolean => primaryKey.some((one) => sameName(one, name));
  // Without a rowid, a row begins with its key.
  const order = table.withoutRowid
    ? [
        ...new Set(primaryKey.map((name) => name.toLowerCase())),
        ...stored.map(({ name }) => name).filter((name) => !keyed(name)),
      ]
    : stored.map(({ name }) => name);
  return stored.map((column) => {
    const facts = new ColumnFacts();
    if (column.defaultValue !== null) facts.see(column.defaultValue);
    const place = column.name === rowidColumn ? undefined : order.findIndex((name) => sameName(name, column.name));
    return { column, place, facts };
  });
}

function valueOf({ column, place }: Taken, { rowid, values }: SqliteRow): SqliteValue {
  if (place === undefined) return rowid;
  return place < values.length ? (values[place] as SqliteValue) : column.defaultValue;
}

function defaultOf({ defaultValue, defaultWord }: SqliteColumn, type: string): string {
  // What SQLite gives as a text of UTC is one only where the column holds moments.
  if (defaultWord !== undefined)
    return type === 'timestamp' || type === 'date' ? ` default (now() at time zone 'UTC')` : '';
  return defaultValue === null ? '' : ` default ${quoteText(String(defaultValue))}`;
}

function definition(table: SqliteTable, taken: readonly Taken[]): string {
  const { name, primaryKey, unique, rowidColumn } = table;
  const parts = taken.map(({ column, facts }) => {
    const isCounted = column.name === rowidColumn;
    const type = isCounted ? 'bigint generated by default as identity' : facts.typeOf(column);
    return `${quoteName(column.name)} ${type}${column.notNull ? ' not null' : ''}${defaultOf(column, type)}`;
  });
  // Among the columns' own names: SQLite takes a key in other letters.
  const own = (names: readonly string[]): Taken[] =>
    names.flatMap((one) => taken.find(({ column }) => sameName(column.name, one)) ?? []);
  const key = own(primaryKey);
  // SQLite's keys may hold nulls, ours may not.
  const mayBeKey = key.length > 0 && key.every(({ facts }) => !facts.hasNulls);
  if (key.length > 0)
    parts.push(`${mayBeKey ? 'primary key' : 'unique'} ${listOf(key.map(({ column }) => column.name))}`);
  for (const names of unique) parts.push(`unique ${listOf(own(names).map(({ column }) => column.name))}`);
  return `create table ${quoteName(name)} (${parts.join(', ')})`;
}
