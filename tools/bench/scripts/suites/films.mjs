/**
 * Join orders: eighteen queries of four to twelve tables (films/queries.mjs), ours against PostgreSQL and SQLite in turns, and against
 * our own engine made to join in orders drawn at random. `best` and `worst` are of ORDERS such orders, each run as often as the others
 * unless its first run took three times the best so far. Answers are compared with PostgreSQL's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '@phantom/db';
import { randomOf, rowsOfAll } from '../films/generator.mjs';
import { orderedText, plainText, QUERIES, randomOrder } from '../films/queries.mjs';
import { createIndexes, createTables, TABLES, widthOf } from '../films/schema.mjs';
import { peer } from '../peers.mjs';
import { startPostgres } from '../postgres.mjs';

const ORDERS = 8;
const CACHE_BYTES = 256 * 1024 * 1024;
const ROWS_A_STATEMENT = 500;

export async function filmsSuite({ quick, scale = quick ? 0.1 : 1, directory }) {
  const rounds = quick ? 3 : 5;
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  const rows = rowsOfAll(scale);
  const contestants = [];
  for (const make of [phantom, postgres, sqlite]) {
    const contestant = await make(home);
    if (contestant === undefined) continue;
    for (const statement of createTables()) await contestant.run(statement);
    for (const table of TABLES) await contestant.insert(table, rows[table]);
    for (const statement of createIndexes()) await contestant.run(statement);
    await contestant.run('analyze');
    contestants.push(contestant);
  }
  const [ours, ...others] = contestants;
  const names = [ours.name, ...others.map(({ name }) => name), 'best', 'worst'];
  console.log(
    `films at scale ${scale}, least of ${rounds} in ms, durability: reads, cache ${CACHE_BYTES / 2 ** 20} MiB`,
  );
  console.log(`query  ${['tables', ...names].map((name) => name.padStart(10)).join('')}`);
  const logs = names.map(() => 0);
  for (const [i, query] of QUERIES.entries()) {
    const times = contestants.map(() => Infinity);
    const answers = contestants.map(() => '');
    for (let round = 0; round < rounds; round++) {
      for (const [c, contestant] of contestants.entries()) {
        const started = performance.now();
        const answer = await contestant.query(plainText(query));
        times[c] = Math.min(times[c], performance.now() - started);
        answers[c] = answer.map((value) => (value === null ? '' : String(value))).join(' ');
      }
    }
    const random = ordersOf(ours, query, rounds);
    const figures = [...times, random.best, random.worst];
    figures.forEach((ms, column) => (logs[column] += Math.log(ms)));
    const wrong = [...answers, ...random.answers].some((answer) => answer !== answers[0]);
    const line = figures.map((ms) => ms.toFixed(1).padStart(10)).join('');
    console.log(
      `F${String(i + 1).padEnd(5)} ${String(query.aliases.length).padStart(10)}${line}${wrong ? '  DIFFERS' : ''}`,
    );
  }
  const means = logs.map((sum) => Math.exp(sum / QUERIES.length));
  console.log(`mean   ${' '.repeat(10)}${means.map((ms) => ms.toFixed(1).padStart(10)).join('')}  (geometric)`);
  for (const contestant of contestants) await contestant.close();
  rmSync(home, { recursive: true, force: true });
}

/** The best and the worst of some orders drawn at random, and what they answer. */
function ordersOf(ours, query, rounds) {
  const random = randomOf(query.aliases.length);
  let [best, worst] = [Infinity, 0];
  const answers = [];
  for (let drawn = 0; drawn < ORDERS; drawn++) {
    const text = orderedText(query, randomOrder(query, random));
    let least = Infinity;
    for (let round = 0; round < rounds && (round === 0 || least < 3 * best); round++) {
      const started = performance.now();
      const answer = ours.query(text);
      least = Math.min(least, performance.now() - started);
      if (round === 0) answers.push(answer.map((value) => (value === null ? '' : String(value))).join(' '));
    }
    best = Math.min(best, least);
    worst = Math.max(worst, least);
  }
  return { best, worst, answers };
}

async function phantom(home) {
  const db = await open(join(home, 'phantom'), { cacheBytes: CACHE_BYTES });
  const statements = new Map();
  return {
    name: 'phantom',
    run: (sql) => db.exec(sql),
    insert(table, rows) {
      const places = Array.from({ length: widthOf(table) }, (_, i) => `$${i + 1}`).join(', ');
      db.transactionSync((tx) => {
        const insert = tx.prepare(`insert into ${table} values (${places})`);
        for (const row of rows) insert.run(...row);
      });
    },
    query(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) statements.set(sql, (statement = db.prepare(sql)));
      return Object.values(statement.get());
    },
    close: () => db.close(),
  };
}

async function postgres() {
  const server = await startPostgres();
  if (server === undefined) return undefined;
  const { client } = server;
  const quote = (value) => (value === null ? 'null' : typeof value === 'number' ? String(value) : `'${value}'`);
  return {
    name: 'postgres',
    run: (sql) => client.query(sql),
    async insert(table, rows) {
      for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) {
        const values = rows.slice(from, from + ROWS_A_STATEMENT).map((row) => `(${row.map(quote).join(', ')})`);
        await client.query(`insert into ${table} values ${values.join(', ')}`);
      }
    },
    query: async (sql) => (await client.query({ text: sql, rowMode: 'array' })).rows[0],
    close: () => server.stop(),
  };
}

async function sqlite(home) {
  const Sqlite = peer('better-sqlite3');
  if (Sqlite === undefined) return undefined;
  const lite = new Sqlite(join(home, 'sqlite.db'));
  lite.pragma('journal_mode = WAL');
  lite.pragma(`cache_size = -${CACHE_BYTES / 1024}`);
  return {
    name: 'sqlite',
    run: (sql) => lite.exec(sql),
    insert(table, rows) {
      const insert = lite.prepare(`insert into ${table} values (${rows[0].map(() => '?').join(', ')})`);
      lite.transaction(() => {
        for (const row of rows) insert.run(...row);
      })();
    },
    // Its LIKE folds case, its "offset 0" needs a limit; only the first matters here, and no pattern has another case.
    query: (sql) => lite.prepare(sql).raw().get(),
    close: () => lite.close(),
  };
}
