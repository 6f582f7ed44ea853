/**
 * The films at a twentieth: answers are PostgreSQL 15's over the same rows (answers/films.txt), the same in other join orders, and the
 * chosen orders make few rows on their way.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open } from '@phantom/db';
import { randomOf, rowsOfAll } from '../scripts/films/generator.mjs';
import { orderedText, plainText, QUERIES, randomOrder } from '../scripts/films/queries.mjs';
import { createIndexes, createTables, TABLES, widthOf } from '../scripts/films/schema.mjs';

const SCALE = 0.05;
const ORDERS = 4;

let db;

beforeAll(async () => {
  db = await open(':memory:');
  const rows = rowsOfAll(SCALE);
  for (const statement of createTables()) db.exec(statement);
  db.transactionSync((tx) => {
    for (const table of TABLES) {
      const places = Array.from({ length: widthOf(table) }, (_, i) => `$${i + 1}`).join(', ');
      const insert = tx.prepare(`insert into ${table} values (${places})`);
      for (const row of rows[table]) insert.run(...row);
    }
  });
  for (const statement of createIndexes()) db.exec(statement);
  db.exec('analyze');
});

afterAll(() => db?.close());

function answerOf(sql) {
  const values = Object.values(db.prepare(sql).get());
  return values.map((value) => (value === null ? '' : String(value))).join('|');
}

/** Rows that the joins of a plan have given: the measure of V. Leis et al. for how good an order is. */
function joinedRows(sql) {
  const lines = db.prepare(`explain (analyze, timing off) ${sql}`).all();
  let rows = 0;
  for (const { 'QUERY PLAN': line } of lines) {
    if (/(Nested Loop|Hash Join|Merge Join)/.test(line)) rows += Number(/actual.* rows=(\d+)/.exec(line)[1]);
  }
  return rows;
}

test('answers are PostgreSQL’s, in whichever order', () => {
  const answers = QUERIES.map((query) => answerOf(plainText(query)));
  expect(answers.join('\n')).toBe(readFileSync(new URL('answers/films.txt', import.meta.url), 'utf8').trimEnd());
  const random = randomOf(1);
  const others = QUERIES.map((query) => answerOf(orderedText(query, randomOrder(query, random))));
  expect(others).toEqual(answers);
});

test('the orders chosen make fewer rows than the best of some drawn at random', () => {
  const random = randomOf(5);
  let [ours, best] = [0, 0];
  for (const query of QUERIES) {
    ours += Math.log1p(joinedRows(plainText(query)));
    const drawn = Array.from({ length: ORDERS }, () => joinedRows(orderedText(query, randomOrder(query, random))));
    best += Math.log1p(Math.min(...drawn));
  }
  expect(Math.exp((ours - best) / QUERIES.length)).toBeLessThan(1);
});
