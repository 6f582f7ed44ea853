/**
 * A workload's client that speaks SQL: over sessions in process, over sockets, and to PostgreSQL for comparison.
 *
 *     list_0      list_1          keys by turns, so that neighbours lie in different tables, and in different engines
 *     register_0  register_1      (key int primary key, mark int: the same number with an index of its own, items or value)
 *     anchor_0    anchor_1        (key int primary key)
 *
 * Rows are read by the primary key and by the index, one after the other. Each list refers to a row of the other engine's
 * anchors, which whoever appends makes, unless it is there or the append is part of a batch, and others try to remove.
 */
import type { BatchStatement, BeginOptions, HistoryClient } from './client.js';
import { INITIAL, type Level } from './history.js';

export type Rows = readonly (readonly (string | null)[])[];

/** Runs one statement; rows as text. Rejects with an error that has a SQLSTATE as `code`. */
export interface SqlConnection {
  query(sql: string): Promise<Rows>;
  /** Runs statements as one transaction of their own and tells of all when it has committed; the rows of each. */
  batch(statements: readonly string[]): Promise<readonly Rows[]>;
  /** Begins a transaction in another way than by BEGIN. */
  begin?(level: Level, options: BeginOptions): Promise<void>;
}

/** The tables; `engines` names those of even and odd keys, where the database has a choice. */
export function schemaStatements(engines?: readonly [string, string]): string[] {
  const engineOf = (parity: number): string => (engines === undefined ? '' : ` with (engine = ${engines[parity]})`);
  const anchors = [0, 1].map((parity) => `create table anchor_${parity} (key int primary key)${engineOf(parity)}`);
  const others = [0, 1].flatMap((parity) => {
    const engine = engineOf(parity);
    return [
      `create table list_${parity} (key int primary key references anchor_${1 - parity}, mark int not null, items text not null)${engine}`,
      `create index on list_${parity} (mark)`,
      `create table register_${parity} (key int primary key, mark int not null, value int not null)${engine}`,
      `create index on register_${parity} (mark)`,
    ];
  });
  return [...anchors, ...others];
}

/** Commits what was prepared and not ended before a restart. */
export async function commitPrepared({ query }: Pick<SqlConnection, 'query'>): Promise<void> {
  for (const [identifier] of await query('select gid from pg_prepared_xacts'))
    await query(`commit prepared '${identifier}'`);
}

export class SqlClient implements HistoryClient {
  private readonly connection: SqlConnection;
  private reads = 0;

  constructor(connection: SqlConnection) {
    this.connection = connection;
  }

  async begin(level: Level, options: BeginOptions = {}): Promise<void> {
    const { connection } = this;
    if (connection.begin !== undefined) await connection.begin(level, options);
    else await connection.query(`begin isolation level ${level}${options.readOnly === true ? ' read only' : ''}`);
  }

  async append(key: number, value: number): Promise<void> {
    await this.connection.query(`insert into ${anchorOf(key)} values (${key}) on conflict do nothing`);
    await this.connection.query(appendText(key, value));
  }

  async write(key: number, value: number): Promise<void> {
    await this.connection.query(writeText(key, value));
  }

  async add(key: number, amount: number): Promise<void> {
    await this.connection.query(`update register_${key % 2} set value = value + ${amount} where key = ${key}`);
  }

  async list(key: number): Promise<readonly number[]> {
    const rows = await this.connection.query(this.textOf({ kind: 'list', key, value: INITIAL }));
    return itemsOf(rows[0]?.[0] ?? '');
  }

  async register(key: number): Promise<number> {
    const rows = await this.connection.query(this.textOf({ kind: 'register', key, value: INITIAL }));
    return Number(rows[0]?.[0] ?? INITIAL);
  }

  async scanLists(lower: number, upper: number): Promise<ReadonlyMap<number, readonly number[]>> {
    const rows = await this.scan('list', 'items', lower, upper);
    return new Map(rows.map(([key, items]) => [Number(key), itemsOf(items ?? '')]));
  }

  async scanRegisters(lower: number, upper: number): Promise<ReadonlyMap<number, number>> {
    const rows = await this.scan('register', 'value', lower, upper);
    return new Map(rows.map(([key, value]) => [Number(key), Number(value)]));
  }

  async release(key: number): Promise<void> {
    const isThere = `exists (select from list_${key % 2} where key = ${key})`;
    await this.connection.query(`delete from ${anchorOf(key)} where key = ${key} and not ${isThere}`);
  }

  async orphans(): Promise<number> {
    const parts = [0, 1].map(
      (parity) =>
        `select key from list_${parity} l where not exists (select from anchor_${1 - parity} a where a.key = l.key)`,
    );
    return (await this.connection.query(parts.join(' union all '))).length;
  }

  async savepoint(): Promise<void> {
    await this.connection.query('savepoint s');
  }

  async rollbackToSavepoint(): Promise<void> {
    await this.connection.query('rollback to s');
  }

  async commit(): Promise<void> {
    await this.connection.query('commit');
  }

  async rollback(): Promise<void> {
    await this.connection.query('rollback');
  }

  async prepare(identifier: string): Promise<void> {
    await this.connection.query(`prepare transaction '${identifier}'`);
  }

  async endPrepared(identifier: string, commits: boolean): Promise<void> {
    await this.connection.query(`${commits ? 'commit' : 'rollback'} prepared '${identifier}'`);
  }

  async batch(statements: readonly BatchStatement[]): Promise<readonly (readonly number[])[]> {
    const shown = await this.connection.batch(statements.map((statement) => this.textOf(statement)));
    return shown.map((rows) => itemsOf(rows[0]?.[0] ?? ''));
  }

  private textOf({ kind, key, value }: BatchStatement): string {
    switch (kind) {
      case 'append':
        return appendText(key, value);
      case 'write':
        return writeText(key, value);
      case 'list':
        return `select items from list_${key % 2} where ${this.column()} = ${key}`;
      case 'register':
        return `select value from register_${key % 2} where ${this.column()} = ${key}`;
    }
  }

  private scan(kind: string, content: string, lower: number, upper: number): Promise<Rows> {
    const column = this.column();
    const parts = [0, 1].map(
      (parity) => `select key, ${content} from ${kind}_${parity} where ${column} >= ${lower} and ${column} < ${upper}`,
    );
    return this.connection.query(parts.join(' union all '));
  }

  private column(): string {
    return this.reads++ % 2 === 0 ? 'key' : 'mark';
  }
}

function anchorOf(key: number): string {
  return `anchor_${1 - (key % 2)}`;
}

function appendText(key: number, value: number): string {
  const table = `list_${key % 2}`;
  return `insert into ${table} values (${key}, ${key}, '${value}')
    on conflict (key) do update set items = ${table}.items || ' ' || excluded.items`;
}

function writeText(key: number, value: number): string {
  return `insert into register_${key % 2} values (${key}, ${key}, ${value}) on conflict (key) do update set value = excluded.value`;
}

function itemsOf(text: string): number[] {
  return text === '' ? [] : text.split(' ').map(Number);
}
