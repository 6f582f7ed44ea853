/** Estimates of conditions against constants: by common values and histograms, casts without work looked through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shareBeside, shareEqual, shareLike } from '../../src/plan/statistics/value-selectivity.js';
import type { ColumnStatistics } from '../../src/plan/catalog-port.js';
import { openEngine } from '../support/engine.js';
import { planQuery, runStatement } from '../exec/answers.js';

const byCode = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0);

describe('shares of a column', () => {
  const few: ColumnStatistics = {
    distinctCount: 2,
    nullFraction: 0.1,
    averageBytes: 4,
    mostCommon: [
      { value: 'oak', fraction: 0.6 },
      { value: 'ash', fraction: 0.3 },
    ],
  };
  const many: ColumnStatistics = {
    distinctCount: 1001,
    nullFraction: 0,
    averageBytes: 4,
    mostCommon: [{ value: 'x', fraction: 0.5 }],
    histogram: Array.from({ length: 21 }, (_, i) => `n${String(i).padStart(2, '0')}`),
  };
  const none: ColumnStatistics = { distinctCount: 10, nullFraction: 0, averageBytes: 4 };

  it('have a value that is common, and what is left for the others', () => {
    expect(shareEqual(few, 'oak', byCode)).toBe(0.6);
    expect(shareEqual(few, 'elm', byCode)).toBeCloseTo(0);
    expect(shareEqual(many, 'n05', byCode)).toBeCloseTo(0.5 / 1000);
    expect(shareEqual(none, 'any', byCode)).toBe(0.1);
  });

  it('lie beside a value', () => {
    expect(shareBeside(few, 'oak', true, false, byCode)).toBeCloseTo(0.3);
    expect(shareBeside(few, 'oak', true, true, byCode)).toBeCloseTo(0.9);
    expect(shareBeside(many, 'n10', false, false, byCode)).toBeCloseTo(0.5 + 0.5 * 0.525);
    expect(shareBeside(none, 'any', true, true, byCode)).toBeUndefined();
  });

  it('match a pattern, a little even where no bound does', () => {
    expect(shareLike(few, 'o%', false)).toBeCloseTo(0.6);
    expect(shareLike(few, 'O%', true)).toBeCloseTo(0.6);
    expect(shareLike(many, 'n1%', false)).toBeCloseTo((0.5 * 10) / 21);
    expect(shareLike(many, '%never%', false)).toBeCloseTo((0.5 * 0.25) / 21);
    expect(shareLike(none, 'o%', false)).toBeUndefined();
    expect(shareLike(few, 'o\\', false)).toBeUndefined();
  });
});

describe('estimates of rows', () => {
  let test: Awaited<ReturnType<typeof openEngine>>;
  let rowsOf: (sql: string) => number;

  beforeAll(async () => {
    test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, kind varchar(9), open bool)');
    await run(
      "insert into t select i, case when i % 10 < 8 then 'plain' when i % 10 = 8 then 'rare' end, i % 4 = 0 from generate_series(1, 2000) i",
    );
    await run('create table pair (id int primary key, name text)');
    await run("insert into pair select i, 'n' || i from generate_series(1, 25) i");
    await run('analyze');
    rowsOf = (sql) => Number(/rows=(\d+)/.exec(planQuery(session, sql).explain()[0] as string)?.[1]);
  });
  afterAll(() => test.close());

  it.each([
    ["kind = 'plain'", 1600],
    ["kind <> 'plain'", 200],
    ["kind in ('plain', 'rare')", 1800],
    ["kind not in ('plain', 'other')", 400],
    ['id in ($1, $2)', 2],
    ["kind like 'pl%'", 1600],
    ["kind not like 'pl%'", 200],
    ["kind ~ 'x'", 100],
    ["kind !~ 'x'", 1900],
    ['kind like $1', 100],
    ['open', 500],
    ['not open', 1500],
    ['id <> $1', 1990],
    ['id = any ($1)', 10],
    ['id > all ($1)', 1000],
  ])('where %s: %d', (condition, rows) => {
    expect(rowsOf(`select * from t where ${condition}`)).toBe(rows);
  });

  it('take what an OR over both sides implies of each only once', () => {
    const either = "(a.name = 'n1' and b.name = 'n2') or (a.name = 'n2' and b.name = 'n1')";
    expect(rowsOf(`select * from pair a, pair b, t where (${either}) and t.id > 0`)).toBeGreaterThan(3500);
  });
});
