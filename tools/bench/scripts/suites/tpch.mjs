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
import { CACHE_BYTES, openPhantom, openPostgres, openSqlite } from '../analytic-contestants.mjs';
import { median } from '../contest.mjs';
import { copyText, withCopyFile } from '../copied-rows.mjs';
import { peer } from '../peers.mjs';
import { differenceOf } from '../tpch/answers.mjs';
import { rowsOf } from '../tpch/generator.mjs';
import { forSqlite, QUERIES } from '../tpch/queries.mjs';
import { createColumnIndexes, createIndexes, createTable, TABLES, widthOf } from '../tpch/schema.mjs';

/** A load of a table that takes longer is told of when it is done. */
const TOLD_SECONDS = 5;
/** PGlite has what it copies in memory, of which WebAssembly gives it little. */
const LITE_PIECE_CHARACTERS = 16 * 1024 * 1024;

export async function tpchSuite({ quick, scale = quick ? 0.01 : 0.1, turns, only, directory }) {
  const rounds = turns ?? (quick ? 3 : 5);
  const numbers = QUERIES.map((_, q) => q).filter((q) => isAsked(only, `Q${q + 1}`, /^Q\d+$/i));
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  const contestants = [];
  const makers = {
    phantom: () => openPhantom(home, 'phantom'),
    columns: () => phantomColumns(home),
    postgres: openPostgres,
    sqlite: () => openSqlite(home, widthOf, forSqlite),
    pglite,
    duckdb: () => duckdb(home),
  };
  for (const [name, make] of Object.entries(makers)) {
    if (!isAsked(only, name, /^(?!Q\d+$)/i)) continue;
    const contestant = await make();
    if (contestant === undefined) continue;
    const seconds = await load(contestant, scale);
    console.log(`${name} loaded in ${seconds.toFixed(1)} s`);
    contestants.push(contestant);
  }
  console.log(
    `TPC-H scale ${scale}, medians of ${rounds} in ms, durability: reads, cache ${CACHE_BYTES / 2 ** 20} MiB`,
  );
  console.log('query  ' + contestants.map(({ name }) => name.padStart(12)).join(''));
  const logs = contestants.map(() => 0);
  for (const q of numbers) {
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
          Math.exp(sum / numbers.length)
            .toFixed(1)
            .padStart(12),
        )
        .join('') +
      '  (geometric)',
  );
  for (const contestant of contestants) await contestant.close();
  rmSync(home, { recursive: true, force: true });
}

/** Of the words of `--only`, those of a kind choose among its names; where none is of it, all are meant. */
function isAsked(only = [], name, kind) {
  const words = only.filter((word) => kind.test(word)).map((word) => word.toLowerCase());
  return words.length === 0 || words.includes(name.toLowerCase());
}

/** Tables, then indexes, then statistics; answers the seconds it took. */
async function load(contestant, scale) {
  const started = performance.now();
  const step = async (what, work) => {
    const before = performance.now();
    await work();
    const seconds = (performance.now() - before) / 1000;
    if (seconds > TOLD_SECONDS) console.log(`  ${contestant.name}: ${what} in ${seconds.toFixed(1)} s`);
  };
  for (const table of TABLES) {
    await contestant.run(createTable(table, contestant.dialect));
    await step(table, () => contestant.insert(table, rowsOf(table, scale)));
  }
  await step('indexes', async () => {
    for (const statement of createIndexes(contestant.dialect)) await contestant.run(statement);
  });
  await step('statistics', () => contestant.finish());
  return (performance.now() - started) / 1000;
}

/** The same tables with a column index each. */
async function phantomColumns(home) {
  const contestant = await openPhantom(home, 'columns');
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
    async insert(table, rows) {
      for (const text of copyText(rows, LITE_PIECE_CHARACTERS))
        await lite.query(`copy ${table} from '/dev/blob'`, [], { blob: new Blob([text]) });
    },
    finish: () => lite.exec('vacuum analyze'),
    query: async (sql) => (await lite.query(sql, [], { rowMode: 'array' })).rows,
    close: () => lite.close(),
  };
}

async function duckdb(home) {
  const module = peer('@duckdb/node-api');
  if (module === undefined) return undefined;
  const instance = await module.DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  return {
    name: 'duckdb',
    dialect: 'duckdb',
    run: (sql) => connection.run(sql),
    insert: (table, rows) =>
      withCopyFile(join(home, `${table}.tsv`), rows, (file) =>
        connection.run(
          `copy ${table} from '${file}' (delimiter '\t', quote '', escape '', nullstr '\\N', header false)`,
        ),
      ),
    finish: () => undefined,
    query: async (sql) => (await connection.runAndReadAll(sql)).getRowsJS(),
    close: () => connection.closeSync(),
  };
}
