import { systemClock } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RowBatch, SqlSession, Value } from '../../src/index.js';
import { lookUp, writePoint } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import type { PlanStatement } from '../../src/session/statement.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
});

afterEach(() => engine.close());

async function run(sql: string, parameters: readonly Value[] = [], on: SqlSession = session): Promise<Value[][]> {
  const rows: Value[][] = [];
  const portal = on.portal(on.prepareText(sql), parameters);
  await portal.fetch(0, (batch) => collect(batch, rows));
  await on.sync();
  return rows;
}

function collect(batch: RowBatch, into: Value[][]): void {
  for (let r = 0; r < batch.count; r++) into.push(batch.columns.map((column) => column[r]));
}

describe('a session', () => {
  it('refuses unknown databases, unknown roles and roles that may not log in', () => {
    expect(() => engine.session({ database: 'nosuch' })).toThrow(expect.objectContaining({ code: '3D000' }));
    expect(() => engine.session({ user: 'nosuch' })).toThrow(expect.objectContaining({ code: '28000' }));
  });

  it('tells clients of the parameters they are told about', async () => {
    const told: [string, string][] = [];
    const other = engine.session({
      onParameter: (name, value) => told.push([name, value]),
      settings: { TimeZone: 'Europe/Rome' },
    });
    expect(await run('show timezone', [], other)).toEqual([['Europe/Rome']]);
    told.length = 0;
    await run(`set application_name to 'shop'`, [], other);
    await run('set statement_timeout to 1000', [], other);
    expect(told).toEqual([['application_name', 'shop']]);
    expect(() => engine.session({ settings: { no_such_setting: 'x' } })).toThrow(
      expect.objectContaining({ code: '42704' }),
    );
  });

  it('analyses an empty text, one statement, and no more than one', async () => {
    const empty = session.portal(session.prepareText(' ; '), []);
    expect(await empty.fetch(0, () => undefined)).toEqual({ complete: true, rows: 0, tag: '', count: 0 });
    expect(() => session.prepareText('select 1; select 2')).toThrow(expect.objectContaining({ code: '42601' }));
  });

  it('closes: its transaction rolls back and its locks are free', async () => {
    await run('create table t (id int primary key)');
    const other = engine.session();
    await run('begin', [], other);
    await run('insert into t values (1)', [], other);
    other.close();
    other.close();
    await run('insert into t values (1)');
    expect(await run('select * from t')).toEqual([[1]]);
  });
});

