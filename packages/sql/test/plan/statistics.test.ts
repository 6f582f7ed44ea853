/** What ANALYZE finds, how it is kept, and that plans follow it. */
import { Random } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import type { TableDescriptor } from '@phantom/catalog';
import type { SqlEngine } from '../../src/session/engine.js';
import { PictureStatistics } from '../../src/session/picture-statistics.js';
import { TypeCatalog } from '../../src/types/type-catalog.js';
import { ColumnSample } from '../../src/plan/statistics/column-sample.js';
import { knownCombinations, shareOfAll } from '../../src/plan/statistics/group-estimates.js';
import { GroupSample } from '../../src/plan/statistics/group-sample.js';
import type { StoredGroup } from '../../src/plan/statistics/stored-statistics.js';
import { StatisticsCatalog } from '../../src/plan/statistics/statistics-catalog.js';
import type { SqlType } from '../../src/types/type.js';
import { openEngine } from '../support/engine.js';
import { planQuery, runStatement } from '../exec/answers.js';

const types = new TypeCatalog(() => undefined);
const int4 = types.byOid(23) as SqlType;
const text = types.byOid(25) as SqlType;

describe('a column sample', () => {
  it('knows nulls, all values of a small domain, and order', () => {
    const sample = new ColumnSample(int4, 100);
    for (let i = 0; i < 1000; i++) sample.add(i % 10 === 0 ? null : i % 4);
    const summary = sample.summary(1000);
    expect(summary.nullFraction).toBeCloseTo(0.1);
    expect(summary.distinctCount).toBe(4);
    expect(summary.mostCommon.map(({ value }) => value).sort()).toEqual([0, 1, 2, 3]);
    expect(summary.mostCommon.reduce((sum, { fraction }) => sum + fraction, 0)).toBeCloseTo(0.9);
    expect(summary.histogram).toEqual([]);
  });

  it('makes a histogram of what is not common, and scales distinct values of a share of the rows', () => {
    const sample = new ColumnSample(int4, 100);
    for (let i = 0; i < 3000; i++) sample.add(i % 3 === 0 ? 7 : i);
    const summary = sample.summary(30_000);
    expect(summary.mostCommon[0]).toMatchObject({ value: 7 });
    expect(summary.mostCommon[0]?.fraction).toBeCloseTo(1 / 3, 1);
    expect(summary.histogram.length).toBe(101);
    expect(summary.distinctCount).toBeGreaterThan(2_500);
    expect(summary.correlation).toBeGreaterThan(0.3);
  });

  it.each([1, 4, 300])('tells from a twentieth of the rows how many values %d rows each have', (rowsEach) => {
    const sample = new ColumnSample(int4, 100);
    const random = new Random(7);
    for (let row = 0; row < 600_000; row++) if (random.chance(0.05)) sample.add(Math.floor(row / rowsEach));
    const distinct = 600_000 / rowsEach;
    expect(Math.abs(sample.summary(600_000).distinctCount - distinct) / distinct).toBeLessThan(0.15);
  });

  it('keeps no long values', () => {
    const sample = new ColumnSample(text, 100);
    for (let i = 0; i < 300; i++) sample.add('x'.repeat(1000) + (i % 2));
    expect(sample.summary(300)).toMatchObject({ mostCommon: [], histogram: [], distinctCount: 2 });
  });
});

