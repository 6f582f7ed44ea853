/**
 * Join orders: eighteen queries of four to twelve tables (films/queries.mjs), ours against PostgreSQL and SQLite in turns, and against
 * our own engine made to join in orders drawn at random. `best` and `worst` are of ORDERS such orders, each run as often as the others
 * unless its first run took three times the best so far. Answers are compared with PostgreSQL's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE_BYTES, openPhantom, openPostgres, openSqlite } from '../analytic-contestants.mjs';
import { randomOf, rowsOfAll } from '../films/generator.mjs';
import { orderedText, plainText, QUERIES, randomOrder } from '../films/queries.mjs';
import { createIndexes, createTables, TABLES, widthOf } from '../films/schema.mjs';

const ORDERS = 8;

export async function filmsSuite({ quick, scale = quick ? 0.1 : 1, directory }) {
  const rounds = quick ? 3 : 5;
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  const rows = rowsOfAll(scale);
  const contestants = [];
  // SQLite's LIKE folds case, and its "offset 0" needs a limit; only the first matters here, and no pattern has another case.
  for (const make of [() => openPhantom(home, 'phantom'), openPostgres, () => openSqlite(home, widthOf)]) {
    const contestant = await make();
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
        const [answer] = await contestant.query(plainText(query));
        times[c] = Math.min(times[c], performance.now() - started);
        answers[c] = textOf(answer);
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

/** The one row of an answer. */
function textOf(answer) {
  return answer.map((value) => (value === null ? '' : String(value))).join(' ');
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
      const [answer] = ours.query(text);
      least = Math.min(least, performance.now() - started);
      if (round === 0) answers.push(textOf(answer));
    }
    best = Math.min(best, least);
    worst = Math.max(worst, least);
  }
  return { best, worst, answers };
}
