/** Inheritance trees: they answer as one table with all the rows, and plans and transactions see them as they are. */
import { Random } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
});

afterEach(() => engine.close());

/** A table with columns in other orders, dropped ones, more of them, another engine, two parents. */
const TREE = [
  'create table tree (k int, v int, s text, n int default 7)',
  'create table m1 (more int default 1, twice int generated always as (v * 2) stored) inherits (tree) with (engine = lsm)',
  'create table m2 (n int default 7, s text, gone int, v int, k int, primary key (v, k)); alter table m2 drop column gone; alter table m2 inherit tree',
  'create table m3 (last int) inherits (m1, m2)',
];
const MEMBERS = ['tree', 'm1', 'm2', 'm3'];

const CONDITIONS = [
  't.k = $',
  't.k in (1, $)',
  't.k between 1 and 4',
  't.k = 2 and t.v = $',
  't.s is null',
  't.v = 4',
  't.k >= 6 or t.v = 1',
  "t.s = 'b'",
  't.k = (select max(k) from other)',
  'exists (select 1 from other where other.k = t.k)',
];

/** A statement over the table `t`, which stands for both. */
function statement(random: Random): string {
  const number = (): string => String(random.below(9));
  const condition = (): string => (CONDITIONS[random.below(CONDITIONS.length)] as string).replaceAll('$', number);
  switch (random.below(8)) {
    case 0:
      return `update t set k = (k + 1) % 9, s = s || '.' where ${condition()} and t.v < ${number()}00 returning *`;
    case 1:
      return `update t set n = n + 1 where ${condition()}`;
    case 2:
      return `update t set n = other.k from other where other.k = t.k and ${condition()} returning t.*`;
    case 3:
      return `delete from t where ${condition()} and t.v > ${number()}50 returning *`;
    case 4:
      return `merge into t using (values (${number()}, ${number()})) m (k, v) on t.k = m.k and t.v = m.v when matched and n > 8 then delete when matched then update set n = t.n + 1 when not matched then insert (k, v, s) values (m.k, m.v, 'm')`;
    case 5:
      return `select k, count(*), sum(n), min(s) from t where ${condition()} group by k`;
    case 6:
      return `select t.k, t.v, t, other.k from t left join other on other.k = t.k where ${condition()}`;
    default:
      return `select * from t where ${condition()} order by k, v, s for update`;
  }
}

describe('an inheritance tree', () => {
  it('answers as one table with its rows', async () => {
    for (const definition of TREE) expect(await run(session, definition)).toMatch(/TABLE$/);
    await run(session, 'create table plain (k int, v int, s text, n int default 7)');
    await run(session, 'create index on tree (k); create index on m1 (k); create index on m3 (n)');
    await run(session, 'create table other as select i as k from generate_series(2, 4) i');
    const random = new Random(11);
    for (let i = 0; i < 90; i++) {
      const [k, v] = [random.below(9), random.below(900)];
      const member = MEMBERS[random.below(MEMBERS.length)] as string;
      for (const table of [member, 'plain'])
        await run(session, `insert into ${table} (k, v, s) values (${k}, ${v}, '${'abc'[random.below(1) + (v % 3)]}')`);
      const text = statement(random);
      const over = async (table: string): Promise<string[]> =>
        (await rows(session, text.replaceAll(/\b(into|from|update) t\b/g, `$1 ${table} t`))).sort();
      const answer = await over('plain');
      expect([text, ...(await over('tree'))]).toEqual([text, ...answer]);
      expect(answer[0] ?? '').not.toMatch(/^\d{5}$/);
    }
    const sorted = (table: string): Promise<string[]> => rows(session, `select * from ${table} order by k, v, s, n`);
    expect(await sorted('tree')).toEqual(await sorted('plain'));
    const parts = MEMBERS.map((member) => `select k, v, s, n from only ${member}`).join(' union all ');
    expect(await sorted(`(${parts}) p`)).toEqual(await sorted('plain'));
    expect(Number((await rows(session, 'select count(*) from tree'))[0])).toBeGreaterThan(20);
    expect(await rows(session, 'select count(*) from m1 where twice <> v * 2 or more <> 1')).toEqual(['0']);
  });

  it('is planned anew when tables come and go', async () => {
    await run(session, 'create table t (a int); insert into t values (1); prepare q as select count(*) from t');
    expect(await rows(session, 'execute q')).toEqual(['1']);
    await run(session, 'create table c () inherits (t); insert into c values (2)');
    expect(await rows(session, 'execute q')).toEqual(['2']);
    await run(session, 'create table d () inherits (c); insert into d values (3)');
    expect(await rows(session, 'execute q')).toEqual(['3']);
    await run(session, 'alter table d no inherit c');
    expect(await rows(session, 'execute q')).toEqual(['2']);
    await run(session, 'alter table d inherit t; drop table c');
    expect(await rows(session, 'execute q')).toEqual(['2']);
    await run(session, 'begin; create table e () inherits (d); insert into e values (4)');
    expect(await rows(session, 'execute q')).toEqual(['3']);
    await run(session, 'rollback');
    expect(await rows(session, 'execute q')).toEqual(['2']);
  });
});
