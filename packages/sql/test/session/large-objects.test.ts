/** Large objects by SQL's functions: places and sizes, what is shown to whom, rights, waits, and what is left when something is undone. */
import { PhantomError } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run as runOne, turns } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
});

afterEach(async () => {
  await engine.close();
});

const READ = 0x40000;
const WRITE = 0x20000;

/** Runs statements that semicolons part, each by itself; the tag of the last, or the code of the first error. */
async function run(of: SqlSession, statements: string): Promise<string> {
  let answer = '';
  for (const statement of statements.includes('$$') ? [statements] : statements.split(';')) {
    answer = await runOne(of, statement);
    if (/^[0-9A-Z]{5}$/.test(answer) && /\d/.test(answer)) return answer;
  }
  return answer;
}

/** The only row of a query, bytes as text; or its error's code. */
async function value(of: SqlSession, expressions: string): Promise<string> {
  let found = '';
  try {
    const portal = of.portal(of.prepareText(`select ${expressions}`), []);
    await portal.fetch(0, ({ columns }) => {
      found = columns.map(([first]) => textOf(first)).join('|');
    });
    await of.sync();
    return found;
  } catch (error) {
    return error instanceof PhantomError ? error.code : String(error);
  }
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1').replaceAll('\0', '.');
  return value === null ? '' : String(value);
}

describe('an object', () => {
  it('is made under a number, of which there is one in a database', async () => {
    expect(await value(session, 'lo_create(4242)')).toBe('4242');
    expect(await run(session, 'select lo_create(4242)')).toBe('23505');
    expect(await run(session, "select lo_from_bytea(4242, 'a')")).toBe('23505');
    expect(await value(session, 'lo_create(4294967295)')).toBe('4294967295');
    const [first, second] = [await value(session, 'lo_creat(-1)'), await value(session, 'lo_create(0)')];
    expect(Number(second)).toBeGreaterThan(Number(first));
    expect(await rows(session, 'select count(*) from pg_largeobject_metadata')).toEqual(['4']);
    expect(await value(session, 'lo_unlink(4242)')).toBe('1');
    expect(await value(session, 'lo_unlink(4242)')).toBe('42704');
    expect(await value(session, 'lo_get(4242)')).toBe('42704');
    expect(await run(session, 'create database other')).toBe('CREATE DATABASE');
    const other = engine.session({ database: 'other' });
    expect(await value(other, 'lo_from_bytea(4294967295, $$x$$)')).toBe('4294967295');
    expect(await value(session, 'lo_get(4294967295)')).toBe('');
    other.close();
    expect(await run(session, 'drop database other')).toBe('DROP DATABASE');
  });

  it('is read and written at any place, and what nobody wrote is zeros', async () => {
    await run(session, "select lo_from_bytea(1, 'abc')");
    expect(await value(session, 'lo_get(1, 1, 5)')).toBe('bc');
    expect(await value(session, 'lo_get(1, 3, 5)')).toBe('');
    expect(await value(session, 'lo_get(1, 0, -1)')).toBe('22023');
    expect(await value(session, 'lo_get(1, -1, 1)')).toBe('22023');
    await run(session, "select lo_put(1, 2046, 'wxyz'), lo_put(1, 5000, '!')");
    expect(await value(session, 'length(lo_get(1))')).toBe('5001');
    expect(await value(session, 'lo_get(1, 2, 2), lo_get(1, 2044, 7), lo_get(1, 4999, 2)')).toBe('c.|..wxyz.|.!');
    expect(await rows(session, 'select pageno, length(data) from pg_largeobject where loid = 1')).toEqual([
      '0 2048',
      '1 2',
      '2 905',
    ]);
    expect(await value(session, "lo_put(1, -1, 'a')")).toBe('22023');
    expect(await value(session, "lo_put(1, null, 'a')")).toBe('');
  });

  it('is cut, or made longer, and ends where it was cut', async () => {
    await run(session, "select lo_from_bytea(1, convert_to(repeat('x', 5000), 'UTF8'))");
    await run(session, 'begin');
    expect(await value(session, `lo_open(1, ${WRITE})`)).toBe('0');
    for (const [bytes, pages] of [
      [3000, '1:952'],
      [2048, '1:0'],
      [100, '0:100'],
      [10_000, '4:1808'],
    ] as const) {
      expect(await value(session, `lo_truncate(0, ${bytes})`)).toBe('0');
      expect(await value(session, 'lo_lseek(0, 0, 2)')).toBe(String(bytes));
      expect(
        (await rows(session, 'select pageno || $$:$$ || length(data) from pg_largeobject order by pageno')).at(-1),
      ).toBe(pages);
    }
    expect(await value(session, 'length(lo_get(1)), lo_get(1, 98, 4)')).toBe('10000|xx..');
    expect(await value(session, 'lo_truncate64(0, -1)')).toBe('22023');
    await run(session, 'rollback');
    expect(await value(session, 'length(lo_get(1))')).toBe('5000');
  });

  it('of many pages goes with one removal', async () => {
    await run(session, "select lo_from_bytea(1, convert_to(repeat('x', 200000), 'UTF8')), lo_create(2)");
    expect(await rows(session, 'select count(*), sum(length(data)) from pg_largeobject')).toEqual(['98 200000']);
    await run(session, 'select lo_unlink(1)');
    expect(await rows(session, 'select count(*) from pg_largeobject')).toEqual(['0']);
    expect(await rows(session, 'select oid from pg_largeobject_metadata')).toEqual(['2']);
  });
});

