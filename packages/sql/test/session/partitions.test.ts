/** Partitioned tables: they answer as plain ones do, read no more partitions than they must, and change in one transaction. */
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

const SHAPES: Readonly<Record<string, readonly string[]>> = {
  list: [
    'create table parted (k int, v int, s text, n int default 7, primary key (k, v)) partition by list (k)',
    'create table p0 partition of parted for values in (0, 3, 6)',
    'create table p1 partition of parted for values in (1, 2) with (engine = lsm)',
    'create table p2 partition of parted default',
  ],
  range: [
    'create table parted (k int, v int, s text, n int default 7, primary key (k, v)) partition by range (k)',
    'create table p0 partition of parted for values from (minvalue) to (2)',
    'create table p1 partition of parted for values from (2) to (5)',
    'create table p2 partition of parted for values from (6) to (maxvalue)',
    'create table p3 partition of parted default',
  ],
  'hash, and partitions that were tables': [
    'create table parted (k int, v int, s text, n int default 7) partition by hash (k, v)',
    'create table p0 (s text, gone int, v int not null, k int not null, n int); alter table p0 drop column gone',
    'alter table parted attach partition p0 for values with (modulus 2, remainder 0)',
    'create table p1 partition of parted for values with (modulus 2, remainder 1) partition by list (k)',
    'create table p1a (n int, k int not null, v int not null, s text)',
    'alter table p1 attach partition p1a for values in (0, 1, 2, 3)',
    'create table p1b partition of p1 default',
    'alter table parted add primary key (k, v)',
  ],
  'range of two': [
    'create table parted (k int, v int, s text, n int default 7, primary key (k, v)) partition by range (k, v)',
    'create table p0 partition of parted for values from (0, 0) to (1, 5)',
    'create table p1 partition of parted for values from (1, 5) to (3, minvalue)',
    'create table p2 partition of parted for values from (3, minvalue) to (3, maxvalue)',
    'create table p3 partition of parted default',
  ],
};

const CONDITIONS = [
  'k = 3',
  'k = $',
  'k in (1, $)',
  'k < 3',
  'k between 1 and 4',
  'k > $ and v < 6',
  'k = 2 and v = $',
  'k is null',
  'v = 4',
  'k >= 6 or v = 1',
  "s = 'b'",
  'k = any(array[2, $])',
  'k = (select max(k) from other)',
  'exists (select 1 from other where other.k = t.k)',
];

/** A statement over the table `t`, which stands for both. */
function statement(random: Random): string {
  const number = (): string => String(random.below(9));
  const condition = (): string => (CONDITIONS[random.below(CONDITIONS.length)] as string).replaceAll('$', number);
  const row = (): string => `(${number()}, ${number()}, '${'abc'[random.below(3)]}')`;
  switch (random.below(11)) {
    case 0:
    case 1:
      return `insert into t (k, v, s) values ${row()}`;
    case 2:
      return `insert into t as t (k, v, s) values ${row()}, ${row()} on conflict (k, v) do update set s = excluded.s || t.s returning *`;
    case 3:
      return `insert into t (k, v, s) select k, v + 1, s from t where ${condition()} on conflict do nothing`;
    case 4:
      return `update t set k = (k + 1) % 9 where ${condition()} and v = ${number()} returning *`;
    case 5:
      return `update t set n = n + 1 where ${condition()}`;
    case 6:
      return `delete from t where ${condition()} and v > ${number()} returning *`;
    case 7:
      return `merge into t using (values (${number()}, ${number()})) m (k, v) on t.k = m.k and t.v = m.v when matched and n > 8 then delete when matched then update set n = t.n + 1 when not matched then insert (k, v, s) values (m.k, m.v, 'm')`;
    case 8:
      return `select k, count(*), sum(n) from t where ${condition()} group by k`;
    case 9:
      return `select t.k, t.v, other.k from t left join other on other.k = t.k where ${condition().replaceAll(/\b(k|v|s)\b(?! from)/g, 't.$1')}`;
    default:
      return `select * from t where ${condition()}`;
  }
}

