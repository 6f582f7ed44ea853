/**
 * Rows of COPY FROM that are values of this process already: arrays in the order of the columns, or objects by their names.
 * They stand behind the face of a client's channel, so that everything else is COPY's own: one statement, one transaction,
 * rights, defaults, constraints. What travels as bytes elsewhere is here a list of rows:
 *
 *   channel.advance()    the next list is at hand, or a promise of it (rows that come asynchronously)
 *   reader.next(into)    one row of the list, its values in canonical form
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { jsWriter } from '../types/js-values.js';
import type { TypeContext, TypeLookup, Value } from '../types/type.js';
import type { CopyChannel } from './copy-channel.js';
import type { CopyColumn, RowReader } from './copy-rows.js';

/** A row to be copied in. A value that is null or undefined is NULL. */
export type CopiedRow = readonly unknown[] | Readonly<Record<string, unknown>>;

/** Where rows come from. */
export type CopiedRows = Iterable<CopiedRow> | AsyncIterable<CopiedRow>;

/** Rows taken from an iterable at once. */
const CHUNK_ROWS = 256;
const NO_BYTES = new Uint8Array(0);

/** Gives COPY FROM STDIN rows in place of bytes. It serves one statement. */
export class ValueChannel implements CopyChannel {
  /** Empty while there is a list of rows, undefined at the end. */
  piece: Uint8Array | undefined = undefined;
  private readonly whole: readonly CopiedRow[] | undefined;
  private readonly next: Iterator<CopiedRow> | AsyncIterator<CopiedRow> | undefined;
  private readonly isAsync: boolean;
  private chunk: readonly CopiedRow[] = [];
  /** The list at hand was taken to see its first row, and nobody has had it yet. */
  private isPeeked = false;
  private isOver = false;

  constructor(rows: CopiedRows) {
    this.whole = Array.isArray(rows) ? (rows as readonly CopiedRow[]) : undefined;
    this.isAsync = Symbol.asyncIterator in rows;
    if (this.whole === undefined) {
      this.next = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
    }
  }

  /** The names of the first row's values when it is an object; undefined for an array, and without rows. */
  async columns(): Promise<readonly string[] | undefined> {
    await this.advance();
    this.isPeeked = true;
    const [first] = this.chunk;
    return first === undefined || Array.isArray(first) ? undefined : Object.keys(first);
  }

  startIn(): void {}

  advance(): Promise<void> | undefined {
    if (this.isPeeked) this.isPeeked = false;
    else if (this.isOver) this.take([]);
    else if (this.whole !== undefined) {
      this.isOver = true;
      this.take(this.whole);
    } else if (this.isAsync) return this.pull(this.next as AsyncIterator<CopiedRow>);
    else this.pullNow(this.next as Iterator<CopiedRow>);
    return undefined;
  }

  reader(table: string, columns: readonly CopyColumn[], types: TypeLookup, context: TypeContext): RowReader {
    return new ValueRows(() => this.chunk, table, columns, types, context);
  }

  startOut(): void {
    throw unsupportedError('COPY TO with a client that gives rows');
  }

  write(): void {}

  relieve(): undefined {
    return undefined;
  }

  endOut(): void {}

  /** Tells the source that no more rows are wanted. */
  async end(): Promise<void> {
    if (!this.isOver) await this.next?.return?.();
    this.isOver = true;
  }

  private take(chunk: readonly CopiedRow[]): void {
    this.chunk = chunk;
    this.piece = chunk.length === 0 ? undefined : NO_BYTES;
  }

  private pullNow(source: Iterator<CopiedRow>): void {
    const chunk: CopiedRow[] = [];
    while (chunk.length < CHUNK_ROWS) {
      const item = source.next();
      if (item.done === true) {
        this.isOver = true;
        break;
      }
      chunk.push(item.value);
    }
    this.take(chunk);
  }

  private async pull(source: AsyncIterator<CopiedRow>): Promise<void> {
    const chunk: CopiedRow[] = [];
    while (chunk.length < CHUNK_ROWS) {
      const item = await source.next();
      if (item.done === true) {
        this.isOver = true;
        break;
      }
      chunk.push(item.value);
    }
    this.take(chunk);
  }
}

class ValueRows implements RowReader {
  readonly ended = false;
  private readonly chunk: () => readonly CopiedRow[];
  private readonly table: string;
  private readonly names: readonly string[];
  private readonly known: ReadonlySet<string>;
  private readonly writers: readonly ((value: unknown) => Value)[];
  private rows: readonly CopiedRow[] = [];
  private at = 0;
  private row = 0;

  constructor(
    chunk: () => readonly CopiedRow[],
    table: string,
    columns: readonly CopyColumn[],
    types: TypeLookup,
    context: TypeContext,
  ) {
    this.chunk = chunk;
    this.table = table;
    this.names = columns.map(({ name }) => name);
    this.known = new Set(this.names);
    // The insertion brings values to the column's length and precision.
    this.writers = columns.map(({ type }) => jsWriter({ oid: type.oid, typmod: -1 }, types, context));
  }

  push(): void {
    this.rows = this.chunk();
    this.at = 0;
  }

  finish(): void {
    this.rows = [];
    this.at = 0;
  }

  next(into: Value[]): boolean {
    if (this.at === this.rows.length) return false;
    const row = this.rows[this.at++] as CopiedRow;
    this.row++;
    if (Array.isArray(row)) this.readArray(row, into);
    else this.readObject(row as Readonly<Record<string, unknown>>, into);
    return true;
  }

  place(): string {
    return `COPY ${this.table}, row ${this.row}`;
  }

  private readArray(row: readonly unknown[], into: Value[]): void {
    const { names } = this;
    if (row.length !== names.length) {
      throw this.bad(`a row has ${row.length} values where ${names.length} columns are copied`);
    }
    for (let i = 0; i < names.length; i++) this.read(row[i], i, into);
  }

  private readObject(row: Readonly<Record<string, unknown>>, into: Value[]): void {
    const { names, known } = this;
    if (typeof row !== 'object' || row === null) throw this.bad('a row is an array or an object');
    for (const name in row) if (!known.has(name)) throw this.bad(`a row has a value "${name}" that is not copied`);
    for (let i = 0; i < names.length; i++) this.read(row[names[i] as string], i, into);
  }

  private read(value: unknown, i: number, into: Value[]): void {
    into[i] = value === null || value === undefined ? null : (this.writers[i] as (value: unknown) => Value)(value);
  }

  private bad(message: string): PhantomError {
    return new PhantomError('22P04', message, { where: this.place() });
  }
}
