/**
 * Ternary logic partitioning (M. Rigger and Z. Su, OOPSLA 2020) and its like: a query and its rewriting into parts must agree,
 * whatever the data. Rows with p, with NOT p and with p IS NULL make up all rows; counting equals filtering; every join
 * kind relates to the others; both back ends and every rule switched off give the same.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { RULES } from '../../src/plan/rules/rules.js';
import { WAYS } from '../../src/plan/physical/ways.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { type RunOptions, runQuery, runStatement } from './answers.js';

let engine: TestEngine;
let session: SqlSession;
let tables = 0;

beforeAll(async () => {
  engine = await openEngine();
  session = engine.session();
});
afterAll(() => engine.close());

const smallInteger = fc.option(fc.integer({ min: -2, max: 3 }), { nil: null });
const smallText = fc.option(fc.constantFrom('', 'a', 'b', 'ab'), { nil: null });
const rowsOf = fc.array(fc.tuple(smallInteger, smallInteger, smallText), { maxLength: 12 });

type Rows = readonly (readonly [number | null, number | null, string | null])[];

/** Conditions over a and b (integers) and s (text) of one or two tables. */
const atom = (names: readonly string[]): fc.Arbitrary<string> => {
  const integer = fc.oneof(
    fc.constantFrom(...names.flatMap((n) => [`${n}.a`, `${n}.b`])),
    fc.integer({ min: -2, max: 3 }).map(String),
    fc.constantFrom(...names.map((n) => `${n}.a + ${n}.b`)),
  );
  const comparison = fc.constantFrom('=', '<>', '<', '<=', '>', '>=');
  return fc.oneof(
    fc.tuple(integer, comparison, integer).map((parts) => parts.join(' ')),
    fc
      .constantFrom(...names)
      .chain((n) =>
        fc.constantFrom(
          `${n}.s = 'a'`,
          `${n}.s like 'a%'`,
          `${n}.a is null`,
          `${n}.b in (1, 2, null)`,
          `${n}.a between 0 and ${n}.b`,
          `coalesce(${n}.a, 0) > 0`,
          `case when ${n}.a > 0 then ${n}.b > 0 end`,
        ),
      ),
  );
};

const condition = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.letrec<{ tree: string; atom: string }>((tie) => ({
    atom: atom(names),
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('atom'),
      tie('tree').map((x) => `not (${x})`),
      fc.tuple(tie('tree'), tie('tree')).map(([x, y]) => `(${x}) and (${y})`),
      fc.tuple(tie('tree'), tie('tree')).map(([x, y]) => `(${x}) or (${y})`),
    ),
  })).tree;

function sqlValue(value: number | string | null): string {
  return value === null ? 'null' : typeof value === 'number' ? String(value) : `'${value}'`;
}

/** A fresh table with these rows; every other one has indexes of columns and expressions, the rest have partial ones. */
async function fill(rows: Rows): Promise<string> {
  const name = `t${++tables}`;
  await runStatement(session, `create table ${name} (id int primary key, a int, b int, s text)`);
  const indexes =
    tables % 2 === 0 ? ['(a, b)', '((a + b)) include (s)'] : ['(b) include (s, a) where a > 0', '(s) where a is null'];
  for (const index of indexes) await runStatement(session, `create index on ${name} ${index}`);
  if (rows.length > 0) {
    const values = rows.map((row, i) => `(${i}, ${row.map(sqlValue).join(', ')})`).join(', ');
    await runStatement(session, `insert into ${name} values ${values}`);
  }
  return name;
}

/** The rows as a multiset. */
function bag(sql: string, options?: RunOptions): string[] {
  return runQuery(engine, session, sql, options)
    .rows.map((row) => row.map((value) => (value === null ? 'null' : String(value))).join('|'))
    .sort();
}

const settings = { seed: 8, numRuns: 12 };