describe('a partitioned table', () => {
  for (const [shape, definitions] of Object.entries(SHAPES)) {
    it(`by ${shape} answers as a plain one`, async () => {
      for (const definition of definitions) expect(await run(session, definition)).toMatch(/TABLE$/);
      await run(session, 'create table plain (k int, v int, s text, n int default 7, primary key (k, v))');
      await run(session, 'create index on plain (n); create index on parted (n)');
      await run(session, 'create table other as select i as k from generate_series(2, 4) i');
      const random = new Random(7);
      let errors = 0;
      for (let i = 0; i < 70; i++) {
        const text = statement(random);
        const over = async (table: string): Promise<string[]> =>
          (
            await rows(
              session,
              text
                .replaceAll(/\b(into|from|update) t\b(?! as)/g, `$1 ${table} t`)
                .replaceAll('into t as', `into ${table} as`),
            )
          ).sort();
        const answer = await over('plain');
        expect([text, ...(await over('parted'))]).toEqual([text, ...answer]);
        if (/^\d{5}$/.test(answer[0] ?? '')) errors++;
      }
      expect(errors).toBeLessThan(25);
      const all = 'select * from only_these order by k, v';
      expect(await rows(session, all.replace('only_these', 'parted'))).toEqual(
        await rows(session, all.replace('only_these', 'plain')),
      );
      expect(Number((await rows(session, 'select count(*) from parted'))[0])).toBeGreaterThan(5);
    });
  }
});

describe('pruning', () => {
  beforeEach(async () => {
    await run(session, 'create table t (id int, day date, v int) partition by range (day)');
    for (let month = 1; month <= 6; month++)
      await run(
        session,
        `create table m${month} partition of t for values from ('2024-0${month}-01') to ('2024-0${month + 1}-01')`,
      );
    await run(
      session,
      "insert into t select i, date '2024-01-01' + i % 181, i from generate_series(0, 1809) i; analyze t",
    );
  });

  it('leaves out of the plan what constants exclude', async () => {
    const plan = async (where: string): Promise<string[]> =>
      [
        ...(await rows(session, `explain (costs off) select * from t where ${where}`)).join(' ').matchAll(/ on (m\d)/g),
      ].map(([, name]) => name ?? '');
    expect(await plan("day = '2024-03-05'")).toEqual(['m3']);
    expect(await plan("day >= '2024-05-15'")).toEqual(['m5', 'm6']);
    expect(await plan("day between '2024-02-10' and '2024-03-10' and v > 3")).toEqual(['m2', 'm3']);
    expect(await plan("day in ('2024-01-01', '2024-06-30')")).toEqual(['m1', 'm6']);
    expect(await plan("day < '2023-01-01'")).toEqual([]);
    expect(await plan('day is null')).toEqual([]);
    expect((await plan('v = 3')).length).toBe(6);
  });

  it('reads only what the parameters of a prepared statement leave', async () => {
    const { counters } = session.engine;
    const scanned = async (sql: string, ...parameters: string[]): Promise<number> => {
      const statement_ = session.prepareText(sql);
      const before = counters.rowsScanned;
      const days = parameters.map((text) => Number((Date.parse(text) - Date.UTC(2000, 0, 1)) / 86_400_000));
      await session.portal(statement_, days).fetch(0, () => undefined);
      await session.sync();
      return counters.rowsScanned - before;
    };
    expect(await scanned('select sum(v) from t where day = $1', '2024-02-05')).toBe(290);
    expect(await scanned('select sum(v) from t where day >= $1 and day < $2', '2024-02-05', '2024-02-07')).toBe(290);
    expect(await scanned('update t set v = v + 1 where day = $1', '2024-06-05')).toBe(290);
    expect(await scanned('select sum(v) from t')).toBe(1810);
  });

  it('keeps no more than a buffer of an append, and stops early', async () => {
    const { counters } = session.engine;
    const before = counters.rowsScanned;
    expect(await rows(session, 'select count(*) from (select id from t limit 3) l')).toEqual(['3']);
    expect(counters.rowsScanned - before).toBeLessThan(1000);
  });
});

