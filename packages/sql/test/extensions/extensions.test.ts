import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

describe('An extension', () => {
  let engine: TestEngine;
  let session: SqlSession;

  const all = async (...statements: string[]): Promise<string[]> => {
    const answers: string[] = [];
    for (const sql of statements) answers.push(await run(session, sql));
    return answers;
  };

  beforeEach(async () => {
    engine = await openEngine();
    session = engine.session();
  });
  afterEach(() => engine.close());

  it('is not there before it is made, and gone when it is dropped', async () => {
    expect(await all("select citext_eq('a', 'A')", "select 'a'::citext")).toEqual(['42883', '42704']);
    expect(await run(session, 'create extension citext')).toBe('CREATE EXTENSION');
    expect(await rows(session, "select 'a'::citext = 'A', citext_eq('a', 'b')")).toEqual(['true false']);
    expect(await all('create extension citext', 'create extension if not exists citext')).toEqual([
      '42710',
      'CREATE EXTENSION',
    ]);
    expect(await run(session, 'drop extension citext')).toBe('DROP EXTENSION');
    expect(await all("select 'a'::citext", 'drop extension citext', 'drop extension if exists citext')).toEqual([
      '42704',
      '42704',
      'DROP EXTENSION',
    ]);
  });

  it('is one of the database, and of the transaction that makes it', async () => {
    await all('begin', 'create extension citext', 'rollback');
    expect(await run(session, "select 'a'::citext")).toBe('42704');
    await all('create extension citext', 'create database other');
    const other = engine.session({ database: 'other' });
    expect(await run(other, "select 'a'::citext")).toBe('42704');
    expect(await run(other, 'create extension citext')).toBe('CREATE EXTENSION');
    expect(await rows(other, "select 'a'::citext = 'A'")).toEqual(['true']);
  });

  it('stands in the schema that is named, and goes with it', async () => {
    expect(await all('create extension citext schema nowhere', "create extension citext version '0.1'")).toEqual([
      '3F000',
      '22023',
    ]);
    await all('create schema tools', "create extension citext with schema tools version '1.6' cascade");
    expect(await rows(session, "select 'a'::tools.citext operator(tools.=) 'A'")).toEqual(['true']);
    expect(await all("select 'a'::citext", 'select 1 operator(tools.+) 1', 'drop schema tools')).toEqual([
      '42704',
      '42883',
      '2BP01',
    ]);
    await run(session, 'drop schema tools cascade');
    expect(await rows(session, "select count(*) from pg_extension where extname = 'citext'")).toEqual(['0']);
  });

  it('holds its members together, and what stands on them', async () => {
    await all('create extension citext', 'create table t (id int primary key, name citext unique)');
    expect(
      await all(
        'drop function citext_eq(citext, citext)',
        'drop type citext',
        'drop extension citext',
        'create function citext_eq(citext, citext) returns boolean language sql return true',
      ),
    ).toEqual(['2BP01', '2BP01', '2BP01', '42723']);
    await run(session, "create view v as select * from t where name = 'x'");
    await run(session, 'drop extension citext cascade');
    expect(
      await rows(
        session,
        "select attname from pg_attribute where attrelid = 't'::regclass and attnum > 0 and not attisdropped",
      ),
    ).toEqual(['id']);
    expect(await run(session, 'select * from v')).toBe('42P01');
  });

  it('takes what calls its operators in stored expressions with it', async () => {
    await all('create extension citext', "create table t (word text check (word::public.citext <> 'BAD'))");
    expect(await all("insert into t values ('bad')", 'drop extension citext')).toEqual(['23514', '2BP01']);
    await run(session, 'drop extension citext cascade');
    expect(await run(session, "insert into t values ('bad')")).toBe('INSERT 0 1');
  });

  it("is for whoever may create in the database, and its members are nobody else's to change", async () => {
    await run(session, 'create role guest login');
    const guest = engine.session({ user: 'guest' });
    expect(await run(guest, 'create extension citext')).toBe('42501');
    const [name] = await rows(session, 'select current_database()');
    await run(session, `grant create on database ${name} to guest`);
    expect(await run(guest, 'create extension citext')).toBe('CREATE EXTENSION');
    expect(await rows(guest, "select 'a'::citext = 'A'")).toEqual(['true']);
    expect(await run(guest, 'alter function citext_cmp(citext, citext) volatile')).toBe('42501');
    await run(session, 'revoke execute on function citext_eq(citext, citext) from public');
    expect(await run(guest, "select 'a'::citext = 'A'")).toBe('42501');
    expect(await run(guest, 'drop extension citext')).toBe('DROP EXTENSION');
  });

  it('is told of in the catalogs', async () => {
    await run(session, 'create extension citext');
    expect(
      await rows(
        session,
        "select name, default_version, installed_version from pg_available_extensions where name = 'citext'",
      ),
    ).toEqual(['citext 1.6 1.6']);
    expect(
      await rows(
        session,
        `select d.classid::regclass::text, count(*) from pg_depend d join pg_extension e on e.oid = d.refobjid and d.deptype = 'e'
         where e.extname = 'citext' group by 1 order by 1`,
      ),
    ).toEqual(['pg_cast 8', 'pg_opclass 3', 'pg_operator 26', 'pg_opfamily 3', 'pg_proc 43', 'pg_type 1']);
    expect(
      await rows(session, "select obj_description(oid, 'pg_extension') from pg_extension where extname = 'citext'"),
    ).toEqual(['data type for case-insensitive character strings']);
    expect(
      await rows(session, "select oprcode::text from pg_operator where oid = '=(citext,citext)'::regoperator"),
    ).toEqual(['citext_eq']);
    expect(
      await rows(
        session,
        `select pg_describe_object(classid, objid, 0) from pg_depend where deptype = 'e'
         and (classid <> 'pg_proc'::regclass or objid::regproc::text = 'min') and (classid <> 'pg_operator'::regclass or objid::regoper::text = 'public.~>~')
         order by 1`,
      ),
    ).toEqual([
      'cast from boolean to citext',
      'cast from character to citext',
      'cast from character varying to citext',
      'cast from citext to character',
      'cast from citext to character varying',
      'cast from citext to text',
      'cast from inet to citext',
      'cast from text to citext',
      'operator class citext_ops for access method btree',
      'operator class citext_ops for access method hash',
      'operator class citext_pattern_ops for access method btree',
      'operator family citext_ops for access method btree',
      'operator family citext_ops for access method hash',
      'operator family citext_pattern_ops for access method btree',
      'operator ~>~(citext,citext)',
      'type citext',
    ]);
    await run(session, 'create table t (a int)');
    const described = (classOid: string, oid: string, column = 0): string =>
      `pg_describe_object('${classOid}'::regclass, ${oid}, ${column})`;
    expect(
      await rows(
        session,
        `select ${described('pg_class', "'t'::regclass")}, ${described('pg_class', "'t'::regclass", 1)},
         ${described('pg_namespace', "'public'::regnamespace")}, ${described('pg_proc', "'lower(text)'::regprocedure")},
         ${described('pg_class', '1')}, ${described('pg_extension', "(select oid from pg_extension where extname = 'citext')")}`,
      ),
    ).toEqual(['table t column a of table t schema public function lower(text) null extension citext']);
    expect(await run(session, `select ${described('pg_database', '5')}`)).toBe('0A000');
    await run(session, "comment on extension citext is 'words'");
    expect(await rows(session, "select obj_description(oid) from pg_extension where extname = 'citext'")).toEqual([
      'words',
    ]);
  });
});

