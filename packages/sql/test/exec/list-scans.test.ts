/** Scans of many ranges: a list of values for a column of a key or an index. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { runQuery, runStatement } from './answers.js';

let test: TestEngine;
let session: SqlSession;
const run = (sql: string): Promise<string[]> => runStatement(session, sql);
const list = (count: number, step: number): string => Array.from({ length: count }, (_, i) => i * step).join(', ');

beforeAll(async () => {
  test = await openEngine();
  session = test.session();
  await run('create table t (id int primary key, g int, u text unique, h int)');
  // Groups of one row, of twenty, and of thousands.
  await run(`insert into t select i, case when i < 3000 then i % 3 when i < 4000 then i / 20 else i end,
      case when i % 2 = 0 then 'u' || i end, i % 10 from generate_series(1, 5000) i`);
  await run('create index t_g on t (g)');
  await run('create index t_hg on t (h, g)');
  await run('analyze');
});
afterAll(() => test.close());

it('finds what a scan of the whole table finds, along whole keys, unique indexes and ranges of any length', () => {
  const texts = Array.from({ length: 60 }, (_, i) => `'u${i * 7}'`).join(', ');
  for (const sql of [
    `select * from t where id in (${list(300, 29)}, 29, null)`,
    `select count(*) from t where id in (${list(300, 29)})`,
    `select h from t where u in (${texts}, null)`,
    `select id, g from t where g in (0, 155, 4100, 4102, 170, 1, 9999)`,
    `select count(*) from t where g in (2, 155, 4100, 0)`,
    `select g from t where g in (2, 155, 4100, 0)`,
    `select id from t where h = 3 and g in (150, 160, 2, 4443)`,
    `select id from t where g = any ('{170, 4100, 1, null, 1}'::int[])`,
    `select id from t where id in (select unnest('{170, 4100, 1, null, 1}'::int[]))`,
  ]) {
    const rows = (options: object): string[] => runQuery(test, session, sql, options).rows.map(String).sort();
    const expected = rows({ withoutRules: new Set(['index scan', 'index-only scan', 'skip scan']) });
    expect(expected.length, sql).toBeGreaterThan(0);
    expect(rows({}), sql).toEqual(expected);
    expect(rows({ backEnd: 'closures' }), sql).toEqual(expected);
    expect(rows({ withoutRules: new Set(['sequential scan', 'index-only scan']) }), sql).toEqual(expected);
  }
});

it('reads no more of a list than a limit asks for', async () => {
  const before = test.engine.counters.rowsScanned;
  expect(await run('select id from t where g in (4001, 4002, 4003, 4004, 4005, 4006) limit 2')).toHaveLength(4);
  expect(test.engine.counters.rowsScanned - before).toBeLessThanOrEqual(6);
});

it('sees what its transaction has written, and writes each row it finds once', async () => {
  await run('begin');
  await run("insert into t values (-5, 4100, 'new', 1)");
  await run('delete from t where id = 4101');
  expect(await run('select id from t where g in (4100, 4101, 4102) order by id')).toEqual([
    'id',
    '  -5',
    '  4100',
    '  4102',
    '(3 rows)',
  ]);
  expect(await run('update t set g = g + 1 where g in (4100, 4101, 4102, 4103)')).toEqual(['UPDATE 4']);
  expect(await run('delete from t where id in (-5, 4100, 4101, 4102)')).toEqual(['DELETE 3']);
  await run('rollback');
});

it('remembers the keys of the list in a serializable transaction, and no others', async () => {
  const other = test.session();
  for (const [inserted, conflicts] of [
    [7003, true],
    [7004, false],
  ] as const) {
    await run('begin isolation level serializable');
    await runStatement(other, 'begin isolation level serializable');
    await run('select count(h) from t where id in (7001, 7003, 7005)');
    await runStatement(other, 'select h from t where id = 8000');
    await runStatement(other, `insert into t values (${inserted})`);
    await run('insert into t values (8000)');
    await runStatement(other, 'commit');
    const end = await run('commit').then(String, String);
    if (conflicts) expect(end).toContain('40001');
    else expect(end).toBe('COMMIT');
    await run('delete from t where id > 6000');
  }
  other.close();
});