describe('a sample of columns together', () => {
  /** Runs a generator to its end. */
  function whole<T>(work: Generator<undefined, T, void>): T {
    for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
  }

  it('counts combinations, and tells which values follow from which', () => {
    const sample = new GroupSample([1, 3, 4], [int4, int4, text]);
    // 3 follows from 1, and 4 from 1 and 3 for half of the rows.
    for (let i = 0; i < 400; i++) sample.add([i % 20, (i % 20) >> 2, i % 2 === 0 ? null : `n${i}`]);
    expect(whole(sample.distinct(400))).toEqual([
      { columns: [1, 3], distinct: 20 },
      { columns: [1, 4], distinct: 210 },
      { columns: [3, 4], distinct: 205 },
      { columns: [1, 3, 4], distinct: 210 },
    ]);
    const dependencies = whole(sample.dependencies());
    expect(dependencies).toContainEqual({ from: [1], to: 3, degree: 1 });
    expect(dependencies).toContainEqual({ from: [1], to: 4, degree: 0.5 });
    expect(dependencies).toContainEqual({ from: [4], to: 1, degree: 0.5 });
    expect(dependencies.some(({ from, to }) => from.join() === '3' && to === 1)).toBe(false);
  });

  it('scales a share of the rows', () => {
    const sample = new GroupSample([1, 2], [int4, int4]);
    for (let i = 0; i < 1000; i++) sample.add([i % 10, i]);
    const [pair] = whole(sample.distinct(50_000));
    expect(pair?.distinct).toBe(50_000);
    const empty = new GroupSample([1, 2], [int4, int4]);
    expect(whole(empty.distinct(10))).toEqual([{ columns: [1, 2], distinct: 0 }]);
    expect(whole(empty.dependencies())).toEqual([]);
  });
});

describe('estimates by columns together', () => {
  const group: StoredGroup = {
    columns: [1, 2, 3],
    distinct: [
      { columns: [1, 2], distinct: 50 },
      { columns: [1, 2, 3], distinct: 70 },
    ],
    dependencies: [
      { from: [1], to: 2, degree: 1 },
      { from: [2], to: 3, degree: 0.5 },
      { from: [1], to: 3, degree: 0.8 },
      { from: [1, 2], to: 3, degree: 1 },
    ],
  };

  it('leave out what follows from the rest', () => {
    expect(
      shareOfAll(
        [group],
        new Map([
          [1, 0.01],
          [2, 0.1],
        ]),
      ),
    ).toBeCloseTo(0.01);
    expect(
      shareOfAll(
        [group],
        new Map([
          [1, 0.01],
          [2, 0.1],
          [3, 0.2],
        ]),
      ),
    ).toBeCloseTo(0.01);
    expect(
      shareOfAll(
        [group],
        new Map([
          [2, 0.1],
          [3, 0.2],
        ]),
      ),
    ).toBeCloseTo(0.5 * 0.1 + 0.5 * 0.02);
    expect(
      shareOfAll(
        [group],
        new Map([
          [4, 0.1],
          [5, 0.2],
        ]),
      ),
    ).toBeCloseTo(0.02);
    expect(
      shareOfAll(
        [group],
        new Map([
          [1, 0],
          [2, 0.2],
        ]),
      ),
    ).toBe(0);
  });

  it('count combinations of as many columns as are known', () => {
    expect(knownCombinations([group], new Set([1, 2, 3, 9]))?.distinct).toBe(70);
    expect(knownCombinations([group], new Set([1, 2]))?.distinct).toBe(50);
    expect(knownCombinations([group], new Set([2, 3]))).toBeUndefined();
  });

  it('hold for what an index finds and what is tested then', async () => {
    const test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, city int, country int)');
    await run('insert into t select i, i % 200, (i % 200) / 10 from generate_series(1, 4000) i');
    await run('create index t_city on t (city)');
    const rows = (): number => {
      const line = planQuery(session, 'select * from t where country = 0 and city = 7').explain()[0] as string;
      expect(line).toContain('using t_city on t');
      return Number(/rows=(\d+)/.exec(line)?.[1]);
    };
    await run('analyze');
    expect(rows()).toBe(1);
    await run('create statistics (dependencies) on city, country from t');
    await run('analyze');
    expect(rows()).toBeGreaterThan(15);
    await test.close();
  });
});

