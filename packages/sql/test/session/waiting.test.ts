/** Waits end: with a cancel, with a time limit, with the session; and a commit that was asked to stop says what became of it. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { Notice, SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { run, turns } from '../support/statements.js';

const opened: TestEngine[] = [];

async function open(syncTurns?: number): Promise<TestEngine> {
  const engine = await (syncTurns === undefined
    ? openEngine()
    : openEngine(undefined, { vfs: new MemoryVfs({ syncTurns }), durability: 'fsync' }));
  opened.push(engine);
  return engine;
}

afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function twoSessions(engine: TestEngine): Promise<[SqlSession, SqlSession]> {
  const [a, b] = [engine.session(), engine.session()];
  await run(a, 'create table t (id int primary key, v int); insert into t values (1, 1), (2, 2)');
  return [a, b];
}

describe('a wait for a lock', () => {
  it('ends with lock_timeout, and its place in the queue is given up', async () => {
    const engine = await open();
    const [a, b] = await twoSessions(engine);
    await run(a, 'begin; update t set v = 5 where id = 1');
    await run(b, "set lock_timeout = '20ms'");
    expect(await run(b, 'update t set v = 6 where id = 1')).toBe('55P03');
    expect(await run(b, "select pg_sleep(0.05), pg_sleep('nan')")).toBe('SELECT 1');
    // A statement that waits is executed anew, and sleeps no second time though it asks for another while.
    expect(await run(b, 'select pg_sleep(random() / 1000), pg_sleep(random() / 1000)')).toBe('SELECT 1');
    expect(await run(b, "select pg_sleep_for('1 ms'), pg_sleep_until(clock_timestamp() + '1 ms')")).toBe('SELECT 1');
    expect(await run(b, "select pg_sleep_until('2000-01-01')")).toBe('SELECT 1');
    expect(await run(b, 'begin; lock table t')).toBe('55P03');
    expect(await run(b, 'rollback')).toBe('ROLLBACK');
    expect(engine.mvcc.transactions().every(({ waitsFor }) => waitsFor.length === 0)).toBe(true);
    const optimistic = 'begin isolation level repeatable read; update t set v = 6 where id = 1';
    expect(await run(b, `${optimistic}; commit`)).toBe('55P03');
    expect(await run(b, `${optimistic}; prepare transaction 'x'`)).toBe('55P03');
    expect(await run(b, "reset lock_timeout; set statement_timeout = '20ms'")).toBe('SET');
    expect(await run(b, `${optimistic}; prepare transaction 'x'`)).toBe('57014');
    expect(engine.mvcc.stats().live).toBe(1);
    expect(await run(a, 'commit')).toBe('COMMIT');
    expect(await run(b, 'update t set v = v + 1 where id = 1')).toBe('UPDATE 1');
  });

  it('ends with statement_timeout', async () => {
    const engine = await open();
    const [a, b] = await twoSessions(engine);
    await run(a, 'select pg_advisory_lock(1)');
    await run(b, 'set statement_timeout = 20');
    expect(await run(b, 'select pg_advisory_lock(1)')).toBe('57014');
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    expect(await run(b, 'select pg_sleep(60)')).toBe('57014');
    // Longer than a timer takes.
    expect(await run(b, 'select pg_sleep(1e10)')).toBe('57014');
    expect(await run(b, `do 'begin perform pg_sleep(60); end'`)).toBe('57014');
    expect(timers()).toBeLessThanOrEqual(before);
    await run(a, 'select pg_advisory_unlock_all()');
    expect(await run(b, 'select pg_try_advisory_lock(1)')).toBe('SELECT 1');
  });

  it('ends with a cancel, of a deferrable reader too; one that comes while nothing runs is forgotten', async () => {
    const engine = await open();
    const [a, b] = await twoSessions(engine);
    await run(a, 'begin isolation level serializable; select count(*) from t');
    await run(b, 'begin isolation level serializable read only deferrable');
    const waiting = run(b, 'select count(*) from t');
    await turns(3);
    b.cancel();
    expect(await waiting).toBe('57014');
    await run(b, 'rollback');
    b.cancel();
    expect(await run(b, 'select 1')).toBe('SELECT 1');
  });
});

describe('a commit that is canceled', () => {
  it('is rolled back while it waits for a lock', async () => {
    const engine = await open();
    const [a, b] = await twoSessions(engine);
    await run(a, 'begin; update t set v = 5 where id = 1');
    await run(b, 'begin isolation level repeatable read; update t set v = 6 where id = 1');
    const committing = run(b, 'commit');
    await turns(3);
    b.cancel();
    expect(await committing).toBe('57014');
    expect(b.status).toBe('idle');
    expect(await run(a, 'commit')).toBe('COMMIT');
  });

  it('is told as it ends once it is in the log, with a warning: by statement and by itself', async () => {
    const engine = await open(40);
    const [a] = await twoSessions(engine);
    for (const sql of ['begin; update t set v = v + 10; commit', 'update t set v = v + 10']) {
      const notices: Notice[] = [];
      const session = engine.session({ onNotice: (notice) => notices.push(notice) });
      const committing = run(session, sql);
      await turns(20);
      session.cancel();
      expect(await committing).toBe(sql.startsWith('begin') ? 'COMMIT' : 'UPDATE 2');
      expect(notices.map(({ message }) => message)).toEqual(['the commit could no longer be canceled']);
      expect(await run(session, 'select 1')).toBe('SELECT 1');
    }
    const portal = a.portal(a.prepareText('select sum(v)::int as v from t'), []);
    const sums: unknown[] = [];
    await portal.fetch(0, ({ columns }) => sums.push(columns[0]?.[0]));
    expect(sums).toEqual([43]);
  });
});

describe('a session', () => {
  it('that rests too long in a transaction is ended, and its locks are free', async () => {
    const engine = await open();
    const [a] = await twoSessions(engine);
    const ended: string[] = [];
    const idler = engine.session({ onTerminate: ({ code }) => ended.push(code) });
    await run(idler, "set idle_in_transaction_session_timeout = '30ms'");
    await run(idler, 'begin; update t set v = 9 where id = 1');
    expect(await run(a, 'update t set v = 2 where id = 1')).toBe('UPDATE 1');
    expect(ended).toEqual(['25P03']);
    expect(await run(idler, 'select 1')).toBe('25P03');
  });

  it('that works, or rests outside of one, is not', async () => {
    const engine = await open();
    const [a] = await twoSessions(engine);
    await run(a, "set idle_in_transaction_session_timeout = '30ms'");
    await run(a, 'select 1');
    await pause(50);
    expect(await run(a, 'begin; select pg_sleep(0.05); commit')).toBe('COMMIT');
  });

  it('whose transaction lives too long is ended, also while it waits', async () => {
    const engine = await open();
    const [a, b] = await twoSessions(engine);
    const ended: string[] = [];
    const slow = engine.session({ onTerminate: ({ code }) => ended.push(code) });
    await run(slow, "set transaction_timeout = '30ms'");
    await run(b, 'begin; update t set v = 9 where id = 2');
    expect(await run(slow, 'begin; update t set v = 9 where id = 1; update t set v = 9 where id = 2')).toBe('25P04');
    expect(ended).toEqual(['25P04']);
    expect(await run(a, 'update t set v = 2 where id = 1')).toBe('UPDATE 1');
    slow.close();
    expect(engine.mvcc.stats().live).toBe(1);
  });

  it('is held to a limit that comes while its transaction is open, counted from the beginning', async () => {
    const engine = await open();
    const ended: string[] = [];
    const session = engine.session({ onTerminate: ({ code }) => ended.push(code) });
    await run(session, "begin; set local transaction_timeout = '30s'; set local transaction_timeout = 0");
    await run(session, "set local transaction_timeout = '100ms'; commit");
    await run(session, "begin; savepoint s; set local transaction_timeout = '100ms'; rollback to s");
    await pause(120);
    expect(ended).toEqual([]);
    expect(await run(session, "set local transaction_timeout = '10ms'; select pg_sleep(5)")).toBe('25P04');
    expect(ended).toEqual(['25P04']);
  });

  it('that closes gives its advisory locks back', async () => {
    const engine = await open();
    const [a, b] = await twoSessions(engine);
    await run(a, 'select pg_advisory_lock(7)');
    const waiting = run(b, 'select pg_advisory_lock(7)');
    await turns(3);
    a.close();
    expect(await waiting).toBe('SELECT 1');
  });
});

describe('views of activity', () => {
  it('show the statements of others to a superuser', async () => {
    const engine = await open();
    const [a, b] = await twoSessions(engine);
    await run(a, "begin; select 'secret'");
    const statements = async (session: SqlSession): Promise<unknown[]> => {
      const portal = session.portal(session.prepareText('select statement from phantom.transactions where id > 0'), []);
      const seen: unknown[] = [];
      await portal.fetch(0, ({ columns, count }) => {
        for (let r = 0; r < count; r++) seen.push(columns[0]?.[r]);
      });
      return seen;
    };
    expect(await statements(b)).toEqual(["begin; select 'secret'"]);
  });
});