describe('definitions', () => {
  it('come and go with their transaction', async () => {
    await run(session, 'create table t (a int) partition by list (a); create table d partition of t default');
    await run(session, 'begin; create table p partition of t for values in (1); insert into t values (1), (2)');
    expect(await rows(session, 'select tableoid::regclass::text, a from t order by 2')).toEqual(['p 1', 'd 2']);
    await run(session, 'rollback; insert into t values (1)');
    expect(await rows(session, 'select tableoid::regclass::text, a from t')).toEqual(['d 1']);
    expect(await rows(session, "select count(*) from pg_class where relname = 'p'")).toEqual(['0']);
  });

  it('of a part that goes leave its rows to it', async () => {
    await run(session, 'create table t (a int, b int) partition by list (a); create table d partition of t default');
    await run(session, 'create table p partition of t for values in (1); create index i on t (b)');
    await run(session, 'insert into t values (1, 1), (2, 2)');
    expect(await run(session, 'drop index p_b_idx')).toBe('2BP01');
    expect(await run(session, 'alter table t detach partition p; drop index p_b_idx')).toBe('DROP INDEX');
    expect(await rows(session, 'select a from t')).toEqual(['2']);
    expect(await run(session, 'insert into p values (7, 7); alter table t attach partition p for values in (1)')).toBe(
      '23514',
    );
    expect(await run(session, 'delete from p where a = 7; alter table t attach partition p for values in (1)')).toBe(
      'ALTER TABLE',
    );
    expect(await rows(session, "select count(*) from pg_inherits where inhparent = 'i'::regclass")).toEqual(['2']);
  });

  it('leave the columns that partitions are told apart by, however deep', async () => {
    await run(session, 'create table t (a int, b int, c int) partition by list (a)');
    await run(session, 'create table p partition of t for values in (1) partition by list (b)');
    expect(await run(session, 'alter table t alter column b type bigint')).toBe('42P16');
    expect(await run(session, 'alter table t drop column b')).toBe('42P16');
    expect(await run(session, 'alter table t alter column c type bigint')).toBe('ALTER TABLE');
  });

  it('find what a part of parts has had before', async () => {
    await run(
      session,
      'create table u (a int primary key); create table t (a int references u, primary key (a)) partition by list (a)',
    );
    await run(session, 'create table p partition of t for values in (1, 2) partition by list (a)');
    await run(session, 'create table q partition of p for values in (1); create index i on t (a)');
    const known =
      "select count(*) from pg_index where indrelid in ('p'::regclass, 'q'::regclass) union all select count(*) from pg_constraint where conrelid in ('p'::regclass, 'q'::regclass)";
    expect(await rows(session, known)).toEqual(['4', '4']);
    expect(
      await run(session, 'alter table t detach partition p; alter table t attach partition p for values in (1, 2)'),
    ).toBe('ALTER TABLE');
    expect(await rows(session, known)).toEqual(['4', '4']);
  });

  it('wait for writers, and writers for them', async () => {
    await run(session, 'create table t (a int) partition by list (a); create table d partition of t default');
    const other = engine.session();
    await run(other, 'begin; insert into t values (1)');
    const defined = run(session, 'create table p partition of t for values in (1)');
    await run(other, 'commit');
    expect(await defined).toBe('23514');
    await run(session, 'begin; create table p partition of t for values in (5)');
    const written = run(other, 'insert into t values (5)');
    await run(session, 'commit');
    expect(await written).toBe('INSERT 0 1');
    expect(await rows(session, 'select tableoid::regclass::text from t where a = 5')).toEqual(['p']);
  });

  it('take the rights of the table, not of the partitions', async () => {
    await run(session, 'create table t (a int) partition by list (a); create table p partition of t for values in (1)');
    await run(session, 'create role reader; grant select, insert, update, delete on t to reader; set role reader');
    expect(await run(session, 'insert into t values (1); update t set a = a; select * from t')).toBe('SELECT 1');
    expect(await run(session, 'select * from p')).toBe('42501');
    expect(await run(session, 'delete from t')).toBe('DELETE 1');
  });

  it('take the policies of the table that is named', async () => {
    await run(session, 'create table t (a int, b int) partition by list (a)');
    await run(session, 'create table p partition of t for values in (1); insert into t values (1, 1), (1, 2)');
    await run(session, 'alter table t enable row level security; create policy y on t using (b = 2)');
    await run(session, 'create role reader; grant select, insert on t, p to reader; set role reader');
    expect(await rows(session, 'select b from t')).toEqual(['2']);
    expect(await rows(session, 'select b from p')).toEqual(['1', '2']);
    expect(await run(session, 'insert into t values (1, 3)')).toBe('42501');
  });

  it('route rows past triggers of the partitions', async () => {
    await run(session, 'create table t (a int, b int) partition by list (a)');
    await run(session, 'create table p partition of t for values in (1)');
    await run(session, 'create table q partition of t for values in (2)');
    await run(
      session,
      'create function f() returns trigger language plpgsql as $$ begin if new.b = 0 then return null; end if; new.b := new.b * 10; return new; end $$',
    );
    await run(session, 'create trigger f before insert on p for each row execute function f()');
    expect(await rows(session, 'insert into t values (1, 1), (1, 0), (2, 3) returning a, b')).toEqual(['1 10', '2 3']);
    expect(await rows(session, 'update t set a = 3 - a returning tableoid::regclass::text, b')).toEqual([
      'q 10',
      'p 30',
    ]);
    await run(session, 'create trigger g before update on p for each row execute function f()');
    expect(await run(session, 'update t set b = b + 1 where a = 1')).toBe('UPDATE 1');
    expect(
      await rows(session, 'update t set a = 3 - a, b = 7 where a = 1 returning tableoid::regclass::text, b'),
    ).toEqual(['q 70']);
  });

  it('fire triggers of statements on the table that is named', async () => {
    await run(session, 'create table t (a int) partition by list (a); create table p partition of t for values in (1)');
    await run(session, 'create table seen (what text)');
    await run(
      session,
      "create function f() returns trigger language plpgsql as $$ begin insert into seen values (tg_table_name || ' ' || tg_op); return null; end $$",
    );
    await run(
      session,
      'create trigger f after insert or update or delete on t for each statement execute function f()',
    );
    await run(session, 'create trigger f after insert on p for each statement execute function f()');
    expect(await run(session, 'insert into t values (1), (1); update t set a = 1; delete from t')).toBe('DELETE 2');
    expect(await rows(session, 'select what from seen')).toEqual(['t INSERT', 't UPDATE', 't DELETE']);
  });

  it('add columns with all that comes with them', async () => {
    await run(session, 'create table r (id int primary key); create table t (a int, b int) partition by list (a)');
    await run(session, 'create table p partition of t for values in (1) partition by list (b)');
    await run(session, 'create table q partition of p default; insert into t values (1, 1)');
    await run(session, 'alter table t add column c int constraint cc check (c > 0) references r, add column d serial');
    expect(await rows(session, 'select d from t')).toEqual(['1']);
    expect(await run(session, 'insert into q (a, c) values (1, 0)')).toBe('23514');
    expect(await run(session, 'insert into t (a, c) values (1, 5)')).toBe('23503');
    expect(await run(session, 'insert into q (a) values (1); insert into t (a) values (1)')).toBe('INSERT 0 1');
    expect(await rows(session, 'select d from t order by d')).toEqual(['1', '4', '5']);
    expect(await run(session, 'alter table p drop constraint cc')).toBe('42P16');
    expect(await run(session, 'alter table t drop constraint cc, drop constraint t_c_fkey')).toBe('ALTER TABLE');
    expect(await run(session, 'insert into t (a, c) values (1, 0)')).toBe('INSERT 0 1');
    expect(await run(session, 'alter table t add column e int generated always as identity')).toBe('42P16');
    expect(await run(session, 'alter table t add column if not exists c text, drop column d')).toBe('ALTER TABLE');
    expect(await rows(session, 'select * from t where c = 0')).toEqual(['1 null 0']);
  });

  it('keep what the key is made of', async () => {
    await run(session, 'create schema s; create domain s.d as int');
    await run(session, 'create function s.f(int) returns int language sql immutable return $1 % 10');
    await run(session, 'create table t (a int) partition by range (s.f(a), ((a::s.d)))');
    await run(session, 'create table p partition of t for values from (1, 1) to (2, maxvalue)');
    expect(await run(session, 'drop function s.f(int)')).toBe('2BP01');
    expect(await run(session, 'drop domain s.d')).toBe('2BP01');
    await run(session, 'alter function s.f rename to g; alter domain s.d rename to e; alter schema s rename to z');
    expect(await run(session, 'insert into t values (31)')).toBe('INSERT 0 1');
    expect(await rows(session, "select pg_get_partkeydef('t'::regclass)")).toEqual(['RANGE (z.g(a), ((a)::z.e))']);
    expect(await run(session, 'drop domain z.e cascade; select * from p')).toBe('42P01');
  });

  it('take orders of bytes by any name for keys', async () => {
    await run(
      session,
      'create table t (a text collate "C", b text) partition by range ((b collate "POSIX"), a text_pattern_ops)',
    );
    expect(await rows(session, "select pg_get_partkeydef('t'::regclass)")).toEqual(['RANGE (b, a text_pattern_ops)']);
    expect(await run(session, "create table p partition of t for values from ('a', 'b') to ('b', minvalue)")).toBe(
      'CREATE TABLE',
    );
    expect(await run(session, "insert into t values ('x', 'a'); insert into t values ('A', 'b')")).toBe('23514');
    expect(await run(session, 'create table u (a int) partition by list (a text_ops)')).toBe('42804');
    expect(await run(session, 'create table u (a int, b int) partition by list (((a, b)))')).toBe('42P16');
  });

  it('set constraints of all partitions at once', async () => {
    await run(session, 'create table t (a int, constraint k unique (a) deferrable) partition by list (a)');
    await run(session, 'create table p (a int, constraint own unique (a) deferrable)');
    await run(session, 'alter table t attach partition p for values in (1, 2); insert into t values (1)');
    await run(session, 'begin; set constraints k deferred');
    expect(await run(session, 'insert into t values (1)')).toBe('INSERT 0 1');
    expect(await run(session, 'commit')).toBe('23505');
  });

  it('refuse what is not there', async () => {
    await run(session, 'create table t (a int primary key) partition by list (a); create table u (a int primary key)');
    for (const text of [
      'create index concurrently on t (a)',
      'create table c (a text) partition by list (a collate "de")',
      'alter table t set (engine = lsm)',
    ])
      expect([text, await run(session, text)]).toEqual([text, '0A000']);
  });
});
