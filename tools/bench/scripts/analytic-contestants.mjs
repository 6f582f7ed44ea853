/**
 * Who answers analytic queries: a database of ours, PostgreSQL and SQLite, each with the same cache and behind the same few calls:
 * `run` a statement, `insert` rows of a table, `query` for rows as arrays, `close`.
 */
import { join } from 'node:path';
import { open } from '@phantom/db';
import { peer } from './peers.mjs';
import { startPostgres } from './postgres.mjs';

export const CACHE_BYTES = 256 * 1024 * 1024;
const ROWS_A_STATEMENT = 200;

/** INSERT statements of many rows each, values written out. */
export async function insertAsText(table, rows, run) {
  let values = [];
  const flush = async () => {
    if (values.length > 0) await run(`insert into ${table} values ${values.join(', ')}`);
    values = [];
  };
  for (const row of rows) {
    values.push(`(${row.map(quoted).join(', ')})`);
    if (values.length === ROWS_A_STATEMENT) await flush();
  }
  await flush();
}

function quoted(value) {
  if (value === null) return 'null';
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** In a directory of this name; `widthOf` tells how many columns a table has. */
export async function openPhantom(home, name, widthOf) {
  const db = await open(join(home, name), { cacheBytes: CACHE_BYTES, memoryLimitBytes: 1 << 30 });
  const statements = new Map();
  return {
    name,
    dialect: 'phantom',
    run: (sql) => db.exec(sql),
    insert(table, rows) {
      const places = Array.from({ length: widthOf(table) }, (_, i) => `$${i + 1}`).join(', ');
      db.transactionSync((tx) => {
        const insert = tx.prepare(`insert into ${table} values (${places})`);
        for (const row of rows) insert.run(...row);
      });
    },
    async finish() {
      db.exec('analyze');
      await db.checkpoint();
    },
    query(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) statements.set(sql, (statement = db.prepare(sql)));
      return statement.all().map(Object.values);
    },
    close: () => db.close(),
  };
}

/** Undefined where there is none on this machine. */
export async function openPostgres() {
  const server = await startPostgres();
  if (server === undefined) return undefined;
  const { client } = server;
  return {
    name: 'postgres',
    dialect: 'postgres',
    run: (sql) => client.query(sql),
    insert: (table, rows) => insertAsText(table, rows, (sql) => client.query(sql)),
    finish: () => client.query('vacuum analyze'),
    query: async (sql) => (await client.query({ text: sql, rowMode: 'array' })).rows,
    close: () => server.stop(),
  };
}

/** Undefined where it is not installed. `translated` gives its words for a query. */
export async function openSqlite(home, widthOf, translated = (sql) => sql) {
  const Sqlite = peer('better-sqlite3');
  if (Sqlite === undefined) return undefined;
  const lite = new Sqlite(join(home, 'sqlite.db'));
  lite.pragma('journal_mode = WAL');
  lite.pragma(`cache_size = -${CACHE_BYTES / 1024}`);
  return {
    name: 'sqlite',
    dialect: 'sqlite',
    run: (sql) => lite.exec(sql),
    insert(table, rows) {
      const places = Array.from({ length: widthOf(table) }, () => '?').join(', ');
      const insert = lite.prepare(`insert into ${table} values (${places})`);
      lite.transaction(() => {
        for (const row of rows) insert.run(...row);
      })();
    },
    finish: () => lite.exec('analyze'),
    query: (sql) => lite.prepare(translated(sql)).raw().all(),
    close: () => lite.close(),
  };
}