describe('a portal', () => {
  it('is fetched in pieces and goes on where it stopped', async () => {
    const portal = session.portal(session.prepareText('select i from generate_series(1, 5) i'), []);
    const rows: Value[][] = [];
    const first = await portal.fetch(2, (batch) => collect(batch, rows));
    expect([first.complete, first.rows, rows.length]).toEqual([false, 2, 2]);
    const rest = await portal.fetch(0, (batch) => collect(batch, rows));
    expect([rest.complete, rest.tag, rows.flat()]).toEqual([true, 'SELECT 5', [1, 2, 3, 4, 5]]);
    expect((await portal.fetch(0, () => undefined)).rows).toBe(0);
    portal.close();
    expect(() => portal.fetch(0, () => undefined)).toThrow('the portal is closed');
  });

  it.each([
    'select generate_series(1, 5) as i',
    'select b from generate_series(1, 1) a, generate_series(1, 5) b',
    'select u from (values (1)) v(a) cross join lateral unnest(array[1, 2, 3, 4, 5]) u',
  ])('hands over no more rows than are asked for: %s', async (text) => {
    const portal = session.portal(session.prepareText(text), []);
    const rows: Value[][] = [];
    const counts: number[] = [];
    for (const most of [2, 1, 5]) {
      counts.push((await portal.fetch(most, (batch) => collect(batch, rows))).rows);
    }
    expect([counts, rows.flat()]).toEqual([
      [2, 1, 2],
      [1, 2, 3, 4, 5],
    ]);
    portal.close();
  });

  it('keeps its snapshot while others write and while it is suspended', async () => {
    await run('create table t (id int primary key)');
    await run('insert into t select generate_series(1, 1000)');
    const portal = session.portal(session.prepareText('select id from t order by id'), []);
    const rows: Value[][] = [];
    await portal.fetch(10, (batch) => collect(batch, rows));
    const other = engine.session();
    await run('delete from t where id > 5', [], other);
    await portal.fetch(0, (batch) => collect(batch, rows));
    expect(rows.length).toBe(1000);
    expect(await run('select count(*)::int from t')).toEqual([[5]]);
  });

  it('can be closed while it is suspended', async () => {
    const portal = session.portal(session.prepareText('select i from generate_series(1, 5) i'), []);
    await portal.fetch(1, () => undefined);
    portal.close();
    expect(engine.store.stats().openViews).toBe(0);
  });

  it('stops soon when it is cancelled, and the session goes on', async () => {
    const ticking = await openEngine(systemClock);
    const busy = ticking.session();
    const portal = busy.portal(busy.prepareText('select count(*) from generate_series(1, 100000000) i'), []);
    const running = portal.fetch(0, () => undefined);
    setTimeout(() => busy.cancel(), 5);
    await expect(running).rejects.toMatchObject({ code: '57014' });
    expect(await run('select 1', [], busy)).toEqual([[1]]);
    await ticking.close();
  });

  it('stops at statement_timeout, also while it waits for a lock', async () => {
    await run('create table t (id int primary key)');
    await run('insert into t values (1)');
    const other = engine.session();
    await run('begin', [], other);
    await run('delete from t', [], other);
    await run('set statement_timeout = 20');
    await expect(run('delete from t')).rejects.toMatchObject({ code: '57014' });
    await run('set statement_timeout = 0');
    await run('set lock_timeout = 20');
    await run('begin');
    await run('savepoint s');
    await expect(run('delete from t')).rejects.toMatchObject({ code: '55P03' });
    await run('rollback to s');
    await run('rollback', [], other);
    expect(await run('delete from t returning id')).toEqual([[1]]);
    await run('commit');
  });

  it('wants every parameter', () => {
    expect(() => session.portal(session.prepareText('select $1::int'), [])).toThrow(
      expect.objectContaining({ code: '42P02' }),
    );
  });
});

describe('a synchronous caller', () => {
  it('runs to the end on its own thread', async () => {
    await run('create table t (id int primary key, v text)');
    const portal = session.portal(session.prepareText(`insert into t values (1, 'a'), (2, 'b') returning id`), []);
    const rows: Value[][] = [];
    expect(portal.fetchNow(1, (batch) => collect(batch, rows)).complete).toBe(false);
    expect(portal.fetchNow(0, (batch) => collect(batch, rows))).toMatchObject({ complete: true, tag: 'INSERT 0 2' });
    session.syncNow();
    session.syncNow();
    expect(rows).toEqual([[1], [2]]);
    expect(session.lastCommit?.seq).toBe(engine.store.visibleSeq);
  });

  it('is told 55P03 where it would wait, and leaves no request behind', async () => {
    await run('create table t (id int primary key)');
    await run('insert into t values (1)');
    const other = engine.session();
    await run('begin', [], other);
    await run('delete from t', [], other);
    const portal = session.portal(session.prepareText('delete from t'), []);
    expect(() => portal.fetchNow(0, () => undefined)).toThrow(expect.objectContaining({ code: '55P03' }));
    await run('rollback', [], other);
    expect(await run('delete from t returning id', [], other)).toEqual([[1]]);
  });

  it('commits and rolls back', () => {
    const now = (sql: string): void => {
      session.portal(session.prepareText(sql), []).fetchNow(0, () => undefined);
      session.syncNow();
    };
    now('create table t (id int primary key, next int references t deferrable initially deferred)');
    now('begin');
    now('insert into t values (1, 2)');
    now('insert into t values (2, 1)');
    now('commit');
    now('begin');
    now('insert into t values (3, 9)');
    expect(() => now('commit')).toThrow(expect.objectContaining({ code: '23503' }));
    now('begin');
    now('insert into t values (4, null)');
    now('rollback');
    const rows: Value[][] = [];
    session
      .portal(session.prepareText('select id from t order by id'), [])
      .fetchNow(0, (batch) => collect(batch, rows));
    expect(rows).toEqual([[1], [2]]);
  });
});