describe('an open object', () => {
  it('has a place, which reads and writes move', async () => {
    await run(session, 'select lo_create(1); begin');
    expect(await value(session, `lo_open(1, ${WRITE})`)).toBe('0');
    expect(await value(session, `lo_open(1, ${READ | WRITE})`)).toBe('1');
    expect(await value(session, "lowrite(0, 'hello'), lo_tell(0)")).toBe('5|5');
    expect(await value(session, 'lo_lseek(0, -2, 1), loread(0, 10), lo_tell64(0), loread(0, -1)')).toBe('3|lo|5|');
    expect(await value(session, 'loread(1, 3), lo_lseek64(1, 1, 2), lo_close(0)')).toBe('hel|6|0');
    expect(await value(session, `lo_open(1, ${READ})`)).toBe('0');
    expect(await value(session, 'lo_lseek64(1, 4398046509056, 0)')).toBe('4398046509056');
    expect(await value(session, "lowrite(1, '')")).toBe('0');
    for (const [call, code] of [
      ['lo_tell(1)', '22003'],
      ["lowrite(1, 'a')", '22023'],
      ['lo_lseek64(1, 4398046509057, 0)', '22023'],
      ['lo_lseek(1, 0, 7)', '22023'],
      ["lowrite(0, 'a')", '55000'],
      ['lo_truncate(0, 1)', '55000'],
      ['lo_close(7)', '42704'],
      ['lo_tell(-1)', '42704'],
      ['lo_open(1, 0)', '22023'],
      ['lo_open(2, 262144)', '42704'],
    ] as const) {
      expect(await run(session, 'savepoint s')).toBe('SAVEPOINT');
      expect(await value(session, call), call).toBe(code);
      expect(await run(session, 'rollback to s')).toBe('ROLLBACK');
    }
    await run(session, 'commit');
    expect(await value(session, 'lo_close(0)')).toBe('42704');
    expect(await value(session, 'lo_get(1)')).toBe('hello');
  });

  it('ends with the savepoint before it, and keeps its place across one behind it', async () => {
    await run(session, `select lo_create(1); begin; select lo_open(1, ${WRITE}); savepoint s`);
    expect(await value(session, `lowrite(0, 'abc'), lo_open(1, ${READ})`)).toBe('3|1');
    await run(session, 'rollback to s');
    expect(await value(session, 'lo_tell(0), length(lo_get(1))')).toBe('3|0');
    expect(await value(session, 'lo_tell(1)')).toBe('42704');
    await run(session, 'rollback to s');
    expect(await value(session, `lo_open(1, ${READ}), lo_unlink(1)`)).toBe('1|1');
    expect(await value(session, 'lo_tell(0)')).toBe('42704');
    await run(session, 'rollback');
  });

  it('to be read shows what was there when it was opened', async () => {
    const other = engine.session();
    await run(session, "select lo_from_bytea(1, 'before'); begin");
    await run(session, `select lo_open(1, ${READ}), lo_open(1, ${WRITE})`);
    await run(other, "select lo_put(1, 0, 'after!'), lo_put(1, 3000, 'x')");
    expect(await value(session, 'loread(0, 100), loread(1, 6)')).toBe('before|after!');
    await run(session, "select lowrite(1, 'me')");
    expect(await value(session, 'lo_lseek(0, 0, 2), lo_lseek(1, 0, 2), convert_from(lo_get(1, 0, 8), $$UTF8$$)')).toBe(
      '6|3001|after!me',
    );
    await run(session, 'commit');
    await run(session, 'begin isolation level repeatable read; select 1');
    await run(other, "select lo_put(1, 0, 'later!')");
    expect(await value(session, "convert_from(lo_get(1, 0, 6), 'UTF8')")).toBe('after!');
    expect(await run(session, "select lo_put(1, 0, 'lost')")).toBe('SELECT 1');
    expect(await run(session, 'commit')).toBe('40001');
    expect(await value(session, "convert_from(lo_get(1, 0, 6), 'UTF8')")).toBe('later!');
  });
});

