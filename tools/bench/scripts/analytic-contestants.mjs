/**
 * Who answers analytic queries: a database of ours, PostgreSQL and SQLite, each with the same cache and behind the same few calls:
 * `run` a statement, `insert` rows of a table, `query` for rows as arrays, `close`.
 */
import { join } from 'node:path';
import { open } from '@phantom/db';
import { copyFromStdin } from './copied-rows.mjs';
import { peer } from './peers.mjs';
import { startPostgres } from './postgres.mjs';

export const CACHE_BYTES = 256 * 1024 * 1024;

/** In a directory of this name. */
export async function openPhantom(home, name) {
  const db = await open(join(home, name), { cacheBytes: CACHE_BYTES, memoryLimitBytes: 1 << 30 });
  const statements = new Map();
  return {
    name,
    dialect: 'phantom',
    run: (sql) => db.exec(sql),
    insert: (table, rows) => db.copyInto(table, rows),
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
    insert: (table, rows) => copyFromStdin(client, table, rows),
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
