/** UPDATE and DELETE straight from a scan, which lend rows to the writer and leave columns unread: the same as by way of a join. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { run } from '../support/statements.js';
import { runQuery } from './answers.js';

const ROWS = 700;
let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(session, `create table keys as select i as k from generate_series(1, ${ROWS}) i`);
  for (const name of ['t', 'u']) {
    await run(
      session,
      `create table ${name} (id int primary key, n int, a text, b text, c int[], check (n < 5000));
       create index on ${name} (b); create index on ${name} (n);
       insert into ${name} select i, i % 10, repeat('long ', i % 40), case when i % 3 > 0 then 'b' || i end,
         case when i % 5 = 0 then array[i, null] end from generate_series(1, ${ROWS}) i;
       update ${name} set a = repeat('x', 70000) where id = 77`,
    );
  }
});

afterEach(() => engine.close());

function rows(sql: string): unknown[] {
  return runQuery(engine, session, sql, {}).rows.map((row) => row.map(String));
}

/** The statement for `t`, and for `u` by way of a join. */
async function both(update: (table: string, from: string, where: string) => string): Promise<void> {
  await run(session, update('t', '', ''));
  await run(session, update('u', 'from keys', 'u.id = k and '));
}

function expectSame(): void {
  for (const read of ['select * from t order by id', `select id from t where b > 'b' order by b, id`])
    expect(rows(read)).toEqual(rows(read.replace('from t', 'from u')));
}

describe('rows that a scan lends', () => {
  it('are updated with what they keep, again and again in one transaction', async () => {
    await run(session, 'begin');
    for (let round = 1; round <= 3; round++) {
      await both(
        (table, from, where) => `update ${table} set n = n + ${round} ${from} where ${where} id % 4 <> ${round}`,
      );
      await both(
        (table, from, where) => `update ${table} set b = b || n, a = null ${from} where ${where} n % 7 = ${round}`,
      );
    }
    await both(
      (table, from, where) => `update ${table} set n = -n, c = c || 1 ${from} where ${where} n between 3 and 5`,
    );
    await both((table, from, where) => `update ${table} set id = id + 10000 ${from} where ${where} id % 50 = 0`);
    await run(session, 'commit');
    expectSame();
    await both((table) => `delete from ${table} where n % 3 = 1`);
    expectSame();
    expect(rows('select count(*) from t')).not.toEqual([[String(ROWS)]]);
  });

  it('are shown as they were and as they are by RETURNING, and whole by errors', async () => {
    await run(session, `create table shown as select * from t where false`);
    await run(
      session,
      `with w as (update t set n = n + 1 where id % 2 = 0 returning *) insert into shown select * from w`,
    );
    expect(rows('select * from shown order by id')).toEqual(rows('select * from t where id % 2 = 0 order by id'));
    expect(await run(session, 'update t set n = 5000 where id = 9 or id = 10')).toBe('23514');
    expect(rows('select b from t where id = 10')).toEqual([['b10']]);
  });

  it('are refused when a function of the statement has changed them', async () => {
    await run(
      session,
      `create function touch(i int) returns int language plpgsql as
       $$ begin update t set a = 'touched' where id = i; return 1; end $$`,
    );
    expect(await run(session, 'update t set n = touch(id) where id < 5')).toBe('27000');
    expect(await run(session, 'update t set n = touch(id + 100) where id < 5')).toBe('UPDATE 4');
  });
});
