/** Statements whose conditions are an AND over several indexes: only rows that all ranges have are fetched, whatever the memory. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';
import { planQuery, readContext, runPlan, runQuery, runStatement } from './answers.js';

it('fetches, locks and writes the rows that all ranges have', async () => {
  const test = await openEngine();
  const session = test.session();
  const run = (sql: string): Promise<string[]> => runStatement(session, sql);
  await run('create table t (id int primary key, a int, b text, c int, n int default 0, unique (c, id))');
  await run('create index t_a on t (a)');
  await run('create index t_b on t (b) where a > 5');
  await run("insert into t select i, i % 50, 'b' || i % 40, i % 3 from generate_series(1, 10000) i");
  const both = "a = 7 and b = 'b7'";
  expect(planQuery(session, `select n from t where ${both}`).explain({ costs: false })).toEqual([
    'Index Intersection Scan on t',
    '  Using t_a: (a = 7)',
    "  Using t_b: (b = 'b7'::text)",
    '  Filter: (a = 7)',
  ]);
  const ids = (condition: string, options = {}): readonly unknown[] =>
    runQuery(test, session, `select id, n from t where ${condition} order by id`, options).rows;
  const expected = ids(both, { withoutRules: new Set(['index intersection']) });
  expect(expected).toHaveLength(50);
  const context = readContext(test, session);
  expect(runPlan(planQuery(session, `select id, n from t where ${both} order by id`), context)).toEqual(expected);
  // Both ranges are read, and of 200 and 250 rows about those 50 fetched that are in both.
  expect(context.counters.rowsScanned).toBe(450);
  expect(context.counters.lookups).toBeLessThan(60);
  expect(ids(both, { backEnd: 'closures' })).toEqual(expected);
  // Without room for the sieve the rows of the last range are all fetched.
  expect(ids(both, { memoryLimitBytes: 4095 })).toEqual(expected);
  expect(ids(both, { memoryLimitBytes: 6000 })).toEqual(expected);
  expect(ids(`${both} and c in (0, 1)`)).toEqual(
    ids(`${both} and c in (0, 1)`, { withoutRules: new Set(['index intersection']) }),
  );

  await run('begin isolation level serializable');
  await run("insert into t values (20000, 7, 'b7', 1)");
  await run('delete from t where id = 7');
  expect(await run(`select count(*), min(id), max(id) from t where ${both}`)).toContain('  50 | 207 | 20000');
  expect(await run(`select n from t where ${both} for update`)).toContain('  0');
  expect(await run(`update t set n = n + 1, a = 8 where ${both}`)).toEqual(['UPDATE 50']);
  expect(await run(`select n from t where ${both}`)).not.toContain('  0');
  await run('commit');
  expect(await run("delete from t where a = 8 and b = 'b7'")).toEqual(['DELETE 50']);
  await test.close();
});

it('reads no further range when no row is in those before', async () => {
  const test = await openEngine();
  const session = test.session();
  await runStatement(session, 'create table t (id int primary key, a int, b int, n int)');
  await runStatement(session, 'create index t_a on t (a)');
  await runStatement(session, 'create index t_b on t (b)');
  await runStatement(session, 'insert into t select i, i % 10, i % 10, i from generate_series(1, 20000) i');
  await runStatement(session, 'analyze t');
  const sql =
    'select (select sum(n) from t where a = v and b = v + w) from (values (1, 1), (70, 0), (3, 0)) as x(v, w)';
  const context = readContext(test, session);
  const plan = planQuery(session, sql, { withoutRules: new Set(['scalar aggregate unnesting']) });
  expect(runPlan(plan, context)).toEqual([[null], [null], [19_996_000]]);
  expect(context.counters.rowsScanned).toBe(8000);
  await test.close();
});
