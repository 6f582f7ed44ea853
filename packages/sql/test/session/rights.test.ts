/**
 * Every right by itself: without it a statement is refused with 42501, with it the statement runs, and taken away again it is
 * refused as before. The role under test has nothing but what a case grants it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

/** A statement, and the grant that lets it pass. */
const CASES: readonly (readonly [statement: string, right: string])[] = [
  ['select a from s.t', 'select on s.t'],
  ['select a from s.t', 'select (a) on s.t'],
  ['select from s.t', 'select (b) on s.t'],
  ['select count(*) from s.t', 'select (b) on s.t'],
  ['select t from s.t', 'select on s.t'],
  ['table s.t', 'select on s.t'],
  ['select (select max(a) from s.t)', 'select on s.t'],
  ['select 1 where exists (select 1 from s.t where b = 1)', 'select (b) on s.t'],
  ['with x as (select a from s.t) select 1', 'select on s.t'],
  ['explain select a from s.t', 'select on s.t'],
  ['explain analyze select a from s.t', 'select on s.t'],
  ['create temporary table pg_temp.made as select a from s.t', 'select on s.t'],
  ['begin; declare c cursor for select a from s.t; rollback', 'select on s.t'],
  ['insert into s.t values (1, 2)', 'insert on s.t'],
  ['insert into s.t (a) values (1)', 'insert (a) on s.t'],
  ['insert into s.t default values', 'insert on s.t'],
  ['insert into s.t (a) values (1) returning a', 'insert, select (a) on s.t'],
  ['update s.t set a = 1', 'update on s.t'],
  ['update s.t set a = 1', 'update (a) on s.t'],
  ['update s.t set a = b', 'update (a), select (b) on s.t'],
  ['update s.t set a = 1 where b = 2', 'update (a), select (b) on s.t'],
  ['delete from s.t', 'delete on s.t'],
  ['delete from s.t where a = 1', 'delete, select (a) on s.t'],
  ['truncate s.t', 'truncate on s.t'],
  ['begin; lock table s.t in access share mode; rollback', 'select on s.t'],
  ['begin; lock table s.t in exclusive mode; rollback', 'update on s.t'],
  ['select a from s.t for update', 'select, update on s.t'],
  ['insert into s.t (a) values (1) on conflict (a) do nothing', 'insert, select (a) on s.t'],
  ['insert into s.t (a) values (1) on conflict (a) do update set b = 1', 'insert, select (a), update (b) on s.t'],
  [
    'merge into s.t using (values (1)) v(x) on t.a = v.x when matched then update set b = 1',
    'select (a), update (b) on s.t',
  ],
  ['merge into s.t using (values (7)) v(x) on t.a = v.x when matched then delete', 'select (a), delete on s.t'],
  [
    'merge into s.t using (values (7)) v(x) on t.a = v.x when not matched then insert values (7, 7)',
    'select (a), insert on s.t',
  ],
  ['select a from s.v', 'select on s.v'],
  ['select a from s.v for update', 'select, update on s.v'],
  ['select a from (select a from s.t) x for share', 'select, update on s.t'],
  ['insert into s.v values (3)', 'insert on s.v'],
  ['select * from s.m', 'select on s.m'],
  ["select nextval('s.q')", 'usage on sequence s.q'],
  ["select nextval('s.q')", 'update on sequence s.q'],
  ["select setval('s.q', 5)", 'update on sequence s.q'],
  ['select last_value from s.q', 'select on sequence s.q'],
  ['create table s.made (a int); drop table s.made', 'create on schema s'],
  ['create view s.made as select 1; drop view s.made', 'create on schema s'],
  ['create sequence s.made; drop sequence s.made', 'create on schema s'],
  ['create type s.made as enum (); drop type s.made', 'create on schema s'],
  ['create schema made; drop schema made', 'create on database phantom'],
  ['create temporary table pg_temp.made (a s.e)', 'usage on type s.e'],
  ['create temporary table pg_temp.made (a s.e[])', 'usage on type s.e'],
  ['create temporary table pg_temp.made (a s.d)', 'usage on domain s.d'],
  ['create temporary table pg_temp.made (like s.t)', 'select on s.t'],
  ['create temporary table pg_temp.made (like s.v including all)', 'select on s.v'],
  ['begin; create trigger made before insert on s.t for each row execute function s.tf(); rollback', 'trigger on s.t'],
  ['select s.f(1)', 'execute on function s.f(int)'],
  ['select * from s.many()', 'execute on function s.many()'],
  ['select s.total(1)', 'execute on function s.total(int)'],
  ['select s.total(a) over () from (values (1)) v(a)', 'execute on function s.total(int)'],
  ['select s.definer()', 'execute on function s.definer()'],
  ['call s.p()', 'execute on procedure s.p()'],
  ['do $$ begin perform s.f(1); end $$', 'execute on function s.f(int)'],
];

