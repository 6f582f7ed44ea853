/** Statements whose conditions are an OR over several indexes: rows that several branches find come once, and may be written. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';
import { planQuery, runQuery, runStatement } from './answers.js';

it('finds, locks and writes each row of a union once', async () => {
  const test = await openEngine();
  const session = test.session();
  const run = (sql: string): Promise<string[]> => runStatement(session, sql);
  await run('create table t (id int primary key, a int, b text, n int default 0)');
  await run('create index t_a on t (a)');
  await run('create index t_b on t (b) where a > 5');
  await run("insert into t select i, i % 50, 'b' || i % 40 from generate_series(1, 2000) i");
  const either = "(a = 7 or (b = 'b7' and a > 6) or id in (7, 8, 57))";
  expect(planQuery(session, `select id from t where ${either}`).explain({ costs: false })[0]).toBe(
    'Index Union Scan on t',
  );
  const ids = (condition: string, options = {}): unknown[] =>
    runQuery(test, session, `select id from t where ${condition} order by id`, options).rows.flat();
  const expected = ids(either, { withoutRules: new Set(['index union']) });
  expect(expected.length).toBeGreaterThan(40);
  expect(ids(either)).toEqual(expected);
  expect(ids(either, { backEnd: 'closures' })).toEqual(expected);
  expect(() => ids(either, { memoryLimitBytes: 1000 })).toThrow(expect.objectContaining({ code: '53200' }));

  // What the transaction has written is seen, what it has removed is not; each row is written once.
  await run('begin isolation level serializable');
  await run("insert into t values (3000, 7, 'b7')");
  await run('delete from t where id = 1907');
  expect(await run(`update t set n = n + 1, a = a + 100 where ${either}`)).toEqual([`UPDATE ${expected.length}`]);
  expect(await run(`select count(*), max(n) from t where n > 0`)).toContain(`  ${expected.length} | 1`);
  expect(await run('select id from t where id = 7 or a = 107 for update')).toContain('  7');
  await run('commit');
  expect(await run('delete from t where a = 107 or id = 8 or id = 9')).toEqual(['DELETE 42']);
  await test.close();
});
