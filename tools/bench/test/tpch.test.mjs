/**
 * TPC-H at scale 0.01: the answers are PostgreSQL 15's over the same generated rows (answers/tpch.txt), and the plans are the
 * reviewed ones (answers/tpch-plans.txt; `REWRITE=1 npx vitest run` writes the plans anew, never the answers).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open } from '@phantom/db';
import { lineOf } from '../scripts/tpch/answers.mjs';
import { rowsOf } from '../scripts/tpch/generator.mjs';
import { QUERIES } from '../scripts/tpch/queries.mjs';
import { createColumnIndexes, createIndexes, createTable, TABLES, widthOf } from '../scripts/tpch/schema.mjs';

const SCALE = 0.01;
const answersFile = new URL('answers/tpch.txt', import.meta.url);
const plansFile = new URL('answers/tpch-plans.txt', import.meta.url);

/** Sections of a file, each under a line `## Qn`. */
function sectionsOf(file) {
  const sections = new Map();
  for (const part of readFileSync(file, 'utf8').split(/^## /m).slice(1)) {
    const end = part.indexOf('\n');
    sections.set(part.slice(0, end), part.slice(end + 1).trimEnd());
  }
  return sections;
}

let db;

beforeAll(async () => {
  db = await open(':memory:');
  for (const table of TABLES) {
    db.exec(createTable(table, 'phantom'));
    const places = Array.from({ length: widthOf(table) }, (_, i) => `$${i + 1}`).join(', ');
    db.transactionSync((tx) => {
      const insert = tx.prepare(`insert into ${table} values (${places})`);
      for (const row of rowsOf(table, SCALE)) insert.run(...row);
    });
  }
  for (const statement of createIndexes('phantom')) db.exec(statement);
  db.exec('analyze');
}, 60_000);

afterAll(() => db?.close());

const answers = sectionsOf(answersFile);

for (const [i, query] of QUERIES.entries()) {
  test(`Q${i + 1} gives PostgreSQL's answer`, () => {
    const rows = db.prepare(query).all();
    const lines = rows.map((row) => lineOf(Object.values(row)));
    expect(lines.join('\n')).toBe(answers.get(`Q${i + 1}`));
  });
}

test('the plans are the reviewed ones', () => {
  const text = QUERIES.map((query, i) => {
    const lines = db.prepare(`explain (costs off) ${query}`).all();
    return `## Q${i + 1}\n${lines.map((line) => line['QUERY PLAN']).join('\n')}\n`;
  }).join('\n');
  if (process.env['REWRITE'] === '1') writeFileSync(plansFile, text);
  expect(text).toBe(readFileSync(plansFile, 'utf8'));
});

/** Queries that are not answered as PostgreSQL does it. */
function wrongQueries() {
  const wrong = QUERIES.map((query, i) => {
    const lines = db
      .prepare(query)
      .all()
      .map((row) => lineOf(Object.values(row)));
    return lines.join('\n') === answers.get(`Q${i + 1}`) ? '' : `Q${i + 1}`;
  });
  return wrong.filter((name) => name !== '');
}

/** Queries that are done in parts. */
function dividedQueries() {
  const plans = QUERIES.map((query) => JSON.stringify(db.prepare(`explain ${query}`).all()));
  return plans.flatMap((plan, i) => (plan.includes('Gather') ? [`Q${i + 1}`] : []));
}

test('columns by themselves give the same answers', () => {
  for (const statement of createColumnIndexes()) db.exec(statement);
  expect(wrongQueries()).toEqual([]);
});

test('so do aggregations in parts, whatever they cost', () => {
  db.exec('set parallel_setup_cost = 0');
  expect(dividedQueries()).toEqual(['Q1', 'Q6']);
  expect(wrongQueries()).toEqual([]);
});