describe('two sessions', () => {
  it('write to one object one after the other', async () => {
    const other = engine.session();
    await run(session, "select lo_from_bytea(1, 'aaaa'); begin; select lo_put(1, 0, 'b')");
    await run(other, `begin; select lo_open(1, ${WRITE})`);
    const waiting = run(other, `select lo_lseek(0, 1, 0), lo_open(1, ${READ}), lowrite(0, 'c')`);
    await turns(5);
    await run(session, 'commit');
    expect(await waiting).toBe('SELECT 1');
    // The statement was executed anew, and nothing of its first execution is left.
    expect(await value(other, `lo_tell(0), lo_open(1, ${READ})`)).toBe('2|2');
    await run(other, 'commit');
    expect(await value(session, "convert_from(lo_get(1), 'UTF8')")).toBe('bcaa');
  });

  it('find out that the other has removed it', async () => {
    const other = engine.session();
    await run(session, "select lo_from_bytea(1, 'aaaa'); begin; select lo_unlink(1)");
    expect(await value(other, 'lo_get(1)')).toBe('aaaa');
    const waiting = run(other, "select lo_put(1, 0, 'b')");
    const removing = run(engine.session(), 'do $$ begin perform lo_unlink(1); end $$');
    await turns(5);
    await run(session, 'commit');
    expect([await waiting, await removing]).toEqual(['42704', '42704']);
    expect(await rows(session, 'select count(*) from pg_largeobject')).toEqual(['0']);
  });

  it('refuse a call that cannot wait', async () => {
    const other = engine.session();
    await run(session, 'select lo_create(1); begin; select lo_unlink(1)');
    const portal = other.portal(other.prepareText("select lo_put(1, 0, 'b')"), []);
    expect(() => portal.fetchNow(0, () => undefined)).toThrow(expect.objectContaining({ code: '55P03' }));
    await run(session, 'rollback');
  });
});