/** What only owners and superusers may do. */
const FORBIDDEN: readonly string[] = [
  'drop table s.t',
  'alter table s.t add column c int',
  'alter table s.t rename to other',
  'alter table s.t rename column a to c',
  'alter table s.t owner to low',
  'alter table s.t enable row level security',
  'alter table s.t set schema public',
  'create index on s.t (a)',
  'drop index s.t_a_key',
  'create policy p on s.t using (true)',
  "comment on table s.t is 'x'",
  "comment on column s.t.a is 'x'",
  'grant select on s.t to low',
  'create or replace view s.v as select 1 as a',
  'drop view s.v',
  'refresh materialized view s.m',
  'alter sequence s.q restart',
  'drop sequence s.q',
  "alter type s.e add value 'x'",
  'drop type s.e',
  'drop domain s.d',
  'drop schema s',
  'alter schema s rename to other',
  'create role other',
  'alter role low superuser',
  'drop role other_role',
  'grant other_role to low',
  'set role other_role',
  'create database other',
  'drop database phantom',
  'alter database phantom rename to other',
  'checkpoint',
  "backup to '/nowhere'",
  'reindex table s.t',
  'alter function s.f(int) cost 7',
  'drop function s.f(int)',
  'drop procedure s.p()',
  'drop aggregate s.total(int)',
  'alter domain s.d set not null',
  "comment on schema s is 'x'",
  "comment on function s.f(int) is 'x'",
  "comment on role other_role is 'x'",
  "comment on database phantom is 'x'",
  'alter default privileges for role other_role grant select on tables to low',
  'set session authorization other_role',
  'alter role low createdb',
  "alter role other_role password 'x'",
  "alter database phantom set search_path = 's'",
  'alter table s.hidden disable row level security',
  'set row_security = off; table s.hidden',
  // It may be called, and reads as whoever calls it.
  'select s.invoker()',
  'select * from pg_authid',
  'reassign owned by other_role to low',
  'drop owned by other_role',
];

