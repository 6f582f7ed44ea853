/** What does not fit into memory goes to scratch files: the same answers with a tenth of the memory, and no file left. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestEngine, openEngine } from '../support/engine.js';
import { MemoryScratch } from '../support/memory-scratch.js';
import { runQuery, runStatement } from './answers.js';

const ROWS = 2_000;
/** Far less than a tenth of what the queries keep: 2,000 rows of some 700 bytes. */
const LIMIT_BYTES = 140_000;

describe('queries past their memory', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await openEngine();
    const session = engine.session();
    await runStatement(
      session,
      'create table t (id int primary key, g int, s text, n numeric, d date, a int[], j jsonb, f double precision)',
    );
    await runStatement(
      session,
      `insert into t select i, i * 7919 % 9973, repeat('text ', 120) || i * 31 % 10007, i * 13 % 1009 / 8.0, date '2020-01-01' + i % 700,
        case when i % 5 > 0 then array[i % 3, null, i % 11] end, jsonb_build_object('k', i % 97), i / 3.0
        from generate_series(1, ${ROWS}) i`,
    );
  });

  afterAll(() => engine.close());

  const spilled = (sql: string, memoryLimitBytes = LIMIT_BYTES): readonly unknown[] => {
    const scratch = new MemoryScratch();
    const { rows } = runQuery(engine, engine.session(), sql, { memoryLimitBytes, scratch });
    expect(scratch.made.length).toBeGreaterThan(0);
    expect(scratch).toMatchObject({ open: 0, bytesInUse: 0 });
    return rows.map((row) => row.map(String));
  };
  const whole = (sql: string): readonly unknown[] =>
    runQuery(engine, engine.session(), sql, {}).rows.map((row) => row.map(String));

  it.each([
    'select * from t order by s desc, id',
    'select id, a, j, s from t order by a nulls first, j desc, n, id',
    'select f, s from t order by d, n desc, id limit 900 offset 11',
  ])('sort by runs: %s', (sql) => {
    expect(spilled(sql)).toEqual(whole(sql));
  });

  it.each([
    'select s, count(*), sum(n), min(d), max(f), avg(g), count(distinct g) from t group by s order by s',
    'select g % 5000, j, a, count(*) filter (where id > 50) from t group by 1, 2, 3 order by 1, 2, 3',
    'select count(*), sum(c) from (select s, d, count(*) as c from t group by s, d having count(*) > 0) x',
    'select distinct s, d, j from t order by s, d',
    'select count(*), min(s), max(s) from (select distinct s from t) x',
    'select count(*) from (select s from t union select s || 1 from t) x',
  ])('group in passes: %s', (sql) => {
    expect(spilled(sql)).toEqual(whole(sql));
  });

  it('stop early when no more groups are wanted', () => {
    expect(spilled('select s, count(*) from t group by s limit 7')).toHaveLength(7);
    const rows = spilled('select distinct s from t limit 1500', 60_000);
    expect(rows).toHaveLength(1500);
    expect(new Set(rows.map(String)).size).toBe(1500);
  });

  it('give their files back when they fail or nobody reads on', () => {
    const scratch = new MemoryScratch();
    const run = (sql: string): unknown =>
      runQuery(engine, engine.session(), sql, { memoryLimitBytes: LIMIT_BYTES, scratch });
    expect(() => run('select 1 / (id - 1500), s from t order by s')).toThrow(
      expect.objectContaining({ code: '22012' }),
    );
    run('select * from (select * from t order by s) x limit 3');
    expect(scratch.made.length).toBeGreaterThan(3);
    expect(scratch).toMatchObject({ open: 0, bytesInUse: 0 });
  });

  it('are refused where there is no place for files', () => {
    expect(() =>
      runQuery(engine, engine.session(), 'select * from t order by s', { memoryLimitBytes: LIMIT_BYTES }),
    ).toThrow(expect.objectContaining({ code: '53200' }));
  });
});
