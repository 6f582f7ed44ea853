/**
 * TPC-H's 22 queries on row tables, and on the same with column indexes: every contestant has the same rows, keys and indexes, answers the queries in turns, and
 * must give PostgreSQL's answers. The last line is the geometric mean, as the specification averages.
 *
 * Each query runs five times in one process, all contestants in turns, and the median counts: planning and compiling are in the
 * first run alone, but our third one may still be on its way to optimized code, which native contestants have from the start.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE_BYTES, insertAsText, openPhantom, openPostgres, openSqlite } from '../analytic-contestants.mjs';
import { median } from '../contest.mjs';
import { peer } from '../peers.mjs';
import { differenceOf } from '../tpch/answers.mjs';
import { rowsOf } from '../tpch/generator.mjs';
import { forSqlite, QUERIES } from '../tpch/queries.mjs';
import { createColumnIndexes, createIndexes, createTable, TABLES, widthOf } from '../tpch/schema.mjs';

export async function tpchSuite({ quick, scale = quick ? 0.01 : 0.1, directory }) {
  const rounds = quick ? 3 : 5;
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  const contestants = [];
  const phantom = () => openPhantom(home, 'phantom', widthOf);
  const sqlite = () => openSqlite(home, widthOf, forSqlite);
  for (const make of [phantom, phantomColumns, openPostgres, sqlite, pglite, duckdb]) {
    const contestant = await make(home);
    if (contestant === undefined) continue;
    const started = performance.now();
    await load(contestant, scale);
    console.log(`${contestant.name} loaded in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    contestants.push(contestant);
  }
  console.log(
    `TPC-H scale ${scale}, medians of ${rounds} in ms, durability: reads, cache ${CACHE_BYTES / 2 ** 20} MiB`,
  );
  console.log('query  ' + contestants.map(({ name }) => name.padStart(12)).join(''));
  const logs = contestants.map(() => 0);
  for (let q = 0; q < QUERIES.length; q++) {
    const times = contestants.map(() => []);
    let expected;
    for (let round = 0; round < rounds; round++) {
      for (const [i, contestant] of contestants.entries()) {
        const started = performance.now();
        const rows = await contestant.query(QUERIES[q]);
        times[i].push(performance.now() - started);
        if (contestant.name === 'postgres') expected = rows;
        contestant.answer = rows;
      }
    }
    const wrong = contestants
      .filter(({ answer }) => expected !== undefined && differenceOf(answer, expected) !== undefined)
      .map(({ name, answer }) => `${name}: ${differenceOf(answer, expected)}`);
    const medians = times.map(median);
    medians.forEach((ms, i) => (logs[i] += Math.log(ms)));
    const line = medians.map((ms) => ms.toFixed(1).padStart(12)).join('');
    console.log(`Q${String(q + 1).padEnd(5)} ${line}${wrong.length === 0 ? '' : `  DIFFERS ${wrong.join('; ')}`}`);
  }
  console.log(
    'mean   ' +
      logs
        .map((sum) =>
          Math.exp(sum / QUERIES.length)
            .toFixed(1)
            .padStart(12),
        )
        .join('') +
      '  (geometric)',
  );
  for (const contestant of contestants) await contestant.close();
  rmSync(home, { recursive: true, force: true });
}

async function load(contestant, scale) {
  for (const table of TABLES) {
    await contestant.run(createTable(table, contestant.dialect));
    await contestant.insert(table, rowsOf(table, scale));
  }
  for (const statement of createIndexes(contestant.dialect)) await contestant.run(statement);
  await contestant.finish();
}

/** The same tables with a column index each. */
async function phantomColumns(home) {
  const contestant = await openPhantom(home, 'columns', widthOf);
  return {
    ...contestant,
    async finish() {
      for (const statement of createColumnIndexes()) contestant.run(statement);
      await contestant.finish();
    },
  };
}

async function pglite() {
  const module = peer('@electric-sql/pglite');
  if (module === undefined) return undefined;
  const lite = await module.PGlite.create();
  return {
    name: 'pglite',
    dialect: 'postgres',
    run: (sql) => lite.exec(sql),
    insert: (table, rows) => insertAsText(table, rows, (sql) => lite.exec(sql)),
    finish: () => lite.exec('vacuum analyze'),
    query: async (sql) => (await lite.query(sql, [], { rowMode: 'array' })).rows,
    close: () => lite.close(),
  };
}

async function duckdb() {
  const module = peer('@duckdb/node-api');
  if (module === undefined) return undefined;
  const instance = await module.DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  return {
    name: 'duckdb',
    dialect: 'duckdb',
    run: (sql) => connection.run(sql),
    insert: (table, rows) => insertAsText(table, rows, (sql) => connection.run(sql)),
    finish: () => undefined,
    query: async (sql) => (await connection.runAndReadAll(sql)).getRowsJS(),
    close: () => connection.closeSync(),
  };
}