describe('rights', () => {
  let engine: TestEngine;
  let owner: SqlSession;
  let low: SqlSession;

  beforeAll(async () => {
    engine = await openEngine();
    owner = engine.session();
    const definitions = [
      'create role low login',
      'create role other_role',
      'revoke all on database phantom from public',
      'grant connect, temporary on database phantom to low',
      'create schema s',
      'create table s.t (a int unique, b int)',
      'create view s.v as select a from s.t',
      'create materialized view s.m as select a from s.t',
      'create sequence s.q',
      "create type s.e as enum ('one')",
      'create domain s.d as int',
      "create function s.f(int) returns int language sql as 'select $1'",
      "create function s.many() returns setof int language sql as 'select 1'",
      "create function s.step(int, int) returns int language sql as 'select 1'",
      "create aggregate s.total(int) (sfunc = s.step, stype = int, initcond = '0')",
      "create function s.definer() returns bigint language sql security definer as 'select count(*) from s.t'",
      "create function s.tf() returns trigger language plpgsql as 'begin return new; end'",
      "create procedure s.p() language sql as 'select 1'",
      'revoke execute on all routines in schema s from public',
      "create function s.invoker() returns bigint language sql as 'select count(*) from s.t'",
      'create table s.hidden (a int)',
      'alter table s.hidden enable row level security',
      'grant select on s.hidden to low',
      'grant execute on function s.tf() to low',
      'revoke usage on type s.e from public',
      'revoke usage on domain s.d from public',
    ];
    for (const definition of definitions) await run(owner, definition);
    low = engine.session({ user: 'low' });
  });

  afterAll(() => engine.close());

  /** What comes of the statement on a table as it was in the beginning. */
  async function attempt(sql: string): Promise<string> {
    await run(owner, 'truncate s.t');
    await run(owner, 'insert into s.t values (0, 2)');
    const outcome = await run(low, sql);
    await run(low, 'rollback');
    await run(low, 'drop table if exists pg_temp.made');
    return outcome;
  }

  it('nothing in a schema can be named without USAGE', async () => {
    for (const sql of ['select a from s.t', "select nextval('s.q')", 'insert into s.v values (1)', 'table s.m'])
      expect(await attempt(sql), sql).toBe('42501');
    await run(owner, 'grant usage on schema s to low');
  });

  for (const [statement, right] of CASES) {
    it(`${statement} needs ${right}`, async () => {
      expect(await attempt(statement)).toBe('42501');
      expect(await run(owner, `grant ${right} to low`)).toBe('GRANT');
      const allowed = await attempt(statement);
      expect(await run(owner, `revoke ${right} from low`)).toBe('REVOKE');
      expect(allowed).not.toMatch(/^[0-9A-Z]{5}$/);
      expect(await attempt(statement)).toBe('42501');
    });
  }

  it.each(FORBIDDEN)('%s is for owners', async (statement) => {
    expect(await attempt(statement)).toBe('42501');
  });

  it('a right on one table is none on another, and one of a column none on another', async () => {
    await run(owner, 'create table s.u (a int, b int)');
    await run(owner, 'grant select (a), insert (a), update (a) on s.u to low');
    expect(await attempt('select a from s.u')).toBe('SELECT 0');
    for (const sql of [
      'select b from s.u',
      'select * from s.u',
      'select u from s.u',
      'select a from s.u where b = 1',
      'select a from s.u order by b',
      'select count(b) from s.u',
      'insert into s.u values (1, 2)',
      'insert into s.u (b) values (2)',
      'update s.u set b = 1',
      'update s.u set a = b',
      'select u.a from s.u join s.t on t.a = u.a',
    ])
      expect(await attempt(sql), sql).toBe('42501');
  });

  it('catalogs tell of what is in a table, and where a sequence is, only those who may read them', async () => {
    await run(owner, 'create table s.told (a int default 7)');
    await run(owner, 'insert into s.told select 1 from generate_series(1, 100)');
    await run(owner, 'analyze s.told');
    await run(owner, "select nextval('s.q')");
    const seen = (): Promise<string[]> =>
      rows(
        low,
        `select (select count(*) from pg_stats where tablename = 'told'),
          (select last_value is null from pg_sequences where sequencename = 'q'),
          (select count(*) from information_schema.columns where table_name = 'told'),
          (select count(*) from information_schema.routines where routine_name = 'f')`,
      );
    expect(await seen()).toEqual(['0 true 0 0']);
    await run(owner, 'grant select on s.told, s.q to low');
    await run(owner, 'grant execute on function s.f(int) to low');
    expect(await seen()).toEqual(['1 false 1 1']);
    expect(await rows(low, 'select * from pg_statistic')).toEqual(['42501']);
    expect(await rows(low, 'select * from pg_statistic_ext_data')).toEqual(['42501']);
  });

  it('a reference needs REFERENCES on the table that it names', async () => {
    await run(owner, 'create table s.parent (id int primary key)');
    await run(owner, 'grant create on schema s to low');
    const create = 'begin; create table s.child (id int references s.parent); rollback';
    expect(await attempt(create)).toBe('42501');
    await run(owner, 'grant references (id) on s.parent to low');
    expect(await attempt(create)).toBe('ROLLBACK');
    await run(owner, 'revoke references (id) on s.parent from low');
    expect(await attempt(create)).toBe('42501');
    await run(owner, 'revoke create on schema s from low');
  });

  it('sessions are stopped by roles that have their rights alone', async () => {
    const other = engine.session({ user: 'low' });
    expect(await run(low, `select pg_cancel_backend(${owner.id})`)).toBe('42501');
    expect(await run(low, `select pg_terminate_backend(${owner.id})`)).toBe('42501');
    expect(await run(low, 'select pg_terminate_backend(123456)')).toBe('SELECT 1');
    const sleeping = run(other, 'select pg_sleep(60)');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await run(low, `select pg_cancel_backend(${other.id})`)).toBe('SELECT 1');
    expect(await sleeping).toBe('57014');
    expect(await run(low, `select pg_terminate_backend(${other.id})`)).toBe('SELECT 1');
    expect(await run(other, 'select 1')).toBe('57P01');
    other.close();
  });
});
