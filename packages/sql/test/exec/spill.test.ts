/** What does not fit into memory goes to scratch files: the same answers with a tenth of the memory, and no file left. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkArea } from '../../src/exec/spill/work-area.js';
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

  const spilled = (sql: string, memoryLimitBytes = LIMIT_BYTES, purpose?: string): readonly unknown[] => {
    const scratch = new MemoryScratch();
    const { rows } = runQuery(engine, engine.session(), sql, { memoryLimitBytes, scratch });
    expect(scratch.made.length).toBeGreaterThan(0);
    if (purpose !== undefined) expect(scratch.made).toContain(purpose);
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

  it('group along a key within memory, and write nothing', () => {
    const scratch = new MemoryScratch();
    const sql =
      'select id, string_agg(s, s), sum(n), count(distinct g), min(d) from t group by id having count(*) = 1 and max(n) > 3';
    const { rows } = runQuery(engine, engine.session(), sql, { memoryLimitBytes: LIMIT_BYTES, scratch });
    expect(rows.map((row) => row.map(String))).toEqual(whole(sql.replace('group by id', 'group by id + 0, id')));
    expect(scratch.made).toEqual([]);
  });

  it.each([
    // One side has each key once, the other 1,900 keys up to three times; texts on both.
    'select a.id, b.id, b.s from t a join t b on a.s = b.s order by a.id',
    'select a.id, b.s from t a left join (select * from t where id % 3 > 0) b on b.s = a.s and b.id < a.g order by a.id',
    'select a.g, b.id, b.j from t a left join t b on b.g = a.g % 700 order by 1, 2',
    'select id from t a where not exists (select * from t b where b.s = a.s and b.n < a.id) order by id',
    'select id from t a where exists (select * from t b where b.s || 1 = a.s || 1 and b.n < 40) order by id',
    'select id from t where s not in (select s from t where id % 2 = 0) order by id',
    'select count(*) from t where s not in (select case when id > 1 then s end from t)',
    'select count(*), sum(b.id), min(c.s) from t a join t b on b.s = a.s join t c on c.s = b.s left join t d on d.s = c.s and d.id < 9',
  ])('join in passes: %s', (sql) => {
    expect(spilled(sql, LIMIT_BYTES, 'join')).toEqual(whole(sql));
  });

  it.each([
    'select f, s from t order by d, n desc, id limit 900 offset 11',
    'select s, count(*), sum(n) from t group by s order by s',
    'select a.id, b.s from t a left join t b on b.s = a.s and b.id < a.g order by a.id',
  ])('hold what work_mem says, and no more: %s', async (sql) => {
    const session = engine.session();
    const made = (): number => {
      const scratch = new MemoryScratch();
      const { rows } = runQuery(engine, session, sql, { scratch });
      expect(rows.map((row) => row.map(String))).toEqual(whole(sql));
      expect(scratch).toMatchObject({ open: 0, bytesInUse: 0 });
      return scratch.made.length;
    };
    expect(made()).toBe(0);
    await runStatement(session, "set work_mem = '64kB'");
    const small = made();
    expect(small).toBeGreaterThan(1);
    await runStatement(session, "set work_mem = '256kB'");
    expect(made()).toBeLessThan(small);
  });

  it('grow what they hold, so that runs and passes are few', () => {
    const area = new WorkArea(100, 2);
    const sizes = Array.from({ length: 6 }, () => {
      const { bytesMax } = area;
      area.wrote();
      return bytesMax;
    });
    expect(sizes).toEqual([100, 100, 200, 200, 400, 400]);
  });

  it('join the rows of one key in one pass, however many wait', () => {
    const sql = 'select a.d, count(*) from t a join t b on b.d = a.d group by a.d order by 1';
    expect(spilled(sql, 60_000, 'join')).toEqual(whole(sql));
  });

  it('refuse a join when the rows of one key are more than memory', () => {
    const run = (): unknown =>
      spilled('select count(*) from t a join t b on b.id * 0 = a.id * 0 and b.s < a.s', 60_000);
    expect(run).toThrow(expect.objectContaining({ code: '53200' }));
  });

  it.each([
    'select id, s, row_number() over (partition by g % 90 order by s), sum(n) over (partition by g % 90) from t order by id',
    'select id, lag(s) over (partition by d order by id), max(f) over (partition by d order by id rows 2 preceding) from t order by 1',
    'select id, rank() over (partition by s order by f desc, id), count(*) over (partition by j) from t order by id',
    'select sum(r) from (select s, ntile(3) over (partition by id % 1500 order by s) as r from t) x',
  ])('compute windows partition by partition: %s', (sql) => {
    expect(spilled(sql)).toEqual(whole(sql));
  });

  it('refuse a partition that is more than memory', () => {
    expect(() => spilled('select row_number() over (order by s), s from t')).toThrow(
      expect.objectContaining({ code: '53200' }),
    );
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
