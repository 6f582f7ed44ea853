/**
 * A workload's client that speaks SQL: over sessions in process, over sockets, and to PostgreSQL for comparison.
 *
 *     list_0      list_1          keys by turns, so that neighbours lie in different tables, and in different engines
 *     register_0  register_1      (key int primary key, mark int: the same number with an index of its own, items or value)
 *
 * Rows are read by the primary key and by the index, one after the other.
 */
import type { BeginOptions, HistoryClient } from './client.js';
import { INITIAL, type Level } from './history.js';

/** Runs one statement; rows as text. Rejects with an error that has a SQLSTATE as `code`. */
export interface SqlConnection {
  query(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Begins a transaction in another way than by BEGIN. */
  begin?(level: Level, options: BeginOptions): Promise<void>;
}

/** The tables; `engines` names those of even and odd keys, where the database has a choice. */
export function schemaStatements(engines?: readonly [string, string]): string[] {
  return [0, 1].flatMap((parity) => {
    const engine = engines === undefined ? '' : ` with (engine = ${engines[parity]})`;
    return [
      `create table list_${parity} (key int primary key, mark int not null, items text not null)${engine}`,
      `create index on list_${parity} (mark)`,
      `create table register_${parity} (key int primary key, mark int not null, value int not null)${engine}`,
      `create index on register_${parity} (mark)`,
    ];
  });
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
    const table = `list_${key % 2}`;
    await this.connection.query(
      `insert into ${table} values (${key}, ${key}, '${value}')
       on conflict (key) do update set items = ${table}.items || ' ' || excluded.items`,
    );
  }

  async write(key: number, value: number): Promise<void> {
    await this.connection.query(
      `insert into register_${key % 2} values (${key}, ${key}, ${value}) on conflict (key) do update set value = excluded.value`,
    );
  }

  async add(key: number, amount: number): Promise<void> {
    await this.connection.query(`update register_${key % 2} set value = value + ${amount} where key = ${key}`);
  }

  async list(key: number): Promise<readonly number[]> {
    const rows = await this.connection.query(`select items from list_${key % 2} where ${this.column()} = ${key}`);
    return itemsOf(rows[0]?.[0] ?? '');
  }

  async register(key: number): Promise<number> {
    const rows = await this.connection.query(`select value from register_${key % 2} where ${this.column()} = ${key}`);
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

  private scan(
    kind: string,
    content: string,
    lower: number,
    upper: number,
  ): Promise<readonly (readonly (string | null)[])[]> {
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

function itemsOf(text: string): number[] {
  return text === '' ? [] : text.split(' ').map(Number);
}