describe('rights', () => {
  it("are the owner's until he grants them", async () => {
    await run(session, "create role reader; create role owner; select lo_from_bytea(1, 'abc')");
    const reader = engine.session();
    await run(reader, 'set role reader');
    for (const call of [
      'lo_get(1)',
      `lo_open(1, ${READ})`,
      `lo_open(1, ${WRITE})`,
      "lo_put(1, 0, 'x')",
      'lo_unlink(1)',
    ])
      expect(await value(reader, call), call).toBe('42501');
    expect(await run(reader, 'select * from pg_largeobject')).toBe('42501');
    expect(await run(reader, 'set lo_compat_privileges = on')).toBe('42501');
    expect(await run(session, 'grant select on large object 1 to reader')).toBe('GRANT');
    expect(await value(reader, 'lo_get(1)')).toBe('abc');
    expect(await value(reader, "lo_put(1, 0, 'x')")).toBe('42501');
    expect(await rows(session, 'select oid, lomowner, lomacl::text from pg_largeobject_metadata')).toEqual([
      '1 10 {phantom=rw/phantom,reader=r/phantom}',
    ]);
    for (const statement of [
      "comment on large object 1 is 'mine'",
      'alter large object 1 owner to reader',
      'drop large object 1',
    ])
      expect(await run(reader, statement), statement).toBe(statement.startsWith('drop') ? '42601' : '42501');
    expect(await run(session, 'grant insert on large object 1 to reader')).toBe('0LP01');
    expect(await run(session, 'grant select on large object 2 to reader')).toBe('42704');
    expect(await run(session, 'grant select on large object 99999999999 to reader')).toBe('22003');
    expect(await run(session, 'grant update on large object 1 to public')).toBe('GRANT');
    expect(await value(reader, "lo_put(1, 0, 'x')")).toBe('');
    expect(await run(session, 'drop role reader')).toBe('2BP01');
    expect(await run(session, 'revoke all on large object 1 from reader, public; drop role reader')).toBe('DROP ROLE');
  });

  it('go with the owner', async () => {
    await run(session, "create role owner; create role heir; select lo_from_bytea(1, 'abc'), lo_create(2)");
    expect(await run(session, 'alter large object 1 owner to owner')).toBe('ALTER LARGE OBJECT');
    expect(await run(session, 'grant select on large object 2 to owner')).toBe('GRANT');
    expect(await run(session, 'drop role owner')).toBe('2BP01');
    expect(await run(session, 'create database elsewhere')).toBe('CREATE DATABASE');
    const elsewhere = engine.session({ database: 'elsewhere' });
    expect(await run(elsewhere, 'drop role owner')).toBe('2BP01');
    elsewhere.close();
    const owner = engine.session();
    await run(owner, 'set role owner');
    expect(await value(owner, 'lo_get(1)')).toBe('abc');
    expect(await run(owner, "comment on large object 1 is 'mine'")).toBe('COMMENT');
    expect(await value(session, "obj_description(1, 'pg_largeobject'), obj_description(2, 'pg_largeobject')")).toBe(
      'mine|',
    );
    expect(
      await rows(session, "select description from pg_description where classoid = 'pg_largeobject'::regclass"),
    ).toEqual(['mine']);
    expect(await run(owner, 'alter large object 1 owner to heir')).toBe('42501');
    expect(await run(session, 'reassign owned by owner to heir; drop owned by owner; drop role owner')).toBe(
      'DROP ROLE',
    );
    expect(await rows(session, "select lomowner = 'heir'::regrole, lomacl::text from pg_largeobject_metadata")).toEqual(
      ['true null', 'false {phantom=rw/phantom}'],
    );
    expect(await run(session, 'drop owned by heir; drop role heir')).toBe('DROP ROLE');
    expect(await rows(session, 'select oid from pg_largeobject_metadata')).toEqual(['2']);
  });

  it('are not asked for with lo_compat_privileges', async () => {
    await run(session, 'create role nobody; select lo_create(1); set lo_compat_privileges = on; set role nobody');
    expect(await value(session, "lo_put(1, 0, 'x'), lo_get(1, 0, 1), lo_unlink(1)")).toMatch(/1$/);
  });
});

it('are not written where nothing may be', async () => {
  await run(session, "select lo_from_bytea(1, 'abc')");
  for (const call of [
    'lo_create(0)',
    'lo_creat(1)',
    "lo_from_bytea(0, 'a')",
    `lo_open(1, ${WRITE})`,
    "lo_put(1, 0, 'a')",
    'lo_unlink(1)',
  ]) {
    expect(await run(session, `begin read only; select ${call}`), call).toBe('25006');
    await run(session, 'rollback');
  }
  await run(session, 'begin read only');
  expect(await value(session, `lo_open(1, ${READ}), lo_get(1)`)).toBe('0|abc');
  expect(await value(session, 'loread(0, 2), lo_tell(0)')).toBe('ab|2');
  await run(session, 'commit');
  expect(await run(session, "select lo_import('/etc/hosts')")).toBe('0A000');
  expect(await run(session, "select lo_export(1, '/tmp/x')")).toBe('0A000');
  expect(await run(session, "create role nobody; set role nobody; select lo_import('/etc/hosts', 3)")).toBe('42501');
});

it('serve in routines, and a caught error undoes what was written', async () => {
  await run(
    session,
    `create function build() returns text language plpgsql as $$
       declare o oid; fd int;
       begin
         o := lo_create(0);
         perform lo_put(o, 0, 'abc');
         fd := lo_open(o, ${READ | WRITE});
         begin
           perform lowrite(fd, 'xyz');
           perform lo_open(o, ${READ});
           raise exception 'no';
         exception when others then null;
         end;
         return fd || ' ' || encode(lo_get(o), 'escape') || ' ' || lo_open(o, ${READ});
       end $$`,
  );
  expect(await value(session, 'build()')).toBe('0 abc 1');
});

it('may be open in a limited number', async () => {
  await run(session, 'select lo_create(1); begin');
  expect(await value(session, `max(lo_open(1, ${WRITE})) from generate_series(1, 4096)`)).toBe('4095');
  expect(await run(session, `select lo_open(1, ${WRITE})`)).toBe('53400');
});
