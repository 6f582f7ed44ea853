/** Merge joins: one way through both sides, whatever repeats or is missing; and answers as without them. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';
import { planQuery, readContext, runPlan, runQuery, runStatement } from './answers.js';

const WITHOUT = { withoutRules: new Set(['merge join', 'hash join']) };

it('goes once through both sides, and seeks over wide gaps', async () => {
  const test = await openEngine();
  const session = test.session();
  for (const sql of [
    'create table a (id int primary key, n int)',
    'create table b (id int primary key, n int)',
    'insert into a select i * 3, i from generate_series(1, 2000) i',
    'insert into b select i * 2, i from generate_series(1, 3000) i',
    'create table c (n int, m int)',
    'create index c_n on c (n)',
    'insert into c select i, i from generate_series(1, 3000) i',
    'analyze',
  ]) {
    await runStatement(session, sql);
  }
  const context = readContext(test, session);
  const plan = planQuery(session, 'select count(*), sum(a.n + b.n) from a join b on a.id = b.id');
  expect(plan.explain({ costs: false })[1]).toBe('  ->  Merge Join');
  expect(runPlan(plan, context)).toEqual([[1000, 2_502_500]]);
  // The left side's rows, and the matches; nothing is looked up.
  expect(context.counters.rowsScanned).toBe(3000);
  expect(context.counters.lookups).toBe(0);
  // What is read may be remembered no longer from some row on.
  let asked = 0;
  const view = context.read;
  const read: typeof view = {
    get: (key, start, end, value) => view.get(key, start, end, value),
    cursor: (range) => view.cursor(range),
    get tracksReads() {
      return asked++ < 700;
    },
  };
  expect(runPlan(plan, { ...context, read })).toEqual([[1000, 2_502_500]]);
  asked = 0;
  const looked = planQuery(session, 'select count(*), sum(a.n + c.m) from a join c on c.n = a.n', WITHOUT);
  expect(looked.explain({ costs: false }).join()).toContain('c_n');
  expect(runPlan(looked, { ...context, read })).toEqual([[2000, 4_002_000]]);
  const few = 'select sum(b.n) from a left join b on a.id = b.id where a.n % 500 = 0 and a.id > 0';
  expect(runQuery(test, session, few).rows).toEqual(runQuery(test, session, few, WITHOUT).rows);
  await test.close();
});

it('joins what repeats on either side, is null, or comes in no order', async () => {
  const test = await openEngine();
  const session = test.session();
  for (const sql of [
    'create table p (k int, t text, n int)',
    'create index p_k on p (k, t, n)',
    'create table q (k int, t text, n int)',
    'create index q_k on q (k desc, t desc) include (n)',
    'create index q_t on q (k, n)',
    "insert into p select nullif(i / 4, 100), 't' || i % 7, i from generate_series(1, 1200) i",
    "insert into q select nullif(i / 3 * 2, 50), nullif('t' || i % 5, 't3'), i from generate_series(1, 900) i",
    'analyze',
  ]) {
    await runStatement(session, sql);
  }
  const queries = ['inner', 'left'].flatMap((join) => [
    `select p.n, q.n from (select * from p order by k desc) p ${join} join q on q.k = p.k`,
    `select p.n, q.n from (select * from p order by k, t) p ${join} join q on q.k = p.k and q.t = p.t and q.n > 40`,
    `select p.n, q.n from (select * from q order by k) q ${join} join p on q.k = p.k and p.n % 3 > 0`,
  ]);
  queries.push(
    'select n from (select * from q order by k desc) q where exists (select from q o where q.k = o.k and o.n % 2 = 0)',
    'select n from (select * from p order by k) p where not exists (select from q where q.k = p.k and q.n < p.n)',
    'select n from (select * from q order by k) q where not exists (select from p where q.k = p.k)',
  );
  const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();
  let merged = 0;
  const without = new Set(['hash join', 'nested loop']);
  for (const sql of queries) {
    const expected = sorted(runQuery(test, session, sql, WITHOUT).rows);
    if (planQuery(session, sql, { withoutRules: without }).explain().join().includes('Merge')) merged++;
    for (const options of [{}, { memoryLimitBytes: 2 ** 20 }, { backEnd: 'closures' as const }]) {
      expect(sorted(runQuery(test, session, sql, { withoutRules: without, ...options }).rows), sql).toEqual(expected);
    }
  }
  expect(merged).toBeGreaterThan(6);

  // Each left row reads its own range where reads are remembered, and sees what the transaction has written.
  await runStatement(session, 'begin isolation level serializable');
  await runStatement(session, "insert into q values (7, 't0', 5000), (7, 't1', 5001)");
  await runStatement(session, 'set local enable_hashjoin = off');
  await runStatement(session, 'set local enable_nestloop = off');
  expect(
    await runStatement(session, 'select count(*), max(q.n) from p join q on q.k = p.k where p.k between 6 and 8'),
  ).toContain('  32 | 5001');
  await runStatement(session, 'rollback');
  await test.close();
});
