/** Estimates of conditions against constants: by common values and histograms, casts without work looked through. */
import { Decimal } from '@phantom/codec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  averageShare,
  countShare,
  extremeShare,
  momentsOf,
  shareOfGroups,
  sumShare,
} from '../../src/plan/statistics/group-selectivity.js';
import { distinctAmong, shareOfPairs } from '../../src/plan/statistics/join-selectivity.js';
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

describe('shares of groups', () => {
  it('have a count, by chance, that compares so', () => {
    // One row is in each group at least: of Poisson's numbers with the mean 1, 0 is left out.
    const none = Math.exp(-1);
    expect(countShare(1, '=', 1)).toBeCloseTo(none / (1 - none));
    expect(countShare(1, '>', 0)).toBeCloseTo(1);
    expect(countShare(1, '<', 1)).toBeCloseTo(0);
    expect(countShare(4, '>=', 10) + countShare(4, '<', 10)).toBeCloseTo(1);
    expect(countShare(4, '<>', 3) + countShare(4, '=', 3)).toBeCloseTo(1);
    expect(countShare(10_000, '>', 10_000)).toBeCloseTo(0.5, 1);
    expect(countShare(10_000, '<=', 9_000)).toBeLessThan(1e-6);
  });

  it('have a sum, a mean, a least and a greatest', () => {
    const even = momentsOf({ distinctCount: 50, nullFraction: 0.5, averageBytes: 4, histogram: [0, 50, 100] });
    expect(even?.mean).toBeCloseTo(50);
    expect(even?.square).toBeCloseTo(10_000 / 3);
    const known = { mean: 50, square: 10_000 / 3 };
    expect(sumShare(100, known, '>', 5000)).toBeCloseTo(0.5);
    expect(sumShare(100, known, '>', 7000)).toBeLessThan(0.001);
    expect(averageShare(100, known, '<', 45)).toBeLessThan(0.05);
    expect(averageShare(1, { mean: 3, square: 9 }, '<', 4)).toBe(1);
    expect(averageShare(1, { mean: 3, square: 9 }, '<', 2)).toBe(0);
    expect(averageShare(1, { mean: 3, square: 9 }, '<', 3)).toBe(0.5);
    expect(extremeShare(3, true, 0.5, 0.5, '>')).toBeCloseTo(0.875);
    expect(extremeShare(3, false, 0.5, 0.5, '<')).toBeCloseTo(0.875);
  });

  it('are told of no other values than numbers, and of each class of groups', () => {
    const texts = { distinctCount: 2, nullFraction: 0, averageBytes: 4 };
    expect(momentsOf({ ...texts, mostCommon: [{ value: 'a', fraction: 1 }] })).toBeUndefined();
    expect(momentsOf({ ...texts, histogram: ['a', 'b'] })).toBeUndefined();
    expect(momentsOf(texts)).toBeUndefined();
    const mixed = [
      { value: 2n, fraction: 0.5 },
      { value: Decimal.parse('4.0'), fraction: 0.5 },
    ];
    expect(momentsOf({ ...texts, mostCommon: mixed })).toEqual({ mean: 3, square: 10 });
    const classes = [
      { groups: 1, rows: 100 },
      { groups: 3, rows: 1 },
    ];
    expect(shareOfGroups(classes, (rows) => (rows > 10 ? 1 : 0))).toBe(0.25);
    expect(shareOfGroups([], () => 1)).toBe(0);
  });
});

describe('shares of pairs', () => {
  const skewed = (fractions: readonly number[], distinctCount: number): ColumnStatistics => ({
    distinctCount,
    nullFraction: 0,
    averageBytes: 4,
    mostCommon: fractions.map((fraction, i) => ({ value: `v${i}`, fraction })),
  });

  it('are matched by common values', () => {
    const column = skewed([0.5, 0.25], 102);
    // Half and a quarter meet themselves, the rest one of a hundred.
    expect(shareOfPairs(column, column, byCode)).toBeCloseTo(0.25 + 0.0625 + 0.0625 / 100);
    const other: ColumnStatistics = { ...skewed([], 100), mostCommon: [{ value: 'x', fraction: 0.5 }] };
    expect(shareOfPairs(column, other, byCode)).toBeCloseTo(0.25 / 101 + 0.375 / 102, 2);
    expect(shareOfPairs(column, skewed([], 5), byCode)).toBeUndefined();
    expect(shareOfPairs({ distinctCount: 1, nullFraction: 0, averageBytes: 4 }, column, byCode)).toBeUndefined();
  });

  it('have fewer different values among fewer rows', () => {
    expect(distinctAmong(100, 1000, 1000)).toBe(100);
    expect(distinctAmong(100, 1000, 100)).toBeCloseTo(65.1, 0);
    expect(distinctAmong(1000, 1000, 10)).toBeCloseTo(10);
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
    await run('create table line (id int primary key, t_id int, n numeric(8, 2), note text)');
    await run(
      "insert into line select i, case when i % 10 < 3 then 7 else i % 500 end, i % 50, 'x' || i from generate_series(1, 5000) i",
    );
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

  it.each([
    // 350 groups: one of 1500 rows, the others of 10 on average.
    ['select t_id from line group by t_id having count(*) > 1000', 1, 1],
    ['select t_id from line group by t_id having count(*) > 5', 300, 340],
    ['select t_id from line group by t_id having 20 <= count(id)', 1, 4],
    ['select t_id from line group by t_id having count(*) <> 7', 300, 340],
    ['select t_id from line group by t_id having sum(n) > 400', 5, 70],
    ['select t_id from line group by t_id having avg(n) between 24 and 26', 1, 120],
    ['select t_id from line group by t_id having max(n) >= 48', 100, 160],
    ['select t_id from line group by t_id having min(n) < 1', 40, 90],
    // Of these nothing is known.
    ['select t_id from line group by t_id having sum(n * 2) > 400', 18, 18],
    ['select t_id from line group by t_id having count(distinct n) > 4', 18, 18],
    ['select t_id from line group by t_id having sum(n) > $1', 18, 18],
    ['select t_id from line group by t_id having max(note) || min(note) > $1', 18, 18],
    // All keys are among those of the lines, or 350 of them.
    ['select * from t where exists (select from line where line.id = t.id)', 1900, 2000],
    ['select * from t where exists (select from line where line.t_id = t.id)', 330, 370],
    ['select * from t where not exists (select from line where line.t_id = t.id)', 1630, 1670],
    ['select * from t where not exists (select from line where line.id = t.id)', 40, 40],
    // A fiftieth of the lines is left; of several lines, one suffices.
    ['select * from t where exists (select from line where line.t_id = t.id and line.n > 48)', 60, 110],
    ["select * from t where exists (select from line where line.t_id = t.id and line.note > t.kind || 'x')", 330, 360],
    ['select * from t where exists (select from line where line.t_id + 1 = t.id + 1)', 1000, 1000],
    ['select * from t where id in (select t_id + 1 from line group by 1)', 190, 210],
    // The lines of key 7 meet one another.
    ['select from line a, line b where a.t_id = b.t_id', 2_200_000, 2_400_000],
  ])('%s: %d to %d', (sql, least, most) => {
    const rows = rowsOf(sql);
    expect(rows).toBeGreaterThanOrEqual(least);
    expect(rows).toBeLessThanOrEqual(most);
  });

  it('take what an OR over both sides implies of each only once', () => {
    const either = "(a.name = 'n1' and b.name = 'n2') or (a.name = 'n2' and b.name = 'n1')";
    expect(rowsOf(`select * from pair a, pair b, t where (${either}) and t.id > 0`)).toBeGreaterThan(3500);
  });
});