describe('one table', () => {
  it('is the sum of its three partitions, and counts what it filters', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, condition(['t']), async (rows, p) => {
        const t = await fill(rows);
        const all = bag(`select t.id, t.s from ${t} t`);
        const parts = [`${p}`, `not (${p})`, `(${p}) is null`].flatMap((q) =>
          bag(`select t.id, t.s from ${t} t where ${q}`),
        );
        expect(parts.sort()).toEqual(all);
        const counted = bag(`select count(*) from ${t} t where ${p}`);
        expect(counted).toEqual(bag(`select count(*) filter (where ${p}) from ${t} t`));
        expect(counted).toEqual(bag(`select coalesce(sum(case when ${p} then 1 else 0 end), 0) from ${t} t`));
        expect(counted).toEqual(bag(`select count(*) from ${t} t where ${p}`, { backEnd: 'closures' }));
      }),
      settings,
    );
  });

  it('groups as it filters', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, condition(['t']), async (rows, p) => {
        const t = await fill(rows);
        const grouped = bag(`select t.a, count(*), max(t.b), count(distinct t.s) from ${t} t where ${p} group by t.a`);
        const distinct = bag(`select distinct t.a from ${t} t where ${p}`);
        expect(grouped.map((line) => line.split('|')[0]).sort()).toEqual(distinct);
        const again = bag(
          `select x.a, (select count(*) from ${t} t where (${p}) and t.a is not distinct from x.a), (select max(t.b) from ${t} t where (${p}) and t.a is not distinct from x.a), (select count(distinct t.s) from ${t} t where (${p}) and t.a is not distinct from x.a) from (select distinct t.a from ${t} t where ${p}) x`,
        );
        expect(again).toEqual(grouped);
      }),
      settings,
    );
  });
});

describe('two tables', () => {
  it('relate their joins', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, rowsOf, condition(['t', 'u']), async (left, right, p) => {
        const t = await fill(left);
        const u = await fill(right);
        const on = `t.a = u.a and (${p})`;
        for (const q of [p, on]) {
          const inner = bag(`select t.id, u.id from ${t} t join ${u} u on ${q}`);
          expect(bag(`select t.id, u.id from ${t} t cross join ${u} u where ${q}`)).toEqual(inner);
          const leftOnly = bag(`select t.id, null from ${t} t where not exists (select 1 from ${u} u where ${q})`);
          const rightOnly = bag(`select null, u.id from ${u} u where not exists (select 1 from ${t} t where ${q})`);
          expect(bag(`select t.id, u.id from ${t} t left join ${u} u on ${q}`)).toEqual([...inner, ...leftOnly].sort());
          expect(bag(`select t.id, u.id from ${t} t right join ${u} u on ${q}`)).toEqual(
            [...inner, ...rightOnly].sort(),
          );
          expect(bag(`select t.id, u.id from ${t} t full join ${u} u on ${q}`)).toEqual(
            [...inner, ...leftOnly, ...rightOnly].sort(),
          );
          const some = bag(`select t.id from ${t} t where exists (select 1 from ${u} u where ${q})`);
          expect(bag(`select distinct t.id from ${t} t join ${u} u on ${q}`)).toEqual(some);
          expect(
            bag(`select t.id from ${t} t, lateral (select count(*) n from ${u} u where ${q}) x where x.n > 0`),
          ).toEqual(some);
        }
      }),
      settings,
    );
  });

  it('answer IN and NOT IN as ANY and ALL', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, rowsOf, condition(['u']), async (left, right, p) => {
        const t = await fill(left);
        const u = await fill(right);
        const query = `select u.b from ${u} u where ${p}`;
        expect(bag(`select t.id from ${t} t where t.a in (${query})`)).toEqual(
          bag(`select t.id from ${t} t where t.a = any (array(${query}))`),
        );
        expect(bag(`select t.id from ${t} t where t.a not in (${query})`)).toEqual(
          bag(`select t.id from ${t} t where t.a <> all (array(${query}))`),
        );
        expect(bag(`select t.id, t.a in (${query}) from ${t} t`)).toEqual(
          bag(`select t.id, t.a = any (array(${query})) from ${t} t`),
        );
      }),
      settings,
    );
  });

  it('do not depend on any one rule or way, nor on the back end', async () => {
    const names = [...RULES.map((rule) => rule.name), ...WAYS];
    await fc.assert(
      fc.asyncProperty(rowsOf, rowsOf, condition(['t', 'u']), condition(['t']), async (left, right, p, q) => {
        const t = await fill(left);
        const u = await fill(right);
        const queries = [
          `with w as (select t.id, t.a, t.b, t.s from ${t} t where ${q}) select t.id, u.id from w t left join ${u} u on t.a = u.b where (${p}) or u.id is null`,
          `select x.a, x.n from (select t.a, count(*) n from ${t} t group by t.a) x where x.a in (select u.a from ${u} u where u.b = x.n)`,
          `select t.id from ${t} t where (${q}) and not exists (select 1 from ${u} u where ${p}) union select u.id from ${u} u`,
        ];
        for (const sql of queries) {
          const answer = bag(sql);
          for (const name of names) expect(bag(sql, { withoutRules: new Set([name]) }), name).toEqual(answer);
          expect(bag(sql, { backEnd: 'closures' })).toEqual(answer);
          expect(bag(sql, { backEnd: 'generated' })).toEqual(answer);
        }
      }),
      { seed: 8, numRuns: 6 },
    );
  });
});
