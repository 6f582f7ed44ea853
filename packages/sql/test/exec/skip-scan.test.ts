/** Scans that skip from one value of a key's first column to the next. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { planQuery, runQuery, runStatement } from './answers.js';

let test: TestEngine;
let session: SqlSession;
const run = (sql: string): Promise<string[]> => runStatement(session, sql);

beforeAll(async () => {
  test = await openEngine();
  session = test.session();
  await run('create table t (a int, b int, c text, primary key (a, b))');
  await run("insert into t select i % 5, i, 'c' || i % 300 from generate_series(1, 3000) i");
  await run('create index t_c on t (c desc, b desc)');
  await run('create table u (id int primary key, a bytea, b int)');
  await run("insert into u select i, decode(repeat('ff', i % 4), 'hex'), i % 400 from generate_series(1, 2000) i");
  await run('insert into u select i, null, i % 400 from generate_series(2001, 2100) i');
  await run('create index u_ab on u (a, b)');
  await run('analyze');
});
afterAll(() => test.close());

it('finds the rows below each value: of a table, of descending columns, below nulls, and where bytes have no successor', () => {
  for (const [sql, title] of [
    ['select a, c from t where b in (17, 2048, 17, 9999)', 'Index Skip Scan using t_pkey on t'],
    ['select a, b from t where b >= 2990', 'Index Skip Scan using t_pkey on t'],
    ['select id, a, b from u where b = 100', 'Index Only Skip Scan using u_ab on u'],
    ['select id from u where b > 397', 'Index Only Skip Scan using u_ab on u'],
    ['select id from u where b < 2', 'Index Only Skip Scan using u_ab on u'],
  ] as const) {
    expect(planQuery(session, sql).explain({ costs: false })[0]).toBe(title);
    const rows = (options: object): string[] => runQuery(test, session, sql, options).rows.map(String).sort();
    const expected = rows({ withoutRules: new Set(['skip scan']) });
    expect(expected.length).toBeGreaterThan(1);
    expect(rows({}), sql).toEqual(expected);
    expect(rows({ backEnd: 'closures' }), sql).toEqual(expected);
  }
});

it('sees what its transaction has written, and writes the rows it finds once', async () => {
  await run('begin isolation level serializable');
  await run("insert into t values (9, 2995, 'new')");
  await run('delete from t where a = 0 and b = 2995');
  expect(await run('update t set b = b + 5000 where b between 2994 and 2996')).toEqual(['UPDATE 3']);
  expect(await run('select a, b from t where b > 3000 order by b, a')).toEqual(
    expect.arrayContaining(['  4 | 7994', '  9 | 7995', '  1 | 7996']),
  );
  await run('rollback');
});

it('remembers what it has passed over in a serializable transaction', async () => {
  const other = test.session();
  const counts = 'select count(*) from u where b = 7';
  expect(planQuery(session, counts).explain({ costs: false })[1]).toContain('Skip Scan');
  for (const [inserted, conflicts] of [
    [7, true],
    [8, false],
  ] as const) {
    await run('begin isolation level serializable');
    await runStatement(other, 'begin isolation level serializable');
    await run(counts);
    await runStatement(other, 'select count(*) from u where id = 5000');
    await runStatement(other, `insert into u values (${4000 + inserted}, decode('ff', 'hex'), ${inserted})`);
    await run(`insert into u values (5000, null, ${1000 + inserted})`);
    await runStatement(other, 'commit');
    const end = await run('commit').then(String, String);
    if (conflicts) expect(end).toContain('40001');
    else expect(end).toBe('COMMIT');
    await run('rollback');
    await run('delete from u where id >= 4000');
  }
});