describe('citext', () => {
  let engine: TestEngine;
  let session: SqlSession;

  beforeEach(async () => {
    engine = await openEngine();
    session = engine.session();
    for (const sql of [
      'create extension citext',
      'create table people (id int primary key, email citext unique, tags citext[])',
      "insert into people values (1, 'Ann@x.com', '{A,b}'), (2, 'bob@X.com', '{}'), (3, 'Zoe', null), (4, null, '{c}')",
    ])
      await run(session, sql);
  });
  afterEach(() => engine.close());

  it('is unique whatever the case, and found by its index as it was written', async () => {
    expect(await run(session, "insert into people values (9, 'ANN@X.COM')")).toBe('23505');
    expect(await rows(session, "select id, email from people where email = 'ANN@X.com'")).toEqual(['1 Ann@x.com']);
    expect(await rows(session, "explain (costs off) select * from people where email = 'zoe'")).toEqual([
      'Index Scan using people_email_key on people',
      "  Index Cond: (email = 'zoe'::citext)",
    ]);
    expect(
      await run(
        session,
        "insert into people values (9, 'ZOE') on conflict (email) do update set email = excluded.email",
      ),
    ).toBe('INSERT 0 1');
    expect(await rows(session, "select id, email from people where email = 'zoe'")).toEqual(['3 ZOE']);
  });

  it('is sorted, grouped and joined by its lower case', async () => {
    expect(await rows(session, 'select email from people order by email nulls first')).toEqual([
      'null',
      'Ann@x.com',
      'bob@X.com',
      'Zoe',
    ]);
    expect(
      await rows(
        session,
        "select count(*), min(w), max(w) from (values ('b'::citext), ('A'), ('a'), ('B')) as v (w) group by w order by 2",
      ),
    ).toEqual(['2 a a', '2 B B']);
    expect(await rows(session, "select distinct w from (values ('b'::citext), ('B')) as v (w)")).toEqual(['b']);
    expect(
      await rows(session, "select id from people join (values ('ZOE'::citext), ('x')) as v (w) on w = email"),
    ).toEqual(['3']);
    expect(await rows(session, "select id from people where 'B' = any (tags)")).toEqual(['1']);
    expect(await rows(session, 'select min(email), max(email) from people')).toEqual(['Ann@x.com Zoe']);
  });

  it('is what its operators mean where the search path does not lead to them', async () => {
    await run(session, "alter table people add check (email <> 'nobody')");
    await run(session, "create view seen as select id from people where email = 'ZOE' or email in ('BOB@x.com', 'q')");
    await run(session, "set search_path to ''");
    expect(await run(session, "insert into public.people values (9, 'NOBODY')")).toBe('23514');
    expect(await rows(session, 'select id from public.seen order by 1')).toEqual(['2', '3']);
    const [text] = await rows(session, "select pg_get_viewdef('public.seen'::regclass)");
    expect(text).toContain("(people.email OPERATOR(public.=) 'ZOE'::public.citext)");
    expect(text).toContain('(people.email OPERATOR(public.=) ANY (ARRAY[');
    expect(await rows(session, "select pg_get_constraintdef(oid) from pg_constraint where contype = 'c'")).toEqual([
      "CHECK ((email OPERATOR(public.<>) 'nobody'::public.citext))",
    ]);
  });

  it('can be a key of partitions, a foreign key and the base of a domain', async () => {
    for (const sql of [
      "create domain word as citext check (value <> 'BAD')",
      "create table marks (email citext references people (email), mark word default 'good'::citext)",
      'create table parts (w citext) partition by hash (w)',
      'create table part0 partition of parts for values with (modulus 2, remainder 0)',
      'create table part1 partition of parts for values with (modulus 2, remainder 1)',
      "insert into parts values ('A'), ('a'), ('B'), ('b')",
    ])
      expect(await run(session, sql)).not.toMatch(/^[0-9A-Z]{5}$/);
    expect(await run(session, "insert into marks values ('ZOE')")).toBe('INSERT 0 1');
    expect(await run(session, "insert into marks values ('nope')")).toBe('23503');
    expect(await run(session, "insert into marks values ('zoe', 'bad')")).toBe('23514');
    expect(await rows(session, "select count(*) from parts where w = 'a'")).toEqual(['2']);
    expect(
      await rows(session, "select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'marks'::regclass"),
    ).toEqual(["('good'::citext)::word"]);
  });
});