describe('plans', () => {
  it('are shared by text and by session: nothing is parsed, planned or loaded again', async () => {
    await run('create table t (id int primary key, v text)');
    await run(`insert into t values (1, 'a')`);
    await run('select v from t where id = $1', [1]);
    const before = { ...engine.engine.counters };
    await run('select v from t where id = $1', [1]);
    const other = engine.session();
    await run('select v from t where id = $1', [1], other);
    const after = engine.engine.counters;
    expect([after.parses - before.parses, after.plans - before.plans]).toEqual([0, 0]);
  });

  it('follow the catalog: a prepared statement sees a new column default, or says that its result changed', async () => {
    await run('create table t (id int primary key)');
    await run('prepare p as select * from t');
    expect(await run('execute p')).toEqual([]);
    await run('create index on t (id)');
    expect(await run('execute p')).toEqual([]);
    await run('alter table t add column v text');
    await expect(run('execute p')).rejects.toMatchObject({ code: '0A000' });
  });

  it('are kept by PREPARE as far as there is a limit', async () => {
    const statement = session.prepareText('select 1');
    for (let i = 1; i < 10_000; i++) session.prepared.set(`p${i}`, statement);
    await run('prepare last as select 1');
    await expect(run('prepare one_more as select 1')).rejects.toMatchObject({ code: '53400' });
    await run('deallocate p1');
    await run('prepare one_more as select 1');
  });

  it('have straight roads for reading and writing one row', async () => {
    await run('create table t (id int primary key, v text, n int generated always as (id * 2) stored)');
    const insert = session.prepareText('insert into t (id, v) values ($1, upper($2))');
    const select = session.prepareText('select v, n from t where id = $1');
    if (insert.kind !== 'plan' || select.kind !== 'plan') throw new Error('both are plans');
    for (let id = 1; id <= 6; id++) {
      expect(writePoint(session, insert, [id, `v${id}`])).toBe(1);
      session.syncNow();
    }
    const row: Value[] = [];
    for (let id = 1; id <= 6; id++) {
      expect(lookUp(session, select, [id], row)).toBe(true);
      expect(row).toEqual([`V${id}`, id * 2]);
    }
    expect(lookUp(session, select, [99], row)).toBe(false);
    expect(() => writePoint(session, insert, [1, 'again'])).toThrow(expect.objectContaining({ code: '23505' }));
    expect(session.transaction).toBeUndefined();
    const returning = session.prepareText('insert into t (id) values (50) returning id');
    if (returning.kind !== 'plan') throw new Error('it is a plan');
    expect(writePoint(session, returning, [])).toBeUndefined();
    const readOnly = engine.session({ settings: { default_transaction_read_only: 'on' } });
    const refused = readOnly.prepareText('insert into t (id) values (51)');
    if (refused.kind !== 'plan') throw new Error('it is a plan');
    expect(() => writePoint(readOnly, refused, [])).toThrow(expect.objectContaining({ code: '25006' }));
  });

  it('have straight roads by unique indexes too, which follow the rows', async () => {
    await run('create table t (a int, b text, v int)');
    await run('insert into t values (1, $$x$$, 10), (1, null, 20), (2, $$x$$, 30)');
    await run('insert into t select i, $$z$$, i from generate_series(1000, 1999) i');
    await run('alter table t add constraint late unique (b, a)');
    await run('create unique index on t (v desc)');
    const planOf = (text: string): PlanStatement => {
      const statement = session.prepareText(text);
      if (statement.kind !== 'plan') throw new Error('it is a plan');
      return statement;
    };
    const byBoth = planOf('select v from t where a = $1 and b = $2');
    const byValue = planOf('select a, b from t where v = $1');
    const row: Value[] = [];
    const found = (statement: PlanStatement, ...values: Value[]): Value[] | undefined => {
      session.currentPlan(statement);
      return lookUp(session, statement, values, row) ? row.splice(0) : undefined;
    };
    expect([found(byBoth, 1, 'x'), found(byBoth, 1, null), found(byBoth, 3, 'x')]).toEqual([
      [10],
      undefined,
      undefined,
    ]);
    expect([found(byValue, 20), found(byValue, 21)]).toEqual([[1, null], undefined]);
    const write = (text: string, ...values: Value[]): number | undefined => {
      const count = writePoint(session, planOf(text), values);
      if (count !== undefined) session.syncNow();
      return count;
    };
    const update = 'update t set v = v + $1 where b = $2 and a = $3';
    expect(write(update, 5, 'x', 2)).toBe(1);
    expect([found(byValue, 30), found(byValue, 35)]).toEqual([undefined, [2, 'x']]);
    expect(write('delete from t where v = $1', 10)).toBe(1);
    expect([found(byBoth, 1, 'x'), write('delete from t where v = $1', 10)]).toEqual([undefined, 0]);
    const other = engine.session();
    await run('begin', [], other);
    await run('update t set b = $$y$$ where v = 35', [], other);
    expect(write(update, 1, 'x', 2)).toBeUndefined();
    const waiting = session.portal(planOf(update), [1, 'x', 2]).fetch(0, () => undefined);
    await run('commit', [], other);
    expect((await waiting).count).toBe(0);
    await session.sync();
    expect(found(byBoth, 2, 'y')).toEqual([35]);
  });

  it('wait on the ordinary road when the straight one is blocked', async () => {
    await run('create table t (id int primary key)');
    const other = engine.session();
    await run('begin', [], other);
    await run('insert into t values (1)', [], other);
    const insert = session.prepareText('insert into t values ($1)');
    if (insert.kind !== 'plan') throw new Error('it is a plan');
    expect(writePoint(session, insert, [1])).toBeUndefined();
    await run('rollback', [], other);
    await session.portal(insert, [1]).fetch(0, () => undefined);
    await session.sync();
    expect(await run('select count(*)::int from t')).toEqual([[1]]);
  });
});

describe('a table made of a query', () => {
  it('takes the parameters of the query', async () => {
    const made = session.prepareText(
      'create temp table made as select i, $2 as said from generate_series(1, 3) i where i >= $1',
    );
    if (made.kind !== 'utility') throw new Error('it has no plan');
    expect(made.utility.parameterTypes.map(({ oid }) => oid)).toEqual([23, 25]);
    await session.portal(made, [2, 'yes']).fetch(0, () => undefined);
    expect(await run('select * from made')).toEqual([
      [2, 'yes'],
      [3, 'yes'],
    ]);
    await run('select i into other from made where i > $1', [2]);
    expect(await run('select * from other')).toEqual([[3]]);
    await expect(run('create materialized view stored as select $1::int', [1])).rejects.toMatchObject({
      code: '42P02',
    });
  });
});

describe('rights', () => {
  it('follow the role that a session acts as', async () => {
    await run('create table t (id int primary key)');
    await expect(run('set role nosuch')).rejects.toMatchObject({ code: '22023' });
    await run('set role phantom');
    expect(await run('show role')).toEqual([['none']]);
    await run('reset role');
    expect(await run('select current_user, session_user')).toEqual([['phantom', 'phantom']]);
  });
});
