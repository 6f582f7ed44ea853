/**
 * Each rewrite rule and each way of execution by itself: a script for each shows the plan of its queries without it and with
 * it, and holds that the answers are the same. `PHANTOM_REWRITE=1` writes what the planner does now into the files.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/plan/rules/rules.js';
import { WAYS } from '../../src/plan/physical/ways.js';
import { openEngine } from '../support/engine.js';
import { parseAnswers, planQuery, runQuery, runStatement } from '../exec/answers.js';

const folder = fileURLToPath(new URL('rules/', import.meta.url));
const files = readdirSync(folder).sort();

const SCHEMA = [
  'create table t (id int primary key, a int, b int, c text)',
  'create table u (id int primary key, t_id int, d date, n int)',
  'create index u_t on u (t_id)',
  "insert into t select i, i % 7, i % 11, 'c' || i % 5 from generate_series(1, 200) i",
  "insert into u select i, i % 150, date '2024-01-01' + i % 400, i % 13 from generate_series(1, 600) i",
  'create table w (id int primary key, g int, v numeric(8, 2), note text)',
  "insert into w select i, i % 10, i / 4.0, 'note ' || i from generate_series(1, 400) i",
  'create index w_columns on w using column (id, g, v)',
  'delete from w where id % 100 = 50',
];

/** Tables of one script alone. */
const OWN_SCHEMAS: Readonly<Record<string, readonly string[]>> = {
  'eager aggregation': [
    'create table s (id int primary key, c_id int, d date, n int, b bigint, m numeric(8, 2), f float8)',
    'create table c (id int primary key, name text, kind int)',
    'create table v (kind int, label text)',
    "insert into s select i, nullif(i % 60, 7), date '2024-01-01' + i % 20, i % 13, i * 1000000000::bigint, i / 8.0, i / 3.0 from generate_series(1, 9000) i",
    "insert into c select i % 50, 'c' || i % 9, i % 4 from generate_series(1, 50) i",
    "insert into v select i % 3, 'v' || i from generate_series(1, 6) i",
    'analyze',
  ],
  'index intersection': [
    'create table p (id int primary key, a int, b int, c int, n int, tags int[])',
    'create index p_a on p (a)',
    'create index p_b on p (b)',
    'create unique index p_c on p (c, id)',
    'create index p_tags on p using gin (tags)',
    'insert into p select i, i % 23, i % 29, i % 19, i, array[i % 7, i % 11] from generate_series(1, 6000) i',
    'analyze p',
  ],
  'merge join': [
    'create table o (id int primary key, k int)',
    'create table l (o_id int, line int, n int, primary key (o_id, line))',
    'create table r (a int, b int, n int)',
    'create index r_a_b on r (a, b, n)',
    'create table x (d int, k int)',
    'create table y (id int primary key, d int)',
    'create index y_d on y (d desc)',
    'insert into o select i * 2, i from generate_series(1, 1000) i',
    'insert into l select i * 3 / 4, i % 5, i % 13 from generate_series(1, 3000) i',
    'insert into r select nullif(i % 500, 7), i % 4, i from generate_series(1, 2000) i',
    'insert into x select i % 300, i from generate_series(1, 900) i',
    'insert into y select i, nullif(i % 450, 3) from generate_series(1, 900) i',
    'analyze',
  ],
  'partial aggregation': ['analyze', 'set parallel_setup_cost = 0'],
  'skip scan': [
    'create table s (id int primary key, kind text, at int, n int)',
    'create index s_kind_at on s (kind, at)',
    "insert into s select i, nullif('k' || i % 4, 'k3'), i % 250, i from generate_series(1, 1000) i",
    'analyze s',
  ],
};

/** The rule or way that a script is for: hyphens stand for blanks, or for themselves. */
function nameOf(file: string): string {
  const words = file.replace('.plan.txt', '');
  return WAYS.find((way) => way.replaceAll(' ', '-') === words) ?? words.replaceAll('-', ' ');
}

describe('rules and ways', () => {
  it('have a script each', () => {
    const names = new Set([...RULES.map((rule) => rule.name), ...WAYS]);
    expect(files).toEqual([...names].map((name) => `${name.replaceAll(' ', '-')}.plan.txt`).sort());
  });

  for (const file of files) {
    const name = nameOf(file);
    it(name, async () => {
      const expected = readFileSync(folder + file, 'utf8');
      const test = await openEngine();
      const session = test.session();
      for (const sql of [...SCHEMA, ...(OWN_SCHEMAS[name] ?? [])]) await runStatement(session, sql);
      const without = { withoutRules: new Set([name]) };
      const lines = expected.split('\n').filter((line) => line.startsWith('#'));
      for (const { sql } of parseAnswers(expected)) {
        const bag = (options: object): string[] =>
          runQuery(test, session, sql, options)
            .rows.map((row) => JSON.stringify(row.map(String)))
            .sort();
        expect(bag({}), sql).toEqual(bag(without));
        lines.push('', `> ${sql};`, 'WITHOUT', ...planQuery(session, sql, without).explain({ costs: false }));
        lines.push('WITH', ...planQuery(session, sql).explain({ costs: false }));
      }
      await test.close();
      const actual = `${lines.join('\n')}\n`;
      if (process.env['PHANTOM_REWRITE'] !== undefined) writeFileSync(folder + file, actual);
      expect(actual).toBe(readFileSync(folder + file, 'utf8'));
    });
  }
});