describe('the size of a table', () => {
  it.each([
    // What the engine says now, what it said at ANALYZE, what was counted then.
    { now: 1000, then: 600, counted: 1000, rows: 1000 },
    { now: 600, then: 600, counted: 1000, rows: 1000 },
    { now: 2000, then: 1000, counted: 1000, rows: 2000 },
    { now: 2000, then: 500, counted: 1000, rows: 2000 },
    { now: 300, then: 600, counted: 1000, rows: 500 },
    { now: 300, then: 1000, counted: 600, rows: 300 },
    { now: 70, then: 0, counted: 0, rows: 70 },
  ])('of $counted rows, once estimated as $then and now as $now, is $rows', ({ now, then, counted, rows }) => {
    const engine = {
      statistics: { of: () => ({ rows: counted, estimatedRows: then, columns: {} }), rowsWritten: () => 0 },
      storage: { estimate: () => ({ keys: now, bytes: 0 }) },
    } as unknown as SqlEngine;
    const table = { oid: 1, space: 1 } as unknown as TableDescriptor;
    expect(new PictureStatistics(engine, types, () => []).rowCount(table)).toBeCloseTo(rows);
  });
});

describe('ANALYZE', () => {
  it('is kept in the store, follows its transaction, and changes plans', async () => {
    const test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, kind int, note text)');
    await run('create index t_kind on t (kind)');
    await run("insert into t select i, case when i < 40 then i else 100 end, 'n' from generate_series(1, 3000) i");
    const explain = (sql: string): string => planQuery(session, sql).explain({ costs: false })[0] as string;
    await run('analyze t');
    expect(explain('select * from t where kind = 7')).toBe('Index Scan using t_kind on t');
    expect(explain('select * from t where kind = 100')).toBe('Seq Scan on t');
    // A range by itself is estimated from the common values and the histogram, not guessed.
    expect(planQuery(session, 'select * from t where kind >= 100').explain()[0]).toMatch(
      /Seq Scan on t .*rows=29\d\d\)/,
    );
    const { statistics } = test.engine;
    const { version } = statistics;
    await run('begin');
    await run('analyze');
    await run('rollback');
    expect(statistics.version).toBe(version);
    const reread = new StatisticsCatalog(test.engine.catalog.keys, () => test.store.view());
    const oid = planQuery(session, 'select * from t').dependencies[0]?.oid as number;
    expect(reread.of(oid)).toEqual(statistics.of(oid));
    expect(statistics.of(oid)?.rows).toBe(3000);
    expect((await run('analyze missing'))[0]).toContain('42P01');
    expect((await run('analyze t (missing)'))[0]).toContain('42703');
    expect(await run('vacuum (analyze) t')).toEqual(['VACUUM']);
    expect(await run('vacuum')).toEqual(['VACUUM']);
    await test.close();
  });

  it('tells how many rows a value from outside has, and what an inverted index has of a constant array', async () => {
    const test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, k int, tags int[])');
    await run('create index t_k on t (k)');
    await run('create index t_tags on t using gin (tags)');
    await run('insert into t select i, i % 10, array[i % 500, 1000] from generate_series(1, 5000) i');
    await run('analyze t');
    const explain = (sql: string): string => planQuery(session, sql).explain().join('\n');
    expect(explain('select (select id from t where k = g limit 1) from generate_series(1, 5) g')).toMatch(
      /using t_k on t .*rows=500\)/,
    );
    expect(explain('select * from t where tags @> array[10]')).toMatch(/using t_tags on t .*rows=\d\)/);
    expect(explain("select * from t where tags @> array['10']::int[]")).toMatch(/using t_tags on t .*rows=\d\)/);
    expect(explain('select * from t where tags @> array[1000]')).toMatch(/Seq Scan on t/);
    expect(explain('select * from t where tags @> array[id]')).toMatch(/Filter: \(tags @> ARRAY\[id\]\)/);
    expect(explain('select array[[1, 2], [3, 4]] || array[5, 6]')).not.toContain('ARRAY');
    await test.close();
  });

  it('tells of tables that have changed much', async () => {
    const test = await openEngine();
    const session = test.session();
    await runStatement(session, 'create table t (id int primary key)');
    const stale: number[] = [];
    test.engine.statistics.onStale((oid) => stale.push(oid));
    await runStatement(session, 'insert into t select * from generate_series(1, 400)');
    expect(stale).toHaveLength(0);
    await runStatement(session, 'insert into t select * from generate_series(401, 900)');
    expect(stale).toHaveLength(1);
    await runStatement(session, 'delete from t where id < 300');
    expect(stale).toHaveLength(1);
    await test.close();
  });
});
