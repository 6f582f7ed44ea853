/** Index-only scans give what the rows give: keys of several columns and types, nulls in unique indexes, both directions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestEngine, openEngine } from '../support/engine.js';
import { planQuery, runQuery, runStatement } from './answers.js';

/** The tables are small: what is cheaper for them is switched off. */
const ONLY = { withoutRules: new Set(['sequential scan', 'hash join', 'sort']) };
const WITHOUT = { withoutRules: new Set(['index-only scan']) };

describe('index-only scans', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await openEngine();
    const session = engine.session();
    for (const sql of [
      'create table t (a int, b text, c uuid, d date, e bigint, f numeric, g bool, primary key (b, a))',
      'create index t_c on t (c desc, g)',
      'create unique index t_e on t (e)',
      'create index t_d on t (d nulls first, e desc)',
      'create index t_f on t (f)',
      'create index t_a on t (a) where a > 10',
      'create table w (k int, v int)',
      'create index w_k on w (k)',
      "insert into t select i, 'text' || chr(i % 5 + 65), lpad(i::text, 32, '0')::uuid, date '2024-01-01' + i % 9, " +
        'case when i % 4 > 0 then i * 1000000000 end, i / 8.0, i % 3 = 0 from generate_series(1, 60) i',
      'insert into t (a, b) values (-5, chr(1) || chr(255)), (0, $$$$)',
      'insert into w select i % 7, i from generate_series(1, 40) i',
    ])
      await runStatement(session, sql);
  });

  afterAll(() => engine.close());

  const rowsOf = (sql: string, options: object): readonly unknown[] =>
    runQuery(engine, engine.session(), sql, options).rows.map((row) => row.map(String));

  it.each([
    "select c, g, b, a from t where c > '00000000-0000-0000-0000-000000000020' order by c",
    'select e, b from t where e between 5000000000 and 30000000000 order by e',
    'select e, a from t where e is null or e > 0 order by e, b limit 20',
    'select d, e, b, a from t order by d nulls first, e desc limit 30',
    'select d, a from t where d is null order by d',
    'select count(*) from t where e < 20000000000',
    "select x.e, y.a from t x left join t y on y.e = x.e and y.b = 'textC' where x.a < 9",
    'select x.a from t x where exists (select 1 from t y where y.e = x.e + 1000000000) order by 1',
    'select k from w where k = 3',
  ])('%s', (sql) => {
    const session = engine.session();
    expect(planQuery(session, sql, ONLY).explain({ costs: false }).join('\n')).toContain('Index Only Scan');
    for (const backEnd of ['closures', 'generated'] as const)
      expect(rowsOf(sql, { backEnd, ...ONLY })).toEqual(rowsOf(sql, { backEnd, ...WITHOUT }));
  });

  it.each(['select f from t where f = 2.5', 'select v from w where k = 3', 'select a from t where a = 20 for update'])(
    'read the row: %s',
    (sql) => {
      expect(planQuery(engine.session(), sql, ONLY).explain({ costs: false }).join('\n')).not.toContain('Index Only');
    },
  );
});
